// What all checks stand on: one network, one browser, and pages that remember what went wrong on them.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { startNetwork, until } from "./network.mjs";

const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const PATIENCE_MS = 20_000;

const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => path && existsSync(path));
if (!executablePath) {
  console.error("no browser: apt-get install chromium, or name one with CHROMIUM=path");
  process.exit(1);
}

export const network = await startNetwork();
export const browser = await chromium.launch({ executablePath, args: ARGS });
export const shots = process.env.SHOTS;
if (shots) mkdirSync(shots, { recursive: true });

/** Answers with the files of `dist` in place of the program's, under the program's own policy. */
export async function serveDist(context, base = network.base) {
  const dist = process.env.DIST;
  const types = { js: "text/javascript", css: "text/css", svg: "image/svg+xml" };
  await context.route(`${base}/assets/**`, (route) => {
    const name = new URL(route.request().url()).pathname;
    route.fulfill({ path: join(dist, name), contentType: types[name.split(".").at(-1)] });
  });
  await context.route((url) => url.origin === base && !/^\/(v1|assets|metrics|openapi)/.test(url.pathname), async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: readFileSync(join(dist, "index.html"), "utf8") });
  });
}

/** A page of the demo's first peer, or of another one at `base`, that remembers what went wrong on it, and that asks nobody but the peer. */
export async function open(path, { base = network.base, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  if (process.env.DIST) await serveDist(context, base);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.wrong = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && page.wrong.push(`${message.text()} ${message.location().url}`));
  page.on("pageerror", (error) => page.wrong.push(String(error)));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== base && url.protocol !== "blob:") page.wrong.push(`asked ${url.origin}`);
  });
  await page.goto(base + path);
  return page;
}

/** What went wrong on a page, but for this: earlier checks left streams that only some may read; a page asks once, and learns. */
export const wrongs = (page) => page.wrong.filter((line) => !/status of 403 .*\/latest/.test(line));

export async function close(page) {
  assert.deepEqual(page.wrong, []);
  await page.context().close();
}

/** Opens a key on the page for it, without leaving the program: it is kept no longer than that. */
export async function signIn(page, key) {
  await page.getByRole("link", { name: "Sign with your key" }).click();
  await page.locator('input[type="file"]').setInputFiles(key);
  await page.getByRole("button", { name: "Open it" }).click();
  await page.getByText("You sign as").waitFor();
}

export const text = (page, selector) => page.locator(selector).first().textContent();
export const digits = (shown) => Number(shown.replace(/[^0-9]/g, ""));

/** The first block after the genesis that has transactions. */
export async function firstFull() {
  for (let height = 1; ; height += 1) {
    const block = await network.get(`/v1/blocks/${height}`);
    if (block.transactions > 0) return block;
  }
}

/** Waits until the first chart of a thing has more readings than now; says what it saw if that does not come. */
export async function chartGrows(page, patienceMs = PATIENCE_MS) {
  // Its words alone: together with the marks of the axes, “12:30” before “78 readings” once read as 3078, which no chart outgrew.
  const said = async () => (await page.locator(".chart-said").first().textContent()) ?? "";
  const readings = (shown) => digits(shown.match(/^([\d,]+) readings? from/)?.[1] ?? "0");
  const before = await until(async () => readings(await said()), patienceMs, () => "the chart does not say how many readings it has");
  let shown = "";
  const { properties } = await network.get(`/v1${new URL(page.url()).pathname}`);
  const there = async () => (await network.get(`/v1/streams/${properties[0].stream}`)).total?.count;
  const began = await there();
  try {
    await until(async () => readings((shown = await said())) > before, patienceMs);
  } catch {
    throw new Error(`the chart had ${before} readings and still has “${shown}” after ${patienceMs} ms; the ledger had ${began} and has ${await there()}. The page noted: ${page.wrong.join("; ") || "nothing"}`);
  }
}
