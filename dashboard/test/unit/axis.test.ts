import { expect, test } from "vitest";
import { niceStep, numberTicks, timeTicks } from "../../src/lib/axis.ts";

const texts = (ticks: { text: string }[]) => ticks.map((one) => one.text);

test("steps are those that people count in", () => {
  expect([niceStep(10, 5), niceStep(1, 4), niceStep(97, 5), niceStep(0.003, 3)]).toEqual([2, 0.5, 20, 0.001]);
});

test("numbers have as many decimals as their step", () => {
  expect(texts(numberTicks(0.1, 0.42, 4))).toEqual(["0.1", "0.2", "0.3", "0.4"]);
  expect(texts(numberTicks(-1500, 2600, 5))).toEqual(["-1,000", "0", "1,000", "2,000"]);
  expect(numberTicks(5, 5, 5)).toEqual([]);
});

test("a day is named where it begins", () => {
  const from = Date.UTC(2013, 11, 2, 21, 15);
  expect(texts(timeTicks(from, from + 6 * 3_600_000, 6))).toEqual(["22:00\n2 Dec", "23:00", "00:00\n3 Dec", "01:00", "02:00", "03:00"]);
});

test("days, months and years follow each other", () => {
  const from = Date.UTC(2013, 11, 2);
  expect(texts(timeTicks(from, from + 4 * 86_400_000, 6))).toEqual(["2 Dec", "3 Dec", "4 Dec", "5 Dec", "6 Dec"]);
  expect(texts(timeTicks(from, from + 120 * 86_400_000, 6))).toEqual(["Jan 2014", "Feb 2014", "Mar 2014", "Apr 2014"]);
  expect(texts(timeTicks(from, Date.UTC(2017, 1), 6))).toEqual(["2014", "2015", "2016", "2017"]);
});

test("however long the time, the marks are few", () => {
  for (let span = 1; span < 1e13; span *= 3.7) expect(timeTicks(1e12, 1e12 + span, 8).length).toBeLessThan(12);
});
