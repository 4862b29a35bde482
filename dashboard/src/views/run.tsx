/** A run of a trigger: what caused it, what it brought about, and the proof of that. */

import { peer } from "../lib/client.ts";
import { awaited, beyond } from "../lib/cause.ts";
import { plain, plural, quantity } from "../lib/format.ts";
import { eventsOf } from "../lib/history.ts";
import { tagged, type EventRecord, type Trigger } from "../lib/model.ts";
import { useQuery } from "../lib/query.ts";
import { href, type Route } from "../router.ts";
import { At, Await, Badge, Card, Empty, Height, Page } from "../ui/basics.tsx";
import { Event, EventList, Rule } from "../ui/tagged.tsx";
import { Proven } from "../ui/verification.tsx";

/** Readings of a cause that are listed. */
const READINGS = 5;

async function causeOf(trigger: Trigger, height: number, signal: AbortSignal) {
  const query = awaited(trigger);
  const events = query === undefined ? [] : await eventsOf(height, query, signal);
  const [batch] = events.map(({ event }) => tagged(event));
  if (trigger.stream === undefined || batch === undefined) return { events };
  const first = Number(batch["first_seq"]);
  const readings = await peer.readings(trigger.stream, { first_seq: first, last_seq: first + Number(batch["count"]) - 1 }, { signal });
  return { events, readings, hits: beyond(trigger.rule, readings.items) };
}

/** The block for which a trigger ran, and in it what the trigger waited for. */
export function Cause({ of: trigger, height }: { of: Trigger; height: number }) {
  const found = useQuery(`cause ${trigger.id} ${height}`, (signal) => causeOf(trigger, height, signal));
  return (
    <Await of={found} lines={1}>
      {({ events, readings, hits = [] }) => (
        <>
          {hits.length > 0 && readings && (
            <p>{hits.slice(0, READINGS).map((one, at) => <>{at > 0 && ", "}<a href={href.reading(readings.stream, one.seq)}><strong>{quantity(one.value, readings.kind, readings.unit)}</strong> at <At time={one.claimed} /></a></>)}{hits.length > READINGS && ` and ${plural(hits.length - READINGS, "more reading")}`}</p>
          )}
          {events.length > 0 ? <EventList events={events} /> : <p class="muted">In block <Height height={height} />{trigger.stream !== undefined && ", whose batches tell nothing of it any more"}.</p>}
        </>
      )}
    </Await>
  );
}

/** What one run brought about, from the events of its block. */
function One({ trigger, events }: { trigger: Trigger; events: EventRecord[] }) {
  const [ran] = events;
  const told = ran && tagged(ran.event);
  const height = Number(told?.["cause_height"]);
  if (!ran || !told) return <Empty>It did not run in this block.</Empty>;
  return (
    <div class="stack">
      <div class="columns">
        <Card title="What caused it" note={<>block <Height height={height} /></>}>
          <p class="rule"><Rule of={trigger.rule} /></p>
          <Cause of={trigger} height={height} />
        </Card>
        <Card title="What it brought about" note={told["code"] ? <Badge tone="bad">no effect</Badge> : <Badge tone="good">took effect</Badge>}>
          <ul class="events">{events.map((one) => <li key={one.cursor}><Event of={tagged(one.event)} /></li>)}</ul>
          <p class="muted">In block <Height height={ran.height} />, <At time={ran.time} />, in the name of the trigger’s owner; no transaction was needed.</p>
        </Card>
      </div>
      <Proven note="that it ran, and what it brought about" name={`${trigger.id.slice(0, 8)}-${ran.height}.proof`} ask={(signal) => peer.proveRun(trigger.id, ran.height, { signal })} />
    </div>
  );
}

/** A run, by the id that its receipt has or by its trigger, in the block at `height`. */
export function Run({ id, trigger: known, height }: { id?: string; trigger?: string; height: number }) {
  const found = useQuery(`run ${id ?? known} ${height}`, async (signal) => {
    const all = await eventsOf(height, {}, signal);
    const ran = all.find(({ transaction, event }) => event.type === "trigger_ran" && (transaction === id || event.trigger === known));
    const trigger = known ?? (ran?.event.type === "trigger_ran" ? ran.event.trigger : undefined);
    if (trigger === undefined) throw new Error(`Neither a transaction nor a run of a trigger has this id in block ${height}.`);
    return { trigger: await peer.trigger(trigger, { signal }), events: all.filter(({ transaction }) => transaction === ran?.transaction) };
  });
  return (
    <Await of={found} lines={8}>
      {({ trigger, events }) => (
        <Page title="Run of a trigger" lead={<>The ledger did this by itself, by trigger <a href={href.trigger(trigger.id)}><bdi>{plain(trigger.name)}</bdi></a>.</>}>
          <One trigger={trigger} events={events} />
        </Page>
      )}
    </Await>
  );
}

export function RunPage({ route: { parts } }: { route: Route }) {
  return <Run trigger={parts[0] ?? ""} height={Number(parts[1])} />;
}
