// The dashboard in a real browser, against a real network. `ALTHING=path` names the program; `CHROMIUM=path`
// the browser. Screenshots go to `SHOTS=folder`, the picture of the README to `PICTURE=file`, if set. `DIST=folder` shows the files of that folder instead of
// those that were built into the program, which saves building it while one works on a page.

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

/** In the order in which they are made: the first ones, examples included, want the demo as it is, the last ends peers. */
const checks = { ...views, ...slow, ...examples, ...proofs, ...signing, ...tags, ...governance, ...access, ...contracts, ...procedures, ...services, ...tokens, ...stakes, ...links, ...secrecy, ...together, ...scale, ...hostile, ...operating, ...peers };

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

let [passed, failed] = [0, 0];
const chosen = process.argv[2];
try {
  if (process.env.PICTURE) await picture(process.env.PICTURE);
  if (shots && !chosen) await shoot();
  for (const [name, check] of Object.entries(checks)) {
    if (chosen && !name.includes(chosen)) continue;
    try {
      await check();
      passed += 1;
      console.log(`ok  ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`NO  ${name}\n${error.stack}`);
      await leave(name);
    }
  }
} finally {
  await browser.close();
  await network.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
