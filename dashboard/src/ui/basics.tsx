/** Small parts that every page is made of. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { explained, isUnknownReader } from "../lib/client.ts";
import { ago, count, instant, plain, short } from "../lib/format.ts";
import { named } from "../lib/names.ts";
import type { Time } from "../lib/model.ts";
import { now } from "../lib/now.ts";
import { href } from "../router.ts";

/** A page: its heading takes the focus when it is reached, so that a screen reader says where one is. */
export function Page(props: { title: ComponentChildren; lead?: ComponentChildren; aside?: ComponentChildren; children: ComponentChildren }) {
  return (
    <>
      <div class="page-head">
        <div>
          <h1 tabIndex={-1}>{props.title}</h1>
          {props.lead && <p class="lead">{props.lead}</p>}
        </div>
        {props.aside && <div class="page-aside">{props.aside}</div>}
      </div>
      {props.children}
    </>
  );
}

export function Card(props: { title?: ComponentChildren; note?: ComponentChildren; class?: string; id?: string; children: ComponentChildren }) {
  return (
    <section class={`card ${props.class ?? ""}`} id={props.id}>
      {(props.title || props.note) && (
        <header class="card-head">
          {props.title && <h2>{props.title}</h2>}
          {props.note && <div class="card-note">{props.note}</div>}
        </header>
      )}
      {props.children}
    </section>
  );
}

export function Badge(props: { tone?: "good" | "warn" | "bad" | "plain" | "ice"; children: ComponentChildren }) {
  return <span class={`badge ${props.tone ?? "plain"}`}>{props.children}</span>;
}

/** An id: its ends to look at, the whole to hover over and to copy. */
export function Id(props: { id: string; link?: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    // Browsers offer this to pages that come over HTTPS or from this machine; elsewhere the title has the whole.
    if (!isSecureContext) return;
    await navigator.clipboard.writeText(props.id).catch(() => undefined);
    setCopied(true);
    setTimeout(() => setCopied(false), 1200);
  };
  return (
    <span class="id">
      {props.link ? (
        <a href={props.link} title={props.id}>{short(props.id)}</a>
      ) : (
        <span title={props.id}>{short(props.id)}</span>
      )}
      <button type="button" class="copy" onClick={copy} aria-label={copied ? "Copied" : "Copy the whole id"} title={copied ? "Copied" : "Copy"}>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          {copied ? <path d="m3 8.5 3.2 3.2L13 4.8" /> : <path d="M5.5 5.5v-3h8v8h-3m-8-5h8v8h-8z" />}
        </svg>
      </button>
    </span>
  );
}

/** Who or what an id stands for, by name where it has one. */
export function Who(props: { did: string; bare?: boolean; contract?: boolean }) {
  const found = named(props.did, props.contract).value;
  const link = found?.as === "thing" ? href.thing(props.did) : props.contract || found?.as === "contract" ? href.contract(props.did) : href.entity(props.did);
  const name = found?.as === "entity" ? found.entity.name : found?.as === "thing" ? found.thing.title || found.thing.name : found?.as === "contract" ? found.contract.name : undefined;
  const text = name === undefined ? short(props.did) : plain(name, 60);
  if (props.bare) return <bdi title={props.did}>{text}</bdi>;
  return <a class="who" href={link} title={props.did}><bdi>{text}</bdi></a>;
}

/** A time in UTC. */
export function At(props: { time: Time }) {
  return <time dateTime={props.time.utc} title={props.time.utc}>{instant(props.time.ms)}</time>;
}

/** How long ago, by the clock of this browser. */
export function Ago(props: { ms: number }) {
  return <span title={instant(props.ms)}>{ago(Math.max(0, now.value - props.ms))}</span>;
}

export function Height(props: { height: number }) {
  return <a class="height" href={href.block(props.height)}>{count(props.height)}</a>;
}

/** Pairs of a name and what it is. */
export function Facts(props: { children: ComponentChildren }) {
  return <dl class="facts">{props.children}</dl>;
}

export function Fact(props: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

export function Empty(props: { children: ComponentChildren }) {
  return <p class="empty">{props.children}</p>;
}

/** What went wrong, and what to do. */
export function Wrong(props: { error: Error }) {
  const { what, advice } = explained(props.error);
  return (
    <div class="wrong" role="alert">
      <p>{plain(what, 400)}</p>
      {advice && <p class="muted">{plain(advice, 400)}</p>}
      {isUnknownReader(props.error) && <p><a href="/sign">Say who reads</a>, with your key.</p>}
    </div>
  );
}

/** What stands where an answer is awaited. */
export function Loading(props: { lines?: number }) {
  return (
    <div class="loading" role="status" aria-label="Loading">
      {Array.from({ length: props.lines ?? 3 }, (_, line) => <span key={line} />)}
    </div>
  );
}

/** An answer once it is there; its error or a placeholder until then. */
export function Await<T>(props: { of: { data: T | undefined; error: Error | undefined }; lines?: number; children: (data: T) => ComponentChildren }) {
  if (props.of.data !== undefined) return <>{props.children(props.of.data)}</>;
  if (props.of.error) return <Wrong error={props.of.error} />;
  return <Loading {...(props.lines === undefined ? {} : { lines: props.lines })} />;
}

/** A table that scrolls sideways on its own where it is too wide. */
export function Table(props: { label: string; head: ComponentChildren[]; children: ComponentChildren }) {
  return (
    <div class="table" role="region" aria-label={props.label} tabIndex={0}>
      <table>
        <thead>
          <tr>{props.head.map((cell, at) => <th key={at} scope="col">{cell}</th>)}</tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
  );
}

/** What became of a transaction. */
export function Effect({ effect }: { effect: string | undefined }) {
  if (effect === "applied") return <Badge tone="good">took effect</Badge>;
  if (effect === "refused") return <Badge tone="bad">no effect</Badge>;
  if (effect === "awaiting_approval") return <Badge tone="warn">awaits approval</Badge>;
  return <Badge>waits</Badge>;
}
