/** How things come to owners: by a code that one holds, and by a maker's voucher. */

import { actions, codeKey } from "althing/sign";
import { fromHex } from "althing/text";
import { useState } from "preact/hooks";
import { peer } from "../lib/client.ts";
import { count } from "../lib/format.ts";
import { pastEvents } from "../lib/history.ts";
import { signing, type Signing } from "../lib/signing.ts";
import { useQuery } from "../lib/query.ts";
import { vouchersOf } from "../lib/vouchers.ts";
import { Await, Badge, Card, Height, Id, Table, Who } from "../ui/basics.tsx";
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

/** Events looked through for vouchers. */
const EVENTS = 1000;
const VOUCHER_EVENTS = ["voucher_issued", "voucher_revoked", "device_joined"];

/** Makers' vouchers: how many joined by each, to its maker with the means to end it. */
export function Vouchers() {
  const found = useQuery("vouchers", async (signal) => vouchersOf(await pastEvents({ type: VOUCHER_EVENTS.join(), after: "0-0-0" }, EVENTS, signal)), 10_000);
  const mine = signing.value?.entity;
  return (
    <Card title="Vouchers" note="a maker's word for devices that join by themselves">
      <Await of={found} lines={3}>
        {(vouchers) => vouchers.length === 0 ? <p class="empty">No maker has vouched for devices. <code>althing thing vouch</code> does, and so does the page Sign.</p> : (
          <Table label="Vouchers" head={["Maker", "For", "Devices", "Joined", "Issued in block", "Counts", "Id"]}>
            {vouchers.map(({ id, maker, owner, count: devices, joined, height, revoked }) => (
              <tr key={id}>
                <td><Who did={maker} /></td>
                <td><Who did={owner} /></td>
                <td>{count(devices)}</td>
                <td>{count(joined)}</td>
                <td><Height height={height} /></td>
                <td>{revoked ? <Badge>no, revoked</Badge> : <Badge tone="good">yes</Badge>} {!revoked && maker === mine && <Act verb="Revoke it" action={() => actions.revokeVoucher(id)} onDone={found.again} />}</td>
                <td><Id id={id} /></td>
              </tr>
            ))}
          </Table>
        )}
      </Await>
    </Card>
  );
}
