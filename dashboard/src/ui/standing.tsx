/** How a thing is, whether it is offered to somebody, and whether it is shut out; with the buttons of those who may change that. */

import { actions } from "althing/sign";
import { useState } from "preact/hooks";
import { count, endless, listed, plain } from "../lib/format.ts";
import type { Thing, Time } from "../lib/model.ts";
import { status as network } from "../lib/network.ts";
import { signing } from "../lib/signing.ts";
import { At, Badge, Card, Fact, Facts, Who } from "./basics.tsx";
import { Act, Form, Text } from "./form.tsx";

/** Blocks that an offer stands: a day on a busy network, longer on a quiet one. */
const OFFER_BLOCKS = 100_000n;

/** What was said of a thing, as the interface has it. */
export interface Standing {
  status?: { online?: boolean; firmware?: string; place?: { latitude: string; longitude: string }; online_since?: Time; reported: Time; reporter: string };
  offer?: { to?: string; until_height: number };
  quarantined?: boolean;
}

/** Badges beside the name. */
export function StandingBadges({ standing }: { standing: Standing }) {
  const online = standing.status?.online;
  return (
    <>
      {online !== undefined && <Badge tone={online ? "good" : "warn"}>{online ? "online" : "offline"}</Badge>}{" "}
      {standing.quarantined && <Badge tone="bad">shut out</Badge>}{" "}
      {standing.offer && <Badge tone="ice">offered</Badge>}
    </>
  );
}

function Offer({ thing, offer }: { thing: Thing; offer: Standing["offer"] }) {
  const mine = signing.value?.entity;
  if (!offer) return null;
  return (
    <div class="entry-head">
      <span>Offered to {offer.to ? <Who did={offer.to} /> : "whoever holds the code that is printed on it"}, {endless(offer.until_height) ? "without end" : `until block ${count(offer.until_height)}`}.</span>
      <span class="entry-acts">
        {mine && mine === offer.to && <Act verb="Accept it" main action={() => actions.acceptThing(thing.id)} />}
        {mine === thing.owner && <Act verb="Withdraw the offer" action={() => actions.offerThing(thing.id)} />}
      </span>
    </div>
  );
}

/** What its owner can do: pass it on, shut it out, let it in. */
function Owned({ thing, standing }: { thing: Thing; standing: Standing }) {
  const [to, setTo] = useState("");
  const [reason, setReason] = useState("");
  const [tags, setTags] = useState((thing.tags ?? []).join(", "));
  const until = BigInt(network.value?.height ?? 0) + OFFER_BLOCKS;
  return (
    <div class="columns">
      <Form title="Pass it on" note="it becomes theirs when they accept" verb="Sign and offer" ready={to.startsWith("did:")} action={() => actions.offerThing(thing.id, to.trim(), until)}>
        <Text label="To whom" value={to} set={setTo} hint="DID" />
      </Form>
      {thing.active && (
        <Form title="Tags" note="words by which it is found" verb="Sign and tag" ready action={() => actions.tagThing(thing.id, listed(tags))}>
          <Text label="Tags" value={tags} set={setTags} hint="separated by commas" />
        </Form>
      )}
      {standing.quarantined ? (
        <Form title="Let it in again" note="as far as you are concerned" verb="Sign" ready action={() => actions.quarantine(thing.id)} />
      ) : (
        <Form title="Shut it out" note="what it submits is refused, nothing is asked of it" verb="Sign and shut out" ready={reason !== ""} action={() => actions.quarantine(thing.id, reason)}>
          <Text label="Why" value={reason} set={setReason} />
        </Form>
      )}
    </div>
  );
}

export function StandingCards({ thing, standing }: { thing: Thing; standing: Standing }) {
  const { status, offer } = standing;
  const owns = signing.value?.entity === thing.owner;
  return (
    <>
      {(status || offer) && (
        <Card title="How it is" note={status && <>said by <Who did={status.reporter} />, <At time={status.reported} /></>}>
          <Offer thing={thing} offer={offer} />
          {status && (
            <Facts>
              {status.online !== undefined && <Fact name="Reachable">{status.online ? "yes" : "no"}{status.online_since && <>, since <At time={status.online_since} /></>}</Fact>}
              {status.firmware && <Fact name="Firmware"><bdi>{plain(status.firmware, 64)}</bdi></Fact>}
              {status.place && <Fact name="Place (WGS 84)"><a href={`/things?show=map&name=${encodeURIComponent(thing.name)}`}>{status.place.latitude}, {status.place.longitude}</a></Fact>}
            </Facts>
          )}
        </Card>
      )}
      {owns && <Owned thing={thing} standing={standing} />}
    </>
  );
}
