/** The network as this peer sees it, asked for every second while somebody looks. */

import { computed, signal } from "./state.ts";
import { peer } from "./client.ts";
import { parseMetrics } from "./metrics.ts";
import type { Block, BlockSummary, Health, Network, Peer, Status } from "./model.ts";

const EVERY_MS = 1000;
/** How many of the newest blocks are kept. */
const BLOCKS = 24;
/** How many seconds of rates are kept. */
export const RATES = 60;

export const status = signal<Status | undefined>(undefined);
export const health = signal<Health | undefined>(undefined);
export const peers = signal<Peer[]>([]);
export const blocks = signal<BlockSummary[]>([]);
export const network = signal<Network | undefined>(undefined);
/** The newest block of which is known who signed. */
export const signed = signal<Block | undefined>(undefined);
/** Figures of this peer since it started. */
export const figures = signal<Map<string, number>>(new Map());

/** What happened between two looks. */
export interface Rate {
  readings: number;
  transactions: number;
  blocks: number;
}
export const rates = signal<Rate[]>([]);

/** The present rates, over the last few seconds, so that they do not flicker. */
export const rate = computed<Rate>(() => {
  const recent = rates.value.slice(-5);
  const mean = (pick: (one: Rate) => number) =>
    recent.length === 0 ? 0 : recent.reduce((sum, one) => sum + pick(one), 0) / recent.length;
  return {
    readings: mean((one) => one.readings),
    transactions: mean((one) => one.transactions),
    blocks: mean((one) => one.blocks),
  };
});

let before: { at: number; figures: Map<string, number> } | undefined;

function measure(now: Map<string, number>) {
  const at = performance.now();
  if (before && at - before.at > 200) {
    const seconds = (at - before.at) / 1000;
    const old = before.figures;
    const per = (name: string) => Math.max(0, (now.get(name) ?? 0) - (old.get(name) ?? 0)) / seconds;
    const one = {
      readings: per("althing_readings_executed_total"),
      transactions: per("althing_transactions_executed_total"),
      blocks: per("althing_height"),
    };
    // After a pause a mean over all of it would look like a measurement of now.
    if (seconds < 5) rates.value = [...rates.value, one].slice(-RATES);
  }
  before = { at, figures: now };
  figures.value = now;
}

async function look() {
  const parts = [
    peer.status().then((answer) => {
      status.value = answer;
    }),
    peer.health().then((answer) => {
      health.value = answer;
    }),
    peer.peers().then((answer) => {
      peers.value = answer.items;
    }),
    peer.blocks({ limit: BLOCKS }).then(async (answer) => {
      blocks.value = answer.items;
      const newest = answer.items[0];
      if (newest && newest.height !== signed.peek()?.height) {
        signed.value = await peer.block(newest.height, { limit: 1 });
      }
    }),
    peer.metrics().then((text) => measure(parseMetrics(text))),
  ];
  if (!network.peek()) {
    parts.push(
      peer.network().then((answer) => {
        network.value = answer;
      }),
    );
  }
  // Whoever fails keeps its old value; `contact` says that the peer is gone.
  await Promise.allSettled(parts);
}

/** Begins to look; never ends. */
export function start() {
  const turn = async () => {
    await look();
    setTimeout(wait, EVERY_MS);
  };
  const wait = () => {
    if (!document.hidden) return void turn();
    document.addEventListener("visibilitychange", () => void turn(), { once: true });
  };
  void turn();
}

/** The peer with this voting key. */
export function peerOfKey(key: string): Peer | undefined {
  return peers.value.find((one) => one.key === key);
}
