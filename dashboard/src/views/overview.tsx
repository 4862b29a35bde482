/** The network at a glance: who takes part, what was measured, that it was agreed. */

import { useEffect, useState } from "preact/hooks";
import { isUnknownReader, peer } from "../lib/client.ts";
import { batches, streamOf } from "../lib/feed.ts";
import { bytes, clock, count, plain, plural, quantity, rate as perSecond } from "../lib/format.ts";
import { least } from "../lib/decentral.ts";
import { useHappened } from "../lib/happened.ts";
import { tagged, type BlockSummary, type Readings } from "../lib/model.ts";
import { named } from "../lib/names.ts";
import { blocks, health, network, peerOfKey, peers, rate, RATES, rates, signed, status } from "../lib/network.ts";
import { useQuery } from "../lib/query.ts";
import { turns } from "../lib/turns.ts";
import { sentence } from "../lib/sentence.ts";
import { href } from "../router.ts";
import { Card, Loading, Who } from "../ui/basics.tsx";
import { Ring } from "../ui/ring.tsx";
import { Bars, Spark } from "../ui/spark.tsx";
import { Action, EventList } from "../ui/tagged.tsx";

/** How many streams the list of live readings shows, and how many values each line. */
const STREAMS = 6;
/** How much of what else happened is listed. */
const HAPPENED = 6;
const LIVE_MS = 1000;
const VALUES = 40;

/** How many of a kind are counted one by one, and how often, ms. */
const CAST_MAX = 200;
const CAST_MS = 15_000;

/** Who could do harm, in words: with it the page says what the network is, and not what it should be. */
function Harm({ quorum }: { quorum: number }) {
  const seats = peers.value.filter((peer) => peer.role === "validator").map((peer) => peer.organisation);
  const { of, stop, divide } = least(seats, quorum, status.value?.mechanism);
  if (of === 0) return null;
  const alone = of === 1 ? "It trusts the one organisation that runs it" : divide === 1 ? "Its members trust each other: one of them that lies could change it" : `Nobody can change it alone: ${low(divide)} of the ${low(of)} would have to lie together`;
  return <>{alone}, and {stop === 1 ? (of === 1 ? "stops with it" : "one that falls silent could stop it") : `${low(stop)} fall silent to stop it`}. </>;
}

function Headline() {
  const state = status.value;
  const founders = network.value?.genesis.organisations.length;
  const organisations = founders ?? new Set(peers.value.map((peer) => peer.organisation)).size;
  const said = state && sentence(state, health.value, peers.value, signed.value);
  return (
    <div class="headline">
      <h1 tabIndex={-1}>
        {organisations === 1 ? "One record of what things say" : `${organisations > 1 ? spelt(organisations) : "Several"} organisations keep one record of what things say`}
      </h1>
      <p class="lead">
        {state && <Harm quorum={state.quorum} />}A quorum of peers signs every block, and each reading can be <a href="/verify">checked in this browser</a>.
      </p>
      {said ? (
        <div class={`sentence ${said.tone}`} role="status">
          <span class="dot" aria-hidden="true" />
          <p>{said.text}{said.more.map((line) => <span class="more" key={line}>{plain(line, 300)}</span>)}</p>
        </div>
      ) : (
        <Loading lines={1} />
      )}
    </div>
  );
}

function spelt(value: number): string {
  return ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"][value] ?? count(value);
}

const low = (value: number) => spelt(value).toLowerCase();

function Figures() {
  const state = status.value;
  return (
    <div class="figures">
      <div class="figure wide">
        <span class="figure-name">readings agreed on</span>
        <span class="figure-value">{perSecond(rate.value.readings)}<small>per second</small></span>
        <Bars values={rates.value.map((one) => one.readings)} slots={RATES} label="Readings per second in the last minute" />
      </div>
      <div class="figure">
        <span class="figure-name">blocks</span>
        <span class="figure-value">{perSecond(rate.value.blocks)}<small>per second</small></span>
      </div>
      <div class="figure">
        <span class="figure-name">transactions</span>
        <span class="figure-value">{perSecond(rate.value.transactions)}<small>per second</small></span>
      </div>
      <div class="figure">
        <span class="figure-name">must sign</span>
        <span class="figure-value">{state ? state.quorum : "—"}<small>of {count(peers.value.filter((peer) => peer.role === "validator").length)} peers</small></span>
      </div>
    </div>
  );
}

