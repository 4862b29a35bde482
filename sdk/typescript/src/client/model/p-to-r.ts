// Written by scripts/model.mjs from docs/reference/openapi.json. Do not edit: npm run model.

import type { Action, Change, DeployForm, Did, Effect, Event, FeesForm, Hex, Key, LatestReading, SealedBatch, StakeForm, Time, TransactForm, VotingRule } from './index.ts';

/** Settings of a ledger that all peers share. */
export interface ParametersForm {
  /** Longest block, bytes. */
  block_bytes_max: number;
  /** Most transactions in a block. */
  block_transactions_max: number;
  /** How far a claimed time may lie ahead of ledger time, milliseconds. */
  claim_ahead_max_ms: number;
  /** How far a block's time may lie ahead of a validator's clock, milliseconds. */
  clock_drift_max_ms: number;
  /** Most gas that contracts may use in one block. */
  contract_gas_block_max: number;
  /** Most gas that contracts may use in one transaction. */
  contract_gas_transaction_max: number;
  /** Blocks in each epoch; without it, the founders validate for ever. */
  epoch_blocks?: number;
  /** What transactions cost; there if the ledger has a token, even if nothing costs anything. */
  fees?: FeesForm;
  /** How long a leader with nothing to do waits before it proposes an empty block, milliseconds. */
  heartbeat_ms: number;
  /** How long the others wait for its proposal, milliseconds. */
  leader_timeout_ms: number;
  /** Who may send transactions and who may deploy; without it, whoever is registered may do both. */
  participation?: ParticipationForm;
  /**
   * Who may read a thing without a policy: `open`, anybody, which is left out; or `policy`, who
   * has it in its hands.
   */
  reads?: ReadsForm;
  /** How far a batch may skip ahead of its stream's next sequence number, readings. */
  sequence_window: number;
  /** How seats are given by stake; without it, members give them by vote. */
  stake?: StakeForm;
}

/** Who may send transactions, and who may bring code and make contracts. */
export interface ParticipationForm {
  /** Who may bring code and make contracts. */
  deploy: DeployForm;
  /** Who may send transactions. */
  transact: TransactForm;
}

/** A final transaction in an entity's history. */
export interface Past {
  /** Height of its block. */
  height: number;
  /** Its position in the block. */
  index: number;
  /** What it did. */
  receipt: Receipt;
  /** Time of the block. */
  time: Time;
}

/** A transaction that concerned something, or a run of a trigger, with what it brought about there. */
export interface PastEvents {
  /** What happened, in order. */
  events: Event[];
  /** Height of its block. */
  height: number;
  /** Its position in the block; runs come after the transactions. */
  index: number;
  /** Time of the block. */
  time: Time;
  /** The transaction whose receipt tells of it, or the id of the run. */
  transaction: Hex;
}

/** A peer of the network. */
export interface Peer {
  /** Whether it is connected to the one that answers. */
  connected: boolean;
  /** When its latest vote was seen here. */
  heard?: Time;
  /** Where its interface and its pages are, as the operator of the one that answers set it. */
  http?: string;
  /** The peer. */
  id: Did;
  /** Its voting key. */
  key: Hex;
  /** Its name. */
  name: string;
  /** What it did against the rules since the one that answers was started, as that one saw it. */
  offences?: PeerOffence[];
  /** The organisation that runs it. */
  organisation: Did;
  /** The organisation's name. */
  organisation_name: string;
  /** Its part in the agreement. */
  role: PeerRole;
  /** Whether it is the one that answers. */
  this: boolean;
}

/** That a peer came or went, as the one that tells noticed. */
export interface PeerChange {
  /** What changed. */
  change: PeerPresence;
  /** For how long it was away before, if it is back; for how long it had been here, if it is lost; seconds. */
  for_s: number;
  /** The peer's voting key. */
  key: Hex;
  /** Its name, if it has a seat. */
  name: string;
  /** When it was noticed. */
  time: Time;
}

/** A founding peer. */
export interface PeerForm {
  /** Its id, which follows from name and key. */
  id: Did;
  /** Its first key as an entity, which signs transactions. */
  key: Key;
  /** Its name. */
  name: string;
  /** The organisation that runs it. */
  organisation: Did;
  /** Its voting key (Ed25519), which also authenticates its connections to other peers. */
  vote_key: Hex;
}

