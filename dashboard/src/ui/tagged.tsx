/** Actions and events of the ledger in words. */

import type { ComponentChildren } from "preact";
import { amount } from "../lib/amount.ts";
import { count, endless, plain, plural, words } from "../lib/format.ts";
import { tagged, type EventRecord, type Tagged } from "../lib/model.ts";
import { token } from "../lib/offered.ts";
import { href } from "../router.ts";
import { Height, Id, Who } from "./basics.tsx";

type Part = ComponentChildren;

/** How many fields of an unknown action or event are shown. */
const FIELDS_MAX = 4;

const text = (one: Tagged, field: string) => String(one[field] ?? "");
const number = (one: Tagged, field: string) => Number(one[field] ?? 0);
const who = (one: Tagged, field: string) => <Who did={text(one, field)} />;
const quoted = (one: Tagged, field: string) => <q><bdi>{plain(text(one, field))}</bdi></q>;
const ids = (one: Tagged, field: string) => (Array.isArray(one[field]) ? (one[field] as unknown[]).map(String) : []);

const transaction = (one: Tagged, field: string) => <Id id={text(one, field)} link={href.transaction(text(one, field))} />;

/** Tokens, by their name as soon as it is known; `of` in the smallest unit. */
export function Amount({ of }: { of: string | number }) {
  return <>{token.value ? amount(String(of), token.value) : of}</>;
}

function until(one: Tagged): Part {
  const height = number(one, "until_height");
  return endless(height) ? "without end" : <>until block {count(height)}</>;
}

function stream(one: Tagged): Part {
  const first = number(one, "first_seq");
  const last = first + Math.max(1, number(one, "count")) - 1;
  const link = href.reading(text(one, "stream"), last);
  return <a href={link}>{first === last ? `number ${count(first)}` : `numbers ${count(first)} to ${count(last)}`}</a>;
}

const proposal = (one: Tagged) => <>a <a href={href.transaction(text(one, "proposal"))}>proposal</a></>;

const contract = (one: Tagged) => <>contract <Who did={text(one, "contract")} contract /></>;

const service = (one: Tagged) => <>version {plain(text(one, "version"))} of a <a href={href.service(text(one, "service"))}>service</a></>;

const trigger = (one: Tagged) => <a href={href.trigger(text(one, "trigger"))}>trigger</a>;

/** The first few of what a contract tells. */
function attributes(one: Tagged): Part {
  const all = Array.isArray(one["attributes"]) ? (one["attributes"] as Tagged[]) : [];
  return all.slice(0, FIELDS_MAX).map((each, at) => <span key={at}>{at === 0 ? ": " : ", "}<bdi>{plain(text(each, "key"), 40)}</bdi> <q><bdi>{plain(text(each, "value"), 60)}</bdi></q></span>);
}

/** What access is about. */
function about(resource: unknown): Part {
  const one = (resource ?? {}) as Tagged;
  const whole = text(one, "id").startsWith("did:") ? who(one, "id") : <Id id={text(one, "id")} />;
  if (one["kind"] === "everything") return <>all things of {whole}</>;
  return one["name"] ? <>{text(one, "kind")} {quoted(one, "name")} of {whole}</> : whole;
}

function access(one: Tagged): Part {
  const what = (one["access"] ?? {}) as Tagged;
  return <>access of {who(what, "grantee")} to {words(text(what, "right"))} {about(what["resource"])}{what["purpose"] ? <> for {quoted(what, "purpose")}</> : null}</>;
}

function people(dids: string[]): Part {
  return dids.map((did, at) => <>{at > 0 && ", "}<Who did={did} key={did} /></>);
}

const tags = (one: Tagged) => <q><bdi>{plain(ids(one, "tags").join(", "))}</bdi></q>;

/** What stands for a part of a sentence, by the sign before its field. */
const SIGNS: Record<string, (one: Tagged, field: string, word: string) => Part> = {
  "@": who,
  "'": quoted,
  "#": (one, field) => <Id id={text(one, field)} />,
  "^": transaction,
  $: (one, field) => words(text(one, field)),
  "*": (one, field) => <Amount of={text(one, field)} />,
  "%": (one, field) => count(number(one, field)),
  "+": (one, field, word) => plural(number(one, field), word),
  "&": (one, field) => people(ids(one, field)),
  "~": (one, field) => WHOLES[field]?.(one),
};

/** Parts that more than one field makes. */
const WHOLES: Record<string, (one: Tagged) => Part> = { until, stream, proposal, contract, service, trigger, attributes, access, tags, about: (one) => about(one["resource"]) };

