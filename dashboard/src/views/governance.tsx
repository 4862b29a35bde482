/** What the members decide together: who belongs, who votes on blocks, by which settings; and what is proposed. */

import { actions } from "althing/sign";
import { parseParameters } from "althing/verify";
import { useState } from "preact/hooks";
import { peer } from "../lib/client.ts";
import { count, plain, plural, words } from "../lib/format.ts";
import type { Consequence, Governance, Proposal } from "../lib/model.ts";
import { useQuery } from "../lib/query.ts";
import { signing } from "../lib/signing.ts";
import { href } from "../router.ts";
import { Await, Badge, Card, Fact, Facts, Height, Page, Who, Wrong } from "../ui/basics.tsx";
import { Act, Choice, Form, Text } from "../ui/form.tsx";
import { List, Record as Fields } from "../ui/record.tsx";
import { Harm, Regulations, Voted } from "./regulations.tsx";
import { Seats } from "./seats.tsx";
import { Stakes } from "./stakes.tsx";

const EVERY_MS = 3000;

type Change = Parameters<typeof actions.propose>[0];

/** Fields of a proposal that are shown apart from what it would change. */
const SHOWN = ["id", "proposer", "change", "reason", "status", "refusal", "since_height", "until_height", "due_height", "ended_height", "accepts", "rejects", "awaits"];
const TONES: Record<string, "good" | "warn" | "bad" | "ice"> = { open: "warn", accepted: "ice", enacted: "good", ended: "bad" };

function Votes({ proposal }: { proposal: Proposal }) {
  const said: [string[], string, string][] = [[proposal.accepts, "for it", "yes"], [proposal.rejects, "against it", ""], [proposal.awaits, "has not voted", ""]];
  return (
    <ul class="votes">
      {said.flatMap(([who, what, tone]) => who.map((did) => <li key={did} class={tone}><span class="stone" aria-hidden="true" /><Who did={did} /> <span class="muted">{what}</span></li>))}
    </ul>
  );
}

function One({ proposal }: { proposal: Proposal }) {
  const mine = signing.value?.entity;
  const open = proposal.status === "open";
  return (
    <>
      <div class="entry-head">
        <strong>{words(proposal.change)}</strong> <Badge tone={TONES[proposal.status] ?? "plain"}>{proposal.status}</Badge>
        <span class="muted">proposed by <Who did={proposal.proposer} /> in block <Height height={proposal.since_height} />{proposal.until_height !== undefined && <>, votes until block {count(proposal.until_height)}</>}{proposal.due_height !== undefined && <>, takes effect from block {count(proposal.due_height)}</>}</span>
        <span class="entry-acts">
          {open && mine !== undefined && (
            <>
              <Act verb="Vote for it" main action={() => actions.vote(proposal.id, true)} />
              <Act verb="Vote against it" action={() => actions.vote(proposal.id, false)} />
            </>
          )}
          {open && mine === proposal.proposer && <Act verb="Withdraw it" action={() => actions.withdrawProposal(proposal.id)} />}
          {proposal.status === "accepted" && mine !== undefined && <Act verb="Carry it out" main action={() => actions.enact(proposal.id)} />}
        </span>
      </div>
      {proposal.reason && <p><q><bdi>{plain(proposal.reason, 300)}</bdi></q></p>}
      <Fields of={proposal} but={SHOWN} />
      {open ? <Votes proposal={proposal} /> : <Voted proposal={proposal} />}
      {proposal.refusal && <p class="muted">It ended: {words(proposal.refusal)}.</p>}
      <p class="muted"><a href={href.transaction(proposal.id)}>transaction</a></p>
    </>
  );
}

/** The changes that this page proposes; `althing org` and `althing vote` propose all. */
const KINDS = [
  { id: "remove_peer", name: "take a peer's seat away" },
  { id: "remove_organisation", name: "end an organisation's membership" },
  { id: "set_voting_rule", name: "decide by another rule" },
  { id: "set_mechanism", name: "agree on blocks in another way" },
  { id: "set_parameters", name: "change the settings of the ledger" },
  { id: "set_regulation", name: "put a regulation into force" },
  { id: "end_regulation", name: "end a regulation" },
];