/** What a validator did against the rules, and how often. */
export interface PeerOffence {
  /**
   * A stable code: `voted_twice`, `finalized_twice`, `skipped_and_finalized`, `wrong_result` or
   * `wrong_block`.
   */
  code: string;
  /** How often. */
  count: number;
  /** The last of them, in words. */
  detail: string;
  /** When it was seen first. */
  first: Time;
  /** When it was seen last. */
  last: Time;
}

/** What changed about a peer. */
export type PeerPresence = 'came' | 'lost' | 'back';

/** A peer's part in the agreement. */
export type PeerRole = 'validator' | 'follower';

/** The peers of the network as this one sees them. */
export interface Peers {
  /** The peers, ascending by voting key. */
  items: Peer[];
}

/** A transaction that waits for approvals. */
export interface PendingApproval {
  /** What is to be done, in order. */
  actions: Action[];
  /** Who has signed or approved, in order. */
  approvals: Did[];
  /** The organisation that sent it. */
  sender: Did;
  /** Height of the block that recorded it. */
  since_height: number;
  /** Which: approve it by this id. */
  transaction: Hex;
  /** Last height at which it can be approved. */
  until_height: number;
}

/** A point on the earth (WGS 84), in degrees with seven decimal places. */
export interface Place {
  /** Degrees north. */
  latitude: string;
  /** Degrees east. */
  longitude: string;
}

/** Who is to keep the payloads of a stream: all peers, unless it says less. */
export interface Placement {
  /** So many of these peers keep each payload; each of them if it does not say. */
  copies?: number;
  /** Only peers of these organisations; of all if there are none. */
  organisations?: Did[];
  /** After so many days of ledger time payloads may be dropped; never if it does not say. */
  retention_days?: number;
}

/** The approval policies of an organisation. */
export interface Policies {
  /** One for each kind of action that has one. */
  items: Policy[];
}

/** What the members had decided by a height, as it held after that block. */
export interface PoliciesAt {
  /** The height. */
  height: number;
  /** The member organisations, ascending by id. */
  members: Did[];
  /** The settings of the ledger. */
  parameters: ParametersForm;
  /** The regulations in force, ascending by id. */
  regulations: Regulation[];
  /** How they decided. */
  rule: VotingRule;
  /** How many of them had to agree. */
  votes_needed: number;
}

/** `threshold` of `approvers` must sign before an action of this kind takes effect. */
export interface Policy {
  /** Who may. */
  approvers: Did[];
  /** The kind of action, such as `register_thing`. */
  kind: string;
  /** Blocks within which the approvals must come. */
  patience_blocks: number;
  /** How many must sign. */
  threshold: number;
}

/** A policy that decided. */
export interface PolicyUsed {
  /** What it needs besides. */
  mode: string;
  /** What it is about. */
  resource: Resource;
  /** Position of the statement that decided, from 1; absent if no statement is about it. */
  statement?: number;
  /** Its version. */
  version: number;
  /** The statement in words. */
  words?: string;
}

/** So much for each of what is counted. */
export interface PriceRule {
  /** How much, in the smallest unit of the currency. */
  amount: number;
  /** Of what: a currency, or units that the provider gives. */
  currency: string;
  /** For each of what. */
  per: string;
}

/** Why a request failed (RFC 9457, `application/problem+json`). */
export interface Problem {
  /** What to do next, for people. */
  advice?: string;
  /** What went wrong, a stable code for programs, such as `bad_signature`. */
  code: string;
  /** What went wrong, a sentence for people. */
  detail: string;
  /** The parameter or field it is about. */
  field?: string;
  /** The HTTP status. */
  status: number;
  /** The phrase of the HTTP status. */
  title: string;
  /** Always `about:blank`: `code` tells problems apart. */
  type?: string;
}

/** A property of a thing. */
export interface Property {
  /** `number`, `boolean`, `text` or `bytes`. */
  kind: string;
  /** The latest reading by sequence, if there is one and this peer holds it. */
  latest?: LatestReading;
  /** Its name in the description. */
  name: string;
  /** Its stream. */
  stream: Hex;
  /** Unit as the description states it; empty if it states none. */
  unit: string;
}

