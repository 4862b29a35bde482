/** What happens on the ledger, as it happens: one event stream for the whole page. */

import { signal } from "./state.ts";
import { peer, readsAs } from "./client.ts";
import type { EventRecord, Property } from "./model.ts";
import { tagged } from "./model.ts";
import { linked } from "./offered.ts";

/** Events kept unread between two looks; under load only the newest count. */
const UNREAD_MAX = 512;
const EVERY_MS = 500;
/** How long until the stream is asked for anew after it was refused, ms. */
const AGAIN_MS = 5000;
const EVENTS_MAX = 40;
const BATCHES_MAX = 64;

/** The newest events that are no batches, newest first. */
export const happenings = signal<EventRecord[]>([]);
/** The newest batch of each stream, newest first. */
export const batches = signal<EventRecord[]>([]);

let unread: EventRecord[] = [];

/** The stream an event is about, if it is about one. */
export function streamOf(record: EventRecord): string {
  return String(tagged(record.event)["stream"] ?? "");
}

function digest() {
  if (unread.length === 0) return;
  const newest = unread.reverse();
  unread = [];
  const others = newest.filter((record) => record.event.type !== "batch_accepted");
  if (others.some((record) => record.event.type === "links")) linked.value = true;
  if (others.length > 0) happenings.value = [...others, ...happenings.value].slice(0, EVENTS_MAX);
  const taken = newest.filter((record) => record.event.type === "batch_accepted");
  if (taken.length === 0) return;
  const seen = new Set<string>();
  batches.value = [...taken, ...batches.value]
    .filter((record) => !seen.has(streamOf(record)) && seen.add(streamOf(record)))
    .slice(0, BATCHES_MAX);
}

let current = new AbortController();
/** The last event heard of. */
let cursor: string | undefined;

async function follow() {
  current = new AbortController();
  try {
    for await (const record of peer.events(cursor === undefined ? {} : { after: cursor }, { signal: current.signal })) {
      cursor = record.cursor;
      unread.push(record);
      if (unread.length > UNREAD_MAX) unread = unread.slice(-UNREAD_MAX / 2);
    }
  } catch (error) {
    // A peer that does not go on from there is asked for what happens from now on.
    cursor = undefined;
    throw error;
  }
}

/** Properties that have readings first: there is room for few of them. */
export const liveFirst = (properties: readonly Property[]) => [...properties].sort((a, b) => Number(b.latest !== undefined) - Number(a.latest !== undefined));

/** Begins to listen; a stream that breaks is opened again behind the last event. */
export function start() {
  const listen = () => void follow().then(listen, () => setTimeout(listen, AGAIN_MS));
  // What an owner lets few see is told to those only.
  readsAs.subscribe(() => current.abort());
  listen();
  setInterval(digest, EVERY_MS);
}
