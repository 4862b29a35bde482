// What a bundle has shown. Ids of entities and things are DIDs, other ids are hex.

import type { ActionKind, BatchSummary, EntityKind, ReceiptForm, StreamSchema, ReadingValue } from '../forms/index.ts';
import type { Done } from './step.ts';

/** A claim that holds, and every step that shows it. */
export interface Verified {
  /** Id of the ledger, hex. */
  ledger: string;
  /** Name of the network. */
  network: string;
  /** The block that commits to the claim. */
  block: CertifiedBlock;
  /** The claim. */
  claim: VerifiedClaim;
  /** The steps in order, in words. */
  steps: readonly Done[];
}

/** A final block. */
export interface CertifiedBlock {
  /** Its height. */
  height: bigint;
  /** Its time, milliseconds since 1970. */
  timeMs: bigint;
  /** Its epoch. */
  epoch: bigint;
  /** Height of the executed block whose state it commits to. */
  stateHeight: bigint;
  /** The validators that signed it, or a descendant that makes it final. */
  signed: VotingPeer[];
  /** How many validators the epoch has. */
  validators: number;
}

/** A validator that signed. */
export interface VotingPeer {
  /** Its voting key, hex. */
  key: string;
  /** The peer, a DID. */
  peer: string;
  /** The organisation that runs it, a DID. */
  organisation: string;
  /** Its name, if the genesis names it. */
  name: string | null;
}

/** What has been shown. */
export type VerifiedClaim =
  /** A thing reported a value. */
  | VerifiedReading
  /** These are all readings of the interval. */
  | VerifiedRange
  /** The readings of the interval amount to this. */
  | VerifiedAggregate
  /** The state holds this value, or none, at the key. */
  | VerifiedState
  /** A transaction is in a block, and this became of it. */
  | VerifiedTransaction
  | VerifiedRun;

/** A stream and the thing it belongs to. */
export interface VerifiedStream {
  /** Id of the stream, hex. */
  id: string;
  /** The thing, a DID. */
  thing: string;
  /** The owner's name for the thing. */
  name: string;
  /** The thing's owner, a DID. */
  owner: string;
  /** The property of the thing. */
  property: string;
  /** The form of the values. */
  schema: StreamSchema;
  /** How many readings the whole stream has. */
  count: bigint;
}

/** A reading: a thing reported a value. */
export interface VerifiedReading {
  kind: 'reading';
  /** Its stream. */
  stream: VerifiedStream;
  /** Its number in the stream. */
  seq: bigint;
  /** The value. */
  value: ReadingValue;
  /** The value as text with its unit: `21.50 celsius`. */
  valueText: string;
  /** When the device says it measured, milliseconds since 1970. */
  claimedMs: bigint;
  /** When the gateway received it, milliseconds since 1970. */
  receivedMs: bigint;
  /** Time of the block that took it, milliseconds since 1970. */
  ledgerTimeMs: bigint;
  /** Height of that block. */
  height: bigint;
  /** The transaction that brought it, hex. */
  transaction: string;
  /** Whose word it is. */
  attestation: Attestation;
  /** By what right it was submitted. */
  delegation: Delegation;
  /** Version of the key under which the submitter's signature was checked; null if the transaction is not in the bundle and the quorum that took the batch vouches for it. */
  signedUnderKeyVersion: number | null;
}

/** Whose word a reading is. */
export interface Attestation {
  /** Whether it is the device's own, which no gateway could have forged. */
  isByDevice: boolean;
  /** The entity, a DID. */
  entity: string;
  /** What it is. */
  kind: EntityKind;
  /** Its name. */
  name: string;
}

/** By what right a batch was submitted. */
export type Delegation =
  /** The submitter owns the thing. */
  | { kind: 'owner' }
  /** The owner had bound it to the thing, from and until these heights. */
  | { kind: 'bound'; fromHeight: bigint; untilHeight: bigint }
  /** It had a binding that the state no longer has; the quorum that took the batch checked it. */
  | { kind: 'former' };

/** The question of a range or aggregate: compare it with the one you asked. */
export type Interval =
  /** By sequence number, both ends included. */
  | { kind: 'seq'; first: bigint; last: bigint }
  /** By claimed time, milliseconds since 1970, both ends included. */
  | { kind: 'time'; firstMs: bigint; lastMs: bigint };

/** All readings of an interval. */
export interface VerifiedRange {
  kind: 'range';
  /** The stream. */
  stream: VerifiedStream;
  /** What was asked: compare it with what you asked. */
  interval: Interval;
  /** The readings, ascending by sequence number. */
  readings: NumberedReading[];
  /** Batches that can hold readings of the interval but whose payloads are left out. */
  withheld: { firstSeq: bigint; count: number }[];
  /** Batches of a confidential stream, encrypted: `openRange` opens them. They may hold readings outside of the interval. */
  sealed: SealedBatch[];
}

/** A batch of a confidential stream. That it exists is shown; what it holds, to who has the key. */
export interface SealedBatch {
  /** Number of the key it is sealed under. */
  keyNumber: number;
  /** What is public of it. */
  batch: BatchSummary;
  /** Its payload. */
  payload: Uint8Array;
}

/** A reading of a range. */
export interface NumberedReading {
  /** Its number in the stream. */
  seq: bigint;
  /** When the device says it measured, milliseconds since 1970. */
  claimedMs: bigint;
  /** When the gateway received it, milliseconds since 1970. */
  receivedMs: bigint;
  /** The value. */
  value: ReadingValue;
}

/** What the readings of an interval amount to. */
export interface VerifiedAggregate {
  kind: 'aggregate';
  /** The stream. */
  stream: VerifiedStream;
  /** What was asked: compare it with what you asked. */
  interval: Interval;
  /** How many readings. */
  count: bigint;
  /** Smallest mantissa; null without readings, and for text and bytes. */
  min: bigint | null;
  /** Largest mantissa; null without readings, and for text and bytes. */
  max: bigint | null;
  /** Sum of the mantissas; 0 for text and bytes. */
  sum: bigint;
}

/** What the state holds at a key. */
export interface VerifiedState {
  kind: 'state';
  /** The raw key: compare it with the one you asked for. */
  key: Uint8Array;
  /** The value, or null if the state has no such key. */
  value: Uint8Array | null;
}

/** A run of a trigger in a block. */
export interface VerifiedRun {
  kind: 'run';
  /** Whose run, hex. */
  trigger: string;
  /** The block. */
  height: bigint;
  /** What became of it. */
  receipt: ReceiptForm;
}

/** A transaction in a block. */
export interface VerifiedTransaction {
  kind: 'transaction';
  /** Its id, hex. */
  id: string;
  /** Who sent it, a DID. */
  sender: string;
  /** What it does. */
  actions: ActionKind[];
  /** Its position in the block. */
  index: number;
  /** What became of it; null if the bundle does not show that. */
  receipt: ReceiptForm | null;
}
