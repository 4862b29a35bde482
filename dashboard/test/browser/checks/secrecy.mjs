// Confidential streams: what everybody sees of them, and what only those see for whom they were encrypted; and where payloads are kept.

import assert from "node:assert/strict";
import { join } from "node:path";
import { fits } from "../fits.mjs";
import { publishes, until } from "../network.mjs";
import { close, network, open, shots, signIn, wrongs } from "../stage.mjs";
import { typed } from "../together.mjs";

const TEMPERATURE = { properties: { temperature: { type: "number", multipleOf: 0.01, unit: "Cel", forms: [{ href: "mqtt://a/b" }] } } };

export const checks = {
  async "what is confidential is opened in the browser of its readers, and by nobody else"() {
    const { ask, register, enter, organisations: [owner, other] } = typed(network);
    const gateway = join(network.folder, "gateway", "keys", "gateway.json");
    register("vault", "Cold <b>vault</b>", TEMPERATURE, owner);
    ask("thing", "bind", "vault", "--gateway", "gateway", "--key", owner);
    const reader = enter("service", "reader-7", other);
    for (const key of [owner, gateway, reader]) ask("entity", "agree", "--key", key);
    ask("stream", "seal", "vault/temperature", "--reader", "gateway", "--reader", "reader-7", "--key", owner);
    // The gateway may not know yet that the thing is bound to it, or who reads.
    const publish = (value) => until(() => publishes(["-h", "127.0.0.1", "-p", String(network.port + 9)], "althing/vault/temperature", value), 60_000, () => `the gateway does not take ${value}`);
    for (const value of ["-70.25", "-71.50", "-69.75"]) await publish(value);
    const { items: [thing] } = await network.get("/v1/things?name=vault");
    const [{ stream }] = thing.properties;
    const known = () => network.get(`/v1/streams/${stream}`);
    await until(async () => (await known()).next_seq === 3, 60_000);
    const link = `/things/${encodeURIComponent(thing.id)}`;
    const card = (page) => page.locator(".card.property");

    // Everybody: that there are readings, and how many.
    const page = await open(link);
    await card(page).getByText(/3 readings in \d batch/).first().waitFor();
    await card(page).getByRole("link", { name: "Open your key" }).waitFor();
    await page.goto(`${network.base}/readings/${stream}/1`);
    await page.getByRole("heading", { level: 1, name: "An encrypted reading" }).waitFor();
    await page.getByText("It holds").waitFor();

    // Whose key is not among those that it was encrypted for.
    await signIn(page, other);
    const go = (path) => page.evaluate((path) => history.pushState(null, "", path) ?? dispatchEvent(new PopStateEvent("popstate")), path);
    await go(link);
    await card(page).getByText("The newest readings are not encrypted for your key.").waitFor();
    await go(`/readings/${stream}/1`);
    await page.getByText("Yours is not a key of theirs.").waitFor();
    assert.ok(!(await page.locator("main").textContent()).includes("71.5"));
    await close(page);

    // A reader: the values, from a proof.
    const inside = await open("/");
    await signIn(inside, reader);
    await inside.evaluate((path) => history.pushState(null, "", path) ?? dispatchEvent(new PopStateEvent("popstate")), link);
    const rows = inside.getByRole("region", { name: "Opened readings of temperature" });
    for (const value of ["-70.25\u202f°C", "-71.5\u202f°C", "-69.75\u202f°C"]) await rows.getByText(value, { exact: true }).waitFor();
    await card(inside).getByText("Who can open it").click();
    await card(inside).getByText(/Each of \d peers keeps each batch, without end/).waitFor();
    if (shots) await inside.screenshot({ path: join(shots, "confidential-wide-light.png"), fullPage: true });
    await fits(inside);
    await rows.locator("tr").filter({ hasText: "-71.5" }).getByRole("link", { name: "Verify" }).click();
    await inside.getByRole("heading", { level: 1, name: "-71.5\u202f°C" }).waitFor();
    await inside.getByText("It holds").waitFor();

    // Kept by two peers for a while; and erased.
    ask("data", "place", "vault/temperature", "--copies", "2", "--retention-days", "90", "--key", owner);
    await inside.goBack();
    await card(inside).getByText("Who can open it").click();
    await card(inside).getByText(/2 of \d peers keep each batch, for 90 days/).waitFor();
    ask("data", "erase", "vault/temperature", "--first-seq", "0", "--last-seq", "0", "--key", owner);
    await until(async () => (await network.get(`/v1/streams/${stream}/readings?first_seq=0&last_seq=0`)).sealed === undefined);
    await inside.evaluate((path) => history.pushState(null, "", path) ?? dispatchEvent(new PopStateEvent("popstate")), `/readings/${stream}/0`);
    await inside.getByRole("heading", { level: 1, name: "Erased" }).waitFor();
    assert.equal(await inside.locator("main b").count(), 0, "its title is text");
    // The browser notes that there is no proof of what was erased.
    inside.wrong = wrongs(inside).filter((line) => !/status of 50[23]/.test(line));
    await close(inside);
  },
};
