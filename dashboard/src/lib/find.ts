/** Finds what a text stands for: a height, an id, a DID or a name. */

import { maybe, peer } from "./client.ts";
import { count, plain, short } from "./format.ts";
import type { Entity, Thing } from "./model.ts";
import { href } from "../router.ts";

export interface Found {
  kind: string;
  name: string;
  link: string;
}

/** How many of each kind a search by name lists. */
const SHOWN = 8;

const ofEntity = (entity: Entity): Found => ({ kind: entity.kind, name: plain(entity.name), link: href.entity(entity.id) });
const ofThing = (thing: Thing): Found => ({ kind: "thing", name: plain(thing.title || thing.name), link: href.thing(thing.id) });

async function byId(id: string, signal: AbortSignal): Promise<Found[]> {
  const [entity, thing, transaction, stream] = await Promise.all([
    maybe(peer.entity(id, { signal })),
    maybe(peer.thing(id, { signal })),
    id.startsWith("did:") ? undefined : maybe(peer.transaction(id, {}, { signal })),
    id.startsWith("did:") ? undefined : maybe(peer.stream(id, { signal })),
  ]);
  const found: Found[] = [];
  if (entity) found.push(ofEntity(entity));
  if (thing) found.push(ofThing(thing));
  if (transaction) found.push({ kind: "transaction", name: short(transaction.id), link: href.transaction(transaction.id) });
  if (stream) found.push({ kind: "stream", name: `${plain(stream.property)}`, link: href.thing(stream.thing) });
  return found;
}

async function byDigest(digest: string, signal: AbortSignal): Promise<Found[]> {
  // There is no index of digests; the newest blocks are at hand.
  const page = await peer.blocks({ limit: 200 }, { signal });
  return page.items
    .filter((block) => [block.digest, block.parent, block.result.state_root].includes(digest))
    .slice(0, 1)
    .map((block) => ({ kind: "block", name: count(block.height), link: href.block(block.height) }));
}

async function byName(name: string, signal: AbortSignal): Promise<Found[]> {
  const [things, entities] = await Promise.all([
    peer.things({ name, limit: SHOWN }, { signal }),
    peer.entities({ name, limit: SHOWN }, { signal }),
  ]);
  return [...entities.items.map(ofEntity), ...things.items.map(ofThing)];
}

/** Whatever the text may stand for. */
export async function find(text: string, signal: AbortSignal): Promise<Found[]> {
  const asked = text.trim();
  if (!asked) return [];
  if (/^[0-9a-f]{64}$/i.test(asked)) {
    const id = asked.toLowerCase();
    const found = await byId(id, signal);
    return found.length > 0 ? found : byDigest(id, signal);
  }
  if (asked.startsWith("did:")) return byId(asked, signal);
  const names = await byName(asked, signal);
  const height = /^[0-9][0-9, ]{0,15}$/.test(asked) ? Number(asked.replace(/[, ]/g, "")) : undefined;
  const block = height === undefined ? undefined : await maybe(peer.block(height, { limit: 1 }, { signal }));
  return block ? [{ kind: "block", name: count(block.height), link: href.block(block.height) }, ...names] : names;
}
