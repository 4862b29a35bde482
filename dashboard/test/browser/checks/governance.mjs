// What the members decide together.

import assert from "node:assert/strict";
import { join } from "node:path";
import { openAccount, sdk } from "../account.mjs";
import { fits } from "../fits.mjs";
import { until } from "../network.mjs";
import { close, network, open, shots, signIn } from "../stage.mjs";
import { typed } from "../together.mjs";

/** Blocks that a change and its opposite may take: both must be of one epoch, so that no peer loses its vote. */
const CHANGE_BLOCKS = 250;

const keys = [1, 2, 3, 4].map((at) => join(network.folder, "organisations", `${at}.json`));

/** Proposes something, and has members vote until it is decided. */
async function decide(...change) {
  network.command(...change, "--key", keys[0]);
  const { items: [{ id }] } = await network.get("/v1/governance/proposals");
  for (const key of keys.slice(1)) {
    const { proposals } = await network.get("/v1/governance");
    if (proposals.some((one) => one.id === id)) network.command("vote", "yes", id, "--key", key);
  }
}

export const checks = {
  async "the validators of each epoch are shown, and who joins and leaves from which block"() {
    const within = await until(async () => {
      const found = await network.get("/v1/governance");
      const { height } = await network.get("/v1/status");
      return found.epoch_end_height - height > CHANGE_BLOCKS && found;
    }, 300_000);
    const { epoch, epoch_end_height: end, validators, parameters: { epoch_blocks: length } } = within;
    const page = await open("/governance");
    const card = page.locator(".card").filter({ hasText: "Whose votes on blocks count" });
    const number = (value) => value.toLocaleString("en-US");
    for (const text of [`now, epoch ${epoch}`, `next, epoch ${epoch + 1}`, `then, epoch ${epoch + 2}`, `to ${number(end)}`, "3 of 4 sign", `An epoch has ${number(length)} blocks`, "left of epoch"]) await card.getByText(text).first().waitFor();
    assert.equal(await card.locator("tbody tr").count(), validators.length);
    assert.equal(await card.locator("td.counts").count(), 3 * validators.length);
    assert.equal(await card.locator(".badge").count(), 0);
    // A newcomer with a peer; its organisation first, for a member with two seats of five could stop all others.
    const [organisation, peer] = ["newcomer", "peer-5"].map((name) => join(network.folder, `${name}.json`));
    await decide("org", "add", "--name", "newcomer", "--entity-key", organisation, "--insecure-keys");
    network.command("entity", "register", "--kind", "peer", "--name", "peer-5", "--entity-key", peer, "--insecure-keys", "--key", organisation);
    const { SigningKey } = await sdk();
    await decide("org", "add-peer", "peer-5", "--vote-key", Buffer.from(SigningKey.generate().publicKey.bytes).toString("hex"), "--address", "127.0.0.1:1");
    await card.getByText(`joins from block ${number(end + length + 1)}`).waitFor();
    await card.getByText("4 of 5 sign").waitFor();
    assert.equal(await card.locator("td.counts").count(), 3 * validators.length + 1);
    if (shots) await page.screenshot({ path: join(shots, "seats-wide-light.png"), fullPage: true });
    await decide("org", "remove-peer", "peer-5");
    await until(async () => (await card.locator(".badge").count()) === 0);
    await decide("org", "remove", "newcomer");
    await close(page);
  },

  async "how few could stop or divide the ledger is told, as the command line counts it"() {
    const { least } = typed(network).ask("network", "decentralisation");
    const page = await open("/governance");
    const harm = page.locator(".card").filter({ has: page.getByRole("heading", { level: 2, name: "How much hangs on how few", exact: true }) });
    for (const [what, much] of [["stop agreement", least.stop], ["divide the ledger", least.divide], ["keep any change", least.block_a_vote], ["accept any change", least.win_a_vote]]) await harm.getByText(new RegExp(`${what}.*?${much} of 4`)).first().waitFor();
    // Four organisations with a peer each.
    assert.deepEqual([least.stop, least.divide], [2, 2]);
    await page.goto(network.base);
    await page.getByText("Nobody can change it alone: two of the four would have to lie together, and two fall silent to stop it.").waitFor();
    await close(page);
  },

  async "a regulation comes into force by vote, and is shown where it keeps readings out"() {
    const { ask, register, organisations: [owner] } = typed(network);
    register("chamber", "Chamber", { "@type": "Chamber", properties: { temperature: { type: "number", multipleOf: 0.01, forms: [{ href: "mqtt://a/b" }] } } }, owner);
    const page = await open("/governance");
    const card = (name) => page.locator(".card").filter({ has: page.getByRole("heading", { level: 2, name, exact: true }) });
    assert.equal(await card("Regulations").count(), 0, "none is in force");
    await signIn(page, owner);
    await page.getByRole("link", { name: "Governance" }).click();
    const form = card("Propose a change");
    await form.locator("select").first().selectOption("set_regulation");
    for (const [label, value] of [["Id, such as gdpr-5", "gdpr-5"], ["Whose law, such as EU", "EU"], ["What it demands, in words", "No longer than <b>needed</b>"], ["Only things of this type (optional)", "Chamber"], ["Keep at most so many days", "30"]]) {
      await form.getByLabel(label).fill(value);
    }
    await form.getByRole("button", { name: "What would it lead to?" }).click();
    await form.getByText("possible").waitFor();
    await form.getByRole("button", { name: "Sign and propose" }).click();
    await form.getByText("took effect").waitFor();
    const { items: [{ id }] } = await network.get("/v1/governance/proposals");
    for (const key of keys.slice(1)) if ((await network.get("/v1/governance")).proposals.some((one) => one.id === id)) network.command("vote", "yes", id, "--key", key);
    const law = card("Regulations").locator(".entries > li");
    await law.getByText("gdpr-5").waitFor({ timeout: 60_000 });
    await law.getByText("kept at most 30 days").waitFor();
    await law.getByText("in force since block").waitFor();
    await law.getByText("Who voted").click();
    await until(async () => (await law.getByText("for it", { exact: true }).count()) >= 3);
    await fits(page);
    if (shots) await page.screenshot({ path: join(shots, "regulations-wide-light.png"), fullPage: true });

    // Its stream is kept without end, which the regulation forbids: the thing's page says so, until its owner decides otherwise.
    await page.getByRole("link", { name: "Things", exact: true }).click();
    await page.getByRole("link", { name: "Chamber" }).first().click();
    const property = page.locator(".card.property");
    await property.getByText("Takes no readings").waitFor();
    ask("data", "place", "chamber/temperature", "--retention-days", "30", "--key", owner);
    await page.reload();
    await property.getByText("Who can open it").click();
    await property.getByText("complies", { exact: true }).waitFor();
    assert.equal(await property.getByText("Takes no readings").count(), 0);
    assert.equal(await page.locator("main b").count(), 0, "what a regulation says is text");
    await decide("regulation", "end", "gdpr-5");
    await until(async () => (await network.get("/v1/governance")).regulations.length === 0, 60_000);
    await close(page);
  },

  async "members decide by vote, and are told beforehand what it would lead to"() {
    const page = await open("/governance");
    assert.equal(await page.getByRole("link", { name: "Governance" }).getAttribute("aria-current"), "page");
    const keys = [1, 2, 3].map((at) => join(network.folder, "organisations", `${at}.json`));
    await signIn(page, keys[0]);
    await page.getByRole("link", { name: "Governance" }).click();
    const form = page.locator(".card").filter({ hasText: "Propose a change" });
    await form.locator("select").first().selectOption("set_voting_rule");
    await form.getByLabel("Blocks from acceptance to effect").fill("5");
    await form.getByLabel("Why").fill("sooner <script>window.pwned=1</script>");
    await form.getByRole("button", { name: "What would it lead to?" }).click();
    await form.getByText("possible").waitFor();
    await form.getByRole("button", { name: "Sign and propose" }).click();
    await form.getByText("took effect").waitFor();
    const proposal = page.locator(".entries > li").first();
    await proposal.getByText("has not voted").first().waitFor();
    const { proposals } = await network.get("/v1/governance");
    for (const key of keys.slice(1)) {
      const { actions, finalize } = await openAccount(network.base, key);
      await finalize([actions.vote(proposals[0].id, true)]);
    }
    await proposal.locator(".badge").getByText(/accepted|enacted/).first().waitFor();
    await form.locator("select").first().selectOption("set_parameters");
    await form.getByLabel("claim ahead max ms").fill("61234");
    await form.getByRole("button", { name: "What would it lead to?" }).click();
    await form.getByText("possible").waitFor();
    await form.getByRole("button", { name: "Sign and propose" }).click();
    await proposal.getByText("set parameters").first().waitFor();
    assert.equal((await network.get("/v1/governance/proposals")).items[0].change, "set_parameters");
    if (shots) await page.screenshot({ path: join(shots, "governance-wide-light.png"), fullPage: true });
    await close(page);
  },
};
