// The dashboard in a real browser, against a real network. `ALTHING=path` names the program; `CHROMIUM=path`
// the browser. Screenshots go to `SHOTS=folder`, the picture of the README to `PICTURE=file`, if set. `DIST=folder` shows the files of that folder instead of
// those that were built into the program, which saves building it while one works on a page.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { openAccount } from "./account.mjs";
import { contractModule } from "./contract.mjs";
import { HOSTILE } from "./hostile.mjs";
import { writeLong } from "./million.mjs";
import { sameInEveryMode, strangersStayOut } from "./founded.mjs";
import { startNetwork, until } from "./network.mjs";
import { actByItself, liveAndEnd, reachBehindGateway, useEachOther } from "./together.mjs";

const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const PATIENCE_MS = 20_000;

const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => path && existsSync(path));
if (!executablePath) {
  console.error("no browser: apt-get install chromium, or name one with CHROMIUM=path");
  process.exit(1);
}

const network = await startNetwork();
const browser = await chromium.launch({ executablePath, args: ARGS });
const shots = process.env.SHOTS;
if (shots) mkdirSync(shots, { recursive: true });

/** Answers with the files of `dist` in place of the program's, under the program's own policy. */
async function serveDist(context) {
  const dist = process.env.DIST;
  const types = { js: "text/javascript", css: "text/css", svg: "image/svg+xml" };
  await context.route(`${network.base}/assets/**`, (route) => {
    const name = new URL(route.request().url()).pathname;
    route.fulfill({ path: join(dist, name), contentType: types[name.split(".").at(-1)] });
  });
  await context.route((url) => url.origin === network.base && !/^\/(v1|assets|metrics|openapi)/.test(url.pathname), async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: readFileSync(join(dist, "index.html"), "utf8") });
  });
}

/** A page that remembers what went wrong on it, and that asks nobody but the peer. */
async function open(path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  if (process.env.DIST) await serveDist(context);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.wrong = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && page.wrong.push(message.text()));
  page.on("pageerror", (error) => page.wrong.push(String(error)));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== network.base && url.protocol !== "blob:") page.wrong.push(`asked ${url.origin}`);
  });
  await page.goto(network.base + path);
  return page;
}

async function close(page) {
  assert.deepEqual(page.wrong, []);
  await page.context().close();
}

/** Opens a key on the page for it, without leaving the program: it is kept no longer than that. */
async function signIn(page, key) {
  await page.getByRole("link", { name: "Sign with your key" }).click();
  await page.locator('input[type="file"]').setInputFiles(key);
  await page.getByRole("button", { name: "Open it" }).click();
  await page.getByText("You sign as").waitFor();
}

const text = (page, selector) => page.locator(selector).first().textContent();
const digits = (shown) => Number(shown.replace(/[^0-9]/g, ""));

/** The first block after the genesis that has transactions. */
async function firstFull() {
  for (let height = 1; ; height += 1) {
    const block = await network.get(`/v1/blocks/${height}`);
    if (block.transactions > 0) return block;
  }
}

