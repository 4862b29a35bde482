/** What an operator looks at beside the peers: gateways and what waits in them, and who changed what. */

import { isUnknownReader, peer, readsAs } from "../lib/client.ts";
import { batches } from "../lib/feed.ts";
import { count, duration, plural } from "../lib/format.ts";
import { pastEvents } from "../lib/history.ts";
import { tagged, type Entity, type Thing } from "../lib/model.ts";
import { blocks } from "../lib/network.ts";
import { eventTypes } from "../lib/offered.ts";
import { useQuery } from "../lib/query.ts";
import { Await, Badge, Card, Table, Who } from "../ui/basics.tsx";
import { EventList } from "../ui/tagged.tsx";

/** Most gateways and things that are looked at. */
const GATEWAYS = 20;
const THINGS = 200;
const EVERY_MS = 4000;
/** A reading that waited longer at its gateway says that others wait behind it, ms. */
const QUEUE_MS = 30_000;
/** Changes that are listed. */
const AUDITED = 60;

/** What the ledger shows of a gateway: its things, and how long its newest reading waited for a block. */
interface Standing {
  gateway: Entity;
  things: number;
  /** Its newest reading; none while this page heard of none. */
  newest: { at: number; waitedMs: number } | undefined;
}

/** Streams of which nothing was told to who reads now. */
const refused = new Set<string>();
readsAs.subscribe(() => refused.clear());

async function standing(gateway: Entity, things: readonly Thing[], signal: AbortSignal): Promise<Standing> {
  const its = things.filter((thing) => thing.bindings.some((one) => one.gateway === gateway.id));
  const ids = new Set(its.map((thing) => thing.id));
  const heard = batches.peek().map((record) => tagged(record.event)).find((event) => ids.has(String(event["thing"])));
  const stream = heard ? String(heard["stream"]) : its[0]?.properties[0]?.stream;
  // Values that an owner shows to few are nothing to show here, and are asked for once.
  const latest = stream === undefined || refused.has(stream) ? undefined : await peer.latest(stream, { limit: 1 }, { signal }).catch((error: Error) => {
    if (isUnknownReader(error)) refused.add(stream);
  });
  const reading = latest?.items[0];
  return { gateway, things: its.length, newest: reading && { at: reading.ledger.ms, waitedMs: Math.max(0, reading.ledger.ms - reading.received.ms) } };
}

function Queue({ newest }: { newest: NonNullable<Standing["newest"]> }) {
  const waits = newest.waitedMs > QUEUE_MS;
  return <><Badge tone={waits ? "warn" : "good"}>{waits ? "it is behind" : "up to date"}</Badge> the newest reading waited {duration(newest.waitedMs)}</>;
}

export function Gateways() {
  const found = useQuery("operations gateways", async (signal) => {
    const [gateways, things] = await Promise.all([peer.entities({ kind: "gateway", limit: GATEWAYS }, { signal }), peer.things({ limit: THINGS }, { signal })]);
    return Promise.all(gateways.items.map((one) => standing(one, things.items, signal)));
  }, EVERY_MS);
  const newest = blocks.value[0]?.time.ms ?? 0;
  return (
    <Card title="Gateways and their queues" note="as the ledger shows them">
      <Await of={found} lines={3}>
        {(all) => all.length === 0 ? <p class="empty">No gateway is registered.</p> : (
          <>
            <Table label="Gateways" head={["Gateway", "Owner", "Submits for", "Last heard of", "Its queue"]}>
              {all.map(({ gateway, things, newest: last }) => (
                <tr key={gateway.id}>
                  <td><Who did={gateway.id} /> {!gateway.active && <Badge tone="bad">revoked</Badge>}</td>
                  <td>{gateway.owner ? <Who did={gateway.owner} /> : "nobody"}</td>
                  <td>{plural(things, "thing")}</td>
                  <td>{last ? `${duration(Math.max(0, newest - last.at))} before the newest block` : "nothing yet"}</td>
                  <td>{last ? <Queue newest={last} /> : "—"}</td>
                </tr>
              ))}
            </Table>
            <p class="muted">What waits in a gateway it has acknowledged and keeps until it is final. <code>althing gateway queue</code>, on its machine, lists it when the gateway does not run.</p>
          </>
        )}
      </Await>
    </Card>
  );
}

/** Events that are the daily work, and those that tell of work rather than of who decides. */
const DAILY = /^(batch_|gap_|recorded$|access_used$|status_reported$|command_|contract_(called|emitted)$|approval_pending$)/;

export function Audit() {
  const type = [...eventTypes.value].filter((one) => !DAILY.test(one)).join();
  const found = useQuery(`audit ${type === ""}`, (signal) => (type === "" ? Promise.resolve(undefined) : pastEvents({ type, after: "0-0-0" }, AUDITED, signal)), 10_000);
  return (
    <Card title="Audit log" note={`keys, members, rights and bindings, the last ${count(AUDITED)} changes`}>
      <Await of={found} lines={5}>{(events) => events && (events.length === 0 ? <p class="empty">Nothing was changed yet.</p> : <div class="scrolled" tabIndex={0} role="region" aria-label="Audit log"><EventList events={[...events].reverse()} /></div>)}</Await>
    </Card>
  );
}
