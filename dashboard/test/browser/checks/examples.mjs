// The examples of the packages for TypeScript and Python, against the network that the pages are tested on.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { network } from "../stage.mjs";

const sdk = (...path) => fileURLToPath(new URL(join("../../../../sdk", ...path), import.meta.url));

/** A Python with the package's dependencies: `PYTHON`, or the environment that the package's tests make. */
function python() {
  const path = process.env.PYTHON ?? sdk("python", ".venv", "bin", "python");
  if (!existsSync(path)) throw new Error("no Python with the package's dependencies: see the README of sdk/python, or name one with PYTHON=path");
  return path;
}

export const checks = {
  async "the examples of both packages do what their READMEs say"() {
    execFileSync("npm", ["run", "build", "--silent"], { cwd: sdk("typescript"), stdio: "pipe" });
    for (const [folder, program, ending] of [["typescript", process.execPath, "mjs"], ["python", python(), "py"]]) {
      const example = (name) => execFileSync(program, [sdk(folder, "examples", `${name}.${ending}`), network.base, network.folder], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, PYTHONPATH: sdk("python", "src") } });
      assert.ok(readFileSync(sdk(folder, "README.md"), "utf8").includes(readFileSync(sdk(folder, "examples", `read.${ending}`), "utf8")), `${folder}: the quick start is the example`);
      assert.match(example("read"), /^.+ measured .+, verified:\n(?: {2}\w+ +.+\n)+ {2}seal +the bundle is as it was made\n$/, folder);
      assert.match(example("write"), /^applied in block \d+\n.*(took effect|applied)/, folder);
      if (folder === "python") assert.match(example("customer"), /^owes 20 cents for 10 readings of .+, in block \d+\n$/);
    }
  },
};
