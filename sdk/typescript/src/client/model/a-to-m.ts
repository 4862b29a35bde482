// Written by scripts/model.mjs from docs/reference/openapi.json. Do not edit: npm run model.

import type { Offer, Operation, OrganisationForm, Outcome, ParametersForm, PeerForm, PolicyUsed, Problem, Proposal, Reading, Resource, SeatOf, ServiceEndpoint, ThingReport, Time, TransactionStatus, VerificationMethod, VotingRule } from './index.ts';

/** Who has access to what, from whom, for which purpose. */
export interface Access {
  /** Who has access, or asks for it. */
  grantee: Did;
  /** Id of the request and of the grant that it becomes. */
  id: Hex;
  /** Who owns the resource. */
  owner: Did;
  /** What for. */
  purpose: string;
  /** To what. */
  resource: Resource;
  /** To do what, such as `read`. */
  right: string;
}

/** What an owner decided about a resource. */
export interface AccessPolicy {
  /** Who is asked about each request; nobody if absent. */
  ask?: Did;
  /** Blocks that a grant lasts at most. */
  grant_blocks_max: number;
  /** What is needed beside it: `open`, `grant` or `strict`. */
  mode: string;
  /** Whose. */
  owner: Did;
  /** Blocks within which the answer must come. */
  patience_blocks: number;
  /** About what. */
  resource: Resource;
  /** Height of the block that set it. */
  since_height: number;
  /** The statements in Cedar. */
  text: string;
  /** Its version; the first has version 1. */
  version: number;
  /** Each statement in words. */
  words: string[];
}

/** Uses of a grant that were served. */
export interface AccessUse {
  /** How many. */
  count: number;
  /** When the first was. */
  first: Time;
  /** The grant. */
  grant: Hex;
  /** When the last was. */
  last: Time;
}

/** What a sender needs to know before it signs. */
export interface Account {
  /** Whether what it signs counts. */
  active: boolean;
  /** Whose account. */
  entity: Did;
  /** Height of the state this was read from; an expiry height counts from here. */
  height: number;
  /**
   * The number to go on with: after the highest that a transaction of the sender has used,
   * final or waiting here.
   */
  next_nonce: number;
  /** Numbers from here on are too far ahead. */
  nonce_end: number;
  /** Transactions of the sender that wait here to be included. */
  waiting: number;
}

