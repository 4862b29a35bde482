// Proofs checked in the browser, with the network off.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { accountOf, openAccount, sdk } from "../account.mjs";
import { until } from "../network.mjs";
import { close, network, open, text } from "../stage.mjs";

/** An entity of an organisation that signs with P-256, as much hardware does. */
async function enterP256() {
  const { SigningKey } = await sdk();
  const owner = await openAccount(network.base, join(network.folder, "organisations", "1.json"));
  const key = SigningKey.generate("p256");
  const { entity, action } = owner.actions.registerEntity(owner.ledger, "gateway", "secure-element", key);
  const description = JSON.stringify({
    "@context": "https://www.w3.org/2022/wot/td/v1.1", title: "Sealed meter", securityDefinitions: { none: { scheme: "nosec" } }, security: "none",
    properties: { level: { type: "number", multipleOf: 0.1, unit: "m", readOnly: true, forms: [{ href: "mqtt://a/b" }] } },
  });
  await owner.finalize([action, owner.actions.registerThing("sealed", description)]);
  const { items: [thing] } = await owner.client.things({ name: "sealed" });
  await owner.finalize([owner.actions.bind(thing.id, entity, 2n ** 64n - 1n)]);
  return { key, entity: await owner.client.entity(Buffer.from(entity).toString("hex")), thing };
}

