/** What belongs to a stream beside its readings: who can open it, who keeps it and for how long, what was erased, who pays for it. */

import { useState } from "preact/hooks";
import { peer } from "../lib/client.ts";
import { count, plain, plural } from "../lib/format.ts";
import type { Holders, Regulation, Stream } from "../lib/model.ts";
import { has, token } from "../lib/offered.ts";
import { useQuery } from "../lib/query.ts";
import { At, Await, Badge, Height, Table, Who } from "./basics.tsx";
import { Amount } from "./tagged.tsx";

/** Newest batches of which it is told who keeps them. */
const BATCHES = 4;

const RULES = "/v1/streams/{id}/regulations";

export const people = (dids: readonly string[]) => dids.map((did, at) => <>{at > 0 && ", "}<Who did={did} /></>);

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
    rules: has(RULES) ? (await peer.regulations(id, { signal })).items : [],
    rewards: token.value ? (await peer.rewardsOf(id, { signal })).items : [],
  }), 5000);
  return (
    <Await of={found}>
      {({ key, held, erased, rewards, rules }) => (
        <div class="stack">
          <p>{key && secrecy ? <><Badge tone="ice">confidential</Badge> Key {key.number} since <At time={secrecy.since} /> opens it for {people(key.shares.map((one) => one.reader))}.</> : "Not confidential: whoever may read it can open it."}</p>
          <Kept of={held} />
          {rules.map((one) => <p key={one.id}><Badge tone={one.complies ? "good" : "bad"}>{one.complies ? "complies" : "breaks"}</Badge> <Law of={one} /></p>)}
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

/** What a regulation demands, in words. */
export function Law({ of: { id, jurisdiction, text, reference, retention_days_min: min, retention_days_max: max, holders = [], confidential } }: { of: Regulation }) {
  const demands = [min && `kept at least ${plural(min, "day")}`, max && `kept at most ${plural(max, "day")}`, confidential && "confidential"].filter(Boolean).join(", ");
  return <><strong><bdi>{plain(id, 64)}</bdi></strong> of <bdi>{plain(jurisdiction, 64)}</bdi>: <q><bdi>{plain(text, 600)}</bdi></q>; {demands}{holders.length > 0 && <>{demands && ", "}kept only by peers of {people(holders)}</>} {reference && <span class="muted"><bdi>{plain(reference, 300)}</bdi></span>}</>;
}

/** Regulations that keep readings out: where one wonders why none come. */
export function Broken({ stream }: { stream: string }) {
  const found = useQuery(`regulations ${stream} ${has(RULES)}`, async (signal) => (has(RULES) ? (await peer.regulations(stream, { signal })).items : []), 30_000);
  return <>{found.data?.filter((one) => !one.complies).map((one) => <div key={one.id} class="wrong"><p>Takes no readings: how it is kept breaks a regulation. <Law of={one} /></p><p class="muted">Its owner decides otherwise with <code>althing data place</code>.</p></div>)}</>;
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
