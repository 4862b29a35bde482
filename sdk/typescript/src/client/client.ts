import { toHex, toUtf8 } from '../text/bytes.ts';
import { follow, listen, type EventsOptions } from './events.ts';
import type * as model from './model/index.ts';
import { FormError, ProblemError, TimeoutError } from './problem.ts';
import { CBOR_MEDIA_TYPE, encodeSubmissions, type Submission } from './submission.ts';
import { Transport, type Act, type Asked, type ClientOptions, type RequestOptions } from './transport.ts';

/** Longest wait for a transaction that one request can ask for, milliseconds. */
const WAIT_MAX_MS = 30_000;
/** The peer that is not well answers with this status, and says why. */
const UNAVAILABLE = 503;

/**
 * A client of one peer's interface (docs/reference/http-api.md).
 *
 * It reads its own writes: once a transaction is known to be final at a height, the peer is asked to
 * answer from that height or later. Every method throws a `RequestError` if the request fails;
 * a {@link ProblemError} has the peer's stable `code`.
 *
 * Ids of entities and things are DIDs or hex; other ids are hex. Integers of answers are numbers:
 * those beyond 2^53, which only a height "for ever" reaches, are rounded.
 */
export class Client {
  readonly #transport: Transport;

  /** A client for the peer at an address such as `http://127.0.0.1:4464`; nothing is sent yet. */
  constructor(url: string, options: ClientOptions = {}) {
    this.#transport = new Transport(url, options);
  }

  /** Address of the peer. */
  get url(): string {
    return this.#transport.base;
  }

  /** The highest height the peer has answered from; 0 before the first answer. */
  get height(): number {
    return this.#transport.height;
  }

  /** From now on, reads from this height or later. */
  readFrom(height: number): void {
    this.#transport.readFrom(height);
  }

  /** From now on, says with each request who reads, by the token that is given; `undefined` stops that. See `readAs` and `operateAs` of `althing/sign`. */
  readAs(token: ((act?: Act) => string) | undefined): void {
    this.#transport.token = token;
  }

  /** The answer at any path of the interface, for what has no method of its own here. */
  ask<T>(path: string, query: object = {}, options?: RequestOptions): Promise<T> {
    return this.#get(path, query, options);
  }

  /** What a change that members could decide on would lead to, from its bytes; nothing is written. */
  consequence<T = unknown>(change: Uint8Array, options?: RequestOptions): Promise<T> {
    return this.#transport.json<T>({ path: '/v1/governance/consequence', body: { type: CBOR_MEDIA_TYPE, bytes: change }, ...options });
  }

  // The peer and its network.

  /** Whether the peer can serve, and if not, why. A peer that is not well is no error here. */
  health(options?: RequestOptions): Promise<model.Health> {
    return this.#get('/v1/health', {}, options, { accepted: [UNAVAILABLE], readsOwnWrites: false });
  }

  /** What the peer is doing. */
  status(options?: RequestOptions): Promise<model.Status> {
    return this.#get('/v1/status', {}, options);
  }

  /** The peers of the network as this one sees them. */
  peers(options?: RequestOptions): Promise<model.Peers> {
    return this.#get('/v1/peers', {}, options);
  }

  /** The network this peer belongs to, with its genesis: trust that no more than the peer. */
  network(options?: RequestOptions): Promise<model.Network> {
    return this.#get('/v1/network', {}, options);
  }

