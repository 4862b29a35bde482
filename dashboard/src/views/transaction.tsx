/** One transaction: what it does, what became of it, and the proof of that. */

import { peer } from "../lib/client.ts";
import { bytes, count, plural } from "../lib/format.ts";
import { tagged, type Transaction } from "../lib/model.ts";
import { useQuery } from "../lib/query.ts";
import type { Route } from "../router.ts";
import { At, Await, Card, Effect, Fact, Facts, Height, Id, Page, Who } from "../ui/basics.tsx";
import { Action, Event } from "../ui/tagged.tsx";
import { Proven } from "../ui/verification.tsx";
import { Run } from "./run.tsx";

/** What was stored, as text where it is text. */
export function readable(hex: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array((hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))));
  } catch {
    return hex;
  }
}

function Actions({ transaction }: { transaction: Transaction }) {
  return (
    <ol class="actions">
      {transaction.actions.map((action, at) => {
        const one = tagged(action);
        return (
          <li key={at}>
            <Action of={one} />
            {one.type === "record" && <pre class="stored" tabIndex={0} aria-label="What was recorded">{readable(String(one["data"] ?? ""))}</pre>}
          </li>
        );
      })}
    </ol>
  );
}

export function TransactionPage({ route }: { route: Route }) {
  const id = route.parts[0] ?? "";
  const block = Number(route.query.get("block"));
  // What has its block stays as it is: it is asked for once.
  const found = useQuery(`transaction ${id}`, (signal) => peer.transaction(id, {}, { signal }), block > 0 ? undefined : 3000);
  // A run has no transaction. One that is there stays, whatever is said of it later.
  if (found.error && !found.data && block > 0) return <Run id={id} height={block} />;
  return (
    <Page title="Transaction" lead={<Id id={id} />}>
      <Await of={found} lines={8}>
        {(transaction) => {
          const outcome = transaction.outcome;
          return (
            <div class="stack">
              <div class="columns">
                <Card title={plural(transaction.actions.length, "action")} note={<>from <Who did={transaction.sender} /></>}>
                  <Actions transaction={transaction} />
                </Card>
                <Card title="Receipt" note={<Effect effect={outcome?.receipt.effect} />}>
                  {!outcome ? (
                    <p class="empty">It waits to be included. It expires if it is in no block up to {count(transaction.expiry_height)}.</p>
                  ) : (
                    <>
                      {outcome.receipt.refusal && <div class="wrong"><p>{outcome.receipt.refusal.detail} <code>{outcome.receipt.refusal.code}</code></p></div>}
                      {outcome.receipt.events.length > 0 && <ul class="events">{outcome.receipt.events.map((event, at) => <li key={at}><Event of={tagged(event)} /></li>)}</ul>}
                      {outcome.receipt.events.length === 0 && !outcome.receipt.refusal && <p class="empty">It brought about no event.</p>}
                    </>
                  )}
                </Card>
              </div>
              <Card title="Where it stands">
                <Facts>
                  <Fact name="Status">{transaction.status}</Fact>
                  {outcome && <Fact name="Block"><Height height={outcome.height} />, position {count(outcome.index)}</Fact>}
                  {outcome && <Fact name="Time (UTC)"><At time={outcome.time} /></Fact>}
                  <Fact name="Signed by">{transaction.signers.map((did, at) => <span key={did}>{at > 0 && ", "}<Who did={did} /></span>)}</Fact>
                  <Fact name="Nonce">{count(transaction.nonce)}</Fact>
                  <Fact name="Valid until block">{count(transaction.expiry_height)}</Fact>
                  <Fact name="Length">{bytes(transaction.bytes)}</Fact>
                </Facts>
              </Card>
              {outcome && <Proven note="that it is in the block, and what became of it" name={`${id.slice(0, 8)}.proof`} ask={(signal) => peer.proveReceipt(id, { signal })} />}
            </div>
          );
        }}
      </Await>
    </Page>
  );
}
