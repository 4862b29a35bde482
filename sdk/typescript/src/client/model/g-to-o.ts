// Written by scripts/model.mjs from docs/reference/openapi.json. Do not edit: npm run model.

import type { Access, Asked, BatchHolders, Did, ParametersForm, PeerForm, Placement, Proposal, Reading, Receipt, Regulation, SeatOf, Sponsorship, Time, TokenForm, VotingRule } from './index.ts';

/** Sequence numbers that did not come. */
export interface Gap {
  /** How many. */
  count: number;
  /** First number missing. */
  first_seq: number;
  /** Last number missing. */
  last_seq: number;
  /** Whether they may still come. */
  open: boolean;
}

/** The gaps of a stream, ascending by sequence number. */
export interface Gaps {
  /** The gaps. */
  items: Gap[];
  /** Pass as `after` to go on; absent on the last page. */
  next?: string;
  /** The stream. */
  stream: Hex;
}

/** Whether a gateway is there. */
export type GatewayPresence = 'present' | 'silent' | 'stopped';

/** What waits in a gateway's queue. */
export interface GatewayQueue {
  /** Those of them that piled up and do not delay what is new. */
  backfilling: number;
  /** Their bytes, as the bound counts them. */
  bytes: number;
  /** The bound. */
  bytes_max: number;
  /** Age of the oldest, milliseconds; none if nothing waits. */
  oldest_ms?: number;
  /** Readings that are not final. */
  readings: number;
}

/** How a gateway says it is doing. */
export interface GatewayReport {
  /** Clients among them that were let in. */
  clients: number;
  /** Connections of devices that are open. */
  connections: number;
  /** Whether its disk takes no writes, so that it acknowledges nothing. */
  disk_failed: boolean;
  /** Publishes refused since the start. */
  publishes_refused: number;
  /** What waits to get to the ledger. */
  queue: GatewayQueue;
  /** Readings that became final since the start. */
  readings_final: number;
  /** Readings given up for newer ones since the start, as their owners want. */
  readings_lost: number;
  /** Readings taken since the start. */
  readings_taken: number;
  /** Whether it is going, in order: its last report. */
  stopping: boolean;
  /** Streams that take readings. */
  streams: number;
  /** Streams whose readings the ledger refuses until people act. */
  streams_held: number;
  /** Seconds since it started. */
  uptime_s: number;
  /** Version of its program, at most 32 bytes. */
  version: string;
}

/** A gateway as a peer knows it by its reports. */
export interface GatewayState {
  /** The gateway. */
  id: Did;
  /** Its name. */
  name: string;
  /** The organisation that owns it. */
  owner?: Did;
  /** Whether it is there. */
  presence: GatewayPresence;
  /** What it said then. It is the gateway's word. */
  report: GatewayReport;
  /** When its last report came, by the clock of the peer that answers. */
  reported: Time;
}

/** The gateways that have reported to the peer that answers since it started. */
export interface Gateways {
  /** The gateways, ascending by id. */
  items: GatewayState[];
}

/** The JSON form of a genesis. */
export interface GenesisFile {
  /** The ledger's id, which follows from all else here. */
  ledger: Hex;
  /** How peers agree: `simplex`. */
  mechanism: string;
  /** Who may take part: `public`, `consortium` or `private`. */
  mode: string;
  /** Name of the network: 1 to 32 of `a-z`, `0-9` and `-`; part of every DID. */
  network: string;
  /** Founding organisations, ascending by id. */
  organisations: OrganisationForm[];
  /** Settings that all peers share. */
  parameters: ParametersForm;
  /** Founding peers, ascending by voting key. */
  peers: PeerForm[];
  /** When it began, RFC 3339. */
  time: string;
  /** The token of the ledger; without it, the ledger has no tokens for ever. */
  token?: TokenForm;
  /** Version of this form, 1. */
  version: number;
}

/** A grant as it was given. */
export interface Given {
  /** Who gave it. */
  by: Did;
  /** How often it can be used; 0 for without limit. */
  count_max: number;
  /** Height of the block that revoked it, if one did. */
  revoked?: number;
  /** Height of the block that gave it. */
  since_height: number;
  /** Last height at which it holds. */
  until_height: number;
  /** How often it was used, as far as that is recorded. */
  used: number;
}

/** Who decides, by which rule, and what is open. */
export interface Governance {
  /** How those agree. */
  chosen_mechanism: string;
  /**
   * The validators of the epoch after it, as far as members have decided; settled with the last
   * block of the present one.
   */
  chosen_validators: SeatOf[];
  /** The epoch whose validators sign now. */
  epoch: number;
  /** The last block of that epoch; absent if it has no end and validators never change. */
  epoch_end_height?: number;
  /** How they agree: `simplex` or `raft`. */
  mechanism: string;
  /** The member organisations, ascending by id. */
  members: Member[];
  /** How those agree. */
  next_mechanism: string;
  /** The validators of the next epoch, which are settled. */
  next_validators: SeatOf[];
  /** The settings of the ledger as they are now. */
  parameters: ParametersForm;
  /** How peers will agree, if members have decided so and the epoch in which it begins is not settled. */
  planned_mechanism?: MechanismFrom;
  /** Proposals that are open, oldest first. */
  proposals: Proposal[];
  /** What the network demands of how readings are kept, ascending by id. */
  regulations: Regulation[];
  /** How they decide. */
  rule: VotingRule;
  /** Those validators, ascending by key. */
  validators: SeatOf[];
  /** How many of them must agree. */
  votes_needed: number;
}

