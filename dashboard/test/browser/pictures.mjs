// Pictures to be looked at.

import { join } from "node:path";
import { firstFull, network, open, shots } from "./stage.mjs";

/** Every view, light and dark, from a phone to the screen of a hall, to be looked at. */
export async function shoot() {
  const { items: things } = await network.get("/v1/things");
  const thing = things.find((one) => one.name === "machine-1");
  const stream = thing.properties[0].stream;
  const { transaction_ids: ids } = await firstFull();
  const paths = {
    overview: "/", things: "/things", access: "/access", contracts: "/contracts", services: "/services", governance: "/governance", thing: `/things/${thing.id}`, reading: `/readings/${stream}/0`, verify: "/verify", ledger: "/ledger", events: "/ledger?show=events",
    entities: "/ledger?show=entities", entity: `/entities/${thing.owner}`, block: "/blocks/3", transaction: `/transactions/${ids[0]}`, procedures: "/procedures", operations: "/operations", sign: "/sign",
  };
  for (const [size, viewport] of [["wide", { width: 1440, height: 900 }], ["phone", { width: 390, height: 844 }], ["tablet", { width: 820, height: 1180 }], ["hall", { width: 1920, height: 1080 }]]) {
    for (const colorScheme of ["light", "dark"]) {
      const page = await open("/", { viewport, colorScheme });
      for (const [name, path] of Object.entries(paths)) {
        await page.goto(network.base + path);
        // Until all that is awaited is there, and what moves has come to rest.
        await page.locator("h1").first().waitFor();
        await page.waitForFunction(() => !document.querySelector(".loading"), undefined, { timeout: 20_000 }).catch(() => undefined);
        await page.waitForTimeout(1500);
        await page.screenshot({ path: join(shots, `${name}-${size}-${colorScheme}.png`), fullPage: true });
      }
      await page.context().close();
    }
  }
}

/** The picture of the README: the first view after a minute of work. */
export async function picture(file) {
  const page = await open("/", { viewport: { width: 1280, height: 980 } });
  await page.waitForTimeout(62_000);
  await page.screenshot({ path: file });
  await page.context().close();
}
