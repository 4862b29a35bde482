// Writes a long stream with the TypeScript package: a chart must stay quick however much there is.

import { openAccount } from "./account.mjs";

/** Readings of a batch, and batches of a transaction. */
const [READINGS, BATCHES] = [4000, 10];
const START_MS = Date.UTC(2020, 0, 1);
const STEP_MS = 60_000;
/** Three weeks without readings, after so many of them. */
const GAP = { after: 400_000, ms: 21 * 86_400_000 };

const DESCRIPTION = JSON.stringify({
  "@context": "https://www.w3.org/2022/wot/td/v1.1", title: "A million readings", securityDefinitions: { none: { scheme: "nosec" } }, security: "none",
  properties: { level: { type: "number", multipleOf: 0.01, unit: "m", readOnly: true, forms: [{ href: "mqtt://a/b" }] } },
});

function reading(at) {
  const claimedMs = BigInt(START_MS + at * STEP_MS + (at >= GAP.after ? GAP.ms : 0));
  const mantissa = BigInt(Math.round(1000 + 600 * Math.sin(at / 40_000) + 90 * Math.sin(at / 700)));
  return { claimedMs, receivedMs: claimedMs + 1n, value: { kind: "number", mantissa } };
}

/** Registers a thing and writes `total` readings of it; gives its id and that of its stream. */
export async function writeLong(base, keyFile, total) {
  const { actions, client, finalize } = await openAccount(base, keyFile);
  await finalize([actions.registerThing("long", DESCRIPTION)]);
  const { items } = await client.things({ name: "long" });
  const thing = items.find((one) => one.name === "long");
  for (let first = 0; first < total; first += READINGS * BATCHES) {
    const parts = Array.from({ length: Math.min(BATCHES, Math.ceil((total - first) / READINGS)) }, (_, part) => {
      const from = first + part * READINGS;
      const readings = Array.from({ length: Math.min(READINGS, total - from) }, (_, at) => reading(from + at));
      return actions.submitBatch(thing.id, "level", BigInt(from), readings);
    });
    await finalize(parts.map((one) => one.action), parts.map((one) => one.payload));
  }
  return { thing: thing.id, stream: thing.properties[0].stream };
}
