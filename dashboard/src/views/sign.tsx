/** Acts on the ledger with the user's own key, which stays in this browser. */

import { actions } from "althing/sign";
import { useRef, useState } from "preact/hooks";
import { peer, readsAs } from "../lib/client.ts";
import { count, plain, plural } from "../lib/format.ts";
import { tagged } from "../lib/model.ts";
import { useQuery } from "../lib/query.ts";
import { head, KEY_FILE_BYTES_MAX, lock, signing, startReading, stopReading, unlock } from "../lib/signing.ts";
import { Badge, Card, Id, Page, Who, Wrong } from "../ui/basics.tsx";
import { Act, Area, Choice, Form, Text } from "../ui/form.tsx";
import { List } from "../ui/record.tsx";
import { Action } from "../ui/tagged.tsx";
import { CodeForm, VoucherForm, Vouchers } from "./joining.tsx";

/** Most choices a list offers. */
const CHOICES = 200;

function Unlock() {
  const [file, setFile] = useState<{ text: string; entity: string | undefined; needsPassphrase: boolean } | undefined>(undefined);
  const [passphrase, setPassphrase] = useState("");
  const [part, setPart] = useState<number | undefined>(undefined);
  const [error, setError] = useState<Error | undefined>(undefined);
  const input = useRef<HTMLInputElement>(null);
  const choose = async (chosen: File | undefined) => {
    if (!chosen) return;
    setError(undefined);
    setFile(undefined);
    try {
      if (chosen.size > KEY_FILE_BYTES_MAX) throw new Error("This file is too long for a key file.");
      const text = await chosen.text();
      const found = head(text);
      setFile({ text, entity: found.entity, needsPassphrase: found.needsPassphrase });
    } catch (failed) {
      setError(failed as Error);
    }
  };
  const open = async () => {
    if (!file) return;
    setError(undefined);
    setPart(0);
    try {
      await unlock(file.text, file.needsPassphrase ? passphrase : undefined, setPart);
      setPassphrase("");
    } catch (failed) {
      setError(failed as Error);
    }
    setPart(undefined);
  };
  return (
    <Card title="Your key" note="read in this browser, kept until this page is closed, sent to nobody">
      <div class="stack">
        <div class="row">
          <button type="button" class="button main" onClick={() => input.current?.click()}>Choose a key file</button>
          <input ref={input} type="file" class="hidden" accept=".json,application/json" tabIndex={-1} aria-label="Key file" onChange={(event) => {
            void choose(event.currentTarget.files?.[0]);
            event.currentTarget.value = "";
          }} />
          {file?.entity && <span>of <Who did={file.entity} /></span>}
        </div>
        {!file && <p class="muted">A key file is what <code>althing key new</code> writes. A demo on this machine keeps those of its organisations in <code>demo-data/organisations</code>: open one and act as it.</p>}
        {file && (
          <div class="row">
            {file.needsPassphrase && (
              <label class="field"><span>Passphrase</span>
                <input type="password" autocomplete="off" value={passphrase} onInput={(event) => setPassphrase(event.currentTarget.value)} onKeyDown={(event) => event.key === "Enter" && void open()} />
              </label>
            )}
            <button type="button" class="button" disabled={part !== undefined} onClick={() => void open()}>{part === undefined ? "Open it" : `Opening, ${Math.round(part * 100)} %`}</button>
          </div>
        )}
        {error && <Wrong error={error} />}
      </div>
    </Card>
  );
}

/** Says to the peer who reads, for what owners show to few. */
function ReadForm() {
  const [purpose, setPurpose] = useState("");
  const [error, setError] = useState<Error | undefined>(undefined);
  const current = readsAs.value;
  const start = () => {
    setError(undefined);
    startReading(purpose.trim()).catch((failed: unknown) => setError(failed as Error));
  };
  return (
    <Card title="Read as yourself" note="what owners show to few, under your name">
      <div class="stack">
        {current ? (
          <div class="row"><span>This peer is told that it is you who reads{current.purpose && <>, for <q><bdi>{plain(current.purpose, 64)}</bdi></q></>}. Uses of a grant are recorded.</span><button type="button" class="button" onClick={stopReading}>Read like anybody</button></div>
        ) : (
          <>
            <div class="sign-fields"><Text label="What for (optional: the purpose of a grant)" value={purpose} set={setPurpose} /></div>
            <div class="row"><button type="button" class="button" onClick={start}>Say that it is you</button></div>
          </>
        )}
        {error && <Wrong error={error} />}
      </div>
    </Card>
  );
}

