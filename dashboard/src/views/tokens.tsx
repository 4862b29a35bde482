/** The token of the ledger: how much there is and where, who has it, and what moved; paying, and deciding about what is locked. */

import { actions } from "althing/sign";
import { useState } from "preact/hooks";
import { units } from "../lib/amount.ts";
import { peer } from "../lib/client.ts";
import { plain, words } from "../lib/format.ts";
import type { Escrow, Sponsorship } from "../lib/model.ts";
import { named } from "../lib/names.ts";
import { status } from "../lib/network.ts";
import { token } from "../lib/offered.ts";
import { useQuery } from "../lib/query.ts";
import { signing } from "../lib/signing.ts";
import { href, type Route } from "../router.ts";
import { At, Await, Badge, Card, Fact, Facts, Height, Page, Who } from "../ui/basics.tsx";
import { Act, Choice, Form, Text } from "../ui/form.tsx";
import { List, Value } from "../ui/record.tsx";
import { Amount } from "../ui/tagged.tsx";

const EVERY_MS = 3000;
/** Most payees that a list offers. */
const CHOICES = 200;

/** Until the interface has said how the token is called nothing can be signed. */
export const typed = (text: string) => {
  if (!token.value) throw new Error("The peer has not said yet how the token is called. Try again.");
  return units(text, token.value);
};

function height(text: string): bigint {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new RangeError(`“${plain(text, 40)}” is no number of a block: write digits.`);
  return BigInt(text);
}

const Until = ({ at }: { at: number }) => <>until block <Value name="until_height" value={at} /></>;
const For = ({ memo }: { memo: string }) => (memo ? <>, for <q><bdi>{plain(memo, 128)}</bdi></q></> : null);

/** Pays, or locks until a block. */
function Pay({ to, onDone }: { to?: string; onDone: () => void }) {
  const [chosen, choose] = useState("");
  const [much, setMuch] = useState("");
  const [memo, setMemo] = useState("");
  const [until, setUntil] = useState("");
  const me = signing.value?.entity;
  const others = useQuery("payees", (signal) => peer.entities({ limit: CHOICES }, { signal }));
  if (!me) return <Card><p><a href="/sign">Open your key</a> to pay: it signs in this browser.</p></Card>;
  const payee = to ?? chosen;
  const action = () => (until ? actions.openEscrow(payee, typed(much), height(until), undefined, memo) : actions.transfer(payee, typed(much), memo));
  return (
    <Form title={to ? "Pay this account" : "Pay"} note={<>you have <Balance of={me} /></>} verb={until ? "Sign and lock" : "Sign and pay"} ready={payee !== "" && much !== ""} action={action} onDone={onDone}>
      <div class="sign-fields">
        {!to && <Choice label="To" value={chosen} set={choose} none="choose" options={(others.data?.items ?? []).filter((one) => one.id !== me).map((one) => ({ id: one.id, name: `${one.name} (${one.kind})` }))} />}
        <Text label={`Amount, in ${token.value?.symbol ?? "tokens"}`} value={much} set={setMuch} hint="12.5" />
        <Text label="What for (optional, public)" value={memo} set={setMemo} />
        <Text label="Lock until block (empty: pay at once)" value={until} set={setUntil} />
      </div>
    </Form>
  );
}

/** What an account has now. */
export function Balance({ of }: { of: string }) {
  const found = useQuery(`holding ${of}`, (signal) => peer.holding(of, { signal }), EVERY_MS);
  return found.data ? <Amount of={found.data.balance} /> : <>…</>;
}

export function Tokens() {
  const found = useQuery("supply", (signal) => peer.supply({ signal }), EVERY_MS);
  return (
    <Await of={found} lines={8}>
      {({ token: name, prices, ...sums }) => !name || !prices ? (
        <Page title="Tokens"><p class="empty">This ledger has no tokens: its genesis founds none, and they cannot be added later.</p></Page>
      ) : (
        <Page title="Tokens" lead={<>This ledger has one token, <strong><bdi>{plain(name.name, 60)}</bdi></strong>. Members decide by vote how much of it there is, and whoever has some pays with it; every peer counts along.</>}>
          <div class="stack">
            <div class="columns">
              <Card title="All there is" note={<Amount of={sums.total} />}>
                <Facts>
                  <Fact name="In accounts"><Amount of={sums.accounts} /></Fact>
                  <Fact name="Locked in escrows"><Amount of={sums.escrows} /></Fact>
                  <Fact name="Set aside to reward readings"><Amount of={sums.rewards} /></Fact>
                  <Fact name="Fees, for the validators of this epoch"><Amount of={sums.fees} /></Fact>
                </Facts>
              </Card>
              <Card title="What a transaction costs">
                {Object.values(prices).some(Boolean) ? <Facts>
                  <Fact name="Each transaction"><Amount of={prices.per_transaction} /></Fact>
                  <Fact name="Each byte of it"><Amount of={prices.per_byte} /></Fact>
                  <Fact name="Each million gas it asks for"><Amount of={prices.per_million_gas} /></Fact>
                </Facts> : <p class="empty">Nothing: there are no fees now. Members can set some by vote.</p>}
              </Card>
            </div>
            <Pay onDone={found.again} />
            <Card title="Who has them">
              <List name={`holdings ${sums.total}`} ask={(page, options) => peer.holdings(page, options)} empty="Nobody.">
                {(one) => <div class="entry-head"><Who did={one.account} />{one.frozen && <Badge tone="bad">frozen</Badge>}<span class="entry-acts"><a href={href.account(one.account)}><Amount of={one.balance} /></a></span></div>}
              </List>
            </Card>
          </div>
        </Page>
      )}
    </Await>
  );
}

