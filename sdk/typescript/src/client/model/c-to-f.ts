// Written by scripts/model.mjs from docs/reference/openapi.json. Do not edit: npm run model.

import type { Access, Attribute, Hex, KeptFor, Key, LinkEvent, MechanismFrom, Operation, ParametersForm, PolicyUsed, PurgeReceipt, Regulation, Resource, ServiceEndpoint, StreamPlacement, StreamSilence, Takes, ThingReport, ThingTags, Time, TokenEvent, VerificationMethod, VotingRule } from './index.ts';

/** An answer to a call. */
export interface CallAnswer {
  /** Whether what was asked is done; if not, it was declined. */
  accepted: boolean;
  /** The answer, hex. */
  answer: string;
  /** Who answered, on the ledger that was asked. */
  by: Hex;
  /** Height there. */
  height: number;
}

/** Tokens that are locked for an answer. */
export interface CallPayment {
  /** How many, in the smallest unit. */
  amount: string;
  /** For whom, on the ledger that asks. */
  payee: Hex;
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
  | { change: 'set_voting_rule'; rule: VotingRule }
  /** Peers agree in another way, from a height on. */
  | MechanismFrom & {
    change: 'set_mechanism';
  }
  /** More tokens for an account. */
  | { amount: string; change: 'mint_tokens'; to: Did }
  /** An account can spend nothing but fees, or can again. */
  | { account: Did; change: 'freeze_account'; frozen: boolean }
  /** A regulation comes into force, or another text of it. */
  | { change: 'set_regulation'; regulation: Regulation }
  /** A regulation is in force no more. */
  | { change: 'end_regulation'; regulation_id: string };

/** Code of contracts that is stored. */
export interface Code {
  /** Its length, bytes. */
  bytes: number;
  /** How many contracts run it, or are proposed to. */
  contracts: number;
  /** Who stored it. */
  creator: Did;
  /** Its id: the SHA-256 of the module. */
  id: Hex;
  /** Names of the interfaces it serves. */
  interfaces: string[];
  /** A name. */
  name: string;
  /** Its number, by which contracts name code to each other. */
  number: number;
  /** The organisation that owns it. */
  owner: Did;
  /** Ledger time from which contracts can be made of it. */
  ready: Time;
  /** Where its source is and how it was built. */
  source: string;
  /** Height at which it was stored. */
  stored_height: number;
}

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

/** The configuration that a peer runs with. */
export interface Configuration {
  /**
   * Every key that a peer reads, with its value, in TOML. Keys and passphrases are paths there, and
   * not shown by any means.
   */
  text: string;
  /** Its version at this peer. */
  version: ConfigurationVersion;
  /** What was applied and waits for a restart. */
  waiting: Difference[];
}

/** A version of a peer's configuration. */
export interface ConfigurationVersion {
  /** Since when. */
  at: Time;
  /** Who brought it: an operator's DID, or `machine`. */
  by: string;
  /** What it changed. */
  changed: Difference[];
  /** SHA-256 of what the peer reads of it, every key with its value. */
  digest: Hex;
  /** Its number at this peer, from 1. */
  number: number;
}

/** The versions of a peer's configuration. */
export interface ConfigurationVersions {
  /** The newest first; old ones are forgotten. */
  items: ConfigurationVersion[];
}

/** What a change would lead to if it took effect now. */
export interface Consequence {
  /** How many of them may fail without harm. */
  faults_tolerated: number;
  /** The last height at which the change can take effect for that; later, it holds an epoch later. */
  in_time_height?: number;
  /** The organisation with the most seats. */
  largest?: Did;
  /** How many seats that are. */
  largest_seats: number;
  /** How many of those may lie, too. */
  lies_tolerated: number;
  /** How they would agree: `simplex` or `raft`. */
  mechanism: string;
  /** The first block that is agreed on like that; only if that changes. */
  mechanism_from_height?: number;
  /** How many members there would be. */
  members: number;
  /** How many of them would have to sign a block. */
  quorum: number;
  /** Code of the refusal that forbids it; absent if it is possible. */
  refusal?: string;
  /** The first block that they vote on; only if seats change. */
  seats_from_height?: number;
  /** In one sentence. */
  summary: string;
  /** Blocks between their agreement and its effect. */
  timelock_blocks: number;
  /** How many validators there would be. */
  validators: number;
  /** How many members must agree to it. */
  votes_needed: number;
  /** How many of them would have to agree to a further change. */
  votes_needed_after: number;
}

/** A contract. */
export interface Contract {
  /** Who administers it, if anybody. */
  admin?: Did;
  /** Who may call it; anyone if empty. */
  callers: Did[];
  /** Height at which its code, terms or status last changed. */
  changed_height: number;
  /** Its code. */
  code: Hex;
  /** Height at which it was made. */
  created_height: number;
  /** Who made it. */
  creator: Did;
  /** The same id in hex. */
  hex: Hex;
  /** Its address. */
  id: Did;
  /** Names of the interfaces that the code serves. */
  interfaces: string[];
  /** Its creator's name for it. */
  name: string;
  /** Who decides whether it begins, while that is not decided. */
  proposal?: ContractProposal;
  /** `proposed`, `active`, `frozen` or `terminated`. */
  status: string;
}

/** What a contract answered to a question. */
export interface ContractAnswer {
  /** The answer as text; JSON, for nearly all contracts. Absent if it is none. */
  answer?: string;
  /** The answer's bytes, hex. */
  data: string;
  /** Gas it took. */
  gas_used: number;
  /** Height it was read at. */
  height: number;
}

/** How far the decision about a contract is. */
export interface ContractProposal {
  /** Who has accepted it. */
  accepted: Did[];
  /** Who has declined it. */
  declined: Did[];
  /** Who decides. */
  participants: Did[];
  /** How many of them must accept it. */
  threshold: number;
  /** Last height at which it can be accepted. */
  until_height: number;
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

/** Who may bring code and make contracts. */
export type DeployForm = 'everybody' | 'members' | 'approved';

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

/** A key of a configuration that differs. */
export interface Difference {
  /** Its value before; absent if it had none. */
  from?: string;
  /** The key, with its sections. */
  key: string;
  /** When it counts. */
  takes: Takes;
  /** Its value then; absent if it has none. */
  to?: string;
}

/** What another configuration would change, or has changed. */
export interface Differences {
  /** Each key that differs. */
  items: Difference[];
}

/** Something that was asked of a thing directly at its gateway, and what came of it. */
export type DirectUse = Operation & {
  /** Who asked, and signed that. */
  caller: Did;
  /** The grant that it counts against. */
  grant: Hex;
  /** Id of the request, which the device was told. */
  id: Hex;
  /** Greater than that of every request before under the same grant at the gateway. */
  number: number;
  /** What for. */
  purpose: string;
  /** SHA-256 of what was answered. */
  result?: Hex;
  /** When it was served, by the gateway's clock. */
  served: Time;
  /** `delivered` (whether it was done is not known), `done` or `failed`. */
  state: string;
  /** The thing. */
  thing: Did;
};

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

/** Numbers whose payloads every holder was told to delete. */
export interface Erasure {
  /** The peers whose duty it was to keep some of it and that have not said so. */
  awaited: Did[];
  /** The peers that said that they hold none of it any more, but what is in `kept`. */
  confirmed: PurgeReceipt[];
  /** First number. */
  first_seq: number;
  /** Height of the block that erased them. */
  height: number;
  /**
   * Payloads that are kept all the same, because other streams have the same bytes: how many, by
   * stream. The first 10,000 batches are looked through.
   */
  kept?: KeptFor[];
  /** Last number. */
  last_seq: number;
  /** Which of the stream, from 0. */
  number: number;
}

/** What was erased of a stream, oldest first. */
export interface Erasures {
  /** Its erasures. */
  items: Erasure[];
  /** The stream. */
  stream: Hex;
}

/** Tokens that are locked. */
export interface Escrow {
  /** How many. */
  amount: string;
  /** Who else decides. */
  arbiter?: Did;
  /** Its id, that of the transaction that opened it. */
  id: Hex;
  /** What for. */
  memo: string;
  /** For whom. */
  payee: Did;
  /** Whose they were. */
  payer: Did;
  /** Height at which they were locked. */
  since_height: number;
  /** Last height at which they can be released; then anyone can send them back. */
  until_height: number;
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
  /** An entity says to which key streams' keys are to be wrapped for it. */
  | { type: 'agreement_key_set'; entity: Did; key: string }
  /** A stream has a new key; with the first one it is confidential. */
  | { type: 'stream_key_rotated'; number: number; readers: number; stream: Hex }
  /** A key of a stream was given to readers. */
  | { type: 'stream_key_shared'; number: number; readers: Did[]; stream: Hex }
  /** Payloads are to be deleted by all who hold them. */
  | { type: 'readings_erased'; erasure: number; first_seq: number; last_seq: number; stream: Hex }
  /** The owner says who keeps the payloads of a stream. */
  | StreamPlacement & {
    type: 'stream_placed';
  }
  /** A peer holds none of those payloads any more. */
  | { type: 'erasure_confirmed'; erasure: number; holder: Did; stream: Hex }
  /** A stream has been silent for as long as who asked wanted to know. The peer says so, not the ledger. */
  | StreamSilence & {
    type: 'stream_silent';
  }
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
  /** How peers agree was decided, and where that begins. */
  | MechanismFrom & {
    type: 'mechanism_chosen';
  }
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
  | { type: 'access_used'; access: Access; by: Did; count: number; first: Time; last: Time; used: number }
  /** Code of contracts was stored. */
  | { type: 'code_stored'; bytes: number; code: Hex; owner: Did }
  /** Code of contracts was removed. */
  | { type: 'code_removed'; code: Hex }
  /** A contract waits for those who decide whether it begins. */
  | { type: 'contract_proposed'; code: Hex; contract: Did; creator: Did; participants: Did[]; threshold: number }
  /** A participant accepted a proposed contract. */
  | { type: 'contract_accepted'; accepted: number; contract: Did; participant: Did }
  /** A proposed contract will not begin. */
  | { type: 'contract_dropped'; code: string; contract: Did }
  /** A contract began. */
  | { type: 'contract_instantiated'; code: Hex; contract: Did; creator: Did }
  /** A contract ran. */
  | { type: 'contract_called'; caller: Did; contract: Did; entry: string; gas_used: number }
  /** A contract has new code. */
  | { type: 'contract_migrated'; code: Hex; contract: Did }
  /** A contract has another administrator, or none. */
  | { type: 'contract_admin_set'; admin?: Did; contract: Did }
  /** A contract was stopped until it is thawed. */
  | { type: 'contract_frozen'; contract: Did }
  /** A frozen contract runs again. */
  | { type: 'contract_thawed'; contract: Did }
  /** A contract ended for ever. */
  | { type: 'contract_terminated'; contract: Did }
  /** A contract tells of something. */
  | { type: 'contract_emitted'; attributes: Attribute[]; contract: Did; name: string }
  /** A version of a service was published. */
  | { type: 'service_published'; provider: Did; service: Hex; version: string }
  /** A version of a service has another status. */
  | { type: 'service_status_set'; provider: Did; service: Hex; status: string; version: string }
  /** A trigger was set. */
  | { type: 'trigger_set'; owner: Did; trigger: Hex }
  /** A trigger was removed. */
  | { type: 'trigger_removed'; trigger: Hex }
  /** A trigger ran; the events that follow are what it did. */
  | { type: 'trigger_ran'; cause_height: number; code?: string; gas_used: number; owner: Did; trigger: Hex }
  /** A trigger waits for nothing until it is resumed. */
  | { type: 'trigger_suspended'; code?: string; trigger: Hex }
  /** A suspended trigger waits again. */
  | { type: 'trigger_resumed'; trigger: Hex }
  /** Something about tokens; `what` says what. */
  | TokenEvent & {
    type: 'tokens';
  }
  /** Something between this ledger and another; `what` says what. */
  | LinkEvent & {
    type: 'links';
  }
  /** A thing is found by these tags from now on. */
  | ThingTags & {
    type: 'thing_tagged';
  };

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

/** What transactions cost, in the smallest unit of the token. */
export interface FeesForm {
  /** Each byte of it. */
  per_byte: number;
  /** Each million of gas, or part of it, that it sets as limits of calls. */
  per_million_gas: number;
  /** Each transaction. */
  per_transaction: number;
}