  /** Figures in Prometheus text format. */
  async metrics(options?: RequestOptions): Promise<string> {
    return new TextDecoder().decode(await this.#transport.bytes({ path: '/metrics', ...options }));
  }

  // Entities.

  /** What a sender needs to know before it signs. */
  account(id: model.Id, options?: RequestOptions): Promise<model.Account> {
    return this.#get(`/v1/accounts/${segment(id)}`, {}, options);
  }

  /** Entities, ascending by id. */
  entities(query: model.EntitiesQuery = {}, options?: RequestOptions): Promise<model.Page<model.Entity>> {
    return this.#get('/v1/entities', query, options);
  }

  /** An entity. */
  entity(id: model.Id, options?: RequestOptions): Promise<model.Entity> {
    return this.#get(`/v1/entities/${segment(id)}`, {}, options);
  }

  /** Every key an entity has had, oldest first. */
  keys(id: model.Id, query: model.KeysQuery = {}, options?: RequestOptions): Promise<model.Page<model.KeyVersion>> {
    return this.#get(`/v1/entities/${segment(id)}/keys`, query, options);
  }

  /** The transactions an entity has sent, newest first. */
  history(id: model.Id, query: model.HistoryQuery = {}, options?: RequestOptions): Promise<model.Page<model.Past>> {
    return this.#get(`/v1/entities/${segment(id)}/transactions`, query, options);
  }

  /** The records that notified an entity, newest first. */
  notifications(id: model.Id, query: model.NotificationsQuery = {}, options?: RequestOptions): Promise<model.Page<model.Past>> {
    return this.#get(`/v1/entities/${segment(id)}/notifications`, query, options);
  }

  /** The transactions that wait for an entity's approval, or for approvals of what it sent. */
  pending(id: model.Id, query: model.PendingQuery = {}, options?: RequestOptions): Promise<model.Page<model.PendingApproval>> {
    return this.#get(`/v1/entities/${segment(id)}/pending`, query, options);
  }

  /** The approval policies of an organisation. */
  policies(id: model.Id, options?: RequestOptions): Promise<model.Policies> {
    return this.#get(`/v1/entities/${segment(id)}/policies`, {}, options);
  }

  /** The DID document of an entity or thing. */
  resolve(did: model.Did, options?: RequestOptions): Promise<model.DidDocument> {
    return this.#get(`/v1/dids/${segment(did)}`, {}, options);
  }

  // Things and their streams.

  /** Things, ascending by id. */
  things(query: model.ThingsQuery = {}, options?: RequestOptions): Promise<model.Page<model.Thing>> {
    return this.#get('/v1/things', query, options);
  }

  /** A thing. */
  thing(id: model.Id, options?: RequestOptions): Promise<model.Thing> {
    return this.#get(`/v1/things/${segment(id)}`, {}, options);
  }

  /** The Thing Description, byte for byte as its owner registered it; its digest is on the ledger. */
  description(id: model.Id, query: model.DescriptionQuery = {}, options?: RequestOptions): Promise<Uint8Array> {
    return this.#transport.bytes({ path: `/v1/things/${segment(id)}/description`, query, ...options });
  }

  /** A property of a thing, with its stream and latest reading. */
  property(id: model.Id, name: string, options?: RequestOptions): Promise<model.Property> {
    return this.#get(`/v1/things/${segment(id)}/properties/${segment(name)}`, {}, options);
  }

  /** A stream. */
  stream(id: model.Hex, options?: RequestOptions): Promise<model.Stream> {
    return this.#get(`/v1/streams/${segment(id)}`, {}, options);
  }

  /** Readings of a stream, ascending by sequence number. */
  readings(id: model.Hex, query: model.ReadingsQuery = {}, options?: RequestOptions): Promise<model.Readings> {
    return this.#get(`/v1/streams/${segment(id)}/readings`, query, options);
  }

  /** The latest readings of a stream, newest last. */
  latest(id: model.Hex, query: model.LatestQuery = {}, options?: RequestOptions): Promise<model.Readings> {
    return this.#get(`/v1/streams/${segment(id)}/latest`, query, options);
  }

  /** A stream in buckets of claimed time: what a chart needs, however long the time. */
  aggregates(id: model.Hex, query: model.AggregatesQuery = {}, options?: RequestOptions): Promise<model.Aggregates> {
    return this.#get(`/v1/streams/${segment(id)}/aggregates`, query, options);
  }

  /** A property of the things that have a tag: the newest value of each, and what all come to. */
  taggedReadings(tag: string, query: model.TaggedQuery, options?: RequestOptions): Promise<model.TaggedReadings> {
    return this.#get(`/v1/tags/${segment(tag)}/readings`, query, options);
  }

  /** Sequence numbers of a stream that did not come. */
  gaps(id: model.Hex, query: model.GapsQuery = {}, options?: RequestOptions): Promise<model.Gaps> {
    return this.#get(`/v1/streams/${segment(id)}/gaps`, query, options);
  }

  /** A key of a confidential stream, wrapped to its readers: see `unwrapStreamKey` of `althing/verify`. */
  streamKey(id: model.Hex, number: number, options?: RequestOptions): Promise<model.StreamKeyShares> {
    return this.#get(`/v1/streams/${segment(id)}/keys/${number}`, {}, options);
  }

  /** What was erased of a stream, and which peers have confirmed it. */
  erasures(id: model.Hex, options?: RequestOptions): Promise<model.Erasures> {
    return this.#get(`/v1/streams/${segment(id)}/erasures`, {}, options);
  }

  /** The regulations about a stream, and whether it complies with each. */
  regulations(id: model.Hex, options?: RequestOptions): Promise<model.StreamRegulations> {
    return this.#get(`/v1/streams/${segment(id)}/regulations`, {}, options);
  }

  /** Who holds the payloads of a stream. */
  holders(id: model.Hex, query: model.HoldersQuery = {}, options?: RequestOptions): Promise<model.Holders> {
    return this.#get(`/v1/streams/${segment(id)}/holders`, query, options);
  }

  /** To which key streams' keys are wrapped for an entity. */
  agreement(id: model.Id, options?: RequestOptions): Promise<model.AgreementKey> {
    return this.#get(`/v1/entities/${segment(id)}/agreement`, {}, options);
  }

  /** The gateways that have reported to the peer since it started, and how they are doing. */
  gateways(options?: RequestOptions): Promise<model.Gateways> {
    return this.#get('/v1/gateways', {}, options);
  }

  /** Says how the gateway is doing that reads, by a token with the purpose `gateway`. */
  async reportGateway(report: model.GatewayReport, options?: RequestOptions): Promise<void> {
    await this.#transport.bytes({ path: '/v1/gateways/report', body: jsonBody(report), ...options });
  }

  // Webhooks of who reads, by tokens with the purpose `webhooks`.

  /** Has the peer post each event to a URL. */
  createWebhook(webhook: model.NewWebhook, options?: RequestOptions): Promise<model.Webhook> {
    return this.#transport.json<model.Webhook>({ path: '/v1/webhooks', body: jsonBody(webhook), ...options });
  }

  /** The webhooks of who reads, with what came of their calls. */
  webhooks(options?: RequestOptions): Promise<model.Webhooks> {
    return this.#get('/v1/webhooks', {}, options);
  }

  /** Pauses a webhook, or lets it go on. */
  pauseWebhook(id: string, paused: boolean, options?: RequestOptions): Promise<model.Webhook> {
    return this.#transport.json<model.Webhook>({ path: `/v1/webhooks/${segment(id)}/${paused ? 'pause' : 'resume'}`, body: jsonBody(null), ...options });
  }

  /** Deletes a webhook. */
  async deleteWebhook(id: string, options?: RequestOptions): Promise<void> {
    await this.#transport.bytes({ path: `/v1/webhooks/${segment(id)}/delete`, body: jsonBody(null), ...options });
  }

  // Operating a peer, as somebody whom its configuration names: see `operateAs` of `althing/sign`.

  /** The alarms of the peer, which anybody may see. */
  alarms(options?: RequestOptions): Promise<model.Alarms> {
    return this.#get('/v1/alarms', {}, options);
  }

  /** The newest changes among the peers, then each that comes, is lost or is back, without end. */
  async *peerChanges(options: RequestOptions = {}): AsyncGenerator<model.PeerChange, void> {
    for await (const data of listen(this.#transport, { path: '/v1/peers/changes' }, options)) yield JSON.parse(data) as model.PeerChange;
  }

  /** The alarms that last, then each that comes, ends or is acknowledged, without end. */
  async *alarmChanges(options: RequestOptions = {}): AsyncGenerator<model.Alarm, void> {
    for await (const data of listen(this.#transport, { path: '/v1/alarms/changes' }, options)) yield JSON.parse(data) as model.Alarm;
  }

  /** Notes that this operator has seen an alarm. */
  acknowledge(id: number, note = '', options?: RequestOptions): Promise<model.Alarm> {
    return this.#transport.json<model.Alarm>({ path: `/v1/alarms/${id}/acknowledge`, body: jsonBody({ note }), acts: true, ...options });
  }

  /** What became of alarms. */
  alarmLog(query: model.AlarmLogQuery = {}, options?: RequestOptions): Promise<model.LogPart> {
    return this.#get('/v1/alarms/log', query, options);
  }

  /** What was done to the peer. */
  operationLog(query: model.OperationLogQuery = {}, options?: RequestOptions): Promise<model.LogPart> {
    return this.#get('/v1/operation/log', query, options);
  }

  /** The configuration that the peer runs with. */
  configuration(options?: RequestOptions): Promise<model.Configuration> {
    return this.#get('/v1/operation/configuration', {}, options);
  }

  /** The versions of the peer's configuration. */
  configurations(options?: RequestOptions): Promise<model.ConfigurationVersions> {
    return this.#get('/v1/operation/configurations', {}, options);
  }

  /** What a configuration (TOML) would change; nothing does. */
  checkConfiguration(text: string, options?: RequestOptions): Promise<model.Differences> {
    return this.#transport.json<model.Differences>({ path: '/v1/operation/check', body: tomlBody(text), acts: true, ...options });
  }

  /** Puts a configuration (TOML) in the place of the present one. */
  applyConfiguration(text: string, options?: RequestOptions): Promise<model.Differences> {
    return this.#transport.json<model.Differences>({ path: '/v1/operation/apply', body: tomlBody(text), acts: true, ...options });
  }

  /** Has the peer settle what it took, and end. */
  async stopPeer(options?: RequestOptions): Promise<void> {
    await this.#transport.bytes({ path: '/v1/operation/stop', body: tomlBody(''), acts: true, ...options });
  }

  // The ledger.

  /** Final blocks, newest first. */
  blocks(query: model.BlocksQuery = {}, options?: RequestOptions): Promise<model.Page<model.BlockSummary>> {
    return this.#get('/v1/blocks', query, options);
  }

  /** A final block. */
  block(height: number, query: model.BlockQuery = {}, options?: RequestOptions): Promise<model.Block> {
    return this.#get(`/v1/blocks/${segment(String(height))}`, query, options);
  }

  /** A transaction that the peer knows, waiting or final. */
  transaction(id: model.Hex, query: model.TransactionQuery = {}, options?: RequestOptions): Promise<model.Transaction> {
    const asked = { waitMs: query.timeout_ms ?? 0 };
    return this.#get(`/v1/transactions/${segment(id)}`, query, options, asked);
  }

  /** Events from a cursor on, without end; see {@link follow}. `after: '0-0-0'` begins at the first. */
  events(query: model.EventsQuery = {}, options: EventsOptions = {}): AsyncGenerator<model.EventRecord, void> {
    return follow(this.#transport, query, options);
  }

  // Who may read and act.

  /** The access policies of an owner. */
  accessPolicies(owner: model.Id, query: model.PoliciesQuery = {}, options?: RequestOptions): Promise<model.Page<model.AccessPolicy>> {
    return this.#get(`/v1/access/policies/${segment(owner)}`, query, options);
  }

  /** Requests and grants of an entity, or about what it has. */
  grants(query: model.GrantsQuery, options?: RequestOptions): Promise<model.Page<model.Grant>> {
    return this.#get('/v1/access/grants', query, options);
  }

  /** A request or grant. */
  grant(id: model.Hex, options?: RequestOptions): Promise<model.Grant> {
    return this.#get(`/v1/access/grants/${segment(id)}`, {}, options);
  }

  /** What became of access to what an owner has, newest first. */
  accessFeed(query: model.FeedQuery, options?: RequestOptions): Promise<model.Page<model.EventRecord>> {
    return this.#get('/v1/access/feed', query, options);
  }

  /** Which policy decides about an access, and how. */
  explainAccess(query: model.ExplainQuery, options?: RequestOptions): Promise<model.Decision> {
    return this.#get('/v1/access/explain', query, options);
  }

  // Commands and vouchers.

  /** The commands of a thing. */
  commands(thing: model.Id, query: model.CommandsQuery = {}, options?: RequestOptions): Promise<model.Page<model.Command>> {
    return this.#get(`/v1/things/${segment(thing)}/commands`, query, options);
  }

  /** A command. */
  command(id: model.Hex, options?: RequestOptions): Promise<model.Command> {
    return this.#get(`/v1/commands/${segment(id)}`, {}, options);
  }

  /** A maker's voucher. */
  voucher(id: model.Hex, options?: RequestOptions): Promise<model.Voucher> {
    return this.#get(`/v1/vouchers/${segment(id)}`, {}, options);
  }

  // Governance.

  /** Who decides, and what is open. */
  governance(options?: RequestOptions): Promise<model.Governance> {
    return this.#get('/v1/governance', {}, options);
  }

  /** What the members had decided by a height. */
  policiesAt(height: number, options?: RequestOptions): Promise<model.PoliciesAt> {
    return this.#get(`/v1/governance/at/${height}`, {}, options);
  }

  // Other ledgers.

  /** What organisations know of other ledgers. */
  links(query: model.LinksQuery = {}, options?: RequestOptions): Promise<model.Page<model.Link>> {
    return this.#get("/v1/links", query, options);
  }

  /** What one knows of another ledger. */
  link(id: model.Hex, options?: RequestOptions): Promise<model.Link> {
    return this.#get(`/v1/links/${segment(id)}`, {}, options);
  }

  /** Calls that this ledger asks others, oldest first. */
  askedCalls(query: model.AskedCallsQuery = {}, options?: RequestOptions): Promise<model.Page<model.AskedCall>> {
    return this.#get("/v1/calls/asked", query, options);
  }

  /** A call that this ledger asks. */
  askedCall(id: model.Hex, options?: RequestOptions): Promise<model.AskedCall> {
    return this.#get(`/v1/calls/asked/${segment(id)}`, {}, options);
  }

  /** Calls that other ledgers ask this one, oldest first. */
  takenCalls(query: model.TakenCallsQuery = {}, options?: RequestOptions): Promise<model.Page<model.TakenCall>> {
    return this.#get("/v1/calls/taken", query, options);
  }

  /** A call that another ledger asks this one. */
  takenCall(ledger: model.Hex, id: model.Hex, options?: RequestOptions): Promise<model.TakenCall> {
    return this.#get(`/v1/calls/taken/${segment(ledger)}/${segment(id)}`, {}, options);
  }

  /** All proposals of changes, newest first. */
  proposals(query: model.ProposalsQuery = {}, options?: RequestOptions): Promise<model.Page<model.Proposal>> {
    return this.#get('/v1/governance/proposals', query, options);
  }

  /** An open proposal of a change. */
  proposal(id: model.Hex, options?: RequestOptions): Promise<model.Proposal> {
    return this.#get(`/v1/governance/proposals/${segment(id)}`, {}, options);
  }

  // Contracts.

  /** Code of contracts. */
  codes(query: model.CodesQuery = {}, options?: RequestOptions): Promise<model.Page<model.Code>> {
    return this.#get('/v1/codes', query, options);
  }

  /** Code of contracts. */
  code(id: model.Hex, options?: RequestOptions): Promise<model.Code> {
    return this.#get(`/v1/codes/${segment(id)}`, {}, options);
  }

  /** The WebAssembly module of code, whose SHA-256 its id is. */
  codeModule(id: model.Hex, options?: RequestOptions): Promise<Uint8Array> {
    return this.#transport.bytes({ path: `/v1/codes/${segment(id)}/module`, ...options });
  }

  /** Contracts, by name, interface, code, or those that wait for a participant. */
  contracts(query: model.ContractsQuery = {}, options?: RequestOptions): Promise<model.Page<model.Contract>> {
    return this.#get('/v1/contracts', query, options);
  }

  /** A contract. */
  contract(id: model.Id, options?: RequestOptions): Promise<model.Contract> {
    return this.#get(`/v1/contracts/${segment(id)}`, {}, options);
  }

  /** What called or changed a contract, newest first. */
  contractHistory(id: model.Id, query: model.ContractHistoryQuery = {}, options?: RequestOptions): Promise<model.Page<model.PastEvents>> {
    return this.#get(`/v1/contracts/${segment(id)}/transactions`, query, options);
  }

  /** Asks a contract; nothing changes. */
  askContract(id: model.Id, query: model.AskContractQuery, options?: RequestOptions): Promise<model.ContractAnswer> {
    return this.#get(`/v1/contracts/${segment(id)}/answer`, query, options);
  }

  /** What would come of the body of a transaction in the next block, were it signed; nothing changes. */
  tryOut(body: Uint8Array, options?: RequestOptions): Promise<model.Trial> {
    return this.#transport.json<model.Trial>({ path: '/v1/trials', body: { type: CBOR_MEDIA_TYPE, bytes: body }, ...options });
  }

  // Services.

  /** Services that this reader is shown. */
  services(query: model.ServicesQuery = {}, options?: RequestOptions): Promise<model.Page<model.Service>> {
    return this.#get('/v1/services', query, options);
  }

  /** A service. */
  service(id: model.Hex, options?: RequestOptions): Promise<model.Service> {
    return this.#get(`/v1/services/${segment(id)}`, {}, options);
  }

  /** One version of a service, as `1.0.0`, with its schema; also one that was withdrawn. */
  serviceVersion(id: model.Hex, version: string, options?: RequestOptions): Promise<model.ServiceVersion> {
    return this.#get(`/v1/services/${segment(id)}/versions/${segment(version)}`, {}, options);
  }

  /** What changed a service, newest first. */
  serviceHistory(id: model.Hex, query: model.ServiceHistoryQuery = {}, options?: RequestOptions): Promise<model.Page<model.PastEvents>> {
    return this.#get(`/v1/services/${segment(id)}/transactions`, query, options);
  }

  // Tokens.

  /** How the token of the ledger is called, where all of it is, and what transactions cost. */
  supply(options?: RequestOptions): Promise<model.Supply> {
    return this.#get('/v1/supply', {}, options);
  }

  /** The accounts that have tokens. */
  holdings(query: model.HoldingsQuery = {}, options?: RequestOptions): Promise<model.Page<model.Holding>> {
    return this.#get('/v1/accounts', query, options);
  }

  /** What an entity or a contract has. */
  holding(id: string, options?: RequestOptions): Promise<model.Holding> {
    return this.#get(`/v1/accounts/${segment(id)}/tokens`, {}, options);
  }

  /** What came to an account and left it, newest first. */
  transfers(id: string, query: model.MovementsQuery = {}, options?: RequestOptions): Promise<model.Page<model.Movement>> {
    return this.#get(`/v1/accounts/${segment(id)}/transfers`, query, options);
  }

  /** The open escrows that an account locked, is to get or decides about. */
  escrows(id: string, query: model.EscrowsQuery = {}, options?: RequestOptions): Promise<model.Page<model.Escrow>> {
    return this.#get(`/v1/accounts/${segment(id)}/escrows`, query, options);
  }

  /** The entities whose fees an account pays. */
  sponsored(id: string, query: model.SponsoredQuery = {}, options?: RequestOptions): Promise<model.Page<model.Sponsorship>> {
    return this.#get(`/v1/accounts/${segment(id)}/sponsored`, query, options);
  }

  /** The open rewards that an account offered. */
  rewardsBy(id: string, query: model.RewardsByQuery = {}, options?: RequestOptions): Promise<model.Page<model.Reward>> {
    return this.#get(`/v1/accounts/${segment(id)}/rewards`, query, options);
  }

  /** The open rewards for readings of a stream. */
  rewardsOf(stream: model.Hex, options?: RequestOptions): Promise<model.Page<model.Reward>> {
    return this.#get(`/v1/streams/${segment(stream)}/rewards`, {}, options);
  }

  /** An open escrow. */
  escrow(id: model.Hex, options?: RequestOptions): Promise<model.Escrow> {
    return this.#get(`/v1/escrows/${segment(id)}`, {}, options);
  }

  /** An open reward. */
  reward(id: model.Hex, options?: RequestOptions): Promise<model.Reward> {
    return this.#get(`/v1/rewards/${segment(id)}`, {}, options);
  }

  /** The peers that stand for a seat by their stakes, the first in line first. */
  candidates(query: model.CandidatesQuery = {}, options?: RequestOptions): Promise<model.Page<model.Stake>> {
    return this.#get('/v1/stakes', query, options);
  }

  /** What is staked behind a peer. */
  stake(peer: string, options?: RequestOptions): Promise<model.Stake> {
    return this.#get(`/v1/stakes/${segment(peer)}`, {}, options);
  }

  // Triggers.

  /** Triggers by name. */
  triggers(query: model.TriggersQuery = {}, options?: RequestOptions): Promise<model.Page<model.Trigger>> {
    return this.#get('/v1/triggers', query, options);
  }

  /** A trigger. */
  trigger(id: model.Hex, options?: RequestOptions): Promise<model.Trigger> {
    return this.#get(`/v1/triggers/${segment(id)}`, {}, options);
  }

  /** What a trigger did, and what changed it, newest first. */
  triggerRuns(id: model.Hex, query: model.TriggerRunsQuery = {}, options?: RequestOptions): Promise<model.Page<model.PastEvents>> {
    return this.#get(`/v1/triggers/${segment(id)}/runs`, query, options);
  }

  /** When a trigger would have happened, and what it would do now; nothing changes. See `actions.triggerBytes`. */
  tryTrigger(trigger: Uint8Array, query: model.TryTriggerQuery, options?: RequestOptions): Promise<model.TriggerTrial> {
    return this.#transport.json<model.TriggerTrial>({ path: '/v1/triggers/trial', query, body: { type: CBOR_MEDIA_TYPE, bytes: trigger }, ...options });
  }

  // Proof bundles, to be checked with `verify`.

  /** The proof bundle of one reading. */
  proveReading(stream: model.Hex, seq: number | bigint, options?: RequestOptions): Promise<Uint8Array> {
    return this.#transport.bytes({ path: `/v1/proofs/readings/${segment(stream)}/${seq}`, ...options });
  }

  /** The proof bundle of all readings of a range: that nothing was left out. */
  proveRange(stream: model.Hex, query: model.RangeQuery = {}, options?: RequestOptions): Promise<Uint8Array> {
    return this.#transport.bytes({ path: `/v1/proofs/ranges/${segment(stream)}`, query, ...options });
  }

  /** The proof bundle of what the readings of a range come to. */
  proveAggregate(stream: model.Hex, query: model.AggregateQuery = {}, options?: RequestOptions): Promise<Uint8Array> {
    return this.#transport.bytes({ path: `/v1/proofs/aggregates/${segment(stream)}`, query, ...options });
  }

  /** The proof bundle of what the state holds at a raw key, or that it holds nothing. */
  proveState(key: Uint8Array | string, options?: RequestOptions): Promise<Uint8Array> {
    const raw = typeof key === 'string' ? toUtf8(key) : key;
    return this.#transport.bytes({ path: `/v1/proofs/state/${toHex(raw)}`, ...options });
  }

  /** The proof bundle of a run of a trigger in the block at a height. */
  proveRun(trigger: model.Hex, height: number, options?: RequestOptions): Promise<Uint8Array> {
    return this.#transport.bytes({ path: `/v1/proofs/runs/${segment(trigger)}/${height}`, ...options });
  }

  /** The proof bundle of a transaction and its receipt. */
  proveReceipt(id: model.Hex, options?: RequestOptions): Promise<Uint8Array> {
    return this.#transport.bytes({ path: `/v1/proofs/receipts/${segment(id)}`, ...options });
  }

  // Writing.

  /** Submits transactions; says of each, in order, whether it was admitted. */
  async submit(submissions: readonly Submission[], query: model.SubmitQuery = {}, options?: RequestOptions): Promise<model.Admission[]> {
    const body = { type: CBOR_MEDIA_TYPE, bytes: encodeSubmissions(submissions) };
    const asked: Asked = { path: '/v1/transactions', query, body, waitMs: query.timeout_ms ?? 0, ...options };
    const { transactions } = await this.#transport.json<model.Admissions>(asked);
    for (const { outcome } of transactions) if (outcome) this.readFrom(outcome.height);
    return transactions;
  }

  /**
   * Submits one transaction and waits until it is final. Throws {@link ProblemError} if it was not
   * admitted, {@link TimeoutError} if it is not final in time, which says nothing about what will
   * become of it. A transaction that is final without effect is no error: see its receipt.
   */
  async finalize(submission: Submission, timeoutMs = WAIT_MAX_MS, options?: RequestOptions): Promise<model.Outcome> {
    const deadline = Date.now() + timeoutMs;
    const [admission] = await this.submit([submission], waiting(timeoutMs), options);
    if (admission?.problem) throw new ProblemError(admission.problem, this.url);
    let outcome = admission?.outcome;
    while (admission && !outcome) {
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new TimeoutError(this.url, timeoutMs);
      outcome = (await this.transaction(admission.id, waiting(leftMs), options)).outcome;
    }
    if (!outcome) throw new FormError(this.url, 'it says nothing of the transaction');
    this.readFrom(outcome.height);
    return outcome;
  }

  #get<T>(path: string, query: object, options: RequestOptions = {}, asked: Partial<Asked> = {}): Promise<T> {
    return this.#transport.json<T>({ path, query, ...asked, ...options });
  }
}

function segment(text: string): string {
  return encodeURIComponent(text);
}

function tomlBody(text: string): { type: string; bytes: Uint8Array } {
  return { type: 'application/toml', bytes: toUtf8(text) };
}

function waiting(timeoutMs: number): model.SubmitQuery {
  return { wait: 'finalized', timeout_ms: Math.max(1, Math.min(Math.floor(timeoutMs), WAIT_MAX_MS)) };
}

function jsonBody(value: unknown): { type: string; bytes: Uint8Array } {
  return { type: 'application/json', bytes: toUtf8(JSON.stringify(value)) };
}
