/** Who may do what with whose things, who asks for it, and who did it. */

import { actions } from "althing/sign";
import { useState } from "preact/hooks";
import { peer } from "../lib/client.ts";
import { count, duration, endless, plain, plural, words } from "../lib/format.ts";
import { tagged, type EventRecord, type Grant } from "../lib/model.ts";
import { network, status } from "../lib/network.ts";
import { useQuery } from "../lib/query.ts";
import { signing } from "../lib/signing.ts";
import { go, href, type Route } from "../router.ts";
import { At, Await, Badge, Card, Height, Page, Who } from "../ui/basics.tsx";
import { Act, Choice, Form, Text } from "../ui/form.tsx";
import { List } from "../ui/record.tsx";
import { About, Event } from "../ui/tagged.tsx";
import { MODES, PolicyForm, resourceOf, RIGHTS } from "./policy.tsx";

function Policies({ owner }: { owner: string }) {
  return (
    <Card title="Policies" note="what the owner decided">
      <List name={`policies ${owner}`} ask={(page, options) => peer.accessPolicies(owner, page, options)}
        empty={<>None of its own: what the ledger began with counts. An owner decides below, or with <code>althing access policy set</code>.</>}>
        {(one) => (
          <>
            <div class="entry-head"><About resource={one.resource} /> <Badge tone={one.mode === "open" ? "warn" : "good"}>{one.mode}</Badge> <span class="muted">version {one.version}, since block <Height height={one.since_height} /></span>
              {signing.value?.entity === owner && <span class="entry-acts"><Act verb="Take it back" action={() => actions.removeAccessPolicy(resourceOf(one.resource))} /></span>}
            </div>
            <ul class="told-plain">{one.words.map((line, at) => <li key={at}><bdi>{plain(line, 400)}</bdi></li>)}</ul>
            <p class="muted">{MODES[one.mode] ?? one.mode}.{one.ask && <> <Who did={one.ask} /> is asked, and has {plural(one.patience_blocks, "block")} to answer.</>} A grant lasts {endless(one.grant_blocks_max) ? "without end" : `at most ${plural(one.grant_blocks_max, "block")}`}.</p>
            <details><summary>The policy itself, in Cedar</summary><pre tabIndex={0} aria-label="Cedar policy">{one.text}</pre></details>
          </>
        )}
      </List>
    </Card>
  );
}

const TONES: Record<string, "good" | "warn" | "plain"> = { in_force: "good", asked: "warn" };

function times(most: number): string {
  return most === 0 ? "as often as wanted" : most === 1 ? "once" : `${count(most)} times`;
}

function GrantLine({ grant }: { grant: Grant }) {
  const { asked, given } = grant;
  const mine = signing.value?.entity;
  return (
    <>
      <div class="entry-head">
        <span><Who did={grant.grantee} /> to <strong>{words(grant.right)}</strong> <About resource={grant.resource} />{grant.purpose && <> for <q><bdi>{plain(grant.purpose, 60)}</bdi></q></>}</span>
        <Badge tone={TONES[grant.status] ?? "plain"}>{words(grant.status)}</Badge>
        <span class="entry-acts">
          {asked && mine === asked.entity && (
            <>
              <Act verb="Allow" main action={() => actions.answerAccess(grant.id, true)} />
              <Act verb="Deny" action={() => actions.answerAccess(grant.id, false)} />
            </>
          )}
          {grant.status === "in_force" && (mine === grant.owner || mine === grant.grantee) && <Act verb="End it" action={() => actions.revokeGrant(grant.id)} />}
        </span>
      </div>
      <p class="muted">
        {asked && <><Who did={asked.entity} /> is asked since block <Height height={asked.since_height} />, until block {count(asked.answer_until_height)}; wanted {times(asked.count_max)}. </>}
        {given && <>Given by <Who did={given.by} /> in block <Height height={given.since_height} />, {endless(given.until_height) ? "without end" : `until block ${count(given.until_height)}`}; used {count(given.used)} of {given.count_max === 0 ? "any number" : count(given.count_max)}.</>}
      </p>
    </>
  );
}