/** A change that is proposed, and how far it is. */
export type Proposal = Change & {
  /** Members that voted for it, while it is open. */
  accepts: Did[];
  /** Members that have not voted, while it is open: whom it waits for. */
  awaits: Did[];
  /** First height at which it can take effect; only once it is accepted and waits. */
  due_height?: number;
  /** Height at which it took effect or ended. */
  ended_height?: number;
  /** Its id, that of the transaction that proposed it. */
  id: Hex;
  /** Who proposed it. */
  proposer: Did;
  /** Why. */
  reason: string;
  /** Why it ended without effect; only if it did. */
  refusal?: string;
  /** Members that voted against it, while it is open. */
  rejects: Did[];
  /** Height of the block that opened it. */
  since_height: number;
  /** How far it is. */
  status: ProposalStatus;
  /** Last height at which members can vote; only while it is open. */
  until_height?: number;
  /** How many members must agree; only while it is open. */
  votes_needed?: number;
};

/** How far a proposal is. */
export type ProposalStatus = 'open' | 'accepted' | 'enacted' | 'ended';

/** That a peer holds none of the erased payloads any more. */
export interface PurgeReceipt {
  /** Height of the block with its word. */
  height: number;
  /** The peer. */
  holder: Did;
}

/**
 * One value with its three times: claimed by the device, received by the gateway, and of the
 * block it is in.
 */
export interface Reading {
  /** When the device says it measured. */
  claimed: Time;
  /** Height of that block. */
  height: number;
  /** Position of its batch in the stream's tree. */
  leaf: number;
  /** Time of the block it is in. */
  ledger: Time;
  /** When the gateway received it. */
  received: Time;
  /** Its sequence number in the stream. */
  seq: number;
  /** The value: an exact decimal, `true` or `false`, a text, or bytes in hex. */
  value: string;
}

/** Readings of a stream, ascending by sequence number. */
export interface Readings {
  /** The readings. */
  items: Reading[];
  /** `number`, `boolean`, `text` or `bytes`. */
  kind: string;
  /** Pass as `after` to go on; absent on the last page. */
  next?: string;
  /** Batches whose readings are gone because the owner lets go what is older. */
  past_retention?: number[];
  /** Batches of a confidential stream, whole, in place of their readings. */
  sealed?: SealedBatch[];
  /** The stream. */
  stream: Hex;
  /** Batches whose readings this peer neither holds (yet) nor could fetch, though the ledger has them. */
  unavailable?: number[];
  /** Unit as the description states it; empty if it states none. */
  unit: string;
}

/** Who may read a thing without a policy. */
export type ReadsForm = 'open' | 'policy';

/** What a final transaction did. */
export interface Receipt {
  /** What it did in short. */
  effect: Effect;
  /** What it brought about, in order. */
  events: Event[];
  /** Why it did not take effect; absent if it did. */
  refusal?: RefusalText;
  /** Which. */
  transaction: Hex;
}

/** Why a final transaction took no effect. */
export interface RefusalText {
  /** Position of the action that was refused. */
  action: number;
  /** A stable code, such as `schema_mismatch`. */
  code: string;
  /** What is wrong and what to do next. */
  detail: string;
}

/** What the network itself demands of how readings are kept: a transaction that breaks it is refused. */
export interface Regulation {
  /** Whether streams must be confidential. */
  confidential: boolean;
  /** Only peers of these organisations keep them; of any if there are none. */
  holders?: Did[];
  /** By which it is named. */
  id: string;
  /** Whose law it is. */
  jurisdiction: string;
  /** Where it is written: an article, an address. */
  reference: string;
  /** Payloads are dropped after so many days at most. */
  retention_days_max?: number;
  /** Payloads are kept for so many days at least, and not erased. */
  retention_days_min?: number;
  /** What it demands, in words. */
  text: string;
  /** Only things of this semantic type; all if it does not say. */
  thing_type?: string;
}

/** What somebody may be let at. */
export interface Resource {
  /** The owner, thing or service as a DID, or the contract in hex. */
  id: string;
  /**
   * `everything` of an owner, a `thing`, a `property` or `action` of one, a `service` or a
   * `contract`.
   */
  kind: string;
  /** Name of the property or action. */
  name?: string;
}

/** A reward for readings. */
export interface Reward {
  /** Its id, that of the transaction that offered it. */
  id: Hex;
  /** What it can still pay out. */
  left: string;
  /** Who pays. */
  payer: Did;
  /** For each batch. */
  per_batch: string;
  /** Most in one day. */
  per_day: string;
  /** For each reading. */
  per_reading: string;
  /** Height at which it was offered. */
  since_height: number;
  /** Paid so far. */
  spent: string;
  /** For readings of which stream. */
  stream: Hex;
  /** Last height at which it is paid; then anyone can end it. */
  until_height: number;
}
