import { toId } from '../text/did.ts';
import { compare, toUtf8 } from '../text/bytes.ts';
import type { PublicKey, SigningKey } from '../forms/crypto.ts';
import { entityId, possessionBytes, type EntityKind } from '../forms/entity.ts';
import { merkleRoot } from '../forms/merkle.ts';
import { claimBytes, voucherLeaf } from '../forms/onboarding.ts';
import { headerOf, type ReadingForm } from '../forms/reading.ts';
import { parseDecimal } from '../text/decimal.ts';
import { sha256, streamId } from '../forms/digest.ts';
import type { ResourceForm, Right } from '../forms/access.ts';
import type { Terms } from '../forms/contract.ts';
import type { Action, ActionKind } from '../forms/action.ts';
import { CODE_PART_BYTES_MAX, CODE_PARTS_MAX } from '../forms/limits.ts';
import type { LinkStatus } from '../forms/link.ts';
import { encode } from '../cbor/codec.ts';
import type { KeyShare } from '../forms/secrecy.ts';
import { parseVersion, type Manifest, type ServiceStatus } from '../forms/service.ts';
import { trigger as triggerForm, type Trigger } from '../forms/trigger.ts';
import { change as changeForm, type Change } from '../forms/governance.ts';

/** An id of an entity, thing or transaction: a DID, 64 hex digits, or its 32 bytes. */
export type AnyId = string | Uint8Array;

/** The bytes of an id in any form. Throws `TypeError` if it is none. */
export function idBytes(id: AnyId): Uint8Array {
  return typeof id === 'string' ? toId(id) : id;
}

/** The bytes of ids in ascending order, as lists of them are written. */
export function ascending(ids: readonly AnyId[]): Uint8Array[] {
  return ids.map(idBytes).sort(compare);
}

/** Registers an entity that begins with a key; the sender becomes its owner. Gives its id too. */
export function registerEntity(ledger: AnyId, kind: EntityKind, name: string, key: SigningKey): { entity: Uint8Array; action: Action } {
  const inception = { kind, name, key: key.publicKey };
  const entity = entityId(inception);
  const possession = key.sign(possessionBytes(idBytes(ledger), entity, key.publicKey));
  return { entity, action: { kind: 'register_entity', inception, possession } };
}

/** Replaces the key of an entity. */
export function rotateKey(ledger: AnyId, entity: AnyId, key: SigningKey): Action {
  const possession = key.sign(possessionBytes(idBytes(ledger), idBytes(entity), key.publicKey));
  return { kind: 'rotate_key', entity: idBytes(entity), key: key.publicKey, possession };
}

/** Ends an entity: nothing it signs counts from the next block on. */
export function revokeEntity(entity: AnyId): Action {
  return { kind: 'revoke_entity', entity: idBytes(entity) };
}

/** Registers a thing with its W3C Thing Description, JSON text. */
export function registerThing(name: string, description: string): Action {
  return { kind: 'register_thing', name, description: toUtf8(description) };
}

/** Publishes a new description of a thing, in place of the version that it replaces. */
export function updateThing(thing: AnyId, replaces: number, description: string): Action {
  return { kind: 'update_thing', thing: idBytes(thing), replaces, description: toUtf8(description) };
}

/** Ends a thing: nothing more is accepted for it. */
export function retireThing(thing: AnyId): Action {
  return { kind: 'retire_thing', thing: idBytes(thing) };
}

/** Lets an entity submit for a thing, until a height. */
export function bind(thing: AnyId, gateway: AnyId, untilHeight: bigint): Action {
  return { kind: 'bind', thing: idBytes(thing), gateway: idBytes(gateway), untilHeight };
}

/** Ends a binding. */
export function unbind(thing: AnyId, gateway: AnyId): Action {
  return { kind: 'unbind', thing: idBytes(thing), gateway: idBytes(gateway) };
}

/** Appends readings to the stream of a property, from a sequence number on; the payload is posted beside the transaction. */
export function submitBatch(thing: AnyId, property: string, firstSeq: bigint, readings: readonly ReadingForm[]): { action: Action; payload: Uint8Array } {
  const { header, bytes } = headerOf(streamId(idBytes(thing), property), firstSeq, readings);
  return { action: { kind: 'submit_batch', batch: header }, payload: bytes };
}

