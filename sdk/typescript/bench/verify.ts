// How long one verification takes, in a fresh process and in a warm one, and what each claim costs.

import { readFileSync } from 'node:fs';

import { genesisFromBytes, parseGenesis, verify, type Genesis } from '../src/proof/index.ts';
import { hex, vectors } from '../test/vectors.ts';

const RUNS = 50;

/** A proof and a genesis given on the command line, or the bundles of the vectors. */
function examples(): { name: string; bytes: Uint8Array; genesis: Genesis }[] {
  const [, , proof, genesis] = process.argv;
  if (proof && genesis) return [{ name: proof, bytes: readFileSync(proof), genesis: parseGenesis(readFileSync(genesis, 'utf8')) }];
  return vectors('bundle').map(({ name, wire, inputs }) => ({ name, bytes: wire, genesis: genesisFromBytes(hex(inputs['genesis'])) }));
}

function timed(act: () => void): number {
  const start = performance.now();
  act();
  return performance.now() - start;
}

const all = examples();
const [first] = all;
if (first) console.log(`first in this process   ${timed(() => void verify(first.bytes, first.genesis)).toFixed(1).padStart(7)} ms   ${first.name}`);
for (const { name, bytes, genesis } of all) {
  const times = Array.from({ length: RUNS }, () => timed(() => void verify(bytes, genesis))).sort((a, b) => a - b);
  console.log(`median of ${RUNS}            ${(times[RUNS >> 1] ?? 0).toFixed(1).padStart(7)} ms   ${name}, ${bytes.length} bytes`);
}
