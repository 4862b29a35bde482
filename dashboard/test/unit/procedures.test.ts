import { expect, test } from "vitest";
import type { EventRecord } from "../../src/lib/model.ts";
import { toDid } from "althing/text";
import { PROCEDURES, runsOf } from "../../src/lib/procedures.ts";

const record = (height: number, event: object) => ({ cursor: `${height}-0-0`, height, index: 0, transaction: "", event }) as unknown as EventRecord;
const used = (height: number, id: string) => record(height, { type: "access_used", access: { id } });

test("events of one grant are one run, the last one touched first", () => {
  const access = PROCEDURES.find((one) => one.clause === "10.7");
  if (!access) throw new Error("there is no 10.7");
  const runs = runsOf(access, [used(1, "a"), used(2, "b"), used(3, "a"), record(4, { type: "bound" }), record(5, { type: "access_used" })]);
  expect(runs.map((run) => [run.key, run.events.length])).toEqual([["a", 2], ["b", 1]]);
});

const clause = (name: string) => PROCEDURES.find((one) => one.clause === name) ?? PROCEDURES[0]!;
const at = (height: number, transaction: string, event: object) => ({ ...record(height, event), transaction }) as EventRecord;

test("use of a contract is one run from the request to the record that is linked to the call", () => {
  const hex = "07".repeat(32);
  const contract = toDid("demo", new Uint8Array(32).fill(7));
  const access = { id: "g", grantee: "did:c", owner: "did:a", resource: { kind: "contract", id: hex } };
  const events = [
    at(1, "t1", { type: "access_requested", access }), at(2, "t2", { type: "access_granted", access }), at(3, "t3", { type: "contract_called", caller: "did:c", contract, entry: "execute" }),
    // Somebody else's call of the same contract, without any request, and records that belong elsewhere.
    at(4, "t4", { type: "contract_called", caller: "did:x", contract, entry: "execute" }), at(5, "t5", { type: "recorded", link: "t4" }), at(6, "t6", { type: "recorded" }),
    at(7, "t7", { type: "recorded", link: "t3" }),
  ];
  expect(runsOf(clause("10.4"), events).map((run) => run.events.map((one) => one.transaction))).toEqual([["t1", "t2", "t3", "t7"]]);
  expect(runsOf(clause("10.5"), events)).toEqual([]);
  expect(runsOf(clause("10.7"), events)).toEqual([]);
});

test("use of a service outside the ledger is a run of 10.5 and of no other", () => {
  const access = { id: "g", grantee: "did:c", owner: "did:o", resource: { kind: "service", id: "did:a" } };
  const events = [at(1, "t1", { type: "access_requested", access }), at(2, "t2", { type: "access_denied", access }), at(3, "t3", { type: "access_used", access }), at(4, "t4", { type: "recorded", link: "t3" })];
  const [run] = runsOf(clause("10.5"), events);
  expect(run?.events.length).toBe(4);
  expect(run?.events.flatMap((one) => clause("10.5").events[one.event.type]?.(one.event as never, one.height) ?? []).map((one) => one.step)).toEqual(["1", "2", "3", "3", "3", "3", "4", "5", "5", "5", "5", "6", "7"]);
  expect([...runsOf(clause("10.4"), events), ...runsOf(clause("10.7"), events)]).toEqual([]);
});

test("a contract begins in 10.2 and 10.3, and only there is it announced", () => {
  const steps = (name: string) => (clause(name).events["contract_instantiated"]?.({ type: "" }, 7) ?? []).map((one) => one.step);
  expect(steps("10.2")).toEqual(["4", "5", "6"]);
  expect(steps("10.3")).toEqual(["4", "5", "6", "7", "7"]);
  expect(runsOf(clause("10.3"), [at(1, "t1", { type: "contract_proposed", contract: "did:c" })])).toEqual([]);
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
