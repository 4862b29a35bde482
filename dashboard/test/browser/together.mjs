// Things, services and the ledger at work with each other, typed as people type it, and what the pages tell of it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { openAccount } from "./account.mjs";
import { contractModule } from "./contract.mjs";
import { fits } from "./fits.mjs";
import { until } from "./network.mjs";

const GUARD = fileURLToPath(new URL("../../../contracts/artifacts/guard.wasm", import.meta.url));

function description(title, affordances) {
  return JSON.stringify({ "@context": "https://www.w3.org/2022/wot/td/v1.1", title, securityDefinitions: { none: { scheme: "nosec" } }, security: "none", ...affordances });
}

/** How long a busy machine may take to carry a command and its answer. */
const ANSWER_MS = 60_000;

const forms = [{ href: "mqtt://a/b" }];
const TEMPERATURE = { properties: { temperature: { type: "number", multipleOf: 0.01, unit: "degC", forms } } };
const RING = { actions: { ring: { forms } }, properties: { on: { type: "boolean", forms } } };

/** Commands of the program that sign, with their answers. */
export function typed(network) {
  const organisations = [1, 2].map((at) => join(network.folder, "organisations", `${at}.json`));
  const ask = (...args) => JSON.parse(network.command(...args, "--json").split("\n").filter(Boolean).at(-1));
  /** What a command that must fail says. */
  const refused = (...args) => {
    let said;
    try {
      said = network.command(...args);
    } catch (error) {
      return String(error.stderr);
    }
    return assert.fail(`it was not refused: ${args.join(" ")}: ${said}`);
  };
  const register = (name, title, affordances, key) => {
    const file = network.write(`${name}.td.json`, description(title, affordances));
    return ask("thing", "register", "--name", name, "--description", file, "--key", key);
  };
  /** A new entity that an organisation answers for; gives its key file. */
  const enter = (kind, name, key) => {
    const file = join(network.folder, `${name}.json`);
    ask("entity", "register", "--kind", kind, "--name", name, "--entity-key", file, "--insecure-keys", "--key", key);
    return file;
  };
  return { organisations, ask, refused, register, enter };
}

/** A thing with a reading of each value, each in a batch of its own. */
export function measuring(network, name, key) {
  let next = 0n;
  return async (value) => {
    // Anew each time, since the program signs for the same entity meanwhile; and again if the peer has closed what was idle while that ran.
    const { actions, client, finalize } = await until(() => openAccount(network.base, key).catch(() => undefined));
    const { items: [thing] } = await client.things({ name });
    const now = BigInt(Date.now());
    const { action, payload } = actions.submitBatch(thing.id, "temperature", next, [{ claimedMs: now, receivedMs: now, value: { kind: "number", mantissa: BigInt(value) } }]);
    next += 1n;
    return finalize([action], [payload]);
  };
}

/** A contract of the committed module, whoever stored that first. */
export function makeGuard({ ask }, name, thing, key) {
  ask("contract", "store", GUARD, "--name", "guard", "--interface", "guard", "--key", key);
  const message = { thing: ask("thing", "show", thing).id, property: "temperature", limit: 15_000, notify: [] };
  ask("contract", "instantiate", "guard", JSON.stringify(message), "--name", name, "--key", key);
  return ask("contract", "show", name);
}

/** A contract that acts has a DID and no document: the page asks for one all the same, and the browser notes the answer. */
function nameless(page) {
  page.wrong = page.wrong.filter((line) => !/status of 404/.test(line));
}

/**
 * Clause 7.1.3: a reading beyond a limit, a contract that a trigger calls, its alarm, and a command to a bell; then a trigger that time sets off,
 * and a call. Nobody signs anything between the reading and the command.
 */
