/** The procedures of clause 10 of ITU-T Y.4464, drawn from what really happened on this ledger. */

import { useState } from "preact/hooks";
import { maybe, peer } from "../lib/client.ts";
import { batches, streamOf } from "../lib/feed.ts";
import { count, plain, plural, short } from "../lib/format.ts";
import { pastEvents } from "../lib/history.ts";
import { tagged, type Block, type EventRecord, type Transaction } from "../lib/model.ts";
import { peerOfKey, peers, status } from "../lib/network.ts";
import { PROCEDURES } from "../lib/procedures.ts";
import { useQuery } from "../lib/query.ts";
import { href } from "../router.ts";
import { At, Card, Height, Id, Loading, Page, Who, Wrong } from "../ui/basics.tsx";
import { Sequence, type Lane, type Message } from "../ui/sequence.tsx";
import { Action } from "../ui/tagged.tsx";
import { Clause, nameOf, typesOf } from "./clause.tsx";

/** How many instances can be chosen from. */
const CHOICES = 6;

/** One run of the procedure: a transaction, and the one that stored data for it if it is another. */
interface Run {
  agreed: Transaction;
  block: Block;
  stored: Transaction;
  storedBlock: Block;
  /** The event that told whoever listens. */
  event: EventRecord | undefined;
  notified: string[];
}

function notifiedBy(transaction: Transaction): string[] {
  return transaction.actions.map(tagged).flatMap((one) => (one.type === "record" && Array.isArray(one["notify"]) ? one["notify"].map(String) : []));
}

function linkOf(transaction: Transaction): string | undefined {
  const link = transaction.actions.map(tagged).find((one) => one.type === "record" && one["link"])?.["link"];
  return typeof link === "string" ? link : undefined;
}

async function blockOf(transaction: Transaction, signal: AbortSignal): Promise<Block | undefined> {
  const height = transaction.outcome?.height;
  return height === undefined ? undefined : peer.block(height, { limit: 200 }, { signal });
}

/** Follows a transaction to what it is linked to: first the agreement, then the storing. */
async function loadRun(record: EventRecord, signal: AbortSignal): Promise<Run | undefined> {
  const last = await maybe(peer.transaction(record.transaction, {}, { signal }));
  if (!last) return undefined;
  const link = linkOf(last);
  const first = (link && (await maybe(peer.transaction(link, {}, { signal })))) || last;
  const [block, storedBlock] = await Promise.all([blockOf(first, signal), blockOf(last, signal)]);
  if (!block || !storedBlock) return undefined;
  return { agreed: first, block, stored: last, storedBlock, event: record, notified: [...new Set([...notifiedBy(first), ...notifiedBy(last)])] };
}

function Figure({ run }: { run: Run }) {
  const sender = nameOf(run.agreed.sender, "dApp D");
  const told = nameOf(run.notified[0], "whoever listens");
  const proposer = peerOfKey(run.block.proposer);
  const others = peers.value.filter((one) => one.role === "validator" && one.key !== proposer?.key);
  // The event that this page heard came from the peer that serves it.
  const receiver = others.find((one) => one.this) ?? others.find((one) => run.block.signers.includes(one.key)) ?? others[0];
  const validators = peers.value.filter((one) => one.role === "validator").length;
  const lanes: Lane[] = [
    { role: "dApp D", name: sender, inside: false },
    { role: "BoT peer D", name: `${plain(proposer?.name ?? "peer", 14)}, proposed`, inside: true },
    { role: "BoT peers B1 … Bk", name: plural(Math.max(0, others.length - 1), "peer"), inside: true },
    { role: "BoT peer E", name: plain(receiver?.name ?? "peer", 20), inside: true },
    { role: "dApp E", name: told, inside: false },
  ];
  const same = run.agreed.id === run.stored.id;
  const messages: Message[] = [
    { step: "1", from: 0, to: 1, text: "asks for a transaction", link: href.transaction(run.agreed.id) },
    { step: "2", from: 1, to: 3, text: `agree: block ${count(run.block.height)}, signed by ${count(run.block.signers.length)} of ${count(validators)}`, link: href.block(run.block.height), wide: true },
    { step: "3", from: 0, to: 1, text: same ? "brings the data along" : "asks to store data", link: href.transaction(run.stored.id) },
    { step: "4", from: 1, to: 3, text: `copy and store it: block ${count(run.storedBlock.height)}`, link: href.block(run.storedBlock.height), wide: true },
    { step: "5", from: 3, to: 4, text: run.event ? `notifies: event ${run.event.cursor}` : "notifies", link: href.transaction(run.stored.id) },
  ];
  return <Sequence label="Figure 10-1 as it happened" lanes={lanes} messages={messages} />;
}

