/** Events of the past, read from the event stream until it has caught up. */

import { peer } from "./client.ts";
import type { EventRecord, EventsQuery } from "./model.ts";

/** How long an open stream must be silent to have caught up, ms; at its beginning the peer looks for where to begin. */
const SILENCE_MS = 700;
const BEGIN_MS = 4 * SILENCE_MS;

/** Reads until the stream has caught up or `isEnough` says so. Throws if the connection is not to be had, or breaks: then nobody knows what there is. */
async function read(query: EventsQuery, signal: AbortSignal, isEnough: (record: EventRecord) => boolean): Promise<void> {
  const stop = new AbortController();
  const end = () => stop.abort();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const within = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(end, ms);
  };
  let lost: Error | undefined;
  const onConnection = (state: "open" | "lost", why?: Error) => {
    if (state === "open") return within(BEGIN_MS);
    lost = why;
    end();
  };
  try {
    for await (const record of peer.events(query, { signal: AbortSignal.any([signal, stop.signal]), onConnection })) {
      within(SILENCE_MS);
      if (isEnough(record)) return;
    }
  } finally {
    clearTimeout(timer);
    end();
  }
  if (lost) throw lost;
}

/** The events that match, oldest first, at most so many of the newest. */
export async function pastEvents(query: EventsQuery, max: number, signal: AbortSignal): Promise<EventRecord[]> {
  let found: EventRecord[] = [];
  await read(query, signal, (record) => {
    found.push(record);
    if (found.length > 2 * max) found = found.slice(-max);
    return false;
  });
  return found.slice(-max);
}

/** The first event that matches; none if the stream has caught up without one. */
export async function firstEvent(query: EventsQuery, signal: AbortSignal): Promise<EventRecord | undefined> {
  let found: EventRecord | undefined;
  await read({ ...query, after: "0-0-0" }, signal, (record) => (found = record) !== undefined);
  return found;
}
