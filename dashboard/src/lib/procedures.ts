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
const stateOf = (one: Tagged) => text(one, "state") ?? "changed";

/**
 * Messages of a figure, each as its step, the lanes from and to, and what it says; `=` stands for the peers that agree. What stands in braces is of the event, and is
 * put in last: it cannot be taken for a message.
 */
const steps = (script: string) => (one: Tagged, height: number): Step[] =>
  script.split("|").map((line) => {
    const [, step = "", from, to, said = ""] = /^(\S+) (?:=|(\d)(\d) (.*))$/.exec(line) ?? [];
    if (from === undefined) return { step, from: 1, to: 2, text: `agree: block ${height}`, wide: true };
    return { step, from: Number(from), to: Number(to), text: said.replace(/\{(\w+)\}/, (_, field) => (field === "state" ? stateOf(one) : text(one, "entry") ?? "run")) };
  });

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
    batch_accepted: steps("1 32 uploads data|2 ="),
    access_requested: steps("3 01 asks for access|4 =|4 23 asks the owner"),
    // Where a policy allows it nobody is asked.
    access_granted: (one, height, before) => steps(`${before === "access_requested" ? "4 32 allows it" : "3 01 asks for access"}|4 =|4 10 it may access`)(one, height),
    access_denied: steps("4 32 denies it|4 =|4 10 it may not"),
    access_timed_out: steps("4 =|4 10 no answer in time"),
    access_used: steps("5 12 records the access|6 =|7 23 notifies"),
    grant_revoked: steps("4 =|4 10 the grant has ended"),
  },
  command: "althing conformance 10.7",
};

/** How a command ends that nobody answers. */
const UNANSWERED: Record<string, string> = { cancelled: "3 01 takes it back|4–5 =", expired: "8 =|8 10 no answer in time" };

/** How a command goes on, by way of a gateway or not. */
const answered = (byGateway?: boolean) => (one: Tagged, height: number) => {
  const state = stateOf(one);
  const onTheWay = byGateway ? (state === "delivered" ? "6.1 34 hands it to the device|" : "6.1 43 answers: {state}|") : "";
  return steps(UNANSWERED[state] ?? `${onTheWay}7 32 says: {state}|8 =|8 10 is told of it`)(one, height);
};

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
    thing_registered: steps("1 32 registers|2 ="),
    command_queued: steps("3 01 asks the device|4–5 =|6 23 hands it on"),
    command_changed: answered(),
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
    bound: steps("0 43 belongs to it"),
    thing_registered: steps("1 32 registers it|2 ="),
    command_queued: steps("3 01 asks the device|4–5 =|6 23 hands it on"),
    command_changed: answered(true),
  },
};

const DEPLOY = { roles: ["IoT service A", "BoT peer A", "BoT peers", "dApp C"], inside: [1, 2], key: (one: Tagged) => text(one, "contract") };

/** Steps 1 to 6, which 10.2 and 10.3 have in common; in the second, a seventh. */
const deployment = (told = ""): Procedure["events"] => ({
  contract_proposed: steps("1 01 asks to deploy|2–3 ="),
  contract_accepted: steps("3 32 accepts it|3 ="),
  contract_dropped: steps("3 =|3 10 not accepted"),
  contract_instantiated: steps(`4 01 deploys it|5 =|6 10 it runs${told}`),
});

const CONTRACT: Procedure = {
  ...DEPLOY,
  clause: "10.2",
  title: "Deployment and execution of smart contracts on BoT",
  who: { 0: (one) => text(one, "creator"), 3: (one) => text(one, "caller") ?? text(one, "participant") },
  events: {
    ...deployment(),
    // The first call is part of the deployment.
    contract_called: (one, height) => one["entry"] === "instantiate" ? [] : steps("7 32 asks to {entry} it|8–9 =|10 23 notifies")(one, height),
  },
  command: "althing conformance 10.2",
};

const SERVICE: Procedure = {
  ...DEPLOY,
  clause: "10.3",
  title: "Deployment of IoT services on BoT",
  who: { 0: (one) => text(one, "creator"), 3: (one) => text(one, "participant") },
  events: deployment("|7 10 notifies|7 23 notifies"),
  begins: ["contract_instantiated"],
  nobody: "whoever listens",
  command: "althing conformance 10.3",
};

const USE = { roles: ["dApp C", "BoT peer C", "BoT peers", "IoT service A"], inside: [1, 2], begins: ["access_requested", "access_granted"] };

/** Steps 1 to 3, which 10.4 and 10.5 have in common. */
const ADMITTANCE: Procedure["events"] = {
  access_requested: steps("1 01 asks for access|2 =|3 23 asks the service"),
  access_granted: (one, height, before) => steps(before === "access_requested" ? "3 32 allows it|3 =" : "1 01 asks for access|2 =|3 10 its policy allows it")(one, height),
  access_denied: steps("3 32 denies it|3 =|3 10 it may not"),
  access_timed_out: steps("3 =|3 10 no answer in time"),
};

/** The last steps: a record of the use, of which both hear. */
const recorded = (first: string, second: string, third: string) => steps(`${first} 01 writes a record|${first} =|${second} 10 is told of it|${third} 23 is told of it`);

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
    contract_called: steps("4 01 asks to {entry} it|4 =|5 10 gets the result"),
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
    access_used: steps("4 03 uses it, not through BoT|5 32 writes the use down|5 ="),
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