export async function actByItself({ network, open, close }) {
  const program = typed(network);
  const { ask, organisations: [key] } = program;
  program.register("kiln", "Kiln", TEMPERATURE, key);
  program.register("bell", "Bell", RING, key);
  const measure = measuring(network, "kiln", key);
  await measure(14_000);
  const guard = makeGuard(program, "watch", "kiln", key);
  ask("trigger", "set", "too-hot", 'when kiln/temperature > 150 then call watch {"check":{}}', "--key", key);
  ask("trigger", "set", "alarmed", `when record alarm by ${guard.id} then command bell.ring`, "--key", key);
  const soon = new Date(Date.now() + 1000).toISOString();
  ask("trigger", "set", "in-time", `when at ${soon} then record woke`, "--key", key);
  assert.equal(ask("command", "list", "bell").items.length, 0);
  const { height } = await measure(15_100);
  const [command] = await until(async () => {
    const { items } = ask("command", "list", "bell");
    return items.length > 0 && items;
  });
  assert.equal(command.state, "queued");
  const runs = (name) => ask("trigger", "history", name).items.filter((one) => one.events[0].type === "trigger_ran");
  const [hot] = runs("too-hot");
  assert.equal(hot.events[0].cause_height, height);
  assert.equal(hot.height, height + 1, "in the block after the reading");
  const [alarmed] = runs("alarmed");
  assert.equal(alarmed.events[0].cause_height, hot.height, "caused by the block in which the contract raised its alarm");
  assert.ok(hot.events.some((event) => event.type === "recorded" && event.sender === guard.id), "the contract wrote the alarm");
  await until(async () => runs("in-time").length === 1);
  ask("contract", "execute", "watch", '{"check":{}}', "--key", key);

  // That it ran is proven to whoever asks, who learns what came of it.
  const proof = join(network.folder, "too-hot.proof");
  await until(() => {
    try {
      return ask("trigger", "prove", "too-hot", String(hot.height), "--out", proof);
    } catch {
      // A later block has to commit to what came of it.
      return undefined;
    }
  });

  const page = await open("/verify");
  await page.locator('input[type="file"]').setInputFiles(proof);
  await page.getByText("It holds").waitFor();
  const said = page.locator(".card").filter({ hasText: "Run of trigger" });
  await said.getByText("took effect").waitFor();
  await said.getByText(`${hot.events.length} event`).waitFor();
  await said.getByRole("link", { name: hot.height.toLocaleString("en-US"), exact: true }).waitFor();
  await page.goto(`${network.base}/contracts`);
  await page.getByRole("link", { name: "too-hot" }).click();
  await page.getByRole("heading", { level: 1, name: "too-hot" }).waitFor();
  await page.getByText(`ran, for block ${height.toLocaleString("en-US")}`).waitFor();
  // From the run to the reading that caused it, and back from what the contract tells.
  await page.locator(".entries li").filter({ hasText: `ran, for block ${height.toLocaleString("en-US")}` }).getByRole("link", { name: "cause and proof" }).click();
  await page.getByRole("heading", { level: 1, name: "Run of a trigger" }).waitFor();
  const cause = page.locator(".card").filter({ hasText: "What caused it" });
  await cause.getByRole("link", { name: height.toLocaleString("en-US"), exact: true }).first().waitFor();
  await page.locator(".card").filter({ hasText: "What it brought about" }).getByText("recorded").waitFor();
  await page.getByRole("button", { name: "Verify in this browser" }).click();
  await page.getByText("It holds").waitFor();
  await fits(page);
  await cause.getByRole("link", { name: /^151\s/ }).click();
  await page.getByRole("heading", { level: 1, name: /^151\s/ }).waitFor();
  await page.getByText("It holds").waitFor();
  await page.goto(`${network.base}/contracts/${guard.id}`);
  const told = page.locator(".entries li").filter({ hasText: `block ${hot.height.toLocaleString("en-US")},` });
  await told.getByRole("link", { name: "transaction" }).click();
  await page.getByRole("heading", { level: 1, name: "Run of a trigger" }).waitFor();
  await page.getByRole("link", { name: "too-hot" }).waitFor();
  await page.goto(`${network.base}/contracts/${guard.id}`);
  // Once by the ledger, once by who signed.
  await until(async () => (await page.getByText("called contract").count()) >= 2);
  await page.goto(`${network.base}/things/${ask("thing", "show", "bell").id}`);
  await page.getByText("queued", { exact: true }).first().waitFor();
  for (const name of ["too-hot", "alarmed", "in-time"]) ask("trigger", "remove", name, "--key", key);
  nameless(page);
  await close(page);
}