/** One thing that a transaction does. */
export type Action =
  /** Registers an entity. */
  | { type: 'register_entity'; entity: Did; key: Key; kind: string; name: string }
  /** Replaces the key of an entity. */
  | { type: 'rotate_key'; entity: Did; key: Key }
  /** Ends an entity. */
  | { type: 'revoke_entity'; entity: Did }
  /** Registers a thing. */
  | { type: 'register_thing'; description_digest: Hex; name: string; thing: Did }
  /** Publishes a new description of a thing. */
  | { type: 'update_thing'; description_digest: Hex; replaces: number; thing: Did }
  /** Lets an entity submit for a thing. */
  | { type: 'bind'; gateway: Did; thing: Did; until_height: number }
  /** Ends a binding. */
  | { type: 'unbind'; gateway: Did; thing: Did }
  /** Appends readings to a stream. */
  | { type: 'submit_batch'; count: number; earliest: Time; first_seq: number; latest: Time; payload_bytes: number; payload_digest: Hex; stream: Hex }
  /** Writes a record and notifies entities. */
  | { type: 'record'; data: string; kind: string; link?: Hex; notify: Did[] }
  /** Says who must sign for a kind of action. */
  | { type: 'set_approval_policy'; approvers: Did[]; kind: string; patience_blocks: number; threshold: number }
  /** Approves a pending transaction. */
  | { type: 'approve'; pending: Hex }
  /** Withdraws a pending transaction. */
  | { type: 'reject'; pending: Hex }
  /** Ends a thing. */
  | { type: 'retire_thing'; thing: Did }
  /** Offers a thing to another owner, or withdraws the offer. */
  | { type: 'offer_thing'; offer?: Offer; thing: Did }
  /** Becomes the owner of a thing that is offered. */
  | { type: 'accept_thing'; by_code: boolean; thing: Did }
  /** Narrows a binding, or lifts its limit. */
  | { type: 'limit_binding'; gateway: Did; limit?: BindingLimit; thing: Did }
  /** Says how a thing is. */
  | { type: 'report_status'; status: ThingReport; thing: Did }
  /** Vouches for a batch of devices. */
  | { type: 'issue_voucher'; count: number; description_digest: Hex; owner: Did; root: Hex; voucher: Hex }
  /** Ends a voucher. */
  | { type: 'revoke_voucher'; voucher: Hex }
  /** Registers a device of a voucher and its thing. */
  | { type: 'join_by_voucher'; device: Did; index: number; name: string; voucher: Hex }
  /** Asks a thing to do something. */
  | { type: 'command'; asked: Operation; purpose?: string; thing: Did; until: Time }
  /** Says what became of a command. */
  | { type: 'report_command'; command: Hex; result?: string; state: string }
  /** Takes a command back. */
  | { type: 'cancel_command'; command: Hex }
  /** Speaks for or against the quarantine of a thing. */
  | { type: 'quarantine'; reason?: string; thing: Did }
  /** Proposes a change that the members decide on. */
  | Change & {
    /** Why. */
    reason: string;
  } & {
    type: 'propose';
  }
  /** Votes on a proposal. */
  | { type: 'vote'; accept: boolean; proposal: Hex }
  /** Carries out an accepted proposal. */
  | { type: 'enact'; proposal: Hex }
  /** Withdraws a proposal. */
  | { type: 'withdraw_proposal'; proposal: Hex }
  /** Says who may do what with something of the sender's. */
  | { type: 'set_access_policy'; ask?: Did; grant_blocks_max: number; mode: string; patience_blocks: number; resource: Resource; text: string }
  /** Takes a policy back. */
  | { type: 'remove_access_policy'; resource: Resource }
  /** Asks for access. */
  | { type: 'request_access'; count_max: number; purpose: string; resource: Resource; right: string; until_height: number }
  /** Allows or denies a request. */
  | { type: 'answer_access'; allow: boolean; request: Hex }
  /** Ends a grant. */
  | { type: 'revoke_grant'; grant: Hex }
  /** Uses a grant once. */
  | { type: 'use_grant'; grant: Hex }
  /** Records uses that were served. */
  | { type: 'record_access'; uses: AccessUse[] };

/** Whether one transaction of a request was admitted. */
export interface Admission {
  /** Its id. */
  id: Hex;
  /** Where it was finalized and with which receipt; only if the request waited for that. */
  outcome?: Outcome;
  /** Why it was refused; only if it was. */
  problem?: Problem;
  /** How far it is. */
  status: TransactionStatus;
}

/** Whether the transactions of a request were admitted, in its order. */
export interface Admissions {
  /** One for each. */
  transactions: Admission[];
}

/** Several readings in one line. */
export interface Aggregate {
  /** Number of readings. */
  count: number;
  /** Earliest claimed time covered. */
  earliest: Time;
  /** First sequence number covered. */
  first_seq: number;
  /** Last sequence number covered. */
  last_seq: number;
  /** Latest claimed time covered. */
  latest: Time;
  /** Largest value; absent for text and bytes. */
  max?: string;
  /** Sum by count, three places more than the stream has, half to even; absent for text and bytes. */
  mean?: string;
  /** Smallest value; absent for text and bytes. */
  min?: string;
  /** Exact sum; absent for text and bytes. */
  sum?: string;
}

/** A stream in buckets of claimed time, ascending; a bucket without readings is left out. */
export interface Aggregates {
  /** Length of a bucket, milliseconds. */
  bucket_ms: number;
  /** The buckets; one that begins at `from` covers `bucket_ms` from there. */
  items: Bucket[];
  /** Pass as `from` to go on; absent on the last page. */
  next?: Time;
  /** The stream. */
  stream: Hex;
  /** Batches whose readings this peer does not hold (yet), and which are therefore missing here. */
  unavailable?: number[];
  /** Unit as the description states it; empty if it states none. */
  unit: string;
}

