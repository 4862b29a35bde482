import { expect, test } from "vitest";
import type { EventRecord } from "../../src/lib/model.ts";
import { PROCEDURES, runsOf } from "../../src/lib/procedures.ts";

const record = (height: number, event: object) => ({ cursor: `${height}-0-0`, height, index: 0, transaction: "", event }) as unknown as EventRecord;
const used = (height: number, id: string) => record(height, { type: "access_used", access: { id } });

test("events of one grant are one run, the last one touched first", () => {
  const access = PROCEDURES.find((one) => one.clause === "10.7");
  if (!access) throw new Error("there is no 10.7");
  const runs = runsOf(access, [used(1, "a"), used(2, "b"), used(3, "a"), record(4, { type: "bound" }), record(5, { type: "access_used" })]);
  expect(runs.map((run) => [run.key, run.events.length])).toEqual([["a", 2], ["b", 1]]);
});

test("every message of every figure is between lanes that are there", () => {
  const variants = PROCEDURES.flatMap((one) => [one, ...(one.as ? [one.as([record(1, { type: "bound" })])] : [])]);
  for (const { roles, events, inside } of variants) {
    expect(inside.every((lane) => lane in roles)).toBe(true);
    for (const steps of Object.values(events)) {
      for (const step of steps({ type: "" }, 7)) expect([step.from, step.to].every((lane) => lane in roles) && step.from !== step.to).toBe(true);
    }
  }
});

test("a device behind a gateway is the other figure of 10.6", () => {
  const connect = PROCEDURES.find((one) => one.clause === "10.6");
  const figure = (...events: object[]) => connect?.as?.(events.map((event, at) => record(at, event))).figure;
  expect(figure({ type: "thing_registered" }, { type: "command_queued" })).toContain("10-6 (a)");
  expect(figure({ type: "bound" }, { type: "thing_registered" })).toContain("10-6 (b)");
});
