// Packs: readings with the signature of the device that made them, COSE_Sign1 over SenML in CBOR.

import { fixed, i64, isNext, u64, type Codec } from '../cbor/codec.ts';
import { Reader, WireError } from '../cbor/reader.ts';
import { Writer } from '../cbor/writer.ts';
import { concat, equal, toUtf8 } from '../text/bytes.ts';
import { COSE_ALGORITHM, signature, type Suite } from './crypto.ts';
import { sha256 } from './digest.ts';
import { BATCH_READINGS_MAX, NAME_BYTES_MAX, PACK_BYTES_MAX, PACK_READINGS_MAX, SCALE_MAX, VALUE_BYTES_MAX } from './limits.ts';
import type { ReadingForm, ReadingValue } from './reading.ts';

/** What a device signed: readings of one stream under numbers of its own. */
export interface Pack {
  /** Its bytes, as the device sent them. */
  wire: Uint8Array;
  /** The device. */
  signer: Uint8Array;
  /** With which suite it signed. */
  suite: Suite;
  /** Number of the first reading. */
  firstSeq: bigint;
  /** SHA-256 of the pack before this one. */
  previous: Uint8Array | null;
  /** Name of the property. */
  name: string;
  /** Time from which those of the readings count; null for a device without a clock. */
  baseMs: bigint | null;
  /** Decimal places of all numbers in it. */
  scale: number;
  /** Milliseconds after the base, and the value. */
  readings: { afterMs: bigint; value: ReadingValue }[];
  /** The signature. */
  signature: Uint8Array;
}

/** A pack as it reached a gateway. */
export interface Arrived {
  /** When the gateway received it, milliseconds since 1970. */
  receivedMs: bigint;
  /** The pack. */
  pack: Pack;
}

const HEADER_FIRST_SEQ = -65537n;
const HEADER_PREVIOUS = -65538n;
const TAG_DECIMAL = 0xc4;
const MILLI_PLACES = 3;
const digest = fixed(32);

/** The number after the last reading of a pack. */
export function endSeq({ firstSeq, readings }: Pack): bigint {
  return firstSeq + BigInt(readings.length);
}

/** What a device signs: the COSE `Sig_structure` (RFC 9052, 4.4). */
export function packSignedBytes(ledger: Uint8Array, stream: Uint8Array, pack: Pack): Uint8Array {
  const aad = concat(toUtf8('althing/pack/1'), ledger, stream);
  return new Writer().array(4).text('Signature1').byteString(protectedOf(pack)).byteString(aad).byteString(senmlOf(pack)).bytes();
}

/** Reads the bytes of a pack. Checks form and bounds, not the signature. Throws {@link WireError}. */
export function decodePack(wire: Uint8Array): Pack {
  if (wire.length > PACK_BYTES_MAX) throw new WireError(`${wire.length} bytes, but at most ${PACK_BYTES_MAX} are allowed`);
  const from = new Reader(wire);
  if (from.array() !== 4n) from.fail();
  const header = readProtected(new Reader(from.byteString()));
  if (from.map() !== 0n) from.fail();
  const senml = readSenml(new Reader(from.byteString()));
  const pack: Pack = { wire, ...header, ...senml, signature: signature.read(from) };
  checkBounds(pack);
  const again = new Writer().array(4).byteString(protectedOf(pack)).map(0).byteString(senmlOf(pack)).byteString(pack.signature).bytes();
  if (!equal(again, wire)) throw new WireError('not the canonical encoding');
  return pack;
}

function checkBounds({ name, readings, firstSeq, scale }: Pack): void {
  const length = toUtf8(name).length;
  const hasNumber = readings.some(({ value }) => value.kind === 'number');
  const holds = length >= 1 && length <= NAME_BYTES_MAX && readings.length >= 1 && firstSeq + BigInt(readings.length) < 1n << 64n;
  if (!holds || scale > SCALE_MAX || (!hasNumber && scale !== 0)) throw new WireError('a field of the pack is out of bounds');
}

function protectedOf({ signer, suite, firstSeq, previous }: Pack): Uint8Array {
  const to = new Writer().map(previous ? 4 : 3).integer(1).integer(COSE_ALGORITHM[suite]).integer(4).byteString(signer);
  to.integer(HEADER_FIRST_SEQ).integer(firstSeq);
  if (previous) to.integer(HEADER_PREVIOUS).byteString(previous);
  return to.bytes();
}

function readProtected(from: Reader): Pick<Pack, 'signer' | 'suite' | 'firstSeq' | 'previous'> {
  const fields = from.map();
  if (from.integer() !== 1n) from.fail();
  const algorithm = from.integer();
  const suite = (Object.keys(COSE_ALGORITHM) as Suite[]).find((each) => BigInt(COSE_ALGORITHM[each]) === algorithm) ?? from.fail();
  if (from.integer() !== 4n) from.fail();
  const signer = digest.read(from);
  if (from.integer() !== HEADER_FIRST_SEQ) from.fail();
  const firstSeq = u64.read(from);
  if (fields !== 3n && fields !== 4n) from.fail();
  if (fields === 4n && from.integer() !== HEADER_PREVIOUS) from.fail();
  return { signer, suite, firstSeq, previous: fields === 4n ? digest.read(from) : null };
}

function senmlOf({ readings, name, baseMs, scale }: Pack): Uint8Array {
  const to = new Writer().array(readings.length);
  readings.forEach(({ afterMs, value }, index) => {
    const isFirst = index === 0;
    to.map(1 + Number(afterMs !== 0n) + Number(isFirst) + Number(isFirst && baseMs !== null));
    if (value.kind !== 'bytes') writeValue(to, value, scale);
    if (afterMs !== 0n) writeDecimal(to.integer(6), MILLI_PLACES, afterMs);
    if (value.kind === 'bytes') writeValue(to, value, scale);
    if (isFirst) to.integer(-2).text(name);
    if (isFirst && baseMs !== null) writeDecimal(to.integer(-3), MILLI_PLACES, baseMs);
  });
  return to.bytes();
}

