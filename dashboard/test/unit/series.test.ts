import { expect, test } from "vitest";
import type { Aggregates, Reading } from "../../src/lib/model.ts";
import { drawn, moved, nearestAt, runs, toBand, toLine, usualStep } from "../../src/lib/series.ts";

const time = (ms: number) => ({ ms, utc: "" });
const reading = (seq: number, ms: number, value = "1"): Reading => ({ seq, value, claimed: time(ms), received: time(ms), ledger: time(ms), height: 1, leaf: 0 });

test("a line is broken where a number is missing and where time passed", () => {
  const line = toLine([reading(0, 0), reading(1, 1000), reading(3, 2000), reading(4, 3000), reading(5, 60_000)], "number");
  expect(line.seqs).toEqual([0, 1, null, 3, 4, null, 5]);
  expect(line.values.filter((value) => value === null)).toHaveLength(2);
});

test("late readings stand where they belong in time", () => {
  expect(toLine([reading(0, 0), reading(1, 2000), reading(2, 1000)], "number").times).toEqual([0, 500, 1000, 2000]);
});

test("what is no number is not drawn", () => {
  expect([drawn("1.5", "number"), drawn("true", "boolean"), drawn("false", "boolean"), drawn("", "number"), drawn("x", "text")]).toEqual([1.5, 1, 0, null, null]);
});

test("a band is broken where buckets are empty", () => {
  const bucket = (ms: number) => ({ from: time(ms), of: { first_seq: 0, last_seq: 9, earliest: time(ms), latest: time(ms), count: 10, min: "1", max: "3", sum: "20", mean: "2" } });
  const band = toBand({ stream: "", unit: "", bucket_ms: 1000, items: [bucket(0), bucket(1000), bucket(5000)] } as Aggregates);
  expect(band.mean).toEqual([2, 2, null, 2]);
  expect(band.counts).toEqual([10, 10, 0, 10]);
});

test("the usual step is the median", () => {
  expect(usualStep([0, 10, 20, 30, 5000])).toBe(10);
  expect(usualStep([7])).toBe(Number.POSITIVE_INFINITY);
});

test("a window stays within what there is", () => {
  const whole = { from: 0, until: 1000 };
  expect(moved({ from: 0, until: 100 }, -0.5, 1, whole)).toEqual({ from: 0, until: 100 });
  expect(moved({ from: 900, until: 1000 }, 0.5, 1, whole)).toEqual({ from: 900, until: 1000 });
  expect(moved({ from: 400, until: 600 }, 0, 0.5, whole)).toEqual({ from: 450, until: 550 });
  expect(moved({ from: 400, until: 600 }, 0, 100, whole)).toEqual(whole);
});

test("runs end where nothing came, and the nearest time is found", () => {
  const line = toLine([reading(0, 0), reading(1, 1000), reading(3, 2000), reading(4, 3000)], "number");
  expect(runs(line)).toEqual([[0, 1], [3, 4]]);
  expect([-5, 400, 600, 9999].map((ms) => nearestAt([0, 1000, 2000], ms))).toEqual([0, 0, 1, 2]);
  expect(nearestAt([], 5)).toBeUndefined();
});
