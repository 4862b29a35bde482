/** Checks a bundle that somebody brings along; needs no network once the page is there. */

import { BUNDLE_BYTES_MAX, refusalOf } from "althing/verify";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Checked } from "../lib/check.ts";
import { bytes as size, count, instant, plain, plural, words } from "../lib/format.ts";
import { adopt, anchor, anchored, GENESIS_BYTES_MAX } from "../lib/genesis.ts";
import { href } from "../router.ts";
import { Badge, Card, Effect, Fact, Facts, Height, Id, Page, Who } from "../ui/basics.tsx";
import { Verification } from "../ui/verification.tsx";

/** What a bundle has shown, in a card. */
export function Shown({ checked }: { checked: Checked }) {
  const verified = checked.verified;
  if (!verified) return null;
  const { claim, block } = verified;
  return (
    <Card title="What it shows" note={<>as of block {count(Number(block.stateHeight))}, {instant(Number(block.timeMs))} UTC</>}>
      {claim.kind === "reading" && (
        <Facts>
          <Fact name="Value"><strong class="big">{plain(claim.valueText, 80)}</strong></Fact>
          <Fact name="Property"><bdi>{plain(claim.stream.property, 60)}</bdi> of <bdi>{plain(claim.stream.name, 60)}</bdi></Fact>
          <Fact name="Number">{count(Number(claim.seq))}</Fact>
          <Fact name="Measured (claimed)">{instant(Number(claim.claimedMs))}</Fact>
          <Fact name="Received by the gateway">{instant(Number(claim.receivedMs))}</Fact>
          <Fact name="On the ledger">{instant(Number(claim.ledgerTimeMs))}</Fact>
          <Fact name="Owner"><Who did={claim.stream.owner} /></Fact>
          <Fact name="Transaction"><Id id={claim.transaction} link={href.transaction(claim.transaction)} /></Fact>
        </Facts>
      )}
      {claim.kind === "range" && (
        <Facts>
          <Fact name="The question">{interval(claim.interval)}</Fact>
          <Fact name="The answer"><strong>{plural(claim.readings.length, "reading")}, and none left out</strong></Fact>
          <Fact name="Property"><bdi>{plain(claim.stream.property, 60)}</bdi> of <bdi>{plain(claim.stream.name, 60)}</bdi></Fact>
          <Fact name="Owner"><Who did={claim.stream.owner} /></Fact>
          {([["Data left out of the file", claim.withheld], ["Encrypted for its readers", claim.sealed]] as const).map(([name, some]) => some.length > 0 && <Fact key={name} name={name}>{plural(some.length, "batch", "batches")}, which may hold more of them</Fact>)}
        </Facts>
      )}
      {claim.kind === "aggregate" && (
        <Facts>
          <Fact name="The question">{interval(claim.interval)}</Fact>
          <Fact name="Readings, none left out"><strong>{count(Number(claim.count))}</strong></Fact>
          <Fact name="Property"><bdi>{plain(claim.stream.property, 60)}</bdi> of <bdi>{plain(claim.stream.name, 60)}</bdi></Fact>
        </Facts>
      )}
      {claim.kind === "transaction" && (
        <Facts>
          <Fact name="Transaction"><Id id={claim.id} link={href.transaction(claim.id)} /></Fact>
          <Fact name="Sender"><Who did={claim.sender} /></Fact>
          <Fact name="Position in its block">{count(claim.index)}</Fact>
          <Fact name="Receipt">{claim.receipt ? "shown" : "not in this bundle"}</Fact>
        </Facts>
      )}
      {claim.kind === "run" && (
        <Facts>
          <Fact name="Run of trigger"><Id id={claim.trigger} link={href.trigger(claim.trigger)} /></Fact>
          <Fact name="In block"><Height height={Number(claim.height)} /></Fact>
          <Fact name="What came of it">{claim.receipt.code ? <><Badge tone="bad">no effect</Badge> {words(refusalOf(claim.receipt.code) ?? `refusal ${claim.receipt.code}`)}</> : <><Effect effect="applied" /> {plural(claim.receipt.events.length, "event")}</>}</Fact>
        </Facts>
      )}
      {claim.kind === "state" && (
        <Facts>
          <Fact name="Key of the state"><code>{Array.from(claim.key, (byte) => byte.toString(16).padStart(2, "0")).join("")}</code></Fact>
          <Fact name="Value">{claim.value ? size(claim.value.length) : "none"}</Fact>
        </Facts>
      )}
      <p class="muted signers">
        Signed by {block.signed.map((peer, at) => <>{at > 0 && ", "}<bdi>{plain(peer.name ?? peer.key.slice(0, 8), 40)}</bdi> of <Who did={peer.organisation} /></>)}.
      </p>
    </Card>
  );
}

