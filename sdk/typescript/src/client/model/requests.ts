// Written by scripts/model.mjs from docs/reference/openapi.json. Do not edit: npm run model.

import type { Cursor, Hex, Id, WaitFor, When } from './index.ts';

/** Parameters of `/v1/access/explain`. */
export interface ExplainQuery {
  /** About whom; nobody in particular if absent. */
  entity?: Id;
  /** To do what, such as `read`. */
  right?: string;
  /** What for. */
  purpose?: string;
  /** With all things of this owner. */
  everything?: Id;
  /** With this thing. */
  thing?: Id;
  /** With this property of it. */
  property?: string;
  /** With this action of it. */
  action?: string;
  /** With this service. */
  service?: Id;
  /** With this contract. */
  contract?: Id;
}

/** Parameters of `/v1/access/feed`. */
export interface FeedQuery {
  /** The owner. */
  owner: Id;
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/access/grants`. */
export interface GrantsQuery {
  /** Those that this entity has a part in. */
  entity: Id;
  /** Only those that stand so, such as `asked` or `in_force`. */
  status?: string;
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many are looked at. */
  limit?: number;
}

/** Parameters of `/v1/access/policies/{owner}`. */
export interface PoliciesQuery {
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/accounts`. */
export interface HoldingsQuery {
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/accounts/{id}/escrows`. */
export interface EscrowsQuery {
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/accounts/{id}/rewards`. */
export interface RewardsByQuery {
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/accounts/{id}/sponsored`. */
export interface SponsoredQuery {
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/accounts/{id}/transfers`. */
export interface MovementsQuery {
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/alarms/log`. */
export interface AlarmLogQuery {
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/blocks`. */
export interface BlocksQuery {
  /** Only blocks below this height; the newest come first. */
  before?: number;
  /** At most so many. */
  limit?: number;
}

/** Parameters of `/v1/blocks/{height}`. */
export interface BlockQuery {
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/calls/asked`. */
export interface AskedCallsQuery {
  /** Only those that wait for an answer. */
  open?: boolean;
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/calls/taken`. */
export interface TakenCallsQuery {
  /** Only those that wait for an answer. */
  open?: boolean;
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/codes`. */
export interface CodesQuery {
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/contracts`. */
export interface ContractsQuery {
  /** With exactly this name. */
  name?: string;
  /** Whose code serves this interface. */
  interface?: string;
  /** That run this code. */
  code?: Hex;
  /** That wait for this participant to decide. */
  awaiting?: Id;
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/contracts/{id}/answer`. */
export interface AskContractQuery {
  /** The message, JSON. */
  message?: string;
}

/** Parameters of `/v1/contracts/{id}/transactions`. */
export interface ContractHistoryQuery {
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/entities`. */
export interface EntitiesQuery {
  /** Of this kind. */
  kind?: string;
  /** Owned by this entity. */
  owner?: Id;
  /** Whose name contains this text, whatever the case. */
  name?: string;
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many. */
  limit?: number;
}

/** Parameters of `/v1/entities/{id}/keys`. */
export interface KeysQuery {
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/entities/{id}/notifications`. */
export interface NotificationsQuery {
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/entities/{id}/pending`. */
export interface PendingQuery {
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/entities/{id}/transactions`. */
export interface HistoryQuery {
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/events`. */
export interface EventsQuery {
  /** Begin behind this event; at the present if absent. The header `Last-Event-ID` comes first. */
  after?: Cursor;
  /** Only events of these types, separated by commas. */
  type?: string;
  /** Only events about this entity, as actor, owner or notified. */
  entity?: Id;
  /** Only events about this thing. */
  thing?: Id;
  /** Only events about this stream. */
  stream?: Hex;
  /** Only events about this contract. */
  contract?: Id;
  /**
   * Only what this service publishes: events of its contracts, records that it writes, and what
   * becomes of its versions.
   */
  service?: Hex;
  /** Only contracts' events of this name and records of this kind. */
  topic?: string;
  /** Only events about things whose description has this `@type`. */
  thing_type?: string;
  /** Only events about things that have this tag. */
  tag?: string;
  /** Only batches of `stream` with a value above this, or below `below`. */
  above?: string;
  /** Only batches of `stream` with a value below this, or above `above`. */
  below?: string;
  /** Tells by `stream_silent` when nothing came in `stream` for so many seconds, once each time. */
  silence_s?: number;
}

/** Parameters of `/v1/events/socket`. */
export interface SocketQuery {
  /** Begin behind this event; at the present if absent. The header `Last-Event-ID` comes first. */
  after?: Cursor;
  /** Only events of these types, separated by commas. */
  type?: string;
  /** Only events about this entity, as actor, owner or notified. */
  entity?: Id;
  /** Only events about this thing. */
  thing?: Id;
  /** Only events about this stream. */
  stream?: Hex;
  /** Only events about this contract. */
  contract?: Id;
  /**
   * Only what this service publishes: events of its contracts, records that it writes, and what
   * becomes of its versions.
   */
  service?: Hex;
  /** Only contracts' events of this name and records of this kind. */
  topic?: string;
  /** Only events about things whose description has this `@type`. */
  thing_type?: string;
  /** Only events about things that have this tag. */
  tag?: string;
  /** Only batches of `stream` with a value above this, or below `below`. */
  above?: string;
  /** Only batches of `stream` with a value below this, or above `above`. */
  below?: string;
  /** Tells by `stream_silent` when nothing came in `stream` for so many seconds, once each time. */
  silence_s?: number;
}

/** Parameters of `/v1/governance/proposals`. */
export interface ProposalsQuery {
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/links`. */
export interface LinksQuery {
  /** Of this organisation. */
  owner?: Id;
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/operation/log`. */
export interface OperationLogQuery {
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/proofs/aggregates/{stream}`. */
export interface AggregateQuery {
  /** First sequence number; the stream's first if absent. */
  first_seq?: number;
  /** Last sequence number; the stream's last if absent. */
  last_seq?: number;
  /** Instead of sequence numbers: earliest claimed time. */
  from?: When;
  /** Instead of sequence numbers: latest claimed time. */
  until?: When;
}

/** Parameters of `/v1/proofs/ranges/{stream}`. */
export interface RangeQuery {
  /** First sequence number; the stream's first if absent. */
  first_seq?: number;
  /** Last sequence number; the stream's last if absent. */
  last_seq?: number;
  /** Instead of sequence numbers: earliest claimed time. */
  from?: When;
  /** Instead of sequence numbers: latest claimed time. */
  until?: When;
}

/** Parameters of `/v1/services`. */
export interface ServicesQuery {
  /** With this text in name, description, tags or interfaces, large and small letters alike. */
  text?: string;
  /** With exactly this name. */
  name?: string;
  /** That serve this interface. */
  interface?: string;
  /** With this tag. */
  tag?: string;
  /** Of this provider. */
  provider?: Id;
  /** That this contract is, or charges and records for. */
  contract?: Id;
  /** `contract` or `outside`. */
  kind?: string;
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/services/{id}/transactions`. */
export interface ServiceHistoryQuery {
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/stakes`. */
export interface CandidatesQuery {
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/streams/{id}/aggregates`. */
export interface AggregatesQuery {
  /** Earliest claimed time; the stream's earliest if absent. */
  from?: When;
  /** Latest claimed time; the stream's latest if absent. */
  until?: When;
  /** Length of a bucket, milliseconds. Buckets begin at multiples of it since 1970. */
  bucket_ms?: number;
  /** Instead of `bucket_ms`: the shortest round length that gives at most so many buckets. */
  buckets?: number;
}

/** Parameters of `/v1/streams/{id}/gaps`. */
export interface GapsQuery {
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/streams/{id}/holders`. */
export interface HoldersQuery {
  /** Only batches that begin at this number or below; the newest come first. */
  last_seq?: number;
  /** At most so many. */
  limit?: number;
}

/** Parameters of `/v1/streams/{id}/latest`. */
export interface LatestQuery {
  /** So many, newest last; 1 if absent. */
  limit?: number;
}

/** Parameters of `/v1/streams/{id}/readings`. */
export interface ReadingsQuery {
  /** First sequence number. */
  first_seq?: number;
  /** Last sequence number. */
  last_seq?: number;
  /** Earliest claimed time. */
  from?: When;
  /** Latest claimed time. */
  until?: When;
  /** Go on after this reading: `next` of the page before. */
  after?: string;
  /** At most so many. */
  limit?: number;
}

/** Parameters of `/v1/tags/{tag}/readings`. */
export interface TaggedQuery {
  /** The property. */
  property: string;
  /** Earliest claimed time of what is summed up; each stream's earliest if absent. */
  from?: When;
  /** Latest claimed time of that; each stream's latest if absent. */
  until?: When;
  /** Go on after this thing: `next` of the page before. */
  after?: string;
  /** At most so many things. */
  limit?: number;
}

/** Parameters of `/v1/things`. */
export interface ThingsQuery {
  /** Owned by this entity. */
  owner?: Id;
  /** Whose name contains this text, whatever the case. */
  name?: string;
  /** Whose description has this `@type`. */
  type?: string;
  /** That have this tag. */
  tag?: string;
  /** That have this property. */
  property?: string;
  /** That said they are, or are not, online. */
  online?: boolean;
  /**
   * That said they are within so many degrees of a point: latitude, longitude and distance, such as
   * `48.1,11.5,0.2`. A degree of longitude counts as one of latitude.
   */
  near?: string;
  /**
   * That said they are in this box: south, west, north and east in degrees, such as
   * `48.0,11.3,48.3,11.8`.
   */
  within?: string;
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many. */
  limit?: number;
}

/** Parameters of `/v1/things/{id}/commands`. */
export interface CommandsQuery {
  /** Only those that are neither done nor over. */
  open?: boolean;
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many. */
  limit?: number;
}

/** Parameters of `/v1/things/{id}/description`. */
export interface DescriptionQuery {
  /** The version; the present one if absent. */
  version?: number;
}

/** Parameters of `/v1/transactions`. */
export interface SubmitQuery {
  /** `finalized` to answer when it is, with its receipt. */
  wait?: WaitFor;
  /** How long to wait at most, milliseconds. */
  timeout_ms?: number;
}

/** Parameters of `/v1/transactions/{id}`. */
export interface TransactionQuery {
  /** `finalized` to answer when it is, with its receipt. */
  wait?: WaitFor;
  /** How long to wait at most, milliseconds. */
  timeout_ms?: number;
}

/** Parameters of `/v1/triggers`. */
export interface TriggersQuery {
  /** With exactly this name. */
  name?: string;
  /** Of this owner. */
  owner?: Id;
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}

/** Parameters of `/v1/triggers/trial`. */
export interface TryTriggerQuery {
  /** Whose it would be. */
  owner: Id;
  /** Ledger time from which recorded readings are looked at; from the first if absent. */
  from?: When;
  /** Ledger time up to which they are; up to now if absent. */
  until?: When;
}

/** Parameters of `/v1/triggers/{id}/runs`. */
export interface TriggerRunsQuery {
  /** Go on after this item: `next` of the page before. */
  after?: string;
  /** At most so many items. */
  limit?: number;
}
