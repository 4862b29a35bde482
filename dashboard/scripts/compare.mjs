// Builds the dashboard anew and compares it, byte for byte, with what is committed in `dist`.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pack } from "./gzip.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const [committed, built] = [join(root, "dist"), join(root, "node_modules", ".built")];

function files(folder, below = "") {
  return readdirSync(join(folder, below)).flatMap((name) => {
    const path = join(below, name);
    return statSync(join(folder, path)).isDirectory() ? files(folder, path) : [path];
  });
}

const run = (...command) => execFileSync("npx", ["--no-install", ...command], { cwd: root, stdio: "inherit" });
run("vite", "build", "--logLevel", "warn", "--outDir", built, "--emptyOutDir");
await pack(built);
const [old, fresh] = [existsSync(committed) ? files(committed) : [], files(built)];
const differs = [...new Set([...old, ...fresh])].filter(
  (path) => !old.includes(path) || !fresh.includes(path) || !readFileSync(join(committed, path)).equals(readFileSync(join(built, path))),
);
rmSync(built, { recursive: true });
if (differs.length > 0) {
  console.error(`dist is not what the sources build: ${differs.join(", ")}; run \`npm run build\` and commit dist`);
  process.exit(1);
}
console.log(`dist is what the sources build: ${fresh.length} files`);
