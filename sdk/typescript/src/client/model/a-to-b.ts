// Written by scripts/model.mjs from docs/reference/openapi.json. Do not edit: npm run model.

import type { CallAnswer, CallPayment, Change, Did, DirectUse, ExecutionResult, Hex, Key, Offer, Operation, Outcome, Problem, Resource, StreamPlacement, ThingReport, ThingTags, Time, TransactionStatus } from './index.ts';

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

/** Acknowledges an alarm. */
export interface Acknowledge {
  /** What others should know: at most 512 bytes, no control characters. */
  note?: string;
}

/** That an operator has seen an alarm. */
export interface Acknowledgement {
  /** When. */
  at: Time;
  /** The operator's DID, or `machine`. */
  by: string;
  /** What it noted. */
  note: string;
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
  /** Says to which key streams' keys are to be wrapped for the sender. */
  | { type: 'set_agreement_key'; key: string }
  /** Gives a stream a new key; the first makes it confidential. */
  | { type: 'rotate_stream_key'; cipher: string; number: number; readers: Did[]; stream: Hex }
  /** Gives a key of a confidential stream to more readers. */
  | { type: 'share_stream_key'; number: number; readers: Did[]; stream: Hex }
  /** Says who keeps the payloads of a stream. */
  | StreamPlacement & {
    type: 'place_stream';
  }
  /** Has every holder delete payloads. */
  | { type: 'erase_readings'; first_seq: number; last_seq: number; stream: Hex }
  /** Says that the sender, a peer, holds none of them any more. */
  | { type: 'confirm_erasure'; erasure: number; stream: Hex }
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
  | { type: 'record_access'; uses: AccessUse[] }
  /** Records what grantees asked of devices directly. */
  | { type: 'record_direct'; uses: DirectUse[] }
  /** Says by which tags a thing is found. */
  | ThingTags & {
    type: 'tag_thing';
  }
  /** Uploads a part of a module. */
  | { type: 'upload_code'; bytes: number; code: Hex; part: number }
  /** Stores a module whose parts were uploaded. */
  | { type: 'store_code'; code: Hex; interfaces: string[]; name: string; source: string }
  /** Removes code that no contract runs. */
  | { type: 'remove_code'; code: Hex }
  /** Makes or proposes a contract. */
  | { type: 'instantiate'; code: Hex; contract: Did; funds?: string; gas_limit: number; message: string; name: string; participants: Did[]; threshold: number }
  /** Calls a contract. */
  | { type: 'execute'; contract: Did; funds?: string; gas_limit: number; message: string }
  /** Gives a contract new code. */
  | { type: 'migrate'; code: Hex; contract: Did; gas_limit: number; message: string }
  /** Says who administers a contract. */
  | { type: 'set_admin'; admin?: Did; contract: Did }
  /** Stops a contract until it is thawed. */
  | { type: 'freeze_contract'; contract: Did }
  /** Lets a frozen contract run again. */
  | { type: 'thaw_contract'; contract: Did }
  /** Ends a contract for ever. */
  | { type: 'terminate_contract'; contract: Did }
  /** Accepts a proposed contract. */
  | { type: 'accept_contract'; contract: Did }
  /** Declines or withdraws a proposed contract. */
  | { type: 'decline_contract'; contract: Did }
  /** Publishes a service, or another version of one. */
  | { type: 'publish_service'; name: string; service: Hex; text: string; version: string }
  /** Says whether a version of a service can be relied on. */
  | { type: 'set_service_status'; service: Hex; status: string; version: string }
  /** Sets a trigger. */
  | { type: 'set_trigger'; name: string; rule: string; trigger: Hex }
  /** Removes a trigger. */
  | { type: 'remove_trigger'; trigger: Hex }
  /** Lets a trigger wait for nothing. */
  | { type: 'suspend_trigger'; trigger: Hex }
  /** Lets a suspended trigger wait anew. */
  | { type: 'resume_trigger'; trigger: Hex }
  /** Pays tokens. */
  | { type: 'transfer'; amount: string; memo: string; to: Did }
  /** Destroys tokens of the sender's. */
  | { type: 'burn_tokens'; amount: string }
  /** Locks tokens of the sender's for a payee. */
  | { type: 'open_escrow'; amount: string; arbiter?: Did; memo: string; payee: Did; until_height: number }
  /** Gives locked tokens to the payee. */
  | { type: 'release_escrow'; escrow: Hex }
  /** Gives locked tokens back. */
  | { type: 'refund_escrow'; escrow: Hex }
  /** Takes what an account has that nobody can sign for any more. */
  | { type: 'sweep_account'; account: Did }
  /** Pays the fees of an entity. */
  | { type: 'sponsor'; entity: Did; per_day: string; total: string; until_height: number }
  /** Pays them no longer. */
  | { type: 'end_sponsorship'; entity: Did }
  /** Rewards readings of a stream. */
  | { type: 'offer_reward'; fund: string; per_batch: string; per_day: string; per_reading: string; stream: Hex; until_height: number }
  /** Adds to what a reward can pay out. */
  | { type: 'fund_reward'; amount: string; reward: Hex }
  /** Ends a reward. */
  | { type: 'end_reward'; reward: Hex }
  /** Puts tokens behind a peer. */
  | { type: 'stake'; address?: string; amount: string; peer: Did; vote_key?: Hex }
  /** Takes tokens from behind a peer. */
  | { type: 'unstake'; amount?: string; peer: Did }
  /** Gives back what was taken from behind a peer and is free. */
  | { type: 'collect_stake'; peer: Did }
  /** Shows that a peer voted twice. */
  | { type: 'report_double_vote'; epoch: number; first: string; second: string; view: number; vote_key: Hex }
  /** Relies on another ledger. */
  | { type: 'register_link'; genesis_digest: Hex }
  /** Tells a link of a newer block. */
  | { type: 'advance_link'; link: Hex; proof_digest: Hex }
  /** Shows that the ledger behind a link forked. */
  | { type: 'report_fork'; link: Hex }
  /** Suspends a link, resumes it or ends it. */
  | { type: 'set_link_status'; link: Hex; status: string }
  /** Asks a service of another ledger. */
  | { type: 'ask_ledger'; deadline: Time; ledger: Hex; payment?: CallPayment; refund: Time; request: string; service: Hex }
  /** Takes a call of another ledger in. */
  | { type: 'take_call'; proof_digest: Hex }
  /** Answers a call of another ledger. */
  | { type: 'answer_call'; accepted: boolean; answer: string; call: Hex; ledger: Hex }
  /** Brings the answer to a call back. */
  | { type: 'settle_call'; call: Hex; proof_digest: Hex }
  /** Gives up a call that was not answered in time. */
  | { type: 'refund_call'; call: Hex };

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

/** To which key streams' keys are wrapped for an entity. */
export interface AgreementKey {
  /** The entity. */
  entity: Did;
  /** The X25519 key, hex; absent if it has said none. */
  key?: string;
}

/** Something that an operator should know of or do about, from when it began until it ended. */
export interface Alarm {
  /** Who has seen it, this time. */
  acknowledged?: Acknowledgement;
  /** What to do about it. */
  advice: string;
  /** A stable code, such as `validator_silent`. */
  code: string;
  /** What is the matter. */
  detail: string;
  /** When it ended; absent while it lasts. */
  ended?: Time;
  /** Whether the peer does not do its work, or soon will not. */
  grave: boolean;
  /** Its number at this peer; the same when it comes back. */
  id: number;
  /** Since when, this time. */
  since: Time;
  /** What it is about, if there can be several of one code: a peer, a webhook, a gateway. */
  subject?: string;
  /** How often it has come. */
  times: number;
}

/** The alarms of a peer. */
export interface Alarms {
  /** Those that last first, the grave before the others; then those that ended, the latest first. */
  items: Alarm[];
}

/** What an organisation begins with. */
export interface AllocationForm {
  /** Which. */
  account: Did;
  /** How much, digits in text, in the smallest unit. */
  amount: string;
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

/** A call that this ledger asks another. */
export interface AskedCall {
  /** The answer. */
  answer?: CallAnswer;
  /** Time of that block. */
  asked: Time;
  /** Height at which it was asked. */
  asked_height: number;
  /** Who asks. */
  caller: Did;
  /** Until when it can be answered. */
  deadline: Time;
  /** Height at which it ended. */
  ended_height?: number;
  /** Its id: that of the transaction that asked. */
  id: Hex;
  /** Which ledger. */
  ledger: Hex;
  /** Over which link. */
  link: Hex;
  /** What is paid for the answer. */
  payment?: CallPayment;
  /** From when on it can be refunded, if no answer came. */
  refund: Time;
  /** What is asked, hex. */
  request: string;
  /** Which service there. */
  service: Hex;
  /** `asked`, `settled`, `declined` or `refunded`. */
  state: string;
}

/** A key with a value in an event of a contract. */
export interface Attribute {
  /** The key. */
  key: string;
  /** The value. */
  value: string;
}

/** Who holds the payload of a batch. */
export interface BatchHolders {
  /** Whether it was erased. */
  erased: boolean;
  /** First number of the batch. */
  first_seq: number;
  /** Whether the peer that answers has it on its disk, by duty or not yet handed over. */
  here: boolean;
  /** Its last. */
  last_seq: number;
  /** Whether it may be dropped by now. */
  past_retention: boolean;
  /** The peers whose duty it is; none if it was erased or is past retention. */
  peers: Did[];
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
