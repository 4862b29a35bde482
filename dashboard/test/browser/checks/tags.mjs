// Words by which owners let their things be found.

import assert from "node:assert/strict";
import { join } from "node:path";
import { until } from "../network.mjs";
import { close, network, open, signIn } from "../stage.mjs";

export const checks = {
  async "a thing is tagged by its owner in the browser, and found by its tags"() {
    const { items: [thing] } = await network.get("/v1/things?name=machine-1");
    const page = await open("/sign");
    await signIn(page, join(network.folder, "organisations", "1.json"));
    await page.getByRole("link", { name: "Things", exact: true }).click();
    await page.getByRole("link", { name: thing.title }).first().click();
    const form = page.locator(".card").filter({ has: page.getByRole("heading", { level: 2, name: "Tags" }) });
    await form.getByLabel("Tags").fill("hall 2, <i>cold</i> ,hall 2");
    await form.getByRole("button", { name: "Sign and tag" }).click();
    await form.getByText("took effect").waitFor();
    const known = async () => (await network.get(`/v1/things/${encodeURIComponent(thing.id)}`)).tags ?? [];
    assert.deepEqual(await known(), ["<i>cold</i>", "hall 2"]);
    await page.locator(".lead").getByRole("link", { name: "hall 2" }).click();
    const rows = page.locator(".thing-row");
    await rows.filter({ hasText: thing.title }).waitFor();
    await until(async () => (await rows.count()) === 1);
    assert.equal(await page.getByLabel("Tag", { exact: true }).inputValue(), "hall 2");
    await page.getByLabel("Tag", { exact: true }).fill("hall 3");
    await page.getByText("No thing fits this filter.").waitFor();
    assert.equal(await page.locator("main i").count(), 0, "a tag is text");
    network.command("thing", "tag", "machine-1", "--key", join(network.folder, "organisations", "1.json"));
    assert.deepEqual(await known(), []);
    await close(page);
  },
};
