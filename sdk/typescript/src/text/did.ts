// `did:althing:<network>:<base58btc of 32 bytes>`: the text form of the id of an entity or thing.

import { equal, fromHex, toHex } from './bytes.ts';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const ID_BYTES = 32;
/** Longest base58 text of 32 bytes. */
const ID_CHARS_MAX = 44;

/** An id with the network it belongs to. */
export interface ParsedDid {
  /** Name of the network. */
  network: string;
  /** The 32 bytes. */
  id: Uint8Array;
}

/** The DID of an entity or thing of a network. */
export function toDid(network: string, id: Uint8Array): string {
  return `did:althing:${network}:${toBase58(id)}`;
}

/** Reads a DID of this method; `undefined` if the text is none. Each id has one text. */
export function parseDid(text: string): ParsedDid | undefined {
  const match = /^did:althing:([a-z0-9-]{1,32}):([1-9A-HJ-NP-Za-km-z]{32,44})$/.exec(text);
  if (!match?.[1] || !match[2]) return undefined;
  const id = fromBase58(match[2]);
  return id && toBase58(id) === match[2] ? { network: match[1], id } : undefined;
}

/** The 32 bytes of an id in text: a DID or 64 hexadecimal digits. Throws `TypeError` otherwise. */
export function toId(text: string): Uint8Array {
  const id = parseDid(text)?.id ?? fromHex(text);
  if (id?.length !== ID_BYTES) throw new TypeError('a did:althing:... or 64 hex digits expected');
  return id;
}

/** Whether two ids in text, DIDs or hex, are the same. */
export function sameId(a: string, b: string): boolean {
  return equal(toId(a), toId(b));
}

/** The 64 hexadecimal digits of an id in text. */
export function idToHex(text: string): string {
  return toHex(toId(text));
}

function toBase58(bytes: Uint8Array): string {
  let number = 0n;
  for (const byte of bytes) number = (number << 8n) | BigInt(byte);
  let text = '';
  for (; number > 0n; number /= 58n) text = ALPHABET.charAt(Number(number % 58n)) + text;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return '1'.repeat(zeros < 0 ? bytes.length : zeros) + text;
}

function fromBase58(text: string): Uint8Array | undefined {
  if (text.length > ID_CHARS_MAX) return undefined;
  let number = 0n;
  for (const char of text) number = number * 58n + BigInt(ALPHABET.indexOf(char));
  const bytes = new Uint8Array(ID_BYTES);
  for (let at = ID_BYTES - 1; at >= 0; at--, number >>= 8n) bytes[at] = Number(number & 0xffn);
  return number === 0n ? bytes : undefined;
}
