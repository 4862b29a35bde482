/** A reading, or a range of them, with its proof checked in the browser. */

import { valueText, type VerifiedRange } from "althing/verify";
import { useState } from "preact/hooks";
import type { Checked } from "../lib/check.ts";
import { peer } from "../lib/client.ts";
import { count, duration, instant, plain, plural, quantity, short } from "../lib/format.ts";
import { anchored } from "../lib/genesis.ts";
import type { Reading } from "../lib/model.ts";
import { network, peerOfKey } from "../lib/network.ts";
import { useQuery } from "../lib/query.ts";
import { href, type Route } from "../router.ts";
import { At, Await, Card, Fact, Facts, Height, Id, Page, Who } from "../ui/basics.tsx";
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

export function ReadingPage({ route }: { route: Route }) {
  const stream = route.parts[0] ?? "";
  const seq = Number(route.parts[1]);
  const facts = useQuery(`reading ${stream} ${seq}`, async (signal) => {
    const [about, found] = await Promise.all([
      peer.stream(stream, { signal }),
      peer.readings(stream, { first_seq: seq, last_seq: seq }, { signal }),
    ]);
    const reading = found.items[0];
    const [thing, block] = await Promise.all([
      peer.thing(about.thing, { signal }),
      reading ? peer.block(reading.height, { limit: 200 }, { signal }) : undefined,
    ]);
    return { about, reading, thing, block, missing: (found.unavailable?.length ?? 0) > 0 };
  });
  const proof = useProof(`proof ${stream} ${seq}`, (signal) => peer.proveReading(stream, seq, { signal }));
  const [checked, setChecked] = useState<Checked | undefined>(undefined);
  const transaction = checked?.verified?.claim.kind === "reading" ? checked.verified.claim.transaction : undefined;
  return (
    <Await of={facts} lines={8}>
      {({ about, reading, thing, block, missing }) => (
        <Page
          title={reading ? <span class="big-value">{plain(quantity(reading.value, about.kind, about.unit, about.scale), 200)}</span> : "No such reading here"}
          lead={<><bdi>{plain(about.property)}</bdi> of <Who did={thing.id} />, number {count(seq)}. Owner: <Who did={thing.owner} /></>}
          aside={reading && (
            <>
              {seq > 0 && <a class="button" href={href.reading(stream, seq - 1)}>← Earlier</a>}
              {seq + 1 < about.next_seq && <a class="button" href={href.reading(stream, seq + 1)}>Later →</a>}
            </>
          )}
        >
          {!reading ? (
            <p class="empty">{missing ? "The ledger has it, but this peer does not hold its data (yet). Ask another peer." : `Number ${count(seq)} is missing from this stream: it did not come.`}</p>
          ) : (
            <div class="stack">
              <Times reading={reading} />
              <div class="beside">
              <Card title="Checked in this browser" note="no trust in the peer that sent it">
                <Await of={proof} lines={10}>{(bundle) => <Verification bundle={bundle} name={`${short(stream).slice(0, 6)}-${seq}.proof`} onChecked={setChecked} />}</Await>
              </Card>
              <Card title="Where it stands">
                <Facts>
                  <Fact name="Block"><Height height={reading.height} />{block && <> proposed by {block.proposer_peer ? <Who did={block.proposer_peer} /> : "the genesis"}</>}</Fact>
                  <Fact name="Signed by">{block?.signers.map((key, at) => <span key={key}>{at > 0 && ", "}<bdi>{plain(peerOfKey(key)?.name ?? short(key))}</bdi></span>)}</Fact>
                  <Fact name="Batch">{count(reading.leaf)} of the stream</Fact>
                  <Fact name="Stream"><Id id={stream} /></Fact>
                  {transaction && <Fact name="Transaction"><Id id={transaction} link={href.transaction(transaction)} /></Fact>}
                  <Fact name="Exact value"><code>{plain(reading.value, 200)}</code></Fact>
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
