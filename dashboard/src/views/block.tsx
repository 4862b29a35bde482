/** One block: who proposed and signed it, what is in it, what it commits to. */

import { peer } from "../lib/client.ts";
import { count, plain, plural, short } from "../lib/format.ts";
import { peerOfKey, peers, status } from "../lib/network.ts";
import { useQuery } from "../lib/query.ts";
import { tagged } from "../lib/model.ts";
import { href, type Route } from "../router.ts";
import { At, Await, Badge, Card, Effect, Fact, Facts, Height, Id, Page, Table, Who } from "../ui/basics.tsx";
import { Action } from "../ui/tagged.tsx";

const TRANSACTIONS = 50;

function Transactions({ ids, height }: { ids: readonly string[]; height: number }) {
  const found = useQuery(`transactions ${height}`, (signal) => Promise.all(ids.slice(0, TRANSACTIONS).map((id) => peer.transaction(id, {}, { signal }))));
  return (
    <Await of={found}>
      {(all) => (
        <Table label="Transactions" head={["Transaction", "From", "What it does", "Effect"]}>
          {all.map((one) => (
            <tr key={one.id}>
              <td><Id id={one.id} link={href.transaction(one.id)} /></td>
              <td><Who did={one.sender} /></td>
              <td>{one.actions.slice(0, 4).map((action, at) => <div key={at}><Action of={tagged(action)} /></div>)}{one.actions.length > 4 && <span class="muted">and {plural(one.actions.length - 4, "more", "more")}</span>}</td>
              <td><Effect effect={one.outcome?.receipt.effect} /></td>
            </tr>
          ))}
        </Table>
      )}
    </Await>
  );
}

export function BlockPage({ route }: { route: Route }) {
  const height = Number(route.parts[0]);
  const block = useQuery(`block ${height}`, (signal) => peer.block(height, { limit: 200 }, { signal }));
  const newest = status.value?.height ?? height;
  const validators = peers.value.filter((one) => one.role === "validator");
  return (
    <Page
      title={`Block ${count(height)}`}
      lead={block.data && <><At time={block.data.time} /> UTC, {block.data.transactions === 0 ? "no transactions" : plural(block.data.transactions, "transaction")}</>}
      aside={<>
        {height > 0 && <a class="button" href={href.block(height - 1)}>← {count(height - 1)}</a>}
        {height < newest && <a class="button" href={href.block(height + 1)}>{count(height + 1)} →</a>}
      </>}
    >
      <Await of={block} lines={8}>
        {(found) => (
          <div class="stack">
            <Card title="Agreement" note={<>{plural(found.signers.length, "signature")} seen by this peer</>}>
              <ul class="votes">
                {validators.map((one) => {
                  const signed = found.signers.includes(one.key);
                  return (
                    <li key={one.key} class={signed ? "yes" : "no"}>
                      <span class="stone" aria-hidden="true" />
                      <a href={href.entity(one.id)}><bdi>{plain(one.name, 40)}</bdi></a>
                      <span class="muted"><bdi>{plain(one.organisation_name, 40)}</bdi></span>
                      {found.proposer === one.key && <Badge tone="ice">proposed</Badge>}
                      {signed ? <Badge tone="good">signed</Badge> : <Badge>not in this certificate</Badge>}
                    </li>
                  );
                })}
              </ul>
              <p class="muted">{found.signers.length > 0 ? "A quorum is enough for a certificate: whoever is not in it may have voted a moment later." : "Its own certificate is not kept here: a later block, signed by a quorum, makes it final too."}</p>
            </Card>
            {found.transaction_ids.length > 0 && (
              <Card title={plural(found.transactions, "transaction")} note={found.transactions > TRANSACTIONS ? `the first ${TRANSACTIONS}` : ""}>
                <Transactions ids={found.transaction_ids} height={height} />
              </Card>
            )}
            <Card title="What it commits to">
              <Facts>
                <Fact name="Digest"><Id id={found.digest} /></Fact>
                <Fact name="Parent"><Id id={found.parent} {...(height > 0 ? { link: href.block(height - 1) } : {})} /></Fact>
                <Fact name="State after block"><Height height={found.result.height} />: <Id id={found.result.state_root} /></Fact>
                <Fact name="Receipts up to there"><Id id={found.result.receipts_root} /></Fact>
                <Fact name="Transactions"><Id id={found.transactions_root} /></Fact>
                <Fact name="Proposer's key">{plain(peerOfKey(found.proposer)?.name ?? "", 40)} <Id id={found.proposer} /></Fact>
                <Fact name="Epoch, view">{count(found.epoch)}, {count(found.view)}</Fact>
                <Fact name="Height">{short(String(found.height))}</Fact>
              </Facts>
            </Card>
          </div>
        )}
      </Await>
    </Page>
  );
}
