/** What an operator is told, has seen and has done: alarms, and the log of operations. */

import { Client } from "althing/client";
import { operateAs } from "althing/sign";
import { useState } from "preact/hooks";
import { peer } from "../lib/client.ts";
import { plain } from "../lib/format.ts";
import type { Alarm } from "../lib/model.ts";
import { health } from "../lib/network.ts";
import { useQuery } from "../lib/query.ts";
import { signing, type Signing } from "../lib/signing.ts";
import { Ago, At, Await, Badge, Card, Empty, Table, Who, Wrong } from "../ui/basics.tsx";
import { Text } from "../ui/form.tsx";

const EVERY_MS = 2000;
/** Entries of the log that are shown. */
const ENTRIES = 30;

/** The same peer, asked as whoever has a key open here. */
const operated = new Client(location.origin);
let operator: Signing | undefined;

async function asOperator(): Promise<Client> {
  const current = signing.peek();
  if (current && current !== operator) await operateAs(operated, current.signer);
  operator = current;
  return operated;
}

/** An operator: by name, or the machine itself. */
function By({ by }: { by: string }) {
  return by.startsWith("did:") ? <Who did={by} /> : <>{plain(by, 40)}</>;
}

function One({ alarm, again }: { alarm: Alarm; again: () => void }) {
  const [note, setNote] = useState("");
  const [error, setError] = useState<Error | undefined>(undefined);
  const acknowledge = async () => {
    try {
      await (await asOperator()).acknowledge(alarm.id, note);
      setError(undefined);
      again();
    } catch (failed) {
      setError(failed as Error);
    }
  };
  const { acknowledged: seen } = alarm;
  return (
    <li class={alarm.grave ? "bad" : ""}>
      <strong>{plain(alarm.detail, 300)}</strong>
      <span>{plain(alarm.advice, 300)}</span>
      <span class="muted">{plain(alarm.code, 40)}, since <Ago ms={alarm.since.ms} />{alarm.times > 1 && `, for the ${alarm.times}. time`}{seen && <> · <Badge tone="good">seen</Badge> by <By by={seen.by} />{seen.note && `: ${plain(seen.note, 300)}`}</>}</span>
      {!seen && signing.value && (
        <div class="row">
          <Text label="Note" value={note} set={setNote} />
          <button type="button" class="button" onClick={() => void acknowledge()}>Acknowledge</button>
        </div>
      )}
      {error && <Wrong error={error} />}
    </li>
  );
}

export function Alarms() {
  const found = useQuery("alarms", (signal) => peer.alarms({ signal }), EVERY_MS);
  const state = health.value?.state;
  return (
    <Card title="Alarms" note={state && <>This peer: <Badge tone={state === "ready" ? "good" : state === "degraded" ? "warn" : "bad"}>{state}</Badge></>}>
      <Await of={found}>
        {({ items }) => {
          const lasting = items.filter((one) => !one.ended);
          const ended = items.filter((one) => one.ended);
          return (
            <>
              {lasting.length === 0 ? <Empty>Nothing needs doing.</Empty> : <ul class="alarms" aria-live="polite">{lasting.map((one) => <One key={one.id} alarm={one} again={found.again} />)}</ul>}
              {lasting.length > 0 && !signing.value && <p class="muted">Operators of this peer acknowledge alarms <a href="/sign">with their key</a>.</p>}
              {ended.length > 0 && (
                <details>
                  <summary>Over</summary>
                  <ul class="told">{ended.map((one) => <li key={one.id}>{one.ended && <At time={one.ended} />} {plain(one.detail, 300)}</li>)}</ul>
                </details>
              )}
            </>
          );
        }}
      </Await>
    </Card>
  );
}

export function Log() {
  const who = signing.value?.entity;
  const found = useQuery(`operations ${who}`, async (signal) => {
    if (who === undefined) return;
    const client = await asOperator();
    const { newest } = await client.operationLog({ limit: 1 }, { signal });
    return (await client.operationLog({ after: String(Math.max(0, newest - ENTRIES)) }, { signal })).items.reverse();
  }, 10_000);
  return (
    <Card title="Log of operations" note="what was done to this peer, and by whom">
      {who === undefined ? <Empty>Its operators and auditors see it <a href="/sign">with their key</a>.</Empty> : (
        <Await of={found}>
          {(entries) => entries && (
            <Table label="Log of operations" head={["Time", "By", "What"]}>
              {entries.map((one) => <tr key={one.number}><td><At time={one.at} /></td><td><By by={one.by} /></td><td>{plain(one.act.replaceAll("_", " "), 40)} <span class="muted">{plain(one.detail, 200)}</span></td></tr>)}
            </Table>
          )}
        </Await>
      )}
    </Card>
  );
}
