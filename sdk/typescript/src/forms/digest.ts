// Digests, and the ids that follow from them.

import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';

import { bigEndian, concat, toUtf8 } from '../text/bytes.ts';

/** SHA-256 of the parts, one after the other. */
export function sha256(...parts: Uint8Array[]): Uint8Array {
  return nobleSha256(parts.length === 1 && parts[0] ? parts[0] : concat(...parts));
}

/** SHA-256 of a domain string and the parts. */
export function hash(domain: string, ...parts: Uint8Array[]): Uint8Array {
  return sha256(toUtf8(domain), ...parts);
}

/** The id of the thing that an owner calls by a name. */
export function thingId(owner: Uint8Array, name: string): Uint8Array {
  return hash('althing/thing/1', owner, toUtf8(name));
}

/** The id of the stream of a property of a thing. */
export function streamId(thing: Uint8Array, property: string): Uint8Array {
  return hash('althing/stream/1', thing, toUtf8(property));
}

/** The id of the service that a provider calls by a name. */
export function serviceId(provider: Uint8Array, name: string): Uint8Array {
  return hash('althing/service/1', provider, toUtf8(name));
}

/** The id of the trigger that an owner calls by a name. */
export function triggerId(owner: Uint8Array, name: string): Uint8Array {
  return hash('althing/trigger/1', owner, toUtf8(name));
}

/** The id of what a trigger does at a height, where transactions have theirs. */
export function runId(trigger: Uint8Array, height: bigint): Uint8Array {
  return hash('althing/trigger-run/1', trigger, bigEndian(height, 8));
}
