// What is signed in the browser by the user's own key: records, things, commands, and their figures of clause 10.

import assert from "node:assert/strict";
import { join } from "node:path";
import { openAccount, sdk } from "../account.mjs";
import { close, network, open, shots, signIn } from "../stage.mjs";

export const checks = {
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

  async "vouchers are listed, and end by who gave them"() {
    const key = join(network.folder, "organisations", "1.json");
    const { SigningKey } = await sdk();
    const devices = ["meter-a", "meter-b"].map((name) => ({ name, suite: "ed25519", key: Buffer.from(SigningKey.generate().publicKey.bytes).toString("hex") }));
    const description = JSON.stringify({ "@context": "https://www.w3.org/2022/wot/td/v1.1", title: "Meter", securityDefinitions: { none: { scheme: "nosec" } }, security: "none", properties: {} });
    const files = ["--devices", network.write("devices.json", JSON.stringify(devices)), "--description", network.write("meter.td.json", description)];
    network.command("thing", "vouch", ...files, "--owner", "Office Park", "--key", key);
    const page = await open("/sign");
    await signIn(page, key);
    await page.getByRole("link", { name: "Ledger", exact: true }).click();
    await page.getByRole("link", { name: "Vouchers", exact: true }).click();
    const row = page.locator("tbody tr").filter({ hasText: "Office Park" }).first();
    await row.getByText("yes", { exact: true }).waitFor();
    assert.deepEqual((await row.locator("td").allTextContents()).slice(0, 4), ["Steelworks", "Office Park", "2", "0"]);
    await row.getByRole("button", { name: "Revoke it" }).click();
    await row.getByText("no, revoked").waitFor();
    if (shots) await page.screenshot({ path: join(shots, "vouchers-wide-light.png"), fullPage: true });
    await close(page);
  },
};
