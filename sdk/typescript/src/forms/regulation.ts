// Regulations: what the network itself demands of how readings are kept.

import { boolean, list, optional, record, text, u32, type Value } from '../cbor/codec.ts';
import { compare, toUtf8 } from '../text/bytes.ts';
import { id, isName } from './entity.ts';
import { PLACED_ORGANISATIONS_MAX, REGULATION_REFERENCE_BYTES_MAX, REGULATION_TEXT_BYTES_MAX, RETENTION_DAYS_MAX } from './limits.ts';

/** What is demanded of a stream; at least one thing. */
export const demands = record({
  /** Payloads are kept for so many days at least, and not erased. */
  retentionDaysMin: optional(u32),
  /** Payloads are dropped after so many days at most. */
  retentionDaysMax: optional(u32),
  /** Only peers of these organisations keep them, ascending; of any if there are none. */
  holders: list(id),
  /** Whether streams must be confidential. */
  confidential: boolean,
});

/** What the network demands of how readings are kept: a transaction that breaks it is refused. */
export const regulation = record({
  /** 1 to 64 of `a-z`, `0-9`, `-` and `.`. */
  id: text,
  text,
  /** Where it is written. */
  reference: text,
  /** Whose law it is. */
  jurisdiction: text,
  /** Only things of this semantic type; all if null. */
  thingType: optional(text),
  demands,
});
/** What the network demands of how readings are kept. */
export type Regulation = Value<typeof regulation>;

/** Whether every field is within its bounds. */
export function isRegulation(value: Regulation): boolean {
  const isSaid = value.text !== '' && isText(value.text, REGULATION_TEXT_BYTES_MAX) && isText(value.reference, REGULATION_REFERENCE_BYTES_MAX);
  const isAbout = isName(value.jurisdiction) && (value.thingType === null || isName(value.thingType));
  return isRegulationId(value.id) && isSaid && isAbout && areDemands(value.demands);
}

/** Whether a text can name a regulation. */
export function isRegulationId(name: string): boolean {
  return /^[a-z0-9.-]{1,64}$/.test(name);
}

function areDemands({ retentionDaysMin: min, retentionDaysMax: max, holders, confidential }: Value<typeof demands>): boolean {
  const isDays = (days: number | null): boolean => days === null || (days >= 1 && days <= RETENTION_DAYS_MAX);
  const ascends = holders.every((each, at) => at === 0 || compare(holders[at - 1] ?? each, each) < 0);
  const isSomething = min !== null || max !== null || holders.length > 0 || confidential;
  return isSomething && isDays(min) && isDays(max) && (min === null || max === null || min <= max) && ascends && holders.length <= PLACED_ORGANISATIONS_MAX;
}

/** Whether a text without control characters has so many bytes at most. */
export function isText(value: string, max: number): boolean {
  return toUtf8(value).length <= max && !/\p{Cc}/u.test(value);
}
