// Every page: that it loads, shows what the interface says, fits a phone, and is usable by keyboard and screen reader.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { until } from "../network.mjs";
import { chartGrows, close, digits, firstFull, network, open, signIn, text } from "../stage.mjs";

export const checks = {
  async "the first view shows the network as the interface reports it"() {
    const page = await open("/");
    const { items: peers } = await network.get("/v1/peers");
    const status = await network.get("/v1/status");
    await page.getByText("All 4 peers are at work").waitFor();
    for (const peer of peers) await page.locator(".ring").getByText(peer.organisation_name, { exact: true }).first().waitFor();
    await until(async () => digits(await text(page, ".hub-height")) >= status.height);
    await page.locator(".live-line").first().waitFor();
    assert.match(await text(page, ".figures"), new RegExp(`${status.quorum}\\s*of 4 peers`));
    // What was decided before the page was opened, and each thing once.
    await page.locator(".events").getByText("registered").first().waitFor();
    const names = await page.locator(".live-name").allTextContents();
    assert.equal(new Set(names).size, names.length, names.join());
    const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
    console.log(`    first contentful paint after ${Math.round(paint)} ms`);
    // The first view wants few events; the page of all of them once had no more, for what was read is remembered.
    const few = await page.locator(".events > li").count();
    await page.getByRole("link", { name: "all events" }).click();
    await page.getByRole("heading", { level: 1, name: "Ledger" }).waitFor();
    await until(async () => (await page.locator(".events > li").count()) > few);
    await close(page);
  },

  async "every view loads and shows its numbers"() {
    const page = await open("/things");
    const { items: things } = await network.get("/v1/things");
    for (const thing of things) await page.getByText(thing.title, { exact: true }).first().waitFor();
    await page.getByText("5 things").waitFor();
    const thing = things.find((one) => one.name === "machine-1");
    await page.goto(`${network.base}/things/${thing.id}`);
    await page.locator(".chart .plot-line").waitFor();
    await page.getByText("is the one on the ledger").waitFor();
    // What is measured meanwhile comes into the chart by itself.
    await chartGrows(page);
    await page.getByRole("button", { name: "Zoom in" }).click();
    await page.getByRole("button", { name: "Earlier" }).click();
    await page.goto(`${network.base}/ledger`);
    await page.locator("tbody tr").nth(20).waitFor();
    for (const [tab, shown] of [["Events", "registered"], ["Entities", "Steelworks"]]) {
      await page.getByRole("link", { name: tab, exact: true }).click();
      await page.getByText(shown).first().waitFor();
    }
    const block = await firstFull();
    await page.goto(`${network.base}/blocks/${block.height}`);
    await until(async () => (await page.locator(".votes .yes").count()) === block.signers.length);
    await page.locator("tbody a").first().click();
    await page.getByText("took effect").first().waitFor();
    await page.getByRole("button", { name: "Verify in this browser" }).click();
    await page.getByText("It holds").waitFor();
    for (const [path, shown] of [["/procedures", "Notification."], ["/operations", "Nothing needs doing."], ["/operations", "present"], ["/operations", "may submit for"], ["/operations", "% of one processor"], ["/verify", "Drop a bundle here"]]) {
      await page.goto(network.base + path);
      await page.getByText(shown).first().waitFor();
    }
    await close(page);
  },

  async "whatever there is, is found: by height, digest, DID and name"() {
    const { items: [thing] } = await network.get("/v1/things?name=machine-1");
    const block = await firstFull();
    const page = await open("/");
    await page.locator(".live-line").first().waitFor();
    const search = page.locator(".search input");
    for (const [asked, heading] of [
      [String(block.height), `Block ${block.height}`], [block.digest, `Block ${block.height}`], [block.transaction_ids[0], "Transaction"],
      [thing.id, thing.title], [thing.properties[0].stream, thing.title], ["machine", thing.title], [thing.owner, "Steelworks"], ["Steelw", "Steelworks"],
    ]) {
      await search.fill(asked);
      await page.locator('[role="option"]').first().waitFor();
      await search.press("Enter");
      await page.getByRole("heading", { level: 1, name: heading }).waitFor();
    }
    // What an id may stand for is asked of the peer in turn, and the browser notes what it does not stand for.
    page.wrong = page.wrong.filter((line) => !/status of 404/.test(line));
    await close(page);
  },

  async "no view is wider than a phone"() {
    const page = await open("/", { viewport: { width: 360, height: 740 } });
    for (const path of ["/", "/things", "/ledger", "/ledger?show=entities", "/ledger?show=vouchers", "/blocks/3", "/access", "/contracts", "/services", "/governance", "/procedures", "/operations", "/verify", "/sign"]) {
      await page.goto(network.base + path);
      await page.locator("h1").first().waitFor();
      await page.waitForTimeout(800);
      const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= seen, `${path} is ${wide} px wide`);
      // The links scroll there: that of the page one is on is in sight.
      const link = page.locator("nav [aria-current]").first();
      const box = (await link.count()) > 0 && (await link.boundingBox());
      assert.ok(!box || (box.x >= -1 && box.x + box.width <= seen + 1), `${path} is not in sight among the links`);
    }
    await close(page);
  },

  async "the way to every page is in sight at any width of a desk"() {
    const page = await open("/");
    await page.getByRole("link", { name: "Operations", exact: true }).waitFor();
    // Those too that the demo has no reason to offer.
    await page.locator(".top nav").evaluate((nav) => ["Tokens", "Links"].forEach((name) => {
      const link = nav.lastElementChild.cloneNode(true);
      link.lastElementChild.textContent = name;
      nav.prepend(link);
    }));
    for (const width of [1920, 1500, 1440, 1366, 1280, 1024, 870]) {
      await page.setViewportSize({ width, height: 800 });
      await page.getByRole("link", { name: "Verify", exact: true }).waitFor();
      const [needs, has] = await page.locator(".top nav").evaluate((nav) => [nav.scrollWidth, nav.clientWidth]);
      assert.ok(needs <= has, `at ${width} px the links take ${needs} px of ${has}`);
    }
    await close(page);
  },

  async "no view breaks a rule of accessibility, light or dark"() {
    const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    const { items: things } = await network.get("/v1/things");
    const stream = things[0].properties[0].stream;
    const block = await firstFull();
    const paths = [
      "/", "/things", `/things/${things[0].id}`, `/readings/${stream}/0`, "/verify", "/ledger", "/ledger?show=events", "/ledger?show=entities",
      `/blocks/${block.height}`, `/transactions/${block.transaction_ids[0]}`, `/entities/${things[0].owner}`, "/access", "/contracts", "/services", "/ledger?show=vouchers", "/governance", "/procedures", "/operations", "/sign", "/nowhere",
    ];
    const found = [];
    for (const colorScheme of ["light", "dark"]) {
      const page = await open("/", { colorScheme, reducedMotion: "reduce" });
      const look = async (name) => {
        await page.locator("h1").first().waitFor();
        await until(async () => (await page.locator(".loading").count()) === 0);
        await page.evaluate(source);
        const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
        found.push(...violations.map((one) => `${name} ${colorScheme}: ${one.id} (${one.help}): ${one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ""}`).join(" | ")}`));
      };
      for (const path of paths) {
        await page.goto(network.base + path);
        await look(path);
      }
      // The forms are there for whoever can sign.
      await signIn(page, join(network.folder, "organisations", "1.json"));
      await page.getByRole("button", { name: "Say that it is you" }).click();
      await page.locator(".reader").waitFor();
      await look("sign, signed in");
      for (const name of ["Access", "Contracts", "Governance"]) {
        await page.getByRole("link", { name }).click();
        await page.getByRole("heading", { level: 1, name }).waitFor();
        await look(`${name}, signed in`);
      }
      await page.context().close();
    }
    assert.deepEqual(found, []);
  },

  async "it is usable by keyboard alone"() {
    const page = await open("/");
    await page.locator(".live-line").first().waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "To the content");
    await page.keyboard.press("/");
    await page.keyboard.type("machine");
    await page.locator('[role="option"]').first().waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Large industrial machine" }).waitFor();
    await until(() => page.evaluate(() => document.activeElement.tagName === "H1"));
    await page.locator(".chart .plot-line").waitFor();
    await page.locator(".chart-box").focus();
    await page.keyboard.press("+");
    await until(() => page.getByRole("button", { name: "Zoom out" }).isEnabled());
    await page.keyboard.press("0");
    await page.goto(`${network.base}/things`);
    await page.locator(".thing-row").first().focus();
    await page.keyboard.press("End");
    await until(() => page.evaluate(() => document.activeElement.getAttribute("data-row") === "4"));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Road section 451" }).waitFor();
    for (const field of await page.locator("button, a, input, select").all()) {
      const name = await field.evaluate((one) => one.getAttribute("aria-label") || one.textContent || one.getAttribute("title") || one.labels?.[0]?.textContent);
      assert.ok(name, "every control has a name");
    }
    await close(page);
  },
};
