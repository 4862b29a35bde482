// Services, deployed and used on the ledger and outside it, and the figures of clause 10 that come of it.

import assert from "node:assert/strict";
import { join } from "node:path";
import { openAccount } from "../account.mjs";
import { contractModule } from "../contract.mjs";
import { close, network, open, shots } from "../stage.mjs";

const GAS = 100_000_000n;

/** What is written down of a use: a record that is linked to it, of which both hear. */
const writeDown = ({ actions, finalize }, what, notify, link) => finalize([actions.record(what, new Uint8Array([1]), notify, link)]);

export const checks = {
  async "clauses 10.3, 10.4 and 10.5 are drawn from services that are deployed and used"() {
    const [owner, other] = [1, 2].map((at) => join(network.folder, "organisations", `${at}.json`));
    const run = (...args) => JSON.parse(network.command(...args, "--json").split("\n").filter(Boolean).at(-1));
    // 10.3, and 10.4: a contract that is called by grant only.
    run("contract", "store", network.write("answers.wasm", contractModule()), "--name", "answers", "--key", owner);
    const code = (await network.get("/v1/codes")).items.find((one) => one.bytes === contractModule().length);
    run("contract", "instantiate", code.id, "{}", "--name", "served", "--key", owner);
    const { items: [contract] } = await network.get("/v1/contracts?name=served");
    const onLedger = ["--contract", contract.hex, "--right", "call"];
    run("access", "policy", "set", ...onLedger, "--kind", "organisation", "--key", owner);
    run("access", "request", ...onLedger, "--purpose", "call", "--key", other);
    const client = await openAccount(network.base, other);
    const call = await client.finalize([client.actions.execute(contract.id, "{}", GAS)]);
    const { entity: provider } = await openAccount(network.base, owner);
    await writeDown(client, "service-used", [client.entity, provider], call.receipt.transaction);

    // 10.5: a service outside the ledger, which is asked whether it lets somebody in, and says how it was used.
    const file = join(network.folder, "forecast.json");
    run("entity", "register", "--kind", "service", "--name", "forecast", "--entity-key", file, "--insecure-keys", "--key", owner);
    const outside = ["--service", "forecast", "--right", "call"];
    run("access", "policy", "set", ...outside, "--kind", "organisation", "--ask", "forecast", "--key", owner);
    run("access", "request", ...outside, "--purpose", "weather", "--key", other);
    const service = await openAccount(network.base, file);
    const { items: requests } = await network.get(`/v1/access/grants?entity=${client.entity}`);
    const asked = requests.find((one) => one.access?.purpose === "weather" || one.purpose === "weather");
    assert.ok(asked, JSON.stringify(requests));
    const grant = asked.access?.id ?? asked.id;
    await service.finalize([service.actions.answerAccess(grant, true)]);
    const now = BigInt(Date.now());
    const hex = (id) => Uint8Array.from(Buffer.from(id, "hex"));
    const used = await service.finalize([{ kind: "record_access", uses: [{ grant: hex(grant), count: 1, firstMs: now, lastMs: now }] }]);
    const again = await openAccount(network.base, other);
    await writeDown(again, "forecast-used", [client.entity, service.entity], used.receipt.transaction);

    const page = await open("/procedures");
    const card = (clause) => page.locator(".card").filter({ has: page.getByRole("heading", { level: 2, name: clause }) });
    for (const [clause, shown] of [
      ["10.3", ["asks to deploy|deploys it", "it runs", "notifies"]],
      ["10.4", ["asks for access", "asks to execute it", "gets the result", "writes a record", "is told of it"]],
      ["10.5", ["asks for access", "asks the service", "allows it", "uses it, not through BoT", "writes the use down", "writes a record", "is told of it"]],
    ]) {
      for (const text of shown) await card(clause).locator(".arrow-text").getByText(new RegExp(text)).first().waitFor();
    }
    // Names of who took part, and each arrow leads to what came of it.
    await card("10.5").locator(".life-name").getByText("forecast").waitFor();
    await card("10.4").getByRole("link", { name: /gets the result/ }).first().click();
    await page.getByRole("heading", { level: 1, name: "Transaction" }).waitFor();
    assert.ok(page.url().includes(call.receipt.transaction));
    await page.goto(`${network.base}/procedures`);
    await card("10.5").locator(".arrow-text").getByText("uses it, not through BoT").waitFor();
    await page.waitForTimeout(2500);
    if (shots) await page.screenshot({ path: join(shots, "procedures-services-wide-light.png"), fullPage: true });
    // A contract that is owner of itself has a DID and no document, as the browser notes.
    page.wrong = page.wrong.filter((line) => !/status of 404/.test(line));
    await close(page);
  },
};