function Grants({ entity, status, title, note, empty }: { entity: string; status?: string; title: string; note: string; empty: string }) {
  const query = status === undefined ? {} : { status };
  return (
    <Card title={title} note={note}>
      <List name={`grants ${entity} ${status}`} ask={(page, options) => peer.grants({ entity, ...query, ...page }, options)} empty={empty}>
        {(one) => <GrantLine grant={one} />}
      </List>
    </Card>
  );
}

/** What was asked of the thing itself at its gateway, if that is what the use was; such uses are recorded one by one. */
function Direct({ of: { transaction, event } }: { of: EventRecord }) {
  const found = useQuery(`direct ${transaction}`, (signal) => peer.transaction(transaction, {}, { signal }));
  const { access } = event as Used;
  const uses = found.data?.actions.flatMap((action) => (action.type === "record_direct" ? action.uses : [])) ?? [];
  return <>{uses.filter((use) => use.caller === access.grantee && use.thing === access.resource.id).map((use) => <p class="muted" key={use.id}>Directly at the gateway: {use.operation} <strong><bdi>{plain(use.name, 60)}</bdi></strong>{(use.value ?? use.input) !== undefined && <> <code>{plain(use.value ?? use.input ?? "", 80)}</code></>}, {use.state} <At time={use.served} />; both signed that.</p>)}</>;
}

type Used = Extract<EventRecord["event"], { type: "access_used" }>;

/** One line of the feed; a use says when it was, for uses are recorded after they happened. */
function Happened({ record }: { record: EventRecord }) {
  const one = tagged(record.event);
  const use = one.type === "access_used" ? (one as unknown as Used) : undefined;
  return (
    <>
      <div class="entry-head">
        {use ? (
          <span>
            <Who did={use.access.grantee} /> used its right to <strong>{words(use.access.right)}</strong> <About resource={use.access.resource} /> {times(use.count)}
            {use.access.purpose && <> for <q><bdi>{plain(use.access.purpose, 60)}</bdi></q></>}, <At time={use.first} />{use.last.ms > use.first.ms && <> and over {duration(use.last.ms - use.first.ms)}</>}; recorded by <Who did={use.by} />
          </span>
        ) : <Event of={one} />}
        <span class="muted">block <Height height={record.height} /> · <a href={href.transaction(record.transaction)}>transaction</a></span>
      </div>
      {use?.count === 1 && <Direct of={record} />}
    </>
  );
}

function Feed({ owner }: { owner: string }) {
  return (
    <Card title="Who read my data" note="policies, requests, grants and uses, newest first">
      <List name={`feed ${owner}`} ask={(page, options) => peer.accessFeed({ owner, ...page }, options)} empty="Nobody asked for anything, and nothing was used under a grant.">
        {(record) => <Happened record={record} />}
      </List>
    </Card>
  );
}

type Right = Parameters<typeof actions.requestAccess>[2];

const OPTIONS = RIGHTS.map((id) => ({ id, name: id }));

