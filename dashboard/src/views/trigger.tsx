/** Triggers: what the ledger does by itself in somebody's name, when it would have, and what it did. */

import { actions, type Trigger } from "althing/sign";
import { parseDecimal, toUtf8 } from "althing/text";
import { useState } from "preact/hooks";
import { peer } from "../lib/client.ts";
import { plain, plural } from "../lib/format.ts";
import type { TriggerTrial } from "../lib/model.ts";
import { useQuery } from "../lib/query.ts";
import { signing } from "../lib/signing.ts";
import type { Route } from "../router.ts";
import { At, Await, Badge, Card, Page, Who, Wrong } from "../ui/basics.tsx";
import { useOperation } from "../ui/commands.tsx";
import { Act, Area, Choice, Form, Text, Tried } from "../ui/form.tsx";
import { Record } from "../ui/record.tsx";
import { Rule } from "../ui/tagged.tsx";
import { Past } from "./past.tsx";

const EVERY_MS = 3000;
/** Most things and contracts to choose from. */
const CHOICES = 200;
/** Moments of the past that are listed. */
const MOMENTS = 5;
const RELATIONS = [{ id: ">", name: "is above" }, { id: ">=", name: "is at least" }, { id: "<=", name: "is at most" }, { id: "<", name: "is below" }];

/** What there is to wait for, and to do. */
const CAUSES = [
  { id: "reading", name: "a reading is beyond a bound" },
  { id: "silence", name: "a thing falls silent" },
  { id: "time", name: "it is time, once or again and again" },
  { id: "contract", name: "a contract tells something" },
  { id: "recorded", name: "somebody writes a record" },
  { id: "commanded", name: "a command comes to a state" },
];
const EFFECTS = [
  { id: "call", name: "call a contract" },
  { id: "command", name: "command a thing" },
  { id: "record", name: "write a record" },
];
/** States that a command comes to. */
const STATES = ["delivered", "accepted", "done", "failed", "expired", "cancelled"].map((id) => ({ id, name: id }));
const MINUTE_MS = 60_000;

/** The rule in words; when it would have happened, and what it would do now. */
function Would({ of: { rule, moments, batches, complete, effect } }: { of: TriggerTrial }) {
  return (
    <>
      <p class="rule"><Rule of={rule} /></p>
      {batches > 0 && <p>It would have happened {plural(moments.length, "time")} in {plural(batches, "batch", "batches")} that are recorded{!complete && " and looked at; there are more"}{moments.slice(-MOMENTS).map((one, at) => <>{at === 0 ? ", the last: " : ", "}<At key={one.ms} time={one} /></>)}.</p>}
      <Tried trial={effect} />
    </>
  );
}

const EMPTY = {
  name: "", cause: "reading", stream: "", relation: ">", bound: "", minutes: "0", first: "", contract: "", topic: "", sender: "", thing: "", state: "failed",
  effect: "call", called: "", message: "{}", gas: "10000000", commanded: "", within: "10", purpose: "", kind: "", text: "", notify: "",
};
type Fields = typeof EMPTY;

const minutesMs = (typed: string) => BigInt(Math.round(Number(typed) * MINUTE_MS));
const isMinutes = (typed: string, least = 0) => /^\d{1,6}(\.\d+)?$/.test(typed) && Number(typed) >= least;
/** Shortest silence, and shortest time between two runs, that can be asked for here, minutes. */
const LEAST = 0.01;

/** Whether enough is said of what is waited for, and of what is done. */
const CAUSE_SAID: Record<string, (of: Fields) => boolean> = {
  reading: ({ stream, bound, minutes }) => stream !== "" && /^-?\d+(\.\d+)?$/.test(bound) && isMinutes(minutes),
  silence: ({ stream, minutes }) => stream !== "" && isMinutes(minutes, LEAST),
  time: ({ first, minutes }) => first !== "" && isMinutes(minutes),
  contract: ({ contract, topic }) => contract !== "" && topic !== "",
  recorded: ({ sender, topic }) => sender !== "" && topic !== "",
  commanded: ({ thing, state }) => thing !== "" && state !== "",
};
const EFFECT_SAID: Record<string, (of: Fields) => boolean> = {
  call: ({ called, gas }) => called !== "" && /^[1-9]\d{0,11}$/.test(gas),
  command: ({ commanded, within }) => commanded !== "" && isMinutes(within, LEAST),
  record: ({ kind }) => kind !== "",
};

