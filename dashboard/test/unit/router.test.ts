import { expect, test } from "vitest";
import { parseMetrics } from "../../src/lib/metrics.ts";
import { href, match } from "../../src/router.ts";

const HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const DID = "did:althing:demo:A63aGmdPBHkRHHKnqa1DrShCpGpmWcSMaxLD2PTz1oeu";

test.each([
  ["/", "overview", []],
  [href.thing(DID), "thing", [DID]],
  [href.reading(HEX, 7), "reading", [HEX, "7"]],
  [href.block(12), "block", ["12"]],
  [href.trigger(HEX), "trigger", [HEX]],
  ["/blocks/x", "missing", []],
  ["/readings/short/7", "missing", []],
  ["/things/%E0%A4%A", "missing", []],
  ["/v1/status", "missing", []],
])("%s is %s", (path, view, parts) => expect(match(path, "")).toMatchObject({ view, parts }));

test("figures without labels are read", () => {
  const text = "# HELP x y\nalthing_height 12\nalthing_x_total 1.5e3\nother{a=\"b\"} 3\n";
  expect([...parseMetrics(text)]).toEqual([["althing_height", 12], ["althing_x_total", 1500]]);
});