/** A request that waits. */
export interface Asked {
  /** Last height at which the answer counts. */
  answer_until_height: number;
  /** How often, at most; 0 for without limit. */
  count_max: number;
  /** Who is asked. */
  entity: Did;
  /** Height of the block that asked. */
  since_height: number;
  /** Last height wanted. */
  until_height: number;
}

/** An entity that may submit for a thing. */
export interface Binding {
  /** The entity. */
  gateway: Did;
  /** What it is narrowed to; absent if to nothing. */
  limit?: BindingLimit;
  /** Last height at which the binding holds. */
  until_height: number;
}

/** What a binding is narrowed to. */
export interface BindingLimit {
  /** Whether it may carry commands to the thing. */
  commands: boolean;
  /** The properties whose readings the gateway may submit. */
  properties: string[];
}

/** A final block. */
export type Block = BlockSummary & {
  /** Pass as `after` for the ids that follow; absent at the end. */
  next?: string;
  /**
   * Voting keys of those whose signatures finalized it. Empty if this peer holds no certificate
   * of this very block: one of a later block covers it.
   */
  signers: Hex[];
  /** Ids of its transactions in order, from the one asked for. */
  transaction_ids: Hex[];
};

/** A final block without its transactions. */
export interface BlockSummary {
  /** Its digest. */
  digest: Hex;
  /** Epoch of its validators. */
  epoch: number;
  /** Its height; the genesis block has 0. */
  height: number;
  /** Digest of the block before. */
  parent: Hex;
  /** Voting key of the validator that proposed it. */
  proposer: Hex;
  /** The peer that proposed it; absent for the genesis block. */
  proposer_peer?: Did;
  /** The result of an earlier block that it commits to. */
  result: ExecutionResult;
  /** Ledger time. */
  time: Time;
  /** Number of its transactions. */
  transactions: number;
  /** Merkle root over the ids of its transactions. */
  transactions_root: Hex;
  /** View in which it was proposed. */
  view: number;
}

/** The readings of one bucket. */
export interface Bucket {
  /** Where it begins. */
  from: Time;
  /** What its readings come to. */
  of: Aggregate;
}

/** What the members of a ledger decide on together. */
export type Change =
  /** An organisation becomes a member. */
  | { change: 'add_organisation'; key: Key; name: string; organisation: Did }
  /** An organisation ends, with all that it owns. */
  | { change: 'remove_organisation'; organisation: Did }
  /** A peer gets a seat among the validators. */
  | { address: string; change: 'add_peer'; peer: Did; vote_key: Hex }
  /** A peer loses its seat. */
  | { change: 'remove_peer'; peer: Did }
  /** A peer votes with another key. */
  | { change: 'rotate_voting_key'; peer: Did; vote_key: Hex }
  /** Settings of the ledger. */
  | { change: 'set_parameters'; parameters: ParametersForm }
  /** How the members decide. */
  | { change: 'set_voting_rule'; rule: VotingRule };

/** A command to a thing, and how far it is. */
export type Command = Operation & {
  /** Since when it has been in this state. */
  changed: Time;
  /** The transaction that brought this state. */
  changed_by: Hex;
  /** Its id, that of the transaction it came in. */
  id: Hex;
  /** What for, if it was said. */
  purpose?: string;
  /** When it came. */
  queued: Time;
  /** Who sent that. */
  reporter: Did;
  /** What the device answered; bytes that are no UTF-8 are replaced. */
  result?: string;
  /** Who asks. */
  sender: Did;
  /** `queued`, `delivered`, `accepted`, `done`, `failed`, `expired` or `cancelled`. */
  state: string;
  /** The thing. */
  thing: Did;
  /** Time by which it must be answered. */
  until: Time;
};

/** What a change would lead to if it took effect now. */
export interface Consequence {
  /** How many of them may fail or cheat without harm. */
  faults_tolerated: number;
  /** The organisation with the most seats. */
  largest?: Did;
  /** How many seats that are. */
  largest_seats: number;
  /** How many members there would be. */
  members: number;
  /** How many of them would have to sign a block. */
  quorum: number;
  /** Code of the refusal that forbids it; absent if it is possible. */
  refusal?: string;
  /** In one sentence. */
  summary: string;
  /** Blocks between their agreement and its effect. */
  timelock_blocks: number;
  /** How many validators there would be from the next epoch on. */
  validators: number;
  /** How many members must agree to it. */
  votes_needed: number;
  /** How many of them would have to agree to a further change. */
  votes_needed_after: number;
}

