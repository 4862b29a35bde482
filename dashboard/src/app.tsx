/** The frame around every page: name, navigation, search, whether the peer answers. */

import { signal } from "./lib/state.ts";
import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import icons from "./icons.svg";
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
  /** The path of the interface without which there is nothing to see. */
  needs?: string;
}

const NAVIGATION: Destination[] = [
  { path: "/", name: "Overview", views: ["overview"] },
  { path: "/things", name: "Things", views: ["things", "thing", "reading", "range"] },
  { path: "/ledger", name: "Ledger", views: ["ledger", "block", "transaction", "entity"] },
  { path: "/access", name: "Access", views: ["access"], needs: "/v1/access/grants" },
  { path: "/contracts", name: "Contracts", views: ["contracts", "contract", "trigger", "run"], needs: "/v1/contracts" },
  { path: "/services", name: "Services", views: ["services", "service"], needs: "/v1/services" },
  { path: "/tokens", name: "Tokens", views: ["tokens", "account"], needs: "/v1/supply" },
  { path: "/governance", name: "Governance", views: ["governance"], needs: "/v1/governance" },
  { path: "/links", name: "Links", views: ["links"], needs: "/v1/links" },
  { path: "/procedures", name: "Procedures", views: ["procedures"] },
  { path: "/operations", name: "Operations", views: ["operations"] },
  { path: "/verify", name: "Verify", views: ["verify"] },
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
  void learn();
}

function Icon({ name }: { name: string }) {
  return <svg viewBox="0 0 20 20" aria-hidden="true"><use href={`${icons}#${name.toLowerCase()}`} /></svg>;
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

/** By itself, since it follows the peer: the frame around it need not. */
function Version() {
  return <span>Althing {status.value?.version ?? ""}: a blockchain of things after ITU-T Y.4464</span>;
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
  // On a phone there are more links than fit, and more than at first.
  const all = has("/v1/governance");
  useEffect(() => document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }), [key, all]);
  return (
    <>
      <a class="skip" href="#main">To the content</a>
      <header class="top">
        <a class="brand" href="/" aria-label="Althing, overview"><Mark /><span>Althing</span></a>
        <nav aria-label="Pages">
          {NAVIGATION.filter((item) => item.needs === undefined || has(item.needs)).map((item) => (
            <a key={item.path} href={item.path} aria-current={item.views.includes(current.view) ? "page" : undefined}>
              <Icon name={item.name} />
              <span>{item.name}</span>
            </a>
          ))}
        </nav>
        <div class="top-right">
          <Search />
          <Pulse />
          <a class="icon-button" href="/sign" aria-label="Sign with your key" title="Sign with your key" aria-current={current.view === "sign" ? "page" : undefined}>
            <Icon name="key" />
          </a>
          <ThemeButton />
        </div>
      </header>
      <Contact />
      <Reader />
      <main id="main" ref={main} tabIndex={-1}><Body /></main>
      <footer>
        <Version />
        <span><a href="/openapi.json" target="_blank" rel="noopener">Interface</a> · <a href="/metrics" target="_blank" rel="noopener">Metrics</a></span>
      </footer>
      <div class="hidden" aria-live="polite">{announced}</div>
    </>
  );
}

