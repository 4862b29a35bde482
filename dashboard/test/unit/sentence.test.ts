import { expect, test } from "vitest";
import type { Block, Health, Peer, Status } from "../../src/lib/model.ts";
import { sentence, silence } from "../../src/lib/sentence.ts";

const peer = (name: string, heardMs: number | undefined): Peer =>
  ({ name, organisation_name: `Org ${name}`, role: "validator", key: name, ...(heardMs === undefined ? {} : { heard: { ms: heardMs, utc: "" } }) }) as Peer;
const status = { quorum: 3 } as Status;
const ready = { state: "ready", reasons: [], height: 9 } as Health;
const block = { height: 1234, signers: ["a", "b", "c"] } as unknown as Block;
const all = (...heard: (number | undefined)[]) => heard.map((ms, at) => peer("abcdefg"[at] ?? "x", ms));

test("all is well", () => {
  expect(sentence(status, ready, all(1, 1, 1, 1), block)).toEqual({ tone: "good", text: "All 4 peers are at work. Block 1,234 is signed by 3 of them; 3 are enough.", more: [] });
});

test("one is silent, and one more would stop the network", () => {
  const said = sentence(status, ready, all(60_000, 60_000, 60_000, 1000), block);
  expect(said.tone).toBe("warn");
  expect(said.text).toBe("d of Org d has been silent for 59 s. The others go on without it.");
  expect(said.more[0]).toContain("if one more falls silent");
});

test("one that was never heard", () => {
  expect(sentence(status, ready, all(60_000, 60_000, 60_000, undefined), block).text).toContain("since this peer started");
});

test("a peer that does not take part says why", () => {
  const health = { state: "unavailable", reasons: [{ code: "waiting_for_votes", detail: "Waits for votes of Peer C." }], height: 9 } as Health;
  expect(sentence(status, health, all(1, 1, 1, 1), block)).toEqual({ tone: "bad", text: "Waits for votes of Peer C.", more: [] });
});

test("nobody is silent before anybody was heard", () => {
  expect(silence(peer("a", undefined), all(undefined, undefined))).toBe(0);
});
