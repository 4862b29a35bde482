// A peer that its operators stop, configure and look after: by the command line on its machine, by a key from elsewhere, and by its page.

import assert from "node:assert/strict";
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../network.mjs";
import { close, network, open, shots, signIn } from "../stage.mjs";

const NAME = "peer-4";

/** What a command says when it fails. */
function refused(...args) {
  try {
    network.local(...args);
  } catch (failed) {
    return failed.stderr;
  }
  throw new Error(`it did not fail: ${args.join(" ")}`);
}

/** Whether a peer takes part, as containers ask. */
function isReady(base) {
  try {
    network.local("peer", "status", "--ready", "--peer", base);
    return true;
  } catch {
    return false;
  }
}

export const checks = {
  async "a peer is operated by the command line and its page"() {
    const folder = join(network.folder, NAME);
    const config = join(folder, "config.toml");
    const here = ["--config", config];
    const text = readFileSync(config, "utf8");
    const base = `http://${/\[peer\.api\]\nlisten = "([^"]+)"/.exec(text)[1]}`;
    const keyOf = (at) => join(network.folder, "organisations", `${at}.json`);
    const there = ["--peer", base, "--key", keyOf(4)];
    const json = (...args) => JSON.parse(network.local("--json", ...args));
    const heightAt = async (url) => (await (await fetch(`${url}/v1/status`)).json()).height;

    // Configured while it runs, and from elsewhere only by the organisation that runs it.
    assert.equal(json("peer", "config", "show", ...here).version.number, 1);
    const wanted = network.write("wanted.toml", `${text}\n[peer.mempool]\ntransactions_max = 1234\n`);
    const items = [{ key: "peer.mempool.transactions_max", from: "50000", to: "1234", takes: "now" }];
    assert.deepEqual(json("peer", "config", "apply", wanted, "--dry-run", ...here).items, items);
    assert.equal(readFileSync(config, "utf8"), text);
    assert.match(refused("peer", "config", "apply", wanted, "--peer", base, "--key", keyOf(1)), /not_an_operator/);
    const others = network.write("others.toml", text.replace("operators = [", "auditors = ["));
    assert.match(refused("peer", "config", "apply", others, ...there), /machine_only/);
    assert.match(refused("peer", "config", "check", network.write("wrong.toml", "[peer]\nrole = \"chief\"\n"), ...there), /line 2.*peer\.role/);
    assert.deepEqual(json("peer", "config", "apply", wanted, ...there).items, items);
    const { version, text: shown, waiting } = json("peer", "config", "show", ...there);
    assert.deepEqual([version.number, version.changed, waiting], [2, items, []]);
    assert.match(shown, /transactions_max = 1234/);
    assert.deepEqual(json("peer", "config", "history", ...there).items.map((one) => one.number), [2, 1]);

    // For an auditor: a thing's transactions with proofs, and the logs. Changed, it does not hold.
    const [thing] = (await network.get("/v1/things?name=machine-1")).items;
    const file = join(network.folder, "audit.json");
    await until(async () => (await heightAt(base)) > 25, 60_000);
    const made = json("audit", "export", file, "--thing", thing.name, "--to", "20", ...there);
    assert.ok(made.transactions > 0, JSON.stringify(made));
    const genesis = ["--genesis", join(network.folder, "genesis.json")];
    assert.equal(json("audit", "verify", file, ...genesis).ok, true);
    const whole = JSON.parse(readFileSync(file, "utf8"));
    const changes = [
      (one) => (one.transactions[0].id = "00".repeat(32)),
      (one) => (one.transactions[0].proof = one.transactions[0].proof.replace(/..$/, "00")),
      (one) => (one.about[0].key = `74${one.about[0].key.slice(2, -2)}00`),
      (one) => (one.operations[0].detail = "nothing"),
      (one) => one.operations.splice(1, 1),
      (one) => (one.ledger = "11".repeat(32)),
    ];
    for (const change of changes) {
      const copy = structuredClone(whole);
      change(copy);
      assert.match(refused("audit", "verify", network.write("changed.json", JSON.stringify(copy)), ...genesis), /does NOT hold/, String(change));
    }

    // Stopped while the others go on; somebody changes its log meanwhile; started again, it says so.
    network.local("peer", "stop", ...here);
    await until(() => fetch(`${base}/v1/status`).then(() => false, () => true), 30_000, () => "it does not end");
    const before = await heightAt(network.base);
    await until(async () => (await heightAt(network.base)) > before + 2, 30_000, () => "the others do not go on");
    const log = readdirSync(folder, { recursive: true }).find((name) => name.includes("operations-"));
    const written = readFileSync(join(folder, log), "utf8");
    assert.doesNotMatch(written, /stop|ended|operator/, "who has the disk reads no log");
    const entries = written.trimEnd().split("\n");
    writeFileSync(join(folder, log), [...entries.slice(0, -2), entries.at(-1), ""].join("\n"));
    const again = network.start("peer", "run", ...here);
    await until(async () => (await heightAt(base).catch(() => 0)) > before, 60_000, () => again.said());
    await until(() => isReady(base), 60_000, () => "it does not take part again");

    const page = await open("/", { base });
    await signIn(page, keyOf(4));
    await page.getByRole("link", { name: "Operations" }).first().click();
    const alarm = page.locator(".alarms li").filter({ hasText: "The log of operations is damaged" });
    await alarm.getByLabel("Note").fill("seen <b>by me</b>");
    await alarm.getByRole("button", { name: "Acknowledge" }).click();
    await alarm.getByText("seen <b>by me</b>").waitFor();
    const table = page.getByRole("region", { name: "Log of operations" });
    await table.getByText("configuration applied").waitFor();
    await table.getByText("started").first().waitFor();
    if (shots) await page.screenshot({ path: join(shots, "operations-operator-wide-light.png"), fullPage: true });
    await close(page);
    const kept = json("peer", "alarms", "--peer", base).items.find((one) => one.code === "log_damaged");
    assert.equal(kept.acknowledged.note, "seen <b>by me</b>");
    assert.match(network.local("peer", "log", "--alarms", ...there), /raised.*\n.*acknowledged/);

    // An operator's key ends it, with success; what it left holds again once the log is as it was.
    network.local("peer", "stop", ...there);
    assert.equal(await again.ended, 0, again.said());
    const last = readFileSync(join(folder, log), "utf8");
    writeFileSync(join(folder, log), last.replace(entries.at(-1), `${entries.at(-2)}\n${entries.at(-1)}`));
    appendFileSync(join(folder, log), '{"number":');
    const third = network.start("peer", "run", ...here);
    await until(async () => (await heightAt(base).catch(() => 0)) > before, 60_000, () => third.said());
    const part = json("peer", "log", "--limit", "500", ...there);
    assert.equal(part.items.at(-1).number, part.newest);
  },
};
