// Networks other than the demo's: in the other modes, by IPv6, and with a peer that nobody asked for.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { publishes, until } from "./network.mjs";
import { makeGuard, measuring, typed } from "./together.mjs";

const PEERS = 4;
/** How long a busy machine may take until a network makes blocks, and until a peer shows what the others have. */
const PATIENCE_MS = 90_000;
/** Ports below those that the system gives to outgoing connections, and above 10080, which no `fetch` may ask; each network here takes forty. */
export const PORT = 11_000 + (process.pid % 80) * 120;

/** Founds a network in a folder, as `more` says too, and starts its processes; `stop` ends them. */
export async function found(demo, name, mode, host, port, ...more) {
  const folder = join(demo.folder, "..", name);
  demo.local("network", "new", folder, "--name", name, "--mode", mode, "--host", host, "--port", String(port), "--insecure-keys", ...more);
  const at = (peer) => `http://${host.includes(":") ? `[${host}]` : host}:${port + peer * 10}`;
  const gateway = join(folder, "gateway", "config.toml");
  writeFileSync(gateway, readFileSync(gateway, "utf8").replace(":1883", `:${port + 5}`));
  const said = more.indexOf("--peers");
  const count = said < 0 ? PEERS : Number(more[said + 1]);
  const processes = Array.from({ length: count }, (_, peer) => demo.start("peer", "run", "--config", join(folder, `peer-${peer + 1}`, "config.toml")));
  const command = (...args) => demo.local(...args, ...(args.includes("--peer") ? [] : ["--peer", at(0)]));
  const network = {
    base: at(0),
    get: async (path) => (await fetch(at(0) + path)).json(),
    peers: Array.from({ length: count }, (_, peer) => at(peer)),
    folder,
    command,
    write: (file, text) => {
      writeFileSync(join(folder, file), text);
      return join(folder, file);
    },
    said: () => processes.map((one) => one.said()).join("\n"),
    startGateway: () => processes.push(demo.start("gateway", "run", "--config", gateway)),
    mqtt: ["-h", host, "-p", String(port + 5)],
    stop: async () => {
      await Promise.all(processes.map((one) => one.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  const ready = until(async () => {
    const health = await fetch(`${at(0)}/v1/health`).then((answer) => answer.json(), () => undefined);
    return health?.state === "ready" && health.height > 0;
  }, PATIENCE_MS, () => `network ${name} makes no blocks:\n${network.said()}`);
  await ready.catch(async (error) => {
    await network.stop();
    throw error;
  });
  return network;
}

/** Appendix I: the same contract, and the same sensor by MQTT, in a public and in a private ledger; one of them by IPv6. */
export async function sameInEveryMode({ network: demo }) {
  for (const [mode, host, port] of [["public", "127.0.0.1", PORT], ["private", "::1", PORT + 40]]) {
    const network = await found(demo, mode, mode, host, port);
    try {
      const program = typed(network);
      const { ask, organisations: [key] } = program;
      assert.equal((await (await fetch(`${network.base}/v1/network`)).json()).genesis.mode, mode);
      program.register("kiln", "Kiln", { properties: { temperature: { type: "number", multipleOf: 0.01, unit: "degC", forms: [{ href: "mqtt://a/b" }] } } }, key);
      await measuring(network, "kiln", key)(15_100);
      const guard = makeGuard(program, "watch", "kiln", key);
      ask("contract", "execute", "watch", '{"check":{}}', "--key", key);
      for (const peer of network.peers) {
        const alarm = async () => JSON.parse(ask("contract", "query", guard.id, '{"state":{}}', "--peer", peer).answer).alarm;
        await until(() => alarm().catch(() => false), PATIENCE_MS, () => `no alarm at ${peer}`);
      }
      ask("entity", "register", "--kind", "gateway", "--name", "gateway", "--entity-key", join(network.folder, "gateway", "keys", "gateway.json"), "--key", key);
      ask("thing", "bind", "kiln", "--gateway", "gateway", "--key", key);
      network.startGateway();
      // The gateway may not know its thing yet.
      await until(() => publishes(network.mqtt, "althing/kiln/temperature", "99.25"), PATIENCE_MS, () => `the gateway takes nothing:\n${network.said()}`);
      for (const peer of network.peers) {
        const latest = async () => ask("reading", "latest", "kiln/temperature", "--peer", peer).items.map((one) => one.value);
        // A peer that is behind may have the block and not its readings.
        await until(async () => (await latest().catch(() => [])).includes("99.25"), PATIENCE_MS, () => `no reading at ${peer}`);
      }
    } finally {
      await network.stop();
    }
  }
}

/** A peer with the genesis, the addresses and a key of its own, to which nobody gave a seat: no other peer connects to it. */
export async function strangersStayOut({ network }) {
  const { folder } = network;
  const home = join(folder, "..", "stranger");
  mkdirSync(home);
  network.local("key", "new", join(home, "voting.json"), "--insecure-keys");
  const known = readFileSync(join(folder, "peer-1", "config.toml"), "utf8");
  const own = /\[peer\.p2p\]\nlisten = ("[^"]+")/.exec(known)[1];
  const others = /\[peer\.p2p\.addresses\]\n((?:"[^\n]+\n)+)/.exec(known)[1];
  const port = PORT + 80;
  writeFileSync(join(home, "config.toml"), `genesis = ${JSON.stringify(join(folder, "genesis.json"))}
[peer]
role = "follower"
voting_key = "voting.json"
key = ""
[peer.p2p]
listen = "127.0.0.1:${port + 1}"
[peer.p2p.addresses]
"peer-1" = ${own}
${others}[peer.api]
listen = "127.0.0.1:${port}"
`);
  const stranger = network.start("peer", "run", "--config", join(home, "config.toml"));
  try {
    const status = async () => (await fetch(`http://127.0.0.1:${port}/v1/status`)).json();
    const began = await until(() => status().catch(() => undefined), PATIENCE_MS, () => `the stranger does not answer: ${stranger.said()}`);
    assert.equal(began.height, 0);
    const { height } = await network.get("/v1/status");
    await until(async () => (await network.get("/v1/status")).height > height + 60, PATIENCE_MS);
    const [now, peers] = [await status(), await (await fetch(`http://127.0.0.1:${port}/v1/peers`)).json()];
    assert.equal(now.height, 0, "it has no block but the genesis");
    assert.equal(peers.items.length, PEERS, "it knows whom to ask");
    assert.deepEqual(peers.items.filter((one) => one.connected).map((one) => one.name), [], "it is connected to nobody");
    assert.equal((await network.get("/v1/status")).connected, PEERS - 1, "nobody is connected to it");
  } finally {
    await stranger.stop();
  }
}
