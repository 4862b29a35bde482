/** Whoever acts: its keys through time, what it owns, what it did. */

import { peer } from "../lib/client.ts";
import { count, plain, plural, words } from "../lib/format.ts";
import { tagged, type Entity } from "../lib/model.ts";
import { noteEntity } from "../lib/names.ts";
import { token } from "../lib/offered.ts";
import { useQuery } from "../lib/query.ts";
import { href, type Route } from "../router.ts";
import { At, Await, Badge, Card, Effect, Fact, Facts, Height, Id, Page, Table, Who } from "../ui/basics.tsx";
import { Event } from "../ui/tagged.tsx";
import { Balance } from "./tokens.tsx";

const SHOWN = 20;

function Keys({ entity }: { entity: Entity }) {
  const keys = useQuery(`keys ${entity.id} ${entity.key_version}`, (signal) => peer.keys(entity.id, { limit: 100 }, { signal }));
  return (
    <Card title="Keys through time" note="what was signed under an old key stays checkable">
      <Await of={keys}>
        {(page) => (
          <Table label="Keys" head={["Version", "Suite", "Public key", "From block", "Until block"]}>
            {page.items.map((key) => (
              <tr key={key.version}>
                <td>{key.version}</td>
                <td>{key.key.suite}</td>
                <td><Id id={key.key.public} /></td>
                <td><Height height={key.from_height} /></td>
                <td>{key.until_height === undefined || key.until_height === null ? <Badge tone="good">in use</Badge> : <Height height={key.until_height} />}</td>
              </tr>
            ))}
          </Table>
        )}
      </Await>
    </Card>
  );
}

function Owned({ entity }: { entity: Entity }) {
  const owned = useQuery(`owned ${entity.id}`, async (signal) => {
    const [things, entities] = await Promise.all([
      peer.things({ owner: entity.id, limit: SHOWN }, { signal }),
      peer.entities({ owner: entity.id, limit: SHOWN }, { signal }),
    ]);
    entities.items.forEach(noteEntity);
    return { things, entities: entities.items };
  });
  if (owned.data && owned.data.things.items.length + owned.data.entities.length === 0) return null;
  return (
    <Card title="What it owns" note={owned.data?.things.next ? <a href={`/things?owner=${encodeURIComponent(entity.id)}`}>all its things</a> : ""}>
      <Await of={owned}>
        {({ things, entities }) => (
          <ul class="owned">
            {things.items.map((thing) => <li key={thing.id}><span class="muted">thing</span> <a href={href.thing(thing.id)}><bdi>{plain(thing.title || thing.name, 60)}</bdi></a></li>)}
            {entities.map((one) => <li key={one.id}><span class="muted">{one.kind}</span> <a href={href.entity(one.id)}><bdi>{plain(one.name, 60)}</bdi></a></li>)}
          </ul>
        )}
      </Await>
    </Card>
  );
}

function Rules({ entity }: { entity: Entity }) {
  const rules = useQuery(`rules ${entity.id}`, async (signal) => {
    const [policies, pending] = await Promise.all([peer.policies(entity.id, { signal }), peer.pending(entity.id, { limit: SHOWN }, { signal })]);
    return { policies: policies.items, pending: pending.items };
  }, 5000);
  if (!rules.data || rules.data.policies.length + rules.data.pending.length === 0) return null;
  return (
    <Card title="Approvals">
      <ul class="rules">
        {rules.data.policies.map((policy) => (
          <li key={policy.kind}>To <strong>{words(policy.kind)}</strong>, {count(policy.threshold)} of {policy.approvers.map((did, at) => <span key={did}>{at > 0 && ", "}<Who did={did} /></span>)} must sign within {plural(policy.patience_blocks, "block")}.</li>
        ))}
        {rules.data.pending.map((one) => (
          <li key={one.transaction}><Badge tone="warn">waits</Badge> <Id id={one.transaction} link={href.transaction(one.transaction)} />: {plural(one.approvals.length, "approval")} so far, until block {count(one.until_height)}</li>
        ))}
      </ul>
    </Card>
  );
}

function Past({ entity }: { entity: Entity }) {
  const past = useQuery(`past ${entity.id}`, (signal) => peer.history(entity.id, { limit: SHOWN }, { signal }), 3000);
  return (
    <Card title="What it did last">
      <Await of={past}>
        {(page) => (page.items.length === 0 ? <p class="empty">It has sent no transaction.</p> : (
          <Table label="Transactions" head={["Transaction", "Block", "Time (UTC)", "What came of it", "Effect"]}>
            {page.items.map((one) => (
              <tr key={one.receipt.transaction}>
                <td><Id id={one.receipt.transaction} link={href.transaction(one.receipt.transaction)} /></td>
                <td><Height height={one.height} /></td>
                <td><At time={one.time} /></td>
                <td>{one.receipt.events[0] ? <Event of={tagged(one.receipt.events[0])} /> : <span class="muted">—</span>}{one.receipt.events.length > 1 && <span class="muted"> and {count(one.receipt.events.length - 1)} more</span>}</td>
                <td><Effect effect={one.receipt.effect} /></td>
              </tr>
            ))}
          </Table>
        ))}
      </Await>
    </Card>
  );
}

export function EntityPage({ route }: { route: Route }) {
  const id = route.parts[0] ?? "";
  const entity = useQuery(`entity ${id}`, async (signal) => {
    const found = await peer.entity(id, { signal });
    noteEntity(found);
    return found;
  });
  return (
    <Await of={entity} lines={8}>
      {(found) => (
        <Page
          title={<bdi>{plain(found.name, 120)}</bdi>}
          lead={<>{found.kind[0]?.toUpperCase()}{found.kind.slice(1)}{found.owner && <> of <Who did={found.owner} /></>} {found.active ? <Badge tone="good">active</Badge> : <Badge tone="bad">revoked</Badge>}</>}
        >
          <div class="stack">
            <Card>
              <Facts>
                <Fact name="Id"><Id id={found.id} /></Fact>
                <Fact name="Registered in block"><Height height={found.registered} /></Fact>
                {token.value && <Fact name="Has"><a href={href.account(found.id)}><Balance of={found.id} /></a></Fact>}
                <Fact name="Key">version {found.key_version}, {found.key.suite}</Fact>
              </Facts>
            </Card>
            <div class="columns"><Keys entity={found} /><Owned entity={found} /></div>
            <Rules entity={found} />
            <Past entity={found} />
          </div>
        </Page>
      )}
    </Await>
  );
}
