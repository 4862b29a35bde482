/** How things come to owners: by a code that one holds, and by a maker's voucher. */

import { actions, codeKey } from "althing/sign";
import { fromHex } from "althing/text";
import { useState } from "preact/hooks";
import { peer } from "../lib/client.ts";
import { count, plural } from "../lib/format.ts";
import type { Signing } from "../lib/signing.ts";
import { useQuery } from "../lib/query.ts";
import { Await, Badge, Fact, Facts, Height, Who } from "../ui/basics.tsx";
import { Act, Area, Choice, Form, Text } from "../ui/form.tsx";

/** Most organisations to choose from. */
const CHOICES = 200;

/** Takes over a thing that is offered to whoever holds its code. */
export function CodeForm({ of: { entity, ledger } }: { of: Signing }) {
  const [thing, setThing] = useState("");
  const [code, setCode] = useState("");
  return (
    <Form title="Take over a thing by its code" note="the code stays here: it signs, and is sent to nobody" verb="Sign and take over" ready={thing.startsWith("did:") && code !== ""} action={() => actions.claimThing(ledger, thing.trim(), entity, codeKey(code))}>
      <div class="sign-fields">
        <Text label="Thing" value={thing} set={setThing} hint="DID" />
        <Text label="Code, as it stands on the label" value={code} set={setCode} />
      </div>
    </Form>
  );
}

/** The devices of a maker's list, as `althing thing vouch` takes it. */
function devicesOf(text: string): actions.Made[] {
  const listed = JSON.parse(text) as { name: string; suite: "ed25519" | "p256"; key: string }[];
  return listed.map(({ name, suite, key }) => {
    const bytes = fromHex(key);
    if (!bytes) throw new Error(`${name}: its key is no hex.`);
    return { name, key: { suite, bytes } };
  });
}

/** Vouches for a batch of devices. */
export function VoucherForm() {
  const [owner, setOwner] = useState("");
  const [devices, setDevices] = useState("");
  const [description, setDescription] = useState("");
  const owners = useQuery("voucher owners", (signal) => peer.entities({ kind: "organisation", limit: CHOICES }, { signal }));
  return (
    <Form title="Vouch for devices" note="as their maker: each joins by itself and belongs to the owner at once" verb="Sign and vouch" ready={owner !== "" && devices !== "" && description !== ""} action={() => actions.issueVoucher(owner, devicesOf(devices), description)}>
      <div class="sign-fields"><Choice label="They will belong to" value={owner} set={setOwner} options={owners.data?.items ?? []} none="choose" /></div>
      <Area label='Devices: [{"name", "suite", "key"}], JSON' value={devices} set={setDevices} code />
      <Area label="Thing Description of each, JSON" value={description} set={setDescription} code />
    </Form>
  );
}

/** Shows a voucher, to its maker with the means to end it. */
export function VoucherCheck({ of: { entity } }: { of: Signing }) {
  const [id, setId] = useState("");
  const asked = /^[0-9a-f]{64}$/.test(id.trim()) ? id.trim() : "";
  const found = useQuery(`voucher ${asked}`, (signal) => (asked ? peer.voucher(asked, { signal }) : Promise.resolve(undefined)));
  return (
    <section class="card" aria-label="A voucher">
      <div class="stack">
        <div class="sign-fields"><Text label="Look at a voucher" value={id} set={setId} hint="64 hex digits" /></div>
        {asked && (
          <Await of={found} lines={2}>
            {(voucher) => voucher && (
              <>
                <Facts>
                  <Fact name="Maker"><Who did={voucher.maker} /></Fact>
                  <Fact name="Owner of what joins"><Who did={voucher.owner} /></Fact>
                  <Fact name="Vouched for">{plural(voucher.count, "device")}</Fact>
                  <Fact name="Issued in block"><Height height={voucher.issued} /></Fact>
                  <Fact name="Counts">{voucher.active ? <Badge tone="good">yes</Badge> : <Badge>no, it was revoked</Badge>}</Fact>
                </Facts>
                {voucher.active && voucher.maker === entity && <div class="row"><Act verb={`Revoke it: ${count(voucher.count)} can no longer join by it`} action={() => actions.revokeVoucher(voucher.id)} onDone={found.again} /></div>}
              </>
            )}
          </Await>
        )}
      </div>
    </section>
  );
}