/** Writes a record of a kind and notifies entities; `link` is an earlier transaction it belongs to. */
export function record(kind: string, data: Uint8Array, notify: readonly AnyId[] = [], link?: AnyId): Action {
  return { kind: 'record', record: { kind, data, notify: notify.map(idBytes), link: link === undefined ? null : idBytes(link) } };
}

/** Says who must sign for a kind of action of the sending organisation; threshold 0 removes the policy. */
export function setApprovalPolicy(kind: ActionKind, threshold: number, approvers: readonly AnyId[], patienceBlocks: number): Action {
  return { kind: 'set_approval_policy', policy: { kind, threshold, approvers: ascending(approvers), patienceBlocks } };
}

/** Approves a transaction that waits. */
export function approve(pending: AnyId): Action {
  return { kind: 'approve', pending: idBytes(pending) };
}

/** Withdraws a transaction that waits. */
export function reject(pending: AnyId): Action {
  return { kind: 'reject', pending: idBytes(pending) };
}

/** Offers a thing to an entity, in place of any earlier offer; without one, withdraws the offer. */
export function offerThing(thing: AnyId, to?: AnyId, untilHeight = 0n): Action {
  const offer = to === undefined ? null : { to: { kind: 'entity' as const, entity: idBytes(to) }, untilHeight };
  return { kind: 'offer_thing', thing: idBytes(thing), offer };
}

/** Becomes the owner of a thing that is offered to the sender. */
export function acceptThing(thing: AnyId): Action {
  return { kind: 'accept_thing', thing: idBytes(thing), claim: null };
}

/** Becomes the owner of a thing by the one-time code that is printed on it, here as the key behind it. */
export function claimThing(ledger: AnyId, thing: AnyId, claimant: AnyId, code: SigningKey): Action {
  const signature = code.sign(claimBytes(idBytes(ledger), idBytes(thing), idBytes(claimant)));
  return { kind: 'accept_thing', thing: idBytes(thing), claim: { key: code.publicKey, signature } };
}

/** A device as its maker lists it, before it joins. */
export interface Made {
  name: string;
  key: PublicKey;
}

/** Vouches for devices, at most 10,000: that each holds its key, and whose they are when they join with things of this description. */
export function issueVoucher(owner: AnyId, devices: readonly Made[], description: string): Action {
  const leaves = devices.map((device) => voucherLeaf({ kind: 'device', ...device }));
  const voucher = { owner: idBytes(owner), root: merkleRoot(leaves), count: devices.length, description: toUtf8(description) };
  return { kind: 'issue_voucher', voucher };
}

/** Ends a voucher: no more devices join by it. */
export function revokeVoucher(voucher: AnyId): Action {
  return { kind: 'revoke_voucher', voucher: idBytes(voucher) };
}

/** How a thing is; what is left out stays as it was. Places are in degrees. */
export interface StatusForm {
  online?: boolean;
  firmware?: string;
  place?: { latitude: string; longitude: string };
}

/** Decimal places of a coordinate. */
const PLACE_SCALE = 7;

/** Says how a thing is. Throws `RangeError` if a coordinate is no number of at most seven places. */
export function reportStatus(thing: AnyId, { online, firmware, place }: StatusForm): Action {
  const at = place && { latitudeE7: parseDecimal(place.latitude, PLACE_SCALE), longitudeE7: parseDecimal(place.longitude, PLACE_SCALE) };
  return { kind: 'report_status', thing: idBytes(thing), status: { online: online ?? null, firmware: firmware ?? null, place: at ?? null } };
}

/** What a command asks for. */
export type OperationForm = (Action & { kind: 'command' })['command']['operation'];

/** Asks a thing to do something until a time of the ledger; `purpose` is what a grant lets it be asked for. */
export function command(thing: AnyId, operation: OperationForm, untilMs: bigint, purpose?: string): Action {
  return { kind: 'command', command: { thing: idBytes(thing), operation, untilMs, purpose: purpose ?? null } };
}

/** Takes a command back. */
export function cancelCommand(id: AnyId): Action {
  return { kind: 'cancel_command', command: idBytes(id) };
}

/** Speaks for shutting a thing out, and why; without a reason, takes that back. */
export function quarantine(thing: AnyId, reason?: string): Action {
  return { kind: 'quarantine', thing: idBytes(thing), reason: reason ?? null };
}

/** Proposes a change that the members decide on, and votes for it. The proposal's id is that of the transaction. */
export function propose(change: Change, reason = ''): Action {
  return { kind: 'propose', proposal: { change, reason } };
}

