/** Actions and events of the ledger in words. */

import type { ComponentChildren } from "preact";
import { count, endless, plain, plural, words } from "../lib/format.ts";
import { tagged, type EventRecord, type Tagged } from "../lib/model.ts";
import { href } from "../router.ts";
import { Height, Id, Who } from "./basics.tsx";

type Part = ComponentChildren;

const text = (one: Tagged, field: string) => String(one[field] ?? "");
const number = (one: Tagged, field: string) => Number(one[field] ?? 0);
const who = (one: Tagged, field: string) => <Who did={text(one, field)} />;
const quoted = (one: Tagged, field: string) => <q><bdi>{plain(text(one, field))}</bdi></q>;
const ids = (one: Tagged, field: string) => (Array.isArray(one[field]) ? (one[field] as unknown[]).map(String) : []);

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
  approval_policy_set: (e) => <>{who(e, "entity")} set who must approve</>,
  approval_pending: (e) => (
    <>{text(e, "approvals")} of {text(e, "threshold")} approved <Id id={text(e, "pending")} link={href.transaction(text(e, "pending"))} /></>
  ),
  approval_granted: (e) => <><Id id={text(e, "pending")} link={href.transaction(text(e, "pending"))} /> is approved and took effect</>,
  approval_ended: (e) => <><Id id={text(e, "pending")} link={href.transaction(text(e, "pending"))} /> ended: {words(text(e, "code"))}</>,
};

/** What an action is to do. */
export function Action(props: { of: Tagged }) {
  const said = ACTIONS[props.of.type];
  return <span class="tagged">{said ? said(props.of) : words(props.of.type)}</span>;
}

/** What came about. */
export function Event(props: { of: Tagged }) {
  const said = EVENTS[props.of.type];
  return <span class="tagged">{said ? said(props.of) : words(props.of.type)}</span>;
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
