/** Events of the past, read from the event stream until it has caught up. */

import { peer, readsAs } from "./client.ts";
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

/** What was read of each past, so that looking again reads only what came since. */
const known = new Map<string, EventRecord[]>();
/** Most pasts that are kept. */
const KNOWN_MAX = 16;
// Another reader may see more, or less.
readsAs.subscribe(() => known.clear());

/** The events that match, oldest first, at most so many of the newest. */
export async function pastEvents(query: EventsQuery, max: number, signal: AbortSignal): Promise<EventRecord[]> {
  // Who asked for few of them has not all that another asks for.
  const key = JSON.stringify([query, max]);
  let found = known.get(key) ?? [];
  const after = found.at(-1)?.cursor;
  await read(after === undefined ? query : { ...query, after }, signal, (record) => {
    found = [...found, record].slice(-max);
    return false;
  });
  signal.throwIfAborted();
  known.delete(key);
  known.set(key, found);
  for (const oldest of known.keys()) if (known.size > KNOWN_MAX) known.delete(oldest);
  return found;
}

/** More than any position in a block. */
const BEYOND = 0xffff_ffff;

/** The events of one block that match. */
export async function eventsOf(height: number, query: EventsQuery, signal: AbortSignal): Promise<EventRecord[]> {
  const found: EventRecord[] = [];
  await read({ ...query, after: `${Math.max(0, height - 1)}-${BEYOND}-${BEYOND}` }, signal, (record) => {
    if (record.height === height) found.push(record);
    return record.height > height;
  });
  signal.throwIfAborted();
  return found;
}

/** The first event that matches; none if the stream has caught up without one. */
export async function firstEvent(query: EventsQuery, signal: AbortSignal): Promise<EventRecord | undefined> {
  let found: EventRecord | undefined;
  await read({ ...query, after: "0-0-0" }, signal, (record) => (found = record) !== undefined);
  return found;
}