function writeValue(to: Writer, value: ReadingValue, scale: number): void {
  if (value.kind === 'number') writeDecimal(to.integer(2), scale, value.mantissa);
  else if (value.kind === 'text') to.integer(3).text(value.value);
  else if (value.kind === 'boolean') to.integer(4).boolean(value.value);
  else to.integer(8).byteString(value.value);
}

function writeDecimal(to: Writer, scale: number, mantissa: bigint): void {
  if (scale > 0) to.raw(Uint8Array.of(TAG_DECIMAL)).array(2).integer(-scale);
  to.integer(mantissa);
}

function readSenml(from: Reader): Pick<Pack, 'name' | 'baseMs' | 'scale' | 'readings'> {
  const count = from.array();
  if (count > BigInt(PACK_READINGS_MAX)) from.fail();
  let [name, baseMs, scale]: [string, bigint | null, number | null] = ['', null, null];
  const readings: Pack['readings'] = [];
  for (let index = 0; index < Number(count); index++) {
    const fields = from.map();
    if (fields > 4n) from.fail();
    let [afterMs, value]: [bigint, ReadingValue | null] = [0n, null];
    for (let field = 0; field < Number(fields); field++) {
      const label = Number(from.integer());
      if (label === 2) {
        const number = readDecimal(from);
        if (number.scale !== (scale ??= number.scale)) from.fail();
        value = { kind: 'number', mantissa: number.mantissa };
      } else if (label === 3) value = { kind: 'text', value: shortText(from) };
      else if (label === 4) value = { kind: 'boolean', value: from.boolean() };
      else if (label === 8) value = { kind: 'bytes', value: shortBytes(from) };
      else if (label === 6) afterMs = milliseconds(from);
      else if (label === -2) name = shortText(from);
      else if (label === -3) baseMs = milliseconds(from);
      else from.fail();
    }
    readings.push({ afterMs, value: value ?? from.fail() });
  }
  return { name, baseMs, scale: scale ?? 0, readings };
}

function shortText(from: Reader): string {
  const text = from.text();
  return toUtf8(text).length <= VALUE_BYTES_MAX ? text : from.fail();
}

function shortBytes(from: Reader): Uint8Array {
  const bytes = from.byteString();
  return bytes.length <= VALUE_BYTES_MAX ? bytes : from.fail();
}

function milliseconds(from: Reader): bigint {
  const { scale, mantissa } = readDecimal(from);
  return scale === MILLI_PLACES ? mantissa : from.fail();
}

function readDecimal(from: Reader): { scale: number; mantissa: bigint } {
  if (!isNext(from, 'tag')) return { scale: 0, mantissa: i64.read(from) };
  if (from.tag() !== 4n || from.array() !== 2n) from.fail();
  const scale = -Number(from.integer());
  if (scale < 0 || scale > SCALE_MAX) from.fail();
  return { scale, mantissa: i64.read(from) };
}

/** The readings of one batch in the packs that their device signed: `[[[received, pack], ...]]`. */
export const signedPayload: Codec<Arrived[]> = {
  write: (packs, to) => {
    to.array(1).array(packs.length);
    for (const { receivedMs, pack } of packs) to.array(2).integer(receivedMs).byteString(pack.wire);
  },
  read: (from) => {
    if (from.array() !== 1n) from.fail();
    const count = from.array();
    if (count < 1n || count > BigInt(BATCH_READINGS_MAX)) from.fail();
    const packs: Arrived[] = [];
    for (let index = 0; index < Number(count); index++) {
      if (from.array() !== 2n) from.fail();
      const receivedMs = i64.read(from);
      packs.push({ receivedMs, pack: decodePack(from.byteString()) });
    }
    const isChain = packs.every(({ pack }, index) => {
      const before = packs[index - 1]?.pack;
      return !before || follows(before, pack);
    });
    const readings = packs.reduce((sum, { pack }) => sum + pack.readings.length, 0);
    if (!isChain || readings > BATCH_READINGS_MAX) from.fail('the chain of packs is out of bounds');
    readingsOf(packs);
    return packs;
  },
};

function follows(before: Pack, { signer, firstSeq, previous }: Pack): boolean {
  return equal(signer, before.signer) && firstSeq === endSeq(before) && previous !== null && equal(previous, sha256(before.wire));
}

/** The readings in packs. Throws {@link WireError} if a time overflows. */
export function readingsOf(packs: readonly Arrived[]): ReadingForm[] {
  return packs.flatMap(({ receivedMs, pack }) =>
    pack.readings.map(({ afterMs, value }) => {
      const claimedMs = (pack.baseMs ?? receivedMs) + afterMs;
      if (BigInt.asIntN(64, claimedMs) !== claimedMs) throw new WireError('a time is out of bounds');
      return { claimedMs, receivedMs, value };
    }),
  );
}

/** The packs of a payload, or null if it has the form of plain readings. */
export function packsOf(bytes: Uint8Array): Arrived[] | null {
  if (bytes[0] !== 0x81) return null;
  const from = new Reader(bytes);
  const packs = signedPayload.read(from);
  const to = new Writer();
  signedPayload.write(packs, to);
  if (!from.isAtEnd || !equal(to.bytes(), bytes)) throw new WireError('the payload is not canonical');
  return packs;
}
