/** The catalogue of services: what is offered by whom, in which versions, where it runs and what it costs. */

import { actions } from "althing/sign";
import { useState } from "preact/hooks";
import { peer } from "../lib/client.ts";
import { count, plain } from "../lib/format.ts";
import type { Service, ServiceVersion } from "../lib/model.ts";
import { useQuery } from "../lib/query.ts";
import { signing } from "../lib/signing.ts";
import { href, type Route } from "../router.ts";
import { Await, Badge, Card, Fact, Facts, Height, Id, Page, Who } from "../ui/basics.tsx";
import { Act, Choice, Text } from "../ui/form.tsx";
import { List, Record } from "../ui/record.tsx";
import { Names } from "./code.tsx";
import { Past } from "./past.tsx";
import { KINDS, Publish } from "./publish.tsx";

const EVERY_MS = 3000;
const TONES: { [status: string]: "good" | "warn" | "bad" } = { live: "good", deprecated: "warn", withdrawn: "bad" };

const Status = ({ of }: { of: string }) => <Badge tone={TONES[of] ?? "plain"}>{of}</Badge>;

/** Where it runs, and how one gets there. */
function Where({ of: { kind, contract, entity, endpoints } }: { of: ServiceVersion }) {
  const link = contract && <a href={href.contract(contract)}>contract</a>;
  if (kind === "contract") return <>on the ledger: {link}</>;
  return <>outside the ledger, by {entity && <Who did={entity} />}{endpoints.map((one) => <>, <code key={one}>{plain(one, 200)}</code></>)}{link && <>; charged by a {link}</>}</>;
}

function One({ of: service }: { of: Service }) {
  const { newest } = service;
  return (
    <>
      <div class="entry-head">
        <a href={href.service(service.id)}><strong><bdi>{plain(service.name, 60)}</bdi></strong></a> {newest ? <>{plain(newest.version)} <Status of={newest.status} /> <Names names={newest.interfaces} /></> : <Status of="withdrawn" />}
        <span class="muted">of <Who did={service.provider} />, since block <Height height={service.since_height} /></span>
      </div>
      {newest && <p><bdi>{plain(newest.text, 300)}</bdi>{newest.price && <span class="muted"> {plain(newest.price, 120)}</span>}</p>}
    </>
  );
}

export function Services() {
  const [text, setText] = useState("");
  const [kind, setKind] = useState("");
  const query = { ...(text ? { text } : {}), ...(kind ? { kind } : {}) };
  return (
    <Page title="Services" lead="What providers offer to everybody on this ledger: as contracts that every peer runs, or outside of it, with grants that they check by themselves.">
      <div class="stack">
        <Card title="Catalogue" note={signing.value ? undefined : <><a href="/sign">Open your key</a> to publish one</>}>
          <div class="filters"><Text label="Name, description, tag or interface" value={text} set={setText} hint="contains…" /><Choice label="Runs" value={kind} set={setKind} options={KINDS} none="anywhere" /></div>
          <List name={`services ${text} ${kind}`} ask={(page, options) => peer.services({ ...page, ...query }, options)} empty="None is published, or none that you are shown.">{(one) => <One of={one} />}</List>
        </Card>
        {signing.value && <Publish owner={signing.value.entity} />}
      </div>
    </Page>
  );
}

/** What its provider may make of a version. */
const CHANGES = [["live", "Rely on it again"], ["deprecated", "Advise against it"], ["withdrawn", "Withdraw it"]] as const;

function Version({ service, version, again }: { service: Service; version: string; again: () => void }) {
  const found = useQuery(`version ${service.id} ${version} ${service.changed_height}`, (signal) => peer.serviceVersion(service.id, version, { signal }));
  const mine = signing.value?.entity === service.provider;
  return (
    <Await of={found} lines={4}>
      {(one) => (
        <Card title={<>Version {plain(one.version)} <Status of={one.status} /></>} note={<>published in block <Height height={one.published_height} /></>}>
          <div class="stack">
            <p><bdi>{plain(one.text, 2000)}</bdi></p>
            <Facts>
              <Fact name="Runs"><Where of={one} /></Fact>
              <Fact name="Interfaces"><Names names={one.interfaces} /></Fact>
              <Fact name="Price">{one.price ? plain(one.price, 300) : "none is named"}{one.price_rule && <span class="muted"> ({count(one.price_rule.amount)} {plain(one.price_rule.currency)} for each {plain(one.price_rule.per)})</span>}</Fact>
              <Fact name="Purpose, as grants name it"><bdi>{plain(one.purpose)}</bdi></Fact>
              <Fact name="Needs of owners">{one.needs.length === 0 ? "nothing" : one.needs.map(({ right, what }) => `to ${right} ${plain(what, 60)}`).join(", ")}</Fact>
              <Fact name="Shown to">{one.listing}</Fact>
            </Facts>
            <Record of={one} but={["version", "status", "text", "kind", "contract", "entity", "endpoints", "interfaces", "price", "price_rule", "purpose", "needs", "listing", "published_height"]} />
            {mine && <div class="row">{CHANGES.filter(([status]) => status !== one.status && one.status !== "withdrawn").map(([status, verb]) => <Act key={status} verb={verb} action={() => actions.setServiceStatus(service.id, one.version, status)} onDone={again} />)}</div>}
          </div>
        </Card>
      )}
    </Await>
  );
}

/** The next version, begun from the newest. */
function Next({ service, again }: { service: Service; again: () => void }) {
  const newest = service.versions.at(-1)?.version;
  const found = useQuery(`next ${service.id} ${newest}`, async (signal) => newest && { name: service.name, version: await peer.serviceVersion(service.id, newest, { signal }) });
  return found.data ? <Publish key={newest} owner={service.provider} from={found.data} onDone={again} /> : null;
}

export function ServicePage({ route }: { route: Route }) {
  const id = route.parts[0] ?? "";
  const found = useQuery(`service ${id}`, (signal) => peer.service(id, { signal }), EVERY_MS);
  return (
    <Await of={found} lines={8}>
      {(service) => (
        <Page title={<bdi>{plain(service.name, 80)}</bdi>} lead={<>Service of <Who did={service.provider} /> <Id id={service.id} /></>}>
          <div class="stack">
            {[...service.versions].reverse().map(({ version }) => <Version key={version} service={service} version={version} again={found.again} />)}
            {signing.value?.entity === service.provider && <Next service={service} again={found.again} />}
            {service.versions.length === 0 && <Card><p class="empty">All versions were withdrawn.</p></Card>}
            <Past ask={(page, options) => peer.serviceHistory(id, page, options)} />
          </div>
        </Page>
      )}
    </Await>
  );
}