/**
 * Actions in words. Names of fields stand for what they hold: `@` who, `'` a name in quotes, `#` an id, `^` a transaction, `$` a word, `%` a number, `*` tokens,
 * `+count(reading)` how many, `&` several people, `~` what several fields make together.
 */
const ACTIONS: Record<string, string | ((one: Tagged) => Part)> = {
  register_entity: "register the $kind 'name @entity",
  rotate_key: "rotate the key of @entity",
  revoke_entity: "revoke @entity",
  register_thing: "register the thing 'name @thing",
  update_thing: "replace description $replaces of @thing",
  retire_thing: "retire @thing",
  bind: "let @gateway submit for @thing ~until",
  unbind: "no longer let @gateway submit for @thing",
  submit_batch: "submit +count(reading), ~stream",
  record: (a) => (
    <>record {quoted(a, "kind")} of {plural(text(a, "data").length / 2, "byte")}
      {ids(a, "notify").length > 0 && <>, notify {people(ids(a, "notify"))}</>}
      {a["link"] ? <>, linked to {transaction(a, "link")}</> : null}
    </>
  ),
  set_approval_policy: "from now on $threshold of &approvers must approve: $kind",
  offer_thing: (a) => (a["offer"] ? <>offer {who(a, "thing")} to another owner</> : <>withdraw the offer of {who(a, "thing")}</>),
  accept_thing: "become the owner of @thing",
  limit_binding: (a) => <>{a["limit"] ? "narrow" : "lift the limit of"} what {who(a, "gateway")} may do for {who(a, "thing")}</>,
  report_status: "report how @thing is",
  cancel_command: "take back command ^command",
  report_command: "answer command ^command: $state",
  quarantine: (a) => (a["reason"] ? <>shut out {who(a, "thing")}: {quoted(a, "reason")}</> : <>no longer ask to shut out {who(a, "thing")}</>),
  answer_access: (a) => <>{a["allow"] ? "allow" : "deny"} access <Id id={text(a, "request")} /></>,
  transfer: "pay @to *amount",
  burn_tokens: "destroy *amount",
  open_escrow: "lock *amount for @payee ~until",
  sponsor: "pay the fees of @entity, *per_day a day at most, *total altogether, ~until",
  fund_reward: "add *amount to reward #reward",
  stake: "put *amount behind @peer",
  unstake: (a) => <>take {a["amount"] ? <Amount of={text(a, "amount")} /> : "all tokens"} from behind {who(a, "peer")}</>,
  collect_stake: "collect what was withdrawn from @peer",
  erase_readings: "have numbers %first_seq to %last_seq erased, of stream #stream",
  revoke_grant: "end grant #grant",
  use_grant: "use grant #grant",
  record_direct: (a) => (a["uses"] as Tagged[]).map((use, at) => <div key={at}>{who(use, "caller")} asked {who(use, "thing")} at its gateway to {text(use, "operation")} {quoted(use, "name")}: {text(use, "state")}</div>),
  tag_thing: "have @thing found by ~tags",
  register_link: "rely on another ledger",
  advance_link: "show link #link a newer block",
  report_fork: "show that the ledger of link #link forked",
  set_link_status: "have link #link $status",
  ask_ledger: "ask service #service of ledger #ledger",
  take_call: "bring in a call of another ledger",
  answer_call: "answer call #call of ledger #ledger",
  settle_call: "bring back the answer to call #call",
  refund_call: "give up call #call",
  approve: "approve ^pending",
  reject: "reject ^pending",
};

