/** Other ledgers that organisations here rely on: how far each is known, what is asked across, and what was carried. */

import { actions } from "althing/sign";
import { genesisBytes, parseGenesis } from "althing/verify";
import { toUtf8 } from "althing/text";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { peer } from "../lib/client.ts";
import { count, duration, plain, plural } from "../lib/format.ts";
import { GENESIS_BYTES_MAX } from "../lib/genesis.ts";
import { pastEvents } from "../lib/history.ts";
import type { AskedCall, Link, TakenCall } from "../lib/model.ts";
import { now } from "../lib/now.ts";
import { linked } from "../lib/offered.ts";
import { useQuery } from "../lib/query.ts";
import { signing } from "../lib/signing.ts";
import { href } from "../router.ts";
import { At, Await, Badge, Card, Empty, Fact, Facts, Height, Id, Page, Who } from "../ui/basics.tsx";
import { Act, Form, Text } from "../ui/form.tsx";
import { List } from "../ui/record.tsx";
import { Amount, EventList } from "../ui/tagged.tsx";
import { readable } from "./transaction.tsx";

/** Most links that ledgers are named by. */
const NAMED = 100;
/** Events that are listed, and how often they are looked for, ms. */
const [CARRIED, EVERY_MS] = [40, 10_000];
/** From what age on of the newest block known there a link should be led on, ms: `docs/operating/ledgers.md` says daily. */
const OLD_MS = 86_400_000;

const TONES: Record<string, "good" | "warn" | "bad" | "ice"> = { live: "good", suspended: "warn", frozen: "bad", asked: "warn", taken: "warn", settled: "good", answered: "good", declined: "bad", refunded: "bad" };

/** How far another ledger is known, and how long ago its newest block was made. */
function Known({ of: { height, time, advanced_height: here } }: { of: Link }) {
  if (height === 0) return <>nothing yet: lead it on with <code>althing ledger link advance</code></>;
  const age = Math.max(0, now.value - time.ms);
  return <>up to block {count(height)} of <At time={time} />, {duration(age)} old {age > OLD_MS && <Badge tone="warn">lead it on</Badge>} <span class="muted">shown here in block <Height height={here} /></span></>;
}

function One({ link }: { link: Link }) {
  const mine = signing.value?.entity === link.owner;
  const set = (verb: string, status: "live" | "suspended" | "ended") => <Act verb={verb} action={() => actions.setLinkStatus(link.id, status)} />;
  return (
    <>
      <div class="entry-head">
        <strong><bdi>{plain(link.network, 40)}</bdi></strong> <Badge tone={TONES[link.status] ?? "plain"}>{link.status}</Badge>
        <span class="muted"><Who did={link.owner} /> relies on it since block <Height height={link.registered_height} /></span>
        <span class="entry-acts">
          {mine && link.status === "live" && set("Suspend it", "suspended")}
          {mine && link.status === "suspended" && set("Rely on it again", "live")}
          {mine && ["live", "suspended"].includes(link.status) && set("End it", "ended")}
        </span>
      </div>
      {link.fork && <p class="wrong">It was shown to have two final blocks of height {count(link.fork.height)}: <Id id={link.fork.first} /> and <Id id={link.fork.second} />. Nothing passes any more but refunds; ask its members what happened.</p>}
      <Facts>
        <Fact name="Known"><Known of={link} /></Fact>
        <Fact name="By the votes of">{plural(link.validators, "peer")}, epoch {count(link.epoch)}</Fact>
        <Fact name="Open calls">{count(link.open_calls)}</Fact>
        <Fact name="Ledger"><Id id={link.ledger} /></Fact>
        <Fact name="Link"><Id id={link.id} /></Fact>
      </Facts>
    </>
  );
}

/** Another ledger, by the name of its network where a link tells it. */
function Ledger({ id, links }: { id: string; links: readonly Link[] }) {
  const link = links.find((one) => one.ledger === id);
  return <>{link && <strong><bdi>{plain(link.network, 40)}</bdi></strong>} <Id id={id} /></>;
}

/** Until when something may come, and whether that is over. */
function Until({ call: { deadline, refund, state } }: { call: AskedCall | TakenCall }) {
  const left = deadline.ms - now.value;
  const waits = state === "asked" || state === "taken";
  return <>to be answered until <At time={deadline} />{waits && (left > 0 ? <>, {duration(left)} left</> : <> <Badge tone="bad">over</Badge></>)}; the answer to be back before <At time={refund} /></>;
}