/** A request, a grant, or a grant that is asked for again. */
export type Grant = Access & {
  /** What waits for an answer, if it does. */
  asked?: Asked;
  /** What was given, if it was. */
  given?: Given;
  /** `asked`, `in_force`, `used_up`, `over`, `revoked` or `timed_out`. */
  status: string;
};

/** Whether this peer can serve, and if not fully, why. */
export interface Health {
  /** The highest block executed here. */
  height: number;
  /** Why it is not ready, or what it waits for; empty if all is well. */
  reasons: HealthReason[];
  /** The state. */
  state: HealthState;
}

/** One reason of a peer's health. */
export interface HealthReason {
  /** A stable code, such as `waiting_for_votes`. */
  code: string;
  /** What it waits for, since when, and what to do. */
  detail: string;
}

/** The state of a peer's health. */
export type HealthState = 'ready' | 'degraded' | 'unavailable';

/** 32 bytes in hex */
export type Hex = string;

/** Who holds the payloads of a stream. */
export interface Holders {
  /** Some of its batches, newest first, each with who holds it. */
  batches: BatchHolders[];
  /** The peers with a seat that may hold some of them: all, unless `copies` are fewer. */
  peers: Did[];
  /** What its owner said; all peers keep all if nothing. */
  placement: Placement;
  /** The stream. */
  stream: Hex;
}

/** What an entity or a contract has. */
export interface Holding {
  /** Whose. */
  account: Did;
  /** How much it can spend. */
  balance: string;
  /** Whether members froze it: it then pays fees and nothing else. */
  frozen: boolean;
  /** Who pays its fees, and how far. */
  sponsorship?: Sponsorship;
}

/** A DID, or 32 bytes in hex */
export type Id = string;

/** Erased payloads that are kept because another stream has the same bytes. */
export interface KeptFor {
  /** How many. */
  payloads: number;
  /** The stream that has them, too. */
  stream: Hex;
}

/** A public key of an entity. */
export interface Key {
  /** 32 bytes (Ed25519) or a compressed point of 33 bytes (P-256), hex. */
  public: string;
  /** `ed25519` or `p256`. */
  suite: string;
}

/** A stream's key, wrapped to one reader by HPKE (RFC 9180). */
export interface KeyShare {
  /** HPKE's encapsulated key, hex. */
  enc: string;
  /** The reader. */
  reader: Did;
  /** The reader's X25519 key that it was wrapped to, hex. */
  to: string;
  /** The encrypted key with its tag, hex. */
  wrapped: string;
}

/** A key that an entity has or had. */
export interface KeyVersion {
  /** Height of the block since which it counts. */
  from_height: number;
  /** The key. */
  key: Key;
  /** Height of the block that replaced or revoked it; absent while it counts. */
  until_height?: number;
  /** From 1. */
  version: number;
}

/** A reading away from its stream, with its unit. */
export interface LatestReading {
  /** The reading. */
  reading: Reading;
  /** The transaction it came with. */
  transaction: Hex;
  /** Unit as the description states it; empty if it states none. */
  unit: string;
}

/** What an organisation knows of another ledger. */
export interface Link {
  /** Time of that block. */
  advanced: Time;
  /** Height here at which it last went up. */
  advanced_height: number;
  /** That block. */
  block: Hex;
  /** Its epoch. */
  epoch: number;
  /** Why it is frozen. */
  fork?: LinkFork;
  /** Height of the newest block known there; 0 while none is. */
  height: number;
  /** Its id. */
  id: Hex;
  /** The other ledger. */
  ledger: Hex;
  /** Name of its network. */
  network: string;
  /** Calls across it, either way, that wait for an answer. */
  open_calls: number;
  /** The organisation that relies on it. */
  owner: Did;
  /** Height here at which it was registered. */
  registered_height: number;
  /** `live`, `suspended`, `ended` or `frozen`. */
  status: string;
  /** Its time; that of the genesis while no block is known. */
  time: Time;
  /** How many validators are known there. */
  validators: number;
  /** First epoch of these: what leads to newer ones begins here. */
  validators_epoch: number;
}

