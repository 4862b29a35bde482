// Two ledgers that rely on each other: registered, asked, answered and seen in the browser, carried by a relay.

import assert from "node:assert/strict";
import { join } from "node:path";
import { fits } from "../fits.mjs";
import { found, PORT } from "../founded.mjs";
import { until } from "../network.mjs";
import { close, network as demo, open, shots, signIn } from "../stage.mjs";
import { typed } from "../together.mjs";

const SERVICE = `name = "warranty"
version = "1.0.0"
text = "Says whether a bike is covered."
purpose = "warranty"
[outside]
endpoints = ["https://warranty.example"]
[price]
text = ""
`;

export const checks = {
  async "another ledger is relied on by its proofs, asked and answered in the browser"() {
    const maker = await found(demo, "maker", "consortium", "127.0.0.1", PORT + 40, "--peers", "1");
    try {
      const [here, there] = [typed(demo), typed(maker)];
      const [shop] = here.organisations;
      const [provider] = there.organisations;
      const links = (page) => page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Links" });
      const card = (page, name) => page.locator(".card").filter({ has: page.getByRole("heading", { level: 2, name, exact: true }) });

      // Nobody relies on another ledger: no page of links is offered. By its address it says what to do.
      const page = await open("/links");
      await page.getByText("Nobody here relies on another ledger.").waitFor();
      assert.equal(await links(page).count(), 0);
      await signIn(page, shop);
      await page.evaluate(() => history.back());
      const form = card(page, "Rely on another ledger");
      await form.locator('input[type="file"]').setInputFiles(join(maker.folder, "genesis.json"));
      await form.getByRole("button", { name: "Sign and rely on it" }).click();
      await form.getByText("took effect").waitFor();
      await links(page).waitFor();
      const link = card(page, "Links").locator(".entries > li");
      await link.getByText("maker").first().waitFor();
      await link.getByText("nothing yet: lead it on").waitFor();
      here.ask("ledger", "link", "advance", "maker", "--from", maker.base, "--key", shop);
      await link.getByText(/up to block \d/).waitFor();

      there.ask("ledger", "link", "register", join(demo.folder, "genesis.json"), "--key", provider);
      const { items: [back] } = await maker.get("/v1/links");
      there.ask("ledger", "link", "advance", back.id, "--from", demo.base, "--key", provider);
      there.ask("service", "publish", maker.write("warranty.toml", SERVICE), "--key", provider);
      const { items: [{ id: service }] } = await maker.get("/v1/services");
      const { ledger } = await maker.get("/v1/network");
      here.ask("ledger", "call", "ask", ledger, service, "is <b>bike</b> 7 covered?", "--key", shop);
      const asked = card(page, "Asked of others").locator(".entries > li");
      await asked.getByText("is <b>bike</b> 7 covered?").waitFor();
      await asked.getByText("asked", { exact: true }).waitFor();
      await asked.getByText("maker", { exact: true }).waitFor();
      await asked.getByText(/min left/).waitFor();

      // A relay that nobody trusts, and the provider's word in the browser.
      const relay = () => demo.local("ledger", "relay", "--from", demo.base, "--to", maker.base, "--key", provider, "--from-key", shop, "--once");
      await until(async () => relay() !== undefined && (await maker.get("/v1/calls/taken")).items.length > 0, 60_000);
      const other = await open("/links", { base: maker.base });
      await signIn(other, provider);
      await links(other).click();
      const taken = card(other, "Asked by others").locator(".entries > li");
      await taken.getByText("is <b>bike</b> 7 covered?").waitFor();
      await taken.getByLabel("Answer", { exact: true }).fill("until 2030");
      await taken.getByRole("button", { name: "Answer" }).click();
      await taken.getByText("answered", { exact: true }).first().waitFor();
      assert.equal(await other.locator("main b").count(), 0, "what is asked is text");
      await close(other);
      await until(async () => relay() !== undefined && (await demo.get("/v1/calls/asked")).items[0].state === "settled", 60_000);
      await asked.getByText("settled", { exact: true }).waitFor();
      await asked.getByText("until 2030").waitFor();
      await card(page, "What passed").getByText(/of shop|is answered/).first().waitFor();
      if (shots) await page.screenshot({ path: join(shots, "links-wide-light.png"), fullPage: true });
      await fits(page);
      await link.getByRole("button", { name: "Suspend it" }).click();
      await link.getByText("suspended", { exact: true }).waitFor();
      assert.equal((await demo.get("/v1/links")).items[0].status, "suspended");
      await close(page);
    } finally {
      await maker.stop();
    }
  },
};