function Chain({ items }: { items: BlockSummary[] }) {
  return (
    <ol class="chain" aria-label="Latest blocks, newest first" tabIndex={0}>
      {items.slice(0, 16).map((block) => {
        const proposer = peerOfKey(block.proposer);
        return (
          <li key={block.height}>
            <a href={href.block(block.height)} class={block.transactions > 0 ? "full" : "void"}>
              <span class="chain-height">{count(block.height)}</span>
              <span class="chain-what">{block.transactions > 0 ? plural(block.transactions, "transaction") : "no transactions"}</span>
              <span class="chain-who">{proposer ? <bdi>{plain(proposer.name, 16)}</bdi> : "—"} · {clock(block.time.ms)}</span>
            </a>
          </li>
        );
      })}
    </ol>
  );
}

/** Who takes part, in numbers. */
function Cast() {
  const cast = useQuery(
    "cast",
    async (signal) => {
      const kinds = ["organisation", "gateway"].map((kind) => peer.entities({ kind, limit: CAST_MAX }, { signal }));
      const pages = await Promise.all([...kinds, peer.things({ limit: CAST_MAX }, { signal })]);
      return pages.map((page) => `${count(page.items.length)}${page.next ? "+" : ""}`);
    },
    CAST_MS,
  );
  const [organisations = "—", gateways = "—", things = "—"] = cast.data ?? [];
  const part = (link: string, value: string, what: string) => <a href={link}><strong>{value}</strong><span>{what}</span></a>;
  return (
    <div class="cast">
      {part("/ledger?show=entities&kind=organisation", organisations, "organisations")}
      {part("/operations", count(peers.value.length), "peers")}
      {part("/ledger?show=entities&kind=gateway", gateways, "gateways")}
      {part("/things", things, "things")}
    </div>
  );
}

interface Source {
  stream: string;
  thing: string;
}

interface LiveReading extends Source {
  readings: Readings;
}

/** The newest readings of the streams that something came for last, asked for once a second. */
function useLive(): LiveReading[] {
  const [live, setLive] = useState<LiveReading[]>([]);
  useEffect(() => {
    const shown = new Map<string, number>();
    // What this page may not read is not asked for again, and leaves its line to others.
    const refused = new Set<string>();
    // Until this page hears of any: those of the first things.
    let first: Source[] | undefined;
    const look = async (signal: AbortSignal) => {
      const heard = batches.peek().map((one) => ({ stream: streamOf(one), thing: String(tagged(one.event)["thing"]) }));
      if (heard.length === 0) first ??= await peer.things({ limit: STREAMS }, { signal }).then((page) => page.items.flatMap(({ id, properties }) => properties.map(({ stream }) => ({ stream, thing: id }))), () => undefined);
      // Streams keep their line as long as they are among the recent ones, so that nothing jumps.
      const recent = (heard.length > 0 ? heard : (first ?? [])).filter(({ stream }) => !refused.has(stream)).slice(0, STREAMS * 2);
      const stays = recent.filter(({ stream }) => shown.has(stream));
      const fresh = recent.filter(({ stream }) => !shown.has(stream));
      const chosen = [...stays, ...fresh].slice(0, STREAMS);
      for (const { stream } of chosen) if (!shown.has(stream)) shown.set(stream, shown.size);
      const lines = await Promise.all(
        chosen.map(async ({ stream, thing }) => {
          const readings = await peer.latest(stream, { limit: VALUES }, { signal }).catch((error: Error) => {
            if (isUnknownReader(error)) refused.add(stream);
            return undefined;
          });
          return readings && readings.items.length > 0 && { stream, thing, readings };
        }),
      );
      if (signal.aborted) return;
      const there = lines.filter((line) => line !== undefined && line !== false);
      if (there.length > 0) setLive(there.sort((a, b) => (shown.get(a.stream) ?? 0) - (shown.get(b.stream) ?? 0)));
    };
    return turns(look, LIVE_MS).end;
  }, []);
  return live;
}