/** How peers can agree, with what must be trusted then. */
const MECHANISMS = [
  { id: "simplex", name: "simplex: nobody need trust a peer" },
  { id: "raft", name: "raft: all trust every peer; private ledgers only" },
];

/** The settings that are numbers, as one types them. */
const numeric = (governance: Governance) => Object.entries(governance.parameters).filter(([, value]) => typeof value === "number").map(([name, value]) => [name, String(value)] as const);

/** What is typed of a regulation. */
const LAW = { id: "", jurisdiction: "", text: "", reference: "", type: "", min: "", max: "" };

/** A regulation as it is proposed. */
function lawOf({ id, jurisdiction, text, reference, type, min, max }: typeof LAW, confidential: boolean): Change {
  const days = (typed: string) => (typed === "" ? null : Number(typed));
  return { kind: "set_regulation", regulation: { id, text, reference, jurisdiction, thingType: type || null, demands: { retentionDaysMin: days(min), retentionDaysMax: days(max), holders: [], confidential } } };
}

function changeOf(kind: string, subject: string, rule: string[], settings: object): Change {
  const [numerator = 0, denominator = 0, patienceBlocks = 0, timelockBlocks = 0] = rule.map(Number);
  if (kind === "set_mechanism") return { kind, wanted: { mechanism: subject === "raft" ? "raft" : "simplex", fromHeight: BigInt(rule[0] ?? 0) } };
  if (kind === "remove_peer") return { kind, peer: actions.idBytes(subject) };
  if (kind === "set_parameters") return { kind, parameters: parseParameters(settings) };
  if (kind === "end_regulation") return { kind, id: subject };
  if (kind === "remove_organisation") return { kind, organisation: actions.idBytes(subject) };
  return { kind: "set_voting_rule", rule: { numerator, denominator, patienceBlocks, timelockBlocks } };
}

function Propose({ governance }: { governance: Governance }) {
  const { rule } = governance;
  const [kind, setKind] = useState("");
  const [subject, setSubject] = useState("");
  const [reason, setReason] = useState("");
  const [numbers, setNumbers] = useState([rule.numerator, rule.denominator, rule.patience_blocks, rule.timelock_blocks].map(String));
  const [settings, setSettings] = useState<Record<string, string>>(Object.fromEntries(numeric(governance)));
  const [law, setLaw] = useState(LAW);
  const [from, setFrom] = useState("0");
  const [confidential, setConfidential] = useState(false);
  const [tried, setTried] = useState<{ consequence?: Consequence; error?: Error }>({});
  const agrees = kind === "set_mechanism";
  const options = agrees ? MECHANISMS : kind === "remove_peer" ? governance.chosen_validators.map((seat) => ({ id: seat.peer, name: seat.name })) : kind === "end_regulation" ? governance.regulations.map(({ id }) => ({ id, name: id })) : governance.members;
  const chooses = agrees || kind.startsWith("remove") || kind === "end_regulation";
  const lays = kind === "set_regulation";
  const demands = law.min !== "" || law.max !== "" || confidential;
  const typed = lays ? [law.min, law.max].filter(Boolean) : kind === "set_voting_rule" ? numbers : kind === "set_parameters" ? Object.values(settings) : [];
  const ready = kind !== "" && (chooses ? subject !== "" && (!agrees || /^\d{1,15}$/.test(from)) : (!lays || (law.id !== "" && law.jurisdiction !== "" && law.text !== "" && demands)) && typed.every((one) => /^\d{1,15}$/.test(one)));
  const change = () => lays ? lawOf(law, confidential) : changeOf(kind, subject, agrees ? [from] : numbers, { ...governance.parameters, ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, Number(value)])) });
  const set = (at: number) => (value: string) => setNumbers(numbers.map((one, index) => (index === at ? value : one)));
  const ask = async () => {
    try {
      setTried({ consequence: await peer.consequence<Consequence>(actions.changeBytes(change())) });
    } catch (failed) {
      setTried({ error: failed as Error });
    }
  };
  const { consequence, error } = tried;
  return (
    <Form title="Propose a change" note="all members vote; yours counts for it" verb="Sign and propose" ready={ready} action={() => actions.propose(change(), reason)}>
      <div class="sign-fields">
        <Choice label="Change" value={kind} set={(id) => { setKind(id); setSubject(""); setTried({}); }} options={KINDS.filter(({ id }) => !governance.parameters.stake || !id.startsWith("remove"))} none="choose" />
        {chooses && <Choice label="Which" value={subject} set={setSubject} options={options} none="choose" />}
        {agrees && <Text label="Not before block" value={from} set={setFrom} />}
        {kind === "set_voting_rule" && ["Votes needed: so many", "of so many", "Blocks to vote", "Blocks from acceptance to effect"].map((label, at) => <Text key={label} label={label} value={numbers[at] ?? ""} set={set(at)} />)}
        {kind === "set_parameters" && Object.entries(settings).map(([name, value]) => <Text key={name} label={words(name)} value={value} set={(next) => setSettings({ ...settings, [name]: next })} />)}
        {lays && ([["id", "Id, such as gdpr-5"], ["jurisdiction", "Whose law, such as EU"], ["text", "What it demands, in words"], ["reference", "Where it is written (optional)"], ["type", "Only things of this type (optional)"], ["min", "Keep at least so many days"], ["max", "Keep at most so many days"]] as const).map(([field, label]) => <Text key={field} label={label} value={law[field]} set={(value) => setLaw({ ...law, [field]: value })} />)}
        {lays && <label class="check"><input type="checkbox" checked={confidential} onChange={() => setConfidential(!confidential)} /> Streams must be confidential</label>}
        <Text label="Why" value={reason} set={setReason} />
      </div>
      <div class="row"><button type="button" class="button" disabled={!ready} onClick={() => void ask()}>What would it lead to?</button></div>
      <div aria-live="polite">
        {error && <Wrong error={error} />}
        {consequence && (
          <>
            <p><Badge tone={consequence.refusal ? "bad" : "good"}>{consequence.refusal ? words(consequence.refusal) : "possible"}</Badge> {plain(consequence.summary, 600)}</p>
            <Fields of={consequence} but={["summary", "refusal"]} />
          </>
        )}
      </div>
    </Form>
  );
}

