// Whether the page that is open has room for the links to all others, and keeps the rules of accessibility.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** With one link more than elsewhere the navigation has room, and the page keeps the rules of accessibility, light and dark. */
export async function fits(page) {
  for (const width of [1920, 1500, 1440, 1366, 1280, 1024, 870]) {
    await page.setViewportSize({ width, height: 800 });
    const [needs, has] = await page.locator(".top nav").evaluate((nav) => [nav.scrollWidth, nav.clientWidth]);
    assert.ok(needs <= has, `at ${width} px the links take ${needs} px of ${has}`);
  }
  const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await page.evaluate(source);
  await page.emulateMedia({ reducedMotion: "reduce" });
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    assert.deepEqual(violations.map((one) => `${page.url()} ${colorScheme}: ${one.id} ${one.nodes[0].html.slice(0, 160)}`), []);
  }
}
