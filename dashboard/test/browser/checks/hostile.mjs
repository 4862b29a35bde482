// Text from the ledger that means harm.

import assert from "node:assert/strict";
import { join } from "node:path";
import { HOSTILE } from "../hostile.mjs";
import { until } from "../network.mjs";
import { close, network, open, text, wrongs } from "../stage.mjs";

/** A name as long as the ledger admits, with nowhere to break. */
const LONG = "x".repeat(60);

export const checks = {
  async "names without a space to break at are no wider than a phone"() {
    const key = join(network.folder, "organisations", "1.json");
    const description = {
      "@context": "https://www.w3.org/2022/wot/td/v1.1", title: LONG, securityDefinitions: { none: { scheme: "nosec" } }, security: "none",
      properties: { [LONG]: { type: "number", multipleOf: 0.01, unit: "m", forms: [{ href: "mqtt://a/b" }] } },
    };
    network.command("thing", "register", "--name", LONG, "--description", network.write("long.json", JSON.stringify(description)), "--key", key);
    const { items: [thing] } = await network.get(`/v1/things?name=${LONG}`);
    network.command("service", "publish", network.write("long.toml", `name = "${LONG}"\nversion = "1.0.0"\ntext = "${LONG}"\npurpose = "${LONG}"\ninterfaces = ["${LONG}"]\ntags = ["${LONG}"]\n[outside]\nendpoints = ["http://${LONG}/${LONG}"]\n[price]\ntext = "${LONG}"`), "--key", key);
    const { items: [service] } = await network.get(`/v1/services?name=${LONG}`);
    network.command("trigger", "set", LONG, `when ${LONG}/${LONG} > 1 then record ${LONG} saying "${LONG}"`, "--key", key);
    const { items: triggers } = await network.get("/v1/triggers");
    const page = await open("/", { viewport: { width: 360, height: 740 } });
    for (const path of ["/", "/things", `/things/${thing.id}`, `/entities/${thing.owner}`, "/ledger?show=events", "/services", `/services/${service.id}`, "/contracts", `/triggers/${triggers[0].id}`, "/operations", "/procedures"]) {
      await page.goto(network.base + path);
      await page.locator("h1").first().waitFor();
      await until(async () => (await page.locator(".loading").count()) === 0);
      await page.waitForTimeout(500);
      const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= seen, `${path} is ${wide} px wide`);
    }
    page.wrong = wrongs(page);
    await close(page);
    network.command("trigger", "remove", LONG, "--key", key);
  },

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
    page.wrong = wrongs(page);
    await close(page);
  },
};
