// The proof bundle: one claim with everything that shows it.

import { bytes, bytes32, checked, encode, flatVariants, i64, list, optional, record, u32, u64, u8, variant, type Codec, type RecordOf, type Value } from '../cbor/codec.ts';
import { finalized, validatorSet } from './block.ts';
import { hash } from './digest.ts';
import { id } from './entity.ts';
import { KEY_BYTES_MAX, PAYLOAD_BYTES_MAX, STATED_HEIGHTS_MAX, STATE_VALUE_BYTES_MAX, TRANSACTION_BYTES_MAX } from './limits.ts';
import { readingValue } from './reading.ts';
import { receipt } from './receipt.ts';
import { bindingRecord, entityRecord, keyRecord, merklePath, statePath, thingRecord, type StatePath } from './state.ts';
import { leaf, leafPath, opening, streamHead } from './tree.ts';

/** A record of the state with the path of its key. */
export interface Stated<T> {
  /** The record. */
  record: T;
  /** The path. */
  path: StatePath;
}

function stated<T>(codec: Codec<T>): Codec<Stated<T>> {
  return record({ record: codec, path: statePath }) as Codec<Stated<T>>;
}

function bytesUpTo(max: number, what: string): Codec<Uint8Array> {
  return checked(bytes, what, (value) => value.length <= max);
}

const streamProof = record({ thing: stated(thingRecord), head: stated(streamHead) });
/** A stream and the thing it belongs to. */
export type StreamProof = Value<typeof streamProof>;

const earlierKey = record({ version: u32, key: stated(keyRecord) });
/** A key that an entity had. */
export type EarlierKey = Value<typeof earlierKey>;

const deviceProof = record({
  entity: stated(entityRecord),
  /** The key of then, if it was replaced since. */
  earlierKey: optional(earlierKey),
});

const submitterProof = record({
  entity: stated(entityRecord),
  /** Its binding to the thing; absent if it owns the thing. */
  binding: optional(record({ record: optional(bindingRecord), path: statePath })),
  /** The transaction with its signature, if it is still kept. */
  transaction: optional(bytesUpTo(TRANSACTION_BYTES_MAX, 'transaction')),
  /** The key of then, if it was replaced since. */
  earlierKey: optional(earlierKey),
});
/** Who submitted a batch, and by what right. */
export type SubmitterProof = Value<typeof submitterProof>;

const readingProof = record({
  /** What is claimed. */
  reading: record({ seq: u64, claimedMs: i64, receivedMs: i64, value: readingValue }),
  stream: streamProof,
  leaf,
  path: leafPath,
  /** The readings of the batch. */
  payload: bytesUpTo(PAYLOAD_BYTES_MAX, 'payload'),
  submitter: submitterProof,
  /** The device that signed the packs of the payload, if it has that form. */
  device: optional(deviceProof),
});
/** Shows that a thing reported a value. */
export type ReadingProof = Value<typeof readingProof>;

const interval = checked(
  flatVariants({ seq: variant(0, { first: u64, last: u64 }), time: variant(1, { firstMs: i64, lastMs: i64 }) }),
  'interval',
  (value) => (value.kind === 'seq' ? value.first <= value.last : value.firstMs <= value.lastMs),
);

const answer = record({ interval, stream: streamProof, opening });
/** Shows all readings of an interval, or what they amount to. */
export type AnswerProof = Value<typeof answer>;

const stateProof = record({
  key: bytesUpTo(KEY_BYTES_MAX, 'key'),
  value: optional(bytesUpTo(STATE_VALUE_BYTES_MAX, 'value')),
  path: statePath,
});
/** Shows what the state holds at a key. */
export type StateProof = Value<typeof stateProof>;

const receiptProof = record({
  receipt,
  path: merklePath,
  /** Receipts roots of all heights that the later block states, ascending. */
  roots: list(bytes32, STATED_HEIGHTS_MAX),
  later: finalized,
  /** How many receipts the block has, if triggers ran in it; as many as transactions if null. */
  receipts: optional(u32),
});
/** Shows the receipt of a transaction or of the run of a trigger. */
export type ReceiptProof = Value<typeof receiptProof>;

const transactionProof = record({
  transaction: bytesUpTo(TRANSACTION_BYTES_MAX, 'transaction'),
  index: u32,
  path: merklePath,
  receipt: optional(receiptProof),
});
/** Shows that a transaction is in the bundle's block, and what became of it. */
export type TransactionProof = Value<typeof transactionProof>;

const runProof = record({
  trigger: bytes32,
  /** Position of its receipt among those of the block; those of the transactions come first. */
  index: u32,
  receipt: receiptProof,
});
/** Shows that a trigger ran in the bundle's block, and what became of it. */
export type RunProof = Value<typeof runProof>;

const claim = flatVariants({
  reading: variant(0, { proof: readingProof }),
  range: variant(1, { proof: answer }),
  aggregate: variant(2, { proof: answer }),
  state: variant(3, { proof: stateProof }),
  transaction: variant(4, { proof: transactionProof }),
  run: variant(5, { proof: runProof }),
});

const link = record({
  /** The last block of an epoch. */
  last: finalized,
  /** The validators of the next. */
  next: validatorSet,
});
/** The step from one epoch to the next. */
export type EpochLink = RecordOf<{ last: typeof finalized; next: typeof validatorSet }>;

/** A claim and what shows it. */
export const bundle = checked(
  record({
    version: u8,
    ledger: id,
    links: list(link),
    /** The block that commits to the claim. */
    block: finalized,
    claim,
  }),
  'version',
  (value) => value.version === 1,
);
/** A claim and what shows it. */
export type Bundle = Value<typeof bundle>;

/** A bundle and its seal, as a file holds them. */
export const sealedBundle = record({ bundle, seal: bytes32 });

/** The digest at the end of a bundle file. */
export function sealOf(value: Bundle): Uint8Array {
  return hash('althing/bundle/1', encode(bundle, value));
}
