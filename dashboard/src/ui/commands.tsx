/** Commands to a thing: a form made from its description, and how far each command is. */

import { actions, type Action } from "althing/sign";
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

async function actionOf(thing: Thing, asked: Affordance, values: Record<string, string>, json: string, minutes: string, purpose: string): Promise<Action> {
  const newest = blocks.peek()[0]?.time.ms ?? 0;
  const until = BigInt(Math.round(newest + Number(minutes) * 60_000));
  const command = (operation: actions.OperationForm) => actions.command(thing.id, operation, until, purpose || undefined);
  if (asked.operation === "read") return command({ kind: "read", property: asked.name });
  if (asked.operation === "write") return command({ kind: "write", property: asked.name, value: await written(thing, asked.name, values["value"] ?? json) });
  const input = asked.inputs ? jsonOf(asked.inputs, values) : json;
  return command({ kind: "invoke", action: asked.name, input: input === undefined ? null : toUtf8(input) });
}

function Ask({ thing, offered }: { thing: Thing; offered: Affordance[] }) {
  const [chosen, choose] = useState("");
  const [values, setValues] = useState<Record<string, string>>({});
  const [json, setJson] = useState("{}");
  const [minutes, setMinutes] = useState(MINUTES);
  const [purpose, setPurpose] = useState("");
  const asked = offered.find((one) => `${one.operation} ${one.name}` === chosen);
  const options = offered.map((one) => ({ id: `${one.operation} ${one.name}`, name: `${one.operation} ${one.title || one.name}` }));
  const ready = asked !== undefined && Number(minutes) > 0 && (asked.inputs ?? []).every((one) => values[one.name] !== undefined && values[one.name] !== "");
  return (
    <Form title="Ask it to do something" note="recorded, with what comes of it" verb="Sign and ask" ready={ready} action={() => actionOf(thing, asked as Affordance, values, json, minutes, purpose)}>
      <div class="sign-fields">
        <Choice label="What" value={chosen} set={(id) => { choose(id); setValues({}); }} options={options} none="choose" />
        {asked?.inputs?.map((input) => <Field key={input.name} input={input} value={values[input.name] ?? ""} set={(value) => setValues({ ...values, [input.name]: value })} />)}
        <Text label="Within minutes" value={minutes} set={setMinutes} />
        <Text label="What for (under a grant)" value={purpose} set={setPurpose} />
      </div>
      {asked && asked.inputs === undefined && <Area label="Input, JSON" value={json} set={setJson} code />}
    </Form>
  );
}

/** All commands of a thing, and the form for another. */
export function Commands({ thing }: { thing: Thing }) {
  const offered = useQuery(`affordances ${thing.id} ${thing.version}`, async (signal) => affordances(new TextDecoder().decode(await peer.description(thing.id, {}, { signal }))));
  return (
    <div class="columns">
      <Card title="Commands" note="newest first">
        <List name={`commands ${thing.id}`} ask={(page, options) => peer.commands(thing.id, page, options)} empty="Nothing was asked of it.">{(one) => <Line command={one} />}</List>
      </Card>
      {signing.value && network.value && offered.data && offered.data.length > 0 && <Ask thing={thing} offered={offered.data} />}
    </div>
  );
}
