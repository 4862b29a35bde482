/** All things: a list that stays quick with ten thousand of them, and a map of those that are somewhere. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { peer } from "../lib/client.ts";
import { liveFirst } from "../lib/feed.ts";
import { count, plain, plural, quantity, unit } from "../lib/format.ts";
import type { Thing, ThingsQuery } from "../lib/model.ts";
import { noteThing } from "../lib/names.ts";
import { placed } from "../lib/places.ts";
import { network } from "../lib/network.ts";
import { now } from "../lib/now.ts";
import { turns } from "../lib/turns.ts";
import { go, href, type Route } from "../router.ts";
import { Badge, Page, Who, Wrong } from "../ui/basics.tsx";
import { PlacesMap } from "../ui/map.tsx";

/** Height of a row, as in the style sheet, px. */
const ROW = 62;
/** Rows drawn above and below those in sight. */
const BEYOND = 6;
/** Most things a page of the interface holds, and most that are listed here. */
const PAGE = 200;
const LISTED_MAX = 50_000;
/** How long typing or scrolling must rest before the peer is asked, ms. */
const REST_MS = 180;
const REFRESH_MS = 3000;

interface Listed {
  key: string;
  things: Thing[];
  /** Whether these are all. */
  all: boolean;
  error?: Error;
}

/** Begins to ask once typing and scrolling rest; gives what ends it. */
function rested(act: (signal: AbortSignal) => Promise<unknown>, everyMs?: number): () => void {
  let end: (() => void) | undefined;
  const timer = setTimeout(() => {
    end = turns(act, everyMs).end;
  }, REST_MS);
  return () => {
    clearTimeout(timer);
    end?.();
  };
}

/** Fetches page after page, so that the list can be scrolled to its end. */
function useThings(query: ThingsQuery): Listed {
  const key = JSON.stringify(query);
  const [listed, setListed] = useState<Listed>({ key, things: [], all: false });
  useEffect(() => {
    const fetchAll = async (signal: AbortSignal) => {
      const things: Thing[] = [];
      let after: string | undefined;
      do {
        const page = await peer.things({ ...query, limit: PAGE, ...(after === undefined ? {} : { after }) }, { signal });
        things.push(...page.items);
        after = page.next ?? undefined;
        setListed({ key, things: things.slice(), all: after === undefined });
      } while (after !== undefined && things.length < LISTED_MAX);
    };
    return rested((signal) => fetchAll(signal).catch((error: unknown) => {
      if (!signal.aborted) setListed((old) => ({ ...old, key, error: error as Error }));
      throw error;
    }));
  }, [key]);
  return listed;
}

/** The present values of the things in sight. */
function useValues(ids: string[]): Map<string, Thing> {
  const [values, setValues] = useState(new Map<string, Thing>());
  const key = ids.join();
  useEffect(() => {
    const look = async (signal: AbortSignal) => {
      const fresh = await Promise.all(ids.map((id) => peer.thing(id, { signal }).catch(() => undefined)));
      if (signal.aborted) return;
      const there = fresh.filter((thing) => thing !== undefined);
      there.forEach(noteThing);
      setValues(new Map(there.map((thing) => [thing.id, thing])));
    };
    return rested(look, REFRESH_MS);
  }, [key]);
  return values;
}

function Values({ thing, fresh }: { thing: Thing; fresh: Thing | undefined }) {
  const properties = liveFirst((fresh ?? thing).properties);
  if (properties.length === 0) return <span class="muted">no properties</span>;
  return (
    <>
      {properties.slice(0, 3).map((property) => (
        <span class="thing-value" key={property.stream}>
          <span class="muted">{plain(property.name, 24)}</span>
          <strong>
            {property.latest
              ? plain(quantity(property.latest.reading.value, property.kind, property.unit), 24)
              : fresh ? <span class="muted">no reading</span> : unit(property.unit) || "…"}
          </strong>
        </span>
      ))}
      {properties.length > 3 && <span class="muted">+{properties.length - 3}</span>}
    </>
  );
}

/** How long ago the peer took the newest reading in. */
function Fresh({ fresh }: { fresh: Thing | undefined }) {
  const newest = Math.max(0, ...(fresh?.properties ?? []).map((one) => one.latest?.reading.ledger.ms ?? 0));
  if (newest === 0) return null;
  const age = now.value - newest;
  return <Badge tone={age < 60_000 ? "good" : "plain"}>{age < 60_000 ? "live" : "quiet"}</Badge>;
}

