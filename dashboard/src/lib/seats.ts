/** Whose votes count when: the validators of the present epoch, of the next, and of the one after it. */

import type { Governance, SeatOf } from "./model.ts";

/** An epoch whose validators are known. */
export interface Epoch {
  epoch: number;
  /** Its first block, if that is known, and its last. */
  from?: number;
  until?: number;
  seats: readonly SeatOf[];
  /** How they agree. */
  mechanism: string;
  /** How many of them must sign a block. */
  quorum: number;
  /** Whether nobody can change it any more. */
  settled: boolean;
}

/** A seat, and in which of the epochs it counts. */
export interface SeatRow {
  seat: SeatOf;
  counts: boolean[];
  /** First block from which it counts, or does not any more; neither if nothing changes. */
  joins?: number;
  leaves?: number;
}

/** How many of so many must agree: more than two thirds, or where peers agree by Raft more than half. */
export function quorum(seats: number, mechanism: string): number {
  return seats - Math.floor((seats - 1) / (mechanism === "raft" ? 2 : 3));
}

/** The epochs that have validators: one without end if members cannot change them. */
export function epochsOf(governance: Governance): Epoch[] {
  const { epoch, epoch_end_height: end, parameters } = governance;
  const length = parameters.epoch_blocks;
  const of = (seats: readonly SeatOf[], mechanism: string) => ({ seats, mechanism, quorum: quorum(seats.length, mechanism) });
  const now = of(governance.validators, governance.mechanism);
  if (end === undefined || end === null || length === undefined || length === null) return [{ epoch, ...now, settled: true }];
  const next = of(governance.next_validators, governance.next_mechanism);
  const chosen = of(governance.chosen_validators, governance.chosen_mechanism);
  return [
    // The genesis belongs to the first epoch, and to no other.
    { epoch, from: Math.max(0, end + 1 - length), until: end, ...now, settled: true },
    { epoch: epoch + 1, from: end + 1, until: end + length, ...next, settled: true },
    { epoch: epoch + 2, from: end + length + 1, until: end + 2 * length, ...chosen, settled: false },
  ];
}

/** Every seat of the epochs, by its voting key: a peer with a new key has a seat for each. */
export function seatRows(epochs: readonly Epoch[]): SeatRow[] {
  const all = new Map(epochs.flatMap(({ seats }) => seats.map((seat) => [seat.vote_key, seat] as const)));
  return [...all.values()].map((seat) => {
    const counts = epochs.map(({ seats }) => seats.some((one) => one.vote_key === seat.vote_key));
    const row: SeatRow = { seat, counts };
    counts.forEach((here, at) => {
      const [before, from] = [counts[at - 1], epochs[at]?.from];
      if (before === undefined || from === undefined || before === here) return;
      if (here) row.joins = from;
      else row.leaves = from;
    });
    return row;
  });
}
