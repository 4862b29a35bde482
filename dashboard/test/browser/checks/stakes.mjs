// Seats that follow from stakes, on a ledger of its own.

import assert from "node:assert/strict";
import { join } from "node:path";
import { found, PORT } from "../founded.mjs";
import { fits } from "../fits.mjs";
import { until } from "../network.mjs";
import { close, network as demo, open, shots, signIn } from "../stage.mjs";
import { typed } from "../together.mjs";

const STAKES = ["--token", "watt", "--token-decimals", "2", "--token-each", "1000", "--stake", "100", "--epoch-blocks", "64", "--locked-epochs", "2"];

export const checks = {
  async "tokens are put behind peers and taken back in the browser, and seats follow from them"() {
    const network = await found(demo, "stakes", "public", "127.0.0.1", PORT + 40, ...STAKES);
    try {
      const { ask, enter, organisations: [key] } = typed(network);
      const stakes = async () => (await network.get("/v1/stakes")).items;
      const of = async (name) => (await stakes()).find((one) => one.name === name);
      const page = await open("/governance", { base: network.base });
      const table = page.getByRole("region", { name: "Seats by stake" });
      const row = (name) => table.locator("tr").filter({ hasText: name });
      await row("peer-1").getByText("100\u202fwatt").waitFor();
      assert.equal(await table.getByText("has a seat").count(), 4);
      assert.equal(await page.getByRole("heading", { name: "Put tokens behind a peer" }).count(), 0, "nobody has a key open");

      await signIn(page, key);
      await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Governance" }).click();
      const card = (name) => page.locator(".card").filter({ has: page.getByRole("heading", { level: 2, name, exact: true }) });
      const put = card("Put tokens behind a peer");
      await put.getByLabel("Your peer").selectOption({ label: "peer-1" });
      await put.getByLabel("Amount").fill("50.25");
      await put.getByRole("button", { name: "Sign and stake" }).click();
      await put.getByText("took effect").waitFor();
      await row("peer-1").getByText("150.25\u202fwatt").waitFor();
      assert.equal((await of("peer-1")).amount, "15025");
      await table.locator("tbody tr").first().getByText("peer-1").waitFor();

      // A newcomer says which key it votes with, which signs that it is held.
      enter("peer", "peer-9", key);
      const voting = join(network.folder, "voting-9.json");
      demo.local("key", "new", voting, "--insecure-keys");
      await put.getByLabel("Your peer").selectOption({ label: "peer-9" });
      await put.getByLabel("Amount").fill("120");
      await put.getByLabel("Where other peers reach it").fill("127.0.0.1:4465");
      await put.locator('input[type="file"]').setInputFiles(voting);
      await put.getByRole("button", { name: "Sign and stake" }).click();
      await row("peer-9").getByText("120\u202fwatt").waitFor();
      assert.equal((await of("peer-9")).address, "127.0.0.1:4465");

      await fits(page);
      // And takes it all back: it stands no more, and collects when its time has come. Nothing is behind it then, as the browser notes.
      const take = card("Take tokens back");
      await take.getByLabel("Your peer").selectOption({ label: "peer-9" });
      await take.getByLabel(/^Amount/).fill("500");
      await take.getByRole("button", { name: "Sign and withdraw" }).click();
      await take.locator("[aria-live]").getByText(/fewer tokens/).first().waitFor();
      assert.equal((await of("peer-9")).amount, "12000", "more than there is was not taken");
      await take.getByLabel(/^Amount/).fill("");
      await take.getByRole("button", { name: "Sign and withdraw" }).click();
      await take.getByText(/0\swatt behind it, 120\swatt withdrawn and free in epoch \d/).waitFor();
      await until(async () => (await row("peer-9").count()) === 0);
      if (shots) await page.screenshot({ path: join(shots, "stakes-wide-light.png"), fullPage: true });
      const { items: [{ id }] } = await network.get("/v1/entities?kind=peer&name=peer-9");
      const gone = () => network.get(`/v1/stakes/${encodeURIComponent(id)}`);
      const { free_epoch: free } = await gone();
      await until(async () => {
        ask("tx", "record", "--kind", "note", "--data", "x", "--key", key);
        return (await network.get("/v1/governance")).epoch >= free;
      }, 120_000);
      await take.getByRole("button", { name: "Collect" }).click();
      await until(async () => ((await gone()).leaving ?? "0") === "0", 30_000);
      page.wrong = page.wrong.filter((line) => !/status of 404/.test(line));
      await close(page);
    } finally {
      await network.stop();
    }
  },
};