function List({ listed }: { listed: Listed }) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(700);
  const wanted = useRef<number | undefined>(undefined);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const { things } = listed;
  const first = Math.max(0, Math.floor(top / ROW) - BEYOND);
  const last = Math.min(things.length, Math.ceil((top + height) / ROW) + BEYOND);
  const rows = things.slice(first, last);
  const seen = things.slice(Math.floor(top / ROW), Math.ceil((top + height) / ROW)).map((thing) => thing.id);
  const values = useValues(seen);
  const focusRow = (index: number) => {
    const element = box.current;
    if (!element || index < 0 || index >= things.length) return;
    const y = index * ROW;
    if (y < element.scrollTop) element.scrollTop = y;
    if (y + ROW > element.scrollTop + element.clientHeight) element.scrollTop = y + ROW - element.clientHeight;
    wanted.current = index;
    setTop(element.scrollTop);
    take();
  };
  // The row may be drawn only after the scrolling.
  const take = () => {
    const link = box.current?.querySelector<HTMLElement>(`[data-row="${wanted.current}"]`);
    if (!link) return;
    wanted.current = undefined;
    link.focus({ preventScroll: true });
  };
  useEffect(() => {
    if (wanted.current !== undefined) take();
  });
  const onKeyDown = (event: KeyboardEvent) => {
    const at = Number((event.target as HTMLElement).closest<HTMLElement>("[data-row]")?.dataset["row"] ?? -1);
    const page = Math.max(1, Math.floor(height / ROW) - 1);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: Math.min(at + page, things.length - 1), PageUp: Math.max(0, at - page), Home: 0, End: things.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    focusRow(to);
  };
  return (
    <div class="thing-list" ref={box} onScroll={(event) => setTop(event.currentTarget.scrollTop)} onKeyDown={onKeyDown} tabIndex={things.length > 0 ? -1 : 0} aria-label="Things" role="region">
      <ul style={{ height: `${things.length * ROW}px` }}>
        {rows.map((thing, at) => {
          const index = first + at;
          const fresh = values.get(thing.id);
          return (
            <li key={thing.id} style={{ top: `${index * ROW}px` }} aria-setsize={listed.all ? things.length : -1} aria-posinset={index + 1}>
              <a href={href.thing(thing.id)} data-row={index} class="thing-row">
                <span class="thing-name">
                  <bdi>{plain(thing.title || thing.name, 80)}</bdi>
                  <span class="muted"><bdi>{plain(thing.name, 60)}</bdi> · <Who did={thing.owner} bare />{thing.tags?.map((one) => <> · <bdi>{plain(one, 24)}</bdi></>)}</span>
                </span>
                <span class="thing-values"><Values thing={thing} fresh={fresh} /></span>
                <span class="thing-state">{thing.active ? <Fresh fresh={fresh} /> : <Badge tone="bad">retired</Badge>}</span>
              </a>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

export function Things({ route }: { route: Route }) {
  const name = route.query.get("name") ?? "";
  const owner = route.query.get("owner") ?? "";
  const property = route.query.get("property") ?? "";
  const tag = route.query.get("tag") ?? "";
  const query: ThingsQuery = { ...(name ? { name } : {}), ...(owner ? { owner } : {}), ...(property ? { property } : {}), ...(tag ? { tag } : {}) };
  const listed = useThings(query);
  const set = (field: string, value: string) => {
    const next = new URLSearchParams(route.query);
    if (value) next.set(field, value);
    else next.delete(field);
    const text = next.toString();
    go(`/things${text ? `?${text}` : ""}`, true);
  };
  const current = listed.key === JSON.stringify(query);
  const places = useMemo(() => listed.things.flatMap((thing) => placed(thing) ?? []), [listed.things]);
  const onMap = route.query.get("show") === "map" && places.length > 0;
  const shown = (way: string) => {
    const next = new URLSearchParams(route.query);
    if (way === "map") next.set("show", way);
    else next.delete("show");
    return `/things${next.size > 0 ? `?${next}` : ""}`;
  };
  const filtered = Boolean(name || owner || property || tag);
  const organisations = network.value?.genesis.organisations ?? [];
  return (
    <Page
      title="Things"
      lead="Devices and virtual things that their owners have registered, each described by a W3C Thing Description whose digest is on the ledger."
    >
      <div class="filters" role="search" aria-label="Filter things">
        <label class="field"><span>Name</span><input type="text" value={name} placeholder="contains…" spellcheck={false} onInput={(event) => set("name", event.currentTarget.value)} /></label>
        <label class="field"><span>Property</span><input type="text" value={property} placeholder="such as temperature" spellcheck={false} onInput={(event) => set("property", event.currentTarget.value)} /></label>
        <label class="field"><span>Tag</span><input type="text" value={tag} placeholder="a whole one" spellcheck={false} onInput={(event) => set("tag", event.currentTarget.value)} /></label>
        <label class="field">
          <span>Owner</span>
          <select value={owner} onChange={(event) => set("owner", event.currentTarget.value)}>
            <option value="">anyone</option>
            {organisations.map((one) => <option key={one.id} value={one.id}>{plain(one.name, 60)}</option>)}
          </select>
        </label>
        <p class="muted tally" role="status">
          {listed.things.length === 0 && !listed.all ? "…" : plural(listed.things.length, "thing")}
          {!listed.all && listed.things.length > 0 && (listed.things.length < LISTED_MAX ? " so far" : `; narrow the filter to see beyond ${count(LISTED_MAX)}`)}
        </p>
      </div>
      {listed.error && <Wrong error={listed.error} />}
      {places.length > 0 && (
        <nav class="tabs" aria-label="Ways to look at things">
          <a href={shown("list")} aria-current={onMap ? undefined : "page"}>List</a>
          <a href={shown("map")} aria-current={onMap ? "page" : undefined}>Map, {count(places.length)} placed</a>
        </nav>
      )}
      {current && listed.all && listed.things.length === 0 ? (
        <p class="empty">{filtered ? "No thing fits this filter." : "No thing is registered yet. An owner registers one with `althing thing register`."}</p>
      ) : onMap ? (
        <PlacesMap places={places} />
      ) : (
        <List listed={listed} />
      )}
    </Page>
  );
}
