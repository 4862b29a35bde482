/** Any answer of the interface, each field shown by what its name says it is: for what no page has a form of its own. */

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { bytes, count, duration, endless, plain, words } from "../lib/format.ts";
import { useQuery } from "../lib/query.ts";
import { href } from "../router.ts";
import { At, Await, Badge, Fact, Facts, Height, Id, Who } from "./basics.tsx";

type Fields = Record<string, unknown>;

/** How deep values within values are shown. */
const DEPTH_MAX = 4;
/** How many of a list are shown. */
const LIST_MAX = 50;
/** Longer texts have lines of their own. */
const INLINE_MAX = 120;

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
const isEmpty = (value: unknown) => value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);

function textOf(name: string, value: string): ComponentChildren {
  if (value.startsWith("did:")) return <Who did={value} />;
  if (/^[0-9a-f]{64}$/.test(value)) return /transaction|link|pending/.test(name) ? <Id id={value} link={href.transaction(value)} /> : <Id id={value} />;
  if (value.length > INLINE_MAX || value.includes("\n")) return <pre class="stored" tabIndex={0} aria-label={words(name)}>{value}</pre>;
  return <bdi>{plain(value, INLINE_MAX)}</bdi>;
}

function numberOf(name: string, value: number): ComponentChildren {
  if (/height$/.test(name) || name === "registered") return endless(value) ? "without end" : <Height height={value} />;
  if (/_ms$/.test(name)) return duration(value);
  if (/(^|_)bytes(_|$)/.test(name)) return bytes(value);
  return endless(value) ? "without bound" : count(value);
}

/** One value, by the name of its field. */
export function Value({ name, value, depth = 0 }: { name: string; value: unknown; depth?: number }) {
  if (isEmpty(value)) return <span class="muted">—</span>;
  if (typeof value === "string") return <>{textOf(name, value)}</>;
  if (typeof value === "number") return <>{numberOf(name, value)}</>;
  if (typeof value === "boolean") return <Badge tone={value ? "good" : "plain"}>{value ? "yes" : "no"}</Badge>;
  if (depth >= DEPTH_MAX) return <code>{plain(JSON.stringify(value), INLINE_MAX)}</code>;
  if (Array.isArray(value)) {
    const [first] = value as unknown[];
    const shown = (value as unknown[]).slice(0, LIST_MAX);
    const more = value.length > shown.length && <span class="muted"> and {count(value.length - shown.length)} more</span>;
    if (!isFields(first)) return <>{shown.map((one, at) => <span key={at}>{at > 0 && ", "}<Value name={name} value={one} depth={depth + 1} /></span>)}{more}</>;
    return <><ol class="nested">{shown.map((one, at) => <li key={at}><Value name={name} value={one} depth={depth + 1} /></li>)}</ol>{more}</>;
  }
  const fields = value as Fields;
  if (typeof fields["ms"] === "number" && typeof fields["utc"] === "string") return <At time={{ ms: fields["ms"], utc: fields["utc"] }} />;
  return <Record of={fields} depth={depth + 1} />;
}

/** The fields of a record but for those that are shown elsewhere. */
export function Record({ of, but = [], depth = 0 }: { of: object; but?: readonly string[]; depth?: number }) {
  const shown = Object.entries(of).filter(([name, value]) => !but.includes(name) && !isEmpty(value));
  return <Facts>{shown.map(([name, value]) => <Fact key={name} name={words(name).replace(/ ms$/, "")}><Value name={name} value={value} depth={depth} /></Fact>)}</Facts>;
}

interface PageOf<T> {
  items: T[];
  next?: string | undefined;
}

/** How many come at once, and how often the newest are asked for, ms. */
const ITEMS = 20;
const EVERY_MS = 3000;

/** A list of the interface, page by page, asked for again while one looks at its beginning. */
export function List<T extends object>(props: {
  name: string;
  ask: (page: { limit: number; after?: string }, options: { signal?: AbortSignal }) => Promise<PageOf<T>>;
  empty: ComponentChildren;
  children: (item: T) => ComponentChildren;
}) {
  const [more, setMore] = useState<T[]>([]);
  const [next, setNext] = useState<string | undefined>(undefined);
  const first = useQuery(props.name, (signal) => props.ask({ limit: ITEMS }, { signal }), more.length === 0 ? EVERY_MS : undefined);
  useEffect(() => {
    setMore([]);
    setNext(first.data?.next);
  }, [props.name, first.data?.next]);
  const loadMore = async () => {
    const page = await props.ask({ limit: ITEMS, ...(next === undefined ? {} : { after: next }) }, {});
    setMore((old) => [...old, ...page.items]);
    setNext(page.next);
  };
  return (
    <Await of={first} lines={4}>
      {(page) =>
        page.items.length === 0 ? <p class="empty">{props.empty}</p> : (
          <>
            <ul class="entries">{[...page.items, ...more].map((item, at) => <li key={at}>{props.children(item)}</li>)}</ul>
            {next !== undefined && <div class="row pager"><button type="button" class="button small" onClick={() => void loadMore()}>More</button></div>}
          </>
        )}
    </Await>
  );
}
