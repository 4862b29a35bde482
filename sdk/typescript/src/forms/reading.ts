// Readings: values, the form of a stream's values, payloads and what a transaction says of them.

import { blake3 } from '@noble/hashes/blake3.js';

import { decode, encode, fixed, i128, i64, isNext, numbered, optional, record, text, u32, u64, u8, type Codec, type Value } from '../cbor/codec.ts';
import { WireError } from '../cbor/reader.ts';
import { toUtf8 } from '../text/bytes.ts';
import { packsOf, readingsOf, type Arrived } from './pack.ts';
import { BATCH_READINGS_MAX, NAME_BYTES_MAX, PAYLOAD_BYTES_MAX, SCALE_MAX, VALUE_BYTES_MAX } from './limits.ts';

/** What a stream's values are. */
export const valueKind = numbered(['number', 'boolean', 'text', 'bytes']);
/** What a stream's values are. */
export type ValueKind = Value<typeof valueKind>;

/** An exact value of a reading; a number is a mantissa at the scale of its stream. */
export type ReadingValue =
  | { kind: 'number'; mantissa: bigint }
  | { kind: 'boolean'; value: boolean }
  | { kind: 'text'; value: string }
  | { kind: 'bytes'; value: Uint8Array };

/** A value: an integer, a truth value, a text or a byte string. */
export const readingValue: Codec<ReadingValue> = {
  write: (value, to) => {
    if (value.kind === 'number') to.integer(value.mantissa);
    else if (value.kind === 'boolean') to.boolean(value.value);
    else if (value.kind === 'text') to.text(value.value);
    else to.byteString(value.value);
  },
  read: (from) => {
    if (isNext(from, 'text')) {
      const start = from.position;
      const value = from.text();
      // Its head has at most 3 bytes if it is short enough.
      return from.since(start).length <= VALUE_BYTES_MAX + 3 && toUtf8(value).length <= VALUE_BYTES_MAX ? { kind: 'text', value } : from.fail();
    }
    if (isNext(from, 'bytes')) {
      const value = from.byteString();
      return value.length <= VALUE_BYTES_MAX ? { kind: 'bytes', value } : from.fail();
    }
    if (isNext(from, 'simple')) return { kind: 'boolean', value: from.boolean() };
    return { kind: 'number', mantissa: i64.read(from) };
  },
};

/** What enters minimum, maximum and sum: the mantissa, or 0 and 1 for a boolean. */
export function measure(value: ReadingValue): bigint | null {
  if (value.kind === 'number') return value.mantissa;
  return value.kind === 'boolean' ? BigInt(value.value) : null;
}

/** The form of a stream's values, from a property of the Thing Description. */
export const streamSchema = record({
  kind: valueKind,
  /** Decimal places of a number. */
  scale: u8,
  /** Every number is a multiple of this mantissa. */
  quantum: i64,
  /** Unit as the description states it; empty if it states none. */
  unit: text,
  /** Smallest mantissa allowed. */
  minimum: optional(i64),
  /** Largest mantissa allowed. */
  maximum: optional(i64),
});
/** The form of a stream's values. */
export type StreamSchema = Value<typeof streamSchema>;

/** Whether the fields of a schema are within their bounds. */
export function isSchema(schema: StreamSchema): boolean {
  return schema.scale <= SCALE_MAX && schema.quantum >= 1n && toUtf8(schema.unit).length <= NAME_BYTES_MAX;
}

/** One value with the two times known before agreement. */
export interface ReadingForm {
  /** When the device says it measured, milliseconds since 1970. */
  claimedMs: bigint;
  /** When the gateway received it, milliseconds since 1970. */
  receivedMs: bigint;
  /** The value. */
  value: ReadingValue;
}

/** The readings of one batch: `[base, [[claimed - base, received - claimed, value], ...]]`. */
export const payload: Codec<ReadingForm[]> = {
  write: (readings, to) => {
    const base = readings[0]?.claimedMs ?? 0n;
    to.array(2).integer(base).array(readings.length);
    for (const { claimedMs, receivedMs, value } of readings) {
      to.array(3).integer(claimedMs - base).integer(receivedMs - claimedMs);
      readingValue.write(value, to);
    }
  },
  read: (from) => {
    if (from.array() !== 2n) from.fail();
    const base = i64.read(from);
    const count = from.array();
    if (count < 1n || count > BigInt(BATCH_READINGS_MAX)) from.fail();
    return Array.from({ length: Number(count) }, () => {
      if (from.array() !== 3n) from.fail();
      const claimedMs = base + i64.read(from);
      const receivedMs = claimedMs + i64.read(from);
      if ([claimedMs, receivedMs].some((ms) => BigInt.asIntN(64, ms) !== ms)) from.fail();
      return { claimedMs, receivedMs, value: readingValue.read(from) };
    });
  },
};

const summaryFields = {
  /** Sequence number of the first reading; the others follow without gap. */
  firstSeq: u64,
  /** Number of readings. */
  count: u32,
  /** Earliest claimed time, milliseconds since 1970. */
  timeMin: i64,
  /** Latest claimed time. */
  timeMax: i64,
  /** Smallest mantissa; absent for text and bytes. */
  min: optional(i64),
  /** Largest mantissa; absent for text and bytes. */
  max: optional(i64),
  /** Sum of the mantissas; 0 for text and bytes. */
  sum: i128,
  /** BLAKE3 of the payload. */
  payloadDigest: fixed(32),
  /** Length of the payload, bytes. */
  payloadLength: u32,
};