/** Events in words, as above. */
const EVENTS: typeof ACTIONS = {
  entity_registered: "@owner registered @entity",
  key_rotated: "@entity has key version $version",
  entity_revoked: "@entity was revoked",
  thing_registered: "@owner registered @thing",
  thing_updated: "@thing has description version $version",
  thing_retired: "@thing was retired",
  thing_tagged: "@thing is found by ~tags",
  bound: "@gateway may submit for @thing ~until",
  unbound: "@gateway may no longer submit for @thing",
  batch_accepted: "@thing: +count(reading), ~stream",
  gap_opened: "+count(reading) missing from number %first_seq",
  gap_filled: "+count(late reading) came, ~stream",
  gap_sealed: "+count(reading) given up from number %first_seq",
  recorded: (e) => (
    <>{who(e, "sender")} recorded {quoted(e, "kind")}
      {ids(e, "notify").length > 0 && <> for {people(ids(e, "notify"))}</>}
    </>
  ),
  thing_offered: (e) => <>{who(e, "owner")} offers {who(e, "thing")} to {e["to"] ? who(e, "to") : "whoever holds its code"} {until(e)}</>,
  offer_withdrawn: "@thing is offered no longer",
  thing_transferred: "@thing went from @from to @to",
  voucher_issued: "@maker vouched for +count(device) of @owner",
  voucher_revoked: "voucher #voucher was revoked",
  device_joined: "@device joined by voucher with @thing",
  command_queued: "@sender commands @thing: ^command",
  command_changed: "command ^command to @thing is $state",
  quarantine_changed: (e) => <>{who(e, "by")} spoke on {who(e, "thing")}, which is {e["quarantined"] ? "shut out" : "let in"}</>,
  agreement_key_set: "@entity can be given keys of streams",
  stream_key_rotated: "stream #stream has key number %number, for +readers(reader)",
  stream_key_shared: "key number %number of stream #stream was given to &readers",
  stream_placed: "who keeps stream #stream was decided",
  readings_erased: "numbers %first_seq to %last_seq of stream #stream are to be erased",
  erasure_confirmed: "@holder erased what it held of stream #stream",
  access_policy_set: "@owner set version $version of a policy about ~about",
  access_policy_removed: "@owner removed the policy about ~about",
  access_requested: "~access asks @asked",
  access_granted: "~access was allowed by @by ~until",
  access_denied: "~access was denied by @by",
  access_timed_out: "~access had no answer of @asked in time",
  grant_revoked: "~access was ended by @by",
  access_used: "~access was used, +count(time)",
  code_removed: "code #code was removed",
  code_stored: "@owner stored code #code",
  contract_proposed: "@creator proposed ~contract: $threshold of &participants must accept",
  contract_accepted: "@participant accepted ~contract",
  contract_dropped: "~contract will not begin: $code",
  contract_instantiated: "@creator began ~contract",
  contract_called: "@caller called ~contract: $entry, %gas_used gas",
  contract_migrated: "~contract has new code #code",
  contract_frozen: "~contract was stopped",
  contract_thawed: "~contract runs again",
  contract_terminated: "~contract ended for ever",
  contract_emitted: "~contract says 'name~attributes",
  trigger_set: "@owner set a ~trigger",
  trigger_removed: "a ~trigger was removed",
  trigger_suspended: (e) => <>a {trigger(e)} was suspended{e["code"] ? <>: {words(text(e, "code"))}</> : null}</>,
  trigger_resumed: "a ~trigger waits again",
  trigger_ran: (e) => <>a {trigger(e)} of {who(e, "owner")} {e["code"] ? <>was refused: {words(text(e, "code"))}</> : "ran"}, for block <Height height={number(e, "cause_height")} /></>,
  service_published: "@provider published ~service",
  service_status_set: "@provider says that ~service is $status",
  proposed: "@proposer proposed ~proposal",
  voted: (e) => <>{who(e, "organisation")} voted {e["accept"] ? "for" : "against"} {proposal(e)}: {text(e, "votes")} of {text(e, "needed")}</>,
  proposal_accepted: "~proposal is accepted, to take effect from block %due_height",
  proposal_enacted: "~proposal took effect",
  proposal_ended: "~proposal ended: $code",
  member_added: "@organisation is a member",
  member_removed: "@organisation is a member no more",
  validators_chosen: "+count(validator) from the epoch after the next on, $quorum must sign",
  links: (e) => told(LINKS, { ...e, type: text(e, "what") }),
  tokens: (e) => told(TOKENS, { ...e, type: text(e, "what") }),
  approval_policy_set: "@entity set who must approve",
  approval_pending: "$approvals of $threshold approved ^pending",
  approval_granted: "^pending is approved and took effect",
  approval_ended: "^pending ended: $code",
};

