/** Acting on the ledger: fields, a button that signs, and what came of it. */

import type { Action } from "althing/sign";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { count, plain, plural } from "../lib/format.ts";
import { tagged, type Outcome, type Trial } from "../lib/model.ts";
import { signing, submit, tryOut } from "../lib/signing.ts";
import { href } from "../router.ts";
import { Badge, Card, Effect, Height, Id, Wrong } from "./basics.tsx";
import { Event } from "./tagged.tsx";

type Make = () => Promise<Action> | Action;

interface Attempt {
  waits?: boolean;
  outcome?: Outcome;
  error?: Error;
}

/** Signs an action, submits it, and remembers what came of it. */
function useAct(make: Make, onDone?: () => void): [Attempt, () => void] {
  const [state, setState] = useState<Attempt>({});
  const act = async () => {
    setState({ waits: true });
    try {
      setState({ outcome: await submit(await make()) });
      onDone?.();
    } catch (failed) {
      setState({ error: failed as Error });
    }
  };
  return [state, () => void act()];
}

function Result({ of }: { of: Attempt }) {
  const { outcome, error } = of;
  return (
    <div aria-live="polite">
      {error && <Wrong error={error} />}
      {outcome && (
        <p>
          <Effect effect={outcome.receipt.effect} /> <Id id={outcome.receipt.transaction} link={href.transaction(outcome.receipt.transaction)} /> in block <Height height={outcome.height} />
          {outcome.receipt.refusal && <>: {plain(outcome.receipt.refusal.detail, 300)}</>}
          {outcome.receipt.events[0] && <>: <Event of={tagged(outcome.receipt.events[0])} /></>}
        </p>
      )}
    </div>
  );
}

/** What would come of an action, tried out on the present state. */
export function Tried({ trial: { refusal, gas_used: gas, events, trace, changes, height } }: { trial: Trial }) {
  return (
    <>
      <p>{refusal ? <><Badge tone="bad">no effect</Badge> {plain(refusal.detail, 300)}</> : <Badge tone="good">it would take effect</Badge>} <span class="muted">{count(gas)} gas, {plural(changes.length, "change")} of the state, on that of block {count(height)}. Nothing was sent to be agreed on.</span></p>
      {events.length > 0 && <ul class="told">{events.map((event, at) => <li key={at}><Event of={tagged(event)} /></li>)}</ul>}
      {trace.length > 0 && <pre tabIndex={0} aria-label="What contracts said">{trace.join("\n")}</pre>}
    </>
  );
}

/** A button that tries an action out, and what it found. */
function Try({ action, ready }: { action: Make; ready: boolean }) {
  const [state, setState] = useState<{ trial?: Trial; error?: Error }>({});
  const attempt = async () => {
    try {
      setState({ trial: await tryOut(await action()) });
    } catch (failed) {
      setState({ error: failed as Error });
    }
  };
  return (
    <>
      <div class="row"><button type="button" class="button" disabled={!ready} onClick={() => void attempt()}>Try it out</button></div>
      <div aria-live="polite">{state.error && <Wrong error={state.error} />}{state.trial && <Tried trial={state.trial} />}</div>
    </>
  );
}

/** A form with its button, and what came of it; with `dry`, one that tells beforehand what would. */
export function Form(props: { title: string; note: ComponentChildren; verb: string; ready: boolean; dry?: boolean; action: Make; onDone?: () => void; children?: ComponentChildren }) {
  const [state, act] = useAct(props.action, props.onDone);
  return (
    <Card title={props.title} note={props.note}>
      <div class="stack">
        {props.children}
        {props.dry && <Try action={props.action} ready={props.ready} />}
        <div class="row"><button type="button" class="button main" disabled={!props.ready || state.waits === true} onClick={act}>{state.waits ? "Waiting until it is final…" : props.verb}</button></div>
        <Result of={state} />
      </div>
    </Card>
  );
}

/** A button that signs one action; without a key it leads to where one is opened. */
export function Act(props: { verb: string; main?: boolean; action: Make; onDone?: () => void }) {
  const [state, act] = useAct(props.action, props.onDone);
  if (!signing.value) return <a class="button small" href="/sign" title="Open your key first">{props.verb}</a>;
  return (
    <>
      <button type="button" class={`button small ${props.main ? "main" : ""}`} disabled={state.waits === true} onClick={act}>{state.waits ? "Waiting…" : props.verb}</button>
      {(state.error || state.outcome) && <Result of={state} />}
    </>
  );
}

export function Text(props: { label: string; value: string; set: (value: string) => void; hint?: string; type?: "datetime-local" | "password" }) {
  return <label class="field"><span>{props.label}</span><input type={(props.type ?? "text") as "text"} spellcheck={false} value={props.value} placeholder={props.hint ?? ""} onInput={(event) => props.set(event.currentTarget.value)} /></label>;
}

/** A longer text. */
export function Area(props: { label: string; value: string; set: (value: string) => void; rows?: number; code?: boolean }) {
  return <label class="field"><span>{props.label}</span><textarea class={props.code ? "mono" : ""} rows={props.rows ?? 3} spellcheck={!props.code} value={props.value} onInput={(event) => props.set(event.currentTarget.value)} /></label>;
}

export function Choice(props: { label: string; value: string; set: (value: string) => void; options: { id: string; name: string }[]; none: string }) {
  return (
    <label class="field"><span>{props.label}</span>
      <select value={props.value} onChange={(event) => props.set(event.currentTarget.value)}>
        <option value="">{props.none}</option>
        {props.options.map((one) => <option key={one.id} value={one.id}>{plain(one.name, 60)}</option>)}
      </select>
    </label>
  );
}
