// Written by scripts/model.mjs from docs/reference/openapi.json. Do not edit: npm run model.

import type { Aggregate, Did, FeesForm, Hex, KeyShare, PeerRole, Placement, PriceRule, Regulation, Time, TokenName, VersionStatus } from './index.ts';

/** A batch of a confidential stream: its readings are for who has the key. */
export interface SealedBatch {
  /** How many readings. */
  count: number;
  /** Earliest claimed time. */
  earliest: Time;
  /** Number of its first reading. */
  first_seq: number;
  /** Height of that block. */
  height: number;
  /** Number of the key it is sealed under. */
  key_number: number;
  /** Latest claimed time. */
  latest: Time;
  /** Position in the stream's tree. */
  leaf: number;
  /** Time of the block it is in. */
  ledger: Time;
  /** The sealed payload, hex. */
  payload: string;
}

/** A seat among the validators. */
export interface SeatOf {
  /** Where other peers reach it, if it was given its seat by vote. */
  address?: string;
  /** Its name. */
  name: string;
  /** The organisation that runs it. */
  organisation: Did;
  /** The peer. */
  peer: Did;
  /** Its voting key. */
  vote_key: Hex;
}

/** That a stream is confidential, and which key counts. */
export interface Secrecy {
  /** How payloads are sealed: `chacha20-poly1305`. */
  cipher: string;
  /** Number of the present key; the first has number 1. */
  key_number: number;
  /** Ledger time since when it counts. */
  since: Time;
}

/** A service in the catalogue. */
export interface Service {
  /** Height at which it last changed. */
  changed_height: number;
  /** Its id. */
  id: Hex;
  /** The provider's name for it. */
  name: string;
  /** The version to use: the newest that is live, or else the newest; absent if all were withdrawn. */
  newest?: ServiceVersion;
  /** Who provides it. */
  provider: Did;
  /** Height at which its first version was published. */
  since_height: number;
  /** All versions that are not withdrawn, ascending. */
  versions: VersionStatus[];
}

/** A service in a DID document. */
export interface ServiceEndpoint {
  /** `<did>#<fragment>`. */
  id: string;
  /** An absolute path at this peer. */
  serviceEndpoint: string;
  /** Such as `WotThing`, whose endpoint is a Thing Description (W3C WoT Discovery). */
  type: string;
}

/** Something that a service must be let do. */
export interface ServiceNeed {
  /** To do what, such as `read`. */
  right: string;
  /** With what sort of thing, property or action. */
  what: string;
}

/** What a provider says of one version of a service. */
export interface ServiceVersion {
  /** Height at which its status last changed. */
  changed_height: number;
  /** The contract that is it, or that charges and records for it. */
  contract?: Did;
  /** Where it is reached; only outside. */
  endpoints: string[];
  /** The entity that serves, for whom grants to call it are given; only outside. */
  entity?: Did;
  /** Names of the interfaces it serves. */
  interfaces: string[];
  /** `contract` if a contract is the service, `outside` if it is performed outside the ledger. */
  kind: string;
  /** To whom it is shown: `everyone`, or `callers` for those who may call it. */
  listing: string;
  /** What it must be let do by the owners of things. */
  needs: ServiceNeed[];
  /** What it costs, for people. */
  price: string;
  /** The same for programs. */
  price_rule?: PriceRule;
  /** Height at which it was published. */
  published_height: number;
  /** What it is used for and needs data for, as grants name it. */
  purpose: string;
  /** That schema; only where one version is asked for. */
  schema?: string;
  /** SHA-256 of the JSON Schema of what it takes and gives, if it says. */
  schema_digest?: Hex;
  /** `live`, `deprecated` or `withdrawn`. */
  status: string;
  /** Words to find it by. */
  tags: string[];
  /** What it does. */
  text: string;
  /** Which, as `1.0.0`. */
  version: string;
}

/** A promise to pay the fees of an entity. */
export interface Sponsorship {
  /** Whose fees. */
  entity: Did;
  /** Most in one day. */
  per_day: string;
  /** Paid so far. */
  spent: string;
  /** Who pays. */
  sponsor: Did;
  /** Most altogether. */
  total: string;
  /** Last height at which it holds. */
  until_height: number;
}

/** What is staked behind a peer. */
export interface Stake {
  /** Where other peers reach it; absent if its configuration alone says so. */
  address?: string;
  /** What counts when seats are given. */
  amount: string;
  /** The first epoch in which that can be collected. */
  free_epoch: number;
  /** What was withdrawn and not collected. */
  leaving: string;
  /** Its name. */
  name: string;
  /** The organisation that runs it and staked for it. */
  organisation: Did;
  /** The peer. */
  peer: Did;
  /** Whole epochs in a row in which it had a seat and proposed nothing. */
  silent_epochs: number;
  /** Height since which it stands for a seat; absent if it does not. */
  since_height?: number;
  /** Its voting key. */
  vote_key: Hex;
}

/**
 * How seats are given by stake at the end of each epoch. Amounts are in the smallest unit of the token,
 * digits in text.
 */
export interface StakeForm {
  /** How much of a peer's stake a double vote destroys, hundredths. */
  burnt_percent: number;
  /** What is staked behind each founding peer from the beginning. */
  founding: string;
  /** Least stake of a peer. */
  least: string;
  /** Epochs for which stake that was withdrawn stays locked. */
  locked_epochs: number;
  /** Most seats. */
  seats_max: number;
  /** Fewest peers with stake that take over: while there are less, whoever has a seat keeps it. */
  seats_min: number;
  /** So many whole epochs in a row without a block of its own cost a peer its seat. */
  silent_epochs: number;
}

