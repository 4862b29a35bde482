/** Amounts of tokens: the ledger counts whole smallest units, people read and write decimals. Exact both ways, never by way of a binary number. */

import { toDecimal } from "althing/text";
import { count, plain, plural } from "./format.ts";
import type { TokenName } from "./model.ts";

/** The most there can be, in the smallest unit, as ledgers have it. */
const UNITS_MAX = 10n ** 36n;

/** `125050` of a token with 2 decimals as `1,250.5 watt`. */
export function amount(units: string, { decimals, symbol }: TokenName): string {
  const [whole = "", places = ""] = toDecimal(BigInt(units), decimals).split(".");
  const left = places.replace(/0+$/, "");
  return `${count(BigInt(whole))}${left && `.${left}`}\u202f${symbol}`;
}

/** What somebody wrote, in the smallest unit. Throws an error with a sentence if it is no amount that can be paid. */
export function units(text: string, { decimals, symbol }: TokenName): bigint {
  const [, whole, places = ""] = /^(0|[1-9]\d{0,36})(?:\.(\d+))?$/.exec(text.trim()) ?? [];
  if (whole === undefined) throw new RangeError(`“${plain(text, 40)}” is no amount of ${symbol}: write digits, with a point before decimals, such as 12.5 or 1000.`);
  if (places.length > decimals) throw new RangeError(`${symbol} has ${plural(decimals, "decimal place")}, not ${count(places.length)}.`);
  const made = BigInt(whole + places.padEnd(decimals, "0"));
  if (made === 0n) throw new RangeError("An amount is more than nothing.");
  if (made > UNITS_MAX) throw new RangeError("No ledger has so much.");
  return made;
}
