/** What the peer's interface has: pages of what it has not are not offered. */

import { computed, signal } from "./state.ts";
import { peer } from "./client.ts";
import type { TokenName } from "./model.ts";

interface Description {
  paths: Record<string, unknown>;
  components: { schemas: Record<string, { oneOf?: { properties?: { type?: { enum?: string[] } } }[] }> };
}

const description = signal<Description | undefined>(undefined);

/** How the token of the ledger is called, if it has one: what its genesis says, which does not change. */
export const token = signal<TokenName | undefined>(undefined);

/** Whether any organisation relies on another ledger. */
export const linked = signal(false);

const [SUPPLY, LINKS] = ["/v1/supply", "/v1/links"];

/** How long until the peer is asked again if it did not say, ms. */
const AGAIN_MS = 5000;

/** Asks until it is known; until then nothing beyond the usual is offered. */
export async function learn() {
  try {
    description.value = await peer.ask<Description>("/openapi.json");
    const { paths } = description.value;
    if (SUPPLY in paths) token.value = (await peer.supply()).token;
    if (LINKS in paths) linked.value = (await peer.links({ limit: 1 })).items.length > 0;
  } catch {
    setTimeout(learn, AGAIN_MS);
  }
}

/** Whether the interface has a path, and the ledger what it is about. */
export function has(path: string): boolean {
  return description.value !== undefined && path in description.value.paths && (path !== SUPPLY || token.value !== undefined) && (path !== LINKS || linked.value);
}

/** The types of events there are. */
export const eventTypes = computed(() => {
  const shapes = description.value?.components.schemas["Event"]?.oneOf ?? [];
  return new Set(shapes.flatMap((shape) => shape.properties?.type?.enum ?? []));
});