async function causeOf({ cause, stream, relation, bound, minutes, first, contract, topic, sender, thing, state }: Fields): Promise<Trigger["cause"]> {
  const forMs = minutesMs(minutes);
  if (cause === "silence") return { kind: cause, stream: actions.idBytes(stream), forMs };
  if (cause === "time") return { kind: cause, firstMs: BigInt(Date.parse(`${first}Z`)), everyMs: forMs };
  if (cause === "contract") return { kind: cause, contract: actions.idBytes(contract), event: topic };
  if (cause === "recorded") return { kind: cause, sender: actions.idBytes(sender), recordKind: topic };
  if (cause === "commanded") return { kind: cause, thing: actions.idBytes(thing), state: state as "done" };
  const { scale } = await peer.stream(stream);
  return { kind: "reading", stream: actions.idBytes(stream), relation: relation as ">", bound: parseDecimal(bound, scale), forMs };
}

/** A form for whatever the ledger can wait for, and do. */
export function SetTrigger({ owner }: { owner: string }) {
  const [form, change] = useState(EMPTY);
  const [tried, setTried] = useState<{ trial?: TriggerTrial; error?: Error }>({});
  const setForm = (next: Fields) => {
    change(next);
    // What was found out is about something else by now.
    setTried({});
  };
  const set = (field: keyof Fields) => (value: string) => setForm({ ...form, [field]: value });
  const choices = useQuery("set trigger", async (signal) => {
    const ask = { limit: CHOICES };
    const [things, contracts, people] = await Promise.all([peer.things(ask, { signal }), peer.contracts(ask, { signal }), peer.entities({ kind: "organisation", ...ask }, { signal })]);
    return { things: things.items, contracts: contracts.items, people: people.items };
  }, EVERY_MS);
  const { things = [], contracts = [], people = [] } = choices.data ?? {};
  const { cause, effect, minutes } = form;
  const streams = things.flatMap((thing) => thing.properties.filter(({ kind }) => cause === "silence" || kind === "number").map((one) => ({ id: one.stream, name: `${thing.name}/${one.name}` })));
  const operation = useOperation(effect === "command" ? things.find((one) => one.id === form.commanded) : undefined);
  const ready = form.name !== "" && CAUSE_SAID[cause]?.(form) === true && EFFECT_SAID[effect]?.(form) === true && (effect !== "command" || operation.ready);
  const effectOf = async (): Promise<Trigger["effect"]> => {
    const { called, message, gas, commanded, within, purpose, kind, text, notify } = form;
    if (effect === "command") return { kind: effect, thing: actions.idBytes(commanded), operation: await operation.make(), lifeMs: minutesMs(within), purpose: purpose || null };
    if (effect === "record") return { kind: effect, record: { kind, data: toUtf8(text), notify: notify ? [actions.idBytes(notify)] : [], link: null } };
    return { kind: "call", contract: actions.idBytes(called), message: toUtf8(message), gasLimit: BigInt(gas) };
  };
  const made = async (): Promise<Trigger> => ({ name: form.name, cause: await causeOf(form), effect: await effectOf() });
  const attempt = async () => {
    try {
      setTried({ trial: await peer.tryTrigger(actions.triggerBytes(await made()), { owner }) });
    } catch (failed) {
      setTried({ error: failed as Error });
    }
  };
  return (
    <Form title="Set a trigger" note="the ledger acts in your name, in the block after" verb="Sign and set" ready={ready} action={async () => actions.setTrigger(await made())}>
      <div class="sign-fields">
        <Text label="Your name for it" value={form.name} set={set("name")} />
        <Choice label="When" value={cause} set={(id) => setForm({ ...form, cause: id, stream: "", minutes: id === "silence" ? "5" : "0" })} options={CAUSES} none="choose" />
        {(cause === "reading" || cause === "silence") && <Choice label="Of" value={form.stream} set={set("stream")} options={streams} none="choose" />}
        {cause === "reading" && <Choice label="its reading" value={form.relation} set={set("relation")} options={RELATIONS} none="choose" />}
        {cause === "reading" && <Text label="this bound" value={form.bound} set={set("bound")} />}
        {cause === "time" && <Text label="First at, UTC" type="datetime-local" value={form.first} set={set("first")} />}
        {cause === "contract" && <Choice label="Which" value={form.contract} set={set("contract")} options={contracts} none="choose" />}
        {cause === "recorded" && <Choice label="Who" value={form.sender} set={set("sender")} options={people} none="choose" />}
        {(cause === "contract" || cause === "recorded") && <Text label={cause === "contract" ? "Name of the event" : "Kind of the record"} value={form.topic} set={set("topic")} />}
        {cause === "commanded" && <Choice label="Of" value={form.thing} set={set("thing")} options={things} none="choose" />}
        {cause === "commanded" && <Choice label="comes to" value={form.state} set={set("state")} options={STATES} none="choose" />}
        {["reading", "silence", "time"].includes(cause) && <Text label={cause === "time" ? "then every so many minutes (0: once)" : "for so many minutes"} value={minutes} set={set("minutes")} />}
      </div>
      <div class="sign-fields">
        <Choice label="Then" value={effect} set={set("effect")} options={EFFECTS} none="choose" />
        {effect === "call" && <Choice label="call" value={form.called} set={set("called")} options={contracts} none="choose" />}
        {effect === "call" && <Text label="with at most so much gas" value={form.gas} set={set("gas")} />}
        {effect === "command" && <Choice label="command" value={form.commanded} set={set("commanded")} options={things} none="choose" />}
        {effect === "command" && form.commanded && operation.fields}
        {effect === "command" && <Text label="to be answered within minutes" value={form.within} set={set("within")} />}
        {effect === "command" && <Text label="What for (under a grant)" value={form.purpose} set={set("purpose")} />}
        {effect === "record" && <Text label="Kind" value={form.kind} set={set("kind")} />}
        {effect === "record" && <Text label="saying" value={form.text} set={set("text")} />}
        {effect === "record" && <Choice label="notifying" value={form.notify} set={set("notify")} options={people} none="nobody" />}
      </div>
      {effect === "call" && <Area label="with this message, JSON" value={form.message} set={set("message")} code />}
      <div class="row"><button type="button" class="button" disabled={!ready} onClick={() => void attempt()}>{cause === "reading" || cause === "silence" ? "When would it have happened?" : "What would it do?"}</button></div>
      <div aria-live="polite">{tried.error && <Wrong error={tried.error} />}{tried.trial && <Would of={tried.trial} />}</div>
    </Form>
  );
}

