/** The network as this peer sees it, asked for every second while somebody looks. */

import { computed, signal } from "./state.ts";
import { peer } from "./client.ts";
import { parseMetrics } from "./metrics.ts";
import { turns } from "./turns.ts";
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

/** What happened over a few looks, by the second. */
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

/** The last looks, oldest first: a rate is over all of them, since readings come in blocks, and these not in every second. */
let looks: { at: number; figures: Map<string, number> }[] = [];
const LOOKS_MAX = 3;
/** After a pause a mean over all of it would look like a measurement of now, ms. */
const PAUSE_MS = 8000;

function measure(now: Map<string, number>) {
  const at = performance.now();
  const [oldest] = looks;
  if (oldest && at - oldest.at > PAUSE_MS) looks = [];
  else if (oldest && at > oldest.at) {
    const per = (name: string) => (Math.max(0, (now.get(name) ?? 0) - (oldest.figures.get(name) ?? 0)) / (at - oldest.at)) * 1000;
    const one = {
      readings: per("althing_readings_executed_total"),
      transactions: per("althing_transactions_executed_total"),
      blocks: per("althing_height"),
    };
    rates.value = [...rates.value, one].slice(-RATES);
  }
  looks = [...looks, { at, figures: now }].slice(-LOOKS_MAX);
  figures.value = now;
}

/** What is looked at; whoever fails keeps its old value, and `contact` says that the peer is gone. */
const LOOKS: ((signal: AbortSignal) => Promise<void>)[] = [
  async () => {
    status.value = await peer.status();
  },
  async () => {
    health.value = await peer.health();
  },
  async () => {
    peers.value = (await peer.peers()).items;
  },
  async () => {
    blocks.value = (await peer.blocks({ limit: BLOCKS })).items;
    const newest = blocks.value[0];
    if (newest && newest.height !== signed.peek()?.height) signed.value = await peer.block(newest.height, { limit: 1 });
  },
  async () => measure(parseMetrics(await peer.metrics())),
  async () => {
    network.value ??= await peer.network();
  },
];

/** Begins to look; never ends. Each has turns of its own, so that none waits for a slow one. */
export function start() {
  for (const look of LOOKS) turns(look, EVERY_MS);
}

/** The peer with this voting key. */
export function peerOfKey(key: string): Peer | undefined {
  return peers.value.find((one) => one.key === key);
}
