/** What belongs to a stream beside its readings: who can open it, what was erased, who pays for it. */

import { useState } from "preact/hooks";
import { peer } from "../lib/client.ts";
import { count } from "../lib/format.ts";
import type { Stream } from "../lib/model.ts";
import { token } from "../lib/offered.ts";
import { useQuery } from "../lib/query.ts";
import { At, Await, Badge, Height, Table, Who } from "./basics.tsx";
import { Amount } from "./tagged.tsx";

function All({ stream: { id, secrecy } }: { stream: Stream }) {
  const found = useQuery(`of ${id} ${secrecy?.key_number}`, async (signal) => ({
    key: secrecy && (await peer.streamKey(id, secrecy.key_number, { signal })),
    erased: (await peer.erasures(id, { signal })).items,
    rewards: token.value ? (await peer.rewardsOf(id, { signal })).items : [],
  }), 5000);
  return (
    <Await of={found}>
      {({ key, erased, rewards }) => (
        <div class="stack">
          <p>{key && secrecy ? <><Badge tone="ice">confidential</Badge> Key {key.number} since <At time={secrecy.since} /> opens it for {key.shares.map((one, at) => <>{at > 0 && ", "}<Who did={one.reader} /></>)}.</> : "Not confidential: whoever may read it can open it."}</p>
          {erased.length > 0 ? (
            <Table label="Erasures" head={["Erased", "In block", "Confirmed by", "Awaited of"]}>
              {erased.map((one) => (
                <tr key={one.number}>
                  <td>{count(one.first_seq)} to {count(one.last_seq)}</td>
                  <td><Height height={one.height} /></td>
                  <td>{count(one.confirmed.length)}</td>
                  <td>{one.awaited.length === 0 ? "nobody" : one.awaited.map((did) => <><Who did={did} /> </>)}</td>
                </tr>
              ))}
            </Table>
          ) : <p class="muted">Nothing was erased.</p>}
          {rewards.length > 0 && (
            <Table label="Rewards" head={["Paid by", "For a reading", "For a batch", "A day at most", "Left", "Until block"]}>
              {rewards.map((one) => (
                <tr key={one.id}>
                  <td><Who did={one.payer} /></td>
                  {[one.per_reading, one.per_batch, one.per_day, one.left].map((units, at) => <td key={at}><Amount of={units} /></td>)}
                  <td>{count(one.until_height)}</td>
                </tr>
              ))}
            </Table>
          )}
        </div>
      )}
    </Await>
  );
}

/** Asked for once somebody wants to know. */
export function StreamDetails({ stream }: { stream: Stream }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Who can open it, erasures{token.value && " and rewards"}</summary>
      {open && <All stream={stream} />}
    </details>
  );
}
