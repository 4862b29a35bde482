/** A procedure of clause 10 drawn from the events of one of its runs. */

import { useState } from "preact/hooks";
import { count, plain, plural, short } from "../lib/format.ts";
import { firstEvent } from "../lib/history.ts";
import { tagged, type EventRecord } from "../lib/model.ts";
import { named } from "../lib/names.ts";
import { peers } from "../lib/network.ts";
import { eventTypes } from "../lib/offered.ts";
import { runsOf, type Procedure, type Run } from "../lib/procedures.ts";
import { useQuery, type Answer } from "../lib/query.ts";
import { href } from "../router.ts";
import { Await, Card, Height } from "../ui/basics.tsx";
import { Sequence, type Lane, type Message } from "../ui/sequence.tsx";
import { Event } from "../ui/tagged.tsx";

/** How many runs can be chosen from, and how many events of one are drawn. */
const RUNS = 6;
const DRAWN_MAX = 8;

/** A DID by name, where it has one. */
export function nameOf(did: string | undefined, otherwise: string): string {
  const found = did === undefined ? undefined : named(did).value;
  const name = found?.as === "entity" ? found.entity.name : found?.as === "thing" ? found.thing.title || found.thing.name : undefined;
  return plain(name ?? (did ? short(did) : otherwise), 22);
}

function lanesOf(procedure: Procedure, run: Run): Lane[] {
  const events = run.events.map((record) => tagged(record.event));
  const serving = peers.value.find((one) => one.this);
  return procedure.roles.map((role, lane) => {
    const who = procedure.who[lane];
    const found = who && events.map(who).find((one) => one !== undefined);
    if (found !== undefined) return { role, name: nameOf(found, role), inside: false };
    const inside = procedure.inside.includes(lane);
    const name = lane === procedure.inside[0] ? (serving?.name ?? "a peer") : inside ? plural(Math.max(0, peers.value.length - 1), "other") : (procedure.nobody ?? "nobody yet");
    return { role, name: plain(name, 22), inside };
  });
}

function messagesOf(procedure: Procedure, events: readonly EventRecord[]): Message[] {
  return events.flatMap(({ event, height, transaction }, at) =>
    (procedure.events[event.type]?.(tagged(event), height, events[at - 1]?.event.type) ?? []).map((step) => ({ ...step, link: step.wide ? href.block(height) : href.transaction(transaction, height) })),
  );
}

/** What came before a run: of each type the first event of the thing that it is about. */
async function earlier({ subject, before = [] }: Procedure, run: Run, signal: AbortSignal): Promise<EventRecord[]> {
  const thing = run.events.map((record) => subject?.(tagged(record.event))).find((one) => one !== undefined);
  if (thing === undefined || !thing.startsWith("did:")) return [];
  const found = await Promise.all(before.map((type) => firstEvent({ thing, type }, signal)));
  return found.filter((one) => one !== undefined);
}

function Figure({ procedure, run }: { procedure: Procedure; run: Run }) {
  const prelude = useQuery(`before ${procedure.clause} ${run.key}`, (signal) => earlier(procedure, run, signal));
  // What led to it comes along when it is known.
  const before = prelude.data ?? [];
  const as = procedure.as?.(before) ?? procedure;
  // In the order of the figure: the ledger may have both from one transaction.
  const order = Object.keys(as.events);
  const first = [...before].sort((a, b) => order.indexOf(a.event.type) - order.indexOf(b.event.type));
  const whole = { ...run, events: [...first, ...run.events] };
  const drawn = whole.events.filter((record) => record.event.type in as.events).slice(0, DRAWN_MAX);
  return (
    <>
      {as.figure && <p class="muted">{as.figure}</p>}
      <Sequence key={run.key} label={`${figureOf(as)} as it happened`} lanes={lanesOf(as, whole)} messages={messagesOf(as, drawn)} />
      <ol class="told">{drawn.map((record) => <li key={record.cursor}><Event of={tagged(record.event)} />, block <Height height={record.height} />, <a href={href.transaction(record.transaction, record.height)}>transaction</a>.</li>)}</ol>
    </>
  );
}

const figureOf = ({ clause, figure }: Procedure) => figure ?? `Figure ${clause.replace(".", "-")}`;

/** The types of events that runs of a procedure are made of, as far as this ledger has them. */
export const typesOf = ({ events, before }: Procedure): string[] => Object.keys(events).filter((one) => eventTypes.value.has(one) && !before?.includes(one));

export function Clause({ procedure, past }: { procedure: Procedure; past: Answer<EventRecord[]> }) {
  const [chosen, choose] = useState<string | undefined>(undefined);
  return (
    <Card id={procedure.clause} title={`${procedure.clause} ${procedure.title}`} note={`Figure ${procedure.clause.replace(".", "-")}`}>
      <Await of={past} lines={6}>
        {(events) => {
          const runs = runsOf(procedure, events);
          const run = runs.find((one) => one.key === chosen) ?? runs[0];
          if (!run) return <p class="empty">It has not happened on this ledger yet. <code>{procedure.command}</code> runs it to the letter, on a network of its own.</p>;
          return (
            <>
              <div class="row choices">
                {runs.slice(0, RUNS).map((one) => (
                  <button type="button" key={one.key} class="button small" aria-pressed={one === run} onClick={() => choose(one.key)}>since block {count(one.events[0]?.height ?? 0)}</button>
                ))}
              </div>
              <Figure key={run.key} procedure={procedure} run={run} />
            </>
          );
        }}
      </Await>
    </Card>
  );
}
