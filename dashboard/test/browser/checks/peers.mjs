// Peers that fall silent. It comes last, for it ends some.

import assert from "node:assert/strict";
import { join } from "node:path";
import { until } from "../network.mjs";
import { digits, network, open, text, wrongs } from "../stage.mjs";

export const checks = {
  async "a peer that falls silent is named, and the peer that serves the page is missed"() {
    const page = await open("/");
    await page.getByText("All 4 peers are at work").waitFor();
    network.kill("peer-4");
    await page.getByText("The others go on without it").waitFor({ timeout: 40_000 });
    const before = digits(await text(page, ".hub-height"));
    await until(async () => digits(await text(page, ".hub-height")) > before + 3, 30_000);
    await page.goto(`${network.base}/operations`);
    await page.getByText("peer-4 is not connected to this peer").waitFor();
    assert.deepEqual(wrongs(page), []);
    await page.goto(network.base);
    await page.locator(".live-line").first().waitFor();
    network.kill("peer-1");
    await page.getByText("This peer has not answered for").waitFor();
    await page.getByText("as of block").first().waitFor();
    // What went wrong so far is that the peer is gone; the others show the same page.
    const lost = page.wrong.splice(0);
    const other = page.locator(".lost").getByRole("link").first();
    const there = new URL(await other.getAttribute("href"));
    assert.notEqual(there.origin, network.base);
    await other.click();
    await page.getByRole("heading", { level: 1, name: "keep one record" }).waitFor();
    await page.locator(".sentence").getByText(/silent|waits/).first().waitFor();
    assert.equal(new URL(page.url()).origin, there.origin);
    page.wrong = lost;
    assert.ok(wrongs(page).every((line) => /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED|network error/i.test(line)), page.wrong.join("\n"));
    await page.context().close();
  },
};
