/** How few organisations could do harm together, as `althing network decentralisation` counts them (Y.4464 Appendix III). */

export interface Least {
  /** How many there are. */
  of: number;
  /** Whose peers, if they fell silent, would leave too few to agree. */
  stop: number;
  /** Whose peers, if they lied, could make two blocks of one height final. */
  divide: number;
}

/** Of the organisations of validators, of which so many must agree; whoever lies among peers that agree by Raft is believed. */
export function least(organisations: readonly string[], quorum: number, mechanism?: string): Least {
  const seats = new Map<string, number>();
  for (const one of organisations) seats.set(one, (seats.get(one) ?? 0) + 1);
  const sizes = [...seats.values()].sort((a, b) => b - a);
  // The largest first, until they have so many seats together.
  const fewest = (wanted: number) => {
    let have = 0;
    return sizes.filter((size) => (have += size) - size < wanted).length;
  };
  const all = organisations.length;
  // Two quorums of which each honest validator is in one at most.
  return { of: sizes.length, stop: fewest(all - quorum + 1), divide: fewest(mechanism === "raft" ? 1 : 2 * quorum - all) };
}
