// Tokens, on a ledger that has some; the demo's has none.

import assert from "node:assert/strict";
import { join } from "node:path";
import { found, PORT } from "../founded.mjs";
import { fits } from "../fits.mjs";
import { until } from "../network.mjs";
import { close, network as demo, open, shots, signIn } from "../stage.mjs";
import { typed } from "../together.mjs";

const TOKEN = ["--token", "watt", "--token-name", "Watt <b>hour</b>", "--token-decimals", "2", "--token-each", "1000", "--fee-per-transaction", "1"];

export const checks = {
  async "a ledger without tokens offers no page of them"() {
    const page = await open("/");
    const pages = page.getByRole("navigation", { name: "Pages" });
    // What depends on the interface is there by now.
    await pages.getByRole("link", { name: "Governance" }).waitFor();
    assert.equal(await pages.getByRole("link", { name: "Tokens" }).count(), 0);
    const [one] = (await demo.get("/v1/entities")).items;
    await page.goto(`${demo.base}/entities/${encodeURIComponent(one.id)}`);
    await page.getByText("Registered in block").waitFor();
    await pages.getByRole("link", { name: "Governance" }).waitFor();
    assert.equal(await page.getByText("Has", { exact: true }).count(), 0);
    await page.goto(`${demo.base}/tokens`);
    await page.getByText("This ledger has no tokens").waitFor();
    await close(page);
  },

  async "tokens are shown, paid, locked and promised, signed in the browser, and refused in words"() {
    const network = await found(demo, "tokens", "public", "127.0.0.1", PORT + 40, ...TOKEN);
    try {
      const { organisations: [key], enter } = typed(network);
      const { items } = await network.get("/v1/entities?kind=organisation");
      const [one, two, three] = [1, 2, 3].map((at) => items.find((each) => each.name === `organisation-${at}`));
      const has = async (who) => BigInt((await network.get(`/v1/accounts/${encodeURIComponent(who.id)}/tokens`)).balance);
      const shown = (units) => `${Number(units) / 100}`.replace(/^(\d)(\d{3})/, "$1,$2");
      enter("gateway", "gate", key);

      const page = await open("/tokens", { base: network.base });
      await page.getByRole("heading", { level: 1, name: "Tokens" }).waitFor();
      await page.getByText("4,000\u202fwatt").first().waitFor();
      await page.getByText("0.01\u202fwatt").first().waitFor();
      assert.equal(await page.locator("main b").count(), 0, "its name is text");
      await signIn(page, key);
      await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Tokens" }).click();
      const card = (name) => page.locator(".card").filter({ has: page.getByRole("heading", { level: 2, name }) });
      const holder = (who) => card("Who has them").locator("li").filter({ hasText: who.name });
      await holder(two).getByText("1,000\u202fwatt").waitFor();

      const pay = card(/^Pay/);
      await pay.locator("select").selectOption({ label: `${two.name} (organisation)` });
      const write = async (amount, said) => {
        await pay.getByLabel("Amount, in watt").fill(amount);
        await pay.getByRole("button", { name: /^Sign and/ }).click();
        await pay.getByText(said).first().waitFor();
      };
      const before = await has(one);
      for (const wrong of ["1,5", "-3", "1e2", "0x1", "much"]) await write(wrong, `“${wrong}” is no amount of watt: write digits`);
      await write("12.345", "watt has 2 decimal places, not 3.");
      await write("0.00", "An amount is more than nothing.");
      assert.equal(await has(one), before, "nothing of that was sent");
      await write("5000", /fewer tokens/);
      assert.equal(await has(two), 100_000n);
      if (shots) await page.screenshot({ path: join(shots, "tokens-refused.png"), fullPage: true });
      const left = await has(one);
      await pay.getByLabel("What for").fill("pallet <b>7</b>");
      await write("12.5", "took effect");
      assert.equal(await has(two), 101_250n);
      assert.equal(await has(one), left - 1250n - 1n);
      await holder(two).getByText("1,012.5\u202fwatt").waitFor();
      await holder(one).getByText(`${shown(left - 1251n)}\u202fwatt`).waitFor();

      // Locked for the third, and released.
      await pay.locator("select").selectOption({ label: `${three.name} (organisation)` });
      await pay.getByLabel("Lock until block").fill("100000");
      await write("30", "locked 30\u202fwatt for");
      await card("All there is").locator(".facts > div").filter({ hasText: "Locked in escrows" }).getByText("30\u202fwatt").waitFor();
      await holder(three).getByRole("link", { name: "1,000\u202fwatt" }).click();
      await page.getByRole("heading", { level: 1, name: `Account of ${three.name}` }).waitFor();
      const locked = card("In escrow").locator("li").filter({ hasText: "30\u202fwatt" });
      await locked.getByText("until block").waitFor();
      assert.equal(await locked.getByRole("button", { name: "Give back" }).count(), 0, "who locked it cannot take it back before its time");
      await locked.getByRole("button", { name: "Release" }).click();
      await page.locator(".facts > div").filter({ hasText: "It has" }).getByText("1,030\u202fwatt").waitFor();
      await card("What moved").locator("li").filter({ hasText: "+30\u202fwatt" }).getByText("escrow from").waitFor();
      assert.equal(await has(three), 103_000n);

      // The balance stands with the entity; its account tells both ways.
      await page.getByRole("link", { name: three.name }).first().click();
      await page.locator(".facts > div").filter({ hasText: "Has" }).getByText("1,030\u202fwatt").waitFor();
      await page.goBack();
      await card("What moved").getByRole("link", { name: one.name }).first().click();
      await page.locator(".facts > div").filter({ hasText: "Has" }).getByRole("link").click();
      const moved = card("What moved").locator("li").filter({ hasText: "−12.5\u202fwatt" });
      await moved.getByText("pallet <b>7</b>").waitFor();
      await moved.getByRole("link", { name: two.name }).waitFor();
      await card("What moved").getByText("genesis", { exact: true }).waitFor();
      assert.equal(await page.locator("main b").count(), 0, "what a payment is for is text");

      // Its gateway has nothing, and its fees are paid.
      const { items: [gate] } = await network.get("/v1/entities?kind=gateway");
      await page.evaluate((path) => history.pushState(null, "", path) ?? dispatchEvent(new PopStateEvent("popstate")), `/tokens/${encodeURIComponent(gate.id)}`);
      const promise = card("Pay its fees");
      await promise.getByLabel("At most in a day").fill("0.5");
      await promise.getByLabel("At most altogether").fill("1000.25");
      await promise.getByLabel("Until block").fill("soon");
      await promise.getByRole("button", { name: "Sign and promise" }).click();
      await promise.getByText("“soon” is no number of a block").waitFor();
      await promise.getByLabel("Until block").fill("1000000");
      await promise.getByRole("button", { name: "Sign and promise" }).click();
      await page.getByText(/pays the fees of .* a day at most/).first().waitFor();
      const { sponsorship } = await until(async () => network.get(`/v1/accounts/${encodeURIComponent(gate.id)}/tokens`));
      assert.deepEqual([sponsorship.per_day, sponsorship.total, sponsorship.until_height], ["50", "100025", 1_000_000]);
      if (shots) await picture(page, `/tokens/${encodeURIComponent(one.id)}`, "account");
      await page.evaluate((path) => history.pushState(null, "", path) ?? dispatchEvent(new PopStateEvent("popstate")), `/tokens/${encodeURIComponent(one.id)}`);
      await card("Fees it pays for others").getByRole("button", { name: "End it" }).waitFor();
      await fits(page);
      await card("Fees it pays for others").getByRole("button", { name: "End it" }).click();
      await card("Fees it pays for others").getByText("It pays nobody’s.").waitFor();
      if (shots) await picture(page, "/tokens", "tokens");
      await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Tokens" }).click();
      await holder(two).waitFor();
      await fits(page);
      await close(page);
    } finally {
      await network.stop();
    }
  },
};

/** The same page wide and narrow, light and dark. */
async function picture(page, path, name) {
  await page.evaluate((path) => history.pushState(null, "", path) ?? dispatchEvent(new PopStateEvent("popstate")), path);
  for (const [size, width] of [["wide", 1440], ["phone", 390]]) {
    await page.setViewportSize({ width, height: 900 });
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(1200);
      await page.screenshot({ path: join(shots, `${name}-${size}-${colorScheme}.png`), fullPage: true });
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}
