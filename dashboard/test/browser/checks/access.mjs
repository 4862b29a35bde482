// Who may read what: decided, asked, allowed, used and ended.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openAccount, sdk } from "../account.mjs";
import { close, network, open, shots, signIn } from "../stage.mjs";
import { typed } from "../together.mjs";

/** What a gateway records of a request that it served by itself: the caller's word, and its own. */
async function directly(thing, [owner, caller], { entity, actions, ledger }) {
  const forms = await import(new URL("../../../../sdk/typescript/build/src/forms/index.js", import.meta.url));
  const { openKeyFile } = await sdk();
  const gateway = typed(network).enter("gateway", "hall", owner);
  network.command("thing", "bind", thing.name, "--gateway", "hall", "--key", owner);
  const { items: [{ id: grant }] } = await network.get(`/v1/access/grants?entity=${encodeURIComponent(entity)}&status=in_force`);
  const { key } = await openKeyFile(readFileSync(caller, "utf8"), undefined);
  const account = await openAccount(network.base, gateway);
  const now = BigInt(Date.now());
  const request = {
    ledger: actions.idBytes(ledger), gateway: actions.idBytes(account.entity), caller: actions.idBytes(entity), thing: actions.idBytes(thing.id),
    operation: { kind: "read", property: thing.properties[0].name }, purpose: "billing", number: 1n, untilMs: now + 60_000n,
  };
  await account.finalize([{ kind: "record_direct", uses: [{ request: forms.signRequest(request, key), grant: actions.idBytes(grant), state: "done", servedMs: now, result: null }] }]);
}

export const checks = {
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
    await directly(thing, keys, guest);
    const direct = page.locator(".card").filter({ hasText: "Who read my data" });
    await direct.getByText(/Directly at the gateway: read/).first().waitFor();
    await direct.getByText("both signed that").first().waitFor();
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
};