export const checks = {
  async "a reading is verified, and one that was altered is not, with the network off"() {
    const { items } = await network.get("/v1/things");
    const stream = items.find((one) => one.name === "machine-1").properties[0].stream;
    const page = await open(`/readings/${stream}/0`);
    await page.getByText("It holds").waitFor();
    assert.equal(await page.locator(".steps .holds").count(), 13);
    await page.goto(`${network.base}/verify`);
    await page.locator(".anchor-line").getByText("from this peer").waitFor();
    const bundle = await network.bytes(`/v1/proofs/readings/${stream}/0`);
    const altered = Buffer.from(bundle);
    altered[Math.floor(bundle.length / 2)] ^= 1;
    const genesis = JSON.stringify((await network.get("/v1/network")).genesis);
    await page.context().setOffline(true);
    const wrong = page.wrong.length;
    const files = page.locator('input[type="file"]');
    await files.setInputFiles([
      { name: "genesis.json", mimeType: "application/json", buffer: Buffer.from(genesis) },
      { name: "good.proof", mimeType: "application/cbor", buffer: bundle },
    ]);
    await page.getByText("It holds").waitFor();
    await page.getByText("Checked against your own genesis").waitFor();
    console.log(`    ${(await text(page, ".verdict span")).split(". ")[1]}`);
    await files.setInputFiles([{ name: "altered.proof", mimeType: "application/cbor", buffer: altered }]);
    await page.getByText("It does not hold").waitFor();
    assert.equal(await page.locator(".steps .fails").count(), 1);
    for (const [name, buffer] of [["empty.proof", Buffer.alloc(0)], ["noise.proof", Buffer.alloc(5000, 0x9f)], ["text.proof", Buffer.from("<script>")]]) {
      await files.setInputFiles([{ name, mimeType: "application/cbor", buffer }]);
      await page.getByText(name).first().waitFor();
      await page.getByText("It does not hold").waitFor();
    }
    await files.setInputFiles([{ name: "bad.json", mimeType: "application/json", buffer: Buffer.from('{"ledger":1}') }]);
    await page.getByText("This file is no genesis").waitFor();
    // Being off the network is what the console complains about here, and nothing else.
    page.wrong = page.wrong.slice(0, wrong).concat(page.wrong.slice(wrong).filter((line) => !/ERR_INTERNET_DISCONNECTED/.test(line)));
    await close(page);
  },

  async "a bundle is downloaded, and dropped on the page"() {
    const { items } = await network.get("/v1/things");
    const { stream } = items.find((one) => one.name === "machine-1").properties[0];
    const page = await open(`/readings/${stream}/0`, { acceptDownloads: true });
    await page.getByText("It holds").waitFor();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download the bundle" }).click()]);
    const bundle = await readFile(await download.path());
    assert.ok(bundle.length > 1000 && download.suggestedFilename().endsWith(".proof"));
    await page.goto(`${network.base}/verify`);
    await page.locator(".anchor-line").getByText("from this peer").waitFor();
    const carried = await page.evaluateHandle(([name, bytes]) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(bytes)], name));
      return data;
    }, [download.suggestedFilename(), [...bundle]]);
    await page.locator(".drop").dispatchEvent("drop", { dataTransfer: carried });
    await page.getByText(download.suggestedFilename()).first().waitFor();
    await page.getByText("It holds").waitFor();
    await close(page);
  },

  async "what a P-256 key signed is verified with the network off, and such a key signs here"() {
    const { key, entity, thing } = await enterP256();
    const { actions, finalize } = await accountOf(network.base, entity.id, key);
    const readings = [1n, 2n, 3n].map((at) => ({ claimedMs: BigInt(Date.now()) + at, receivedMs: BigInt(Date.now()) + at, value: { kind: "number", mantissa: 100n + at } }));
    const { action, payload } = actions.submitBatch(thing.id, "level", 0n, readings);
    await finalize([action], [payload]);
    const { stream } = thing.properties[0];
    const page = await open(`/readings/${stream}/1`);
    await page.getByText("It holds").waitFor();
    const bundle = await until(async () => {
      const response = await fetch(`${network.base}/v1/proofs/readings/${stream}/1`);
      return response.ok && Buffer.from(await response.arrayBuffer());
    });
    await page.goto(`${network.base}/verify`);
    await page.locator(".anchor-line").getByText("from this peer").waitFor();
    await page.context().setOffline(true);
    const wrong = page.wrong.length;
    const files = page.locator('input[type="file"]');
    await files.setInputFiles([{ name: "p256.proof", mimeType: "application/cbor", buffer: bundle }]);
    await page.getByText("It holds").waitFor();
    // The signature is 64 bytes as they are: any bit of it is missed.
    const { SigningKey } = await sdk();
    const other = SigningKey.generate("p256").publicKey.bytes;
    const at = bundle.indexOf(Buffer.from(key.publicKey.bytes));
    assert.ok(at > 0, "the key is in the bundle");
    for (const [name, altered] of [["otherkey.proof", Buffer.concat([bundle.subarray(0, at), other, bundle.subarray(at + other.length)])], ["nokey.proof", Buffer.concat([bundle.subarray(0, at), Buffer.alloc(33, 2), bundle.subarray(at + 33)])]]) {
      await files.setInputFiles([{ name, mimeType: "application/cbor", buffer: altered }]);
      await page.getByText(name).first().waitFor();
      await page.getByText("It does not hold").waitFor();
    }
    page.wrong = page.wrong.slice(0, wrong).concat(page.wrong.slice(wrong).filter((line) => !/ERR_INTERNET_DISCONNECTED/.test(line)));
    await page.context().setOffline(false);

    // The same key, from a file under a passphrase, signs a record in the browser.
    const { sealKeyFile } = await sdk();
    const file = network.write("secure-element.json", await sealKeyFile({ entity: entity.id, key }, "correct horse"));
    await page.goto(`${network.base}/sign`);
    await page.locator('input[type="file"]').setInputFiles(file);
    await page.getByLabel("Passphrase").fill("wrong");
    await page.getByRole("button", { name: "Open it" }).click();
    await page.getByText("does not open the key file").waitFor();
    await page.getByLabel("Passphrase").fill("correct horse");
    await page.getByRole("button", { name: "Open it" }).click();
    await page.getByText("You sign as").waitFor();
    const record = page.locator(".card").filter({ hasText: "Write a record" });
    await record.locator("textarea").fill("by a secure element");
    await record.getByRole("button", { name: "Sign and submit" }).click();
    await record.getByText("took effect").waitFor();
    await close(page);
  },

  async "a range is shown to be complete"() {
    const { items: things } = await network.get("/v1/things");
    const stream = things.find((one) => one.name === "machine-1").properties[0].stream;
    const readings = await until(async () => {
      const { items } = await network.get(`/v1/streams/${stream}/readings?limit=20`);
      return items.length >= 10 && items;
    });
    const page = await open(`/ranges/${stream}?from=${readings[2].claimed.ms}&until=${readings[9].claimed.ms}`);
    await page.getByText("8 readings, and none left out").waitFor();
    await page.getByRole("link", { name: "Count, smallest, largest" }).click();
    await page.getByText("Readings, none left out").waitFor();
    await close(page);
  },
};
