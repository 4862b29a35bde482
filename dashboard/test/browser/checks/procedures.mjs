// Services, deployed and used on the ledger and outside it, and the figures of clause 10 that come of it.

import assert from "node:assert/strict";
import { join } from "node:path";
import { openAccount } from "../account.mjs";
import { contractModule } from "../contract.mjs";
import { close, network, open, shots, signIn } from "../stage.mjs";

const GAS = 100_000_000n;

/** What is written down of a use: a record that is linked to it, of which both hear. */
const writeDown = ({ actions, finalize }, what, notify, link) => finalize([actions.record(what, new Uint8Array([1]), notify, link)]);

/** A thing without a gateway: whoever owns it speaks for it. */
const DESCRIPTION = JSON.stringify({
  "@context": "https://www.w3.org/2022/wot/td/v1.1", title: "A valve", securityDefinitions: { none: { scheme: "nosec" } }, security: "none",
  properties: { level: { type: "number", multipleOf: 1, unit: "%", forms: [{ href: "mqtt://a/b" }] } },
});

/** Every arrow of a figure leads to a block, or to a transaction that is in the block that the arrows beside it name. */
async function leadsThere(card, clause) {
  const arrows = await card.locator("a.arrow").evaluateAll((all) => all.map((one) => ({ to: one.getAttribute("href"), text: one.querySelector(".arrow-text").textContent })));
  assert.ok(arrows.length > 3, `${clause} has ${arrows.length} arrows`);
  const heights = new Set();
  for (const { to, text } of arrows) {
    const [, kind, id] = /^\/(blocks|transactions)\/(\w+)(?:\?block=\d+)?$/.exec(to) ?? [];
    const there = await network.get(`/v1/${kind}/${id}`);
    assert.ok(kind === "blocks" ? there.height === Number(id) : there.id === id, `${clause}: “${text}” leads to ${to}: ${JSON.stringify(there).slice(0, 200)}`);
    if (kind === "transactions") heights.add(there.outcome?.height);
    else assert.match(text.replace(/,/g, ""), new RegExp(`block ${id}`), `${clause}: “${text}” leads to block ${id}`);
  }
  const drawn = arrows.filter(({ to }) => to.startsWith("/blocks/")).map(({ to }) => Number(to.split("/").at(-1)));
  assert.deepEqual(drawn.filter((height) => !heights.has(height)), [], `${clause}: each block that is named holds a transaction that is linked`);
}

export const checks = {
  async "clauses 10.1 to 10.7 are drawn from what happened, and each arrow leads to it"() {
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
    const grantFor = async (purpose) => {
      const { items } = await network.get(`/v1/access/grants?entity=${client.entity}`);
      const asked = items.find((one) => one.access?.purpose === purpose || one.purpose === purpose);
      assert.ok(asked, JSON.stringify(items));
      return asked.access?.id ?? asked.id;
    };
    const grant = await grantFor("weather");
    await service.finalize([service.actions.answerAccess(grant, true)]);
    const now = BigInt(Date.now());
    const hex = (id) => Uint8Array.from(Buffer.from(id, "hex"));
    const used = await service.finalize([{ kind: "record_access", uses: [{ grant: hex(grant), count: 1, firstMs: now, lastMs: now }] }]);
    const again = await openAccount(network.base, other);
    await writeDown(again, "forecast-used", [client.entity, service.entity], used.receipt.transaction);

    // 10.6 and 10.7: a thing that speaks for itself is asked for something, and what it said is read by grant, each time by a transaction.
    const self = await openAccount(network.base, owner);
    await self.finalize([self.actions.registerThing("valve", DESCRIPTION)]);
    const { items: [valve] } = await network.get("/v1/things?name=valve");
    const said = self.actions.submitBatch(valve.id, "level", 0n, [{ claimedMs: now, receivedMs: now, value: { kind: "number", mantissa: 7n } }]);
    await self.finalize([said.action], [said.payload]);
    const command = await self.finalize([self.actions.command(valve.id, { kind: "read", property: "level" }, now + 600_000n)]);
    await self.finalize([{ kind: "report_command", report: { command: hex(command.receipt.transaction), state: "done", result: null } }]);
    run("access", "policy", "set", "--thing", "valve", "--mode", "strict", "--kind", "organisation", "--ask", "owner", "--key", owner);
    run("access", "request", "--thing", "valve", "--right", "read", "--purpose", "care", "--key", other);
    const care = await grantFor("care");
    run("access", "answer", care, "--allow", "--key", owner);
    run("access", "use", care, "--key", other);

    // 10.2: another must accept the contract before it begins, and calls it. 10.1: an agreement, and what is stored about it.
    const both = await openAccount(network.base, owner);
    const terms = { admin: both.actions.idBytes(provider), participants: both.actions.ascending([provider, client.entity]), threshold: 2, patienceBlocks: 10_000, callers: [] };
    await both.finalize([both.actions.instantiate(code.id, "agreed", terms, "{}", GAS)]);
    const { items: [agreed] } = await network.get("/v1/contracts?name=agreed");
    await both.finalize([both.actions.answerContract(agreed.id, true)]);
    const guest = await openAccount(network.base, other);
    await guest.finalize([guest.actions.answerContract(agreed.id, true)]);
    await guest.finalize([guest.actions.execute(agreed.id, "{}", GAS)]);
    const sold = await guest.finalize([guest.actions.record("sold", new Uint8Array([1]), [provider])]);
    await writeDown(guest, "delivered", [provider], sold.receipt.transaction);

    // Read as the owner: what it lets few read, others are not told of.
    const page = await open("/sign");
    await signIn(page, owner);
    await page.getByRole("button", { name: "Say that it is you" }).click();
    await page.locator(".reader").waitFor();
    await page.getByRole("link", { name: "Procedures" }).click();
    const card = (clause) => page.locator(".card").filter({ has: page.getByRole("heading", { level: 2, name: `${clause} ` }) });
    for (const [clause, shown] of [
      ["10.1", ["asks for a transaction", "agree: block", "asks to store data", "copy and store it", "notifies"]],
      ["10.2", ["asks to deploy", "accepts it", "deploys it", "it runs", "asks to execute it", "notifies"]],
      ["10.3", ["asks to deploy|deploys it", "it runs", "notifies"]],
      ["10.4", ["asks for access", "asks to execute it", "gets the result", "writes a record", "is told of it"]],
      ["10.5", ["asks for access", "asks the service", "allows it", "uses it, not through BoT", "writes the use down", "writes a record", "is told of it"]],
      ["10.6", ["registers", "asks the device", "hands it on", "says: done", "is told of it"]],
      ["10.7", ["uploads data", "asks for access", "asks the owner", "allows it", "it may access", "records the access", "notifies"]],
    ]) {
      for (const text of shown) await card(clause).locator(".arrow-text").getByText(new RegExp(text)).first().waitFor();
      await leadsThere(card(clause), clause);
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
