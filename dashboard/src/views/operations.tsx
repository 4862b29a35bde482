/** What an operator looks at: peers, how far behind, what waits, and what to do about it. */

import { peer as asked } from "../lib/client.ts";
import { linkAt } from "../lib/elsewhere.ts";
import { bytes, count, duration, plain, plural } from "../lib/format.ts";
import { figures, health, network, peers, rate, status } from "../lib/network.ts";
import type { Peer } from "../lib/model.ts";
import { useQuery } from "../lib/query.ts";
import { silence, silent } from "../lib/sentence.ts";
import { href } from "../router.ts";
import { Badge, Card, Empty, Fact, Facts, Id, Page, Table } from "../ui/basics.tsx";
import { Audit, Gateways } from "./oversight.tsx";

interface Alarm {
  tone: "warn" | "bad";
  what: string;
  advice: string;
}

/** A lag that is not just the next block on its way. */
const LAG_MAX = 10;

/** Free space below which it is time, bytes. */
const DISK_MIN = 1e9;

/** What the peer takes of its disk, and what is left. */
function diskOf(): { taken: number; free: number } | undefined {
  const [taken, free] = ["althing_disk_bytes", "althing_disk_free_bytes"].map((name) => figures.value.get(name));
  return taken === undefined || free === undefined ? undefined : { taken, free };
}

/** What was taken when this page first looked; for how long it must have looked to say how fast that grows, ms. */
let first: { at: number; taken: number } | undefined;
const GROWTH_MS = 30_000;
const DAY_MS = 86_400_000;

/** How fast the disk fills, as far as this page has seen it. The interface knows no budget: what a peer keeps is not bounded yet. */
function growthOf({ taken, free }: { taken: number; free: number }): string {
  const at = performance.now();
  first ??= { at, taken };
  const perDay = ((taken - first.taken) / (at - first.at)) * DAY_MS;
  if (at - first.at < GROWTH_MS || perDay <= 0) return "";
  return `, ${bytes(Math.round(perDay))} more a day at this pace: full in ${duration((free / perDay) * DAY_MS)}`;
}

/** What to do about a reason of bad health, where its own words do not say. */
const ADVICE: Record<string, string> = {
  starting: "Wait: it reads what it has and catches up with the others.",
  stopped: "Start it again; the last line of its log says why it stopped.",
  waiting_for_votes: "Without these votes nothing is agreed: ask the organisations that run those peers whether they run and can be reached.",
  behind: "It catches up by itself. If the number grows, its disk or processor is too slow.",
  payloads_missing: "They are fetched from other peers. If the number stays, no connected peer holds them: connect more peers.",
  mempool_full: "See under Accounts who sends so much; clients try again by themselves.",
  validator_silent: "The others go on without it. Look at its health page and log, or ask who runs it.",
  validators_broke_rules: "Keep the log: it names the peer and holds the evidence. Members can vote its seat away under Governance.",
  storage_failed: "Free space or replace the disk, then start the peer again; what it lost it fetches from the others.",
  diverged: "Do not start it in a loop: compare its version with the others' and keep its log.",
};

function alarms(): Alarm[] {
  const state = status.value;
  const found: Alarm[] = [];
  for (const reason of health.value?.reasons ?? []) {
    found.push({ tone: health.value?.state === "unavailable" ? "bad" : "warn", what: reason.detail, advice: ADVICE[reason.code] ?? `Code ${reason.code}: see “Watching a peer” in the documentation.` });
  }
  for (const peer of silent(peers.value)) {
    const ms = silence(peer, peers.value);
    found.push({
      tone: "warn",
      what: `${peer.name} of ${peer.organisation_name} has been silent ${Number.isFinite(ms) ? `for ${duration(ms)}` : "since this peer started"}.`,
      advice: peer.connected ? "It is connected but does not vote: look at its health page and log." : "It is not connected: see whether its process runs and its address can be reached.",
    });
  }
  if (state && state.final_height - state.height > LAG_MAX) {
    found.push({ tone: "warn", what: `This peer is ${count(state.final_height - state.height)} blocks behind.`, advice: "It catches up by itself. If the number grows, its disk or processor is too slow." });
  }
  if (state && state.payloads_missing > 0) {
    found.push({ tone: "warn", what: `The data of ${count(state.payloads_missing)} batches are still missing here.`, advice: "They are fetched from other peers. If the number stays, no connected peer holds them." });
  }
  const disk = diskOf();
  if (disk && disk.free < DISK_MIN) {
    found.push({ tone: "bad", what: `Only ${bytes(disk.free)} are free on the disk of this peer.`, advice: "Free space or add some: a full disk ends the peer." });
  }
  const offences = figures.value.get("althing_offences") ?? 0;
  if (offences > 0) found.push({ tone: "bad", what: `${count(offences)} offences of peers against the protocol were seen.`, advice: "Keep the log: it names the peer and holds the evidence. Talk to the organisation that runs it." });
  return found;
}

