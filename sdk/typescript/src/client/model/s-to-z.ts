// Written by scripts/model.mjs from docs/reference/openapi.json. Do not edit: npm run model.

import type { Action, Aggregate, AllocationForm, Binding, CallAnswer, CallPayment, Cursor, Did, Event, FeesForm, Hex, KeyShare, Multikey, Offer, Outcome, PeerRole, Place, Placement, PriceRule, Property, RefusalText, Regulation } from './index.ts';

/** A batch of a confidential stream: its readings are for who has the key. */
export interface SealedBatch {
  /** How many readings. */
  count: number;
  /** Earliest claimed time. */
  earliest: Time;
  /** Number of its first reading. */
  first_seq: number;
  /** Height of that block. */
  height: number;
  /** Number of the key it is sealed under. */
  key_number: number;
  /** Latest claimed time. */
  latest: Time;
  /** Position in the stream's tree. */
  leaf: number;
  /** Time of the block it is in. */
  ledger: Time;
  /** The sealed payload, hex. */
  payload: string;
}

/** A seat among the validators. */
export interface SeatOf {
  /** Where other peers reach it, if it was given its seat by vote. */
  address?: string;
  /** Its name. */
  name: string;
  /** The organisation that runs it. */
  organisation: Did;
  /** The peer. */
  peer: Did;
  /** Its voting key. */
  vote_key: Hex;
}

/** That a stream is confidential, and which key counts. */
export interface Secrecy {
  /** How payloads are sealed: `chacha20-poly1305`. */
  cipher: string;
  /** Number of the present key; the first has number 1. */
  key_number: number;
  /** Ledger time since when it counts. */
  since: Time;
}

/** A service in the catalogue. */
export interface Service {
  /** Height at which it last changed. */
  changed_height: number;
  /** Its id. */
  id: Hex;
  /** The provider's name for it. */
  name: string;
  /** The version to use: the newest that is live, or else the newest; absent if all were withdrawn. */
  newest?: ServiceVersion;
  /** Who provides it. */
  provider: Did;
  /** Height at which its first version was published. */
  since_height: number;
  /** All versions that are not withdrawn, ascending. */
  versions: VersionStatus[];
}

/** A service in a DID document. */
export interface ServiceEndpoint {
  /** `<did>#<fragment>`. */
  id: string;
  /** An absolute path at this peer. */
  serviceEndpoint: string;
  /** Such as `WotThing`, whose endpoint is a Thing Description (W3C WoT Discovery). */
  type: string;
}

/** Something that a service must be let do. */
export interface ServiceNeed {
  /** To do what, such as `read`. */
  right: string;
  /** With what sort of thing, property or action. */
  what: string;
}

/** What a provider says of one version of a service. */
export interface ServiceVersion {
  /** Height at which its status last changed. */
  changed_height: number;
  /** The contract that is it, or that charges and records for it. */
  contract?: Did;
  /** Where it is reached; only outside. */
  endpoints: string[];
  /** The entity that serves, for whom grants to call it are given; only outside. */
  entity?: Did;
  /** Names of the interfaces it serves. */
  interfaces: string[];
  /** `contract` if a contract is the service, `outside` if it is performed outside the ledger. */
  kind: string;
  /** To whom it is shown: `everyone`, or `callers` for those who may call it. */
  listing: string;
  /** What it must be let do by the owners of things. */
  needs: ServiceNeed[];
  /** What it costs, for people. */
  price: string;
  /** The same for programs. */
  price_rule?: PriceRule;
  /** Height at which it was published. */
  published_height: number;
  /** What it is used for and needs data for, as grants name it. */
  purpose: string;
  /** That schema; only where one version is asked for. */
  schema?: string;
  /** SHA-256 of the JSON Schema of what it takes and gives, if it says. */
  schema_digest?: Hex;
  /** `live`, `deprecated` or `withdrawn`. */
  status: string;
  /** Words to find it by. */
  tags: string[];
  /** What it does. */
  text: string;
  /** Which, as `1.0.0`. */
  version: string;
}

/** A promise to pay the fees of an entity. */
export interface Sponsorship {
  /** Whose fees. */
  entity: Did;
  /** Most in one day. */
  per_day: string;
  /** Paid so far. */
  spent: string;
  /** Who pays. */
  sponsor: Did;
  /** Most altogether. */
  total: string;
  /** Last height at which it holds. */
  until_height: number;
}

