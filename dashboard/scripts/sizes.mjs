// Says how large the built dashboard is, compressed, and fails beyond the budgets.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Budgets, bytes compressed: all scripts, and those that the first view needs. */
const ALL_MAX = 120_000;
const FIRST_MAX = 60_000;

const dist = new URL(`../${process.argv[2] ?? "dist"}/`, import.meta.url);
const scripts = readdirSync(new URL("assets/", dist)).filter((name) => name.endsWith(".js"));
// By the program of that name: what is built into Node compresses less than what serves the web.
const size = (name) => execFileSync("gzip", ["-9nc", fileURLToPath(new URL(`assets/${name}`, dist))]).length;

/** The scripts that the page names, and those that these import before anything runs. */
function first() {
  const page = readFileSync(new URL("index.html", dist), "utf8");
  const open = [...page.matchAll(/assets\/([\w.-]+\.js)/g)].map((match) => match[1]);
  const found = new Set();
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    const text = readFileSync(new URL(`assets/${name}`, dist), "utf8");
    for (const match of text.matchAll(/(?:from|import)"\.\/([\w.-]+\.js)"/g)) open.push(match[1]);
  }
  return [...found];
}

const sum = (names) => names.reduce((total, name) => total + size(name), 0);
const [all, view] = [sum(scripts), sum(first())];
console.log(`scripts, compressed: ${all} B in all (at most ${ALL_MAX}), ${view} B for the first view (at most ${FIRST_MAX})`);
if (all > ALL_MAX || view > FIRST_MAX) process.exit(1);