/** What happened to tokens in words, as above. */
const TOKENS: typeof ACTIONS = {
  transferred: "@from paid @to *amount",
  burnt: "@account destroyed *amount",
  minted: "members made *amount for @to",
  account_frozen: (e) => <>members {e["frozen"] ? "froze" : "thawed"} the account of {who(e, "account")}</>,
  escrow_opened: "@payer locked *amount for @payee ~until",
  escrow_released: "*amount that were locked went to @payee",
  escrow_refunded: "*amount that were locked went back to @payer",
  sponsored: "@sponsor pays the fees of @entity ~until",
  sponsorship_ended: "@sponsor no longer pays the fees of @entity",
  reward_offered: "@payer rewards readings",
  reward_funded: "@from gave *amount to reward readings",
  reward_paid: "@to earned *amount by readings",
  staked: "@organisation put *amount behind @peer, which has *stake",
  unstaked: "@organisation took *amount from behind @peer, locked until epoch %free_epoch",
  stake_collected: "@organisation got back *amount from @peer",
  candidate_dropped: "@peer stands no more: silent for +silent_epochs(epoch)",
  seats_kept: "who has a seat keeps it: %candidates stand, %needed are needed",
  stake_burnt: "@peer voted twice and lost *amount",
  reward_ended: "a reward ended, *amount went back to @payer",
};

/** What happened between this ledger and another, as above. */
const LINKS: typeof ACTIONS = {
  registered: "@owner relies on ledger #ledger",
  advanced: "block %height of another ledger is known, by link #link",
  status_set: "link #link is $status",
  frozen: "link #link is frozen: its ledger has two final blocks of height %height",
  asked: "@caller asks service #service of ledger #ledger: call ^call",
  taken: "call #call of ledger #ledger came in, for @provider to answer",
  answered: (e) => <>{who(e, "by")} {e["accepted"] ? "answered" : "declined"} call <Id id={text(e, "call")} /> of ledger <Id id={text(e, "ledger")} /></>,
  settled: (e) => <>call {transaction(e, "call")} of {who(e, "caller")} is {e["accepted"] ? "answered" : "declined"}</>,
  refunded: "call ^call of @caller had no answer in time",
};

/** An action or event in words, by its type. */
function told(sentences: typeof ACTIONS, one: Tagged): Part {
  const sentence = Object.hasOwn(sentences, one.type) ? sentences[one.type] : undefined;
  if (typeof sentence !== "string") return (sentence ?? named)(one);
  const parts: Part[] = [];
  // Text, sign, field and word in turn.
  const pieces = sentence.split(/([@'#^$%*+&~])(\w+)(?:\((.+?)\))?/);
  for (let at = 0; at < pieces.length; at += 4) parts.push(pieces[at], SIGNS[pieces[at + 1] ?? ""]?.(one, pieces[at + 2] ?? "", pieces[at + 3] ?? ""));
  return <>{parts}</>;
}

/** What has no sentence of its own: its name, and those of its fields that fit a line. */
function named(one: Tagged): Part {
  const fields = Object.entries(one).filter(([field, value]) => field !== "type" && ["string", "number", "boolean"].includes(typeof value));
  return (
    <>
      {words(one.type)}
      {fields.slice(0, FIELDS_MAX).map(([field, value], at) => (
        <span key={field}>{at === 0 ? ": " : ", "}{words(field)} {fieldOf(value)}</span>
      ))}
    </>
  );
}

function fieldOf(value: unknown): Part {
  if (typeof value === "string" && value.startsWith("did:")) return <Who did={value} />;
  if (typeof value === "number") return endless(value) ? "without end" : count(value);
  const shown = String(value);
  return /^[0-9a-f]{64}$/.test(shown) ? <Id id={shown} /> : <q><bdi>{plain(shown, 60)}</bdi></q>;
}

/** What an action is to do. */
export function Action(props: { of: Tagged }) {
  return <span class="tagged">{told(ACTIONS, props.of)}</span>;
}

/** What came about. */
export function Event(props: { of: Tagged }) {
  return <span class="tagged">{told(EVENTS, props.of)}</span>;
}

/** A rule as the ledger says it, with names in the place of DIDs. */
export function Rule(props: { of: string }) {
  return <>{plain(props.of, 2000).split(/(did:\w+:\w+:\w+)/).map((part, at, all) => (at % 2 ? <Who key={at} did={part} contract={/(contract|call) $/.test(all[at - 1] ?? "")} /> : <bdi key={at}>{part}</bdi>))}</>;
}

/** What access is about, in words. */
export function About(props: { resource: object }) {
  return <>{about(props.resource)}</>;
}

/** A list of events with their blocks, newest first. */
export function EventList(props: { events: readonly EventRecord[] }) {
  return (
    <ul class="events">
      {props.events.map((one) => (
        <li key={one.cursor}>
          <Event of={tagged(one.event)} />
          <span class="muted">
            block <Height height={one.height} /> · <a href={href.transaction(one.transaction, one.height)}>transaction</a>
          </span>
        </li>
      ))}
    </ul>
  );
}
