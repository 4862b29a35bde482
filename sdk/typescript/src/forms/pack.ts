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
  /** The part with the first of its fields, which the signature covers. */
  header: Uint8Array;
  /** The part with the readings, which the signature covers. */
  senml: Uint8Array;
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
const MILLI_PLACES = 3;
const digest = fixed(32);

/** The number after the last reading of a pack. */
export function endSeq({ firstSeq, readings }: Pack): bigint {
  return firstSeq + BigInt(readings.length);
}

/** What a device signs: the COSE `Sig_structure` (RFC 9052, 4.4). */
export function packSignedBytes(ledger: Uint8Array, stream: Uint8Array, pack: Pack): Uint8Array {
  const aad = concat(toUtf8('althing/pack/1'), ledger, stream);
  return new Writer().array(4).text('Signature1').byteString(pack.header).byteString(aad).byteString(pack.senml).bytes();
}

/** Reads the bytes of a pack. Checks form and bounds, not the signature. Throws {@link WireError}. */
export function decodePack(wire: Uint8Array): Pack {
  const from = new Reader(wire);
  if (wire.length > PACK_BYTES_MAX || from.array() !== 4n) from.fail();
  const header = from.byteString();
  if (from.map() !== 0n) from.fail();
  const senml = from.byteString();
  const pack: Pack = { wire, header, senml, ...readHeader(new Reader(header)), ...readSenml(new Reader(senml)), signature: signature.read(from) };
  end(from);
  return isBounded(pack) ? pack : from.fail();
}

function end(from: Reader): void {
  if (!from.isAtEnd) from.fail();
}

function isBounded(pack: Pack): boolean {
  const { length } = toUtf8(pack.name);
  return length >= 1 && length <= NAME_BYTES_MAX && pack.readings.length >= 1 && endSeq(pack) < 1n << 64n;
}

function readHeader(from: Reader): Pick<Pack, 'signer' | 'suite' | 'firstSeq' | 'previous'> {
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
  const previous = fields === 4n ? digest.read(from) : null;
  end(from);
  return { signer, suite, firstSeq, previous };
}

/** The labels of a record in the order that canonical CBOR gives them. */
const LABELS = [2, 3, 4, 6, 8, -2, -3];

function readSenml(from: Reader): Pick<Pack, 'name' | 'baseMs' | 'scale' | 'readings'> {
  const count = from.array();
  if (count > BigInt(PACK_READINGS_MAX)) from.fail();
  let [name, baseMs, scale]: [string, bigint | null, number | null] = ['', null, null];
  const readings: Pack['readings'] = [];
  for (let index = 0; index < Number(count); index++) {
    const fields = from.map();
    if (fields > 4n) from.fail();
    let [afterMs, value, last]: [bigint, ReadingValue | null, number] = [0n, null, -1];
    for (let field = 0; field < Number(fields); field++) {
      const label = Number(from.integer());
      const rank = LABELS.indexOf(label);
      // Time and name have one place each, and a record one value.
      if (rank <= last || (label < 0 && index > 0) || (value && label > 0 && label !== 6)) from.fail();
      last = rank;
      if (label === 2) {
        const number = readDecimal(from);
        if (number.scale !== (scale ??= number.scale)) from.fail();
        value = { kind: 'number', mantissa: number.mantissa };
      } else if (label === 3) value = { kind: 'text', value: shortText(from) };
      else if (label === 4) value = { kind: 'boolean', value: from.boolean() };
      else if (label === 8) value = { kind: 'bytes', value: shortBytes(from) };
      else if (label === 6) afterMs = milliseconds(from) || from.fail();
      else if (label === -2) name = shortText(from);
      else baseMs = milliseconds(from);
    }
    readings.push({ afterMs, value: value ?? from.fail() });
  }
  end(from);
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
  if (scale < 1 || scale > SCALE_MAX) from.fail();
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
    if (!isChain || readings > BATCH_READINGS_MAX) from.fail();
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
  end(from);
  return packs;
}
