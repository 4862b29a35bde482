// The state: records at raw keys, and the path of a key through the trie that commits to them.

import { bytes32, checked, list, numbered, optional, record, text, u32, u64, isNext, type Codec, type Value } from '../cbor/codec.ts';
import { bigEndian, concat, toUtf8 } from '../text/bytes.ts';
import { sha256 } from './digest.ts';
import { id, inception, validKey } from './entity.ts';
import { DEPTH_MAX, NAME_BYTES_MAX } from './limits.ts';

/** What the ledger knows of an entity. */
export const entityRecord = record({
  inception,
  /** Who owns it; none for an organisation. */
  owner: optional(id),
  /** Its present key. */
  key: validKey,
  /** Version of the present key, from 1. */
  keyVersion: u32,
  /** Height at which the present key took effect. */
  keySinceHeight: u64,
  /** Height at which it was registered. */
  registeredHeight: u64,
  /** Height at which it was revoked, if it was. */
  revoked: optional(u64),
});
/** What the ledger knows of an entity. */
export type EntityRecord = Value<typeof entityRecord>;

/** A key that an entity had and replaced. */
export const keyRecord = checked(
  record({ key: validKey, sinceHeight: u64, untilHeight: u64 }),
  'until_height',
  ({ sinceHeight, untilHeight }) => sinceHeight <= untilHeight,
);
/** A key that an entity had and replaced. */
export type KeyRecord = Value<typeof keyRecord>;

/** What the ledger knows of a thing. */
export const thingRecord = checked(
  record({
    owner: id,
    /** The owner's name for it. */
    name: text,
    /** Version of its description, from 1. */
    version: u32,
    /** SHA-256 of its description as submitted. */
    descriptionDigest: bytes32,
    registeredHeight: u64,
    updatedHeight: u64,
    /** Height at which it was retired, if it was. */
    retired: optional(u64),
    /** The entity that the thing itself signs as. */
    device: optional(id),
    /** Height at which `device` changed last, if it did. */
    deviceHeight: optional(u64),
    /** Whose signature readings need; null if the word of whoever submits is enough. */
    signing: optional(numbered(['device'])),
  }),
  'name',
  ({ name }) => isShort(name),
);
/** What the ledger knows of a thing. */
export type ThingRecord = Value<typeof thingRecord>;

function isShort(name: string): boolean {
  const length = toUtf8(name).length;
  return length >= 1 && length <= NAME_BYTES_MAX;
}

/** Leave for a gateway or device to submit for a thing. */
export const bindingRecord = record({
  /** Last height at which it holds. */
  untilHeight: u64,
  /** Height from which it has held without interruption. */
  boundHeight: u64,
});
/** Leave for a gateway or device to submit for a thing. */
export type BindingRecord = Value<typeof bindingRecord>;

const SLASH = toUtf8('/');

/** Raw keys of the state. */
export const stateKey = {
  /** Of an entity. */
  entity: (entity: Uint8Array): Uint8Array => concat(toUtf8('e/'), entity),
  /** Of a key that an entity had. */
  keyHistory: (entity: Uint8Array, version: number): Uint8Array => concat(toUtf8('k/'), entity, SLASH, bigEndian(version, 4)),
  /** Of a thing. */
  thing: (thing: Uint8Array): Uint8Array => concat(toUtf8('t/'), thing),
  /** Of a binding. */
  binding: (thing: Uint8Array, gateway: Uint8Array): Uint8Array => concat(toUtf8('b/'), thing, SLASH, gateway),
  /** Of a stream's head. */
  stream: (stream: Uint8Array): Uint8Array => concat(toUtf8('s/'), stream),
} as const;

/** What stands where the path of a key ends. */
export type Terminal =
  /** Nothing. */
  | { kind: 'empty' }
  /** The leaf of the key, with this digest of its value. */
  | { kind: 'found'; value: Uint8Array }
  /** The leaf of another key. */
  | { kind: 'other'; key: Uint8Array; value: Uint8Array };

const otherLeaf: Codec<[Uint8Array, Uint8Array]> = {
  write: ([key, value], to) => void to.array(2).byteString(key).byteString(value),
  read: (from) => (from.array() === 2n ? [bytes32.read(from), bytes32.read(from)] : from.fail()),
};

const terminal: Codec<Terminal> = {
  write: (value, to) => {
    if (value.kind === 'empty') to.null();
    else if (value.kind === 'found') to.byteString(value.value);
    else otherLeaf.write([value.key, value.value], to);
  },
  read: (from) => {
    if (from.skipNull()) return { kind: 'empty' };
    if (isNext(from, 'bytes')) return { kind: 'found', value: bytes32.read(from) };
    const [key, value] = otherLeaf.read(from);
    return { kind: 'other', key, value };
  },
};

/** A path from the root of the state to where a key is, or would be. */
export interface StatePath {
  /** The siblings from the root down, 32 zero bytes where there is none. */
  siblings: Uint8Array[];
  /** What stands at its end. */
  terminal: Terminal;
}

/** The hash of an empty subtree. */
export const EMPTY = new Uint8Array(32);

/** `[depth, bitmap, hashes, terminal]`: only the siblings that are not empty are written. */
export const statePath: Codec<StatePath> = {
  write: ({ siblings, terminal: end }, to) => {
    const bitmap = new Uint8Array(Math.ceil(siblings.length / 8));
    const hashes: Uint8Array[] = [];
    for (const [depth, sibling] of siblings.entries()) {
      if (sibling.every((byte) => byte === 0)) continue;
      bitmap[depth >> 3] = (bitmap[depth >> 3] ?? 0) | (0x80 >> (depth % 8));
      hashes.push(sibling);
    }
    to.array(4).integer(siblings.length).byteString(bitmap).byteString(concat(...hashes));
    terminal.write(end, to);
  },
  read: (from) => {
    if (from.array() !== 4n) from.fail();
    const depth = from.integer();
    if (depth < 0n || depth > BigInt(DEPTH_MAX)) from.fail();
    const bitmap = from.byteString();
    const hashes = from.byteString();
    if (bitmap.length !== Math.ceil(Number(depth) / 8)) from.fail();
    let used = 0;
    const siblings = Array.from({ length: Number(depth) }, (_, at) => {
      if (!((bitmap[at >> 3] ?? 0) & (0x80 >> (at % 8)))) return EMPTY;
      used += 32;
      return used <= hashes.length ? hashes.subarray(used - 32, used) : from.fail();
    });
    // Bits beyond the depth and zero hashes are written otherwise, so the comparison refuses them.
    if (used !== hashes.length) from.fail();
    return { siblings, terminal: terminal.read(from) };
  },
};

const LEAF = Uint8Array.of(0);
const INNER = Uint8Array.of(1);

/** The hash of a leaf of the trie. */
export function stateLeaf(key: Uint8Array, value: Uint8Array): Uint8Array {
  return sha256(LEAF, key, value);
}

/** The hash of an inner node of the trie. */
export function stateInner(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(INNER, left, right);
}

/** Paths of the Merkle trees over transactions and receipts. */
export const merklePath = list(bytes32);
