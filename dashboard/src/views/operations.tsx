/** What an operator looks at: peers, how far behind, what waits, and what to do about it. */

import { peer as asked } from "../lib/client.ts";
import { linkAt } from "../lib/elsewhere.ts";
import { bytes, count, duration, plain, plural } from "../lib/format.ts";
import { figures, network, peers, rate, status } from "../lib/network.ts";
import type { Peer } from "../lib/model.ts";
import { useQuery } from "../lib/query.ts";
import { silence } from "../lib/sentence.ts";
import { href } from "../router.ts";
import { Badge, Card, Fact, Facts, Id, Page, Table } from "../ui/basics.tsx";
import { Record } from "../ui/record.tsx";
import { Alarms, Log } from "./operator.tsx";
import { Audit, Gateways } from "./oversight.tsx";

/** What the peer takes of its disk, and what is left. */
function diskOf(): { taken: number; free: number } | undefined {
  const [taken, free] = ["althing_disk_bytes", "althing_disk_free_bytes"].map((name) => figures.value.get(name));
  return taken === undefined || free === undefined ? undefined : { taken, free };
}

/** What was taken when this page first looked; for how long it must have looked to say how fast that grows, ms. */
let first: { at: number; taken: number } | undefined;
const GROWTH_MS = 30_000;
const DAY_MS = 86_400_000;

/** How fast the disk fills, as far as this page has seen it. */
function growthOf({ taken, free }: { taken: number; free: number }): string {
  const at = performance.now();
  first ??= { at, taken };
  const perDay = ((taken - first.taken) / (at - first.at)) * DAY_MS;
  if (at - first.at < GROWTH_MS || perDay <= 0) return "";
  return `, ${bytes(Math.round(perDay))} more a day at this pace: full in ${duration((free / perDay) * DAY_MS)}`;
}

/** Processor time that was taken when this page first looked. */
let before: { at: number; ms: number } | undefined;

/** What the peer takes of its machine's memory and processors, where its system tells. */
function effort(): string | undefined {
  const [memory, ms] = ["althing_memory_bytes", "althing_cpu_ms_total"].map((name) => figures.value.get(name));
  if (memory === undefined || ms === undefined) return undefined;
  const at = performance.now();
  before ??= { at, ms };
  const share = at > before.at ? `, ${((100 * (ms - before.ms)) / (at - before.at)).toFixed(1)} % of one processor` : "";
  return bytes(memory) + share;
}

/** The way to the pages of another peer, if the operator of this one said where they are. */
function Pages({ of }: { of: Peer }) {
  const link = of.this ? undefined : linkAt(of, "/operations");
  return link === undefined ? null : <a class="muted small-link" href={link}>its pages<span class="hidden">: {plain(of.name, 40)}</span></a>;
}

export function Operations() {
  const state = status.value;
  const disk = diskOf();
  const takes = effort();
  const counted = [...figures.value].filter(([name]) => name.endsWith("_total"));
  const decided = useQuery("settings", (signal) => asked.governance({ signal }), 10_000);
  return (
    <Page title="Operations" lead="As the peer that serves this page sees it. Each peer has its own view; open the page at another to compare.">
      <div class="stack">
        <Alarms />
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
                {takes && <Fact name="Memory, processor">{takes}</Fact>}
                {disk && <Fact name="Disk">{bytes(disk.taken)} taken, {bytes(disk.free)} free{growthOf(disk)} <meter min={0} max={disk.taken + disk.free} value={disk.taken} aria-label="Share taken" /></Fact>}
                <Fact name="Payloads">{bytes(state.payload_bytes ?? 0)}{state.payload_bytes_max !== undefined && <> of {bytes(state.payload_bytes_max)} <meter max={state.payload_bytes_max} value={state.payload_bytes} aria-label="Share taken" /></>}</Fact>
                <Fact name="Version">{state.version}</Fact>
              </Facts>
            )}
          </Card>
          <Card title="Since it started" note={<a href="/metrics" target="_blank" rel="noopener">for Prometheus</a>}>
            <Facts>
              {counted.map(([name, value]) => <Fact key={name} name={name.replace(/^althing_|_total$/g, "").replaceAll("_", " ")}>{count(value)}</Fact>)}
              <Fact name="blocks per second now">{rate.value.blocks.toFixed(1)}</Fact>
            </Facts>
          </Card>
        </div>
        <Log />
        <Audit />
        <Card title="Settings of the ledger" note="alike for all peers; members change them by vote">
          <Record of={decided.data?.parameters ?? network.value?.genesis.parameters ?? {}} but={["fees", "stake"]} />
        </Card>
      </div>
    </Page>
  );
}
