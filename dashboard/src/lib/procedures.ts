/** The procedures of clause 10 that show in events of the ledger: which events, in which figure, between whom. */

import { idToHex, parseDid } from "althing/text";
import type { EventRecord, Tagged } from "./model.ts";
import { tagged } from "./model.ts";

/** A message of a figure, before its lanes have names. */
export interface Step {
  /** The number that the clause gives it. */
  step: string;
  from: number;
  to: number;
  text: string;
  wide?: boolean;
}

/** A procedure of the clause. */
export interface Procedure {
  clause: string;
  title: string;
  /** Its figure, if the clause has several. */
  figure?: string;
  /** What the lanes are in the clause. */
  roles: string[];
  /** Which of them are peers. */
  inside: number[];
  /** Who stands in a lane, found in the events of a run. */
  who: Record<number, (one: Tagged) => string | undefined>;
  /** What makes events one run; a record belongs to that of the transaction it is linked to. */
  key: (one: Tagged) => string | undefined;
  /** Who is in a lane of whom the events say nothing. */
  nobody?: string;
  /** Of these events, a run has one at least. */
  begins?: string[];
  /** What each event shows, in the order of the figure; some show more if they come without an event before them. */
  events: Record<string, (one: Tagged, height: number, before?: string) => Step[]>;
  /** The command that runs it to the letter. */
  command: string;
  /** The thing that an event is about, and the events of it that come before every run: the first of each type. */
  subject?: (one: Tagged) => string | undefined;
  before?: string[];
  /** The figure in the variant that happened. */
  as?: (events: readonly EventRecord[]) => Procedure;
}

/** Events of one run, in order. */
export interface Run {
  key: string;
  events: EventRecord[];
}

const text = (one: unknown, field: string): string | undefined => {
  const value = typeof one === "object" && one !== null ? (one as Record<string, unknown>)[field] : undefined;
  return typeof value === "string" ? value : undefined;
};
const accessOf = (one: Tagged) => one["access"];
/** An id as hex: events have a contract's as a DID, what access is to has it as hex. */
const hexOf = (id: string): string => (parseDid(id) ? idToHex(id) : id);
/** What access is to, if it is of this kind. */
const resourceOf = (one: Tagged, ...kinds: string[]): string | undefined => {
  const resource = (accessOf(one) as Tagged | undefined)?.["resource"];
  return kinds.includes(text(resource, "kind") ?? "") ? text(resource, "id") : undefined;
};
const agree = (step: string, from: number, to: number) => (_: Tagged, height: number): Step => ({ step, from, to, text: `agree: block ${height}`, wide: true });

/** The request itself, where a policy allows it and nobody is asked. */
const ASKED = (step: string): Step[] => [{ step, from: 0, to: 1, text: "asks for access" }];

const COLLECT_AND_ACCESS: Procedure = {
  clause: "10.7",
  title: "Collection and access to IoT data on BoT",
  roles: ["IoT service A", "BoT peer A", "BoT peers", "owner, dApp C"],
  inside: [1, 2],
  who: { 0: (one) => text(accessOf(one), "grantee"), 3: (one) => text(accessOf(one), "owner") },
  key: (one) => (resourceOf(one, "contract", "service") === undefined ? text(accessOf(one), "id") : undefined),
  subject: (one) => text((accessOf(one) as Tagged | undefined)?.["resource"], "id"),
  before: ["batch_accepted"],
  events: {
    batch_accepted: (one, height) => [{ step: "1", from: 3, to: 2, text: "uploads data" }, agree("2", 1, 2)(one, height)],
    access_requested: (one, height) => [{ step: "3", from: 0, to: 1, text: "asks for access" }, agree("4", 1, 2)(one, height), { step: "4", from: 2, to: 3, text: "asks the owner" }],
    access_granted: (one, height, before) => [...(before === "access_requested" ? [{ step: "4", from: 3, to: 2, text: "allows it" }] : ASKED("3")), agree("4", 1, 2)(one, height), { step: "4", from: 1, to: 0, text: "it may access" }],
    access_denied: (one, height) => [{ step: "4", from: 3, to: 2, text: "denies it" }, agree("4", 1, 2)(one, height), { step: "4", from: 1, to: 0, text: "it may not" }],
    access_timed_out: (one, height) => [agree("4", 1, 2)(one, height), { step: "4", from: 1, to: 0, text: "no answer in time" }],
    access_used: (one, height) => [{ step: "5", from: 1, to: 2, text: "records the access" }, agree("6", 1, 2)(one, height), { step: "7", from: 2, to: 3, text: "notifies" }],
    grant_revoked: (one, height) => [agree("4", 1, 2)(one, height), { step: "4", from: 1, to: 0, text: "the grant has ended" }],
  },
  command: "althing conformance 10.7",
};

const stateOf = (one: Tagged) => text(one, "state") ?? "changed";