/** Votes on a proposal, or votes otherwise than before. */
export function vote(proposal: AnyId, accept: boolean): Action {
  return { kind: 'vote', proposal: idBytes(proposal), accept };
}

/** Carries out an accepted proposal whose timelock is over. */
export function enact(proposal: AnyId): Action {
  return { kind: 'enact', proposal: idBytes(proposal) };
}

/** Withdraws a proposal of one's own. */
export function withdrawProposal(proposal: AnyId): Action {
  return { kind: 'withdraw_proposal', proposal: idBytes(proposal) };
}

/** The bytes of a change, to ask a peer what it would lead to: see `Client.consequence`. */
export function changeBytes(change: Change): Uint8Array {
  return encode(changeForm, change);
}

/** The action that sets a policy. */
export type SetAccessPolicy = Action & { kind: 'set_access_policy' };

/** Decides who may do what with something of the sender's, in place of its earlier policy about that. See `policyStatement`. */
export function setAccessPolicy(policy: SetAccessPolicy['policy']): Action {
  return { kind: 'set_access_policy', policy };
}

/** Takes the policy about something back. */
export function removeAccessPolicy(resource: ResourceForm): Action {
  return { kind: 'remove_access_policy', resource };
}

/** Asks for access to a thing, or to one property of it: `countMax` 0 is as often as wanted. */
export function requestAccess(thing: AnyId, property: string | undefined, right: Right, purpose: string, countMax: number, untilHeight: bigint): Action {
  const resource = property === undefined ? ({ kind: 'thing', thing: idBytes(thing) } as const) : ({ kind: 'property', thing: idBytes(thing), name: property } as const);
  return { kind: 'request_access', request: { resource, right, purpose, countMax, untilHeight } };
}

/** Allows or denies what was asked for. */
export function answerAccess(request: AnyId, allow: boolean): Action {
  return { kind: 'answer_access', request: idBytes(request), allow };
}

/** Ends a grant with the block of this transaction. */
export function revokeGrant(grant: AnyId): Action {
  return { kind: 'revoke_grant', grant: idBytes(grant) };
}

/** How a module comes to be stored: by a transaction for each part, in any order, and then one that puts them together. */
export interface StoredCode {
  /** Its id, the digest of the module. */
  code: Uint8Array;
  uploads: Action[];
  store: Action;
}

/** Uploads a WebAssembly module and stores it under a name; `interfaces` are those it serves, `source` says where it comes from. Throws `RangeError` if it is too long. */
export function storeCode(module: Uint8Array, name: string, interfaces: readonly string[] = [], source = ''): StoredCode {
  const code = sha256(module);
  const parts = Math.ceil(module.length / CODE_PART_BYTES_MAX);
  if (parts < 1 || parts > CODE_PARTS_MAX) throw new RangeError(`a module has at most ${CODE_PARTS_MAX * CODE_PART_BYTES_MAX} bytes, and some`);
  const uploads = Array.from({ length: parts }, (_, part): Action => ({ kind: 'upload_code', code, part, bytes: module.slice(part * CODE_PART_BYTES_MAX, (part + 1) * CODE_PART_BYTES_MAX) }));
  const ascending = [...new Set(interfaces)].sort((a, b) => compare(toUtf8(a), toUtf8(b)));
  return { code, uploads, store: { kind: 'store_code', code, parts, meta: { name, source, interfaces: ascending } } };
}

/** Removes code that no contract runs. */
export function removeCode(code: AnyId): Action {
  return { kind: 'remove_code', code: idBytes(code) };
}

/** Gives a contract other code, to which its administrator says a message, JSON text. */
export function migrate(contract: AnyId, code: AnyId, message: string, gasLimit: bigint): Action {
  return { kind: 'migrate', contract: idBytes(contract), code: idBytes(code), message: toUtf8(message), gasLimit };
}

/** Says who administers a contract from now on; nobody, for ever, if none is named. */
export function setAdmin(contract: AnyId, admin?: AnyId): Action {
  return { kind: 'set_admin', contract: idBytes(contract), admin: admin === undefined ? null : idBytes(admin) };
}

/** Makes a contract of stored code, or proposes one to the participants that its terms name; the message is JSON text. Funds are tokens that it begins with. */
export function instantiate(code: AnyId, name: string, terms: Terms, message: string, gasLimit: bigint, funds: bigint | null = null): Action {
  return { kind: 'instantiate', code: idBytes(code), name, terms, message: toUtf8(message), gasLimit, funds };
}