function interval(asked: { kind: "seq"; first: bigint; last: bigint } | { kind: "time"; firstMs: bigint; lastMs: bigint }): string {
  return asked.kind === "seq"
    ? `numbers ${count(Number(asked.first))} to ${count(Number(asked.last))}`
    : `measured from ${instant(Number(asked.firstMs))} to ${instant(Number(asked.lastMs))} UTC`;
}

export function VerifyPage() {
  const [bundle, setBundle] = useState<{ name: string; data: Uint8Array } | undefined>(undefined);
  const [checked, setChecked] = useState<Checked | undefined>(undefined);
  const [said, say] = useState("");
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => void anchored().catch(() => undefined), []);
  const take = async (files: Iterable<File>) => {
    say("");
    for (const file of files) {
      if (file.name.endsWith(".json")) {
        if (file.size > GENESIS_BYTES_MAX) say("This file is too long for a genesis.");
        else say(adopt(await file.text(), file.name) ?? "");
      } else if (file.size > BUNDLE_BYTES_MAX) {
        say(`A bundle has at most ${size(BUNDLE_BYTES_MAX)}; this file has ${size(file.size)}.`);
      } else {
        setChecked(undefined);
        setBundle({ name: file.name, data: new Uint8Array(await file.arrayBuffer()) });
      }
    }
  };
  const genesis = anchor.value;
  return (
    <Page
      title="Verify"
      lead="Somebody gave you a reading and a file that proves it? Check it here. Your browser does the work and asks nobody: this page works with the network off, too."
    >
      <div class="stack">
        <div
          class={`drop ${over ? "over" : ""}`}
          onDragOver={(event) => {
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={(event) => {
            event.preventDefault();
            setOver(false);
            void take(event.dataTransfer?.files ?? []);
          }}
        >
          <svg viewBox="0 0 48 48" aria-hidden="true"><path d="M24 6 40 12v12c0 10-7 16-16 19-9-3-16-9-16-19V12zM24 16v14m0 0-6-6m6 6 6-6" /></svg>
          <p><strong>Drop a bundle here</strong>{" "}<span class="muted">(a .proof file; a genesis.json of your own may come along)</span></p>
          <button type="button" class="button main" onClick={() => input.current?.click()}>Choose files</button>
          <input ref={input} type="file" class="hidden" multiple tabIndex={-1} aria-label="Bundle and genesis" onChange={(event) => {
            void take(Array.from(event.currentTarget.files ?? []));
            event.currentTarget.value = "";
          }} />
          <p class="muted anchor-line">
            {genesis ? (
              <>Genesis: <Badge tone={genesis.from === "file" ? "good" : "warn"}>{genesis.from === "file" ? "your own" : "from this peer"}</Badge> ledger <Id id={genesis.ledger} /></>
            ) : "No genesis yet: choose genesis.json too."}
          </p>
        </div>
        {said && <div class="wrong" role="alert"><p>{said}</p></div>}
        {bundle && (
          <>
            {checked && <Shown checked={checked} />}
            <Card title={<bdi>{plain(bundle.name, 80)}</bdi>} note={size(bundle.data.length)}>
              <Verification bundle={bundle.data} name={bundle.name} onChecked={setChecked} />
            </Card>
          </>
        )}
        {!bundle && (
          <div class="columns">
            <Card title="Where bundles come from">
              <p>Every reading on this dashboard has one: open it and choose <em>Download the bundle</em>. Or by command line:</p>
              <pre>althing reading prove machine-1/temperature --seq 0 --out reading.proof</pre>
            </Card>
            <Card title="What is checked">
              <p>The whole way from the value to the genesis: the data, the tree of its series, the state, the block, the signatures of a quorum, and who may vote. Change one bit of the file and the step that fails is named.</p>
            </Card>
          </div>
        )}
      </div>
    </Page>
  );
}
