// Access: what owners decide, what is asked for and granted (docs/formats/policy.md).

import { bytes32, numbered, optional, record, text, u32, u64, variant, variants, type Value } from '../cbor/codec.ts';
import { compare, toUtf8 } from '../text/bytes.ts';
import { id, isName } from './entity.ts';
import { ACCESS_USES_MAX, EXPIRY_BLOCKS_MAX, GENESIS_TIME_MS_MAX, POLICY_BYTES_MAX } from './limits.ts';

/** What somebody may be let at. */
export const resource = variants({
  everything: variant(0, { owner: id }),
  thing: variant(1, { thing: id }),
  property: variant(2, { thing: id, name: text }),
  action: variant(3, { thing: id, name: text }),
  service: variant(4, { service: id }),
  contract: variant(5, { contract: bytes32 }),
});
/** What somebody may be let at; `kind` says what it is. */
export type ResourceForm = Value<typeof resource>;

/** What somebody may do with a resource, in the order of their numbers. */
export const RIGHTS = ['read', 'subscribe', 'write', 'invoke', 'describe', 'call'] as const;
/** What somebody may do with a resource. */
export type Right = (typeof RIGHTS)[number];
/** What somebody may do with a resource. */
export const right = numbered(RIGHTS);

/** What an owner decides about a resource. */
export const accessPolicy = record({
  resource,
  /** What is needed beside it. */
  mode: numbered(['open', 'grant', 'strict']),
  /** Statements in Cedar. */
  text,
  /** Who is asked about each request. */
  ask: optional(id),
  /** Blocks within which the answer must come; 0 if nobody is asked. */
  patienceBlocks: u32,
  /** Blocks that a grant lasts at most. */
  grantBlocksMax: u64,
});

/** What somebody asks an owner for. */
export const accessRequest = record({
  resource,
  right,
  purpose: text,
  /** How often, at most; 0 for as often as wanted. */
  countMax: u32,
  untilHeight: u64,
});

/** Uses of a grant that were served over a while. */
export const accessUse = record({ grant: id, count: u32, firstMs: u64, lastMs: u64 });

/** Who has access to what, from whom, for which purpose. */
export const access = record({ owner: id, grantee: id, resource, right, purpose: text });

/** Whether the name of a resource is within its bounds. */
export function isResource(value: ResourceForm): boolean {
  return value.kind === 'property' || value.kind === 'action' ? isName(value.name) : true;
}

/** Whether the fields of a policy are within their bounds. */
export function isAccessPolicy(value: Value<typeof accessPolicy>): boolean {
  const length = toUtf8(value.text).length;
  const isLasting = value.grantBlocksMax >= 1n && value.grantBlocksMax <= EXPIRY_BLOCKS_MAX;
  const isAsking = (value.ask !== null) === value.patienceBlocks > 0 && BigInt(value.patienceBlocks) <= EXPIRY_BLOCKS_MAX;
  return isResource(value.resource) && length >= 1 && length <= POLICY_BYTES_MAX && isLasting && isAsking;
}

/** Whether uses are some, not too many, within their bounds and ascending by grant. */
export function areUses(uses: readonly Value<typeof accessUse>[]): boolean {
  const isUse = (use: Value<typeof accessUse>) => use.count > 0 && use.firstMs <= use.lastMs && use.lastMs <= GENESIS_TIME_MS_MAX;
  const ascend = uses.every((each, at) => at === 0 || compare(uses[at - 1]?.grant ?? each.grant, each.grant) < 0);
  return uses.length >= 1 && uses.length <= ACCESS_USES_MAX && uses.every(isUse) && ascend;
}
