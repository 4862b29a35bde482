import type { FunctionComponent, VNode } from "preact";
import { expect, test, vi } from "vitest";
import type { Tagged } from "../../src/lib/model.ts";
import { Action, Event } from "../../src/ui/tagged.tsx";

// The page has an address when its parts are read.
vi.hoisted(() => Object.assign(globalThis, { location: { origin: "http://127.0.0.1", pathname: "/", search: "" } }));

/** What a part says: text as it is, a component by its name and what it is of. */
function said(part: unknown): string {
  if (Array.isArray(part)) return part.map(said).join("");
  if (typeof part === "string" || typeof part === "number") return String(part);
  if (typeof part !== "object" || part === null) return "";
  const { type, props } = part as VNode<Record<string, unknown>>;
  const inside = said(props["children"]);
  return typeof type === "function" && inside === "" ? `<${(type as FunctionComponent).displayName} ${String(props["did"] ?? props["id"] ?? props["of"] ?? "")}>` : inside;
}

const event = (type: string, fields: object) => said(Event({ of: { type, ...fields } as Tagged }));
const action = (type: string, fields: object) => said(Action({ of: { type, ...fields } as Tagged }));

test.each([
  [event("bound", { gateway: "did:g", thing: "did:t", until_height: 1234 }), "<Who did:g> may submit for <Who did:t> until block 1,234"],
  [event("batch_accepted", { thing: "did:t", count: 3, first_seq: 7, stream: "ab" }), "<Who did:t>: 3 readings, numbers 7 to 9"],
  [event("gap_filled", { count: 1, first_seq: 7, stream: "ab" }), "1 late reading came, number 7"],
  [event("contract_emitted", { contract: "did:c", name: "billed", attributes: [{ key: "owed", value: "600" }] }), "contract <Who did:c> says billed: owed 600"],
  [event("access_granted", { access: { grantee: "did:g", right: "read", resource: { kind: "thing", id: "did:t" }, purpose: "care" }, by: "did:o", until_height: 9 }), "access of <Who did:g> to read <Who did:t> for care was allowed by <Who did:o> until block 9"],
  [event("proposal_accepted", { proposal: "ab", due_height: 2048 }), "a proposal is accepted, to take effect from block 2,048"],
  [event("contract_proposed", { creator: "did:a", contract: "did:c", threshold: 2, participants: ["did:a", "did:b"] }), "<Who did:a> proposed contract <Who did:c>: 2 of <Who did:a>, <Who did:b> must accept"],
  [action("register_entity", { kind: "gateway", name: "x@y #1 (a)", entity: "did:e" }), "register the gateway x@y #1 (a) <Who did:e>"],
  [action("report_command", { command: "ab", state: "in_progress" }), "answer command <Id ab>: in progress"],
  [action("something_new", { thing: "did:t", count: 2, on: true }), "something new: thing <Who did:t>, count 2, on true"],
  [event("tokens", { what: "transferred", from: "did:a", to: "did:b", amount: "1250", memo: "" }), "<Who did:a> paid <Who did:b> <Amount 1250>"],
  [event("tokens", { what: "account_frozen", account: "did:a", frozen: true }), "members froze the account of <Who did:a>"],
  [action("open_escrow", { payee: "did:b", amount: "7", until_height: 1234, memo: "" }), "lock <Amount 7> for <Who did:b> until block 1,234"],
  [event("constructor", {}), "constructor"],
])("%s", (found, expected) => {
  expect(found).toBe(expected);
});
