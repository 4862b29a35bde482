/** Contracts: what runs on the ledger, who decides about it, what it did, and what it answers. */

import { useState } from "preact/hooks";
import * as contracts from "../lib/contracts.ts";
import { bytes, count, plain, plural } from "../lib/format.ts";
import { tagged } from "../lib/model.ts";
import { useQuery } from "../lib/query.ts";
import { href, type Route } from "../router.ts";
import { At, Await, Badge, Card, Fact, Facts, Height, Id, Page, Wrong, Who } from "../ui/basics.tsx";
import { Area } from "../ui/form.tsx";
import { List } from "../ui/record.tsx";
import { Event } from "../ui/tagged.tsx";

const ITEMS = 20;
const EVERY_MS = 3000;
const TONES: Record<string, "good" | "warn" | "bad" | "ice"> = { active: "good", proposed: "warn", frozen: "ice", terminated: "bad" };

const page = (after: string | undefined) => ({ limit: ITEMS, ...(after === undefined ? {} : { after }) });
const opts = (signal: AbortSignal | undefined) => (signal ? { signal } : {});

const Names = ({ names }: { names: readonly string[] }) => <>{names.map((name) => <Badge key={name}>{plain(name, 40)}</Badge>)}</>;

function People({ dids, none }: { dids: readonly string[]; none: string }) {
  return <>{dids.length === 0 ? none : dids.map((did, at) => <span key={did}>{at > 0 && ", "}<Who did={did} /></span>)}</>;
}

export function Contracts() {
  return (
    <Page title="Contracts" lead="Programs that every peer runs alike. Who deploys one says who must accept it, who may call it, and who may stop it.">
      <div class="stack">
        <Card title="Contracts">
          <List name="contracts" ask={(after, signal) => contracts.contracts(page(after), opts(signal))} everyMs={EVERY_MS} empty={<>None yet. <code>althing contract new</code> begins one.</>}>
            {(one) => (
              <div class="entry-head">
                <a href={href.contract(one.id)}><strong><bdi>{plain(one.name, 60)}</bdi></strong></a> <Badge tone={TONES[one.status] ?? "plain"}>{one.status}</Badge> <Names names={one.interfaces} />
                <span class="muted">made by <Who did={one.creator} /> in block <Height height={one.created_height} /></span>
              </div>
            )}
          </List>
        </Card>
        <Card title="Code" note="modules that contracts run, by the digest of their bytes">
          <List name="codes" ask={(after, signal) => contracts.codes(page(after), opts(signal))} everyMs={EVERY_MS} empty="None is stored.">
            {(one) => (
              <div class="entry-head">
                <strong><bdi>{plain(one.name, 60)}</bdi></strong> <Names names={one.interfaces} /> <Id id={one.id} />
                <span class="muted">number {count(one.number)}, {bytes(one.bytes)}, of <Who did={one.owner} />, stored in block <Height height={one.stored_height} />, {plural(one.contracts, "contract")}</span>
              </div>
            )}
          </List>
        </Card>
      </div>
    </Page>
  );
}

function Decision({ contract }: { contract: contracts.Contract }) {
  const proposal = contract.proposal;
  if (!proposal) return null;
  return (
    <Card title="It waits to begin" note={<>{count(proposal.threshold)} of {count(proposal.participants.length)} must accept until block {count(proposal.until_height)}</>}>
      <ul class="votes">
        {proposal.participants.map((did) => {
          const said = proposal.accepted.includes(did) ? "accepted" : proposal.declined.includes(did) ? "declined" : "has not decided";
          return <li key={did} class={said === "accepted" ? "yes" : ""}><span class="stone" aria-hidden="true" /><Who did={did} /> <span class="muted">{said}</span></li>;
        })}
      </ul>
    </Card>
  );
}

/** A question: nothing changes, and the answer is of this peer alone. */
function Ask({ id }: { id: string }) {
  const [message, setMessage] = useState("{}");
  const [state, setState] = useState<{ answer?: contracts.ContractAnswer; error?: Error; waits?: boolean }>({});
  const ask = () => {
    setState({ waits: true });
    contracts.answer(id, message).then((answer) => setState({ answer }), (error: Error) => setState({ error }));
  };
  const { answer, error } = state;
  return (
    <Card title="Ask it" note="a query changes nothing">
      <div class="stack">
        <Area label="Message, JSON" value={message} set={setMessage} code />
        <div class="row"><button type="button" class="button" disabled={state.waits === true} onClick={ask}>Ask</button></div>
        <div aria-live="polite">
          {error && <Wrong error={error} />}
          {answer && <><pre class="stored" tabIndex={0} aria-label="Answer">{answer.answer ?? answer.data}</pre><p class="muted">{count(answer.gas_used)} gas, as of block {count(answer.height)}, by this peer's word.</p></>}
        </div>
      </div>
    </Card>
  );
}

function Past({ id }: { id: string }) {
  return (
    <Card title="What called or changed it" note="newest first">
      <List name={`contract past ${id}`} ask={(after, signal) => contracts.contractPast(id, page(after), opts(signal))} everyMs={EVERY_MS} empty="Nothing yet.">
        {(one) => (
          <>
            {one.events.map((event, at) => <Event key={at} of={tagged(event)} />)}
            <span class="muted">block <Height height={one.height} />, <At time={one.time} /> · <a href={href.transaction(one.transaction)}>transaction</a></span>
          </>
        )}
      </List>
    </Card>
  );
}

export function ContractPage({ route }: { route: Route }) {
  const id = route.parts[0] ?? "";
  const found = useQuery(`contract ${id}`, (signal) => contracts.contract(id, { signal }), EVERY_MS);
  return (
    <Await of={found} lines={8}>
      {(contract) => (
        <Page title={<bdi>{plain(contract.name, 80)}</bdi>} lead={<>Contract of <Who did={contract.creator} /> <Badge tone={TONES[contract.status] ?? "plain"}>{contract.status}</Badge> <Names names={contract.interfaces} /></>}>
          <div class="stack">
            <Decision contract={contract} />
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
            <div class="columns"><Past id={contract.id} /><Ask id={contract.id} /></div>
          </div>
        </Page>
      )}
    </Await>
  );
}