function Told({ run }: { run: Run }) {
  const same = run.agreed.id === run.stored.id;
  const signers = run.block.signers.map((key) => peerOfKey(key)?.name ?? short(key)).join(", ");
  return (
    <ol class="told">
      <li><strong>Request.</strong> <Who did={run.agreed.sender} /> asked a peer for transaction <Id id={run.agreed.id} link={href.transaction(run.agreed.id)} />: {run.agreed.actions[0] && <Action of={tagged(run.agreed.actions[0])} />}.</li>
      <li><strong>Consensus.</strong> It became final in block <Height height={run.block.height} />, proposed by {plain(peerOfKey(run.block.proposer)?.name ?? "a peer", 30)}, at <At time={run.block.time} /> UTC. Signed by {plain(signers || "a later block's quorum", 200)}.</li>
      <li><strong>Storage is asked for.</strong> {same ? <>The same transaction brought the data.</> : <><Id id={run.stored.id} link={href.transaction(run.stored.id)} /> stores data and names the first as what it belongs to.</>}</li>
      <li><strong>Peers copy and store.</strong> Every peer that follows the ledger executes block <Height height={run.storedBlock.height} /> and keeps what it brought; {status.value?.payloads_missing === 0 ? "the one that serves this page holds all of it." : `this one still fetches ${count(status.value?.payloads_missing ?? 0)} batches.`}</li>
      <li><strong>Notification.</strong> {run.event ? <>Event <code>{run.event.cursor}</code> told </> : "Told "}{run.notified.length > 0 ? run.notified.map((did, at) => <span key={did}>{at > 0 && ", "}<Who did={did} /></span>) : "all who listen to this stream"}.</li>
    </ol>
  );
}

/** Events looked through for runs of all procedures, and how often. */
const EVENTS = 1500;
const EVERY_MS = 5000;

export function Procedures() {
  const [chosen, choose] = useState<EventRecord | undefined>(undefined);
  const [kept, keep] = useState<EventRecord | undefined>(undefined);
  // All in one stream: browsers keep few connections to a peer. What this ledger has no events for is no part of it.
  const there = PROCEDURES.filter((one) => typesOf(one).length > 0);
  const type = [...new Set(["recorded", "trigger_ran", ...there.flatMap(typesOf)])].join();
  const past = useQuery(`procedures ${type}`, (signal) => pastEvents({ type, after: "0-0-0" }, EVENTS, signal), EVERY_MS);
  // Records that notify somebody are the very thing the clause describes; readings of a gateway go the same way.
  // What a trigger wrote came by nobody's request.
  const ran = new Set((past.data ?? []).filter((one) => one.event.type === "trigger_ran").map((one) => one.transaction));
  const recorded = (past.data ?? []).filter((one) => one.event.type === "recorded" && !ran.has(one.transaction)).slice(-CHOICES).reverse();
  const live = batches.value[0];
  const current = chosen ?? recorded[0] ?? kept ?? live;
  if (!chosen && !recorded[0] && !kept && live) keep(live);
  const run = useQuery(`run ${current?.cursor}`, (signal) => (current ? loadRun(current, signal) : Promise.resolve(undefined)));
  return (
    <Page title="Procedures" lead="Clause 10 of ITU-T Y.4464 describes how entities, peers and things work together. Here its figures are drawn from transactions of this ledger: follow each arrow to what happened.">
      <nav class="tabs" aria-label="Procedures">{["10.1", ...there.map((one) => one.clause)].map((clause) => <a key={clause} href={`#${clause}`}>{clause}</a>)}</nav>
      <div class="stack">
        <Card id="10.1" title="10.1 Crowding consensus and decentralised storage" note="Figure 10-1">
          <div class="row choices">
            {recorded.map((one) => (
              <button type="button" key={one.cursor} class="button small" aria-pressed={one.cursor === current?.cursor} onClick={() => choose(one)}>record in block {count(one.height)}</button>
            ))}
            {live && <button type="button" class="button small" aria-pressed={current !== undefined && streamOf(current) !== ""} onClick={() => choose(batches.peek()[0])}>the newest reading</button>}
          </div>
          {run.error ? <Wrong error={run.error} /> : run.data ? <><Figure key={run.data.stored.id} run={run.data} /><Told run={run.data} /></> : current ? <Loading lines={8} /> : <p class="empty">Nothing to draw yet: no record and no reading has become final since this page was opened.</p>}
          {run.data && <p class="muted">The ledger does not record which peer a request came to; the block's proposer stands in its place.</p>}
          {recorded.length === 0 && run.data && (
            <p class="muted">
              No record that names somebody to notify is on this ledger, so the way of a reading is drawn: a gateway asks and stores in one transaction. <code>althing conformance 10.1</code> runs the clause to the letter.
            </p>
          )}
        </Card>
        {there.map((procedure) => <Clause key={procedure.clause} procedure={procedure} past={past} />)}
      </div>
    </Page>
  );
}
