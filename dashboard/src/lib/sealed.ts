/** What the key that is open here opens of confidential streams. Only this browser sees it. */

import { openRange, unwrapStreamKey, type NumberedReading, type VerifiedRange } from "althing/verify";
import { actions } from "althing/sign";
import { fromHex } from "althing/text";
import { peer } from "./client.ts";
import type { Signing } from "./signing.ts";

const bytes = (hex: string) => fromHex(hex) ?? new Uint8Array();

/** The encrypted readings of a range that was proven, as far as the key is among those that they were wrapped to; ascending. */
export async function opened(range: VerifiedRange, { entity, key, ledger }: Signing, signal: AbortSignal): Promise<NumberedReading[]> {
  const stream = range.stream.id;
  const all: NumberedReading[] = [];
  for (const number of new Set(range.sealed.map((batch) => batch.keyNumber))) {
    const { shares } = await peer.streamKey(stream, number, { signal });
    const mine = shares.find((share) => share.reader === entity);
    const opens = mine && unwrapStreamKey(key, bytes(ledger), bytes(stream), number, { reader: actions.idBytes(mine.reader), to: bytes(mine.to), enc: bytes(mine.enc), wrapped: bytes(mine.wrapped) });
    if (opens) all.push(...openRange({ ...range, readings: [] }, opens));
  }
  return all.sort((a, b) => (a.seq < b.seq ? -1 : 1));
}
