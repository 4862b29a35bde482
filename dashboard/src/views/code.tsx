/** Code of contracts: what is stored, and storing more of it. */

import { actions, type Action } from "althing/sign";
import { toHex } from "althing/text";
import { useState } from "preact/hooks";
import { maybe, peer } from "../lib/client.ts";
import { bytes, count, listed, plain, plural } from "../lib/format.ts";
import { blocks } from "../lib/network.ts";
import { signing, submit } from "../lib/signing.ts";
import { At, Badge, Card, Height, Id, Who } from "../ui/basics.tsx";
import { Act, Form, Text } from "../ui/form.tsx";
import { List } from "../ui/record.tsx";

/** What code or a contract says that it serves. */
export const Names = ({ names }: { names: readonly string[] }) => <>{names.map((name) => <Badge key={name}>{plain(name, 40)}</Badge>)}</>;


/** Brings a module to the ledger, part by part, and then has it stored. */
function Store() {
  const [file, setFile] = useState<File | undefined>(undefined);
  const [form, setForm] = useState({ name: "", interfaces: "", source: "" });
  const [told, tell] = useState("");
  const set = (field: keyof typeof form) => (value: string) => setForm({ ...form, [field]: value });
  const choose = (chosen: File | undefined) => {
    setFile(chosen);
    if (chosen && form.name === "") set("name")(chosen.name.replace(/\.wasm$/, ""));
  };
  const action = async (): Promise<Action> => {
    if (!file) throw new Error("Choose a file first.");
    const { code, uploads, store } = actions.storeCode(new Uint8Array(await file.arrayBuffer()), form.name, listed(form.interfaces), form.source);
    const there = await maybe(peer.code(toHex(code)));
    if (there) throw new Error(`This module is stored already, as ${there.name}.`);
    for (const [at, upload] of uploads.entries()) {
      tell(`Part ${count(at + 1)} of ${count(uploads.length)} is on its way.`);
      const { receipt } = await submit(upload);
      if (receipt.refusal) throw new Error(receipt.refusal.detail);
    }
    tell("All parts are on the ledger; peers look at the module.");
    return store;
  };
  return (
    <Form title="Store code" note="a WebAssembly module, of which contracts are made" verb="Sign and store" ready={file !== undefined && form.name !== ""} action={action} onDone={() => tell("")}>
      <div class="sign-fields">
        <label class="field"><span>Module</span><input type="file" accept=".wasm,application/wasm" onChange={(event) => choose(event.currentTarget.files?.[0])} /></label>
        <Text label="Name" value={form.name} set={set("name")} />
        <Text label="Interfaces it serves" value={form.interfaces} set={set("interfaces")} hint="separated by commas" />
        <Text label="Where its source is" value={form.source} set={set("source")} />
      </div>
      <p class="muted" aria-live="polite">{told}</p>
    </Form>
  );
}

export function Codes() {
  const mine = signing.value?.entity;
  return (
    <>
      <Card title="Code" note="modules that contracts run, by the digest of their bytes">
        <List name="codes" ask={(page, options) => peer.codes(page, options)} empty={<>None is stored. <code>althing contract store</code> stores a module.</>}>
          {(one) => (
            <div class="entry-head">
              <strong><bdi>{plain(one.name, 60)}</bdi></strong> <Names names={one.interfaces} /> <Id id={one.id} />
              <span class="muted">number {count(one.number)}, {bytes(one.bytes)}, of <Who did={one.owner} />, stored in block <Height height={one.stored_height} />, {plural(one.contracts, "contract")}</span>
              {one.ready.ms > (blocks.value[0]?.time.ms ?? 0) && <Badge tone="warn">peers compile it until <At time={one.ready} /></Badge>}
              {one.contracts === 0 && mine !== undefined && (mine === one.owner || mine === one.creator) && <span class="entry-acts"><Act verb="Remove it" action={() => actions.removeCode(one.id)} /></span>}
            </div>
          )}
        </List>
      </Card>
      {mine !== undefined && <Store />}
    </>
  );
}
