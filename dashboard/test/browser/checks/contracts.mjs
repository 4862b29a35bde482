// Contracts and their code.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openAccount } from "../account.mjs";
import { contractModule } from "../contract.mjs";
import { until } from "../network.mjs";
import { close, network, open, shots, signIn } from "../stage.mjs";

const GUARD = new URL("../../../../contracts/artifacts/guard.wasm", import.meta.url);

/** The same module with a section that says something to people: another digest, and nothing else. */
const noted = (module, note) => Buffer.concat([module, Buffer.from([0, note.length + 1, note.length]), Buffer.from(note)]);

export const checks = {
  async "a contract is made, accepted, asked, called, stopped and ended in the browser"() {
    const keys = [1, 2].map((at) => join(network.folder, "organisations", `${at}.json`));
    const page = await open("/sign");
    await signIn(page, keys[0]);
    await page.getByRole("link", { name: "Contracts" }).click();
    const store = page.locator(".card").filter({ hasText: "a WebAssembly module, of which" });
    const stored = page.locator(".card").filter({ hasText: "by the digest of their bytes" });
    for (const [name, buffer] of [["answers", contractModule()], ["answers-2", noted(contractModule(), "two")], ["guard", readFileSync(GUARD)]]) {
      await store.locator('input[type="file"]').setInputFiles({ name: `${name}.wasm`, mimeType: "application/wasm", buffer });
      await store.getByLabel("Name").fill(name);
      await store.getByLabel("Interfaces it serves").fill("b, a");
      await store.getByRole("button", { name: "Sign and store" }).click();
      await stored.getByText(name, { exact: true }).first().waitFor();
      const { items } = await network.get("/v1/codes");
      const code = items.find((one) => one.id === createHash("sha256").update(buffer).digest("hex"));
      assert.deepEqual([code.name, code.bytes, code.interfaces], [name, buffer.length, ["a", "b"]]);
      const { items: sent } = await network.get(`/v1/entities/${code.owner}/transactions?limit=20`);
      const whole = await Promise.all(sent.map((one) => network.get(`/v1/transactions/${one.receipt.transaction}`)));
      const parts = whole.flatMap((one) => one.actions).filter((one) => one.type === "upload_code" && one.code === code.id);
      assert.equal(parts.length, Math.ceil(buffer.length / 65_536), "each part has a transaction of its own");
      await store.getByRole("button", { name: "Sign and store" }).click();
      await store.getByText(`This module is stored already, as ${name}.`).waitFor();
    }
    await stored.locator("li").filter({ hasText: "guard" }).getByRole("button", { name: "Remove it" }).click();
    await until(async () => (await network.get("/v1/codes")).items.every((one) => one.name !== "guard"));
    // The page asks whether a module is there before it uploads it, and the browser notes that it is not.
    page.wrong = page.wrong.filter((line) => !/status of 404/.test(line));
    if (shots) await page.screenshot({ path: join(shots, "code-wide-light.png"), fullPage: true });
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
    const migrate = page.locator(".card").filter({ hasText: "Give it other code" });
    await migrate.locator("select").selectOption({ label: "answers-2" });
    await migrate.getByRole("button", { name: "Try it out" }).click();
    await migrate.getByText("it would take effect").waitFor();
    await migrate.getByRole("button", { name: "Sign and migrate" }).click();
    await migrate.getByText("took effect").waitFor();
    await page.locator(".entries").getByText("has new code").first().waitFor();
    const second = createHash("sha256").update(noted(contractModule(), "two")).digest("hex");
    assert.equal((await network.get(`/v1/contracts/${items[0].id}`)).code, second);
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
    // What is tried out is named before it is there, as the browser notes.
    page.wrong = page.wrong.filter((line) => !/status of 404/.test(line));
    await close(page);
  },

  async "a trigger is tried on what was recorded, set, suspended, resumed and removed in the browser"() {
    const key = join(network.folder, "organisations", "1.json");
    const deploy = () => network.command("contract", "deploy", network.write("answers.wasm", contractModule()), "{}", "--name", "reacts", "--key", key);
    assert.match(deploy(), /reacts is made/);
    assert.match(deploy(), /runs this code already/);
    const page = await open("/sign");
    await signIn(page, key);
    await page.getByRole("link", { name: "Contracts" }).click();
    const form = page.locator(".card").filter({ hasText: "Set a trigger" });
    await form.getByLabel("Your name for it").fill("hot");
    await form.getByRole("combobox", { name: "Of", exact: true }).selectOption({ label: "machine-1/temperature" });
    await form.getByLabel("this bound").fill("60.5");
    await form.getByRole("combobox", { name: "call", exact: true }).selectOption({ label: "reacts" });
    await form.getByRole("button", { name: "When would it have happened?" }).click();
    await form.getByText(/It would have happened [1-9]/).waitFor();
    await form.getByText("it would take effect").waitFor();
    if (shots) await page.screenshot({ path: join(shots, "trigger-set-wide-light.png"), fullPage: true });
    await form.getByRole("button", { name: "Sign and set" }).click();
    await form.getByText("took effect").waitFor();
    await page.getByRole("link", { name: "hot", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "hot" }).waitFor();
    await page.getByRole("button", { name: "Suspend it" }).click();
    await page.getByText("suspended", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "Let it wait again" }).click();
    await page.getByRole("button", { name: "Suspend it" }).waitFor();
    const { items: triggers } = await network.get("/v1/triggers");
    assert.ok(triggers.some((one) => one.name === "hot" && one.rule.includes("60.5")), JSON.stringify(triggers));
    if (shots) await page.screenshot({ path: join(shots, "trigger-wide-light.png"), fullPage: true });
    await page.getByRole("button", { name: "Remove it" }).click();
    await until(async () => (await network.get("/v1/triggers")).items.every((one) => one.name !== "hot"));
    // A contract has a DID and no document, as the browser notes.
    page.wrong = page.wrong.filter((line) => !/status of 404/.test(line));
    await close(page);
  },

  async "a trigger waits for whatever the ledger knows, and does whatever its owner may"() {
    const key = join(network.folder, "organisations", "1.json");
    const run = (...args) => network.command(...args, "--key", key);
    run("contract", "store", network.write("answers.wasm", contractModule()), "--name", "answers");
    const { items: codes } = await network.get("/v1/codes");
    run("contract", "instantiate", codes.find((one) => one.bytes === contractModule().length).id, "{}", "--name", "tells");
    const { actions, finalize } = await openAccount(network.base, key);
    const description = {
      "@context": "https://www.w3.org/2022/wot/td/v1.1", title: "Heater", securityDefinitions: { none: { scheme: "nosec" } }, security: "none",
      properties: { target: { type: "number", multipleOf: 0.5, unit: "Cel", forms: [{ href: "mqtt://a/b" }] } },
      actions: { boost: { title: "Boost", input: { type: "object", properties: { minutes: { type: "integer" } } }, forms: [{ href: "mqtt://a/c" }] } },
    };
    await finalize([actions.registerThing("heater", JSON.stringify(description))]);
    const page = await open("/sign");
    await signIn(page, key);
    await page.getByRole("link", { name: "Contracts" }).click();
    const form = page.locator(".card").filter({ hasText: "Set a trigger" });
    const choose = (label, option) => form.getByRole("combobox", { name: label, exact: true }).selectOption(option);
    const fill = (label, value) => form.getByLabel(label, { exact: true }).fill(value);
    const record = async (kind) => {
      await choose("Then", "record");
      await fill("Kind", kind);
      await fill("saying", "look after <b>it</b>");
    };
    for (const [name, cause, effect, rule] of [
      ["quiet", async () => { await choose("When", "silence"); await choose("Of", { label: "machine-1/temperature" }); await fill("for so many minutes", "5"); }, async () => { await record("quiet"); await choose("notifying", { label: "Office Park" }); }, /silent for 5 min then record quiet .*notify/],
      ["daily", async () => { await choose("When", "time"); await fill("First at, UTC", "2030-01-01T06:00"); await fill("then every so many minutes (0: once)", "1440"); }, async () => { await choose("Then", "command"); await choose("command", { label: "heater" }); await choose("What", { label: "invoke Boost" }); await fill("minutes", "10"); }, /every 1 d from 2030-01-01T06:00:00.* then command .*boost/],
      ["once", async () => { await choose("When", "time"); await fill("First at, UTC", "2030-01-01T06:00"); await fill("then every so many minutes (0: once)", "0"); }, async () => { await choose("Then", "command"); await choose("command", { label: "heater" }); await choose("What", { label: "write target" }); await fill("value (Cel)", "21.5"); }, /2030-01-01T06:00:00.* then write .*target 21.5/],
      ["told", async () => { await choose("When", "contract"); await choose("Which", { label: "tells" }); await fill("Name of the event", "wasm"); }, () => record("told"), /contract .* tells wasm then record told/],
      ["delivered", async () => { await choose("When", "recorded"); await choose("Who", { label: "Office Park" }); await fill("Kind of the record", "delivery"); }, async () => { await choose("Then", "call"); await choose("call", { label: "tells" }); }, /record delivery by .* then call/],
      ["broken", async () => { await choose("When", "commanded"); await choose("Of", { label: "heater" }); await choose("comes to", "failed"); }, () => record("broken"), /command of .* failed then record broken/],
    ]) {
      await fill("Your name for it", name);
      await cause();
      await effect();
      await form.getByRole("button", { name: /What would it do|When would it have happened/ }).click();
      await form.locator(".rule").getByText(rule).waitFor();
      await form.getByText("it would take effect").waitFor();
      await form.getByRole("button", { name: "Sign and set" }).click();
      const set = await until(async () => (await network.get("/v1/triggers?limit=50")).items.find((one) => one.name === name), 20_000, () => `${name} is not set`);
      assert.match(set.rule, rule);
    }
    assert.equal(await page.locator("main b").count(), 0, "what somebody typed is text");
    if (shots) await page.screenshot({ path: join(shots, "trigger-any-wide-light.png"), fullPage: true });
    for (const { name } of (await network.get("/v1/triggers?limit=50")).items.filter((one) => one.state === "waiting" || one.state !== "over")) run("trigger", "remove", name);
    page.wrong = page.wrong.filter((line) => !/status of 404/.test(line));
    await close(page);
  },
};
