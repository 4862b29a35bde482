/** A form for the catalogue: a service, or another version of one, as its manifest says it. */

import { actions, parseVersion, type Manifest } from "althing/sign";
import { compare, toUtf8 } from "althing/text";
import { useState } from "preact/hooks";
import { peer } from "../lib/client.ts";
import { listed } from "../lib/format.ts";
import type { ServiceVersion } from "../lib/model.ts";
import { useQuery } from "../lib/query.ts";
import { Area, Choice, Form, Text } from "../ui/form.tsx";
import { RIGHTS } from "./policy.tsx";

/** Most contracts and entities to choose from. */
const CHOICES = 200;
const EVERY_MS = 3000;
/** Where a service may run, and to whom it may be shown. */
export const KINDS = [{ id: "contract", name: "on the ledger, a contract" }, { id: "outside", name: "outside of it" }];
const LISTINGS = [{ id: "everyone", name: "everyone" }, { id: "callers", name: "those who may call it" }];

/** Names between commas, ascending, each once. */
const names = (typed: string) => [...new Set(listed(typed))].sort((a, b) => compare(toUtf8(a), toUtf8(b)));

/** What is needed of owners: a right and a name on each line. */
function needsOf(typed: string): Manifest["needs"] {
  return typed.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => {
    const [right, ...what] = line.split(/\s+/);
    const found = RIGHTS.find((one) => one === right);
    if (!found || what.length === 0) throw new RangeError(`“${line}” is none of ${RIGHTS.join(", ")} and a name, such as “read energy”`);
    return { right: found, what: what.join(" ") };
  });
}

const EMPTY = { name: "", version: "1.0.0", text: "", kind: "contract", contract: "", entity: "", endpoints: "", interfaces: "", tags: "", purpose: "", needs: "", price: "", amount: "", currency: "", per: "", listing: "everyone", schema: "" };
type Fields = typeof EMPTY;

/** What a version says, to begin the next one from. */
const fieldsOf = (name: string, of: ServiceVersion): Fields => ({
  ...EMPTY, name, version: "", text: of.text, kind: of.kind, contract: of.contract ?? "", entity: of.entity ?? "", endpoints: of.endpoints.join("\n"), interfaces: of.interfaces.join(", "), tags: of.tags.join(", "),
  purpose: of.purpose, needs: of.needs.map(({ right, what }) => `${right} ${what}`).join("\n"), price: of.price, listing: of.listing, schema: of.schema ?? "",
  ...(of.price_rule ? { amount: String(of.price_rule.amount), currency: of.price_rule.currency, per: of.price_rule.per } : {}),
});

function manifestOf(fields: Fields, owner: string): Manifest {
  const { name, text, kind, contract, entity, endpoints, purpose, price, amount, currency, per, listing, schema } = fields;
  const version = parseVersion(fields.version);
  if (!version) throw new RangeError(`“${fields.version}” is no version, such as 1.0.0`);
  const address = contract ? actions.idBytes(contract) : null;
  if (kind === "contract" && !address) throw new RangeError("Choose the contract that is the service.");
  return {
    name, version, text, interfaces: names(fields.interfaces), tags: names(fields.tags), purpose, needs: needsOf(fields.needs),
    schema: schema.trim() ? toUtf8(schema) : null,
    offered: kind === "contract" && address ? { kind, contract: address } : { kind: "outside", entity: actions.idBytes(entity || owner), endpoints: endpoints.split(/\s+/).filter(Boolean), contract: address },
    price: { text: price, rule: /^\d{1,15}$/.test(amount) ? { amount: BigInt(amount), currency, per } : null },
    listing: listing as "everyone",
  };
}

export function Publish({ owner, from, onDone }: { owner: string; from?: { name: string; version: ServiceVersion }; onDone?: () => void }) {
  const [form, setForm] = useState(from ? fieldsOf(from.name, from.version) : EMPTY);
  const set = (field: keyof Fields) => (value: string) => setForm({ ...form, [field]: value });
  const choices = useQuery("publish", async (signal) => {
    const [contracts, services] = await Promise.all([peer.contracts({ limit: CHOICES }, { signal }), peer.entities({ kind: "service", limit: CHOICES }, { signal })]);
    return { contracts: contracts.items.filter((one) => one.status === "active"), services: services.items };
  }, EVERY_MS);
  const { contracts = [], services = [] } = choices.data ?? {};
  const outside = form.kind === "outside";
  const ready = form.name !== "" && form.version !== "" && form.text !== "" && form.purpose !== "" && (outside ? form.endpoints !== "" : form.contract !== "");
  return (
    <Form
      title={from ? "Publish the next version" : "Publish a service"} note="what was published stays as it is; a change is another version" verb="Sign and publish" dry ready={ready}
      action={() => actions.publishService(manifestOf(form, owner))} {...(onDone ? { onDone } : {})}
    >
      <div class="sign-fields">
        {!from && <Text label="Its name" value={form.name} set={set("name")} />}
        <Text label="Version" value={form.version} set={set("version")} hint="1.0.0" />
        <Choice label="Runs" value={form.kind} set={set("kind")} options={KINDS} none="choose" />
        <Choice label={outside ? "Contract that charges for it" : "The contract"} value={form.contract} set={set("contract")} options={contracts} none={outside ? "none" : "choose"} />
        {outside && <Choice label="Who performs it" value={form.entity} set={set("entity")} options={services} none="I do" />}
        <Text label="What it is used for" value={form.purpose} set={set("purpose")} hint="as grants name it" />
        <Text label="Interfaces" value={form.interfaces} set={set("interfaces")} hint="separated by commas" />
        <Text label="Tags" value={form.tags} set={set("tags")} hint="separated by commas" />
        <Choice label="Shown to" value={form.listing} set={set("listing")} options={LISTINGS} none="choose" />
        <Text label="Price, in words" value={form.price} set={set("price")} />
        <Text label="Price, as a number" value={form.amount} set={set("amount")} />
        {form.amount && <Text label="of which currency" value={form.currency} set={set("currency")} />}
        {form.amount && <Text label="for each" value={form.per} set={set("per")} />}
      </div>
      <Area label="What it does" value={form.text} set={set("text")} />
      {outside && <Area label="Where it is reached, an address on each line" value={form.endpoints} set={set("endpoints")} rows={2} code />}
      <Area label="What owners must let it do, one on each line, such as “read energy”" value={form.needs} set={set("needs")} rows={2} />
      <details><summary>JSON Schema of what it takes and gives</summary><Area label="Schema" value={form.schema} set={set("schema")} code /></details>
    </Form>
  );
}
