import { expect, test } from "vitest";
import type { Governance, SeatOf } from "../../src/lib/model.ts";
import { epochsOf, quorum, seatRows } from "../../src/lib/seats.ts";

const seat = (name: string): SeatOf => ({ peer: `did:${name}`, name, organisation: `did:org-${name}`, vote_key: name });
const governance = (changes: object): Governance => ({ epoch: 3, mechanism: "simplex", next_mechanism: "simplex", chosen_mechanism: "simplex", validators: ["a", "b", "c", "d"].map(seat), next_validators: ["a", "b", "c", "d"].map(seat), chosen_validators: ["a", "b", "c", "d"].map(seat), parameters: {}, ...changes }) as unknown as Governance;

test.each([[1, 1], [2, 2], [3, 3], [4, 3], [5, 4], [6, 5], [7, 5], [10, 7]])("of %i seats, %i must agree", (seats, needed) => {
  expect(quorum(seats, "simplex")).toBe(needed);
});

test.each([[1, 1], [2, 2], [3, 2], [4, 3], [5, 3], [6, 4], [7, 4]])("of %i seats that agree by Raft, %i must", (seats, needed) => {
  expect(quorum(seats, "raft")).toBe(needed);
});

test("without a length of epochs there is one set for ever", () => {
  const epochs = epochsOf(governance({}));
  expect(epochs.map(({ epoch, from, until }) => [epoch, from, until])).toEqual([[3, undefined, undefined]]);
  expect(seatRows(epochs).every(({ counts, joins, leaves }) => counts.length === 1 && joins === undefined && leaves === undefined)).toBe(true);
});

test("who joins and who leaves is told with the first block from which that counts", () => {
  const epochs = epochsOf(governance({ epoch_end_height: 399, parameters: { epoch_blocks: 100 }, next_validators: ["a", "b", "d", "e"].map(seat), chosen_validators: ["a", "b", "e"].map(seat) }));
  expect(epochs.map(({ from, until, quorum: needed, settled }) => [from, until, needed, settled])).toEqual([[300, 399, 3, true], [400, 499, 3, true], [500, 599, 3, false]]);
  const rows = Object.fromEntries(seatRows(epochs).map(({ seat: { name }, joins, leaves }) => [name, [joins, leaves]]));
  expect(rows).toEqual({ a: [undefined, undefined], b: [undefined, undefined], c: [undefined, 400], d: [undefined, 500], e: [400, undefined] });
});

test("each epoch needs as many as its mechanism asks for", () => {
  const epochs = epochsOf(governance({ epoch_end_height: 399, parameters: { epoch_blocks: 100 }, mechanism: "raft", validators: ["a", "b", "c"].map(seat), next_validators: ["a", "b", "c"].map(seat) }));
  expect(epochs.map(({ mechanism, quorum: needed, seats }) => [mechanism, needed, seats.length])).toEqual([["raft", 2, 3], ["simplex", 3, 3], ["simplex", 3, 4]]);
});
