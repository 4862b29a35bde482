// The catalogue of services.

import assert from "node:assert/strict";
import { join } from "node:path";
import { contractModule } from "../contract.mjs";
import { close, network, open, shots, signIn } from "../stage.mjs";

const manifest = (name, version, where, more = "") => `name = "${name}"
version = "${version}"
text = "Bills what <b>a meter</b> has counted, version ${version}."
interfaces = ["metering"]
tags = ["billing"]
purpose = "billing"
${where}
[price]
text = "One unit for each step."
amount = 1
currency = "unit"
per = "step"
${more}`;

export const checks = {
  async "services are found, shown in their versions, and withdrawn by who provides them"() {
    const key = join(network.folder, "organisations", "1.json");
    const run = (...args) => network.command(...args, "--key", key);
    const publish = (name, text) => run("service", "publish", network.write(`${name}.toml`, text));
    run("contract", "store", network.write("answers.wasm", contractModule()), "--name", "answers");
    const code = (await network.get("/v1/codes")).items.find((one) => one.bytes === contractModule().length);
    run("contract", "instantiate", code.id, "{}", "--name", "biller");
    publish("metering", manifest("metering", "1.0.0", 'contract = "biller"', '[[needs]]\nright = "read"\nwhat = "energy"'));
    publish("metering", manifest("metering", "1.1.0", 'contract = "biller"'));
    publish("forecast", manifest("forecast", "0.3.0", "", '[outside]\nendpoints = ["http://127.0.0.1:8090/<x>"]'));

    const page = await open("/sign");
    await signIn(page, key);
    await page.getByRole("link", { name: "Services" }).click();
    const list = page.locator(".entries > li");
    await list.getByRole("link", { name: "metering", exact: true }).waitFor();
    await list.getByRole("link", { name: "forecast", exact: true }).waitFor();
    await list.getByText("version 1.1.0.").waitFor();
    await page.getByLabel("Name, description, tag or interface").fill("FORE");
    await list.getByRole("link", { name: "metering", exact: true }).waitFor({ state: "detached" });
    await page.getByLabel("Name, description, tag or interface").fill("");
    await page.locator(".filters").getByLabel("Runs").selectOption("contract");
    await list.getByRole("link", { name: "forecast", exact: true }).waitFor({ state: "detached" });
    if (shots) await page.screenshot({ path: join(shots, "services-wide-light.png"), fullPage: true });
    await list.getByRole("link", { name: "metering", exact: true }).click();
    const version = (name) => page.locator(".card").filter({ has: page.getByRole("heading", { level: 2, name: new RegExp(`^Version ${name}`) }) });
    await version("1.0.0").getByText("to read energy").waitFor();
    await version("1.1.0").getByText("(1 unit for each step)").waitFor();
    await version("1.0.0").getByRole("button", { name: "Advise against it" }).click();
    await version("1.0.0").getByText("deprecated", { exact: true }).first().waitFor();
    await page.locator(".entries").getByText("says that").first().waitFor();
    if (shots) await page.screenshot({ path: join(shots, "service-wide-light.png"), fullPage: true });
    await version("1.0.0").getByRole("button", { name: "Withdraw it" }).click();
    await version("1.0.0").waitFor({ state: "detached" });
    const { items } = await network.get("/v1/services?name=metering");
    assert.deepEqual(items[0].versions.map((one) => [one.version, one.status]), [["1.1.0", "live"]]);
    assert.equal(await page.locator("main b").count(), 0, "what the manifest says is text");
    await page.locator(".search input").fill("forecast");
    await page.locator('[role="option"]').filter({ hasText: "catalogue" }).first().click();
    await page.getByRole("heading", { level: 1, name: "forecast" }).waitFor();
    await page.getByText("http://127.0.0.1:8090/<x>").waitFor();
    await close(page);
  },

  async "a service is published, followed by its next version, and withdrawn in the browser"() {
    const key = join(network.folder, "organisations", "2.json");
    const page = await open("/sign");
    await signIn(page, key);
    await page.getByRole("link", { name: "Services" }).click();
    const form = page.locator(".card").filter({ hasText: "Publish a service" });
    const fill = (label, value) => form.getByLabel(label, { exact: true }).fill(value);
    await fill("Its name", "weather");
    await form.getByLabel("Runs").selectOption("outside");
    await fill("What it is used for", "weather");
    await fill("Interfaces", "forecast, archive");
    await fill("Tags", "rain");
    await fill("Price, in words", "Free until spring.");
    await fill("What it does", "Says what tomorrow <b>brings</b>.");
    await fill("Where it is reached, an address on each line", "http://127.0.0.1:8090/a\nhttp://127.0.0.1:8091/b");
    await fill("What owners must let it do, one on each line, such as “read energy”", "devour temperature");
    await form.getByRole("button", { name: "Try it out" }).click();
    await form.getByText("“devour temperature” is none of").waitFor();
    await fill("What owners must let it do, one on each line, such as “read energy”", "read temperature");
    await form.getByRole("button", { name: "Try it out" }).click();
    await form.getByText("it would take effect").waitFor();
    if (shots) await page.screenshot({ path: join(shots, "publish-wide-light.png"), fullPage: true });
    await form.getByRole("button", { name: "Sign and publish" }).click();
    await page.locator(".entries").getByRole("link", { name: "weather", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "weather" }).waitFor();
    const version = (name) => page.locator(".card").filter({ has: page.getByRole("heading", { level: 2, name: new RegExp(`^Version ${name}`) }) });
    await version("1.0.0").getByText("to read temperature").waitFor();
    const next = page.locator(".card").filter({ hasText: "Publish the next version" });
    await next.getByLabel("Version", { exact: true }).fill("1.1.0");
    await next.getByLabel("Price, as a number").fill("3");
    await next.getByLabel("of which currency").fill("unit");
    await next.getByLabel("for each").fill("day");
    await next.getByRole("button", { name: "Sign and publish" }).click();
    await version("1.1.0").getByText("(3 unit for each day)").waitFor();
    await version("1.0.0").getByRole("button", { name: "Advise against it" }).click();
    await version("1.0.0").getByText("deprecated", { exact: true }).first().waitFor();
    await version("1.1.0").getByRole("button", { name: "Withdraw it" }).click();
    await version("1.1.0").waitFor({ state: "detached" });
    const { items: [found] } = await network.get("/v1/services?name=weather");
    assert.deepEqual(found.versions.map((one) => [one.version, one.status]), [["1.0.0", "deprecated"]]);
    const said = await network.get(`/v1/services/${found.id}/versions/1.0.0`);
    assert.deepEqual([said.interfaces, said.endpoints, said.needs], [["archive", "forecast"], ["http://127.0.0.1:8090/a", "http://127.0.0.1:8091/b"], [{ right: "read", what: "temperature" }]]);
    assert.equal(await page.locator("main b").count(), 0, "what a provider says is text");
    await close(page);
  },
};
