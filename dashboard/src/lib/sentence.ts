/** The state of the network in a sentence. */

import { count, duration, plural } from "./format.ts";
import type { Block, Health, Peer, Status } from "./model.ts";

/** How long a peer may be unheard before it is called silent: several heartbeats. */
export const SILENT_MS = 9000;

export interface Sentence {
  tone: "good" | "warn" | "bad";
  text: string;
  /** What to know or do, one line each. */
  more: string[];
}

/** For how long a peer has not been heard, measured by the newest vote that was heard of any. */
export function silence(peer: Peer, all: readonly Peer[]): number {
  const newest = Math.max(0, ...all.map((one) => one.heard?.ms ?? 0));
  if (!peer.heard) return newest === 0 ? 0 : Number.POSITIVE_INFINITY;
  return newest - peer.heard.ms;
}

/** The validators that have not been heard for a while. */
export function silent(peers: readonly Peer[]): Peer[] {
  return peers.filter((peer) => peer.role === "validator" && silence(peer, peers) > SILENT_MS);
}

function since(peer: Peer, peers: readonly Peer[]): string {
  const ms = silence(peer, peers);
  return Number.isFinite(ms) ? `for ${duration(ms)}` : "since this peer started";
}

export function sentence(
  status: Status,
  health: Health | undefined,
  peers: readonly Peer[],
  block: Block | undefined,
): Sentence {
  const reasons = health?.reasons.map((reason) => reason.detail) ?? [];
  const validators = peers.filter((peer) => peer.role === "validator").length;
  if (health?.state === "unavailable") {
    return { tone: "bad", text: reasons[0] ?? "This peer does not take part.", more: reasons.slice(1) };
  }
  const away = silent(peers);
  const spare = validators - away.length - status.quorum;
  if (away.length > 0 && spare >= 0) {
    const who = away.map((peer) => `${peer.name} of ${peer.organisation_name}`).join(", ");
    const first = away[0] as Peer;
    const text =
      away.length === 1
        ? `${who} has been silent ${since(first, peers)}. The others go on without it.`
        : `${who} are silent. The others go on without them.`;
    const limit =
      spare === 0
        ? `${count(status.quorum)} of ${plural(validators, "peer")} must agree: if one more falls silent, nothing becomes final until one is back.`
        : `${count(status.quorum)} of ${plural(validators, "peer")} must agree, so ${plural(spare, "more may", "more may")} fall silent.`;
    return { tone: "warn", text, more: [limit, ...reasons] };
  }
  if (health?.state === "degraded") {
    return { tone: "warn", text: reasons[0] ?? "This peer is not quite well.", more: reasons.slice(1) };
  }
  const by = block && block.signers.length > 0 ? ` Block ${count(block.height)} is signed by ${count(block.signers.length)} of them; ${count(status.quorum)} are enough.` : "";
  const all = validators === 1 ? "The one peer is at work." : `All ${count(validators)} peers are at work.`;
  return { tone: "good", text: `${all}${by}`, more: reasons };
}
