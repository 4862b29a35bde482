// A machine that is busy, a connection that breaks, a tab that nobody looks at: pages are late then, but never stand still.

import assert from "node:assert/strict";
import { until } from "../network.mjs";
import { chartGrows, network, open } from "../stage.mjs";

const PATIENCE_MS = 60_000;
/** Longer than a gateway waits until it submits what it has. */
const ANSWER_MS = 6000;

/** A page of the machine whose chart is drawn; `meddle` is given the page before it asks for anything. */
async function machine(meddle) {
  const { items: [thing] } = await network.get("/v1/things?name=machine-1");
  const page = await open("/verify");
  await meddle(page);
  await page.goto(`${network.base}/things/${thing.id}`);
  await page.locator(".chart .plot-line").waitFor({ timeout: PATIENCE_MS });
  return page;
}

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const checks = {
  // Each of these stood still: an answer was given up for the next news, and a page that heard of none asked for nothing.
  async "a chart grows though each answer takes longer than the next news"() {
    const page = await machine((it) => it.route("**/v1/streams/**", async (route) => {
      await later(ANSWER_MS);
      await route.continue().catch(() => undefined);
    }));
    await chartGrows(page, PATIENCE_MS);
    await chartGrows(page, PATIENCE_MS);
    await page.context().close();
  },

  async "a chart grows though the stream of events is not to be had"() {
    const page = await machine((it) => it.route("**/v1/events*", (route) => route.abort()));
    await chartGrows(page, PATIENCE_MS);
    await page.goto(network.base);
    await page.locator(".live-line").first().waitFor();
    await page.context().close();
  },

  async "a stream of events that broke goes on behind the last event"() {
    const asked = [];
    const page = await machine(async (it) => {
      await it.addInitScript(() => {
        // Every stream of events breaks after a while, as on a bad line.
        const real = window.fetch;
        window.fetch = async (input, init) => {
          const answer = await real(input, init);
          if (!String(input).includes("/v1/events")) return answer;
          const reader = answer.body.getReader();
          const end = Date.now() + 2000;
          return new Response(new ReadableStream({
            async pull(controller) {
              if (Date.now() > end) return controller.error(new TypeError("broken"));
              const { done, value } = await reader.read();
              if (done) controller.close();
              else controller.enqueue(value);
            },
          }), { headers: answer.headers });
        };
      });
      it.on("request", (request) => request.url().endsWith("/v1/events") && asked.push(request.headers()["last-event-id"]));
    });
    await until(() => asked.filter((cursor) => cursor !== undefined).length >= 2, PATIENCE_MS, () => `asked behind ${asked}`);
    await chartGrows(page, PATIENCE_MS);
    await page.context().close();
  },

  async "a page that nobody looked at is up to date as soon as somebody does"() {
    const page = await machine(() => undefined);
    const look = (hidden) => page.evaluate((value) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
    await look(true);
    // What was under way when it was hidden still comes.
    await later(2500);
    const requests = [];
    page.on("request", (request) => requests.push(request.url()));
    await later(4000);
    assert.deepEqual(requests, [], "nothing is asked of the peer for nobody");
    await look(false);
    await chartGrows(page, PATIENCE_MS);
    await page.context().close();
  },
};
