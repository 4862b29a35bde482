// The dashboard in a real browser, against real networks; an argument chooses the checks whose names have it in them. `ALTHING=path` names the program;
// `CHROMIUM=path` the browser. Screenshots go to `SHOTS=folder`, the picture of the README to `PICTURE=file`, if set. `DIST=folder` shows the files of that
// folder instead of those that were built into the program, which saves building it while one works on a page.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const HALF = fileURLToPath(new URL("half.mjs", import.meta.url));
const COUNTS = /^(\d+) passed, (\d+) failed$/m;

/** Runs a half and shows what it says; [passed, failed], where one that ended without counting failed. */
function run(half) {
  const child = spawn(process.execPath, [HALF, half], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (data) => {
    said += data;
    process.stdout.write(data);
  });
  return new Promise((resolve) => child.once("close", () => resolve(COUNTS.exec(said)?.slice(1).map(Number) ?? [0, 1])));
}

const halves = process.argv[2] ? [process.argv[2]] : ["0", "1"];
const counts = await Promise.all(halves.map(run));
const [passed, failed] = [0, 1].map((at) => counts.reduce((sum, one) => sum + one[at], 0));
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
