import { expect, test } from "vitest";
import { least } from "../../src/lib/decentral.ts";
import { quorum } from "../../src/lib/seats.ts";

// As the command line counts them: `the_fewest_that_could_stop_or_divide_are_counted`.
test.each([
  [[1, 1, 1, 1], "simplex", 2, 2],
  [[1, 1, 1, 1, 1, 1, 1], "simplex", 3, 3],
  // One of them has two of five seats: it stops alone, and divides with nobody more.
  [[2, 1, 1, 1], "simplex", 1, 2],
  [[4], "simplex", 1, 1],
  [[3, 2, 2, 2, 1], "simplex", 2, 2],
  [[1, 1, 1], "raft", 2, 1],
  [[1, 1, 1, 1, 1], "raft", 3, 1],
  [[3], "raft", 1, 1],
])("of seats %j by %s, %i could stop and %i divide", (sizes, mechanism, stop, divide) => {
  const seats = sizes.flatMap((size, at) => Array<string>(size).fill(`o${at}`));
  expect(least(seats, quorum(seats.length, mechanism), mechanism)).toEqual({ of: sizes.length, stop, divide });
});

test("where there is no seat, nobody does harm", () => {
  expect(least([], 0)).toEqual({ of: 0, stop: 0, divide: 0 });
});
