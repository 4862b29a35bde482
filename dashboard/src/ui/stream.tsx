/** What belongs to a stream beside its readings: who can open it, who keeps it and for how long, what was erased, who pays for it. */

import { useState } from "preact/hooks";
import { peer } from "../lib/client.ts";
import { count, plural } from "../lib/format.ts";
import type { Holders, Stream } from "../lib/model.ts";
import { token } from "../lib/offered.ts";
import { useQuery } from "../lib/query.ts";
import { At, Await, Badge, Height, Table, Who } from "./basics.tsx";
import { Amount } from "./tagged.tsx";

/** Newest batches of which it is told who keeps them. */
const BATCHES = 4;

const people = (dids: readonly string[]) => dids.map((did, at) => <>{at > 0 && ", "}<Who did={did} /></>);

/** Who is to keep the readings, for how long, and who does. */
function Kept({ of: { placement: { copies, organisations = [], retention_days: days }, peers, batches } }: { of: Holders }) {
  return (
    <>
      <p>{copies === undefined ? "Each of" : `${count(copies)} of`} {plural(peers.length, "peer")}{organisations.length > 0 && <> of {people(organisations)}</>} {copies === undefined || copies === 1 ? "keeps" : "keep"} each batch, {days === undefined ? "without end" : `for ${plural(days, "day")}; then only its digest stays`}.</p>
      {copies !== undefined && batches.length > 0 && (
        <Table label="Who keeps the newest batches" head={["Numbers", "Kept by"]}>
          {batches.map((one) => (
            <tr key={one.first_seq}>
              <td>{count(one.first_seq)} to {count(one.last_seq)}</td>
              <td>{one.erased ? <Badge>erased</Badge> : one.past_retention ? <Badge>past its time</Badge> : people(one.peers)} {one.here && <Badge tone="good">here</Badge>}</td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}

function All({ stream: { id, secrecy } }: { stream: Stream }) {
  const found = useQuery(`of ${id} ${secrecy?.key_number}`, async (signal) => ({
    key: secrecy && (await peer.streamKey(id, secrecy.key_number, { signal })),
    held: await peer.holders(id, { limit: BATCHES }, { signal }),
    erased: (await peer.erasures(id, { signal })).items,
    rewards: token.value ? (await peer.rewardsOf(id, { signal })).items : [],
  }), 5000);
  return (
    <Await of={found}>
      {({ key, held, erased, rewards }) => (
        <div class="stack">
          <p>{key && secrecy ? <><Badge tone="ice">confidential</Badge> Key {key.number} since <At time={secrecy.since} /> opens it for {people(key.shares.map((one) => one.reader))}.</> : "Not confidential: whoever may read it can open it."}</p>
          <Kept of={held} />
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
      <summary>Who can open it and who keeps it, erasures{token.value && " and rewards"}</summary>
      {open && <All stream={stream} />}
    </details>
  );
}
