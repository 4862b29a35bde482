/** Finds what a text stands for: a height, an id, a DID or a name. */

import { maybe, peer } from "./client.ts";
import { count, plain, short } from "./format.ts";
import type { Contract, Entity, Service, Thing } from "./model.ts";
import { has } from "./offered.ts";
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

const ofContract = (contract: Contract): Found => ({ kind: "contract", name: plain(contract.name), link: href.contract(contract.id) });
const ofService = (service: Service): Found => ({ kind: "catalogue", name: plain(service.name), link: href.service(service.id) });

/** The answer of a part of the interface, if the peer has it. */
const within = <T>(path: string, ask: () => Promise<T>): Promise<T | undefined> | undefined => (has(path) ? maybe(ask()) : undefined);

async function byId(id: string, signal: AbortSignal): Promise<Found[]> {
  const hex = !id.startsWith("did:");
  const [entity, thing, contract, transaction, stream, code, trigger, service] = await Promise.all([
    maybe(peer.entity(id, { signal })),
    maybe(peer.thing(id, { signal })),
    within("/v1/contracts", () => peer.contract(id, { signal })),
    hex ? maybe(peer.transaction(id, {}, { signal })) : undefined,
    hex ? maybe(peer.stream(id, { signal })) : undefined,
    hex ? within("/v1/codes", () => peer.code(id, { signal })) : undefined,
    hex ? within("/v1/triggers", () => peer.trigger(id, { signal })) : undefined,
    hex ? within("/v1/services", () => peer.service(id, { signal })) : undefined,
  ]);
  const found: Found[] = [];
  if (entity) found.push(ofEntity(entity));
  if (thing) found.push(ofThing(thing));
  if (contract) found.push(ofContract(contract));
  if (code) found.push({ kind: "code", name: plain(code.name), link: "/contracts" });
  if (trigger) found.push({ kind: "trigger", name: plain(trigger.name), link: href.trigger(trigger.id) });
  if (service) found.push(ofService(service));
  if (transaction) found.push({ kind: "transaction", name: short(transaction.id), link: href.transaction(transaction.id) });
  if (stream) found.push({ kind: "stream", name: `${plain(stream.property)}`, link: href.thing(stream.thing) });
  return found;
}

async function byDigest(digest: string, signal: AbortSignal): Promise<Found[]> {
  // There is no index of digests; the newest blocks are at hand.
  const page = await peer.blocks({ limit: 200 }, { signal });
  const block = page.items.find((one) => one.digest === digest || one.result.state_root === digest);
  // The block below the oldest of them is known by whose parent it is.
  const below = page.items.find((one) => one.parent === digest);
  const height = block?.height ?? (below && below.height - 1);
  return height === undefined ? [] : [{ kind: "block", name: count(height), link: href.block(height) }];
}

async function byName(name: string, signal: AbortSignal): Promise<Found[]> {
  const [things, entities, contracts, services] = await Promise.all([
    peer.things({ name, limit: SHOWN }, { signal }),
    peer.entities({ name, limit: SHOWN }, { signal }),
    within("/v1/contracts", () => peer.contracts({ name, limit: SHOWN }, { signal })),
    within("/v1/services", () => peer.services({ text: name, limit: SHOWN }, { signal })),
  ]);
  return [...entities.items.map(ofEntity), ...things.items.map(ofThing), ...(contracts?.items ?? []).map(ofContract), ...(services?.items ?? []).map(ofService)];
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