/** A key of the state that would change. */
export interface StateChange {
  /** How many bytes the new value has; absent if it is removed. */
  bytes?: number;
  /** The raw key, hex. */
  key: string;
  /** The key as text, with what is no ASCII escaped. */
  text: string;
}

/** What this peer is doing. */
export interface Status {
  /** Transactions that came in the last second. */
  arriving_per_s: number;
  /** Peers connected, this one not counted. */
  connected: number;
  /** The current epoch. */
  epoch: number;
  /** The highest block known to be final. */
  final_height: number;
  /**
   * How long this peer, when it leads, gathers transactions before it proposes a block, milliseconds:
   * not at all while few come.
   */
  gather_ms: number;
  /** The highest block executed here: what queries answer from. */
  height: number;
  /** Its voting key. */
  key: Hex;
  /** Voting key of the leader of the current view. */
  leader: Hex;
  /** The ledger's id. */
  ledger: Hex;
  /** How its validators agree: `simplex` or `raft`; empty while the peer is starting. */
  mechanism?: string;
  /** Name of the network. */
  network: string;
  /** Bytes of disk that payloads take. */
  payload_bytes?: number;
  /** Bytes of disk that they may take, if the operator set a bound. */
  payload_bytes_max?: number;
  /** Batches on the ledger whose payloads this peer is to hold and does not hold yet. */
  payloads_missing: number;
  /** Payloads that this peer keeps until those who are to keep them say that they do. */
  payloads_surplus?: number;
  /** This peer, if it is one of those that the genesis names. */
  peer?: Did;
  /** `starting`, `connecting`, `voting`, `following`, `stopped` or `halted`. */
  phase: string;
  /** How many validators must vote alike. */
  quorum: number;
  /** Its part in the agreement. */
  role: PeerRole;
  /**
   * Root of the state after that block, as this peer computed it. Peers that executed the same
   * block and name different roots do not hold the same ledger.
   */
  state_root: Hex;
  /** Time of that block. */
  time: Time;
  /**
   * Whether its operator lets it take other validators' word that signatures were checked, as can be where
   * peers agree by Raft.
   */
  trusts_validators?: boolean;
  /** Version of the program. */
  version: string;
  /** The current view. */
  view: number;
  /** Transactions that wait to be included. */
  waiting: number;
  /** Length of the waiting transactions and their payloads, bytes. */
  waiting_bytes: number;
}

/**
 * The append-only series of one property of one thing.
 * 
 * Numbers of the stream are exact decimals in text, with as many places as the stream's quantum.
 */
export interface Stream {
  /** Batches in its tree. */
  batches: number;
  /** Gaps that may still be filled. */
  gaps_open: number;
  /** Its id. */
  id: Hex;
  /** `number`, `boolean`, `text` or `bytes`. */
  kind: string;
  /** Largest number allowed. */
  maximum?: string;
  /** Smallest number allowed. */
  minimum?: string;
  /** The sequence number a submitter goes on with. */
  next_seq: number;
  /** The property. */
  property: string;
  /** Every number is a multiple of this. */
  quantum: string;
  /** Decimal places of a number. */
  scale: number;
  /** Sequence numbers that were given up: they are missing for ever. */
  sealed: number;
  /** Which key counts, if the stream is confidential. */
  secrecy?: Secrecy;
  /** The thing. */
  thing: Did;
  /** What all its readings come to; absent while there is none. */
  total?: Aggregate;
  /** Unit as the description states it; empty if it states none. */
  unit: string;
}

/** A key of a confidential stream, wrapped to each of its readers. */
export interface StreamKeyShares {
  /** How it seals; absent if the stream has no such key. */
  cipher?: string;
  /** Number of the key. */
  number: number;
  /** The shares, ascending by reader. */
  shares: KeyShare[];
  /** The stream. */
  stream: Hex;
}

/** What an owner said about the payloads of a stream. */
export interface StreamPlacement {
  /** Who keeps them, and for how long. */
  placement: Placement;
  /** The stream. */
  stream: Hex;
}

/** A regulation about a stream. */
export type StreamRegulation = Regulation & {
  /** Whether the stream is kept as it demands; if not, it takes no readings. */
  complies: boolean;
};

/** The regulations about a stream. */
export interface StreamRegulations {
  /** Those in force about its thing, ascending by id. */
  items: StreamRegulation[];
  /** The stream. */
  stream: Hex;
}

/** That nothing came in a stream. */
export interface StreamSilence {
  /** For how many seconds nothing came, at least: as many as were asked for. */
  seconds: number;
  /** Ledger time of its newest batch. */
  since: Time;
  /** The stream. */
  stream: Hex;
}

/**
 * The token of a ledger and where all of it is. Amounts are in its smallest unit, digits in text:
 * they do not fit a number of JSON.
 */
export interface Supply {
  /** Those in accounts. */
  accounts: string;
  /** Those in escrows. */
  escrows: string;
  /** Fees of this epoch, which its last block shares among the validators. */
  fees: string;
  /** What transactions cost; absent if the ledger has no tokens. */
  prices?: FeesForm;
  /** Those in the funds of rewards. */
  rewards: string;
  /**
   * Those staked behind peers, with what was withdrawn and not collected; absent where seats do not
   * follow from stakes.
   */
  staked?: string;
  /** How it is called; absent if the ledger has no tokens, and then all amounts are 0. */
  token?: TokenName;
  /** All there are. */
  total: string;
}
