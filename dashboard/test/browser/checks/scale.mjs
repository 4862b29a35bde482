// Much of everything: a million readings, ten thousand things.

import assert from "node:assert/strict";
import { join } from "node:path";
import { writeLong } from "../million.mjs";
import { browser, close, network, open, serveDist, shots } from "../stage.mjs";

export const checks = {
  async "a million readings are one chart, with a gap where nothing came"() {
    const total = 1_000_000;
    const began = Date.now();
    const { thing, stream } = await writeLong(network.base, join(network.folder, "organisations", "1.json"), total);
    console.log(`    ${total} readings written in ${Date.now() - began} ms`);
    const page = await open(`/things/${thing}`);
    await page.locator(".plot-area").waitFor();
    await page.getByText("1,000,000 readings from").waitFor();
    assert.equal(await page.locator(".plot-gap").count(), 1, "the weeks without readings are shown");
    const took = await page.evaluate(() => {
      const [entry] = performance.getEntriesByType("resource").filter((one) => one.name.includes("/aggregates"));
      return Math.round(entry.responseEnd - entry.startTime);
    });
    const { items } = await network.get(`/v1/streams/${stream}/aggregates?buckets=700`);
    assert.equal(items.reduce((sum, one) => sum + one.of.count, 0), total);
    const asked = Date.now();
    await page.getByRole("button", { name: "Zoom in" }).click();
    await page.getByText(/^[45]\d\d,\d\d\d readings from/).waitFor();
    console.log(`    the peer thinned out a million readings in ${took} ms; zoomed in, asked and drawn anew after ${Date.now() - asked} ms`);
    if (shots) await page.screenshot({ path: join(shots, "million-wide-light.png") });
    await close(page);
  },

  async "ten thousand things scroll"() {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    if (process.env.DIST) await serveDist(context);
    const page = await context.newPage();
    const { items } = await network.get("/v1/things");
    await page.route("**/v1/things?*", (route) => {
      const after = Number(new URL(route.request().url()).searchParams.get("after") ?? 0);
      const page200 = Array.from({ length: 200 }, (_, at) => ({ ...items[0], id: `${items[0].id.slice(0, -6)}${String(after + at).padStart(6, "1")}`, title: `Thing ${after + at}` }));
      route.fulfill({ json: { items: page200, ...(after + 200 < 10_000 ? { next: String(after + 200) } : {}) } });
    });
    await page.route("**/v1/things/*", (route) => route.fulfill({ json: { ...items[0], id: decodeURIComponent(route.request().url().split("/").at(-1)) } }));
    await page.goto(`${network.base}/things`);
    await page.getByText("10,000 things").waitFor();
    assert.ok((await page.locator(".thing-list li").count()) < 60, "only rows in sight are drawn");
    const slowest = await page.evaluate(async () => {
      const list = document.querySelector(".thing-list");
      let [worst, before] = [0, performance.now()];
      for (let at = 0; at < 60; at += 1) {
        list.scrollTop += list.scrollHeight / 70;
        await new Promise((resolve) => requestAnimationFrame(resolve));
        const now = performance.now();
        [worst, before] = [Math.max(worst, now - before), now];
      }
      list.scrollTop = list.scrollHeight;
      return worst;
    });
    await page.getByText("Thing 9999", { exact: true }).waitFor();
    console.log(`    slowest of 60 frames while scrolling: ${Math.round(slowest)} ms`);
    await context.close();
  },
};
