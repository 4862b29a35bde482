/** Seats that follow from stakes: who stands, with how much, and putting tokens behind peers of one's own. */

import { openKeyFile } from "althing/key-file";
import { actions } from "althing/sign";
import { useState } from "preact/hooks";
import { maybe, peer } from "../lib/client.ts";
import { count, plain, plural } from "../lib/format.ts";
import type { Entity, Governance, Stake, StakeForm } from "../lib/model.ts";
import { useQuery } from "../lib/query.ts";
import { signing, type Signing } from "../lib/signing.ts";
import { Await, Badge, Card, Fact, Facts, Height, Table, Who } from "../ui/basics.tsx";
import { Act, Choice, Form, Text } from "../ui/form.tsx";
import { Amount } from "../ui/tagged.tsx";
import { typed } from "./tokens.tsx";

const EVERY_MS = 3000;
/** Most peers in line that are listed, and most of one's own to choose from. */
const LISTED = 200;

/** Puts tokens behind a peer of one's own, which stands for a seat from then on. */
function Put({ of: { ledger }, own, stakes, onDone }: { of: Signing; own: readonly Entity[]; stakes: readonly Stake[]; onDone: () => void }) {
  const [chosen, choose] = useState("");
  const [much, setMuch] = useState("");
  const [address, setAddress] = useState("");
  const [file, setFile] = useState<File | undefined>(undefined);
  const [passphrase, setPassphrase] = useState("");
  const stands = stakes.some((one) => one.peer === chosen && one.since_height !== undefined);
  const action = async () => {
    if (stands || !file) return actions.stake(ledger, chosen, typed(much));
    const { key } = await openKeyFile(await file.text(), passphrase || undefined);
    return actions.stake(ledger, chosen, typed(much), { votingKey: key, address });
  };
  return (
    <Form title="Put tokens behind a peer" note="it stands for a seat with them" verb="Sign and stake" ready={chosen !== "" && much !== "" && (stands || (file !== undefined && address !== ""))} action={action} onDone={onDone}>
      <div class="sign-fields">
        <Choice label="Your peer" value={chosen} set={choose} none="choose" options={[...own]} />
        <Text label="Amount" value={much} set={setMuch} hint="500" />
        {chosen && !stands && (
          <>
            <Text label="Where other peers reach it" value={address} set={setAddress} hint="peer-5.example:4465" />
            <label class="field"><span>File of the key that it votes with</span><input type="file" accept=".json" onChange={(event) => setFile(event.currentTarget.files?.[0])} /></label>
            <Text label="Passphrase of that file, if it has one" type="password" value={passphrase} set={setPassphrase} />
          </>
        )}
      </div>
    </Form>
  );
}

/** Takes tokens back, and collects what was locked. */
function Take({ own, epoch, onDone }: { own: readonly Entity[]; epoch: number; onDone: () => void }) {
  const [chosen, choose] = useState("");
  const [much, setMuch] = useState("");
  // One that stands no more is in no list.
  const stake = useQuery(`stake ${chosen}`, (signal) => (chosen ? maybe(peer.stake(chosen, { signal })) : Promise.resolve(undefined)));
  const again = () => {
    stake.again();
    onDone();
  };
  return (
    <Form title="Take tokens back" note="locked for a while; keep the peer running until its seat is gone" verb="Sign and withdraw" ready={chosen !== ""} action={() => actions.unstake(chosen, much ? typed(much) : undefined)} onDone={again}>
      <div class="sign-fields">
        <Choice label="Your peer" value={chosen} set={choose} none="choose" options={[...own]} />
        <Text label="Amount (empty: all, and it stands no more)" value={much} set={setMuch} />
      </div>
      {stake.data && <p><Amount of={stake.data.amount} /> behind it{stake.data.leaving !== "0" && <>, <Amount of={stake.data.leaving} /> withdrawn and free {epoch < stake.data.free_epoch ? <>in epoch {count(stake.data.free_epoch)}; this is epoch {count(epoch)}</> : <>now <Act verb="Collect" main action={() => actions.collectStake(chosen)} onDone={again} /></>}</>}.</p>}
    </Form>
  );
}

function Seat({ of, governance }: { of: Stake; governance: Governance }) {
  const has = (seats: Governance["validators"]) => seats.some((one) => one.peer === of.peer);
  if (has(governance.validators)) return <Badge tone="good">has a seat</Badge>;
  if (has(governance.next_validators)) return <Badge tone="ice">from the next epoch on</Badge>;
  return has(governance.chosen_validators) ? <Badge tone="ice">from the epoch after the next on</Badge> : <Badge>{of.since_height === undefined ? "does not stand" : "waits in line"}</Badge>;
}

export function Stakes({ governance, terms }: { governance: Governance; terms: StakeForm }) {
  const found = useQuery("stakes", (signal) => peer.candidates({ limit: LISTED }, { signal }), EVERY_MS);
  const me = signing.value;
  const peers = useQuery(`peers of ${me?.entity}`, (signal) => (me ? peer.entities({ kind: "peer", owner: me.entity, limit: LISTED }, { signal }) : Promise.resolve(undefined)), EVERY_MS);
  const own = peers.data?.items ?? [];
  const again = found.again;
  return (
    <Await of={found} lines={5}>
      {({ items }) => {
        const total = items.reduce((sum, one) => sum + BigInt(one.amount), 0n);
        return (
          <>
            <Card title="Seats by stake" note={<>at least <Amount of={terms.least} /> for one</>}>
              <div class="stack">
                <Facts>
                  <Fact name="Stand for a seat">{plural(items.length, "peer")}, with <Amount of={String(total)} /></Fact>
                  <Fact name="Seats at most">{count(terms.seats_max)}</Fact>
                  <Fact name="Withdrawn is locked for">{plural(terms.locked_epochs, "epoch")}</Fact>
                  <Fact name="Silent so long costs the seat">{plural(terms.silent_epochs, "epoch")}</Fact>
                  <Fact name="Voting twice costs">{terms.burnt_percent}% of the stake</Fact>
                </Facts>
                <Table label="Seats by stake" head={["Place", "Peer", "Organisation", <span class="end">Stake</span>, "Seat", "Stands since", "Withdrawn"]}>
                  {items.map((one, at) => (
                    <tr key={one.peer}>
                      <td>{count(at + 1)}</td>
                      <td><bdi>{plain(one.name, 40)}</bdi></td>
                      <td><Who did={one.organisation} /></td>
                      <td><strong><Amount of={one.amount} /></strong></td>
                      <td><Seat of={one} governance={governance} /> {one.silent_epochs > 0 && <Badge tone="warn">silent for {plural(one.silent_epochs, "epoch")}</Badge>}</td>
                      <td>{one.since_height === undefined ? "—" : <Height height={one.since_height} />}</td>
                      <td>{one.leaving === "0" ? "—" : <><Amount of={one.leaving} />, free in epoch {count(one.free_epoch)}</>}</td>
                    </tr>
                  ))}
                </Table>
                <p class="muted">The last block of each epoch gives the seats of the epoch after the next to the highest stakes, all with equal votes.{!me && <> <a href="/sign">Open your key</a> to put tokens behind a peer of your own.</>}</p>
              </div>
            </Card>
            {me && <div class="columns"><Put of={me} own={own} stakes={items} onDone={again} /><Take own={own} epoch={governance.epoch} onDone={again} /></div>}
          </>
        );
      }}
    </Await>
  );
}