/** Place of an event: block, transaction in it, event of that */
export type Cursor = string;

/** Whether somebody may, and why. */
export interface Decision {
  /** Whether. */
  allowed: boolean;
  /** Why, in a sentence that says what to do next. */
  detail: string;
  /** The grant it rests on. */
  grant?: Hex;
  /** Height of the state that it was decided by. */
  height: number;
  /** Whose that is. */
  owner?: Did;
  /** The policy that decided, if there is one. */
  policy?: PolicyUsed;
  /** Why, a stable word such as `no_grant`. */
  reason: string;
  /** The resource. */
  resource: Resource;
}

/** W3C Decentralized Identifier of an entity or thing */
export type Did = string;

/** The DID document of an entity or thing (W3C DID Core 1.0). */
export interface DidDocument {
  /** JSON-LD contexts. */
  '@context': string[];
  /** Ids of the keys that sign statements of it. */
  assertionMethod?: string[];
  /** Ids of the keys that authenticate it. */
  authentication?: string[];
  /** Who may change it: the owner of a thing or entity. */
  controller?: Did;
  /** The DID. */
  id: Did;
  /** Where more is found, such as the Thing Description. */
  service?: ServiceEndpoint[];
  /** Its present keys. */
  verificationMethod?: VerificationMethod[];
}

/** What a final transaction did, in short. */
export type Effect = 'applied' | 'awaiting_approval' | 'refused';

/** Whoever acts: an organisation, peer, gateway, device, service, person or auditor. */
export interface Entity {
  /** Whether what it signs counts; false once it was revoked. */
  active: boolean;
  /** The same id in hex. */
  hex: Hex;
  /** Its id. */
  id: Did;
  /** Its present key. */
  key: Key;
  /** Version of the present key, from 1. */
  key_version: number;
  /** What it is: `organisation`, `peer`, `gateway`, `device`, `service`, `person`, `auditor`. */
  kind: string;
  /** Its name among people; not unique. */
  name: string;
  /** The organisation that owns it; absent for a founding organisation. */
  owner?: Did;
  /** Height of the block that registered it. */
  registered: number;
}

