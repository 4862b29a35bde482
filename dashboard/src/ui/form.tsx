/** Acting on the ledger: fields, a button that signs, and what came of it. */

import type { Action } from "althing/sign";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { plain } from "../lib/format.ts";
import { tagged, type Outcome } from "../lib/model.ts";
import { signing, submit } from "../lib/signing.ts";
import { href } from "../router.ts";
import { Card, Effect, Height, Id, Wrong } from "./basics.tsx";
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

/** A form with its button, and what came of it. */
export function Form(props: { title: string; note: string; verb: string; ready: boolean; action: Make; onDone?: () => void; children?: ComponentChildren }) {
  const [state, act] = useAct(props.action, props.onDone);
  return (
    <Card title={props.title} note={props.note}>
      <div class="stack">
        {props.children}
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

export function Text(props: { label: string; value: string; set: (value: string) => void; hint?: string }) {
  return <label class="field"><span>{props.label}</span><input type="text" spellcheck={false} value={props.value} placeholder={props.hint ?? ""} onInput={(event) => props.set(event.currentTarget.value)} /></label>;
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
