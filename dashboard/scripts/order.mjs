// Finds in which order modules stand in the files that are built: compression looks back 32 kB, so that like compresses best beside like. Writes
// `order.json`, from which the build takes it; modules that are new since come where their imports put them, and cost no more than without. `SECONDS=n`
// says how long to look: half of it over the parts of one build, which is quick and only nearly right, for names change with the order; then by building.

import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { pack } from "./gzip.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const file = join(root, "order.json");
const built = join(root, "node_modules", ".ordered");
const seconds = Number(process.env.SECONDS ?? 120);

/** Whom each module imports, as it is read. */
const imports = new Map();
const graph = { name: "graph", moduleParsed: ({ id, importedIds }) => void imports.set(id, importedIds) };
process.chdir(root);
await build({ logLevel: "warn", plugins: [graph], build: { outDir: built, emptyOutDir: true, sourcemap: true } });

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The numbers of one part of a source map. */
function numbers(text) {
  const all = [];
  let [value, shift] = [0, 0];
  for (const digit of text) {
    const bits = DIGITS.indexOf(digit);
    value |= (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    all.push(value & 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return all;
}

/** What each module became in a file, in the order in which they stand there. */
function pieces(name) {
  const path = join(built, "assets", name);
  const lines = readFileSync(path, "utf8").split("\n");
  const { mappings, sources } = JSON.parse(readFileSync(`${path}.map`, "utf8"));
  const found = new Map();
  let source = 0;
  for (const [at, line] of mappings.split(";").entries()) {
    let column = 0;
    const marks = line.split(",").filter(Boolean).map((text) => {
      const [by, from] = numbers(text);
      column += by;
      source += from ?? 0;
      return { column, id: from === undefined ? undefined : sources[source] };
    });
    for (const [mark, { column: from, id }] of marks.entries()) {
      const whole = id === undefined ? "" : join(built, "assets", id);
      found.set(whole, (found.get(whole) ?? "") + lines[at].slice(from, marks[mark + 1]?.column));
    }
  }
  return found;
}

/** All modules that must stand before one. */
function before(id) {
  const all = new Set();
  const open = [...(imports.get(id) ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (all.has(next)) continue;
    all.add(next);
    open.push(...(imports.get(next) ?? []));
  }
  return all;
}

/** The same numbers each time, so that a search can be repeated. */
let state = 1;
const random = (below) => (state = (state * 48_271) % 2_147_483_647) % below;

function search(name, seconds) {
  const found = pieces(name);
  const glue = found.get("") ?? "";
  let order = [...found.keys()].filter((id) => imports.has(id));
  const earlier = new Map(order.map((id) => [id, before(id)]));
  // Of modules that import each other, in a circle, each stays where it is to the other.
  const must = (a, b) => earlier.get(b).has(a);
  const size = (ids) => gzipSync(glue + ids.map((id) => found.get(id)).join(""), { level: 9 }).length;
  const began = size(order);
  let best = began;
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    const from = random(order.length);
    const length = 1 + random(3);
    const left = order.slice();
    const moved = left.splice(from, length);
    const to = random(left.length + 1);
    const passed = to > from ? left.slice(from, to) : left.slice(to, from);
    const breaks = moved.some((one) => passed.some((other) => (to > from ? must(one, other) : must(other, one)) || (must(one, other) && must(other, one))));
    if (breaks) continue;
    left.splice(to, 0, ...moved);
    const now = size(left);
    if (now < best) [best, order] = [now, left];
  }
  console.log(`${name}: ${began} B as it is, ${best} B as it will be, about`);
  return order.map((id) => relative(join(root, ".."), id));
}

/** Imports as an order has them, before those of the build's own. */
const ordered = (order) => ({
  name: "ordered",
  enforce: "pre",
  transform: (code, id) => {
    const first = id.endsWith("dashboard/src/main.tsx") ? order.base : id.endsWith("src/views/index.ts") ? order.rest : [];
    const known = first.map((path) => join(root, "..", path)).filter((path) => path !== id && existsSync(path));
    return known.length === 0 ? undefined : { code: known.map((path) => `import ${JSON.stringify(path)};`).join("") + code, map: null };
  },
});

/** How many bytes peers send of all scripts in an order. */
async function sent(order) {
  await build({ logLevel: "silent", plugins: [ordered(order)], build: { outDir: built, emptyOutDir: true } });
  await pack(built);
  const packed = readdirSync(join(built, "assets")).filter((name) => name.endsWith(".js.gz"));
  return packed.reduce((sum, name) => sum + statSync(join(built, "assets", name)).size, 0);
}

/** Moves a few modules at a time as long as it pays; begins from whichever order is better. */
async function refine(orders, seconds) {
  let [best, order] = [Number.POSITIVE_INFINITY, orders[0]];
  const look = async (next) => {
    const now = await sent(next);
    if (now < best) [best, order] = [now, next];
  };
  for (const one of orders) await look(one);
  const began = best;
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    const next = structuredClone(order);
    for (let moves = 1 + random(3); moves > 0; moves -= 1) {
      const list = random(5) === 0 ? next.base : next.rest;
      const moved = list.splice(random(list.length), 1 + random(2));
      list.splice(random(list.length + 1), 0, ...moved);
    }
    await look(next);
  }
  console.log(`all: ${began} B as it is, ${best} B as it will be`);
  return order;
}

const names = readdirSync(join(built, "assets")).filter((name) => name.endsWith(".js"));
const of = (start, part) => search(names.find((name) => name.startsWith(start)), (seconds / 2) * part);
// The second is four times as large.
const found = { base: of("base", 0.2), rest: of("rest", 0.8) };
const old = existsSync(file) ? readFileSync(file, "utf8") : "";
const order = await refine([found, ...(old ? [JSON.parse(old)] : [])], seconds / 2);
rmSync(built, { recursive: true });
const text = `${JSON.stringify(order, null, 1)}\n`;
if (text !== old) writeFileSync(file, text);