/** What waits for the signature of whoever signs here. */
function Inbox({ entity }: { entity: string }) {
  return (
    <Card title="Waits for approval" note="yours, or that of others for what you sent">
      <List name={`inbox ${entity}`} ask={(page, options) => peer.pending(entity, page, options)} empty="Nothing waits. Who must approve what is set by an organisation's approval policies.">
        {(one) => {
          const mine = one.sender === entity;
          const done = one.approvals.some((approval) => approval === entity);
          return (
            <div class="entry-head">
              <span><Who did={one.sender} />: {one.actions.map((action, at) => <span key={at}>{at > 0 && ", "}<Action of={tagged(action)} /></span>)}</span>
              <span class="muted">{plural(one.approvals.length, "approval")} so far, until block {count(one.until_height)}</span>
              <span class="entry-acts">
                {!mine && (done ? <Badge tone="good">approved by you</Badge> : <Act verb="Approve" main action={() => actions.approve(one.transaction)} />)}
                <Act verb={mine ? "Withdraw" : "Reject"} action={() => actions.reject(one.transaction)} />
              </span>
            </div>
          );
        }}
      </List>
    </Card>
  );
}

function RecordForm() {
  const [kind, setKind] = useState("note");
  const [text, setText] = useState("");
  const [notify, setNotify] = useState("");
  const [link, setLink] = useState("");
  const entities = useQuery("sign entities", (signal) => peer.entities({ limit: CHOICES }, { signal }));
  const action = () => actions.record(kind, new TextEncoder().encode(text), notify ? [notify] : [], link.trim() ? link.trim() : undefined);
  return (
    <Form title="Write a record" note="a note, an agreement; whoever is notified hears of it" verb="Sign and submit" ready={kind !== "" && text !== ""} action={action}>
      <div class="sign-fields">
        <Text label="Kind" value={kind} set={setKind} />
        <Choice label="Notify" value={notify} set={setNotify} none="nobody" options={(entities.data?.items ?? []).map((one) => ({ id: one.id, name: `${one.name} (${one.kind})` }))} />
        <Text label="Belongs to transaction (optional)" value={link} set={setLink} hint="64 hex digits" />
      </div>
      <Area label="Text" value={text} set={setText} />
    </Form>
  );
}

const TEMPLATE = `{
  "@context": "https://www.w3.org/2022/wot/td/v1.1",
  "title": "Thermometer in the hall",
  "securityDefinitions": { "none": { "scheme": "nosec" } },
  "security": "none",
  "properties": {
    "temperature": {
      "type": "number", "unit": "Cel", "multipleOf": 0.01, "readOnly": true,
      "forms": [{ "href": "mqtt://gateway/althing/hall-1/temperature" }]
    }
  }
}`;

function ThingForm() {
  const [name, setName] = useState("");
  const [description, setDescription] = useState(TEMPLATE);
  return (
    <Form title="Register a thing" note="you will own it" verb="Sign and register" ready={name !== "" && description !== ""} action={() => actions.registerThing(name, description)}>
      <div class="sign-fields"><Text label="Your name for it" value={name} set={setName} hint="such as hall-1" /></div>
      <Area label="Thing Description (W3C WoT 1.1, JSON)" value={description} set={setDescription} rows={8} code />
    </Form>
  );
}

/** The largest height there is: a binding that does not end by itself. */
const WITHOUT_END = 18446744073709551615n;

function BindForm({ owner }: { owner: string }) {
  const [thing, setThing] = useState("");
  const [gateway, setGateway] = useState("");
  const [height, setHeight] = useState("");
  const choices = useQuery(`sign things ${owner}`, async (signal) => {
    const [things, gateways] = await Promise.all([peer.things({ owner, limit: CHOICES }, { signal }), peer.entities({ kind: "gateway", limit: CHOICES }, { signal })]);
    return { things: things.items, gateways: gateways.items };
  }, 5000);
  const valid = height === "" || /^[1-9]\d{0,14}$/.test(height);
  return (
    <Form title="Bind a gateway" note="let it submit for a thing of yours" verb="Sign and bind" ready={thing !== "" && gateway !== "" && valid} action={() => actions.bind(thing, gateway, height === "" ? WITHOUT_END : BigInt(height))}>
      <div class="sign-fields">
        <Choice label="Thing" value={thing} set={setThing} none="choose" options={(choices.data?.things ?? []).map((one) => ({ id: one.id, name: one.title || one.name }))} />
        <Choice label="Gateway" value={gateway} set={setGateway} none="choose" options={choices.data?.gateways ?? []} />
        <Text label="Until block (empty: without end)" value={height} set={setHeight} />
      </div>
    </Form>
  );
}

export function Sign() {
  const current = signing.value;
  return (
    <Page
      title="Sign"
      lead="What you do here is signed in this browser by your own key. The peer never sees it: it gets the signed transaction, like from every client."
      aside={current && <button type="button" class="button" onClick={lock}>Forget the key</button>}
    >
      {!current ? <Unlock /> : (
        <div class="stack">
          <p>You sign as <Who did={current.entity} />, for ledger <Id id={current.ledger} />.</p>
          <Inbox entity={current.entity} />
          <div class="columns"><ReadForm /><CodeForm of={current} /></div>
          <div class="columns"><RecordForm /><BindForm owner={current.entity} /></div>
          <div class="columns"><ThingForm /><VoucherForm /></div>
          <Vouchers />
        </div>
      )}
    </Page>
  );
}