function LiveLine({ line }: { line: LiveReading }) {
  const found = named(line.thing).value;
  const thing = found?.as === "thing" ? found.thing : undefined;
  const property = thing?.properties.find((one) => one.stream === line.stream);
  const last = line.readings.items.at(-1);
  if (!last) return null;
  const numbers = line.readings.kind === "number" ? line.readings.items.map((one) => Number(one.value)) : [];
  return (
    <li>
      <a class="live-line" href={href.reading(line.stream, last.seq)} title="Verify this reading">
        <span class="live-name">
          <bdi>{plain(thing?.title || thing?.name || "…", 48)}</bdi>
          <span class="muted">{plain(property?.name ?? "", 32)}</span>
        </span>
        <Spark values={numbers} />
        <span class="live-value">{plain(quantity(last.value, line.readings.kind, line.readings.unit), 24)}</span>
        <span class="live-proof">block {count(last.height)}<span class="go">verify</span></span>
      </a>
    </li>
  );
}

function Live() {
  const lines = useLive();
  return (
    <Card class="live" title="What things say" note={<a href="/things">all things</a>}>
      {lines.length === 0 ? (
        <p class="empty">No reading has come since this page was opened. A sensor speaks by MQTT through a gateway; the demo brings five.</p>
      ) : (
        <ul class="live-lines">{lines.map((line) => <LiveLine key={line.stream} line={line} />)}</ul>
      )}
    </Card>
  );
}

/** What waits: transactions, approvals, payloads, and for whom. */
function Waiting() {
  const state = status.value;
  const organisations = network.value?.genesis.organisations ?? [];
  const key = organisations.map((one) => one.id).join();
  const pending = useQuery(
    `pending ${key}`,
    async (signal) => {
      const pages = await Promise.all(
        organisations.slice(0, 16).map((one) => peer.pending(one.id, { limit: 20 }, { signal })),
      );
      const all = new Map(pages.flatMap((page) => page.items).map((one) => [one.transaction, one]));
      return [...all.values()];
    },
    5000,
  );
  const approvals = pending.data ?? [];
  return (
    <Card title="What waits">
      <ul class="waiting">
        <li>
          <span class="waiting-count">{state ? count(state.waiting) : "—"}</span>
          <span>{state?.waiting === 1 ? "transaction waits" : "transactions wait"} for the next block{state && state.waiting_bytes > 0 ? `, ${bytes(state.waiting_bytes)}` : ""}</span>
        </li>
        <li>
          <span class="waiting-count">{pending.data ? count(approvals.length) : "—"}</span>
          <span>{approvals.length === 1 ? "transaction waits" : "transactions wait"} for somebody's approval</span>
        </li>
        {approvals.slice(0, 5).map((one) => (
          <li key={one.transaction} class="waiting-one">
            <a href={href.transaction(one.transaction)}>{plural(one.approvals.length, "approval")}</a>, from <Who did={one.sender} />:{" "}
            {one.actions[0] && <Action of={tagged(one.actions[0])} />}, until block {count(one.until_height)}
          </li>
        ))}
        {state !== undefined && state.payloads_missing > 0 && (
          <li>
            <span class="waiting-count">{count(state.payloads_missing)}</span>
            <span>{state.payloads_missing === 1 ? "batch" : "batches"} whose readings this peer still fetches from others</span>
          </li>
        )}
      </ul>
    </Card>
  );
}

/** Registrations, decisions and records: what a ledger has beside readings. */
function Happened() {
  const { data = [] } = useHappened(HAPPENED);
  if (data.length === 0) return <p class="empty">Registrations, bindings, approvals, gaps and records appear here as they become final.</p>;
  return <EventList events={data.slice(0, HAPPENED)} />;
}

export function Overview() {
  return (
    <div class="overview">
      <Headline />
      <div class="overview-top">
        <Card class="ring-card">
          <Ring peers={peers.value} block={signed.value} />
          <Cast />
        </Card>
        <div class="overview-side">
          <Figures />
          <Live />
        </div>
      </div>
      <Card class="chain-card" title="Latest blocks" note={<a href="/ledger">the ledger</a>}><Chain items={blocks.value} /></Card>
      <div class="columns">
        <Waiting />
        <Card title="What else happened" note={<a href="/ledger?show=events">all events</a>}>
          <Happened />
        </Card>
      </div>
    </div>
  );
}