/** Calls a contract with a message, JSON text, for at most so much gas. */
export function execute(contract: AnyId, message: string, gasLimit: bigint, funds: bigint | null = null): Action {
  return { kind: 'execute', contract: idBytes(contract), message: toUtf8(message), gasLimit, funds };
}

/** Accepts or declines a proposed contract. */
export function answerContract(contract: AnyId, accept: boolean): Action {
  return { kind: accept ? 'accept_contract' : 'decline_contract', contract: idBytes(contract) };
}

/** Stops a contract until it is thawed, lets it run again, or ends it for ever; by its administrator. */
export function changeContract(change: 'freeze' | 'thaw' | 'terminate', contract: AnyId): Action {
  return { kind: `${change}_contract`, contract: idBytes(contract) };
}

/** Publishes a service, or another version of one; its id is `serviceId`. */
export function publishService(manifest: Manifest): Action {
  return { kind: 'publish_service', manifest };
}

/** Says whether a version of a service, as `1.0.0`, can be relied on. */
export function setServiceStatus(service: AnyId, version: string, status: ServiceStatus): Action {
  const parsed = parseVersion(version);
  if (parsed === null) throw new RangeError(`no version: ${version}`);
  return { kind: 'set_service_status', service: idBytes(service), version: parsed, status };
}

/** Relies on another ledger from now on, by the bytes of its genesis; by an organisation. */
export function registerLink(genesis: Uint8Array): Action {
  return { kind: 'register_link', genesis };
}

/** Suspends a link of the sender's to another ledger, resumes it or ends it. */
export function setLinkStatus(link: AnyId, status: Exclude<LinkStatus, 'frozen'>): Action {
  return { kind: 'set_link_status', link: idBytes(link), status };
}

/** Asks a service of another ledger; the call's id is that of the transaction. A payment is locked until the answer comes. */
export function askLedger(ledger: AnyId, service: AnyId, deadlineMs: bigint, graceMs: bigint, request: Uint8Array, payment?: { payee: AnyId; amount: bigint }): Action {
  const paid = payment === undefined ? null : { payee: idBytes(payment.payee), amount: payment.amount };
  return { kind: 'ask_ledger', call: { ledger: idBytes(ledger), service: idBytes(service), deadlineMs, graceMs, request, payment: paid } };
}

/** Answers a call of another ledger to a service of the sender's, or declines it. */
export function answerCall(ledger: AnyId, call: AnyId, accepted: boolean, answer: Uint8Array): Action {
  return { kind: 'answer_call', said: { ledger: idBytes(ledger), call: idBytes(call), accepted, answer } };
}

/** Gives up a call that was not answered in time. */
export function refundCall(call: AnyId): Action {
  return { kind: 'refund_call', call: idBytes(call) };
}

/** Says to which key streams' keys are to be wrapped for the sender: `agreementKey` of its own. */
export function setAgreementKey(key: Uint8Array): Action {
  return { kind: 'set_agreement_key', key };
}

/** Gives a stream a new key, wrapped to readers; the first one makes it confidential. */
export function rotateStreamKey(stream: AnyId, number: number, shares: KeyShare[]): Action {
  return { kind: 'rotate_stream_key', stream: idBytes(stream), number, cipher: 'chacha20-poly1305', shares };
}

/** Gives a key of a confidential stream to more readers. */
export function shareStreamKey(stream: AnyId, number: number, shares: KeyShare[]): Action {
  return { kind: 'share_stream_key', stream: idBytes(stream), number, shares };
}

/** Says who keeps the payloads of a stream: `copies` of the peers of these organisations, all of them if null, of all if none are named. */
export function placeStream(stream: AnyId, organisations: readonly AnyId[], copies: number | null, retentionDays: number | null = null): Action {
  const placement = { organisations: ascending(organisations), copies, retentionDays };
  return { kind: 'place_stream', said: { stream: idBytes(stream), placement } };
}

/** Says by which tags a thing is found, in place of what was said; none takes all away. */
export function tagThing(thing: AnyId, tags: readonly string[]): Action {
  const sorted = [...new Set(tags)].sort((one, other) => compare(toUtf8(one), toUtf8(other)));
  return { kind: 'tag_thing', said: { thing: idBytes(thing), tags: sorted } };
}

/** Has every holder delete the payloads of all batches that have one of these numbers. */
export function eraseReadings(stream: AnyId, firstSeq: bigint, lastSeq: bigint): Action {
  return { kind: 'erase_readings', stream: idBytes(stream), firstSeq, lastSeq };
}