/** How a command ends that nobody answers. */
function unanswered(one: Tagged, height: number): Step[] | undefined {
  if (stateOf(one) === "cancelled") return [{ step: "3", from: 0, to: 1, text: "takes it back" }, agree("4–5", 1, 2)(one, height)];
  if (stateOf(one) === "expired") return [agree("8", 1, 2)(one, height), { step: "8", from: 1, to: 0, text: "no answer in time" }];
  return undefined;
}

const CONNECT: Procedure = {
  clause: "10.6",
  title: "Connection of (constrained) IoT devices to BoT",
  figure: "Figure 10-6 (a): the device speaks for itself",
  roles: ["IoT service A", "BoT peer A", "BoT peers", "dApp C"],
  inside: [1, 2],
  who: { 0: (one) => text(one, "sender"), 3: (one) => text(one, "thing") },
  key: (one) => text(one, "command"),
  subject: (one) => text(one, "thing"),
  before: ["thing_registered", "bound"],
  events: {
    thing_registered: (one, height) => [{ step: "1", from: 3, to: 2, text: "registers" }, agree("2", 1, 2)(one, height)],
    command_queued: (one, height) => [{ step: "3", from: 0, to: 1, text: "asks the device" }, agree("4–5", 1, 2)(one, height), { step: "6", from: 2, to: 3, text: "hands it on" }],
    command_changed: (one, height) => unanswered(one, height) ?? [{ step: "7", from: 3, to: 2, text: `says: ${stateOf(one)}` }, agree("8", 1, 2)(one, height), { step: "8", from: 1, to: 0, text: "is told of it" }],
  },
  as: (events) => (events.some((record) => record.event.type === "bound") ? CONNECT_BY_GATEWAY : CONNECT),
  command: "althing conformance 10.6a 10.6b",
};

const CONNECT_BY_GATEWAY: Procedure = {
  ...CONNECT,
  figure: "Figure 10-6 (b): a gateway speaks for the device",
  roles: ["IoT service A", "BoT peer A", "BoT peers", "IoT gateway", "constrained device"],
  who: { 0: (one) => text(one, "sender"), 3: (one) => text(one, "gateway"), 4: (one) => text(one, "thing") },
  events: {
    bound: () => [{ step: "0", from: 4, to: 3, text: "belongs to it" }],
    thing_registered: (one, height) => [{ step: "1", from: 3, to: 2, text: "registers it" }, agree("2", 1, 2)(one, height)],
    command_queued: (one, height) => [{ step: "3", from: 0, to: 1, text: "asks the device" }, agree("4–5", 1, 2)(one, height), { step: "6", from: 2, to: 3, text: "hands it on" }],
    command_changed: (one, height) => {
      const state = stateOf(one);
      const end = unanswered(one, height);
      if (end) return end;
      const onTheWay = state === "delivered" ? { step: "6.1", from: 3, to: 4, text: "hands it to the device" } : { step: "6.1", from: 4, to: 3, text: `answers: ${state}` };
      return [onTheWay, { step: "7", from: 3, to: 2, text: `says: ${state}` }, agree("8", 1, 2)(one, height), { step: "8", from: 1, to: 0, text: "is told of it" }];
    },
  },
};

const DEPLOY = { roles: ["IoT service A", "BoT peer A", "BoT peers", "dApp C"], inside: [1, 2], key: (one: Tagged) => text(one, "contract") };

/** Steps 1 to 6, which 10.2 and 10.3 have in common; in the second, a seventh. */
const deployment = (...told: Step[]): Procedure["events"] => ({
  contract_proposed: (one, height) => [{ step: "1", from: 0, to: 1, text: "asks to deploy" }, agree("2–3", 1, 2)(one, height)],
  contract_accepted: (one, height) => [{ step: "3", from: 3, to: 2, text: "accepts it" }, agree("3", 1, 2)(one, height)],
  contract_dropped: (one, height) => [agree("3", 1, 2)(one, height), { step: "3", from: 1, to: 0, text: "not accepted" }],
  contract_instantiated: (one, height) => [{ step: "4", from: 0, to: 1, text: "deploys it" }, agree("5", 1, 2)(one, height), { step: "6", from: 1, to: 0, text: "it runs" }, ...told],
});

const CONTRACT: Procedure = {
  ...DEPLOY,
  clause: "10.2",
  title: "Deployment and execution of smart contracts on BoT",
  who: { 0: (one) => text(one, "creator"), 3: (one) => text(one, "caller") ?? text(one, "participant") },
  events: {
    ...deployment(),
    // The first call is part of the deployment.
    contract_called: (one, height) => one["entry"] === "instantiate" ? [] : [{ step: "7", from: 3, to: 2, text: `asks to ${text(one, "entry") ?? "run"} it` }, agree("8–9", 1, 2)(one, height), { step: "10", from: 2, to: 3, text: "notifies" }],
  },
  command: "althing conformance 10.2",
};

