/** Whose votes on blocks count, epoch by epoch. */

import { count, plain, plural } from "../lib/format.ts";
import type { Governance } from "../lib/model.ts";
import { status } from "../lib/network.ts";
import { epochsOf, seatRows, type Epoch } from "../lib/seats.ts";
import { Badge, Card, Height, Id, Table, Who } from "../ui/basics.tsx";

const NAMES = ["now", "next", "then"];

function Head({ of: { epoch, from, until, seats, mechanism, quorum }, name }: { of: Epoch; name: string }) {
  return (
    <>
      {name}, epoch {count(epoch)}
      <span class="head-note">{until === undefined ? "without end" : `blocks ${count(from ?? 0)} to ${count(until)}`}; by {mechanism}, {count(quorum)} of {count(seats.length)} sign</span>
    </>
  );
}

export function Seats({ governance }: { governance: Governance }) {
  const epochs = epochsOf(governance);
  const [now, next] = epochs;
  const rows = seatRows(epochs);
  const left = now?.until === undefined || !status.value ? undefined : Math.max(0, now.until - status.value.height);
  return (
    <Card title="Whose votes on blocks count" note={left === undefined ? undefined : `${plural(left, "block")} left of epoch ${count(governance.epoch)}`}>
      <Table label="Validators by epoch" head={["Peer", "Organisation", ...epochs.map((one, at) => <Head of={one} name={NAMES[at] ?? ""} />), "Change", "Voting key"]}>
        {rows.map(({ seat, counts, joins, leaves }) => (
          <tr key={seat.vote_key}>
            <td><bdi>{plain(seat.name, 40)}</bdi></td>
            <td><Who did={seat.organisation} /></td>
            {counts.map((here, at) => <td key={at} class={here ? "counts" : "muted"}><span class="stone" aria-hidden="true" />{here ? "votes" : "no vote"}</td>)}
            <td>
              {joins !== undefined && <Badge tone="good">joins from block <Height height={joins} /></Badge>}
              {leaves !== undefined && <Badge tone="warn">leaves from block <Height height={leaves} /></Badge>}
            </td>
            <td><Id id={seat.vote_key} /></td>
          </tr>
        ))}
      </Table>
      <p class="muted seats-note">
        {next?.from === undefined
          ? "The genesis of this ledger names no length of epochs: the founders' peers validate for ever, and nobody can be given a seat."
          : `An epoch has ${plural(governance.parameters.epoch_blocks ?? 0, "block")}. ${governance.parameters.stake ? "Stakes decide" : "To vote for a seat is to decide"} of the epoch after the next: what is ${governance.parameters.stake ? "staked" : "accepted"} until block ${count(now?.until ?? 0)} counts from block ${count(epochs[2]?.from ?? 0)} on, for the next epoch is settled. A newcomer is let in once its seat is under “next”, and has that long to fetch the ledger; what a peer signed before it left stays valid.`}
      </p>
    </Card>
  );
}