const FIGURES: [string, string][] = [
  ["althing_transactions_admitted_total", "transactions admitted"],
  ["althing_transactions_refused_total", "transactions refused at the door"],
  ["althing_transactions_executed_total", "transactions executed"],
  ["althing_readings_executed_total", "readings executed"],
  ["althing_blocks_refused_total", "blocks not voted for"],
  ["althing_payloads_fetched_total", "payloads fetched from others"],
  ["althing_messages_refused_total", "messages of peers refused"],
  ["althing_views_nullified_total", "views without a block"],
];

/** The way to the pages of another peer, if the operator of this one said where they are. */
function Pages({ of }: { of: Peer }) {
  const link = of.this ? undefined : linkAt(of, "/operations");
  return link === undefined ? null : <a class="muted small-link" href={link}>its pages<span class="hidden">: {plain(of.name, 40)}</span></a>;
}

export function Operations() {
  const state = status.value;
  const found = alarms();
  const disk = diskOf();
  const known = new Set(FIGURES.map(([name]) => name));
  const others = [...figures.value.entries()].filter(([name]) => name.endsWith("_total") && !known.has(name));
  const decided = useQuery("settings", (signal) => asked.governance({ signal }), 10_000);
  const parameters = Object.entries(decided.data?.parameters ?? network.value?.genesis.parameters ?? {});
  return (
    <Page title="Operations" lead="As the peer that serves this page sees it. Each peer has its own view; open the page at another to compare.">
      <div class="stack">
        <Card title="Alarms" note={health.value && <>This peer: <Badge tone={health.value.state === "ready" ? "good" : health.value.state === "degraded" ? "warn" : "bad"}>{health.value.state}</Badge></>}>
          {found.length === 0 ? <Empty>Nothing needs doing.</Empty> : (
            <ul class="alarms" aria-live="polite">
              {found.map((one) => <li key={one.what} class={one.tone}><strong>{plain(one.what, 300)}</strong><span>{plain(one.advice, 300)}</span></li>)}
            </ul>
          )}
        </Card>
        <Card title="Peers">
          <Table label="Peers" head={["Peer", "Organisation", "Part", "Connection", "Last vote seen", "Voting key"]}>
            {peers.value.map((peer) => {
              const ms = silence(peer, peers.value);
              return (
                <tr key={peer.key}>
                  <td><a href={href.entity(peer.id)}><bdi>{plain(peer.name, 40)}</bdi></a> <Pages of={peer} /> {peer.this && <Badge tone="ice">this one</Badge>} {state?.leader === peer.key && <Badge>leads</Badge>}</td>
                  <td><a href={href.entity(peer.organisation)}><bdi>{plain(peer.organisation_name, 40)}</bdi></a></td>
                  <td>{peer.role}</td>
                  <td>{peer.this ? <span class="muted">itself</span> : peer.connected ? <Badge tone="good">connected</Badge> : <Badge tone="bad">not connected</Badge>}</td>
                  <td>{peer.heard ? (ms < 1500 ? "with the newest" : `${duration(ms)} before the newest`) : "never"}</td>
                  <td><Id id={peer.key} /></td>
                </tr>
              );
            })}
          </Table>
        </Card>
        <Gateways />
        <div class="columns">
          <Card title="This peer">
            {state && (
              <Facts>
                <Fact name="Phase">{state.phase}</Fact>
                <Fact name="Executed height">{count(state.height)}</Fact>
                <Fact name="Behind what is final">{plural(Math.max(0, state.final_height - state.height), "block")}</Fact>
                <Fact name="Epoch, view">{count(state.epoch)}, {count(state.view)}</Fact>
                <Fact name="Connected peers">{count(state.connected)}</Fact>
                <Fact name="Waiting transactions">{count(state.waiting)}, {bytes(state.waiting_bytes)}</Fact>
                <Fact name="Batches without data here">{count(state.payloads_missing)}</Fact>
                {disk && <Fact name="Disk">{bytes(disk.taken)} taken, {bytes(disk.free)} free{growthOf(disk)} <meter min={0} max={disk.taken + disk.free} value={disk.taken} aria-label="Share of the disk taken" /></Fact>}
                <Fact name="Version">{state.version}</Fact>
              </Facts>
            )}
          </Card>
          <Card title="Since it started" note={<a href="/metrics" target="_blank" rel="noopener">for Prometheus</a>}>
            <Facts>
              {FIGURES.filter(([name]) => figures.value.has(name)).map(([name, what]) => <Fact key={name} name={what}>{count(figures.value.get(name) ?? 0)}</Fact>)}
              {others.map(([name, value]) => <Fact key={name} name={name.replace(/^althing_|_total$/g, "").replaceAll("_", " ")}>{count(value)}</Fact>)}
              <Fact name="blocks per second now">{rate.value.blocks.toFixed(1)}</Fact>
            </Facts>
          </Card>
        </div>
        <Audit />
        <Card title="Settings of the ledger" note="alike for all peers; members change them by vote">
          <Facts>{parameters.map(([name, value]) => <Fact key={name} name={name.replaceAll("_", " ").replace(/ ms$/, "")}>{/_ms$/.test(name) ? duration(Number(value)) : /_bytes_/.test(name) ? bytes(Number(value)) : count(Number(value))}</Fact>)}</Facts>
        </Card>
      </div>
    </Page>
  );
}
