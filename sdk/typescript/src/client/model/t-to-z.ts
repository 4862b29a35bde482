// Written by scripts/model.mjs from docs/reference/openapi.json. Do not edit: npm run model.

import type { Action, Aggregate, AllocationForm, Binding, CallAnswer, CallPayment, Cursor, Did, Event, Hex, Multikey, Offer, Outcome, Place, Property, Reading, RefusalText, StateChange } from './index.ts';

/** The property of one thing. */
export interface TaggedReading {
  /** Whether readings are missing from `total` because no peer that was asked gave them in time. */
  incomplete?: boolean;
  /** `number`, `boolean`, `text` or `bytes`. */
  kind: string;
  /** The newest reading; absent if there is none, it is sealed, or this peer could not have it. */
  latest?: Reading;
  /** Its name. */
  name: string;
  /** Why the reader may not see its values, as the code of a refusal; absent if it may. */
  refused?: string;
  /** The stream of the property. */
  stream: Hex;
  /** The thing. */
  thing: Did;
  /** What its readings of the asked time come to; absent if there are none. */
  total?: Aggregate;
  /** Unit as the description states it; empty if it states none. */
  unit: string;
}

/** One property of the things that have a tag: a page of them. */
export interface TaggedReadings {
  /** The things, in the order of `/v1/things`. */
  items: TaggedReading[];
  /** Pass as `after` to go on; absent on the last page. */
  next?: string;
  /** What the values of this page come to, by unit and kind; of things that the reader may see. */
  totals: TaggedTotal[];
}

/** What values of several things come to. */
export interface TaggedTotal {
  /** Number of readings. */
  count: number;
  /** Earliest claimed time. */
  earliest: Time;
  /** Kind of the values. */
  kind: string;
  /** Latest claimed time. */
  latest: Time;
  /** Largest value; absent for text and bytes. */
  max?: string;
  /**
   * Sum by count, three places more than the finest stream has, half to even; absent for text and
   * bytes.
   */
  mean?: string;
  /** Smallest value; absent for text and bytes. */
  min?: string;
  /** Exact sum; absent for text and bytes. */
  sum?: string;
  /** Number of things that have readings. */
  things: number;
  /** Their unit. */
  unit: string;
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
  /** Words by which its owner lets it be found, ascending. */
  tags?: string[];
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

/** The tags of a thing, all of them. */
export interface ThingTags {
  /** The words by which it is found, ascending. */
  tags: string[];
  /** Which. */
  thing: Did;
}

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
