// What the members decide together.

import assert from "node:assert/strict";
import { join } from "node:path";
import { openAccount, sdk } from "../account.mjs";
import { until } from "../network.mjs";
import { close, network, open, shots, signIn } from "../stage.mjs";

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
