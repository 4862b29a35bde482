// Entities: whoever acts.

import { bytes32, checked, encode, numbered, record, text, type Value } from '../cbor/codec.ts';
import { concat, toUtf8 } from '../text/bytes.ts';
import { isPublicKey, publicKey, type PublicKey } from './crypto.ts';
import { hash } from './digest.ts';
import { NAME_BYTES_MAX } from './limits.ts';

/** What an entity is. */
export const entityKind = numbered(['organisation', 'peer', 'gateway', 'device', 'service', 'person', 'auditor']);
/** What an entity is. */
export type EntityKind = Value<typeof entityKind>;

/** An id of 32 bytes. */
export const id = bytes32;

/** Whether a text can be a name: 1 to 64 bytes without control characters. */
export function isName(name: string): boolean {
  const length = toUtf8(name).length;
  return length >= 1 && length <= NAME_BYTES_MAX && !/\p{Cc}/u.test(name);
}

/** A name. */
export const name = checked(text, 'name', isName);

/** A public key that is one of its suite. */
export const validKey = checked(publicKey, 'key', isPublicKey);

/** How an entity begins; its id is the digest of this for ever. */
export const inception = record({ kind: entityKind, name, key: validKey });
/** How an entity begins. */
export type Inception = Value<typeof inception>;

/** The id of the entity that begins so. */
export function entityId(value: Inception): Uint8Array {
  return hash('althing/entity/1', encode(inception, value));
}

/** What the holder of a key signs to show that it holds it, when the key enters the ledger. */
export function possessionBytes(ledger: Uint8Array, entity: Uint8Array, key: PublicKey): Uint8Array {
  return concat(toUtf8('althing/possession/1'), ledger, entity, encode(publicKey, key));
}
