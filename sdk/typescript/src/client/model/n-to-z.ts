// Written by scripts/model.mjs from docs/reference/openapi.json. Do not edit: npm run model.

import type { Action, Aggregate, Binding, Did, Effect, Event, GenesisFile, Hex, Key, LatestReading, Multikey } from './index.ts';

/** The network this peer belongs to. */
export interface Network {
  /** The genesis, as in `genesis.json`. */
  genesis: GenesisFile;
  /** The ledger's id, the digest of the genesis. */
  ledger: Hex;
  /** Its name, part of every DID. */
  network: string;
}

/** A founding organisation. */
export interface OrganisationForm {
  /** Its id, which follows from name and key. */
  id: Did;
  /** Its first key. */
  key: Key;
  /** Its name. */
  name: string;
}

/** A transaction's place on the ledger and its receipt. */
export interface Outcome {
  /** Height of its block. */
  height: number;
  /** Its position in the block. */
  index: number;
  /** What it did. */
  receipt: Receipt;
  /** Time of the block. */
  time: Time;
}

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
  /** How long a leader with nothing to do waits before it proposes an empty block, milliseconds. */
  heartbeat_ms: number;
  /** How long the others wait for its proposal, milliseconds. */
  leader_timeout_ms: number;
  /** How far a batch may skip ahead of its stream's next sequence number, readings. */
  sequence_window: number;
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
  /** The organisation that runs it. */
  organisation: Did;
  /** The organisation's name. */
  organisation_name: string;
  /** Its part in the agreement. */
  role: PeerRole;
  /** Whether it is the one that answers. */
  this: boolean;
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

/** The approval policies of an organisation. */
export interface Policies {
  /** One for each kind of action that has one. */
  items: Policy[];
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
  /** The stream. */
  stream: Hex;
  /** Batches whose readings this peer does not hold (yet), though the ledger has them. */
  unavailable?: number[];
  /** Unit as the description states it; empty if it states none. */
  unit: string;
}

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

/** A service in a DID document. */
export interface ServiceEndpoint {
  /** `<did>#<fragment>`. */
  id: string;
  /** An absolute path at this peer. */
  serviceEndpoint: string;
  /** Such as `WotThing`, whose endpoint is a Thing Description (W3C WoT Discovery). */
  type: string;
}

/** What this peer is doing. */
export interface Status {
  /** Peers connected, this one not counted. */
  connected: number;
  /** The current epoch. */
  epoch: number;
  /** The highest block known to be final. */
  final_height: number;
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
  /** Batches on the ledger whose payloads this peer does not hold yet. */
  payloads_missing: number;
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
  /** The thing. */
  thing: Did;
  /** What all its readings come to; absent while there is none. */
  total?: Aggregate;
  /** Unit as the description states it; empty if it states none. */
  unit: string;
}

/** A device or virtual thing, described by a W3C WoT Thing Description 1.1. */
export interface Thing {
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
  /** Its owner. */
  owner: Did;
  /** Its properties, each with a stream. */
  properties: Property[];
  /** `title` of the description. */
  title: string;
  /** `@type` of the description. */
  types: string[];
  /** Version of the description, from 1. */
  version: number;
}

/** A time: milliseconds since 1970 (UTC), and RFC 3339 */
export interface Time {
  ms: number;
  utc: string;
}

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

/** What to wait for. */
export type WaitFor = 'finalized';

/** Milliseconds since 1970, or RFC 3339 with an offset */
export type When = string;
