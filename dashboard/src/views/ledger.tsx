/** The ledger as it is: blocks, what happened, who acts. */

import { useEffect, useState } from "preact/hooks";
import { peer } from "../lib/client.ts";
import { count, plain, plural } from "../lib/format.ts";
import { BACK, useHappened } from "../lib/happened.ts";
import type { BlockSummary, Entity } from "../lib/model.ts";
import { noteEntity } from "../lib/names.ts";
import { blocks, network, status } from "../lib/network.ts";
import { eventTypes } from "../lib/offered.ts";
import { useQuery } from "../lib/query.ts";
import { go, href, type Route } from "../router.ts";
import { At, Await, Badge, Card, Height, Id, Page, Table, Who } from "../ui/basics.tsx";
import { EventList } from "../ui/tagged.tsx";
import { Vouchers } from "./joining.tsx";

const PAGE = 50;
const EVENTS = 100;

function BlockRows({ items }: { items: readonly BlockSummary[] }) {
  return (
    <Table label="Blocks" head={["Height", "Time (UTC)", "Proposed by", "Transactions", "Digest"]}>
      {items.map((block) => (
        <tr key={block.height}>
          <td><Height height={block.height} /></td>
          <td><At time={block.time} /></td>
          <td>{block.proposer_peer ? <Who did={block.proposer_peer} /> : <span class="muted">genesis</span>}</td>
          <td>{block.transactions === 0 ? <span class="muted">none</span> : count(block.transactions)}</td>
          <td><Id id={block.digest} link={href.block(block.height)} /></td>
        </tr>
      ))}
    </Table>
  );
}

function Blocks({ before }: { before: number | undefined }) {
  const page = useQuery(`blocks ${before}`, (signal) => peer.blocks({ limit: PAGE, ...(before === undefined ? {} : { before }) }, { signal }));
  // The first page goes on by itself.
  const items = before === undefined && blocks.value.length > 0 ? joined(blocks.value, page.data?.items ?? []) : (page.data?.items ?? []);
  const last = items.at(-1)?.height ?? 0;
  return (
    <Card title={before === undefined ? "Newest blocks" : `Blocks below ${count(before)}`} note={status.value && `${count(status.value.height)} in all`}>
      {items.length === 0 ? <Await of={page}>{() => <p class="empty">No blocks.</p>}</Await> : <BlockRows items={items} />}
      <div class="row pager">
        {before !== undefined && <a class="button small" href="/ledger">Newest</a>}
        {last > 0 && <a class="button small" href={`/ledger?before=${last}`}>Older</a>}
      </div>
    </Card>
  );
}

/** Newer blocks before older ones, each once. */
function joined(newer: readonly BlockSummary[], older: readonly BlockSummary[]): BlockSummary[] {
  const lowest = newer.at(-1)?.height ?? 0;
  return [...newer, ...older.filter((block) => block.height < lowest)].slice(0, PAGE);
}

const KINDS = ["", "organisation", "peer", "gateway", "device", "service", "person", "auditor"];

function Entities({ kind, name }: { kind: string; name: string }) {
  const [more, setMore] = useState<Entity[]>([]);
  const [next, setNext] = useState<string | undefined>(undefined);
  const query = { limit: PAGE, ...(kind ? { kind } : {}), ...(name ? { name } : {}) };
  const first = useQuery(`entities ${kind} ${name}`, async (signal) => {
    const page = await peer.entities(query, { signal });
    page.items.forEach(noteEntity);
    return page;
  });
  useEffect(() => {
    setMore([]);
    setNext(first.data?.next);
  }, [first.data]);
  const set = (field: string, value: string) => {
    const params = new URLSearchParams({ show: "entities", kind, name, [field]: value });
    for (const key of ["kind", "name"]) if (!params.get(key)) params.delete(key);
    go(`/ledger?${params}`, true);
  };
  const loadMore = async () => {
    if (next === undefined) return;
    const page = await peer.entities({ ...query, after: next });
    page.items.forEach(noteEntity);
    setMore((old) => [...old, ...page.items]);
    setNext(page.next);
  };
  return (
    <Card title="Whoever acts" note="organisations, their peers, gateways, devices and people">
      <div class="filters">
        <label class="field"><span>Name</span><input type="text" value={name} placeholder="contains…" onInput={(event) => set("name", event.currentTarget.value)} /></label>
        <label class="field">
          <span>Kind</span>
          <select value={kind} onChange={(event) => set("kind", event.currentTarget.value)}>
            {KINDS.map((one) => <option key={one} value={one}>{one || "any"}</option>)}
          </select>
        </label>
      </div>
      <Await of={first}>
        {(page) => (
          <>
            <Table label="Entities" head={["Name", "Kind", "Owner", "Since block", "Key", "Id"]}>
              {[...page.items, ...more].map((entity) => (
                <tr key={entity.id}>
                  <td><a href={href.entity(entity.id)}><bdi>{plain(entity.name, 60)}</bdi></a> {!entity.active && <Badge tone="bad">revoked</Badge>}</td>
                  <td>{entity.kind}</td>
                  <td>{entity.owner ? <Who did={entity.owner} /> : <span class="muted">founding</span>}</td>
                  <td><Height height={entity.registered} /></td>
                  <td>version {entity.key_version}</td>
                  <td><Id id={entity.id} link={href.entity(entity.id)} /></td>
                </tr>
              ))}
            </Table>
            {next !== undefined && <div class="row pager"><button type="button" class="button small" onClick={() => void loadMore()}>More</button></div>}
          </>
        )}
      </Await>
    </Card>
  );
}

function Events() {
  return (
    <Card title="Events" note={`of the last ${count(BACK)} blocks, but for the batches of readings`}>
      <Await of={useHappened(EVENTS)} lines={8}>{(all) => (all.length === 0 ? <p class="empty">Nothing but readings.</p> : <EventList events={all} />)}</Await>
    </Card>
  );
}

export function Ledger({ route }: { route: Route }) {
  const show = route.query.get("show") ?? "blocks";
  const before = route.query.get("before");
  const genesis = network.value?.genesis;
  const tab = (name: string, title: string) => (
    <a href={name === "blocks" ? "/ledger" : `/ledger?show=${name}`} aria-current={show === name ? "page" : undefined}>{title}</a>
  );
  return (
    <Page
      title="Ledger"
      lead={genesis && <>{plural(genesis.organisations.length, "organisation")} founded <bdi>{plain(genesis.network, 40)}</bdi> ({genesis.mode}, {genesis.mechanism}) at {genesis.time.replace("T", " ").slice(0, 19)} UTC. Ledger <Id id={genesis.ledger} /></>}
    >
      <nav class="tabs" aria-label="Parts of the ledger">{tab("blocks", "Blocks")}{tab("events", "Events")}{tab("entities", "Entities")}{eventTypes.value.has("voucher_issued") && tab("vouchers", "Vouchers")}</nav>
      {show === "entities" ? (
        <Entities kind={route.query.get("kind") ?? ""} name={route.query.get("name") ?? ""} />
      ) : show === "events" ? (
        <Events />
      ) : show === "vouchers" ? (
        <Vouchers />
      ) : (
        <Blocks before={before && /^\d+$/.test(before) ? Number(before) : undefined} />
      )}
    </Page>
  );
}