/** Asks why somebody may or may not, without doing it. */
function Explain() {
  const [form, setForm] = useState({ entity: "", right: "read", thing: "", property: "", purpose: "" });
  const [asked, ask] = useState<Record<string, string> | undefined>(undefined);
  const set = (field: keyof typeof form) => (value: string) => setForm({ ...form, [field]: value });
  const found = useQuery(`explain ${JSON.stringify(asked)}`, (signal) => (asked ? peer.explainAccess(asked, { signal }) : Promise.resolve(undefined)));
  return (
    <Card title="Explain" note="whether somebody may, by which policy, and what to do next">
      <div class="stack">
        <div class="sign-fields">
          <Text label="Who (empty: anybody)" value={form.entity} set={set("entity")} hint="DID" />
          <Choice label="May do what" value={form.right} set={set("right")} options={OPTIONS} none="choose" />
          <Text label="With thing" value={form.thing} set={set("thing")} hint="DID" />
          <Text label="Property (optional)" value={form.property} set={set("property")} />
          <Text label="What for (optional)" value={form.purpose} set={set("purpose")} />
        </div>
        <div class="row"><button type="button" class="button" disabled={!form.thing || !form.right} onClick={() => ask(Object.fromEntries(Object.entries(form).filter(([, value]) => value !== "")))}>Explain</button></div>
        {asked && (
          <Await of={found} lines={2}>
            {(decision) => decision && (
              <div aria-live="polite">
                <p><Badge tone={decision.allowed ? "good" : "bad"}>{decision.allowed ? "allowed" : "denied"}</Badge> {plain(decision.detail, 400)} <span class="muted">As of block {count(decision.height)}.</span></p>
                {decision.policy && <p class="muted">By version {decision.policy.version} of the policy about <About resource={decision.policy.resource} />{decision.policy.words && <>: <q><bdi>{plain(decision.policy.words, 300)}</bdi></q></>}</p>}
              </div>
            )}
          </Await>
        )}
      </div>
    </Card>
  );
}

/** Blocks that access is asked for by default. */
const BLOCKS = "10000";

/** Asks an owner for access, for a purpose, so often and so long. */
function Request() {
  const [form, setForm] = useState({ thing: "", property: "", right: "read", purpose: "", times: "0", blocks: BLOCKS });
  const set = (field: keyof typeof form) => (value: string) => setForm({ ...form, [field]: value });
  const ready = form.thing.startsWith("did:") && form.purpose !== "" && /^\d{1,6}$/.test(form.times) && /^[1-9]\d{0,6}$/.test(form.blocks);
  const action = () => {
    const until = BigInt(status.peek()?.height ?? 0) + BigInt(form.blocks);
    return actions.requestAccess(form.thing.trim(), form.property || undefined, form.right as Right, form.purpose, Number(form.times), until);
  };
  return (
    <Form title="Ask for access" note="the owner's policy decides, or who it says is to be asked" verb="Sign and ask" ready={ready} action={action}>
      <div class="sign-fields">
        <Text label="To thing" value={form.thing} set={set("thing")} hint="DID" />
        <Text label="Property (empty: all of it)" value={form.property} set={set("property")} />
        <Choice label="To do what" value={form.right} set={set("right")} options={OPTIONS} none="choose" />
        <Text label="What for" value={form.purpose} set={set("purpose")} />
        <Text label="How often (0: as often as wanted)" value={form.times} set={set("times")} />
        <Text label="For how many blocks" value={form.blocks} set={set("blocks")} />
      </div>
    </Form>
  );
}

export function AccessPage({ route }: { route: Route }) {
  const organisations = network.value?.genesis.organisations ?? [];
  const mine = signing.value?.entity;
  const of = route.query.get("of") ?? mine ?? organisations[0]?.id ?? "";
  const choices = [...(mine && !organisations.some((one) => one.id === mine) ? [{ id: mine, name: "you" }] : []), ...organisations.map(({ id, name }) => ({ id, name }))];
  return (
    <Page
      title="Access"
      lead="Owners decide who may read their data and command their things, for which purpose, how often and how long. Every use under a grant is on the ledger."
      aside={<Choice label="As seen by" value={of} set={(id) => go(`/access?of=${encodeURIComponent(id)}`, true)} options={choices} none="choose" />}
    >
      {of && (
        <div class="stack">
          <Grants entity={of} status="asked" title="Waits for an answer" note="asked of it, or by it" empty="No request waits." />
          <div class="columns">
            <Feed owner={of} />
            <Policies owner={of} />
          </div>
          <Grants entity={of} title="Grants" note="given or received" empty="None." />
          {mine && of === mine && <PolicyForm owner={mine} />}
          {mine && <Request />}
          <Explain />
        </div>
      )}
    </Page>
  );
}
