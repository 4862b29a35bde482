/** A reading, or a range of them, with its proof checked in the browser. */

import { valueText, type VerifiedRange } from "althing/verify";
import { useState } from "preact/hooks";
import type { Checked } from "../lib/check.ts";
import { peer } from "../lib/client.ts";
import { elsewhere } from "../lib/elsewhere.ts";
import { count, duration, instant, plain, plural, quantity, short } from "../lib/format.ts";
import { anchored } from "../lib/genesis.ts";
import type { BatchHolders, Reading } from "../lib/model.ts";
import { network, peerOfKey, peers } from "../lib/network.ts";
import { useQuery } from "../lib/query.ts";
import { opened } from "../lib/sealed.ts";
import { signing } from "../lib/signing.ts";
import { href, type Route } from "../router.ts";
import { At, Await, Card, Fact, Facts, Height, Id, Page, Who } from "../ui/basics.tsx";
import { shown } from "../ui/sealed.tsx";
import { Verification } from "../ui/verification.tsx";
import { Shown } from "./verify.tsx";

/** How many readings of a range are listed. */
const LISTED = 100;

/** The three times of a reading, one after the other. */
function Times({ reading }: { reading: Reading }) {
  const way = reading.ledger.ms - reading.received.ms;
  return (
    <ol class="times">
      <li><span class="times-name">measured</span><strong><At time={reading.claimed} /></strong><span class="muted">as the device claims</span></li>
      <li><span class="times-name">received</span><strong><At time={reading.received} /></strong><span class="muted">by the gateway's clock</span></li>
      <li><span class="times-name">agreed on</span><strong><At time={reading.ledger} /></strong><span class="muted">time of block {count(reading.height)}{way >= 0 ? `, ${duration(way)} later` : ""}</span></li>
    </ol>
  );
}

function useProof(key: string, ask: (signal: AbortSignal) => Promise<Uint8Array>) {
  return useQuery(key, async (signal) => {
    const [bundle] = await Promise.all([ask(signal), anchored()]);
    return bundle;
  });
}

/** Why this peer does not show a reading, and who may. */
function Gone({ seq, batch }: { seq: number; batch: BatchHolders | undefined }) {
  if (!batch) return <p class="empty">Number {count(seq)} is missing from this stream: it did not come.</p>;
  if (batch.erased) return <p class="empty">Its owner had it erased, with numbers {count(batch.first_seq)} to {count(batch.last_seq)}. Their digests stay on the ledger.</p>;
  if (batch.past_retention) return <p class="empty">It is older than its owner has readings kept. Its digest stays on the ledger.</p>;
  const links = elsewhere(peers.value.filter((one) => batch.peers.includes(one.id)), location.pathname);
  return <p class="empty">The ledger has it, and this peer does not hold its data. {links.length > 0 ? <>They are kept at {links.map(({ peer: one, link }, at) => <>{at > 0 && ", "}<a key={one.key} href={link}><bdi>{plain(one.name, 40)}</bdi></a></>)}.</> : "Ask another peer."}</p>;
}

