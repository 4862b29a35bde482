/** Names of entities and things, fetched once each. */

import { signal, type ReadonlySignal, type Signal } from "./state.ts";
import { maybe, peer } from "./client.ts";
import type { Contract, Entity, Page, Thing } from "./model.ts";

/** Most names kept; beyond, the oldest go. */
const KEPT_MAX = 4096;
/** How long a contract that is not there is not asked for again, and twice as long each time, ms. */
const UNKNOWN_MS = 5000;
const vain = new Map<string, number>();
/** Most requests for names under way. */
const ASKING_MAX = 6;

/** An entity, thing or contract, or none of them. */
export type Named = { as: "entity"; entity: Entity } | { as: "thing"; thing: Thing } | { as: "contract"; contract: Contract } | { as: "unknown" };

const known = new Map<string, Signal<Named | undefined>>();
const queue: string[] = [];
/** What is known to be a contract. */
const contracts = new Set<string>();
let asking = 0;

function slot(did: string): Signal<Named | undefined> {
  let found = known.get(did);
  if (!found) {
    found = signal<Named | undefined>(undefined);
    known.set(did, found);
    if (known.size > KEPT_MAX) {
      const oldest = known.keys().next().value;
      if (oldest !== undefined) known.delete(oldest);
    }
  }
  return found;
}

/** What was fetched in few requests. */
let preloaded: Promise<unknown> | undefined;

/** Its document says what a DID stands for: things have a description, entities keys; contracts have none. */
async function lookUp(did: string): Promise<Named> {
  await preloaded;
  const come = slot(did).value;
  if (come) return come;
  const document = contracts.has(did) ? undefined : await maybe(peer.resolve(did));
  if (!document) {
    const contract = await maybe(peer.contract(did));
    if (contract) return { as: "contract", contract };
    // What was only tried out may begin at any time.
    const times = vain.get(did) ?? 0;
    vain.set(did, times + 1);
    if (contracts.has(did)) setTimeout(() => known.delete(did), UNKNOWN_MS * 2 ** times);
    return { as: "unknown" };
  }
  const isThing = document.service?.some((service) => service.type === "WotThing") ?? false;
  return isThing ? { as: "thing", thing: await peer.thing(did) } : { as: "entity", entity: await peer.entity(did) };
}

function pump() {
  while (asking < ASKING_MAX) {
    const did = queue.shift();
    if (did === undefined) return;
    asking += 1;
    void lookUp(did)
      .then((named) => {
        slot(did).value = named;
      })
      // Forgotten, so that the next who wants it asks again.
      .catch(() => known.delete(did))
      .finally(() => {
        asking -= 1;
        pump();
      });
  }
}

/** Who or what this is, as soon as it is known. */
export function named(did: string, isContract = false): ReadonlySignal<Named | undefined> {
  const fresh = !known.has(did);
  const found = slot(did);
  if (fresh) {
    if (isContract) contracts.add(did);
    queue.push(did);
    pump();
  }
  return found;
}

/** Notes what an answer brought along. */
export function noteEntity(entity: Entity) {
  slot(entity.id).value = { as: "entity", entity };
}

export function noteThing(thing: Thing) {
  slot(thing.id).value = { as: "thing", thing };
}

/** The first entities of the ledger, which every page names, and its first contracts: these have no document to be asked for. */
export function preload() {
  const page = { limit: 100 };
  const note = <T>(answer: Promise<Page<T>>, each: (one: T) => void) => answer.then(({ items }) => items.forEach(each), () => undefined);
  preloaded = Promise.all([note(peer.entities(page), noteEntity), note(peer.contracts(page), (contract) => (slot(contract.id).value = { as: "contract", contract }))]);
}
