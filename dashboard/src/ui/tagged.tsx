/** Actions and events of the ledger in words. */

import type { ComponentChildren } from "preact";
import { count, endless, plain, plural, short, words } from "../lib/format.ts";
import { tagged, type EventRecord, type Tagged } from "../lib/model.ts";
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

function contract(one: Tagged): Part {
  const id = text(one, "contract");
  return <>contract <a href={href.contract(id)} title={id}>{short(id)}</a></>;
}

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

const ACTIONS: Record<string, (one: Tagged) => Part> = {
  register_entity: (a) => <>register the {words(text(a, "kind"))} {quoted(a, "name")} {who(a, "entity")}</>,
  rotate_key: (a) => <>rotate the key of {who(a, "entity")}</>,
  revoke_entity: (a) => <>revoke {who(a, "entity")}</>,
  register_thing: (a) => <>register the thing {quoted(a, "name")} {who(a, "thing")}</>,
  update_thing: (a) => <>replace description {text(a, "replaces")} of {who(a, "thing")}</>,
  retire_thing: (a) => <>retire {who(a, "thing")}</>,
  bind: (a) => <>let {who(a, "gateway")} submit for {who(a, "thing")} {until(a)}</>,
  unbind: (a) => <>no longer let {who(a, "gateway")} submit for {who(a, "thing")}</>,
  submit_batch: (a) => <>submit {plural(number(a, "count"), "reading")}, {stream(a)}</>,
  record: (a) => (
    <>record {quoted(a, "kind")} of {plural(text(a, "data").length / 2, "byte")}
      {ids(a, "notify").length > 0 && <>, notify {people(ids(a, "notify"))}</>}
      {a["link"] ? <>, linked to <Id id={text(a, "link")} link={href.transaction(text(a, "link"))} /></> : null}
    </>
  ),
  set_approval_policy: (a) => (
    <>from now on {text(a, "threshold")} of {people(ids(a, "approvers"))} must approve: {words(text(a, "kind"))}</>
  ),
  offer_thing: (a) => (a["offer"] ? <>offer {who(a, "thing")} to another owner</> : <>withdraw the offer of {who(a, "thing")}</>),
  accept_thing: (a) => <>become the owner of {who(a, "thing")}</>,
  limit_binding: (a) => <>{a["limit"] ? "narrow" : "lift the limit of"} what {who(a, "gateway")} may do for {who(a, "thing")}</>,
  report_status: (a) => <>report how {who(a, "thing")} is</>,
  cancel_command: (a) => <>take back command {transaction(a, "command")}</>,
  report_command: (a) => <>answer command {transaction(a, "command")}: {words(text(a, "state"))}</>,
  quarantine: (a) => (a["reason"] ? <>shut out {who(a, "thing")}: {quoted(a, "reason")}</> : <>no longer ask to shut out {who(a, "thing")}</>),
  answer_access: (a) => <>{a["allow"] ? "allow" : "deny"} access <Id id={text(a, "request")} /></>,
  revoke_grant: (a) => <>end grant <Id id={text(a, "grant")} /></>,
  use_grant: (a) => <>use grant <Id id={text(a, "grant")} /></>,
  approve: (a) => <>approve <Id id={text(a, "pending")} link={href.transaction(text(a, "pending"))} /></>,
  reject: (a) => <>reject <Id id={text(a, "pending")} link={href.transaction(text(a, "pending"))} /></>,
};

