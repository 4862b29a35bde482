import { expect, test } from "vitest";
import { affordances, jsonOf } from "../../src/lib/description.ts";

const LAMP = JSON.stringify({
  properties: { level: { type: "number", minimum: 0, maximum: 100, unit: "%" }, on: { type: "boolean", readOnly: true } },
  actions: { fade: { title: "Fade", input: { type: "object", properties: { to: { type: "integer" }, curve: { enum: ["linear", "smooth"] } } } }, reset: {}, load: { input: { type: "array" } } },
});

test("forms follow from the description", () => {
  const found = affordances(LAMP);
  expect(found.map((one) => `${one.operation} ${one.name}`)).toEqual(["invoke fade", "invoke reset", "invoke load", "write level", "read level", "read on"]);
  expect(found[0]?.inputs?.map((one) => one.kind)).toEqual(["number", "choice"]);
  expect(found[1]?.inputs).toEqual([]);
  expect(found[2]?.inputs).toBeUndefined();
  expect(found[3]?.inputs?.[0]?.hint).toBe("%, 0 to 100");
});

test("what is typed becomes JSON", () => {
  const fade = affordances(LAMP)[0]?.inputs ?? [];
  expect(jsonOf(fade, { to: "40", curve: "smooth" })).toBe('{"to":40,"curve":"smooth"}');
  expect(() => jsonOf(fade, { to: "x" })).toThrow("to is no number");
  expect(jsonOf([], {})).toBeUndefined();
});

test("a description of a stranger breaks nothing", () => {
  for (const text of ["", "[]", "null", '{"actions":[1]}', '{"actions":{"a":5,"b":{"input":7}},"properties":"x"}', '{"properties":{"__proto__":{"type":"number"}}}']) affordances(text);
  expect(affordances('{"actions":{"b":{"input":7}}}')[0]?.inputs).toBeUndefined();
});
