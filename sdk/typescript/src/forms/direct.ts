// What is asked of devices directly at their gateways, and tags of things (docs/formats/direct.md, transaction.md).

import { encode, list, optional, record, text, u64, type Value } from '../cbor/codec.ts';
import { compare, toUtf8 } from '../text/bytes.ts';
import { isPublicKey, publicKey, signature, type SigningKey } from './crypto.ts';
import { hash } from './digest.ts';
import { id, isName } from './entity.ts';
import { DIRECT_USES_MAX, GENESIS_TIME_MS_MAX, THING_TAGS_MAX } from './limits.ts';
import { commandState, isCommand, operation } from './onboarding.ts';

/** Something to be done by a thing at once. */
export const directRequest = record({
  /** The ledger that knows the grant. */
  ledger: id,
  /** The gateway that is asked. */
  gateway: id,
  /** Who asks. */
  caller: id,
  thing: id,
  operation,
  /** What for, as the grant names it. */
  purpose: text,
  /** Greater than that of every request before under the same grant at this gateway. */
  number: u64,
  /** Until when it may be done, milliseconds since 1970. */
  untilMs: u64,
});
/** Something to be done by a thing at once. */
export type DirectRequest = Value<typeof directRequest>;

/** A request with its caller's key and signature. */
export const signedRequest = record({ request: directRequest, key: publicKey, signature });
/** A request with its caller's key and signature. */
export type SignedRequest = Value<typeof signedRequest>;

/** A request that was served, and what came of it. */
export const directUse = record({
  request: signedRequest,
  /** The grant that it counts against. */
  grant: id,
  /** Delivered, done or failed. */
  state: commandState,
  servedMs: u64,
  /** SHA-256 of what was answered. */
  result: optional(id),
});
/** A request that was served, and what came of it. */
export type DirectUse = Value<typeof directUse>;

/** The tags of a thing, all of them. */
export const thingTags = record({ thing: id, tags: list(text) });

/** What the caller of a request signs. */
export function directBytes(request: DirectRequest): Uint8Array {
  return joined('althing/direct/1', encode(directRequest, request));
}

/** Id of a request, which the device is told. */
export function directId(request: DirectRequest): Uint8Array {
  return hash('althing/direct/1', encode(directRequest, request));
}

/** What the gateway signs of a use for its caller. */
export function directUseBytes(use: DirectUse): Uint8Array {
  return joined('althing/direct-use/1', encode(directUse, use));
}

/** A request with its signature. */
export function signRequest(request: DirectRequest, key: SigningKey): SignedRequest {
  return { request, key: key.publicKey, signature: key.sign(directBytes(request)) };
}

/** The bytes of a signed request, to be sent to a gateway in hex. */
export function requestBytes(request: SignedRequest): Uint8Array {
  return encode(signedRequest, request);
}

function joined(domain: string, rest: Uint8Array): Uint8Array {
  const begin = toUtf8(domain);
  const bytes = new Uint8Array(begin.length + rest.length);
  bytes.set(begin);
  bytes.set(rest, begin.length);
  return bytes;
}

/** Whether uses are some, not too many, and within their bounds. */
export function areDirectUses(uses: readonly DirectUse[]): boolean {
  return uses.length >= 1 && uses.length <= DIRECT_USES_MAX && uses.every(isUse);
}

function isUse({ request: { request, key }, state, servedMs }: DirectUse): boolean {
  const isOver = state === 'delivered' || state === 'done' || state === 'failed';
  const isTimely = servedMs <= request.untilMs && request.untilMs <= GENESIS_TIME_MS_MAX;
  return isCommand(request) && isPublicKey(key) && isOver && isTimely;
}

/** Whether tags are few enough, names, and ascending. */
export function areTags(tags: readonly string[]): boolean {
  const ascend = tags.every((each, at) => at === 0 || compare(toUtf8(tags[at - 1] ?? each), toUtf8(each)) < 0);
  return tags.length <= THING_TAGS_MAX && tags.every(isName) && ascend;
}
