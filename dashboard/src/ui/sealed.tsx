/** A confidential stream: what everybody may know of it, and its values for whom they were encrypted. */

import { valueText, type VerifiedRange } from "althing/verify";
import { check } from "../lib/check.ts";
import { peer } from "../lib/client.ts";
import { count, plain, plural, quantity } from "../lib/format.ts";
import { anchored } from "../lib/genesis.ts";
import type { Stream } from "../lib/model.ts";
import { useQuery } from "../lib/query.ts";
import { opened } from "../lib/sealed.ts";
import { signing } from "../lib/signing.ts";
import { href } from "../router.ts";
import { At, Await, Badge, Table } from "./basics.tsx";
import { Spark } from "./spark.tsx";

/** Readings that are opened, of the newest. */
const READINGS = 40;
const LISTED = 8;

/** A value without its unit. */
const bare = (value: Parameters<typeof valueText>[0], schema: VerifiedRange["stream"]["schema"]) => valueText(value, { ...schema, unit: "" });

/** A value of what was opened, with its unit. */
export function shown(value: Parameters<typeof valueText>[0], { schema }: VerifiedRange["stream"], { kind, unit }: Pick<Stream, "kind" | "unit">): string {
  return plain(quantity(bare(value, schema), kind, unit, 8), 200);
}

function Opened({ stream }: { stream: Stream }) {
  const me = signing.value;
  const found = useQuery(`sealed ${stream.id} ${stream.next_seq} ${me?.entity}`, async (signal) => {
    const [bundle, { genesis }] = await Promise.all([peer.proveRange(stream.id, { first_seq: Math.max(0, stream.next_seq - READINGS) }, { signal }), anchored()]);
    const { verified, failure } = check(bundle, genesis);
    if (verified?.claim.kind !== "range" || !me) throw new Error(`The peer's proof of these readings does not hold: ${failure?.step}.`);
    return { of: verified.claim.stream, readings: await opened(verified.claim, me, signal) };
  });
  return (
    <Await of={found} lines={4}>
      {({ of, readings }) => readings.length === 0 ? <p>The newest readings are not encrypted for your key.</p> : (
        <div class="stack">
          <p>Opened in this browser with your key, from a proof that holds: nobody else sees them here.</p>
          {stream.kind === "number" && <div class="sealed-line"><Spark values={readings.map(({ value }) => Number(bare(value, of.schema)))} /></div>}
          <Table label={`Opened readings of ${stream.property}`} head={["Number", <span class="end">Value</span>, "Measured (UTC)", "Proof"]}>
            {readings.slice(-LISTED).reverse().map(({ seq, value, claimedMs }) => (
              <tr key={String(seq)}>
                <td>{count(seq)}</td>
                <td><strong>{shown(value, of, stream)}</strong></td>
                <td><At time={{ ms: Number(claimedMs), utc: new Date(Number(claimedMs)).toISOString() }} /></td>
                <td><a href={href.reading(stream.id, Number(seq))}>Verify</a></td>
              </tr>
            ))}
          </Table>
        </div>
      )}
    </Await>
  );
}

/** In the place of a chart. */
export function Sealed({ stream }: { stream: Stream }) {
  return (
    <div class="stack">
      <p><Badge tone="ice">confidential</Badge> The ledger and its peers know when there were readings, and how many: {plural(stream.total?.count ?? 0, "reading")} in {plural(stream.batches, "batch", "batches")}{stream.total && <>, the last of <At time={stream.total.latest} /></>}. What they say is encrypted for its readers.</p>
      {signing.value ? <Opened stream={stream} /> : <p><a href="/sign">Open your key</a> if you are one of them.</p>}
    </div>
  );
}
