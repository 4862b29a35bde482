/** What the network itself demands of how readings are kept, who voted for what, and how much hangs on how few. */

import { peer } from "../lib/client.ts";
import { least } from "../lib/decentral.ts";
import { count } from "../lib/format.ts";
import { pastEvents } from "../lib/history.ts";
import type { Governance, Proposal } from "../lib/model.ts";
import { status } from "../lib/network.ts";
import { useQuery } from "../lib/query.ts";
import { useState } from "preact/hooks";
import { Await, Card, Fact, Facts, Height, Who } from "../ui/basics.tsx";
import { Law } from "../ui/stream.tsx";

/** Most votes that are looked through, and most proposals among which those of the regulations in force are. */
const LOOKED_AT = 500;
const EVERY_MS = 10_000;

/** How each voted in the end: a vote takes the place of the one before. */
function VotesOf({ proposal: { id, since_height: since } }: { proposal: Proposal }) {
  const found = useQuery(`voted ${id}`, async (signal) => {
    const votes = new Map<string, boolean>();
    for (const { event } of await pastEvents({ type: "voted", after: `${Math.max(0, since - 1)}-0-0` }, LOOKED_AT, signal)) if (event.type === "voted" && event.proposal === id) votes.set(event.organisation, event.accept);
    return [...votes];
  });
  return <Await of={found} lines={1}>{(votes) => <ul class="votes">{votes.map(([did, yes]) => <li key={did} class={yes ? "yes" : ""}><span class="stone" aria-hidden="true" /><Who did={did} /> <span class="muted">{yes ? "for it" : "against it"}</span></li>)}</ul>}</Await>;
}

/** Who voted on something that is decided; asked for once somebody wants to know. */
export function Voted({ proposal }: { proposal: Proposal }) {
  const [open, setOpen] = useState(false);
  return <details onToggle={(event) => setOpen(event.currentTarget.open)}><summary>Who voted</summary>{open && <VotesOf proposal={proposal} />}</details>;
}

export function Regulations({ governance: { regulations } }: { governance: Governance }) {
  const key = regulations.map((one) => one.id).join();
  // The newest proposals first: whatever is in force was enacted by the first of its id.
  const found = useQuery(`laws ${key}`, (signal) => (key ? peer.proposals({ limit: 200 }, { signal }) : Promise.resolve(undefined)), EVERY_MS);
  if (!key) return null;
  return (
    <Card title="Regulations" note="in force: a stream that does not comply takes no readings">
      <ul class="entries">
        {regulations.map((one) => {
          const by = found.data?.items.find((each) => each.status === "enacted" && each.change === "set_regulation" && each.regulation.id === one.id);
          return (
            <li key={one.id}>
              <p><Law of={one} /></p>
              <p class="muted">{one.thing_type ? <>For things of type <bdi>{one.thing_type}</bdi></> : "For all things"}{by?.ended_height !== undefined && <>, in force since block <Height height={by.ended_height} />, proposed by <Who did={by.proposer} /></>}.</p>
              {by && <Voted proposal={by} />}
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

/** How few organisations could do harm together. */
export function Harm({ governance: { validators, members, mechanism, votes_needed: needed } }: { governance: Governance }) {
  const quorum = status.value?.quorum;
  if (quorum === undefined) return null;
  const { of, stop, divide } = least(validators.map((one) => one.organisation), quorum, mechanism);
  return (
    <Card title="How much hangs on how few" note="so many organisations together could">
      <Facts>
        <Fact name="stop agreement, by falling silent">{count(stop)} of {count(of)}</Fact>
        <Fact name="divide the ledger, by lying">{count(divide)} of {count(of)}</Fact>
        <Fact name="keep any change from being accepted">{count(members.length - needed + 1)} of {count(members.length)}</Fact>
        <Fact name="accept any change">{count(needed)} of {count(members.length)}</Fact>
      </Facts>
    </Card>
  );
}