/**
 * Clauses 7.2.2 and 9.3: a gateway deploys a service; a device of another organisation finds and calls it, reads what was measured, and commands
 * another device, which answers for itself.
 */
export async function useEachOther({ network, open, close }) {
  const program = typed(network);
  const { ask, refused, enter, organisations: [owner, other] } = program;
  program.register("oven", "Oven", TEMPERATURE, owner);
  program.register("horn", "Horn", RING, owner);
  const measure = measuring(network, "oven", owner);
  for (const value of [14_000, 14_100, 15_200]) await measure(value);
  const gateway = enter("gateway", "gateway-9", owner);
  const [horn, reader] = [enter("device", "horn-9", owner), enter("device", "reader-9", other)];
  ask("thing", "bind", "horn", "--gateway", "horn-9", "--key", owner);
  const made = makeGuard(program, "oven-watch", "oven", gateway);
  assert.equal(made.creator, ask("entity", "show", "gateway-9").id, "the gateway deployed it");

  // A device finds the service by what it understands, and calls it.
  const [understands] = made.interfaces;
  const found = ask("contract", "list", "--interface", understands).items.find((one) => one.name === "oven-watch");
  ask("contract", "execute", found.id, '{"check":{}}', "--key", reader);
  assert.equal(JSON.parse(ask("contract", "query", found.id, '{"state":{}}').answer).alarm, true);

  // It reads once it may, all that there is.
  const history = ["reading", "list", "oven/temperature", "--as", reader, "--for", "care"];
  ask("access", "policy", "set", "--thing", "oven", "--kind", "device", "--right", "read", "--only-for", "care", "--key", owner);
  assert.match(refused(...history), /no_grant/);
  ask("access", "request", "--thing", "oven", "--right", "read", "--purpose", "care", "--key", reader);
  assert.deepEqual(ask(...history).items.map((one) => one.value), ["140.00", "141.00", "152.00"]);

  // A contract is somebody of its own: it reads what the owner lets it, whatever its maker and its caller may.
  const seen = () => ask("contract", "execute", found.id, '{"check":{}}', "--key", reader).receipt.events.find((event) => event.type === "contract_emitted").attributes.find((one) => one.key === "alarm").value;
  assert.equal(seen(), "unknown");
  ask("access", "policy", "set", "--thing", "oven", "--property", "temperature", "--entity", found.id, "--mode", "open", "--right", "read", "--key", owner);
  assert.equal(seen(), "true");
  ask("access", "policy", "remove", "--thing", "oven", "--property", "temperature", "--key", owner);
  assert.equal(seen(), "unknown");

  // It commands the other device, which answers under its own key.
  ask("access", "policy", "set", "--thing", "horn", "--action", "ring", "--kind", "device", "--right", "invoke", "--only-for", "care", "--key", owner);
  const invoke = ["command", "invoke", "horn", "ring", "--purpose", "care", "--key", reader];
  assert.match(refused(...invoke), /no_grant/);
  ask("access", "request", "--thing", "horn", "--action", "ring", "--right", "invoke", "--purpose", "care", "--key", reader);
  const { receipt } = ask(...invoke);
  ask("command", "report", receipt.transaction, "done", "--result", "rung", "--key", horn);
  const command = ask("command", "show", receipt.transaction);
  const ids = ["reader-9", "horn-9"].map((name) => ask("entity", "show", name).id);
  assert.deepEqual([command.state, command.sender, command.reporter, command.result], ["done", ...ids, "rung"]);

  // Who deployed it lets it be called by grant only.
  const call = ["contract", "execute", found.id, '{"check":{}}', "--key", reader];
  const contract = ["--contract", found.hex, "--right", "call"];
  ask("access", "policy", "set", ...contract, "--kind", "device", "--key", gateway);
  assert.match(refused(...call), /no_grant/);
  ask("access", "request", ...contract, "--purpose", "call", "--key", reader);
  ask(...call);

  // A right that is taken back ends with the block that does it.
  const { items: grants } = ask("access", "grants", "--entity", "reader-9");
  assert.equal(grants.length, 3);
  for (const grant of grants) ask("access", "revoke", grant.id, "--key", grant.right === "call" ? gateway : owner);
  for (const once of [history, invoke, call]) assert.match(refused(...once), /no_grant/);

  // The device says under its own key who may read what is its own.
  program.register("tag", "Tag", TEMPERATURE, reader);
  await measuring(network, "tag", reader)(2_000);
  const tag = ["reading", "latest", "tag/temperature"];
  assert.equal(ask(...tag).items[0].value, "20.00");
  ask("access", "policy", "set", "--thing", "tag", "--entity", "horn-9", "--mode", "open", "--key", reader);
  assert.match(refused(...tag, "--as", owner), /access_denied/);
  assert.equal(ask(...tag, "--as", horn).items[0].value, "20.00");

  const page = await open(`/things/${ask("thing", "show", "horn").id}`);
  await page.getByText("done", { exact: true }).first().waitFor();
  await page.getByText("rung").first().waitFor();
  await page.goto(`${network.base}/contracts/${made.id}`);
  await page.getByText("gateway-9").first().waitFor();
  nameless(page);
  await close(page);
}

