/** What happened of late but for batches of readings: what was before this page was opened, and since. */

import { happenings } from "./feed.ts";
import { pastEvents } from "./history.ts";
import type { EventRecord } from "./model.ts";
import { status } from "./network.ts";
import { eventTypes } from "./offered.ts";
import { useQuery } from "./query.ts";

/** How far back it begins, blocks. */
export const BACK = 2000;

/** The newest events, newest first; nothing is known until there is an answer. */
export function useHappened(max: number): { data: EventRecord[] | undefined; error: Error | undefined } {
  // All there are, once it is known which there are.
  const type = [...eventTypes.value].filter((one) => one !== "batch_accepted").join();
  const height = status.value?.height;
  const known = height !== undefined && type !== "";
  const past = useQuery(`happened ${known} ${max}`, async (signal) => (known ? pastEvents({ type, after: `${Math.max(0, height - BACK)}-0-0` }, max, signal) : undefined));
  const fresh = happenings.value;
  const seen = new Set(fresh.map((one) => one.cursor));
  const older = (past.data ?? []).filter((one) => !seen.has(one.cursor)).reverse();
  const all = [...fresh, ...older].slice(0, Math.max(max, fresh.length));
  return { data: past.data || fresh.length > 0 ? all : undefined, error: past.error };
}
