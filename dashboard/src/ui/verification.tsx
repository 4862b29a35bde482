/** A bundle checked before one's eyes: each step, green or red, with what it means. */

import { useEffect, useMemo, useState } from "preact/hooks";
import { check, tampered, type Checked } from "../lib/check.ts";
import { bytes as size, count, plain, plural } from "../lib/format.ts";
import { anchor, anchored } from "../lib/genesis.ts";
import { useQuery } from "../lib/query.ts";
import { Await, Card, Who } from "./basics.tsx";

/** Offers bytes as a file. */
export function download(data: Uint8Array, name: string) {
  const url = URL.createObjectURL(new Blob([data as Uint8Array<ArrayBuffer>], { type: "application/cbor" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function Verdict({ checked, bundle, changed }: { checked: Checked; bundle: Uint8Array; changed: boolean }) {
  const { verified, failure } = checked;
  const steps = `${checked.steps.filter((one) => one.state === "holds").length} steps`;
  const took = `${checked.tookMs < 10 ? checked.tookMs.toFixed(1) : Math.round(checked.tookMs)} ms`;
  return (
    <div class={`verdict ${verified ? "good" : "bad"}`} role="status">
      <svg viewBox="0 0 24 24" aria-hidden="true">
        {verified ? <path d="M12 2.500 20 5.500v6c0 5-3.400 8.300-8 10-4.600-1.700-8-5-8-10v-6zM8.200 12l2.700 2.700 5-5.400" /> : <path d="M12 2.500 20 5.500v6c0 5-3.400 8.300-8 10-4.600-1.700-8-5-8-10v-6zM9 9l6 6m0-6-6 6" />}
      </svg>
      <div>
        <strong>{verified ? "It holds" : changed ? "With one bit changed it does not hold" : "It does not hold"}</strong>
        <span>
          {verified
            ? `${plural(verified.block.signed.length, "peer")} of ${count(verified.block.validators)} signed block ${count(Number(verified.block.height))}. ${steps} checked here in ${took}, over ${size(bundle.length)}.`
            : `It fails at step “${failure?.step}” after ${steps}, in ${took}. Do not rely on anything in it.`}
        </span>
      </div>
    </div>
  );
}

function Steps({ checked }: { checked: Checked }) {
  return (
    <ol class="steps">
      {checked.steps.map((one, at) => (
        <li key={at} class={one.state} style={{ animationDelay: `${at * 38}ms` }}>
          <span class="step-mark" aria-hidden="true">
            <svg viewBox="0 0 16 16">{one.state === "holds" ? <path d="m3.500 8.400 3 3 6-6.600" /> : one.state === "fails" ? <path d="m4.500 4.500 7 7m0-7-7 7" /> : <path d="M5 8h6" />}</svg>
          </span>
          <div>
            <span class="step-name">{one.step} <span class="hidden">{one.state === "holds" ? "holds" : one.state === "fails" ? "fails" : "was not reached"}</span></span>
            <span class="step-means">{one.means}</span>
            <span class="step-text"><bdi>{plain(one.text.replace(/ to 18446744073709551615$/, " on, without end"), 400)}</bdi></span>
          </div>
        </li>
      ))}
    </ol>
  );
}

/** Whose word a proven reading is. */
function Amounts({ checked }: { checked: Checked }) {
  const claim = checked.verified?.claim;
  if (claim?.kind !== "reading") return null;
  const { attestation, delegation } = claim;
  return (
    <p class="amounts">
      {attestation.isByDevice ? (
        <><strong>Signed by the device itself.</strong> No gateway could have forged it.</>
      ) : (
        <><strong>Asserted by <Who did={attestation.entity} />.</strong> It is the word of that {attestation.kind}{delegation.kind === "bound" ? ", to which the owner bound the thing" : ""}: the proof shows who said so and when, not that the value is true.</>
      )}
    </p>
  );
}

/** Checks `bundle` against the genesis in use. */
export function Verification({ bundle, name, onChecked }: { bundle: Uint8Array; name: string; onChecked?: (checked: Checked) => void }) {
  const [broken, setBroken] = useState(0);
  const current = useMemo(() => (broken > 0 ? tampered(bundle, broken) : bundle), [bundle, broken]);
  const genesis = anchor.value;
  const checked = useMemo(() => genesis && check(current, genesis.genesis), [current, genesis]);
  useEffect(() => setBroken(0), [bundle]);
  useEffect(() => {
    if (checked && broken === 0) onChecked?.(checked);
  }, [checked]);
  if (!genesis || !checked) return <p class="empty">A genesis is needed to check against: choose the file, or wait for the peer's.</p>;
  return (
    <div class="verification">
      <Verdict checked={checked} bundle={current} changed={broken > 0} />
      <div class="row">
        <button type="button" class="button" onClick={() => download(current, broken > 0 ? name.replace(".proof", ".altered.proof") : name)}>
          <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M10 3v10m0 0-4-4m4 4 4-4M3.500 16.500h13" /></svg>
          Download the bundle
        </button>
        <button type="button" class="button" onClick={() => setBroken((n) => n + 1)}>{broken > 0 ? "Change another bit" : "Change one bit"}</button>
        {broken > 0 && <button type="button" class="button" onClick={() => setBroken(0)}>Undo the change</button>}
      </div>
      <Amounts checked={checked} />
      <Steps key={broken} checked={checked} />
      <p class="muted anchor-note">
        {genesis.from === "peer" ? (
          <>Checked against the genesis that this peer gave. Whoever takes the genesis from the peer that also makes the proofs trusts that peer: get <code>genesis.json</code> from elsewhere, once, and <a href="/verify">choose it</a>.</>
        ) : (
          <>Checked against your own genesis, <bdi>{plain(genesis.name, 60)}</bdi>: no peer is trusted.</>
        )}
        {" "}The same check by command line: <code>althing verify {name} --genesis genesis.json</code>
      </p>
    </div>
  );
}

function Fetched({ name, ask }: { name: string; ask: (signal: AbortSignal) => Promise<Uint8Array> }) {
  const proof = useQuery(`proof ${name}`, async (signal) => {
    const [bundle] = await Promise.all([ask(signal), anchored()]);
    return bundle;
  });
  return <Await of={proof} lines={8}>{(bundle) => <Verification bundle={bundle} name={name} />}</Await>;
}

/** A proof that is fetched and checked once somebody wants to see it. */
export function Proven({ note, name, ask }: { note: string; name: string; ask: (signal: AbortSignal) => Promise<Uint8Array> }) {
  const [open, setOpen] = useState(false);
  return (
    <Card title="Proof" note={note}>
      {open ? <Fetched name={name} ask={ask} /> : <button type="button" class="button main" onClick={() => setOpen(true)}>Verify in this browser</button>}
    </Card>
  );
}
