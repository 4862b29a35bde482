// Says how large the built dashboard is, compressed as peers send it, and fails beyond the budgets.

import { readdirSync, readFileSync, statSync } from "node:fs";

/** Budgets, bytes compressed: all scripts, and those that the first view needs. */
const ALL_MAX = 120_000;
const FIRST_MAX = 60_000;

const dist = new URL(`../${process.argv[2] ?? "dist"}/`, import.meta.url);
const scripts = readdirSync(new URL("assets/", dist)).filter((name) => name.endsWith(".js"));
const size = (name) => statSync(new URL(`assets/${name}.gz`, dist)).size;

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
