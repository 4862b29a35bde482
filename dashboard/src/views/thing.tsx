/** One thing: what it says, who answers for it, and how it came to be on the ledger. */

import { useEffect, useState } from "preact/hooks";
import { peer } from "../lib/client.ts";
import { batches, liveFirst, streamOf } from "../lib/feed.ts";
import { count, endless, plain, plural, quantity, unit } from "../lib/format.ts";
import { pastEvents } from "../lib/history.ts";
import type { Property, Reading, Stream, Thing } from "../lib/model.ts";
import { noteThing } from "../lib/names.ts";
import { eventTypes, has } from "../lib/offered.ts";
import { useQuery } from "../lib/query.ts";
import { href, type Route } from "../router.ts";
import { Ago, At, Await, Badge, Card, Fact, Facts, Height, Id, Page, Table, Who } from "../ui/basics.tsx";
import { Chart } from "../ui/chart.tsx";
import { Commands } from "../ui/commands.tsx";
import { Sealed } from "../ui/sealed.tsx";
import { StandingBadges, StandingCards, type Standing } from "../ui/standing.tsx";
import { Broken, StreamDetails } from "../ui/stream.tsx";
import { EventList } from "../ui/tagged.tsx";

/** Chart and figures follow new batches at most so often, and ask by themselves if they hear of none, ms. */
const [FOLLOW_MS, UNTOLD_MS] = [1000, 5000];
/** How often the thing itself is looked at: its status, owner and offer change rarely. */
const STANDING_MS = 3000;
const READINGS = 8;
const EVENTS = 50;
/** Events of a thing that are shown elsewhere, or are too many to list. */
const FREQUENT = new Set(["batch_accepted", "access_used", "status_reported", "command_queued", "command_changed"]);

/** Counts the news of a stream, at a bearable pace. */
function useNews(stream: string): number {
  const [news, setNews] = useState(0);
  useEffect(() => {
    let last = "";
    const timer = setInterval(() => {
      const cursor = batches.peek().find((one) => streamOf(one) === stream)?.cursor ?? "";
      if (cursor === last || document.hidden) return;
      if (last !== "" || cursor !== "") setNews((n) => n + 1);
      last = cursor;
    }, FOLLOW_MS);
    return () => clearInterval(timer);
  }, [stream]);
  return news;
}

function Latest({ stream, items }: { stream: Stream; items: readonly Reading[] }) {
  return (
    <Table label={`Latest readings of ${stream.property}`} head={["Number", <span class="end">Value</span>, "Measured (UTC)", "In block", "Proof"]}>
      {[...items].reverse().map((reading) => (
        <tr key={reading.seq}>
          <td>{count(reading.seq)}</td>
          <td><strong>{plain(quantity(reading.value, stream.kind, stream.unit, 8), 60)}</strong></td>
          <td><At time={reading.claimed} /></td>
          <td><Height height={reading.height} /></td>
          <td><a href={href.reading(stream.id, reading.seq)}>Verify</a></td>
        </tr>
      ))}
    </Table>
  );
}

function Missing({ stream }: { stream: Stream }) {
  const gaps = useQuery(`gaps ${stream.id} ${stream.gaps_open} ${stream.sealed}`, (signal) => peer.gaps(stream.id, { limit: 10 }, { signal }));
  if (stream.gaps_open === 0 && stream.sealed === 0) {
    return <p class="muted">No number is missing: {plural(stream.total?.count ?? 0, "reading")} in {plural(stream.batches, "batch", "batches")}.</p>;
  }
  return (
    <div class="gaps">
      <Badge tone="warn">missing</Badge>
      <ul>
        {gaps.data?.items.map((gap) => (
          <li key={gap.first_seq}>
            {gap.count === 1 ? `number ${count(gap.first_seq)}` : `numbers ${count(gap.first_seq)} to ${count(gap.last_seq)}`}
            {gap.open ? ", may still come" : ", given up"}
          </li>
        ))}
        {gaps.data?.next && <li>and more</li>}
      </ul>
    </div>
  );
}

