import { expect, test } from "vitest";
import { awaited, beyond } from "../../src/lib/cause.ts";
import type { Reading } from "../../src/lib/model.ts";

const DID = "did:althing:shop:7DUcrnzjXtWvjq7aeKBeww6MvuYNAvKmnaQjf1JD6teo";

test.each([
  ["a reading", { rule: `when ${DID}/temperature > 150.00 then record hot`, stream: "ab" }, { type: "batch_accepted", stream: "ab" }],
  ["silence", { rule: `when ${DID}/temperature silent for 1 min then record quiet`, stream: "ab" }, { type: "batch_accepted", stream: "ab" }],
  ["a contract", { rule: `when contract ${DID} tells wasm then record told` }, { type: "contract_emitted", contract: DID }],
  ["a record", { rule: `when record alarm by ${DID} then record told` }, { type: "recorded", entity: DID }],
  ["a record in quotes", { rule: `when record "an alarm" by ${DID} then record told` }, { type: "recorded", entity: DID }],
  ["a command", { rule: `when command of ${DID} failed then record told` }, { type: "command_queued,command_changed", thing: DID }],
  ["a time", { rule: "when at 2030-01-01T06:00:00.000Z then record told" }, undefined],
  ["what only the effect names", { rule: `when every 1 d from 2030-01-01T06:00:00.000Z then record "x by ${DID} then " by` }, undefined],
])("%s is looked for where the ledger tells of it", (_, trigger, query) => {
  expect(awaited(trigger)).toEqual(query);
});

const reading = (seq: number, value: string) => ({ seq, value }) as Reading;
const ALL = [reading(1, "149.99"), reading(2, "150.00"), reading(3, "151"), reading(4, "-2")];

test.each([
  ["> 150.00", [3]],
  [">= 150.00", [2, 3]],
  ["< 150.00", [1, 4]],
  ["<= 150.00", [1, 2, 4]],
  ["< -1", [4]],
])("of a batch the readings %s are the cause", (bound, seqs) => {
  expect(beyond(`when ${DID}/temperature ${bound} for 1 min then record hot`, ALL).map((one) => one.seq)).toEqual(seqs);
  expect(beyond(`when "${DID}/air temperature" ${bound} then record hot`, ALL).map((one) => one.seq)).toEqual(seqs);
});

test("before a silence it was the last", () => {
  expect(beyond(`when ${DID}/temperature silent for 1 min then record "when x > 3"`, ALL).map((one) => one.seq)).toEqual([4]);
});