export function ReadingPage({ route }: { route: Route }) {
  const stream = route.parts[0] ?? "";
  const seq = Number(route.parts[1]);
  const facts = useQuery(`reading ${stream} ${seq}`, async (signal) => {
    const [about, found] = await Promise.all([
      peer.stream(stream, { signal }),
      peer.readings(stream, { first_seq: seq, last_seq: seq }, { signal }),
    ]);
    const reading = found.items[0];
    // Of one that is encrypted its batch is known.
    const at = reading ?? found.sealed?.[0];
    const [thing, block, held] = await Promise.all([
      peer.thing(about.thing, { signal }),
      at && peer.block(at.height, { limit: 200 }, { signal }),
      at ? undefined : peer.holders(stream, { last_seq: seq, limit: 1 }, { signal }),
    ]);
    return { about, reading, at, thing, block, batch: held?.batches.find((one) => one.first_seq <= seq && seq <= one.last_seq) };
  });
  const proof = useProof(`proof ${stream} ${seq}`, (signal) => peer.proveReading(stream, seq, { signal }));
  const [checked, setChecked] = useState<Checked | undefined>(undefined);
  const claim = checked?.verified?.claim;
  const transaction = claim?.kind === "reading" ? claim.transaction : undefined;
  const me = signing.value;
  const range = claim?.kind === "range" && me ? claim : undefined;
  const own = useQuery(`open ${stream} ${seq} ${range && me?.entity}`, async (signal) => range && me && (await opened(range, me, signal)).find((one) => Number(one.seq) === seq));
  return (
    <Await of={facts} lines={8}>
      {({ about, reading, at, thing, block, batch }) => (
        <Page
          title={reading ? <span class="big-value">{plain(quantity(reading.value, about.kind, about.unit, about.scale), 200)}</span> : range && own.data ? <span class="big-value">{shown(own.data.value, range.stream, about)}</span> : at ? "An encrypted reading" : batch ? (batch.erased ? "Erased" : "Not kept here") : "No such reading here"}
          lead={<><bdi>{plain(about.property)}</bdi> of <Who did={thing.id} />, number {count(seq)}. Owner: <Who did={thing.owner} /></>}
          aside={at && (
            <>
              {seq > 0 && <a class="button" href={href.reading(stream, seq - 1)}>← Earlier</a>}
              {seq + 1 < about.next_seq && <a class="button" href={href.reading(stream, seq + 1)}>Later →</a>}
            </>
          )}
        >
          {!at ? <Gone seq={seq} batch={batch} /> : (
            <div class="stack">
              {reading ? <Times reading={reading} /> : <p>{own.data ? <>Measured at <At time={{ ms: Number(own.data.claimedMs), utc: new Date(Number(own.data.claimedMs)).toISOString() }} /> UTC. Your key opened it in this browser, from the proof below.</> : <>It is in a batch that its readers alone can open. {me ? (own.error ? plain(own.error.message) : "Yours is not a key of theirs.") : <><a href="/sign">Open your key</a> if you are one of them.</>}</>}</p>}
              <div class="beside">
              <Card title="Checked in this browser" note="no trust in the peer that sent it">
                <Await of={proof} lines={10}>{(bundle) => <Verification bundle={bundle} name={`${short(stream).slice(0, 6)}-${seq}.proof`} onChecked={setChecked} />}</Await>
              </Card>
              <Card title="Where it stands">
                <Facts>
                  <Fact name="Block"><Height height={at.height} />{block && <> proposed by {block.proposer_peer ? <Who did={block.proposer_peer} /> : "the genesis"}</>}</Fact>
                  <Fact name="Signed by">{block?.signers.map((key, at) => <span key={key}>{at > 0 && ", "}<bdi>{plain(peerOfKey(key)?.name ?? short(key))}</bdi></span>)}</Fact>
                  <Fact name="Batch">{count(at.leaf)} of the stream</Fact>
                  <Fact name="Stream"><Id id={stream} /></Fact>
                  {transaction && <Fact name="Transaction"><Id id={transaction} link={href.transaction(transaction)} /></Fact>}
                  {reading && <Fact name="Exact value"><code>{plain(reading.value, 200)}</code></Fact>}
                </Facts>
              </Card>
              </div>
            </div>
          )}
        </Page>
      )}
    </Await>
  );
}

/** The readings that a proof of a range has shown. */
function Proven({ claim }: { claim: VerifiedRange }) {
  return (
    <Card title={plural(claim.readings.length, "reading")} note={claim.readings.length > LISTED ? `the first ${LISTED}` : ""}>
      <ol class="range-readings">
        {claim.readings.slice(0, LISTED).map((reading) => (
          <li key={String(reading.seq)}>
            <a href={href.reading(claim.stream.id, Number(reading.seq))}>{count(Number(reading.seq))}</a>
            <strong><bdi>{plain(valueText(reading.value, claim.stream.schema), 40)}</bdi></strong>
            <span class="muted">{instant(Number(reading.claimedMs))}</span>
          </li>
        ))}
      </ol>
    </Card>
  );
}

/** All readings of an interval, and that none was left out. */
export function RangePage({ route }: { route: Route }) {
  const stream = route.parts[0] ?? "";
  const from = route.query.get("from") ?? "";
  const until = route.query.get("until") ?? "";
  const asAggregate = route.query.get("as") === "aggregate";
  const about = useQuery(`stream ${stream}`, (signal) => peer.stream(stream, { signal }));
  const proof = useProof(`${asAggregate} ${stream} ${from} ${until}`, (signal) =>
    asAggregate ? peer.proveAggregate(stream, { from, until }, { signal }) : peer.proveRange(stream, { from, until }, { signal }),
  );
  const [result, setResult] = useState<{ of: Uint8Array; checked: Checked } | undefined>(undefined);
  // What was shown for another question is not shown for this one.
  const checked = result !== undefined && result.of === proof.data ? result.checked : undefined;
  const base = href.range(stream, Number(from), Number(until));
  return (
    <Page
      title={asAggregate ? "A figure that covers everything" : "A range, complete"}
      lead={about.data && <><bdi>{plain(about.data.property)}</bdi> of <Who did={about.data.thing} />, measured from {instant(Number(from))} to {instant(Number(until))} UTC. The tree over the series shows that nothing was left out.</>}
      aside={<>
        <a class="button" href={base} aria-current={asAggregate ? undefined : "page"}>Every reading</a>
        <a class="button" href={`${base}&as=aggregate`} aria-current={asAggregate ? "page" : undefined}>Count, smallest, largest</a>
      </>}
    >
      <div class="stack">
        {checked && <Shown checked={checked} />}
        <Card title="Checked in this browser" note={network.value ? <>ledger <Id id={network.value.ledger} /></> : ""}>
          <Await of={proof} lines={8}>{(bundle) => <Verification bundle={bundle} name={`${short(stream).slice(0, 6)}-${asAggregate ? "aggregate" : "range"}.proof`} onChecked={(done) => setResult({ of: bundle, checked: done })} />}</Await>
        </Card>
        {checked?.verified?.claim.kind === "range" && <Proven claim={checked.verified.claim} />}
      </div>
    </Page>
  );
}