/** What is staked behind a peer. */
export interface Stake {
  /** Where other peers reach it; absent if its configuration alone says so. */
  address?: string;
  /** What counts when seats are given. */
  amount: string;
  /** The first epoch in which that can be collected. */
  free_epoch: number;
  /** What was withdrawn and not collected. */
  leaving: string;
  /** Its name. */
  name: string;
  /** The organisation that runs it and staked for it. */
  organisation: Did;
  /** The peer. */
  peer: Did;
  /** Whole epochs in a row in which it had a seat and proposed nothing. */
  silent_epochs: number;
  /** Height since which it stands for a seat; absent if it does not. */
  since_height?: number;
  /** Its voting key. */
  vote_key: Hex;
}

/**
 * How seats are given by stake at the end of each epoch. Amounts are in the smallest unit of the token,
 * digits in text.
 */
export interface StakeForm {
  /** How much of a peer's stake a double vote destroys, hundredths. */
  burnt_percent: number;
  /** What is staked behind each founding peer from the beginning. */
  founding: string;
  /** Least stake of a peer. */
  least: string;
  /** Epochs for which stake that was withdrawn stays locked. */
  locked_epochs: number;
  /** Most seats. */
  seats_max: number;
  /** Fewest peers with stake that take over: while there are less, whoever has a seat keeps it. */
  seats_min: number;
  /** So many whole epochs in a row without a block of its own cost a peer its seat. */
  silent_epochs: number;
}

/** A key of the state that would change. */
export interface StateChange {
  /** How many bytes the new value has; absent if it is removed. */
  bytes?: number;
  /** The raw key, hex. */
  key: string;
  /** The key as text, with what is no ASCII escaped. */
  text: string;
}

/** What this peer is doing. */
export interface Status {
  /** Transactions that came in the last second. */
  arriving_per_s: number;
  /** Peers connected, this one not counted. */
  connected: number;
  /** The current epoch. */
  epoch: number;
  /** The highest block known to be final. */
  final_height: number;
  /**
   * How long this peer, when it leads, gathers transactions before it proposes a block, milliseconds:
   * not at all while few come.
   */
  gather_ms: number;
  /** The highest block executed here: what queries answer from. */
  height: number;
  /** Its voting key. */
  key: Hex;
  /** Voting key of the leader of the current view. */
  leader: Hex;
  /** The ledger's id. */
  ledger: Hex;
  /** Name of the network. */
  network: string;
  /** Bytes of disk that payloads take. */
  payload_bytes?: number;
  /** Bytes of disk that they may take, if the operator set a bound. */
  payload_bytes_max?: number;
  /** Batches on the ledger whose payloads this peer is to hold and does not hold yet. */
  payloads_missing: number;
  /** Payloads that this peer keeps until those who are to keep them say that they do. */
  payloads_surplus?: number;
  /** This peer, if it is one of those that the genesis names. */
  peer?: Did;
  /** `starting`, `connecting`, `voting`, `following`, `stopped` or `halted`. */
  phase: string;
  /** How many validators must vote alike. */
  quorum: number;
  /** Its part in the agreement. */
  role: PeerRole;
  /**
   * Root of the state after that block, as this peer computed it. Peers that executed the same
   * block and name different roots do not hold the same ledger.
   */
  state_root: Hex;
  /** Time of that block. */
  time: Time;
  /** Version of the program. */
  version: string;
  /** The current view. */
  view: number;
  /** Transactions that wait to be included. */
  waiting: number;
  /** Length of the waiting transactions and their payloads, bytes. */
  waiting_bytes: number;
}

/**
 * The append-only series of one property of one thing.
 * 
 * Numbers of the stream are exact decimals in text, with as many places as the stream's quantum.
 */
export interface Stream {
  /** Batches in its tree. */
  batches: number;
  /** Gaps that may still be filled. */
  gaps_open: number;
  /** Its id. */
  id: Hex;
  /** `number`, `boolean`, `text` or `bytes`. */
  kind: string;
  /** Largest number allowed. */
  maximum?: string;
  /** Smallest number allowed. */
  minimum?: string;
  /** The sequence number a submitter goes on with. */
  next_seq: number;
  /** The property. */
  property: string;
  /** Every number is a multiple of this. */
  quantum: string;
  /** Decimal places of a number. */
  scale: number;
  /** Sequence numbers that were given up: they are missing for ever. */
  sealed: number;
  /** Which key counts, if the stream is confidential. */
  secrecy?: Secrecy;
  /** The thing. */
  thing: Did;
  /** What all its readings come to; absent while there is none. */
  total?: Aggregate;
  /** Unit as the description states it; empty if it states none. */
  unit: string;
}