/**
 * Clause 7.2.2: a service of another organisation, at the peer of that organisation, reads a property and invokes an action of a device that knows
 * MQTT and nothing else.
 */
export async function reachBehindGateway({ network }) {
  const { ask, enter, refused, register, organisations: [owner, other] } = typed(network);
  const there = `http://127.0.0.1:${network.port + 10}`;
  assert.equal((await (await fetch(`${there}/v1/peers`)).json()).items.find((one) => one.this).organisation_name, "Office Park");
  register("fan", "Fan", { actions: { spin: { input: { type: "object", properties: { rpm: { type: "integer" } } }, forms } }, properties: { level: { type: "integer", forms } } }, owner);
  ask("thing", "bind", "fan", "--gateway", "gateway", "--key", owner);
  const service = enter("service", "climate-9", other);
  const read = ["command", "read", "fan", "level", "--key", service, "--peer", there];
  const invoke = ["command", "invoke", "fan", "spin", "--input", '{"rpm":900}', "--key", service, "--peer", there];
  for (const once of [read, invoke]) assert.match(refused(...once), /not_permitted|access_denied/);
  ask("access", "policy", "set", "--thing", "fan", "--entity", "climate-9", "--right", "read", "--right", "invoke", "--mode", "open", "--key", owner);

  // The device: a client that hears and answers.
  const mqtt = ["-h", "127.0.0.1", "-p", String(network.port + 9), "-q", "1", "-V", "5"];
  const device = spawn("mosquitto_sub", [...mqtt, "-t", "things/fan/commands/request"], { stdio: ["ignore", "pipe", "inherit"] });
  createInterface({ input: device.stdout }).on("line", (line) => {
    const { id, operation, input } = JSON.parse(line);
    const answer = JSON.stringify({ id, state: "done", result: operation === "read" ? "70" : `spins at ${input.rpm}` });
    execFileSync("mosquitto_pub", [...mqtt, "-t", "things/fan/commands/answer", "-m", answer]);
  });
  try {
    const answers = [];
    for (const once of [read, invoke]) {
      const sent = await until(async () => {
        try {
          return ask(...once);
        } catch {
          // The peer of the other organisation may not have the policy yet.
          return undefined;
        }
      });
      answers.push(await until(async () => {
        const command = ask("command", "show", sent.receipt.transaction, "--peer", there);
        return command.state === "done" && command;
      }, ANSWER_MS));
    }
    assert.deepEqual(answers.map((one) => JSON.parse(one.result)), ["70", "spins at 900"]);
    const ids = ["climate-9", "gateway"].map((name) => ask("entity", "show", name).id);
    for (const one of answers) assert.deepEqual([one.sender, one.reporter], ids, "asked by the one, answered by the gateway of the other");
  } finally {
    device.kill();
  }
}

