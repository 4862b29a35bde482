/** The frame around every page: name, navigation, search, whether the peer answers. */

import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { contact, readsAs } from "./lib/client.ts";
import { elsewhere } from "./lib/elsewhere.ts";
import { count, duration, plain } from "./lib/format.ts";
import { network, peers, status } from "./lib/network.ts";
import { now } from "./lib/now.ts";
import { has, learn } from "./lib/offered.ts";
import { href, route, type Route } from "./router.ts";
import { Loading, Page, Who, Wrong } from "./ui/basics.tsx";
import { Search } from "./ui/search.tsx";
import { ThemeButton } from "./ui/theme.tsx";
import { Overview } from "./views/overview.tsx";

type View = ComponentType<{ route: Route }>;

interface Destination {
  path: string;
  name: string;
  views: Route["view"][];
  icon: string;
  /** The path of the interface without which there is nothing to see. */
  needs?: string;
}

const NAVIGATION: Destination[] = [
  { path: "/", name: "Overview", views: ["overview"], icon: "M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15M10 7.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5" },
  { path: "/things", name: "Things", views: ["things", "thing", "reading", "range"], icon: "M2.5 13.5 6.5 9l3 3 4-6.5 4 5M2.5 17h15" },
  { path: "/ledger", name: "Ledger", views: ["ledger", "block", "transaction", "entity"], icon: "M3 3h6v6H3zm8 8h6v6h-6zM9 6h5v5M6 9v5h5" },
  { path: "/access", name: "Access", views: ["access"], needs: "/v1/access/grants", icon: "M5 9V6.500a5 5 0 0 1 10 0V9M4 9h12v8H4zM10 12v2" },
  { path: "/contracts", name: "Contracts", views: ["contracts", "contract"], needs: "/v1/contracts", icon: "M5 2.500h7l3.500 3.500v11.500H5zM8 10h5M8 13h5" },
  { path: "/governance", name: "Governance", views: ["governance"], needs: "/v1/governance", icon: "M4 17h12M5 14V8m5 6V8m5 6V8M10 2.500 3 6.500h14z" },
  { path: "/procedures", name: "Procedures", views: ["procedures"], icon: "M4 3v14M16 3v14M4 7h12m0 0-3-2m3 2-3 2M16 13H4m0 0 3-2m-3 2 3 2" },
  { path: "/operations", name: "Operations", views: ["operations"], icon: "M3 11h3l2-6 4 11 2-5h3" },
  { path: "/verify", name: "Verify", views: ["verify"], icon: "M10 2.5 16.5 5v5c0 4-2.7 6.600-6.500 7.500C6.200 16.600 3.500 14 3.500 10V5zM7 10l2.200 2.200L13.200 8" },
];

/** Most other peers that are offered when this one is silent. */
const ELSEWHERE_MAX = 4;

const pages = signal<Partial<Record<Route["view"], View>>>({ overview: Overview });
const failed = signal<Error | undefined>(undefined);

/** Fetches the other pages, which is once. */
function fetchPages() {
  failed.value = undefined;
  import("./views/index.ts").then(
    (others) => {
      pages.value = { overview: Overview, ...others };
    },
    () => {
      failed.value = new Error("This page could not be fetched from the peer. Try again when the peer answers.");
    },
  );
}

/** Fetches them while there is nothing else to do, so that they work when the network does not. */
export function fetchAhead() {
  setTimeout(fetchPages, 1500);
  learn();
}

function Missing() {
  return (
    <Page title="There is no such page" lead="The address may be mistyped, or from another version.">
      <p><a href="/">To the overview</a></p>
    </Page>
  );
}

function Body() {
  const current = route.value;
  const View = pages.value[current.view];
  useEffect(() => {
    if (!View) fetchPages();
  }, [current.view]);
  if (current.view === "missing") return <Missing />;
  if (View) return <View route={current} />;
  return failed.value ? <Wrong error={failed.value} /> : <Loading lines={6} />;
}

function Mark() {
  const stones = Array.from({ length: 6 }, (_, at) => (at * Math.PI) / 3 - Math.PI / 2);
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      {stones.map((angle) => (
        <circle key={angle} cx={16 + 11 * Math.cos(angle)} cy={16 + 11 * Math.sin(angle)} r="2.8" />
      ))}
      <circle class="heart" cx="16" cy="16" r="4" />
    </svg>
  );
}

