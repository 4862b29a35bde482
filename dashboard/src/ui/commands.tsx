/** Commands to a thing: a form made from its description, and how far each command is. */

import { actions } from "althing/sign";
import { parseDecimal, toUtf8 } from "althing/text";
import { useState } from "preact/hooks";
import { peer } from "../lib/client.ts";
import { affordances, jsonOf, type Affordance, type Input } from "../lib/description.ts";
import { plain, words } from "../lib/format.ts";
import type { Command, Thing } from "../lib/model.ts";
import { network, blocks } from "../lib/network.ts";
import { useQuery } from "../lib/query.ts";
import { signing } from "../lib/signing.ts";
import { href } from "../router.ts";
import { At, Badge, Card, Who } from "./basics.tsx";
import { Act, Area, Choice, Form, Text } from "./form.tsx";
import { List } from "./record.tsx";

/** How long a command may take by default, minutes. */
const MINUTES = "10";

const TONES: Record<string, "good" | "warn" | "bad" | "ice" | "plain"> = { queued: "warn", delivered: "ice", accepted: "ice", done: "good", failed: "bad", expired: "bad" };
const OVER = ["done", "failed", "expired", "cancelled"];

function Line({ command }: { command: Command }) {
  const mine = signing.value?.entity === command.sender;
  return (
    <>
      <div class="entry-head">
        <span><strong>{command.operation} <bdi>{plain(command.name, 60)}</bdi></strong>{(command.value ?? command.input) !== undefined && <> <code>{plain(command.value ?? command.input ?? "", 80)}</code></>}</span>
        <Badge tone={TONES[command.state] ?? "plain"}>{words(command.state)}</Badge>
        {command.result !== undefined && <code>{plain(command.result, 120)}</code>}
        <span class="entry-acts">{mine && !OVER.includes(command.state) && <Act verb="Take back" action={() => actions.cancelCommand(command.id)} />}</span>
      </div>
      <p class="muted">
        <a href={href.transaction(command.id)}>Asked</a> by <Who did={command.sender} />, <At time={command.queued} />; <a href={href.transaction(command.changed_by)}>last word</a> from <Who did={command.reporter} />, <At time={command.changed} />{!OVER.includes(command.state) && <>; waits until <At time={command.until} /></>}
      </p>
    </>
  );
}

function Field({ input, value, set }: { input: Input; value: string; set: (value: string) => void }) {
  const label = input.hint ? `${input.name} (${input.hint})` : input.name;
  const choices = input.kind === "boolean" ? ["true", "false"] : input.choices;
  if (choices.length > 0) return <Choice label={label} value={value} set={set} options={choices.map((id) => ({ id, name: id }))} none="choose" />;
  return <Text label={label} value={value} set={set} />;
}

/** The value of a property as the ledger has it: a number is exact, at the scale of its stream. */
async function written(thing: Thing, name: string, typed: string) {
  const property = thing.properties.find((one) => one.name === name);
  if (property?.kind === "boolean") return { kind: "boolean" as const, value: typed === "true" };
  if (property?.kind !== "number") return { kind: "text" as const, value: typed };
  const { scale } = await peer.stream(property.stream);
  return { kind: "number" as const, mantissa: parseDecimal(typed.trim(), scale) };
}

/** What a thing is asked to do: the fields for it, made from its description, and the operation that they come to. */
export function useOperation(thing: Thing | undefined) {
  const offered = useQuery(`affordances ${thing?.id} ${thing?.version}`, async (signal) => (thing ? affordances(new TextDecoder().decode(await peer.description(thing.id, {}, { signal }))) : []));
  const [chosen, choose] = useState("");
  const [values, setValues] = useState<Record<string, string>>({});
  const [json, setJson] = useState("{}");
  const all = offered.data ?? [];
  const keyOf = ({ operation, name }: Affordance) => `${operation} ${name}`;
  const asked = all.find((one) => keyOf(one) === chosen);
  const operation = async ({ operation: kind, name, inputs }: Affordance, of: Thing): Promise<actions.OperationForm> => {
    if (kind === "read") return { kind, property: name };
    if (kind === "write") return { kind, property: name, value: await written(of, name, values["value"] ?? json) };
    const input = inputs ? jsonOf(inputs, values) : json;
    return { kind, action: name, input: input === undefined ? null : toUtf8(input) };
  };
  return {
    any: all.length > 0,
    ready: asked !== undefined && (asked.inputs ?? []).every((one) => values[one.name]),
    make: async () => {
      if (!asked || !thing) throw new Error("Choose what it is asked for.");
      return operation(asked, thing);
    },
    fields: (
      <>
        <Choice label="What" value={chosen} set={(id) => { choose(id); setValues({}); }} options={all.map((one) => ({ id: keyOf(one), name: `${one.operation} ${one.title || one.name}` }))} none="choose" />
        {asked?.inputs?.map((input) => <Field key={input.name} input={input} value={values[input.name] ?? ""} set={(value) => setValues({ ...values, [input.name]: value })} />)}
        {asked && !asked.inputs && <Area label="Input, JSON" value={json} set={setJson} code />}
      </>
    ),
  };
}

function Ask({ thing }: { thing: Thing }) {
  const asked = useOperation(thing);
  const [minutes, setMinutes] = useState(MINUTES);
  const [purpose, setPurpose] = useState("");
  if (!asked.any) return null;
  const action = async () => {
    const newest = blocks.peek()[0]?.time.ms ?? 0;
    return actions.command(thing.id, await asked.make(), BigInt(Math.round(newest + Number(minutes) * 60_000)), purpose || undefined);
  };
  return (
    <Form title="Ask it to do something" note="recorded, with what comes of it" verb="Sign and ask" ready={asked.ready && Number(minutes) > 0} action={action}>
      <div class="sign-fields">
        {asked.fields}
        <Text label="Within minutes" value={minutes} set={setMinutes} />
        <Text label="What for (under a grant)" value={purpose} set={setPurpose} />
      </div>
    </Form>
  );
}

/** All commands of a thing, and the form for another. */
export function Commands({ thing }: { thing: Thing }) {
  return (
    <div class="columns">
      <Card title="Commands" note="newest first">
        <List name={`commands ${thing.id}`} ask={(page, options) => peer.commands(thing.id, page, options)} empty="Nothing was asked of it.">{(one) => <Line command={one} />}</List>
      </Card>
      {signing.value && network.value && <Ask thing={thing} />}
    </div>
  );
}
