import { toId } from '../text/did.ts';
import { compare, toUtf8 } from '../text/bytes.ts';
import type { SigningKey } from '../forms/crypto.ts';
import { entityId, possessionBytes, type EntityKind } from '../forms/entity.ts';
import { headerOf, type ReadingForm } from '../forms/reading.ts';
import { streamId } from '../forms/digest.ts';
import type { Action, ActionKind } from '../forms/action.ts';

/** An id of an entity, thing or transaction: a DID, 64 hex digits, or its 32 bytes. */
export type AnyId = string | Uint8Array;

/** The bytes of an id in any form. Throws `TypeError` if it is none. */
export function idBytes(id: AnyId): Uint8Array {
  return typeof id === 'string' ? toId(id) : id;
}

/** Registers an entity that begins with a key; the sender becomes its owner. Gives its id too. */
export function registerEntity(ledger: AnyId, kind: EntityKind, name: string, key: SigningKey): { entity: Uint8Array; action: Action } {
  const inception = { kind, name, key: key.publicKey };
  const entity = entityId(inception);
  const possession = key.sign(possessionBytes(idBytes(ledger), entity, key.publicKey));
  return { entity, action: { kind: 'register_entity', inception, possession } };
}

/** Replaces the key of an entity. */
export function rotateKey(ledger: AnyId, entity: AnyId, key: SigningKey): Action {
  const possession = key.sign(possessionBytes(idBytes(ledger), idBytes(entity), key.publicKey));
  return { kind: 'rotate_key', entity: idBytes(entity), key: key.publicKey, possession };
}

/** Ends an entity: nothing it signs counts from the next block on. */
export function revokeEntity(entity: AnyId): Action {
  return { kind: 'revoke_entity', entity: idBytes(entity) };
}

/** Registers a thing with its W3C Thing Description, JSON text. */
export function registerThing(name: string, description: string): Action {
  return { kind: 'register_thing', name, description: toUtf8(description) };
}

/** Publishes a new description of a thing, in place of the version that it replaces. */
export function updateThing(thing: AnyId, replaces: number, description: string): Action {
  return { kind: 'update_thing', thing: idBytes(thing), replaces, description: toUtf8(description) };
}

/** Ends a thing: nothing more is accepted for it. */
export function retireThing(thing: AnyId): Action {
  return { kind: 'retire_thing', thing: idBytes(thing) };
}

/** Lets an entity submit for a thing, until a height. */
export function bind(thing: AnyId, gateway: AnyId, untilHeight: bigint): Action {
  return { kind: 'bind', thing: idBytes(thing), gateway: idBytes(gateway), untilHeight };
}

/** Ends a binding. */
export function unbind(thing: AnyId, gateway: AnyId): Action {
  return { kind: 'unbind', thing: idBytes(thing), gateway: idBytes(gateway) };
}

/** Appends readings to the stream of a property, from a sequence number on; the payload is posted beside the transaction. */
export function submitBatch(thing: AnyId, property: string, firstSeq: bigint, readings: readonly ReadingForm[]): { action: Action; payload: Uint8Array } {
  const { header, bytes } = headerOf(streamId(idBytes(thing), property), firstSeq, readings);
  return { action: { kind: 'submit_batch', batch: header }, payload: bytes };
}

/** Writes a record of a kind and notifies entities; `link` is an earlier transaction it belongs to. */
export function record(kind: string, data: Uint8Array, notify: readonly AnyId[] = [], link?: AnyId): Action {
  return { kind: 'record', record: { kind, data, notify: notify.map(idBytes), link: link === undefined ? null : idBytes(link) } };
}

/** Says who must sign for a kind of action of the sending organisation; threshold 0 removes the policy. */
export function setApprovalPolicy(kind: ActionKind, threshold: number, approvers: readonly AnyId[], patienceBlocks: number): Action {
  const ascending = approvers.map(idBytes).sort(compare);
  return { kind: 'set_approval_policy', policy: { kind, threshold, approvers: ascending, patienceBlocks } };
}

/** Approves a transaction that waits. */
export function approve(pending: AnyId): Action {
  return { kind: 'approve', pending: idBytes(pending) };
}

/** Withdraws a transaction that waits. */
export function reject(pending: AnyId): Action {
  return { kind: 'reject', pending: idBytes(pending) };
}