/** Says when the peer does not answer, and that what is shown is old. */
function Contact() {
  const { up, since } = contact.value;
  if (up) return null;
  const height = status.value?.height;
  void route.value;
  const others = elsewhere(peers.value, location.pathname + location.search);
  return (
    <div class="lost" role="alert">
      <strong>This peer has not answered for {duration(now.value - since)}.</strong>{" "}
      {height !== undefined && <>What you see is as of block {count(height)}. </>}
      It is asked again every second, and bundles can still be verified here.{" "}
      {others.length === 0
        ? "The other peers of the network serve the same pages."
        : <>The others hold the same ledger. Go on at {others.slice(0, ELSEWHERE_MAX).map(({ peer, link }, at) => (
            <>{at > 0 && ", "}<a key={peer.key} href={link}><bdi>{plain(peer.name, 32)}</bdi> of <bdi>{plain(peer.organisation_name, 32)}</bdi></a></>
          ))}.</>}
    </div>
  );
}

/** Says under whose name one reads, for that is more than anybody sees, and uses are recorded. */
function Reader() {
  const reader = readsAs.value;
  return reader ? <aside class="reader" aria-label="Who reads">This peer is told that <Who did={reader.entity} /> reads{reader.purpose && <>, for <q><bdi>{plain(reader.purpose, 64)}</bdi></q></>}. <a href="/sign">Change that</a></aside> : null;
}

function Pulse() {
  const state = status.value;
  const up = contact.value.up;
  return (
    <div class={`pulse ${up ? "up" : "down"}`} title={up ? "This peer answers" : "This peer does not answer"}>
      <span class="dot" aria-hidden="true" />
      <span class="pulse-name"><bdi>{plain(network.value?.network ?? state?.network ?? "…", 32)}</bdi></span>
      {state && <a class="pulse-height" href={href.block(state.height)} aria-label={`Block ${count(state.height)}`}>{count(state.height)}</a>}
    </div>
  );
}

export function App() {
  const main = useRef<HTMLElement>(null);
  const current = route.value;
  const [announced, announce] = useState("");
  const key = current.view + current.parts.join("/");
  // A page that is still on its way takes the focus when it is there; others that arrive do not.
  const ready = current.view in pages.value;
  const first = useRef(true);
  useEffect(() => {
    const moved = !first.current;
    first.current = false;
    const arrive = (heading: HTMLElement) => {
      const title = heading.textContent ?? "";
      document.title = current.view === "overview" ? "Althing" : `${title} · Althing`;
      if (!moved) return;
      heading.focus({ preventScroll: true });
      announce(title);
    };
    const element = main.current;
    const heading = element?.querySelector("h1");
    if (!element || heading) return heading ? arrive(heading) : undefined;
    // Its heading comes with the answer of the peer.
    const observer = new MutationObserver(() => {
      const late = element.querySelector("h1");
      if (!late) return;
      observer.disconnect();
      arrive(late);
    });
    observer.observe(element, { childList: true, subtree: true });
    return () => observer.disconnect();
  }, [key, ready]);
  return (
    <>
      <a class="skip" href="#main">To the content</a>
      <header class="top">
        <a class="brand" href="/" aria-label="Althing, overview"><Mark /><span>Althing</span></a>
        <nav aria-label="Pages">
          {NAVIGATION.filter((item) => item.needs === undefined || has(item.needs)).map((item) => (
            <a key={item.path} href={item.path} aria-current={item.views.includes(current.view) ? "page" : undefined}>
              <svg viewBox="0 0 20 20" aria-hidden="true"><path d={item.icon} /></svg>
              <span>{item.name}</span>
            </a>
          ))}
        </nav>
        <div class="top-right">
          <Search />
          <Pulse />
          <a class="icon-button" href="/sign" aria-label="Sign with your key" title="Sign with your key" aria-current={current.view === "sign" ? "page" : undefined}>
            <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M12.500 3.500a4 4 0 1 1-3 6.700L3.500 16v1.500H6v-2h2v-2l1.700-1.600M13.500 6.500h.01" /></svg>
          </a>
          <ThemeButton />
        </div>
      </header>
      <Contact />
      <Reader />
      <main id="main" ref={main} tabIndex={-1}><Body /></main>
      <footer>
        <span>Althing {status.value?.version ?? ""}: a blockchain of things after ITU-T Y.4464</span>
        <span><a href="/openapi.json" target="_blank" rel="noopener">Interface</a> · <a href="/metrics" target="_blank" rel="noopener">Metrics</a></span>
      </footer>
      <div class="hidden" aria-live="polite">{announced}</div>
    </>
  );
}