/** Sets a trigger, in place of the sender's one of that name; its id is `triggerId`. See `Client.tryTrigger`. */
export function setTrigger(trigger: Trigger): Action {
  return { kind: 'set_trigger', trigger };
}

/** Removes a trigger of the sender, lets it wait for nothing, or lets it wait anew. */
export function changeTrigger(change: 'remove' | 'suspend' | 'resume', trigger: AnyId): Action {
  return { kind: `${change}_trigger`, trigger: idBytes(trigger) };
}

/** The bytes of a trigger, to ask a peer what would come of it: see `Client.tryTrigger`. */
export function triggerBytes(trigger: Trigger): Uint8Array {
  return encode(triggerForm, trigger);
}

/** Pays tokens, in their smallest unit. */
export function transfer(to: AnyId, amount: bigint, memo = ''): Action {
  return { kind: 'transfer', transfer: { to: idBytes(to), amount, memo } };
}

/** Destroys tokens of the sender's. */
export function burnTokens(amount: bigint): Action {
  return { kind: 'burn_tokens', amount };
}

/** Locks tokens for a payee until a height. The escrow's id is that of the transaction. */
export function openEscrow(payee: AnyId, amount: bigint, untilHeight: bigint, arbiter?: AnyId, memo = ''): Action {
  const escrow = { payee: idBytes(payee), amount, untilHeight, arbiter: arbiter === undefined ? null : idBytes(arbiter), memo };
  return { kind: 'open_escrow', escrow };
}

/** Gives locked tokens to the payee. */
export function releaseEscrow(escrow: AnyId): Action {
  return { kind: 'release_escrow', escrow: idBytes(escrow) };
}

/** Gives locked tokens back. */
export function refundEscrow(escrow: AnyId): Action {
  return { kind: 'refund_escrow', escrow: idBytes(escrow) };
}

/** Takes what an account has that nobody can sign for any more. */
export function sweepAccount(account: AnyId): Action {
  return { kind: 'sweep_account', account: idBytes(account) };
}

/** Promises to pay the fees of an entity of the sender's. */
export function sponsor(entity: AnyId, perDay: bigint, total: bigint, untilHeight: bigint): Action {
  return { kind: 'sponsor', sponsorship: { entity: idBytes(entity), perDay, total, untilHeight } };
}

/** Takes that promise back. */
export function endSponsorship(entity: AnyId): Action {
  return { kind: 'end_sponsorship', entity: idBytes(entity) };
}

/** What a reward pays, in the smallest unit of the token, and until when. */
export type RewardTerms = Omit<Extract<Action, { kind: 'offer_reward' }>['reward'], 'stream'>;

/** Rewards readings of a stream. The reward's id is that of the transaction. */
export function offerReward(stream: AnyId, terms: RewardTerms): Action {
  return { kind: 'offer_reward', reward: { stream: idBytes(stream), ...terms } };
}

/** Adds to what a reward can pay out. */
export function fundReward(reward: AnyId, amount: bigint): Action {
  return { kind: 'fund_reward', reward: idBytes(reward), amount };
}

/** How a peer would vote and be reached: the key it votes with, which signs that it is held. */
export interface SeatTerms {
  votingKey: SigningKey;
  address: string;
}

/** Puts tokens behind a peer of the sender's. `seat` is needed where the peer does not stand for one yet. */
export function stake(ledger: AnyId, peer: AnyId, amount: bigint, seat?: SeatTerms): Action {
  const own = idBytes(peer);
  if (seat === undefined) return { kind: 'stake', stake: { peer: own, amount, seat: null } };
  const { publicKey } = seat.votingKey;
  const possession = seat.votingKey.sign(possessionBytes(idBytes(ledger), own, publicKey));
  return { kind: 'stake', stake: { peer: own, amount, seat: { key: publicKey.bytes, address: seat.address, possession } } };
}

/** Takes tokens from behind a peer; all if no amount is said. */
export function unstake(peer: AnyId, amount?: bigint): Action {
  return { kind: 'unstake', peer: idBytes(peer), amount: amount ?? null };
}

/** Gives back what was taken from behind a peer and is free. */
export function collectStake(peer: AnyId): Action {
  return { kind: 'collect_stake', peer: idBytes(peer) };
}

/** Ends a reward; what is left goes back. */
export function endReward(reward: AnyId): Action {
  return { kind: 'end_reward', reward: idBytes(reward) };
}
