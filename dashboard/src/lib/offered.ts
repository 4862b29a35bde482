/** What the peer's interface has: pages of what it has not are not offered. */

import { computed, signal } from "./state.ts";
import { peer } from "./client.ts";

interface Description {
  paths: Record<string, unknown>;
  components: { schemas: Record<string, { oneOf?: { properties?: { type?: { enum?: string[] } } }[] }> };
}

const description = signal<Description | undefined>(undefined);

/** How long until the peer is asked again if it did not say, ms. */
const AGAIN_MS = 5000;

/** Asks until it is known; until then nothing beyond the usual is offered. */
export function learn() {
  peer.ask<Description>("/openapi.json").then(
    (answer) => {
      description.value = answer;
    },
    () => setTimeout(learn, AGAIN_MS),
  );
}

/** Whether the interface has a path. */
export function has(path: string): boolean {
  return description.value !== undefined && path in description.value.paths;
}

/** The types of events there are. */
export const eventTypes = computed(() => {
  const shapes = description.value?.components.schemas["Event"]?.oneOf ?? [];
  return new Set(shapes.flatMap((shape) => shape.properties?.type?.enum ?? []));
});
