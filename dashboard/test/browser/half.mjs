// One half of the checks at a network of its own, or those whose names have some words in them: `node half.mjs 0`, `node half.mjs "words"`. `run.mjs` calls it.

import { join } from "node:path";
import { checks as access } from "./checks/access.mjs";
import { checks as contracts } from "./checks/contracts.mjs";
import { checks as examples } from "./checks/examples.mjs";
import { checks as governance } from "./checks/governance.mjs";
import { checks as hostile } from "./checks/hostile.mjs";
import { checks as links } from "./checks/links.mjs";
import { checks as operating } from "./checks/operating.mjs";
import { checks as peers } from "./checks/peers.mjs";
import { checks as procedures } from "./checks/procedures.mjs";
import { checks as proofs } from "./checks/proofs.mjs";
import { checks as scale } from "./checks/scale.mjs";
import { checks as secrecy } from "./checks/secrecy.mjs";
import { checks as services } from "./checks/services.mjs";
import { checks as signing } from "./checks/signing.mjs";
import { checks as slow } from "./checks/slow.mjs";
import { checks as stakes } from "./checks/stakes.mjs";
import { checks as together } from "./checks/together.mjs";
import { checks as tags } from "./checks/tags.mjs";
import { checks as tokens } from "./checks/tokens.mjs";
import { checks as views } from "./checks/views.mjs";
import { picture, shoot } from "./pictures.mjs";
import { browser, network, shots } from "./stage.mjs";

/**
 * Two halves that know nothing of each other, each at a network of its own: a check waits more than it works, so both run at once. In the order in which they are
 * made: the first ones, examples included, want the demo as it is, the last ends peers.
 */
const HALVES = [
  { ...views, ...slow, ...examples, ...proofs, ...signing, ...tags, ...governance, ...access, ...contracts, ...tokens },
  { ...procedures, ...services, ...stakes, ...links, ...secrecy, ...together, ...scale, ...hostile, ...operating, ...peers },
];

/** Shows what a check that failed was looking at, and closes it. */
async function leave(name) {
  for (const [at, context] of browser.contexts().entries()) {
    for (const page of context.pages()) {
      console.log(`    at ${page.url()}: ${(page.wrong ?? []).join("; ")}`);
      if (shots) await page.screenshot({ path: join(shots, `failed ${name.slice(0, 40)} ${at}.png`), fullPage: true });
    }
    await context.close();
  }
}

/** Makes the checks of a half whose names have `chosen` in them. */
async function make(checks, chosen = "") {
  let [passed, failed] = [0, 0];
  for (const [name, check] of Object.entries(checks)) {
    if (!name.includes(chosen)) continue;
    const began = Date.now();
    try {
      await check();
      passed += 1;
      console.log(`ok  ${name} (${Math.round((Date.now() - began) / 1000)} s)`);
    } catch (error) {
      failed += 1;
      console.log(`NO  ${name}\n${error.stack}`);
      await leave(name);
    }
  }
  return [passed, failed];
}

const chosen = process.argv[2] ?? "";
const half = /^[01]$/.test(chosen) && HALVES[chosen];
let [passed, failed] = [0, 0];
try {
  if (process.env.PICTURE && half !== HALVES[1]) await picture(process.env.PICTURE);
  [passed, failed] = half ? await make(half) : await make(Object.assign({}, ...HALVES), chosen);
  // Afterwards, since they take minutes, and the first checks look for what has just happened.
  if (shots && half === HALVES[0]) await shoot();
} finally {
  await browser.close();
  await network.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