/** Something that subscribers may want to know. */
export type Event =
  /** An entity was registered. */
  | { type: 'entity_registered'; entity: Did; owner: Did }
  /** An entity has a new key. */
  | { type: 'key_rotated'; entity: Did; version: number }
  /** An entity ended. */
  | { type: 'entity_revoked'; entity: Did }
  /** A thing was registered. */
  | { type: 'thing_registered'; owner: Did; thing: Did }
  /** A thing has a new description. */
  | { type: 'thing_updated'; thing: Did; version: number }
  /** A thing ended. */
  | { type: 'thing_retired'; thing: Did }
  /** An entity may submit for a thing. */
  | { type: 'bound'; gateway: Did; thing: Did; until_height: number }
  /** An entity may no longer submit for a thing. */
  | { type: 'unbound'; gateway: Did; thing: Did }
  /** A batch was appended to a stream. */
  | { type: 'batch_accepted'; count: number; first_seq: number; leaf: number; stream: Hex; thing: Did }
  /** Sequence numbers were skipped; they may still come. */
  | { type: 'gap_opened'; count: number; first_seq: number; stream: Hex }
  /** Missing numbers came after all. */
  | { type: 'gap_filled'; count: number; first_seq: number; stream: Hex }
  /** Missing numbers were given up for ever. */
  | { type: 'gap_sealed'; count: number; first_seq: number; stream: Hex }
  /** A record was written. */
  | { type: 'recorded'; kind: string; link?: Hex; notify: Did[]; sender: Did }
  /** A policy for approvals was set or removed. */
  | { type: 'approval_policy_set'; entity: Did }
  /** A transaction waits for approvals. */
  | { type: 'approval_pending'; approvals: number; pending: Hex; threshold: number }
  /** A transaction that waited took effect. */
  | { type: 'approval_granted'; pending: Hex }
  /** A transaction that waited was withdrawn, timed out or failed. */
  | { type: 'approval_ended'; code: string; pending: Hex }
  /** A thing is offered to another owner. */
  | { type: 'thing_offered'; owner: Did; thing: Did; to?: Did; until_height: number }
  /** A thing is offered no longer. */
  | { type: 'offer_withdrawn'; thing: Did }
  /** A thing has another owner; all bindings to it have ended. */
  | { type: 'thing_transferred'; from: Did; thing: Did; to: Did }
  /** A binding was narrowed, or a limit lifted. */
  | { type: 'binding_limited'; gateway: Did; limited: boolean; thing: Did }
  /** Somebody said how a thing is. */
  | { type: 'status_reported'; reporter: Did; status: ThingReport; thing: Did }
  /** A maker vouches for devices. */
  | { type: 'voucher_issued'; count: number; maker: Did; owner: Did; voucher: Hex }
  /** No more devices join by a voucher. */
  | { type: 'voucher_revoked'; voucher: Hex }
  /** A device of a voucher joined. */
  | { type: 'device_joined'; device: Did; thing: Did; voucher: Hex }
  /** A thing was asked to do something. */
  | { type: 'command_queued'; command: Hex; sender: Did; thing: Did; until: Time }
  /** A command went on or came to its end. */
  | { type: 'command_changed'; command: Hex; result?: string; sender: Did; state: string; thing: Did }
  /** Somebody spoke for or against the quarantine of a thing. */
  | { type: 'quarantine_changed'; by: Did; quarantined: boolean; thing: Did }
  /** Members are asked to vote on a change. */
  | { type: 'proposed'; proposal: Hex; proposer: Did }
  /** A member voted. */
  | { type: 'voted'; accept: boolean; needed: number; organisation: Did; proposal: Hex; votes: number }
  /** A proposal has the votes it needs. */
  | { type: 'proposal_accepted'; due_height: number; proposal: Hex }
  /** A proposal took effect. */
  | { type: 'proposal_enacted'; proposal: Hex }
  /** A proposal ended without effect. */
  | { type: 'proposal_ended'; code: string; proposal: Hex }
  /** An organisation became a member. */
  | { type: 'member_added'; organisation: Did }
  /** An organisation is a member no more. */
  | { type: 'member_removed'; organisation: Did }
  /** Other validators than now will vote from the next epoch on. */
  | { type: 'validators_chosen'; count: number; quorum: number }
  /** The ledger has other settings from the next block on. */
  | { type: 'parameters_set' }
  /** The members decide by another rule from now on. */
  | { type: 'voting_rule_set' }
  /** An access policy was set. */
  | { type: 'access_policy_set'; owner: Did; resource: Resource; version: number }
  /** An access policy was removed. */
  | { type: 'access_policy_removed'; owner: Did; resource: Resource }
  /** Access was asked for and waits for an answer. */
  | { type: 'access_requested'; access: Access; answer_until_height: number; asked: Did }
  /** A grant was given. */
  | { type: 'access_granted'; access: Access; by: Did; count_max: number; until_height: number }
  /** A request was denied. */
  | { type: 'access_denied'; access: Access; by: Did }
  /** A request had no answer in time. */
  | { type: 'access_timed_out'; access: Access; asked: Did }
  /** A grant was ended. */
  | { type: 'grant_revoked'; access: Access; by: Did }
  /** A grant was used. */
  | { type: 'access_used'; access: Access; by: Did; count: number; first: Time; last: Time; used: number };

/** An event with its place on the ledger. */
export interface EventRecord {
  /** Its place; pass as `after` to go on behind it. */
  cursor: Cursor;
  /** What happened. */
  event: Event;
  /** Height of the block. */
  height: number;
  /** Time of the block. */
  time: Time;
  /** The transaction that brought it about. */
  transaction: Hex;
}

/** What executing a block gave. */
export interface ExecutionResult {
  /** The block that was executed. */
  height: number;
  /** Merkle root of its receipts. */
  receipts_root: Hex;
  /** Root of the state after it. */
  state_root: Hex;
}