/** A key of a confidential stream, wrapped to each of its readers. */
export interface StreamKeyShares {
  /** How it seals; absent if the stream has no such key. */
  cipher?: string;
  /** Number of the key. */
  number: number;
  /** The shares, ascending by reader. */
  shares: KeyShare[];
  /** The stream. */
  stream: Hex;
}

/** What an owner said about the payloads of a stream. */
export interface StreamPlacement {
  /** Who keeps them, and for how long. */
  placement: Placement;
  /** The stream. */
  stream: Hex;
}

/** A regulation about a stream. */
export type StreamRegulation = Regulation & {
  /** Whether the stream is kept as it demands; if not, it takes no readings. */
  complies: boolean;
};

/** The regulations about a stream. */
export interface StreamRegulations {
  /** Those in force about its thing, ascending by id. */
  items: StreamRegulation[];
  /** The stream. */
  stream: Hex;
}

/** That nothing came in a stream. */
export interface StreamSilence {
  /** For how many seconds nothing came, at least: as many as were asked for. */
  seconds: number;
  /** Ledger time of its newest batch. */
  since: Time;
  /** The stream. */
  stream: Hex;
}

/**
 * The token of a ledger and where all of it is. Amounts are in its smallest unit, digits in text:
 * they do not fit a number of JSON.
 */
export interface Supply {
  /** Those in accounts. */
  accounts: string;
  /** Those in escrows. */
  escrows: string;
  /** Fees of this epoch, which its last block shares among the validators. */
  fees: string;
  /** What transactions cost; absent if the ledger has no tokens. */
  prices?: FeesForm;
  /** Those in the funds of rewards. */
  rewards: string;
  /**
   * Those staked behind peers, with what was withdrawn and not collected; absent where seats do not
   * follow from stakes.
   */
  staked?: string;
  /** How it is called; absent if the ledger has no tokens, and then all amounts are 0. */
  token?: TokenName;
  /** All there are. */
  total: string;
}

/** A call that another ledger asks this one. */
export interface TakenCall {
  /** The answer. */
  answer?: CallAnswer;
  /** Who asks there. */
  caller: Hex;
  /** Until when it can be answered. */
  deadline: Time;
  /** The call's id there. */
  id: Hex;
  /** The ledger that asks. */
  ledger: Hex;
  /** What is paid for the answer, there. */
  payment?: CallPayment;
  /** Who provides it. */
  provider: Did;
  /** From when on it can be refunded there, if no answer came back. */
  refund: Time;
  /** What is asked, hex. */
  request: string;
  /** Which service. */
  service: Hex;
  /** `taken`, `answered` or `declined`. */
  state: string;
  /** Time of that block. */
  taken: Time;
  /** Height at which it arrived. */
  taken_height: number;
}

/** When a change of the configuration counts. */
export type Takes = 'now' | 'restart' | 'machine';

/** A device or virtual thing, described by a W3C WoT Thing Description 1.1. */
export interface Thing {
  /** The actions that it can be asked for. */
  actions?: string[];
  /** Whether it accepts anything more; false once it was retired. */
  active: boolean;
  /** Who may submit for it beside its owner. */
  bindings: Binding[];
  /** SHA-256 of the description's bytes. */
  description_digest: Hex;
  /** The entity that the thing itself signs as, if it can sign. */
  device?: Did;
  /** The same id in hex. */
  hex: Hex;
  /** Its id. */
  id: Did;
  /**
   * Whether its owner would rather lose the oldest readings than have new ones refused when a
   * gateway's queue is full.
   */
  may_lose_oldest?: boolean;
  /** Its owner's name for it, unique among the owner's things. */
  name: string;
  /** Whether its readings count only with the signature of that device. */
  needs_device_signature?: boolean;
  /** To whom it is offered. */
  offer?: Offer;
  /** Its owner. */
  owner: Did;
  /** Its properties, each with a stream. */
  properties: Property[];
  /** Whether it is shut out: what it submits is refused, and nothing is asked of it. */
  quarantined?: boolean;
  /** How it is, if anybody said. */
  status?: ThingStatus;
  /** `title` of the description. */
  title: string;
  /** `@type` of the description. */
  types: string[];
  /** Version of the description, from 1. */
  version: number;
}

