// Confidential streams: payloads sealed under a stream's key, and that key wrapped to readers by HPKE.

import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { blake3 } from '@noble/hashes/blake3.js';
import { expand, extract, hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';

import { bytes, checked, decode, encode, fixed, list, numbered, optional, record, u32, u64, variant, variants, type Value } from '../cbor/codec.ts';
import { WireError } from '../cbor/reader.ts';
import { bigEndian, compare, concat, equal, toUtf8 } from '../text/bytes.ts';
import type { SigningKey } from './crypto.ts';
import { id } from './entity.ts';
import {
  PAYLOAD_BYTES_MAX,
  PLACED_ORGANISATIONS_MAX,
  RETENTION_DAYS_MAX,
  SEALED_OVERHEAD_BYTES_MAX,
  STREAM_READERS_MAX,
  VALIDATORS_MAX,
} from './limits.ts';
import { packsOf, readingsOf } from './pack.ts';
import { headerOfBytes, payload, type BatchHeader, type BatchSummary, type ReadingForm } from './reading.ts';

/** How payloads of a confidential stream are sealed. */
export const cipher = numbered(['chacha20-poly1305'], 1);
/** How payloads of a confidential stream are sealed. */
export type Cipher = Value<typeof cipher>;

/** A stream's key, wrapped to one reader. */
export const keyShare = record({
  /** The reader. */
  reader: id,
  /** The reader's X25519 key that it was wrapped to. */
  to: fixed(32),
  /** HPKE's encapsulated key. */
  enc: fixed(32),
  /** The encrypted key with its tag. */
  wrapped: fixed(48),
});
/** A stream's key, wrapped to one reader. */
export type KeyShare = Value<typeof keyShare>;

const PAD_BYTES = 64;
const PAD_MARK = 0x80;
const TAG_BYTES = 16;

/** A payload that only holders of the stream's key can read. */
export const sealedPayload = checked(
  record({ cipher, keyNumber: u32, nonce: fixed(12), ciphertext: bytes }),
  'sealed payload',
  ({ keyNumber, ciphertext }) => keyNumber > 0 && ciphertext.length > TAG_BYTES && (ciphertext.length - TAG_BYTES) % PAD_BYTES === 0,
);
/** A payload that only holders of the stream's key can read. */
export type SealedPayload = Value<typeof sealedPayload>;

/** Who is to keep the payloads of a stream: all peers, unless it says less. */
export const placement = record({
  /** Only peers of these, ascending; of all if there are none. */
  organisations: list(id),
  /** So many of these peers keep each payload; each of them if null. */
  copies: optional(u32),
  /** After so many days payloads may be dropped; never if null. */
  retentionDays: optional(u32),
});
/** Who is to keep the payloads of a stream. */
export type Placement = Value<typeof placement>;

/** Whether every field is within its bounds. */
export function isPlacement({ organisations, copies, retentionDays }: Placement): boolean {
  const ascends = organisations.every((each, at) => at === 0 || compare(organisations[at - 1] ?? each, each) < 0);
  const isFew = organisations.length <= PLACED_ORGANISATIONS_MAX && (copies === null || (copies >= 1 && copies <= VALIDATORS_MAX));
  return ascends && isFew && (retentionDays === null || (retentionDays >= 1 && retentionDays <= RETENTION_DAYS_MAX));
}

/** What happened to the secrecy of a stream, and to its payloads. */
export const streamEvent = variants({
  agreement_key_set: variant(0, { entity: id, key: fixed(32) }),
  key_rotated: variant(1, { stream: id, number: u32, readers: u32 }),
  key_shared: variant(2, { stream: id, number: u32, readers: list(id) }),
  erased: variant(3, { stream: id, erasure: u32, firstSeq: u64, lastSeq: u64 }),
  erasure_confirmed: variant(4, { stream: id, erasure: u32, holder: id }),
  placed: variant(5, { stream: id, placement }),
});

/** The key of a confidential stream from one change of its readers to the next. */
export interface StreamKey {
  /** Which key of its stream it is, from 1. */
  number: number;
  /** Its 32 bytes: keep them as you keep a password. */
  secret: Uint8Array;
}

/** Whether shares are within their bounds and in order. */
export function areShares(number: number, shares: readonly KeyShare[]): boolean {
  const ascends = shares.every((each, at) => at === 0 || compare((shares[at - 1] ?? each).reader, each.reader) < 0);
  return number > 0 && shares.length >= 1 && shares.length <= STREAM_READERS_MAX && ascends;
}

/** Whether bytes have the form of a sealed payload. */
export function isSealed(payloadBytes: Uint8Array): boolean {
  return payloadBytes[0] === 0x84;
}

/** Reads the sealed payload of a batch without its key; throws {@link WireError} if the batch does not name it. */
export function sealedOf(batch: BatchSummary, payloadBytes: Uint8Array): SealedPayload {
  const named = payloadBytes.length === batch.payloadLength && equal(blake3(payloadBytes), batch.payloadDigest);
  if (!named) throw new WireError('the payload is not the one the batch names');
  const sealed = decode(sealedPayload, payloadBytes, PAYLOAD_BYTES_MAX);
  if (batch.min !== null || batch.max !== null || batch.sum !== 0n) throw new WireError('the batch header does not summarise its payload');
  return sealed;
}

/** Seals a payload that `header` announces; null if it is too long. See docs/formats/sealed.md. */
export function sealPayload(key: StreamKey, header: BatchHeader, payloadBytes: Uint8Array): { header: BatchHeader; bytes: Uint8Array } | null {
  if (payloadBytes.length > PAYLOAD_BYTES_MAX - SEALED_OVERHEAD_BYTES_MAX) return null;
  const bound = boundBytes(header.stream, key.number, header);
  const keys = batchKeys(key, header.stream, header.firstSeq);
  const nonce = hmac(sha256, keys.mac, concat(bound, payloadBytes)).slice(0, 12);
  const padded = new Uint8Array(Math.ceil((payloadBytes.length + 1) / PAD_BYTES) * PAD_BYTES);
  padded.set(payloadBytes);
  padded[payloadBytes.length] = PAD_MARK;
  const ciphertext = chacha20poly1305(keys.seal, nonce, bound).encrypt(padded);
  const sealed = encode(sealedPayload, { cipher: 'chacha20-poly1305', keyNumber: key.number, nonce, ciphertext });
  const summary = { ...header, min: null, max: null, sum: 0n, payloadDigest: blake3(sealed), payloadLength: sealed.length };
  return { header: summary, bytes: sealed };
}

/**
 * Opens the sealed payload of a batch of a stream: its bytes before they were sealed, and the readings in
 * them. Throws {@link WireError} if the key does not open it, or what is inside is not what the batch says.
 */
export function openSealed(key: StreamKey, stream: Uint8Array, batch: BatchSummary, payloadBytes: Uint8Array): { bytes: Uint8Array; readings: ReadingForm[] } {
  const sealed = sealedOf(batch, payloadBytes);
  if (sealed.keyNumber !== key.number) throw new WireError(`the payload is sealed under key ${sealed.keyNumber}`);
  const bound = boundBytes(stream, key.number, batch);
  let text: Uint8Array;
  try {
    text = chacha20poly1305(batchKeys(key, stream, batch.firstSeq).seal, sealed.nonce, bound).decrypt(sealed.ciphertext);
  } catch {
    throw new WireError('the key does not open the payload');
  }
  let end = text.length - 1;
  while (end > 0 && text[end] === 0) end--;
  if (text[end] !== PAD_MARK) throw new WireError('the payload is not padded');
  const inner = text.slice(0, end);
  const packs = packsOf(inner);
  const readings = packs ? readingsOf(packs) : decode(payload, inner, PAYLOAD_BYTES_MAX);
  const { count, timeMin, timeMax } = headerOfBytes(stream, batch.firstSeq, readings, inner);
  if (count !== batch.count || timeMin !== batch.timeMin || timeMax !== batch.timeMax) throw new WireError('the batch header does not summarise its payload');
  return { bytes: inner, readings };
}

/** The X25519 key to which keys of streams are to be wrapped for who has this signing key. */
export function agreementKey(key: SigningKey): Uint8Array {
  return x25519.getPublicKey(agreementSecret(key));
}

/** Unwraps a stream's key; null if it was wrapped to another key, or for another ledger, stream, number or reader. */
export function unwrapStreamKey(key: SigningKey, ledger: Uint8Array, stream: Uint8Array, number: number, share: KeyShare): StreamKey | null {
  const secret = agreementSecret(key);
  try {
    const shared = x25519.getSharedSecret(secret, share.enc);
    const context = concat(share.enc, x25519.getPublicKey(secret));
    const agreed = labeledExpand(KEM, labeledExtract(KEM, EMPTY, 'eae_prk', shared), 'shared_secret', context, 32);
    const schedule = concat(Uint8Array.of(0), labeledExtract(HPKE, EMPTY, 'psk_id_hash', EMPTY), labeledExtract(HPKE, EMPTY, 'info_hash', SHARE_DOMAIN));
    const prk = labeledExtract(HPKE, agreed, 'secret', EMPTY);
    const aead = labeledExpand(HPKE, prk, 'key', schedule, 32);
    const nonce = labeledExpand(HPKE, prk, 'base_nonce', schedule, 12);
    const bound = concat(SHARE_DOMAIN, ledger, stream, bigEndian(BigInt(number), 4), share.reader);
    return { number, secret: chacha20poly1305(aead, nonce, bound).decrypt(share.wrapped) };
  } catch {
    return null;
  }
}

const EMPTY = new Uint8Array();
const SEAL_DOMAIN = toUtf8('althing/sealed/1');
const SHARE_DOMAIN = toUtf8('althing/stream-key/1');
const AGREEMENT_DOMAIN = toUtf8('althing/agreement/1');
/** Suites of RFC 9180: DHKEM(X25519, HKDF-SHA256); with HKDF-SHA256 and ChaCha20-Poly1305. */
const KEM = concat(toUtf8('KEM'), Uint8Array.of(0, 0x20));
const HPKE = concat(toUtf8('HPKE'), Uint8Array.of(0, 0x20, 0, 1, 0, 3));

function agreementSecret(key: SigningKey): Uint8Array {
  const material = concat(AGREEMENT_DOMAIN, toUtf8(key.suite), key.secret());
  return labeledExpand(KEM, labeledExtract(KEM, EMPTY, 'dkp_prk', material), 'sk', EMPTY, 32);
}

function labeledExtract(suite: Uint8Array, salt: Uint8Array, label: string, material: Uint8Array): Uint8Array {
  return extract(sha256, concat(toUtf8('HPKE-v1'), suite, toUtf8(label), material), salt);
}

function labeledExpand(suite: Uint8Array, prk: Uint8Array, label: string, info: Uint8Array, length: number): Uint8Array {
  return expand(sha256, prk, concat(Uint8Array.of(length >> 8, length & 0xff), toUtf8('HPKE-v1'), suite, toUtf8(label), info), length);
}

function boundBytes(stream: Uint8Array, number: number, { firstSeq, count, timeMin, timeMax }: BatchSummary): Uint8Array {
  const signed = (ms: bigint): Uint8Array => bigEndian(BigInt.asUintN(64, ms), 8);
  return concat(SEAL_DOMAIN, stream, bigEndian(BigInt(number), 4), bigEndian(firstSeq, 8), bigEndian(BigInt(count), 4), signed(timeMin), signed(timeMax));
}

function batchKeys(key: StreamKey, stream: Uint8Array, firstSeq: bigint): { seal: Uint8Array; mac: Uint8Array } {
  const both = hkdf(sha256, key.secret, undefined, concat(SEAL_DOMAIN, stream, bigEndian(firstSeq, 8)), 64);
  return { seal: both.slice(0, 32), mac: both.slice(32) };
}