const SERVICE: Procedure = {
  ...DEPLOY,
  clause: "10.3",
  title: "Deployment of IoT services on BoT",
  who: { 0: (one) => text(one, "creator"), 3: (one) => text(one, "participant") },
  events: deployment({ step: "7", from: 1, to: 0, text: "notifies" }, { step: "7", from: 2, to: 3, text: "notifies" }),
  begins: ["contract_instantiated"],
  nobody: "whoever listens",
  command: "althing conformance 10.3",
};

const USE = { roles: ["dApp C", "BoT peer C", "BoT peers", "IoT service A"], inside: [1, 2], begins: ["access_requested", "access_granted"] };

/** Steps 1 to 3, which 10.4 and 10.5 have in common. */
const ADMITTANCE: Procedure["events"] = {
  access_requested: (one, height) => [{ step: "1", from: 0, to: 1, text: "asks for access" }, agree("2", 1, 2)(one, height), { step: "3", from: 2, to: 3, text: "asks the service" }],
  access_granted: (one, height, before) => before === "access_requested" ? [{ step: "3", from: 3, to: 2, text: "allows it" }, agree("3", 1, 2)(one, height)] : [...ASKED("1"), agree("2", 1, 2)(one, height), { step: "3", from: 1, to: 0, text: "its policy allows it" }],
  access_denied: (one, height) => [{ step: "3", from: 3, to: 2, text: "denies it" }, agree("3", 1, 2)(one, height), { step: "3", from: 1, to: 0, text: "it may not" }],
  access_timed_out: (one, height) => [agree("3", 1, 2)(one, height), { step: "3", from: 1, to: 0, text: "no answer in time" }],
};

/** The last steps: a record of the use, of which both hear. */
const recorded = (...[first, second, third]: [string, string, string]) => (one: Tagged, height: number): Step[] => [{ step: first, from: 0, to: 1, text: "writes a record" }, agree(first, 1, 2)(one, height), { step: second, from: 1, to: 0, text: "is told of it" }, { step: third, from: 2, to: 3, text: "is told of it" }];

const grantee = (one: Tagged) => text(accessOf(one), "grantee");

const ACCESS_ON: Procedure = {
  ...USE,
  clause: "10.4",
  title: "Access to IoT services as performed on BoT",
  who: { 0: (one) => grantee(one) ?? text(one, "caller"), 3: (one) => text(accessOf(one), "owner") },
  // A call says who called what: a grant is one of the same two.
  key: (one) => {
    const access = grantee(one);
    const [who, contract] = access === undefined ? [text(one, "caller"), text(one, "contract")] : [access, resourceOf(one, "contract")];
    return who === undefined || contract === undefined ? undefined : `${who} ${hexOf(contract)}`;
  },
  events: {
    ...ADMITTANCE,
    contract_called: (one, height) => [{ step: "4", from: 0, to: 1, text: `asks to ${text(one, "entry") ?? "run"} it` }, agree("4", 1, 2)(one, height), { step: "5", from: 1, to: 0, text: "gets the result" }],
    recorded: recorded("6", "7", "8"),
  },
  command: "althing conformance 10.4",
};

const ACCESS_OUTSIDE: Procedure = {
  ...USE,
  clause: "10.5",
  title: "Access to IoT services as performed outside of BoT",
  who: { 0: grantee, 3: (one) => resourceOf(one, "service") },
  key: (one) => (resourceOf(one, "service") === undefined ? undefined : text(accessOf(one), "id")),
  events: {
    ...ADMITTANCE,
    access_used: (one, height) => [{ step: "4", from: 0, to: 3, text: "uses it, not through BoT" }, { step: "5", from: 3, to: 2, text: "writes the use down" }, agree("5", 1, 2)(one, height)],
    recorded: recorded("5", "6", "7"),
  },
  command: "althing conformance 10.5",
};

export const PROCEDURES: readonly Procedure[] = [CONTRACT, SERVICE, ACCESS_ON, ACCESS_OUTSIDE, CONNECT, COLLECT_AND_ACCESS];

/** Events put together by run, the run that went on last first. */
export function runsOf({ key, events: drawn, begins }: Procedure, events: readonly EventRecord[]): Run[] {
  const found = new Map<string, Run>();
  // Which run a transaction belongs to, for what is linked to it.
  const ofTransaction = new Map<string, string>();
  for (const record of events) {
    const one = tagged(record.event);
    const link = text(one, "link");
    const run = key(one) ?? (link === undefined ? undefined : ofTransaction.get(link));
    if (run === undefined || !(record.event.type in drawn)) continue;
    ofTransaction.set(record.transaction, run);
    const { events: earlier } = found.get(run) ?? { events: [] };
    // Taken out and put back, so that the last one touched is last.
    found.delete(run);
    found.set(run, { key: run, events: [...earlier, record] });
  }
  return [...found.values()].filter((run) => !begins || run.events.some((record) => begins.includes(record.event.type))).reverse();
}