const checks = {
  async "the first view shows the network as the interface reports it"() {
    const page = await open("/");
    const { items: peers } = await network.get("/v1/peers");
    const status = await network.get("/v1/status");
    await page.getByText("All 4 peers are at work").waitFor();
    for (const peer of peers) await page.locator(".ring").getByText(peer.organisation_name, { exact: true }).first().waitFor();
    await until(async () => digits(await text(page, ".hub-height")) >= status.height);
    await page.locator(".live-line").first().waitFor();
    assert.match(await text(page, ".figures"), new RegExp(`${status.quorum}\\s*of 4 peers`));
    const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
    console.log(`    first contentful paint after ${Math.round(paint)} ms`);
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
    for (const [path, shown] of [["/procedures", "Notification."], ["/operations", "Nothing needs doing."], ["/operations", "up to date"], ["/operations", "may submit for"], ["/verify", "Drop a bundle here"]]) {
      await page.goto(network.base + path);
      await page.getByText(shown).first().waitFor();
    }
    await close(page);
  },

  async "a reading is verified, and one that was altered is not, with the network off"() {
    const { items } = await network.get("/v1/things");
    const stream = items.find((one) => one.name === "machine-1").properties[0].stream;
    const page = await open(`/readings/${stream}/0`);
    await page.getByText("It holds").waitFor();
    assert.equal(await page.locator(".steps .holds").count(), 13);
    await page.goto(`${network.base}/verify`);
    await page.locator(".anchor-line").getByText("from this peer").waitFor();
    const bundle = await network.bytes(`/v1/proofs/readings/${stream}/0`);
    const altered = Buffer.from(bundle);
    altered[Math.floor(bundle.length / 2)] ^= 1;
    const genesis = JSON.stringify((await network.get("/v1/network")).genesis);
    await page.context().setOffline(true);
    const wrong = page.wrong.length;
    const files = page.locator('input[type="file"]');
    await files.setInputFiles([
      { name: "genesis.json", mimeType: "application/json", buffer: Buffer.from(genesis) },
      { name: "good.proof", mimeType: "application/cbor", buffer: bundle },
    ]);
    await page.getByText("It holds").waitFor();
    await page.getByText("Checked against your own genesis").waitFor();
    console.log(`    ${(await text(page, ".verdict span")).split(". ")[1]}`);
    await files.setInputFiles([{ name: "altered.proof", mimeType: "application/cbor", buffer: altered }]);
    await page.getByText("It does not hold").waitFor();
    assert.equal(await page.locator(".steps .fails").count(), 1);
    for (const [name, buffer] of [["empty.proof", Buffer.alloc(0)], ["noise.proof", Buffer.alloc(5000, 0x9f)], ["text.proof", Buffer.from("<script>")]]) {
      await files.setInputFiles([{ name, mimeType: "application/cbor", buffer }]);
      await page.getByText(name).first().waitFor();
      await page.getByText("It does not hold").waitFor();
    }
    await files.setInputFiles([{ name: "bad.json", mimeType: "application/json", buffer: Buffer.from('{"ledger":1}') }]);
    await page.getByText("This file is no genesis").waitFor();
    // Being off the network is what the console complains about here, and nothing else.
    page.wrong = page.wrong.slice(0, wrong).concat(page.wrong.slice(wrong).filter((line) => !/ERR_INTERNET_DISCONNECTED/.test(line)));
    await close(page);
  },

  async "no view is wider than a phone"() {
    const page = await open("/", { viewport: { width: 360, height: 740 } });
    for (const path of ["/", "/things", "/ledger", "/ledger?show=entities", "/blocks/3", "/procedures", "/operations", "/verify", "/sign"]) {
      await page.goto(network.base + path);
      await page.locator("h1").first().waitFor();
      await page.waitForTimeout(800);
      const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= seen, `${path} is ${wide} px wide`);
    }
    await close(page);
  },

  async "a range is shown to be complete"() {
    const { items: things } = await network.get("/v1/things");
    const stream = things.find((one) => one.name === "machine-1").properties[0].stream;
    const readings = await until(async () => {
      const { items } = await network.get(`/v1/streams/${stream}/readings?limit=20`);
      return items.length >= 10 && items;
    });
    const page = await open(`/ranges/${stream}?from=${readings[2].claimed.ms}&until=${readings[9].claimed.ms}`);
    await page.getByText("8 readings, and none left out").waitFor();
    await page.getByRole("link", { name: "Count, smallest, largest" }).click();
    await page.getByText("Readings, none left out").waitFor();
    await close(page);
  },

  async "no view breaks a rule of accessibility, light or dark"() {
    const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    const { items: things } = await network.get("/v1/things");
    const stream = things[0].properties[0].stream;
    const block = await firstFull();
    const paths = [
      "/", "/things", `/things/${things[0].id}`, `/readings/${stream}/0`, "/verify", "/ledger", "/ledger?show=events", "/ledger?show=entities",
      `/blocks/${block.height}`, `/transactions/${block.transaction_ids[0]}`, `/entities/${things[0].owner}`, "/access", "/contracts", "/governance", "/procedures", "/operations", "/sign", "/nowhere",
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

  async "what the user signs in the browser becomes final, and clause 10.1 is drawn from it"() {
    const page = await open("/sign");
    const key = join(network.folder, "organisations", "1.json");
    await page.locator('input[type="file"]').setInputFiles({ name: "noise.json", mimeType: "application/json", buffer: Buffer.from("{}") });
    await page.getByRole("alert").waitFor();
    await page.locator('input[type="file"]').setInputFiles(key);
    await page.getByRole("button", { name: "Open it" }).click();
    await page.getByText("You sign as").waitFor();
    const record = page.locator(".card").filter({ hasText: "Write a record" });
    const write = async (text, link) => {
      await record.locator("textarea").fill(text);
      await record.getByLabel("Notify").selectOption({ label: "Auditors (organisation)" });
      await record.getByLabel("Belongs to").fill(link);
      await record.getByRole("button", { name: "Sign and submit" }).click();
      await record.getByText("took effect").waitFor();
      return record.locator(".id a").first().getAttribute("title");
    };
    const agreed = await write("D sells E a reading", "");
    await page.reload();
    await page.locator('input[type="file"]').setInputFiles(key);
    await page.getByRole("button", { name: "Open it" }).click();
    await write("the data that belong to it <script>window.pwned=1</script>", agreed);
    const thing = page.locator(".card").filter({ hasText: "Register a thing" });
    await thing.getByLabel("Your name for it").fill("hall-1");
    await thing.getByRole("button", { name: "Sign and register" }).click();
    await thing.getByText("took effect").waitFor();
    const bind = page.locator(".card").filter({ hasText: "Bind a gateway" });
    await bind.getByLabel("Thing").selectOption({ label: "Thermometer in the hall" });
    await bind.getByLabel("Gateway").selectOption({ label: "gateway" });
    await bind.getByRole("button", { name: "Sign and bind" }).click();
    await bind.getByText("took effect").waitFor();
    await thing.getByRole("button", { name: "Sign and register" }).click();
    await thing.locator(".wrong").waitFor();
    // The peer refuses a second thing of that name, and the browser notes the status.
    page.wrong = page.wrong.filter((line) => !/status of 409/.test(line));
    await page.goto(`${network.base}/procedures`);
    await page.locator(".told").getByText("Auditors").first().waitFor();
    await page.getByText("asks to store data").first().waitFor();
    if (shots) await page.screenshot({ path: join(shots, "procedures-record-wide-light.png"), fullPage: true });
    await page.locator(".arrow").first().click();
    await page.getByRole("heading", { level: 1, name: "Transaction" }).waitFor();
    assert.ok(page.url().includes(agreed));
    await close(page);
  },

  async "a lamp is on the map, takes commands, and passes to another owner"() {
    const keys = [1, 2].map((at) => join(network.folder, "organisations", `${at}.json`));
    const { actions, client, finalize, entity } = await openAccount(network.base, keys[0]);
    const described = (title) => JSON.stringify({
      "@context": "https://www.w3.org/2022/wot/td/v1.1", title, securityDefinitions: { none: { scheme: "nosec" } }, security: "none",
      properties: { level: { type: "number", multipleOf: 0.1, minimum: 0, maximum: 100, unit: "%", forms: [{ href: "mqtt://a/b" }] } },
      actions: { fade: { title: "Fade slowly", input: { type: "object", properties: { to: { type: "integer" }, curve: { enum: ["linear", "smooth"] } } }, forms: [{ href: "mqtt://a/c" }] } },
    });
    const places = { "lamp-1": ["44.9778", "-93.2650"], "lamp-2": ["44.9779", "-93.2651"], "lamp-3": ["45.1200", "-93.0100"] };
    for (const [name, [latitude, longitude]] of Object.entries(places)) {
      await finalize([actions.registerThing(name, described(`Street ${name}`))]);
      const [thing] = (await client.things({ name })).items;
      await finalize([actions.reportStatus(thing.id, { online: true, firmware: "1.2.0", place: { latitude, longitude } })]);
    }
    const page = await open("/things?name=lamp");
    await page.getByRole("link", { name: "Map, 3 placed" }).click();
    await page.getByRole("button", { name: "2 things: look closer" }).click();
    await page.getByText("Street lamp-1").first().waitFor();
    if (shots) await page.screenshot({ path: join(shots, "map-wide-light.png"), fullPage: true });
    await page.getByRole("button", { name: "All places" }).click();
    await page.getByRole("link", { name: "Street lamp-3" }).click();
    await page.getByText("1.2.0").waitFor();
    // Opened without leaving the page, for the key is kept no longer than that.
    await page.getByRole("link", { name: "Sign", exact: false }).first().click();
    await page.locator('input[type="file"]').setInputFiles(keys[0]);
    await page.getByRole("button", { name: "Open it" }).click();
    await page.getByText("You sign as").waitFor();
    await page.goBack();
    const form = page.locator(".card").filter({ hasText: "Ask it to do something" });
    await form.locator("select").first().selectOption({ label: "invoke Fade slowly" });
    await form.getByLabel("to", { exact: true }).fill("40");
    await form.getByLabel("curve").selectOption("smooth");
    await form.getByRole("button", { name: "Sign and ask" }).click();
    await form.getByText("took effect").waitFor();
    const commands = page.locator(".card").filter({ hasText: "newest first" }).first();
    await commands.getByText('{"to":40,"curve":"smooth"}').waitFor();
    await commands.getByText("queued", { exact: true }).waitFor();
    await form.locator("select").first().selectOption({ label: "write level" });
    await form.getByLabel("value").fill("12.5");
    await form.getByRole("button", { name: "Sign and ask" }).click();
    await commands.getByText("12.5", { exact: true }).waitFor();
    await commands.getByRole("button", { name: "Take back" }).last().click();
    await commands.getByText("cancelled", { exact: true }).waitFor();
    const offer = page.locator(".card").filter({ hasText: "Pass it on" });
    const { entity: other } = await openAccount(network.base, keys[1]);
    await offer.getByLabel("To whom").fill(other);
    await offer.getByRole("button", { name: "Sign and offer" }).click();
    await page.getByText("Offered to").waitFor();
    if (shots) await page.screenshot({ path: join(shots, "lamp-wide-light.png"), fullPage: true });
    assert.notEqual(entity, other);
    await page.goto(`${network.base}/procedures`);
    await page.getByText("10.6 Connection of").waitFor();
    await page.getByText("the device speaks for itself").waitFor();
    await page.getByText("asks the device").first().waitFor();
    if (shots) await page.screenshot({ path: join(shots, "procedures-more-wide-light.png"), fullPage: true });
    await close(page);
  },

  async "members decide by vote, and are told beforehand what it would lead to"() {
    const page = await open("/governance");
    await page.getByText("Nothing was proposed yet").waitFor();
    assert.equal(await page.getByRole("link", { name: "Governance" }).getAttribute("aria-current"), "page");
    const keys = [1, 2, 3].map((at) => join(network.folder, "organisations", `${at}.json`));
    await signIn(page, keys[0]);
    await page.getByRole("link", { name: "Governance" }).click();
    const form = page.locator(".card").filter({ hasText: "Propose a change" });
    await form.locator("select").first().selectOption("set_voting_rule");
    await form.getByLabel("Blocks from acceptance to effect").fill("5");
    await form.getByLabel("Why").fill("sooner <script>window.pwned=1</script>");
    await form.getByRole("button", { name: "What would it lead to?" }).click();
    await form.getByText("possible").waitFor();
    await form.getByRole("button", { name: "Sign and propose" }).click();
    await form.getByText("took effect").waitFor();
    const proposal = page.locator(".entries > li").first();
    await proposal.getByText("has not voted").first().waitFor();
    const { proposals } = await network.get("/v1/governance");
    for (const key of keys.slice(1)) {
      const { actions, finalize } = await openAccount(network.base, key);
      await finalize([actions.vote(proposals[0].id, true)]);
    }
    await page.locator(".entries > li .badge").getByText(/accepted|enacted/).first().waitFor();
    await form.locator("select").first().selectOption("set_parameters");
    await form.getByLabel("claim ahead max ms").fill("61234");
    await form.getByRole("button", { name: "What would it lead to?" }).click();
    await form.getByText("possible").waitFor();
    await form.getByRole("button", { name: "Sign and propose" }).click();
    await page.locator(".entries > li").nth(1).waitFor();
    assert.equal((await network.get("/v1/governance/proposals")).items[0].change, "set_parameters");
    if (shots) await page.screenshot({ path: join(shots, "governance-wide-light.png"), fullPage: true });
    await close(page);
  },

  async "who may read is decided, asked, allowed, used and ended in the browser"() {
    const keys = [1, 2].map((at) => join(network.folder, "organisations", `${at}.json`));
    const { items } = await network.get("/v1/things?name=machine-1");
    const [thing] = items;
    const guest = await openAccount(network.base, keys[1]);
    const page = await open("/access");
    await page.getByText("No request waits.").waitFor();
    await signIn(page, keys[0]);
    await page.getByRole("link", { name: "Access" }).click();
    const form = page.locator(".card").filter({ hasText: "Decide who may" });
    await form.getByLabel("About").selectOption({ label: thing.title });
    await form.getByLabel("Which").selectOption(guest.entity);
    await form.getByLabel("Only for").fill("billing");
    await form.getByRole("button", { name: "Sign and decide" }).click();
    await form.getByText("took effect").waitFor();
    const policies = page.locator(".card").filter({ hasText: "what the owner decided" });
    await policies.getByText("for the purpose").waitFor();

    // Whoever does not say who it is sees nothing; the page says what to do.
    const other = await open(`/things/${thing.id}`);
    await other.getByRole("link", { name: "Say who reads" }).first().click();
    await guest.finalize([guest.actions.requestAccess(thing.id, undefined, "read", "billing", 0, 100_000n)]);
    const waiting = page.locator(".card").filter({ hasText: "Waits for an answer" });
    await waiting.getByText("billing").waitFor();
    if (shots) await page.screenshot({ path: join(shots, "access-wide-light.png"), fullPage: true });
    await waiting.getByRole("button", { name: "Allow" }).click();
    await page.locator(".card").filter({ hasText: "given or received" }).getByText("in force").waitFor();

    await other.locator('input[type="file"]').setInputFiles(keys[1]);
    await other.getByRole("button", { name: "Open it" }).click();
    await other.getByLabel("What for (optional").fill("billing");
    await other.getByRole("button", { name: "Say that it is you" }).click();
    await other.getByText("Uses of a grant are recorded").waitFor();
    if (shots) await other.screenshot({ path: join(shots, "sign-wide-light.png"), fullPage: true });
    await other.getByRole("link", { name: "Things" }).click();
    await other.getByRole("link", { name: thing.title }).first().click();
    await other.locator(".chart .plot-line").first().waitFor();
    await other.locator(".reader").waitFor();

    await page.locator(".card").filter({ hasText: "Who read my data" }).getByText("used its right to").first().waitFor({ timeout: 60_000 });
    await page.getByRole("button", { name: "End it" }).click();
    await page.locator(".card").filter({ hasText: "given or received" }).getByText("revoked").waitFor();
    const explain = page.locator(".card").filter({ hasText: "Explain" });
    await explain.getByLabel("Who (empty").fill(guest.entity);
    await explain.getByLabel("With thing").fill(thing.id);
    await explain.getByLabel("What for (optional)").fill("billing");
    await explain.getByRole("button", { name: "Explain" }).click();
    await explain.getByText("denied", { exact: true }).waitFor();
    await policies.getByRole("button", { name: "Take it back" }).click();
    await policies.getByText("None of its own").waitFor();
    // The browser notes each refusal of the peer; there is nothing else to note.
    other.wrong = other.wrong.filter((line) => !/status of 40[13]/.test(line));
    await close(other);
    await close(page);
  },

  async "a contract is made, accepted, asked, called, stopped and ended in the browser"() {
    const keys = [1, 2].map((at) => join(network.folder, "organisations", `${at}.json`));
    network.command("contract", "store", network.write("answers.wasm", contractModule()), "--name", "answers", "--key", keys[0]);
    const page = await open("/sign");
    await signIn(page, keys[0]);
    await page.getByRole("link", { name: "Contracts" }).click();
    const make = page.locator(".card").filter({ hasText: "Make a contract" });
    await make.getByLabel("Code").selectOption({ label: "answers" });
    await make.getByLabel("Name").fill("gate <b>1</b>");
    await make.getByLabel("Who else must accept it").selectOption({ label: "Office Park" });
    await make.getByRole("button", { name: "Try it out" }).click();
    await make.getByText("it would take effect").waitFor();
    await make.getByRole("button", { name: "Sign and make" }).click();
    await make.getByText("took effect").waitFor();
    await page.getByRole("link", { name: "gate <b>1</b>" }).click();
    await page.getByText("has not decided").first().waitFor();
    if (shots) await page.screenshot({ path: join(shots, "contract-proposed-wide-light.png"), fullPage: true });
    const { items } = await network.get("/v1/contracts");
    const other = await openAccount(network.base, keys[1]);
    await other.finalize([other.actions.answerContract(items[0].id, true)]);
    await page.getByRole("button", { name: "Accept it" }).click();
    await page.getByText("active", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Ask", exact: true }).click();
    await page.getByText('{"open":true}').waitFor();
    const call = page.locator(".card").filter({ hasText: "Call it" });
    await call.getByRole("button", { name: "Try it out" }).click();
    await call.getByText("1 change of the state").waitFor();
    await call.getByRole("button", { name: "Sign and call" }).click();
    await call.getByText("took effect").waitFor();
    await page.locator(".entries").getByText("called contract").first().waitFor();
    await page.getByRole("button", { name: "Stop it for now" }).click();
    await page.getByText("frozen", { exact: true }).first().waitFor();
    await call.getByRole("button", { name: "Try it out" }).click();
    await call.getByText("no effect").waitFor();
    if (shots) await page.screenshot({ path: join(shots, "contract-wide-light.png"), fullPage: true });
    await page.getByRole("button", { name: "Let it run again" }).click();
    await page.getByText("active", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "End it for ever" }).click();
    await page.getByText("terminated", { exact: true }).first().waitFor();
    await page.goto(`${network.base}/procedures`);
    await page.getByText("it runs").first().waitFor();
    if (shots) await page.screenshot({ path: join(shots, "procedures-contract-wide-light.png"), fullPage: true });
    await close(page);
  },

  "the ledger acts by itself, and the pages say on what": () => actByItself({ network, open, close }),
  "devices and gateways use what others offer, and only as long as they may": () => useEachOther({ network, open, close }),
  "a contract lives from its code to its end by the command line": () => liveAndEnd({ network }),
  "a service reads and commands a device behind another organisation's gateway": () => reachBehindGateway({ network }),
  "a peer that has no seat is let in by nobody": () => strangersStayOut({ network }),
  "the same contract and sensor are at home in a public and a private ledger": () => sameInEveryMode({ network }),

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

  async "two hundred hostile names run no script and break no page"() {
    const key = join(network.folder, "organisations", "1.json");
    let registered = 0;
    HOSTILE.forEach((title, at) => {
      const description = {
        "@context": "https://www.w3.org/2022/wot/td/v1.1", title, securityDefinitions: { none: { scheme: "nosec" } }, security: "none",
        properties: { level: { type: "number", multipleOf: 0.01, unit: title.slice(0, 16), forms: [{ href: "mqtt://a/b" }] } },
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

  async "a peer that falls silent is named, and the peer that serves the page is missed"() {
    const page = await open("/");
    await page.getByText("All 4 peers are at work").waitFor();
    network.kill("peer-4");
    await page.getByText("The others go on without it").waitFor({ timeout: 40_000 });
    const before = digits(await text(page, ".hub-height"));
    await until(async () => digits(await text(page, ".hub-height")) > before + 3, 30_000);
    await page.goto(`${network.base}/operations`);
    await page.getByText("peer-4 of Auditors has been silent").waitFor();
    assert.deepEqual(page.wrong, []);
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
    assert.ok(page.wrong.every((line) => /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED|network error/i.test(line)), page.wrong.join("\n"));
    await page.context().close();
  },
};

/** Shows what a check that failed was looking at, and closes it. */
async function leave(name) {
  for (const [at, context] of browser.contexts().entries()) {
    for (const page of context.pages()) {
      console.log(`    at ${page.url()}: ${(page.wrong ?? []).join("; ")}`);
      if (shots) await page.screenshot({ path: join(shots, `failed ${name.slice(0, 40)} ${at}.png`), fullPage: true });
    }
    await context.close();
  }
}

/** Every view, light and dark, wide and on a phone, to be looked at. */
async function shoot() {
  const { items: things } = await network.get("/v1/things");
  const thing = things.find((one) => one.name === "machine-1");
  const stream = thing.properties[0].stream;
  const { transaction_ids: ids } = await firstFull();
  const paths = {
    overview: "/", things: "/things", access: "/access", contracts: "/contracts", governance: "/governance", thing: `/things/${thing.id}`, reading: `/readings/${stream}/0`, verify: "/verify", ledger: "/ledger", events: "/ledger?show=events",
    entities: "/ledger?show=entities", entity: `/entities/${thing.owner}`, block: "/blocks/3", transaction: `/transactions/${ids[0]}`, procedures: "/procedures", operations: "/operations", sign: "/sign",
  };
  for (const [size, viewport] of [["wide", { width: 1440, height: 900 }], ["phone", { width: 390, height: 844 }]]) {
    for (const colorScheme of ["light", "dark"]) {
      const page = await open("/", { viewport, colorScheme });
      for (const [name, path] of Object.entries(paths)) {
        await page.goto(network.base + path);
        await page.waitForTimeout(2500);
        await page.screenshot({ path: join(shots, `${name}-${size}-${colorScheme}.png`), fullPage: true });
      }
      await page.context().close();
    }
  }
}

/** The picture of the README: the first view after a minute of work. */
async function picture(file) {
  const page = await open("/", { viewport: { width: 1280, height: 980 } });
  await page.waitForTimeout(62_000);
  await page.screenshot({ path: file });
  await page.context().close();
}

let [passed, failed] = [0, 0];
const chosen = process.argv[2];
try {
  if (process.env.PICTURE) await picture(process.env.PICTURE);
  if (shots && !chosen) await shoot();
  for (const [name, check] of Object.entries(checks)) {
    if (chosen && !name.includes(chosen)) continue;
    try {
      await check();
      passed += 1;
      console.log(`ok  ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`NO  ${name}\n${error.stack}`);
      await leave(name);
    }
  }
} finally {
  await browser.close();
  await network.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