const EVENTS: Record<string, (one: Tagged) => Part> = {
  entity_registered: (e) => <>{who(e, "owner")} registered {who(e, "entity")}</>,
  key_rotated: (e) => <>{who(e, "entity")} has key version {text(e, "version")}</>,
  entity_revoked: (e) => <>{who(e, "entity")} was revoked</>,
  thing_registered: (e) => <>{who(e, "owner")} registered {who(e, "thing")}</>,
  thing_updated: (e) => <>{who(e, "thing")} has description version {text(e, "version")}</>,
  thing_retired: (e) => <>{who(e, "thing")} was retired</>,
  bound: (e) => <>{who(e, "gateway")} may submit for {who(e, "thing")} {until(e)}</>,
  unbound: (e) => <>{who(e, "gateway")} may no longer submit for {who(e, "thing")}</>,
  batch_accepted: (e) => <>{who(e, "thing")}: {plural(number(e, "count"), "reading")}, {stream(e)}</>,
  gap_opened: (e) => <>{plural(number(e, "count"), "reading")} missing from number {count(number(e, "first_seq"))}</>,
  gap_filled: (e) => <>{plural(number(e, "count"), "late reading")} came, {stream(e)}</>,
  gap_sealed: (e) => <>{plural(number(e, "count"), "reading")} given up from number {count(number(e, "first_seq"))}</>,
  recorded: (e) => (
    <>{who(e, "sender")} recorded {quoted(e, "kind")}
      {ids(e, "notify").length > 0 && <> for {people(ids(e, "notify"))}</>}
    </>
  ),
  thing_offered: (e) => <>{who(e, "owner")} offers {who(e, "thing")} to {e["to"] ? who(e, "to") : "whoever holds its code"} {until(e)}</>,
  offer_withdrawn: (e) => <>{who(e, "thing")} is offered no longer</>,
  thing_transferred: (e) => <>{who(e, "thing")} went from {who(e, "from")} to {who(e, "to")}</>,
  device_joined: (e) => <>{who(e, "device")} joined by voucher with {who(e, "thing")}</>,
  command_queued: (e) => <>{who(e, "sender")} commands {who(e, "thing")}: {transaction(e, "command")}</>,
  command_changed: (e) => <>command {transaction(e, "command")} to {who(e, "thing")} is {words(text(e, "state"))}</>,
  quarantine_changed: (e) => <>{who(e, "by")} spoke on {who(e, "thing")}, which is {e["quarantined"] ? "shut out" : "let in"}</>,
  access_policy_set: (e) => <>{who(e, "owner")} set version {text(e, "version")} of a policy about {about(e["resource"])}</>,
  access_policy_removed: (e) => <>{who(e, "owner")} removed the policy about {about(e["resource"])}</>,
  access_requested: (e) => <>{access(e)} asks {who(e, "asked")}</>,
  access_granted: (e) => <>{access(e)} was allowed by {who(e, "by")} {until(e)}</>,
  access_denied: (e) => <>{access(e)} was denied by {who(e, "by")}</>,
  access_timed_out: (e) => <>{access(e)} had no answer of {who(e, "asked")} in time</>,
  grant_revoked: (e) => <>{access(e)} was ended by {who(e, "by")}</>,
  access_used: (e) => <>{access(e)} was used, {plural(number(e, "count"), "time")}</>,
  code_stored: (e) => <>{who(e, "owner")} stored code <Id id={text(e, "code")} /></>,
  contract_proposed: (e) => <>{who(e, "creator")} proposed {contract(e)}: {text(e, "threshold")} of {people(ids(e, "participants"))} must accept</>,
  contract_accepted: (e) => <>{who(e, "participant")} accepted {contract(e)}</>,
  contract_dropped: (e) => <>{contract(e)} will not begin: {words(text(e, "code"))}</>,
  contract_instantiated: (e) => <>{who(e, "creator")} began {contract(e)}</>,
  contract_called: (e) => <>{who(e, "caller")} called {contract(e)}: {text(e, "entry")}, {count(number(e, "gas_used"))} gas</>,
  contract_migrated: (e) => <>{contract(e)} has new code <Id id={text(e, "code")} /></>,
  contract_frozen: (e) => <>{contract(e)} was stopped</>,
  contract_thawed: (e) => <>{contract(e)} runs again</>,
  contract_terminated: (e) => <>{contract(e)} ended for ever</>,
  contract_emitted: (e) => <>{contract(e)} says {quoted(e, "name")}{attributes(e)}</>,
  trigger_ran: (e) => <>a {trigger(e)} of {who(e, "owner")} {e["code"] ? <>was refused: {words(text(e, "code"))}</> : "ran"}, for block {count(number(e, "cause_height"))}</>,
  proposed: (e) => <>{who(e, "proposer")} proposed {proposal(e)}</>,
  voted: (e) => <>{who(e, "organisation")} voted {e["accept"] ? "for" : "against"} {proposal(e)}: {text(e, "votes")} of {text(e, "needed")}</>,
  proposal_accepted: (e) => <>{proposal(e)} is accepted, to take effect from block {count(number(e, "due_height"))}</>,
  proposal_enacted: (e) => <>{proposal(e)} took effect</>,
  proposal_ended: (e) => <>{proposal(e)} ended: {words(text(e, "code"))}</>,
  member_added: (e) => <>{who(e, "organisation")} is a member</>,
  member_removed: (e) => <>{who(e, "organisation")} is a member no more</>,
  validators_chosen: (e) => <>{plural(number(e, "count"), "validator")} from the next epoch on, {text(e, "quorum")} must sign</>,
  approval_policy_set: (e) => <>{who(e, "entity")} set who must approve</>,
  approval_pending: (e) => (
    <>{text(e, "approvals")} of {text(e, "threshold")} approved <Id id={text(e, "pending")} link={href.transaction(text(e, "pending"))} /></>
  ),
  approval_granted: (e) => <><Id id={text(e, "pending")} link={href.transaction(text(e, "pending"))} /> is approved and took effect</>,
  approval_ended: (e) => <><Id id={text(e, "pending")} link={href.transaction(text(e, "pending"))} /> ended: {words(text(e, "code"))}</>,
};

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
  return <span class="tagged">{(ACTIONS[props.of.type] ?? named)(props.of)}</span>;
}

/** What came about. */
export function Event(props: { of: Tagged }) {
  return <span class="tagged">{(EVENTS[props.of.type] ?? named)(props.of)}</span>;
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
            block <Height height={one.height} /> · <a href={href.transaction(one.transaction)}>transaction</a>
          </span>
        </li>
      ))}
    </ul>
  );
}
