/** Triggers: what the ledger does by itself in somebody's name, when it would have, and what it did. */

import { actions, type Trigger } from "althing/sign";
import { parseDecimal } from "althing/text";
import { useState } from "preact/hooks";
import { peer } from "../lib/client.ts";
import { plain, plural } from "../lib/format.ts";
import type { TriggerTrial } from "../lib/model.ts";
import { useQuery } from "../lib/query.ts";
import { signing } from "../lib/signing.ts";
import type { Route } from "../router.ts";
import { At, Await, Badge, Card, Page, Who, Wrong } from "../ui/basics.tsx";
import { Act, Area, Choice, Form, Text, Tried } from "../ui/form.tsx";
import { Record } from "../ui/record.tsx";
import { Past } from "./past.tsx";

const EVERY_MS = 3000;
/** Most things and contracts to choose from. */
const CHOICES = 200;
/** Moments of the past that are listed. */
const MOMENTS = 5;
const RELATIONS = [{ id: ">", name: "is above" }, { id: ">=", name: "is at least" }, { id: "<=", name: "is at most" }, { id: "<", name: "is below" }];

/** When it would have happened, and what it would do now. */
function Would({ of: { moments, batches, complete, effect } }: { of: TriggerTrial }) {
  return (
    <>
      <p>It would have happened {plural(moments.length, "time")} in {plural(batches, "batch", "batches")} that are recorded{!complete && " and looked at; there are more"}{moments.slice(-MOMENTS).map((one, at) => <>{at === 0 ? ", the last: " : ", "}<At key={one.ms} time={one} /></>)}.</p>
      <Tried trial={effect} />
    </>
  );
}

/** A call of a contract when a reading is beyond a bound; `althing trigger set` knows all else that triggers wait for and do. */
export function SetTrigger({ owner }: { owner: string }) {
  const [form, setForm] = useState({ name: "", stream: "", relation: ">", bound: "", contract: "", message: "{}", gas: "10000000" });
  const [tried, setTried] = useState<{ trial?: TriggerTrial; error?: Error }>({});
  const set = (field: keyof typeof form) => (value: string) => setForm({ ...form, [field]: value });
  const choices = useQuery("set trigger", async (signal) => {
    const [things, contracts] = await Promise.all([peer.things({ limit: CHOICES }, { signal }), peer.contracts({ limit: CHOICES }, { signal })]);
    const streams = things.items.flatMap((thing) => thing.properties.filter((one) => one.kind === "number").map((one) => ({ id: one.stream, name: `${thing.name}/${one.name}` })));
    return { streams, contracts: contracts.items };
  }, EVERY_MS);
  const ready = form.name !== "" && form.stream !== "" && form.contract !== "" && /^-?\d+(\.\d+)?$/.test(form.bound) && /^[1-9]\d{0,11}$/.test(form.gas);
  const made = async (): Promise<Trigger> => {
    const { scale } = await peer.stream(form.stream);
    const cause = { kind: "reading" as const, stream: actions.idBytes(form.stream), relation: form.relation as ">", bound: parseDecimal(form.bound, scale), forMs: 0n };
    return { name: form.name, cause, effect: { kind: "call", contract: actions.idBytes(form.contract), message: new TextEncoder().encode(form.message), gasLimit: BigInt(form.gas) } };
  };
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
        <Choice label="When" value={form.stream} set={set("stream")} options={choices.data?.streams ?? []} none="choose" />
        <Choice label="its reading" value={form.relation} set={set("relation")} options={RELATIONS} none="choose" />
        <Text label="this bound" value={form.bound} set={set("bound")} />
        <Choice label="call" value={form.contract} set={set("contract")} options={choices.data?.contracts ?? []} none="choose" />
        <Text label="with at most so much gas" value={form.gas} set={set("gas")} />
      </div>
      <Area label="and this message, JSON" value={form.message} set={set("message")} code />
      <div class="row"><button type="button" class="button" disabled={!ready} onClick={() => void attempt()}>When would it have happened?</button></div>
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
                <p><code class="rule">{plain(trigger.rule, 2000)}</code></p>
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
