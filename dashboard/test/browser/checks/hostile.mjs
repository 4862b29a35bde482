// Text from the ledger that means harm.

import assert from "node:assert/strict";
import { join } from "node:path";
import { HOSTILE } from "../hostile.mjs";
import { until } from "../network.mjs";
import { close, network, open, text } from "../stage.mjs";

export const checks = {
  async "two hundred hostile names run no script and break no page"() {
    const key = join(network.folder, "organisations", "1.json");
    let registered = 0;
    HOSTILE.forEach((title, at) => {
      const description = {
        "@context": "https://www.w3.org/2022/wot/td/v1.1", title, securityDefinitions: { none: { scheme: "nosec" } }, security: "none",
        properties: { level: { type: "number", multipleOf: 0.01, unit: [...title].slice(0, 16).join(""), forms: [{ href: "mqtt://a/b" }] } },
      };
      const file = network.write("td.json", JSON.stringify(description));
      for (const name of [title, `hostile-${at}`]) {
        try {
          network.command("thing", "register", "--name", name, "--description", file, "--key", key);
          registered += 1;
          return;
        } catch (error) {
          // Names that the ledger refuses cannot come to the page; their titles can.
          if (name !== title) console.log(`    not admitted: ${JSON.stringify(title).slice(0, 60)} ${String(error.stderr).slice(0, 90)}`);
        }
      }
    });
    assert.ok(registered >= 180, `${registered} hostile things are on the ledger`);
    const page = await open("/things");
    await until(async () => Number.parseInt(await text(page, ".tally"), 10) >= registered + 5);
    for (let at = 0; at < 24; at += 1) {
      await page.locator(".thing-list").evaluate((list) => list.scrollBy(0, list.clientHeight * 0.8));
      await page.waitForTimeout(60);
    }
    const { items } = await network.get("/v1/things?limit=200");
    for (const thing of items.filter((_, at) => at % 9 === 0)) {
      await page.goto(`${network.base}/things/${thing.id}`);
      await page.getByText("is the one on the ledger").waitFor();
    }
    await page.goto(`${network.base}/ledger?show=events`);
    await page.locator(".events li").nth(30).waitFor();
    await page.goto(network.base);
    await page.locator(".search input").fill("<");
    await page.locator('[role="option"]').first().waitFor();
    assert.equal(await page.evaluate(() => window.pwned), undefined);
    assert.equal(await page.locator("main img, main iframe, main script, main base, main meta").count(), 0);
    await close(page);
  },
};
