/** Events of the past, read from the event stream until it has caught up. */

import { peer } from "./client.ts";
import type { EventRecord, EventsQuery } from "./model.ts";

/** How long the stream must be silent to have caught up, ms. */
const SILENCE_MS = 700;

/** The events that match, oldest first, at most so many of the newest. */
export async function pastEvents(query: EventsQuery, max: number, signal: AbortSignal): Promise<EventRecord[]> {
  const stop = new AbortController();
  const end = () => stop.abort();
  signal.addEventListener("abort", end, { once: true });
  let found: EventRecord[] = [];
  let timer = setTimeout(end, 4 * SILENCE_MS);
  try {
    for await (const record of peer.events(query, { signal: stop.signal })) {
      clearTimeout(timer);
      timer = setTimeout(end, SILENCE_MS);
      found.push(record);
      if (found.length > 2 * max) found = found.slice(-max);
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    end();
  }
  return found.slice(-max);
}

/** The first event that matches; none if the stream has caught up without one. */
export async function firstEvent(query: EventsQuery, signal: AbortSignal): Promise<EventRecord | undefined> {
  const stop = new AbortController();
  const end = () => stop.abort();
  signal.addEventListener("abort", end, { once: true });
  const timer = setTimeout(end, 4 * SILENCE_MS);
  try {
    for await (const record of peer.events({ ...query, after: "0-0-0" }, { signal: stop.signal })) return record;
    return undefined;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    end();
  }
}
