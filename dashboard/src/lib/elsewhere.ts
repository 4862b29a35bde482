/** The same pages at other peers: where to go on when this one falls silent. */

import type { Peer } from "./model.ts";
import { silence } from "./sentence.ts";

/** A peer whose pages can be reached, as the operator of this peer set it. */
export interface Elsewhere {
  peer: Peer;
  /** The same page there. */
  link: string;
}

/** A page at another peer, if its address is one of the web. */
export function linkAt(peer: Peer, path: string): string | undefined {
  if (!peer.http) return undefined;
  try {
    const base = new URL(peer.http);
    return base.protocol === "http:" || base.protocol === "https:" ? base.href.replace(/\/$/, "") + path : undefined;
  } catch {
    return undefined;
  }
}

/** The other peers whose pages are known, those that were heard last first. */
export function elsewhere(peers: readonly Peer[], path: string): Elsewhere[] {
  return peers
    .filter((peer) => !peer.this)
    .sort((a, b) => silence(a, peers) - silence(b, peers) || a.name.localeCompare(b.name))
    .flatMap((peer) => {
      const link = linkAt(peer, path);
      return link === undefined ? [] : [{ peer, link }];
    });
}