const digest = (module) => createHash("sha256").update(module).digest("hex");

/** The module with another answer of the same length. */
function answering(answer) {
  const module = contractModule();
  const [from, to] = ['{"open":true}', answer].map((text) => Buffer.from(Buffer.from(text).toString("base64")));
  assert.equal(from.length, to.length);
  to.copy(module, module.indexOf(from));
  return module;
}

/** Clauses 7.2.1 and 7.2.4: all that can become of a contract, typed. */
export async function liveAndEnd({ network }) {
  const { ask, refused, organisations: [, other] } = typed(network);
  const [key, second] = [4, 3].map((at) => join(network.folder, "organisations", `${at}.json`));
  const file = network.write("gate.wasm", contractModule());
  ask("contract", "store", file, "--name", "gate", "--key", key);
  const code = digest(contractModule());
  ask("contract", "instantiate", code, "{}", "--name", "gate", "--key", key);
  const shown = () => ask("contract", "show", "gate");
  assert.equal(shown().status, "active");
  assert.ok(ask("contract", "list", "--name", "gate").items.some((one) => one.id === shown().id));
  const call = ["contract", "execute", "gate", "{}"];
  ask(...call, "--key", other);
  assert.equal(ask("contract", "query", "gate", "{}").answer, '{"open":true}');
  assert.ok(ask("contract", "dry-run", "gate", "{}", "--sender", "Office Park").gas_used > 0);
  const change = (verb, by) => ["contract", verb, "gate", "--key", by];
  for (const verb of ["freeze", "terminate"]) assert.match(refused(...change(verb, other)), /not_permitted/);
  ask(...change("freeze", key));
  assert.match(refused(...call, "--key", other), /contract_frozen/);
  ask(...change("thaw", key));
  // Another version, and back again.
  const next = network.write("gate-2.wasm", answering('{"open":1234}'));
  ask("contract", "store", next, "--name", "gate-2", "--key", key);
  ask("contract", "migrate", "gate", digest(answering('{"open":1234}')), "{}", "--key", key);
  assert.equal(ask("contract", "query", "gate", "{}").answer, '{"open":1234}');
  ask("contract", "migrate", "gate", code, "{}", "--key", key);
  assert.equal(ask("contract", "query", "gate", "{}").answer, '{"open":true}');
  ask(...call, "--key", other);
  // It ends for ever when two others agree, which its administrator wants it to take.
  const [maker, one, two] = await Promise.all([key, other, second].map((file) => openAccount(network.base, file)));
  await maker.finalize([maker.actions.setApprovalPolicy("terminate_contract", 2, [one.entity, two.entity], 1000)]);
  network.command(...change("terminate", key));
  const { items: [pending] } = await one.client.pending(maker.entity);
  assert.deepEqual(pending.approvals, [pending.sender], "nobody else has agreed yet");
  await one.finalize([one.actions.approve(pending.transaction)]);
  assert.equal(shown().status, "active");
  await two.finalize([two.actions.approve(pending.transaction)]);
  assert.equal(shown().status, "terminated");
  assert.match(refused(...call, "--key", other), /contract_ended/);
  const events = ask("contract", "history", "gate").items.flatMap((one) => one.events.map((event) => event.type));
  for (const type of ["contract_instantiated", "contract_called", "contract_migrated", "contract_terminated"]) assert.ok(events.includes(type), `${type} in ${events}`);
}