/** What was said of a thing; what is absent was not said. */
export interface ThingReport {
  /** Version of its firmware. */
  firmware?: string;
  /** Whether it can be reached. */
  online?: boolean;
  /** Where it is. */
  place?: Place;
}

/** How a thing is, as it was last said. */
export type ThingStatus = ThingReport & {
  /** Since when it has been online, or not. */
  online_since?: Time;
  /** When something was last said. */
  reported: Time;
  /** Who said it. */
  reporter: Did;
};

/** A time: milliseconds since 1970 (UTC), and RFC 3339 */
export interface Time {
  ms: number;
  utc: string;
}

/** What happened to tokens. */
export type TokenEvent =
  /** One account paid another. */
  | { amount: string; from: Did; memo: string; to: Did; what: 'transferred' }
  /** An account destroyed tokens. */
  | { account: Did; amount: string; what: 'burnt' }
  /** Members made tokens. */
  | { amount: string; to: Did; what: 'minted' }
  /** Members froze an account, or let it spend again. */
  | { account: Did; frozen: boolean; what: 'account_frozen' }
  /** Tokens were locked. */
  | { amount: string; escrow: Hex; payee: Did; payer: Did; until_height: number; what: 'escrow_opened' }
  /** Locked tokens went to the payee. */
  | { amount: string; escrow: Hex; payee: Did; what: 'escrow_released' }
  /** Locked tokens went back. */
  | { amount: string; escrow: Hex; payer: Did; what: 'escrow_refunded' }
  /** Fees of an entity are paid by its owner. */
  | { entity: Did; sponsor: Did; until_height: number; what: 'sponsored' }
  /** They are no longer. */
  | { entity: Did; sponsor: Did; what: 'sponsorship_ended' }
  /** Readings of a stream are rewarded. */
  | { payer: Did; reward: Hex; stream: Hex; what: 'reward_offered' }
  /** A reward has more to pay out. */
  | { amount: string; from: Did; reward: Hex; what: 'reward_funded' }
  /** A batch of readings was rewarded. */
  | { amount: string; reward: Hex; to: Did; what: 'reward_paid' }
  /** A reward ended; what was left went back. */
  | { amount: string; payer: Did; reward: Hex; what: 'reward_ended' }
  /** Tokens were put behind a peer. */
  | { amount: string; organisation: Did; peer: Did; stake: string; what: 'staked' }
  /** Tokens were taken from behind a peer; they are locked still. */
  | { amount: string; free_epoch: number; organisation: Did; peer: Did; what: 'unstaked' }
  /** Tokens that were behind a peer went back to the account. */
  | { amount: string; organisation: Did; peer: Did; what: 'stake_collected' }
  /** A peer was silent for too long, or revoked, and stands for a seat no more. */
  | { organisation: Did; peer: Did; silent_epochs: number; what: 'candidate_dropped' }
  /** Too few peers have stake, so whoever has a seat keeps it. */
  | { candidates: number; needed: number; what: 'seats_kept' }
  /** A peer voted twice: a share of its stake is destroyed, and it stands for a seat no more. */
  | { amount: string; epoch: number; organisation: Did; peer: Did; what: 'stake_burnt' };

/** The token of a ledger. */
export interface TokenForm {
  /** How many decimal places of one token its smallest unit is, at most 18. */
  decimals: number;
  /** What founding organisations begin with, ascending by id. */
  initial: AllocationForm[];
  /** Its name among people. */
  name: string;
  /** Its sign, by which contracts name it too: 3 to 16 of `a-z` and `0-9`, a letter first. */
  symbol: string;
}

/** How a token is called. */
export interface TokenName {
  /** How many decimal places of one token its smallest unit is. */
  decimals: number;
  /** Its name. */
  name: string;
  /** Its sign, by which contracts name it too. */
  symbol: string;
}

/** Who may send transactions. */
export type TransactForm = 'everybody' | 'members';

