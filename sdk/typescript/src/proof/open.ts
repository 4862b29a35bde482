// Reading what a bundle shows to be sealed, with the stream's key.

import { fromHex } from '../text/bytes.ts';
import { openSealed, type StreamKey } from '../forms/secrecy.ts';
import type { NumberedReading, VerifiedRange } from './verified.ts';

/**
 * The readings of a range with those of the sealed batches that `key` opens, ascending by sequence number.
 * Throws if a batch bears the key's number and does not open. Batches under other keys stay closed.
 */
export function openRange(range: VerifiedRange, key: StreamKey): NumberedReading[] {
  const stream = fromHex(range.stream.id) ?? new Uint8Array();
  const opened = range.sealed
    .filter(({ keyNumber }) => keyNumber === key.number)
    .flatMap(({ batch, payload }) => openSealed(key, stream, batch, payload).readings.map((reading, at) => ({ seq: batch.firstSeq + BigInt(at), ...reading })));
  const { interval } = range;
  const asked = opened.filter(({ seq, claimedMs }) => {
    if (interval.kind === 'seq') return interval.first <= seq && seq <= interval.last;
    return interval.firstMs <= claimedMs && claimedMs <= interval.lastMs;
  });
  return [...range.readings, ...asked].sort((a, b) => (a.seq < b.seq ? -1 : 1));
}
