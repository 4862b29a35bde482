/** What an operator looks at beside the peers: gateways and what waits in them, and who changed what. */

import { peer } from "../lib/client.ts";
import { bytes, count, duration, plural } from "../lib/format.ts";
import { pastEvents } from "../lib/history.ts";
import { eventTypes } from "../lib/offered.ts";
import { useQuery } from "../lib/query.ts";
import { Ago, Await, Badge, Card, Empty, Table, Who } from "../ui/basics.tsx";
import { EventList } from "../ui/tagged.tsx";

const EVERY_MS = 4000;
/** Changes that are listed. */
const AUDITED = 60;

const TONE = { present: "good", silent: "bad", stopped: "plain" } as const;

export function Gateways() {
  const found = useQuery("gateways", (signal) => peer.gateways({ signal }), EVERY_MS);
  return (
    <Card title="Gateways">
      <Await of={found} lines={3}>
        {({ items }) => items.length === 0 ? <Empty>None reports to this peer.</Empty> : (
          <Table label="Gateways" head={["Gateway", "Owner", "Last told", "Clients", "Not final", "Queue"]}>
            {items.map(({ id, owner, presence, reported, report: { clients, queue } }) => (
              <tr key={id}>
                <td><Who did={id} /> <Badge tone={TONE[presence]}>{presence}</Badge></td>
                <td>{owner ? <Who did={owner} /> : "nobody"}</td>
                <td><Ago ms={reported.ms} /></td>
                <td>{count(clients)}</td>
                <td>{plural(queue.readings, "reading")}{queue.oldest_ms !== undefined && `, the oldest for ${duration(queue.oldest_ms)}`}</td>
                <td>{bytes(queue.bytes)} of {bytes(queue.bytes_max)} <meter max={queue.bytes_max} value={queue.bytes} aria-label="Share taken" /></td>
              </tr>
            ))}
          </Table>
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