/** What is locked, and what whoever signs here may make of it. */
function Locked({ of: one }: { of: Escrow }) {
  const me = signing.value?.entity;
  const over = (status.value?.height ?? 0) > one.until_height;
  const decides = me === one.arbiter;
  return (
    <div class="entry-head">
      <span><strong><Amount of={one.amount} /></strong> of <Who did={one.payer} /> for <Who did={one.payee} />, <Until at={one.until_height} />{one.arbiter && <>; <Who did={one.arbiter} /> decides too</>}<For memo={one.memo} /></span>
      {me && <span class="entry-acts">
        {!over && (decides || me === one.payer) && <Act verb="Release" main action={() => actions.releaseEscrow(one.id)} />}
        {(over || decides || me === one.payee) && <Act verb="Give back" action={() => actions.refundEscrow(one.id)} />}
      </span>}
    </div>
  );
}

/** A promise to pay somebody's fees. */
function Promised({ of: one }: { of: Sponsorship }) {
  return (
    <div class="entry-head">
      <span><Who did={one.sponsor} /> pays the fees of <Who did={one.entity} />: <Amount of={one.per_day} /> a day at most, <Amount of={one.spent} /> of <Amount of={one.total} /> so far, <Until at={one.until_height} /></span>
      {signing.value?.entity === one.sponsor && <span class="entry-acts"><Act verb="End it" action={() => actions.endSponsorship(one.entity)} /></span>}
    </div>
  );
}

function Sponsor({ entity, onDone }: { entity: string; onDone: () => void }) {
  const [day, setDay] = useState("");
  const [total, setTotal] = useState("");
  const [until, setUntil] = useState("");
  return (
    <Form title="Pay its fees" note="it is yours, and needs no tokens then" verb="Sign and promise" ready={day !== "" && total !== ""} action={() => actions.sponsor(entity, typed(day), typed(total), height(until))} onDone={onDone}>
      <div class="sign-fields">
        <Text label="At most in a day" value={day} set={setDay} hint="10" />
        <Text label="At most altogether" value={total} set={setTotal} hint="1000" />
        <Text label="Until block" value={until} set={setUntil} />
      </div>
    </Form>
  );
}

export function AccountPage({ route }: { route: Route }) {
  const id = route.parts[0] ?? "";
  const found = useQuery(`account ${id}`, (signal) => peer.holding(id, { signal }), EVERY_MS);
  const who = named(id).value;
  const me = signing.value?.entity;
  const again = found.again;
  return (
    <Await of={found} lines={8}>
      {(one) => (
        <Page title={<>Account of <Who did={one.account} bare /></>} lead={<>What <Who did={one.account} /> has, and what moved. Everybody can see it.</>}>
          <div class="stack">
            <Card>
              <Facts>
                <Fact name="It has"><strong class="big"><Amount of={one.balance} /></strong> {one.frozen && <Badge tone="bad">frozen by the members: it pays fees and nothing else</Badge>}</Fact>
                <Fact name="Its fees">{one.sponsorship ? <Promised of={one.sponsorship} /> : "are paid from what it has"}</Fact>
              </Facts>
            </Card>
            {me !== one.account && <Pay to={one.account} onDone={again} />}
            {me && who?.as === "entity" && who.entity.owner === me && <Sponsor entity={one.account} onDone={again} />}
            <div class="columns">
              <Card title="In escrow" note="locked until both are content">
                <List name={`escrows ${id}`} ask={(page, options) => peer.escrows(id, page, options)} empty="Nothing is locked by it or for it.">{(each) => <Locked of={each} />}</List>
              </Card>
              <Card title="Fees it pays for others">
                <List name={`sponsored ${id}`} ask={(page, options) => peer.sponsored(id, page, options)} empty="It pays nobody’s.">{(each) => <Promised of={each} />}</List>
              </Card>
            </div>
            <Card title="What moved" note="newest first">
              <List name={`moved ${id} ${one.balance}`} ask={(page, options) => peer.transfers(id, page, options)} empty="Nothing yet.">
                {(line) => (
                  <div class="entry-head">
                    <strong>{line.incoming ? "+" : "−"}<Amount of={line.amount} /></strong>
                    <span>{words(line.reason)}{line.other && <> {line.incoming ? "from" : line.reason === "fee" ? "of" : "to"} <Who did={line.other} /></>}<For memo={line.memo} /></span>
                    <span class="muted entry-acts"><span><Amount of={line.balance} /> then, block <Height height={line.height} />, <At time={line.time} /></span>{line.transaction && <a href={href.transaction(line.transaction)}>transaction</a>}</span>
                  </div>
                )}
              </List>
            </Card>
          </div>
        </Page>
      )}
    </Await>
  );
}