function Call({ call, children }: { call: AskedCall | TakenCall; children?: ComponentChildren }) {
  return (
    <>
      <div class="entry-head">
        <q><bdi>{plain(readable(call.request), 200)}</bdi></q> <Badge tone={TONES[call.state] ?? "plain"}>{call.state}</Badge>
        {call.payment && <span>for <Amount of={call.payment.amount} /></span>}
      </div>
      {call.answer && <p>{call.answer.accepted ? "Answer" : "Declined"}: <q><bdi>{plain(readable(call.answer.answer), 400)}</bdi></q>, in block {count(call.answer.height)} of the ledger that was asked</p>}
      <p class="muted"><Until call={call} /></p>
      {children}
    </>
  );
}

/** A call of another ledger, with the words of who is to answer it. */
function Taken({ call, links }: { call: TakenCall; links: readonly Link[] }) {
  const [said, say] = useState("");
  const answer = (accepted: boolean) => actions.answerCall(call.ledger, call.id, accepted, toUtf8(said));
  return (
    <Call call={call}>
      <p class="muted">Ledger <Ledger id={call.ledger} links={links} /> asks <a href={href.service(call.service)}>a service</a> of <Who did={call.provider} />; came in with block <Height height={call.taken_height} />; call <Id id={call.id} /></p>
      {call.state === "taken" && signing.value?.entity === call.provider && (
        <div class="row">
          <Text label="Answer" value={said} set={say} />
          <Act verb="Answer" main action={() => answer(true)} />
          <Act verb="Decline" action={() => answer(false)} />
        </div>
      )}
    </Call>
  );
}

function Carried() {
  const found = useQuery("carried", (signal) => pastEvents({ type: "links", after: "0-0-0" }, CARRIED, signal), EVERY_MS);
  return (
    <Card title="What passed" note="newest first; whoever carried it signed the transaction, and is believed nothing that it does not prove">
      <Await of={found}>{(events) => (events.length === 0 ? <Empty>Nothing yet.</Empty> : <EventList events={[...events].reverse()} />)}</Await>
    </Card>
  );
}

function Register() {
  const [file, setFile] = useState<File | undefined>(undefined);
  const action = async () => {
    if (!file || file.size > GENESIS_BYTES_MAX) throw new Error("Choose the genesis of the other ledger, a file of JSON.");
    return actions.registerLink(genesisBytes(parseGenesis(await file.text())));
  };
  return (
    <Form title="Rely on another ledger" note="for the organisation whose key is open" verb="Sign and rely on it" ready={file !== undefined} action={action} onDone={() => (linked.value = true)}>
      <label class="field"><span>Its genesis</span><input type="file" accept=".json" onChange={(event) => setFile(event.currentTarget.files?.[0])} /></label>
      <p class="muted">Get it from somebody you trust, or compare its id: all that this ledger will believe of the other follows from it. Then lead the link on, from a peer that you trust.</p>
    </Form>
  );
}

export function LinksPage() {
  const links = useQuery("networks", (signal) => peer.links({ limit: NAMED }, { signal }), EVERY_MS).data?.items ?? [];
  return (
    <Page title="Other ledgers" lead="What organisations here know of other ledgers, by these ledgers' own proofs, and what is asked between them. Nobody who carries it needs to be trusted.">
      <div class="stack">
        <Card title="Links">
          <List name="links" ask={(page, options) => peer.links(page, options)} empty={<>Nobody here relies on another ledger. An organisation registers one by its genesis, below or with <code>althing ledger link register</code>.</>}>{(link) => <One link={link} />}</List>
        </Card>
        <div class="columns">
          <Card title="Asked of others">
            <List name="asked" ask={(page, options) => peer.askedCalls(page, options)} empty="Nothing was asked.">
              {(call) => <Call call={call}><p class="muted"><Who did={call.caller} /> asks ledger <Ledger id={call.ledger} links={links} />, in block <Height height={call.asked_height} />; call <Id id={call.id} link={href.transaction(call.id)} />{call.ended_height !== undefined && <>, over in block <Height height={call.ended_height} /></>}</p></Call>}
            </List>
          </Card>
          <Card title="Asked by others">
            <List name="taken" ask={(page, options) => peer.takenCalls(page, options)} empty="Nothing came.">{(call) => <Taken call={call} links={links} />}</List>
          </Card>
        </div>
        <Carried />
        {signing.value ? <Register /> : <p class="muted">An organisation <a href="/sign">opens its key</a> to rely on another ledger, and a provider to answer.</p>}
      </div>
    </Page>
  );
}
