// Values, times and questions in words.

import type { ReadingValue, StreamSchema } from '../forms/reading.ts';
import { toHex } from '../text/bytes.ts';
import { toDecimal } from '../text/decimal.ts';
import { toRfc3339 } from '../text/time.ts';
import type { Interval } from './verified.ts';

/** A value as text with its unit: `21.50 celsius`. */
export function valueText(value: ReadingValue, schema: StreamSchema): string {
  const unit = schema.unit === '' ? '' : ` ${printable(schema.unit)}`;
  if (value.kind === 'number') return toDecimal(value.mantissa, schema.scale) + unit;
  if (value.kind === 'boolean') return `${value.value}${unit}`;
  if (value.kind === 'text') return `"${printable(value.value)}"${unit}`;
  return `h'${toHex(value.value)}'${unit}`;
}

/** Text of the ledger as it can be shown: quotes, backslashes and what has no glyph escaped. */
export function printable(text: string): string {
  return text.replace(/[\\'"]|\p{C}|\p{Z}/gu, (char) => {
    if (char === ' ') return char;
    const named = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\0': '\\0' }[char];
    if (named) return named;
    return /[\\'"]/.test(char) ? `\\${char}` : `\\u{${char.codePointAt(0)?.toString(16)}}`;
  });
}

/** A time of the ledger in words; one beyond the range of claimed times is no time at all. */
export function ledgerTime(ms: bigint): string {
  return BigInt.asIntN(64, ms) === ms ? toRfc3339(ms) : `${ms} ms`;
}

/** An interval in words. */
export function intervalText(interval: Interval): string {
  if (interval.kind === 'seq') return `numbers ${interval.first} to ${interval.last}`;
  return `${toRfc3339(interval.firstMs)} to ${toRfc3339(interval.lastMs)}`;
}