/** A transaction that this peer knows. */
export interface Transaction {
  /** What it does, in order. */
  actions: Action[];
  /** Its length on the wire, bytes. */
  bytes: number;
  /** Last height at which it could be included. */
  expiry_height: number;
  /** Its id. */
  id: Hex;
  /** Its number in the sender's window. */
  nonce: number;
  /** Where it was finalized and with which receipt. */
  outcome?: Outcome;
  /** Who sent it. */
  sender: Did;
  /** Who signed it, the sender first. */
  signers: Did[];
  /** How far it is. */
  status: TransactionStatus;
}

/** How far a transaction is. */
export type TransactionStatus = 'refused' | 'waiting' | 'finalized';

/** What would come of actions if they were in the next block. */
export interface Trial {
  /** What would change in the state. */
  changes: StateChange[];
  /** What they would bring about. */
  events: Event[];
  /** Gas that contracts would use. */
  gas_used: number;
  /** Height of the state they were tried on. */
  height: number;
  /** Why they would have no effect; absent if they would. */
  refusal?: RefusalText;
  /** What contracts say while they run, with their ids in hex. */
  trace: string[];
}

/** A trigger, and how far it is. */
export interface Trigger {
  /** When it is due if nothing prevents it. */
  due?: Time;
  /** How often it failed since it last did not. */
  failures: number;
  /** Gas it has used in all. */
  gas_used: number;
  /** Its id. */
  id: Hex;
  /** Code of the refusal that it met then. */
  last_code?: string;
  /** Height at which it last ran. */
  last_height?: number;
  /** The owner's name for it. */
  name: string;
  /** Whose. */
  owner: Did;
  /** What it waits for and does, as a rule in words. */
  rule: string;
  /** How often it ran, failures included. */
  runs: number;
  /** Height at which it was set. */
  set_height: number;
  /**
   * `waits`, `due`, `happened` while what it waits for lasts, `over` if it can happen no more, or
   * `suspended`.
   */
  state: string;
  /** The stream that it waits for, if any. */
  stream?: Hex;
}

/** What a trigger would have done, and what it would do now. */
export interface TriggerTrial {
  /** How many batches were looked at for that. */
  batches: number;
  /** Whether that is all: if not, ask for a shorter interval. */
  complete: boolean;
  /** What it would do if it happened now. */
  effect: Trial;
  /** When it would have happened by what is recorded; empty if it waits for no stream. */
  moments: Time[];
  /** It as a rule in words. */
  rule: string;
}

/** A key in a DID document. */
export interface VerificationMethod {
  /** Whose key. */
  controller: Did;
  /** `<did>#key-<version>`. */
  id: string;
  /** The key, multibase. */
  publicKeyMultibase: Multikey;
  /** Always `Multikey`. */
  type: string;
}

/** How a version of a service stands. */
export interface VersionStatus {
  /** `live`, `deprecated` or `withdrawn`. */
  status: string;
  /** Which, as `1.0.0`. */
  version: string;
}

/** How the members decide: each organisation has one vote. */
export interface VotingRule {
  /** See `numerator`. */
  denominator: number;
  /** `numerator / denominator` of the members must agree. */
  numerator: number;
  /** Blocks within which the votes must come. */
  patience_blocks: number;
  /** Blocks between acceptance and effect. */
  timelock_blocks: number;
}

/** A maker's word for a batch of devices. */
export interface Voucher {
  /** Whether devices join by it; false once it was revoked. */
  active: boolean;
  /** How many there are. */
  count: number;
  /** SHA-256 of their Thing Description. */
  description_digest: Hex;
  /** Its id. */
  id: Hex;
  /** Height of the block that issued it. */
  issued: number;
  /** Who made the devices. */
  maker: Did;
  /** The organisation that owns them when they join. */
  owner: Did;
  /** Merkle root over their inceptions. */
  root: Hex;
}

/** What to wait for. */
export type WaitFor = 'finalized';

/** A webhook, and what came of its calls. */
export interface Webhook {
  /** The last event that was taken, or where it began. */
  cursor: Cursor;
  /** How many events were taken. */
  delivered: number;
  /** Who made it. */
  entity: Did;
  /** How many calls failed since the last that did not. */
  failures: number;
  /** Its id, hex. */
  id: string;
  /** Why the last of them failed. */
  last_error?: string;
  /** Whether nothing is called until it is resumed. */
  paused: boolean;
  /** The URL that is called. */
  url: string;
}

/** The webhooks of who asks, at this peer. */
export interface Webhooks {
  /** The webhooks. */
  items: Webhook[];
}

/** Milliseconds since 1970, or RFC 3339 with an offset */
export type When = string;
