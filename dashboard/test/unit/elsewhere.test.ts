import { expect, test } from "vitest";
import { elsewhere, linkAt } from "../../src/lib/elsewhere.ts";
import type { Peer } from "../../src/lib/model.ts";

const peer = (name: string, heard: number, http?: string): Peer => ({
  key: name, id: `did:${name}`, name, organisation: "", organisation_name: "", role: "validator", this: name === "a", connected: true,
  heard: { ms: heard, utc: "" }, ...(http === undefined ? {} : { http }),
});

test("the same page is offered at those heard last, and never at this peer", () => {
  const peers = [peer("a", 9, "http://a"), peer("b", 5, "http://b:1/"), peer("c", 8, "https://c/x"), peer("d", 9)];
  expect(elsewhere(peers, "/things?name=x").map((one) => one.link)).toEqual(["https://c/x/things?name=x", "http://b:1/things?name=x"]);
});

test("only addresses of the web are followed", () => {
  for (const http of ["javascript:alert(1)", "data:text/html,x", "nonsense", ""]) expect(linkAt(peer("b", 1, http), "/")).toBeUndefined();
});
