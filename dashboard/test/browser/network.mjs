// A real network to look at: `althing demo` in a folder of its own, and its processes by number.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The program: `ALTHING`, or what was built, for users rather than for checks. */
function program() {
  const built = (profile) => join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), profile, "althing");
  const candidates = [process.env.ALTHING, built("release"), built("debug")];
  const found = candidates.find((path) => path && existsSync(path));
  if (!found) throw new Error("no program to test: cargo build, or name one with ALTHING=path");
  return found;
}

/** Starts a network and waits until its first reading is final. */
export async function startNetwork() {
  const binary = program();
  const folder = mkdtempSync(join(tmpdir(), "althing-dashboard-"));
  // Below the ports that the system gives to outgoing connections. The peers' are ten apart, and two networks may run at once.
  const port = 21_000 + (process.pid % 250) * 40;
  const child = spawn(binary, ["demo", "--dir", join(folder, "demo"), "--port", String(port), "--mqtt-port", String(port + 9), "--speed", "4"], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (data) => (said += data));
  const base = `http://127.0.0.1:${port}`;
  // While a command runs, this process does not see that the peer closed a connection that had been idle: asked again, it takes another.
  const ask = (path) => fetch(base + path).catch(() => fetch(base + path));
  const started = [];
  const network = {
    base,
    port,
    folder: join(folder, "demo"),
    /** Runs a command that asks no peer, or says itself which. */
    local: (...args) => execFileSync(binary, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }),
    /** Starts a process of the program; `stop` ends it, `ended` has its code. What still runs at the end is ended then. */
    start: (...args) => {
      const process = spawn(binary, args, { stdio: ["ignore", "ignore", "pipe"] });
      let said = "";
      process.stderr.on("data", (data) => (said = (said + data).slice(-2000)));
      const ended = new Promise((resolve) => process.once("exit", resolve));
      started.push(process);
      return { stop: () => (process.kill("SIGINT"), ended), ended, said: () => said };
    },
    /** Runs a command of the program against the network, at its first peer unless it says another. */
    command: (...args) => execFileSync(binary, [...args, ...(args.includes("--peer") ? [] : ["--peer", base])], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }),
    get: async (path) => (await ask(path)).json(),
    bytes: async (path) => Buffer.from(await (await ask(path)).arrayBuffer()),
    /** Ends one peer at once, as a power cut does. */
    kill: (name) => process.kill(processOf(join(folder, "demo", name)), "SIGKILL"),
    write: (name, text) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    },
    stop: async () => {
      for (const process of started) process.kill("SIGINT");
      child.kill("SIGINT");
      await new Promise((resolve) => child.once("exit", resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await until(() => said.includes("first reading is final"), 30_000, () => `the demo does not start:\n${said}`);
  return network;
}

/** The process that runs a peer: the one that was started with a file of its folder. */
function processOf(folder) {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`${folder}/`)) return Number(pid);
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error(`no process runs ${folder}`);
}

/**
 * Publishes by MQTT, as `to` says where, and says whether it was taken. A client of version 5 says among its errors why it was not, and ends as if it were: whoever
 * looked at its output alone took the first attempt for a success, before the gateway knew the thing, and waited for a reading that nobody had.
 */
export function publishes(to, topic, value) {
  const { status, stdout, stderr } = spawnSync("mosquitto_pub", [...to, "-q", "1", "-V", "5", "-t", topic, "-m", value], { encoding: "utf8" });
  return status === 0 && !/failed/.test(stdout + stderr);
}

/** Waits until something holds. */
export async function until(holds, patienceMs = 15_000, why = () => `it does not hold: ${holds}`) {
  const end = Date.now() + patienceMs;
  for (;;) {
    const value = await holds();
    if (value) return value;
    if (Date.now() > end) throw new Error(why());
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