export function GovernancePage() {
  const found = useQuery("governance", (signal) => peer.governance({ signal }), EVERY_MS);
  return (
    <Page title="Governance" lead={`Nobody owns the network. ${found.data?.parameters.stake ? "Whose peers agree on blocks follows from stakes: those with the most tokens behind them have the seats. Their organisations are its members, and decide by vote on settings and fees" : "Its members decide by vote who belongs, whose peers agree on blocks, and by which settings"}; each organisation has one vote.`}>
      <Await of={found} lines={8}>
        {(governance) => (
          <div class="stack">
            <Card title="How they decide">
              <Facts>
                <Fact name="Members">{count(governance.members.length)}</Fact>
                <Fact name="Must agree">{count(governance.votes_needed)} ({governance.rule.numerator}/{governance.rule.denominator})</Fact>
                <Fact name="Peers agree by">{governance.mechanism}{governance.planned_mechanism && `, by ${governance.planned_mechanism.mechanism} from block ${count(governance.planned_mechanism.from_height)} on`}</Fact>
                <Fact name="Time to vote">{plural(governance.rule.patience_blocks, "block")}</Fact>
                <Fact name="From acceptance to effect">{plural(governance.rule.timelock_blocks, "block")}</Fact>
              </Facts>
            </Card>
            <Harm governance={governance} />
            <Card title="Proposals" note="newest first">
              <List name="proposals" ask={(page, options) => peer.proposals(page, options)} empty={<>Nothing was proposed yet. <code>althing org</code> and <code>althing vote</code> propose, too.</>}>{(one) => <One proposal={one} />}</List>
            </Card>
            <Regulations governance={governance} />
            {signing.value && <Propose governance={governance} />}
            {governance.parameters.stake && <Stakes governance={governance} terms={governance.parameters.stake} />}
            <Seats governance={governance} />
            <Card title="Members"><ul class="owned">{governance.members.map((one) => <li key={one.id}><Who did={one.id} /></li>)}</ul></Card>
          </div>
        )}
      </Await>
    </Page>
  );
}
