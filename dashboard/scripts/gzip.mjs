// Puts beside each built file what browsers are sent of it: gzip, as small as it gets, and the same bytes on each machine, so that a peer compresses nothing.

import zopfli from "@gfx/zopfli";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Passes over a file, each of which may find a shorter form; more than these find some bytes. */
const PASSES = 60;

/** Packs all that is in the folder of a build. */
export async function pack(built) {
  const folder = join(built, "assets");
  for (const name of readdirSync(folder).filter((one) => !one.endsWith(".gz"))) {
    const path = join(folder, name);
    writeFileSync(`${path}.gz`, await zopfli.gzipAsync(readFileSync(path), { numiterations: PASSES, blocksplittingmax: 0 }));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await pack(fileURLToPath(new URL("../dist", import.meta.url)));
