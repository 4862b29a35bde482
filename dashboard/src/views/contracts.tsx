/** Contracts: what runs on the ledger, who decides about it, what it did, and what it answers. */

import { actions } from "althing/sign";
import { useState } from "preact/hooks";
import { peer } from "../lib/client.ts";
import { count, plain } from "../lib/format.ts";
import type { Contract } from "../lib/model.ts";
import { has } from "../lib/offered.ts";
import { useQuery } from "../lib/query.ts";
import { signing } from "../lib/signing.ts";
import { href, type Route } from "../router.ts";
import { Await, Badge, Card, Fact, Facts, Height, Id, Page, Wrong, Who } from "../ui/basics.tsx";
import { Act, Area, Choice, Form, Text } from "../ui/form.tsx";
import { List } from "../ui/record.tsx";
import { Rule } from "../ui/tagged.tsx";
import { Codes, Names } from "./code.tsx";
import { Past } from "./past.tsx";
import { SetTrigger } from "./trigger.tsx";

const EVERY_MS = 3000;
/** Most gas that a call is given unless one says otherwise; trying it out tells what it needs. */
const GAS = "100000000";
/** Blocks within which others must accept a contract. */
const PATIENCE_BLOCKS = 10_000;
/** Most code and organisations to choose from. */
const CHOICES = 200;
const TONES: Record<string, "good" | "warn" | "bad" | "ice"> = { active: "good", proposed: "warn", frozen: "ice", terminated: "bad" };

const isGas = (text: string) => /^[1-9]\d{0,11}$/.test(text);

const Status = ({ of }: { of: string }) => <Badge tone={TONES[of] ?? "plain"}>{of}</Badge>;

function People({ dids, none }: { dids: readonly string[]; none: string }) {
  return <>{dids.length === 0 ? none : dids.map((did, at) => <span key={did}>{at > 0 && ", "}<Who did={did} /></span>)}</>;
}

/** Makes a contract of stored code, alone or together with another organisation. */
function Make({ owner }: { owner: string }) {
  const [form, setForm] = useState({ code: "", name: "", message: "{}", gas: GAS, other: "" });
  const set = (field: keyof typeof form) => (value: string) => setForm({ ...form, [field]: value });
  const choices = useQuery("make contract", async (signal) => {
    const [codes, organisations] = await Promise.all([peer.codes({ limit: CHOICES }, { signal }), peer.entities({ kind: "organisation", limit: CHOICES }, { signal })]);
    return { codes: codes.items, organisations: organisations.items.filter((one) => one.id !== owner) };
  }, EVERY_MS);
  const action = () => {
    const participants = form.other ? [owner, form.other] : [];
    const decided = { threshold: participants.length, patienceBlocks: form.other ? PATIENCE_BLOCKS : 0 };
    return actions.instantiate(form.code, form.name, { admin: actions.idBytes(owner), participants: actions.ascending(participants), ...decided, callers: [] }, form.message, BigInt(form.gas));
  };
  return (
    <Form title="Make a contract" note="of code that is stored; you administer it" verb="Sign and make" dry ready={form.code !== "" && form.name !== "" && isGas(form.gas)} action={action}>
      <div class="sign-fields">
        <Choice label="Code" value={form.code} set={set("code")} options={choices.data?.codes ?? []} none="choose" />
        <Text label="Name" value={form.name} set={set("name")} />
        <Choice label="Who else must accept it" value={form.other} set={set("other")} options={choices.data?.organisations ?? []} none="nobody" />
        <Text label="Most gas it may use" value={form.gas} set={set("gas")} />
      </div>
      <Area label="First message, JSON" value={form.message} set={set("message")} code />
    </Form>
  );
}

export function Contracts() {
  return (
    <Page title="Contracts" lead="Programs that every peer runs alike. Who deploys one says who must accept it, who may call it, and who may stop it.">
      <div class="stack">
        <Card title="Contracts">
          <List name="contracts" ask={(page, options) => peer.contracts(page, options)} empty={<>None yet. <code>althing contract new</code> begins one.</>}>
            {(one) => (
              <div class="entry-head">
                <a href={href.contract(one.id)}><strong><bdi>{plain(one.name, 60)}</bdi></strong></a> <Status of={one.status} /> <Names names={one.interfaces} />
                <span class="muted">made by <Who did={one.creator} /> in block <Height height={one.created_height} /></span>
              </div>
            )}
          </List>
        </Card>
        {has("/v1/triggers") && <Card title="Triggers">
          <List name="triggers" ask={(page, options) => peer.triggers(page, options)} empty="None yet.">
            {(one) => (
              <div class="entry-head">
                <a href={href.trigger(one.id)}><strong><bdi>{plain(one.name, 60)}</bdi></strong></a> <Status of={one.state} /> <span class="rule"><Rule of={one.rule} /></span>
                <Who did={one.owner} />
              </div>
            )}
          </List>
        </Card>}
        {has("/v1/triggers") && signing.value && <SetTrigger owner={signing.value.entity} />}
        <Codes />
        {signing.value && <Make owner={signing.value.entity} />}
      </div>
    </Page>
  );
}