/** What a batch says of its payload, as leaf and header share it. */
export const batchSummaryFields = summaryFields;
/** What a batch says of its payload. */
export type BatchSummary = { [K in keyof typeof summaryFields]: Value<(typeof summaryFields)[K]> };

/** What a transaction says of a batch. */
export const batchHeader = record({ stream: fixed(32), ...summaryFields });
/** What a transaction says of a batch. */
export type BatchHeader = Value<typeof batchHeader>;

/** Whether the fields of a batch are within their bounds and agree with each other. */
export function isBatch(batch: BatchSummary): boolean {
  const { firstSeq, count, timeMin, timeMax, min, max, sum, payloadLength } = batch;
  const fits = count >= 1 && count <= BATCH_READINGS_MAX && payloadLength >= 1 && payloadLength <= PAYLOAD_BYTES_MAX;
  return fits && firstSeq + BigInt(count) < 1n << 64n && timeMin <= timeMax && isSumPossible(min, max, sum, BigInt(count));
}

/** Whether a sum can be that of so many numbers between two. */
export function isSumPossible(min: bigint | null, max: bigint | null, sum: bigint, count: bigint): boolean {
  if (min === null || max === null) return min === max && sum === 0n;
  return min <= max && min * count <= sum && sum <= max * count;
}

/** The header that announces a payload as the readings `firstSeq, ...` of a stream. */
export function headerOf(stream: Uint8Array, firstSeq: bigint, readings: readonly ReadingForm[]): { header: BatchHeader; bytes: Uint8Array } {
  const bytes = encode(payload, [...readings]);
  return { header: headerOfBytes(stream, firstSeq, readings, bytes), bytes };
}

/** The header of readings that `bytes` carry. */
export function headerOfBytes(stream: Uint8Array, firstSeq: bigint, readings: readonly ReadingForm[], bytes: Uint8Array): BatchHeader {
  const times = readings.map((reading) => reading.claimedMs);
  const measures = readings.map((reading) => measure(reading.value)).filter((value) => value !== null);
  return {
    stream,
    firstSeq,
    count: readings.length,
    timeMin: smallest(times) ?? 0n,
    timeMax: largest(times) ?? 0n,
    min: smallest(measures),
    max: largest(measures),
    sum: measures.reduce((sum, value) => sum + value, 0n),
    payloadDigest: blake3(bytes),
    payloadLength: bytes.length,
  };
}

/**
 * Reads the payload of a batch, checking every statement of the batch, and that each value is of the
 * schema's kind and a multiple of its quantum. Throws {@link WireError} saying what does not hold.
 */
export function openPayload(batch: BatchSummary, schema: StreamSchema, bytes: Uint8Array): ReadingForm[] {
  const named = bytes.length === batch.payloadLength && same(blake3(bytes), batch.payloadDigest);
  if (!named) throw new WireError('the payload is not the one the batch names');
  const packs = signed(bytes);
  const readings = packs ? readingsOf(packs) : read(bytes);
  const header = headerOfBytes(batch.payloadDigest, packs?.[0]?.pack.firstSeq ?? batch.firstSeq, readings, bytes);
  if (header.firstSeq !== batch.firstSeq) throw new WireError('the batch header does not summarise its payload');
  const fields = ['count', 'timeMin', 'timeMax', 'min', 'max', 'sum'] as const;
  if (fields.some((field) => header[field] !== batch[field])) throw new WireError('the batch header does not summarise its payload');
  const isOtherScale = schema.kind === 'number' && packs?.some(({ pack }) => pack.scale !== schema.scale);
  if (isOtherScale) throw new WireError("a pack has another scale than the stream");
  const index = readings.findIndex(({ value }) => !isOfSchema(value, schema));
  if (index >= 0) throw new WireError(`reading ${index} is not of the stream's type, range or quantum`);
  return readings;
}

function signed(bytes: Uint8Array): Arrived[] | null {
  try {
    return packsOf(bytes);
  } catch {
    throw new WireError('the payload is not canonical');
  }
}

function read(bytes: Uint8Array): ReadingForm[] {
  try {
    return decode(payload, bytes, PAYLOAD_BYTES_MAX);
  } catch {
    throw new WireError('the payload is not canonical');
  }
}

/** Minimum and maximum of the schema are not looked at: they may have changed since. */
function isOfSchema(value: ReadingValue, schema: StreamSchema): boolean {
  return value.kind === schema.kind && (value.kind !== 'number' || value.mantissa % schema.quantum === 0n);
}

function smallest(values: readonly bigint[]): bigint | null {
  return values.reduce<bigint | null>((least, value) => (least === null || value < least ? value : least), null);
}

function largest(values: readonly bigint[]): bigint | null {
  return values.reduce<bigint | null>((most, value) => (most === null || value > most ? value : most), null);
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, at) => byte === b[at]);
}