function PropertyCard({ property }: { property: Property }) {
  const news = useNews(property.stream);
  const state = useQuery(
    `stream ${property.stream}`,
    async (signal) => {
      const [stream, latest] = await Promise.all([
        peer.stream(property.stream, { signal }),
        peer.latest(property.stream, { limit: READINGS }, { signal }),
      ]);
      // Under a grant the stream does not tell what it amounts to: that is asked for as a use of its own.
      if (!stream.total && latest.items.length > 0) {
        const [all] = (await peer.aggregates(property.stream, { buckets: 1 }, { signal })).items;
        if (all) stream.total = all.of;
      }
      return { stream, latest: latest.items };
    },
    UNTOLD_MS,
    news,
  );
  const last = state.data?.latest.at(-1);
  return (
    <Card
      class="property"
      title={
        <span class="property-title">
          <bdi>{plain(property.name, 60)}</bdi>
          {last && <span class="property-value">{plain(quantity(last.value, property.kind, property.unit), 60)}</span>}
        </span>
      }
      note={last ? <>in block <Height height={last.height} />, <Ago ms={last.ledger.ms} /> · <a href={href.reading(property.stream, last.seq)}>verify</a></> : `${property.kind}${unit(property.unit) ? `, ${unit(property.unit)}` : ""}`}
    >
      <Await of={state} lines={7}>
        {({ stream, latest }) => (
          <div class="stack">
            {stream.secrecy ? <Sealed stream={stream} /> : stream.kind === "number" || stream.kind === "boolean" ? <Chart stream={stream} /> : null}
            <Broken stream={stream.id} />
            {stream.batches > 0 && <Missing stream={stream} />}
            {stream.total && !stream.secrecy && <Facts>
              <Fact name="Smallest">{stream.total.min ? quantity(stream.total.min, stream.kind, stream.unit, 4) : "—"}</Fact>
              <Fact name="Mean">{stream.total.mean ? quantity(stream.total.mean, stream.kind, stream.unit, 4) : "—"}</Fact>
              <Fact name="Largest">{stream.total.max ? quantity(stream.total.max, stream.kind, stream.unit, 4) : "—"}</Fact>
              <Fact name="Every value is a multiple of">{stream.quantum}</Fact>
              <Fact name="Stream"><Id id={stream.id} /></Fact>
            </Facts>}
            {latest.length > 0 && (
              <details open={stream.kind === "text" || stream.kind === "bytes"}>
                <summary>Latest readings</summary>
                <Latest stream={stream} items={latest} />
              </details>
            )}
            <StreamDetails stream={stream} />
          </div>
        )}
      </Await>
    </Card>
  );
}

function Description({ thing }: { thing: Thing }) {
  const description = useQuery(`description ${thing.id} ${thing.version}`, async (signal) => {
    const bytes = await peer.description(thing.id, {}, { signal });
    const text = new TextDecoder().decode(bytes);
    // Browsers compute digests for pages that come over HTTPS or from this machine only.
    if (!isSecureContext) return { text: pretty(text), same: undefined };
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
    const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return { text: pretty(text), same: hex === thing.description_digest };
  });
  return (
    <Card
      title="Thing Description"
      note={<>version {thing.version}, SHA-256 <Id id={thing.description_digest} /> {description.data?.same !== undefined && (description.data.same ? <Badge tone="good">is the one on the ledger</Badge> : <Badge tone="bad">differs from the ledger's</Badge>)}</>}
    >
      <Await of={description}>{({ text }) => <pre tabIndex={0} aria-label="Thing Description">{text}</pre>}</Await>
    </Card>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** Everything that happened to the thing itself; its readings are above. */
function History({ thing }: { thing: Thing }) {
  const type = [...eventTypes.value].filter((one) => !FREQUENT.has(one)).join();
  const events = useQuery(`history ${thing.id} ${type === ""}`, (signal) => (type === "" ? Promise.resolve([]) : pastEvents({ thing: thing.id, type, after: "0-0-0" }, EVENTS, signal)));
  return (
    <Card title="Registration and bindings" note="as the ledger has them">
      <Await of={events}>{(found) => (found.length === 0 ? <p class="empty">Nothing.</p> : <EventList events={[...found].reverse()} />)}</Await>
    </Card>
  );
}

export function ThingPage({ route }: { route: Route }) {
  const id = route.parts[0] ?? "";
  const thing = useQuery(`thing ${id}`, async (signal) => {
    const found = await peer.thing(id, { signal });
    noteThing(found);
    return found;
  }, STANDING_MS);
  return (
    <Await of={thing} lines={8}>
      {(found) => (
        <Page
          title={<bdi>{plain(found.title || found.name, 120)}</bdi>}
          lead={<>
            <bdi>{plain(found.name)}</bdi> of <Who did={found.owner} />{" "}
            {found.active ? <Badge tone="good">active</Badge> : <Badge tone="bad">retired</Badge>}{" "}
            <StandingBadges standing={found as Standing} />{" "}
            {found.types.map((type) => <Badge key={type}>{plain(type, 40)}</Badge>)}{" "}
            {found.tags?.map((tag) => <a key={tag} class="tag" href={`/things?tag=${encodeURIComponent(tag)}`}><bdi>{plain(tag, 40)}</bdi></a>)}
          </>}
        >
          <div class="stack">
            {liveFirst(found.properties).map((property) => <PropertyCard key={property.stream} property={property} />)}
            {has("/v1/things/{id}/commands") && <Commands thing={found} />}
            {has("/v1/things/{id}/commands") && <StandingCards thing={found} standing={found as Standing} />}
            <div class="columns">
              <Card title="Who answers for it">
                <Facts>
                  <Fact name="Owner"><Who did={found.owner} /></Fact>
                  <Fact name="May submit for it">
                    {found.bindings.length === 0 ? "its owner alone" : found.bindings.map((binding) => (
                      <div key={binding.gateway}>
                        <Who did={binding.gateway} /> <span class="muted">{endless(binding.until_height) ? "without end" : `until block ${count(binding.until_height)}`}</span>
                      </div>
                    ))}
                  </Fact>
                  <Fact name="Id"><Id id={found.id} /></Fact>
                  <Fact name="Version of its description">{found.version}</Fact>
                </Facts>
              </Card>
              <History thing={found} />
            </div>
            <Description thing={found} />
          </div>
        </Page>
      )}
    </Await>
  );
}