export function TriggerPage({ route }: { route: Route }) {
  const id = route.parts[0] ?? "";
  const found = useQuery(`trigger ${id}`, (signal) => peer.trigger(id, { signal }), EVERY_MS);
  return (
    <Await of={found}>
      {(trigger) => (
        <Page title={<bdi>{plain(trigger.name)}</bdi>} lead={<>Trigger of <Who did={trigger.owner} /> <Badge tone={trigger.state === "suspended" ? "ice" : trigger.state === "over" ? "plain" : "good"}>{trigger.state}</Badge></>}>
          <div class="stack">
            <Card>
              <div class="stack">
                <p class="rule"><Rule of={trigger.rule} /></p>
                <Record of={trigger} but={["name", "owner", "state", "rule"]} />
                {signing.value?.entity === trigger.owner && (
                  <div class="row">
                    {trigger.state !== "over" && <Act verb={trigger.state === "suspended" ? "Let it wait again" : "Suspend it"} main action={() => actions.changeTrigger(trigger.state === "suspended" ? "resume" : "suspend", trigger.id)} onDone={found.again} />}
                    <Act verb="Remove it" action={() => actions.changeTrigger("remove", trigger.id)} />
                  </div>
                )}
              </div>
            </Card>
            <Past ask={(page, opts) => peer.triggerRuns(id, page, opts)} />
          </div>
        </Page>
      )}
    </Await>
  );
}
