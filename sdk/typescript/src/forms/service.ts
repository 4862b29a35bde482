// Services in the catalogue: what is offered, where and under which terms (docs/formats/services.md).

import { bytes, list, numbered, optional, record, text, u32, u64, variant, variants, type Value } from '../cbor/codec.ts';
import { compare, toUtf8 } from '../text/bytes.ts';
import { right } from './access.ts';
import { id, isName } from './entity.ts';
import {
  ENDPOINT_BYTES_MAX,
  INTERFACES_MAX,
  PRICE_TEXT_BYTES_MAX,
  SERVICE_ENDPOINTS_MAX,
  SERVICE_NEEDS_MAX,
  SERVICE_SCHEMA_BYTES_MAX,
  SERVICE_TAGS_MAX,
  SERVICE_TEXT_BYTES_MAX,
} from './limits.ts';

/** A version as in Semantic Versioning, without labels. */
export const version = record({ major: u32, minor: u32, patch: u32 });
/** A version as in Semantic Versioning, without labels. */
export type Version = Value<typeof version>;

/** Where a service is performed. */
export const offered = variants({
  contract: variant(0, { contract: id }),
  outside: variant(1, { entity: id, endpoints: list(text), contract: optional(id) }),
});

/** What a provider says of one version of a service. */
export const manifest = record({
  name: text,
  version,
  /** What it does, for people. */
  text,
  /** Names of the interfaces it serves, ascending. */
  interfaces: list(text),
  /** Words to find it by, ascending. */
  tags: list(text),
  /** JSON Schema of what it takes and gives. */
  schema: optional(bytes),
  offered,
  /** What it is used for and needs data for, as grants name it. */
  purpose: text,
  /** What it must be let do by the owners of things. */
  needs: list(record({ right, what: text })),
  /** What it costs. */
  price: record({ text, rule: optional(record({ amount: u64, currency: text, per: text })) }),
  /** To whom it is shown. */
  listing: numbered(['everyone', 'callers']),
});
/** What a provider says of one version of a service. */
export type Manifest = Value<typeof manifest>;

/** Whether a version of a service can be relied on. */
export const serviceStatus = numbered(['live', 'deprecated', 'withdrawn']);
/** Whether a version of a service can be relied on. */
export type ServiceStatus = Value<typeof serviceStatus>;

/** What happened to a service. */
export const serviceEvent = variants({
  published: variant(0, { service: id, provider: id, version }),
  status_set: variant(1, { service: id, provider: id, version, status: serviceStatus }),
});

/** Reads `major.minor.patch`; null if it is no version. */
export function parseVersion(from: string): Version | null {
  const parts = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/.exec(from)?.slice(1).map(Number) ?? [];
  const [major, minor, patch] = parts;
  if (major === undefined || minor === undefined || patch === undefined) return null;
  return parts.every((part) => part <= 0xffff_ffff) ? { major, minor, patch } : null;
}

/** Whether a manifest is within its bounds. */
export function isManifest(value: Manifest): boolean {
  const { schema, price, needs } = value;
  const hasSchema = schema === null || (schema.length >= 1 && schema.length <= SERVICE_SCHEMA_BYTES_MAX);
  const hasPrice = isText(price.text, PRICE_TEXT_BYTES_MAX) && (price.rule === null || (isName(price.rule.currency) && isName(price.rule.per)));
  const isSaid = isName(value.name) && value.text !== '' && isText(value.text, SERVICE_TEXT_BYTES_MAX) && isName(value.purpose);
  const isFound = areNames(value.interfaces, INTERFACES_MAX) && areNames(value.tags, SERVICE_TAGS_MAX);
  const hasNeeds = needs.length <= SERVICE_NEEDS_MAX && needs.every((need) => isName(need.what));
  return isSaid && isFound && hasSchema && hasPrice && hasNeeds && isOffered(value.offered);
}

function isOffered(value: Manifest['offered']): boolean {
  if (value.kind === 'contract') return true;
  const isAddress = (address: string): boolean => /^https?:\/\/[\x21-\x7e]+$/.test(address) && address.length <= ENDPOINT_BYTES_MAX;
  return value.endpoints.length >= 1 && value.endpoints.length <= SERVICE_ENDPOINTS_MAX && value.endpoints.every(isAddress);
}

function isText(value: string, bytesMax: number): boolean {
  return toUtf8(value).length <= bytesMax && !/[^\P{Cc}\n]/u.test(value);
}

function areNames(names: readonly string[], max: number): boolean {
  const ascend = names.every((each, at) => at === 0 || compare(toUtf8(names[at - 1] ?? each), toUtf8(each)) < 0);
  return names.length <= max && names.every(isName) && ascend;
}