/** Sequence numbers that did not come. */
export interface Gap {
  /** How many. */
  count: number;
  /** First number missing. */
  first_seq: number;
  /** Last number missing. */
  last_seq: number;
  /** Whether they may still come. */
  open: boolean;
}

/** The gaps of a stream, ascending by sequence number. */
export interface Gaps {
  /** The gaps. */
  items: Gap[];
  /** Pass as `after` to go on; absent on the last page. */
  next?: string;
  /** The stream. */
  stream: Hex;
}

/** The JSON form of a genesis. */
export interface GenesisFile {
  /** The ledger's id, which follows from all else here. */
  ledger: Hex;
  /** How peers agree: `simplex`. */
  mechanism: string;
  /** Who may take part: `public`, `consortium` or `private`. */
  mode: string;
  /** Name of the network: 1 to 32 of `a-z`, `0-9` and `-`; part of every DID. */
  network: string;
  /** Founding organisations, ascending by id. */
  organisations: OrganisationForm[];
  /** Settings that all peers share. */
  parameters: ParametersForm;
  /** Founding peers, ascending by voting key. */
  peers: PeerForm[];
  /** When it began, RFC 3339. */
  time: string;
  /** Version of this form, 1. */
  version: number;
}

/** A grant as it was given. */
export interface Given {
  /** Who gave it. */
  by: Did;
  /** How often it can be used; 0 for without limit. */
  count_max: number;
  /** Height of the block that revoked it, if one did. */
  revoked?: number;
  /** Height of the block that gave it. */
  since_height: number;
  /** Last height at which it holds. */
  until_height: number;
  /** How often it was used, as far as that is recorded. */
  used: number;
}

/** Who decides, by which rule, and what is open. */
export interface Governance {
  /** The epoch whose validators sign now. */
  epoch: number;
  /** The member organisations, ascending by id. */
  members: Member[];
  /** The validators of the next epoch, as far as decided. */
  next_validators: SeatOf[];
  /** Proposals that are open, oldest first. */
  proposals: Proposal[];
  /** How they decide. */
  rule: VotingRule;
  /** Those validators, ascending by key. */
  validators: SeatOf[];
  /** How many of them must agree. */
  votes_needed: number;
}

/** A request, a grant, or a grant that is asked for again. */
export type Grant = Access & {
  /** What waits for an answer, if it does. */
  asked?: Asked;
  /** What was given, if it was. */
  given?: Given;
  /** `asked`, `in_force`, `used_up`, `over`, `revoked` or `timed_out`. */
  status: string;
};

/** Whether this peer can serve, and if not fully, why. */
export interface Health {
  /** The highest block executed here. */
  height: number;
  /** Why it is not ready, or what it waits for; empty if all is well. */
  reasons: HealthReason[];
  /** The state. */
  state: HealthState;
}

/** One reason of a peer's health. */
export interface HealthReason {
  /** A stable code, such as `waiting_for_votes`. */
  code: string;
  /** What it waits for, since when, and what to do. */
  detail: string;
}

/** The state of a peer's health. */
export type HealthState = 'ready' | 'degraded' | 'unavailable';

/** 32 bytes in hex */
export type Hex = string;

/** A DID, or 32 bytes in hex */
export type Id = string;

/** A public key of an entity. */
export interface Key {
  /** 32 bytes (Ed25519) or a compressed point of 33 bytes (P-256), hex. */
  public: string;
  /** `ed25519` or `p256`. */
  suite: string;
}

/** A key that an entity has or had. */
export interface KeyVersion {
  /** Height of the block since which it counts. */
  from_height: number;
  /** The key. */
  key: Key;
  /** Height of the block that replaced or revoked it; absent while it counts. */
  until_height?: number;
  /** From 1. */
  version: number;
}

/** A reading away from its stream, with its unit. */
export interface LatestReading {
  /** The reading. */
  reading: Reading;
  /** The transaction it came with. */
  transaction: Hex;
  /** Unit as the description states it; empty if it states none. */
  unit: string;
}

/** An organisation with a vote. */
export interface Member {
  /** Its id. */
  id: Did;
  /** Its name. */
  name: string;
}

/** A public key in multibase base58btc with its multicodec prefix (W3C Multikey). */
export type Multikey = string;