/** Its life: who decides whether it begins, and what its administrator may do now. */
function Life({ contract, again }: { contract: Contract; again: () => void }) {
  const { proposal, status, id, admin } = contract;
  const mine = signing.value?.entity;
  const said = (did: string) => (proposal?.accepted.includes(did) ? "accepted" : proposal?.declined.includes(did) ? "declined" : "has not decided");
  const answers = proposal && mine !== undefined && proposal.participants.includes(mine) && !proposal.accepted.includes(mine);
  const administers = mine !== undefined && mine === admin && (status === "active" || status === "frozen");
  if (!proposal && !administers) return null;
  return (
    <Card title={proposal ? "It waits to begin" : "You administer it"} note={proposal && <>{count(proposal.threshold)} of {count(proposal.participants.length)} must accept until block {count(proposal.until_height)}</>}>
      {proposal && (
        <ul class="votes">
          {proposal.participants.map((did) => <li key={did} class={said(did) === "accepted" ? "yes" : ""}><span class="stone" aria-hidden="true" /><Who did={did} /> <span class="muted">{said(did)}</span></li>)}
        </ul>
      )}
      <div class="row">
        {answers && <Act verb="Accept it" main action={() => actions.answerContract(id, true)} onDone={again} />}
        {(answers || (proposal && mine === contract.creator)) && <Act verb="Decline it" action={() => actions.answerContract(id, false)} onDone={again} />}
        {administers && <Act verb={status === "frozen" ? "Let it run again" : "Stop it for now"} main action={() => actions.changeContract(status === "frozen" ? "thaw" : "freeze", id)} onDone={again} />}
        {administers && <Act verb="End it for ever" action={() => actions.changeContract("terminate", id)} onDone={again} />}
      </div>
    </Card>
  );
}

/** A question: nothing changes, and the answer is of this peer alone. */
function Ask({ id }: { id: string }) {
  const [message, setMessage] = useState("{}");
  const [asked, ask] = useState<{ message: string } | undefined>(undefined);
  const found = useQuery(`ask ${id} ${asked?.message}`, (signal) => (asked ? peer.askContract(id, asked, { signal }) : Promise.resolve(undefined)));
  return (
    <Card title="Ask it" note="a query changes nothing">
      <div class="stack">
        <Area label="Question, JSON" value={message} set={setMessage} code />
        <div class="row"><button type="button" class="button" onClick={() => (asked?.message === message ? found.again() : ask({ message }))}>Ask</button></div>
        <div aria-live="polite">
          {found.error ? <Wrong error={found.error} /> : found.data && <><pre class="stored" tabIndex={0} aria-label="Answer">{found.data.answer ?? found.data.data}</pre><p class="muted">{count(found.data.gas_used)} gas, as of block {count(found.data.height)}, by this peer's word.</p></>}
        </div>
      </div>
    </Card>
  );
}

/** A call: signed, agreed on, and run by every peer. */
function Call({ id }: { id: string }) {
  const [message, setMessage] = useState("{}");
  const [gas, setGas] = useState(GAS);
  return (
    <Form title="Call it" note="every peer runs it alike" verb="Sign and call" dry ready={isGas(gas)} action={() => actions.execute(id, message, BigInt(gas))}>
      <Area label="Message, JSON" value={message} set={setMessage} code />
      <Text label="Most gas it may use" value={gas} set={setGas} />
    </Form>
  );
}

/** Other code for it, to which its administrator says a message. */
function Migrate({ contract, again }: { contract: Contract; again: () => void }) {
  const [form, setForm] = useState({ code: "", message: "{}", gas: GAS });
  const set = (field: keyof typeof form) => (value: string) => setForm({ ...form, [field]: value });
  const codes = useQuery("migrate", (signal) => peer.codes({ limit: CHOICES }, { signal }), EVERY_MS);
  return (
    <Form title="Give it other code" note="its address and what it stored stay" verb="Sign and migrate" dry ready={form.code !== "" && isGas(form.gas)} action={() => actions.migrate(contract.id, form.code, form.message, BigInt(form.gas))} onDone={again}>
      <div class="sign-fields">
        <Choice label="Code" value={form.code} set={set("code")} options={(codes.data?.items ?? []).filter((one) => one.id !== contract.code)} none="choose" />
        <Text label="Most gas it may use" value={form.gas} set={set("gas")} />
      </div>
      <Area label="Message to the new code, JSON" value={form.message} set={set("message")} code />
    </Form>
  );
}

export function ContractPage({ route }: { route: Route }) {
  const id = route.parts[0] ?? "";
  const found = useQuery(`contract ${id}`, (signal) => peer.contract(id, { signal }), EVERY_MS);
  return (
    <Await of={found} lines={8}>
      {(contract) => (
        <Page title={<bdi>{plain(contract.name, 80)}</bdi>} lead={<>Contract of <Who did={contract.creator} /> <Status of={contract.status} /> <Names names={contract.interfaces} /></>}>
          <div class="stack">
            <Life contract={contract} again={found.again} />
            <Card>
              <Facts>
                <Fact name="Address"><Id id={contract.id} /></Fact>
                <Fact name="Code"><Id id={contract.code} /></Fact>
                <Fact name="Administered by">{contract.admin ? <Who did={contract.admin} /> : "nobody: it stays as it is"}</Fact>
                <Fact name="May be called by"><People dids={contract.callers} none="anyone" /></Fact>
                <Fact name="Made in block"><Height height={contract.created_height} /></Fact>
                <Fact name="Last changed in block"><Height height={contract.changed_height} /></Fact>
              </Facts>
            </Card>
            <div class="columns"><Ask id={contract.id} />{signing.value && <Call id={contract.id} />}</div>
            {signing.value?.entity === contract.admin && contract.status === "active" && <Migrate contract={contract} again={found.again} />}
            <Past ask={(page, opts) => peer.contractHistory(id, page, opts)} />
          </div>
        </Page>
      )}
    </Await>
  );
}
