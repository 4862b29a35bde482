/** Which view an address shows. */

import { signal } from "./lib/state.ts";

export interface Route {
  view:
    | "overview" | "things" | "thing" | "reading" | "range" | "verify"
    | "sign" | "ledger" | "block" | "transaction" | "entity" | "access" | "contracts" | "contract" | "trigger" | "run" | "services" | "service" | "tokens" | "account" | "governance" | "links" | "procedures" | "operations" | "missing";
  /** The variable parts of the path. */
  parts: string[];
  query: URLSearchParams;
}

const ROUTES: [RegExp, Route["view"]][] = [
  [/^\/$/, "overview"],
  [/^\/things$/, "things"],
  [/^\/things\/([^/]+)$/, "thing"],
  [/^\/readings\/([0-9a-f]{64})\/(\d+)$/, "reading"],
  [/^\/ranges\/([0-9a-f]{64})$/, "range"],
  [/^\/verify$/, "verify"],
  [/^\/sign$/, "sign"],
  [/^\/ledger$/, "ledger"],
  [/^\/blocks\/(\d+)$/, "block"],
  [/^\/transactions\/([0-9a-f]{64})$/, "transaction"],
  [/^\/entities\/([^/]+)$/, "entity"],
  [/^\/access$/, "access"],
  [/^\/contracts$/, "contracts"],
  [/^\/contracts\/([^/]+)$/, "contract"],
  [/^\/triggers\/([0-9a-f]{64})$/, "trigger"],
  [/^\/triggers\/([0-9a-f]{64})\/runs\/(\d+)$/, "run"],
  [/^\/services$/, "services"],
  [/^\/services\/([0-9a-f]{64})$/, "service"],
  [/^\/tokens$/, "tokens"],
  [/^\/tokens\/([^/]+)$/, "account"],
  [/^\/governance$/, "governance"],
  [/^\/links$/, "links"],
  [/^\/procedures$/, "procedures"],
  [/^\/operations$/, "operations"],
];

/** The route of an address. */
export function match(path: string, search: string): Route {
  const query = new URLSearchParams(search);
  for (const [pattern, view] of ROUTES) {
    const found = pattern.exec(path);
    if (!found) continue;
    const parts = found.slice(1).map(decoded);
    if (parts.every((part) => part !== undefined)) return { view, parts: parts as string[], query };
  }
  return { view: "missing", parts: [], query };
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

export const route = signal<Route>(match("/", ""));

function read() {
  route.value = match(location.pathname, location.search);
}

/** Goes to an address of the dashboard. */
export function go(href: string, replace = false) {
  if (replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  read();
  if (!replace) scrollTo(0, 0);
}

/** Follows links within the dashboard without loading the page anew. */
export function start() {
  read();
  addEventListener("popstate", read);
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || event.defaultPrevented) return;
    if (link.origin !== location.origin || link.target || link.hasAttribute("download")) return;
    // A place on this page, such as the link past the navigation.
    if (link.getAttribute("href")?.startsWith("#")) return;
    if (match(link.pathname, link.search).view === "missing") return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}

/** Addresses of the views. */
export const href = {
  thing: (did: string) => `/things/${encodeURIComponent(did)}`,
  reading: (stream: string, seq: number) => `/readings/${stream}/${seq}`,
  range: (stream: string, from: number, until: number) => `/ranges/${stream}?from=${from}&until=${until}`,
  block: (height: number) => `/blocks/${height}`,
  /** With the block of what may be a run of a trigger, which has no transaction. */
  transaction: (id: string, height?: number) => `/transactions/${id}${height === undefined ? "" : `?block=${height}`}`,
  run: (trigger: string, height: number) => `/triggers/${trigger}/runs/${height}`,
  trigger: (id: string) => `/triggers/${id}`,
  service: (id: string) => `/services/${id}`,
  contract: (did: string) => `/contracts/${encodeURIComponent(did)}`,
  account: (did: string) => `/tokens/${encodeURIComponent(did)}`,
  entity: (did: string) => `/entities/${encodeURIComponent(did)}`,
};
