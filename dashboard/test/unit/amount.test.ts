import { describe, expect, test } from "vitest";
import { amount, units } from "../../src/lib/amount.ts";

const token = (decimals: number) => ({ name: "Watt", symbol: "watt", decimals });

describe("amounts are shown exactly, in whole tokens", () => {
  test.each([
    ["0", 0, "0"],
    ["0", 6, "0"],
    ["125050", 2, "1,250.5"],
    ["1", 2, "0.01"],
    ["100", 2, "1"],
    ["1", 18, "0.000000000000000001"],
    ["9007199254740993", 0, "9,007,199,254,740,993"],
    ["1000000000000000000000000000000000001", 2, "10,000,000,000,000,000,000,000,000,000,000,000.01"],
  ])("%s units at %i places are %s", (text, decimals, shown) => expect(amount(text, token(decimals))).toBe(`${shown}\u202fwatt`));
});

describe("amounts are read exactly as they are written", () => {
  test.each([
    ["12.5", 2, 1250n],
    [" 12 ", 2, 1200n],
    ["0.01", 2, 1n],
    ["1.50", 2, 150n],
    // As a binary number this would be another.
    ["9007199254740993", 0, 9007199254740993n],
    ["0.300000000000000004", 18, 300000000000000004n],
    ["1000000000000000000000000000000000000", 0, 10n ** 36n],
  ])("%s at %i places", (text, decimals, made) => expect(units(text, token(decimals))).toBe(made));

  test.each(["", ".", ".5", "1.", "-1", "+1", "1e3", "0x10", "1,5", "1 000", "007", "٣", "NaN", "Infinity", "1.2.3", "<b>", "9".repeat(60)])("“%s” is none, and the sentence says what to write", (text) => {
    expect(() => units(text, token(2))).toThrow(/no amount of watt: write digits/);
  });

  test.each([
    ["1.234", 2, "watt has 2 decimal places, not 3."],
    ["1.2", 0, "watt has 0 decimal places, not 1."],
    ["1.23", 1, "watt has 1 decimal place, not 2."],
    ["0", 2, "An amount is more than nothing."],
    ["0.00", 2, "An amount is more than nothing."],
    ["1000000000000000000000000000000000001", 0, "No ledger has so much."],
    ["100000000000000000000", 18, "No ledger has so much."],
  ])("%s at %i places: %s", (text, decimals, said) => expect(() => units(text, token(decimals))).toThrow(said));
});
