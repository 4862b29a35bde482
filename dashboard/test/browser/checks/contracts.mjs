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
    await close(page);
  },

  async "a trigger is tried on what was recorded, set, suspended, resumed and removed in the browser"() {
    const key = join(network.folder, "organisations", "1.json");
    network.command("contract", "store", network.write("answers.wasm", contractModule()), "--name", "answers", "--key", key);
    const { items: codes } = await network.get("/v1/codes");
    network.command("contract", "instantiate", codes.find((one) => one.bytes === contractModule().length).id, "{}", "--name", "reacts", "--key", key);
    const page = await open("/sign");
    await signIn(page, key);
    await page.getByRole("link", { name: "Contracts" }).click();
    const form = page.locator(".card").filter({ hasText: "Set a trigger" });
    await form.getByLabel("Your name for it").fill("hot");
    await form.locator("select").nth(0).selectOption({ label: "machine-1/temperature" });
    await form.getByLabel("this bound").fill("60.5");
    await form.locator("select").nth(2).selectOption({ label: "reacts" });
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
};