/** What happened between this ledger and another. */
export type LinkEvent =
  /** An organisation relies on another ledger. */
  | { ledger: Hex; link: Hex; owner: Did; what: 'registered' }
  /** A newer block of the other ledger is known. */
  | { epoch: number; height: number; link: Hex; what: 'advanced' }
  /** A link was suspended, resumed or ended. */
  | { link: Hex; status: string; what: 'status_set' }
  /** The other ledger has two final blocks of one height. */
  | { height: number; link: Hex; what: 'frozen' }
  /** Somebody asks a service of another ledger. */
  | { call: Hex; caller: Did; deadline: Time; ledger: Hex; service: Hex; what: 'asked' }
  /** A call of another ledger arrived. */
  | { call: Hex; deadline: Time; ledger: Hex; provider: Did; service: Hex; what: 'taken' }
  /** A call of another ledger is answered. */
  | { accepted: boolean; by: Did; call: Hex; ledger: Hex; what: 'answered' }
  /** The answer to a call came back. */
  | { accepted: boolean; call: Hex; caller: Did; what: 'settled' }
  /** No answer to a call came in time. */
  | { call: Hex; caller: Did; what: 'refunded' };

/** Two final blocks of one height. */
export interface LinkFork {
  /** One. */
  first: Hex;
  /** The height. */
  height: number;
  /** The other. */
  second: Hex;
}

/**
 * An entry of such a log. Each names the digest of the one before it, so that none can be changed,
 * left out or put in without it being seen.
 */
export interface LogEntry {
  /** What, a stable word such as `configuration_applied`. */
  act: string;
  /** When. */
  at: Time;
  /** Who: an operator's DID, `machine`, or `peer` for the peer itself. */
  by: string;
  /** The same in particular. */
  detail: string;
  /** Its own digest. */
  digest: Hex;
  /** Its number, from 1. */
  number: number;
  /** Digest of the entry before it; of zeros for the first. */
  previous: Hex;
}

/** A part of a log that a peer keeps of what was done to it, or of its alarms. */
export interface LogPart {
  /** The entries, ascending by number. */
  items: LogEntry[];
  /** Number of the newest entry of the log; 0 if it has none. */
  newest: number;
}

/** How peers agree from a height on. */
export interface MechanismFrom {
  /** As proposed, the first height at which it may begin; as decided, where it begins, with an epoch. */
  from_height: number;
  /** `simplex` or `raft`. */
  mechanism: string;
}

/** An organisation with a vote. */
export interface Member {
  /** Its id. */
  id: Did;
  /** Its name. */
  name: string;
}

/** A line of an account's history. */
export interface Movement {
  /** How much. */
  amount: string;
  /** What the account had afterwards. */
  balance: string;
  /** Height of the block. */
  height: number;
  /** Whether it came to the account rather than left it. */
  incoming: boolean;
  /** What for, as whoever paid says. */
  memo: string;
  /** The account at the other end, if there was one. */
  other?: Did;
  /**
   * `genesis`, `transfer`, `fee`, `fee_share`, `mint`, `burn`, `escrow`, `reward`, `sweep` or
   * `stake`.
   */
  reason: string;
  /** Time of the block. */
  time: Time;
  /** The transaction, if there was one. */
  transaction?: Hex;
}

/** A public key in multibase base58btc with its multicodec prefix (W3C Multikey). */
export type Multikey = string;

/** The network this peer belongs to. */
export interface Network {
  /** The genesis, as in `genesis.json`. */
  genesis: GenesisFile;
  /** The ledger's id, the digest of the genesis. */
  ledger: Hex;
  /** Its name, part of every DID. */
  network: string;
}

/** What somebody wants to be told of, and where. */
export interface NewWebhook {
  /** Which events, as of `/v1/events`; from the present on if it does not say `after`. */
  events?: unknown;
  /** What the maker follows for: the purpose of its grant; empty if it needs none. */
  purpose?: string;
  /** The URL that is called: http or https, at most 1024 bytes, without user name. */
  url: string;
}

/** To whom a thing is offered. */
export interface Offer {
  /** The public key behind the code; absent if to an entity. */
  code_key?: Key;
  /** The entity; absent if to whoever holds the code. */
  to?: Did;
  /** Last height at which it can be accepted. */
  until_height: number;
}

/** What a command asks for. */
export interface Operation {
  /** The input of an action, JSON text. */
  input?: string;
  /** The property or action. */
  name: string;
  /** `read`, `write` or `invoke`. */
  operation: string;
  /**
   * The value to be written: an exact decimal, `true` or `false`, the text itself, or bytes in
   * hex.
   */
  value?: string;
}

/** A founding organisation. */
export interface OrganisationForm {
  /** Its id, which follows from name and key. */
  id: Did;
  /** Its first key. */
  key: Key;
  /** Its name. */
  name: string;
}

/** A transaction's place on the ledger and its receipt. */
export interface Outcome {
  /** Height of its block. */
  height: number;
  /** Its position in the block. */
  index: number;
  /** What it did. */
  receipt: Receipt;
  /** Time of the block. */
  time: Time;
}
