/** Ids, decimals, times and bytes in text; needs nothing else of the package. */

export { bigEndian, compare, concat, equal, fromHex, fromUtf8, toHex, toUtf8 } from './bytes.ts';
export { parseDecimal, toDecimal } from './decimal.ts';
export { idToHex, parseDid, sameId, toDid, toId, type ParsedDid } from './did.ts';
export { fromRfc3339, toRfc3339 } from './time.ts';
