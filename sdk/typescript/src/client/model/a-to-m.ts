// Written by scripts/model.mjs from docs/reference/openapi.json. Do not edit: npm run model.

import type { OrganisationForm, Outcome, ParametersForm, PeerForm, Problem, Reading, ServiceEndpoint, Time, TransactionStatus, VerificationMethod } from './index.ts';

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
  | { type: 'retire_thing'; thing: Did };

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

/** An entity that may submit for a thing. */
export interface Binding {
  /** The entity. */
  gateway: Did;
  /** Last height at which the binding holds. */
  until_height: number;
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

/** Place of an event: block, transaction in it, event of that */
export type Cursor = string;

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
  | { type: 'approval_ended'; code: string; pending: Hex };

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

/** A public key in multibase base58btc with its multicodec prefix (W3C Multikey). */
export type Multikey = string;
