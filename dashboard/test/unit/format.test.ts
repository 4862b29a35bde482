import { describe, expect, test } from "vitest";
import { ago, bytes, count, decimal, duration, endless, instant, plain, quantity, rate, short, unit } from "../../src/lib/format.ts";

describe("decimals are rounded exactly, as text", () => {
  test.each([
    ["73.96732207", 2, "73.97"],
    ["73.96432207", 2, "73.96"],
    ["-0.005", 2, "-0.01"],
    ["-0.004", 2, "0"],
    ["0.1", 2, "0.1"],
    ["1234567.5", 0, "1,234,568"],
    ["12345678901234567890123456789.995", 2, "12,345,678,901,234,567,890,123,456,790"],
    ["100", 2, "100"],
    ["99.999", 2, "100"],
    ["0", 3, "0"],
    ["true", 2, "true"],
    ["<b>", 2, "<b>"],
  ])("%s to %i places is %s", (text, places, shown) => expect(decimal(text, places)).toBe(shown));
});

test("units are those that people write", () => {
  expect(unit("[degF]")).toBe("°F");
  expect(unit("constructor-of-nothing")).toBe("constructor-of-nothing");
  expect(quantity("2.345", "number", "%")).toBe("2.35%");
  expect(quantity("21.5", "number", "Cel")).toBe("21.5\u202f°C");
  expect(quantity("open", "text", "")).toBe("open");
});

test("lengths of time and ages", () => {
  expect([0, 480, 3200, 12_000, 300_000, 7_200_000, 259_200_000].map(duration)).toEqual(["0 ms", "480 ms", "3.2 s", "12 s", "5 min", "2 h", "3 d"]);
  expect(ago(900)).toBe("just now");
  expect(ago(12_400)).toBe("12 s ago");
});

test("times are in UTC", () => {
  expect(instant(1386018900000)).toBe("2 Dec 2013, 21:15:00");
  expect(instant(Number.NaN)).toBe("—");
});

test("numbers, rates and sizes", () => {
  expect(count(1234567)).toBe("1,234,567");
  expect([0, 0.44, 9.96, 1234.5].map(rate)).toEqual(["0", "0.4", "10.0", "1,235"]);
  expect([999, 2370, 45_600, 3_400_000].map(bytes)).toEqual(["999 B", "2.4 kB", "46 kB", "3.4 MB"]);
});

test("ids are shown by their ends", () => {
  expect(short("did:althing:demo:A63aGmdPBHkRHHKnqa1DrShCpGpmWcSMaxLD2PTz1oeu")).toBe("A63aGm…1oeu");
  expect(short("peer-1")).toBe("peer-1");
});

test("the greatest height means without end", () => {
  expect(endless(18446744073709551615)).toBe(true);
  expect(endless(1000)).toBe(false);
});

test("text of the ledger loses what turns or hides text, and is bounded", () => {
  expect(plain("a\u202eb\u0000c\nd\u200be")).toBe("a·b·c·d·e");
  expect(plain("x".repeat(500), 10)).toBe(`${"x".repeat(10)}…`);
  expect(plain("<script>")).toBe("<script>");
});
