// Actions: what a transaction does. All of a transaction's actions take effect, or none.

import { boolean, bytes, checked, fixed, list, numberedAs, optional, record, text, u16, u32, u64, u8, variant, variants, type Value } from '../cbor/codec.ts';
import { compare } from '../text/bytes.ts';
import { accessPolicy, accessRequest, accessUse, areUses, isAccessPolicy, isResource, resource } from './access.ts';
import { codeMeta, isCall, isCodeMeta, isTerms, terms } from './contract.ts';
import { publicKey, signature } from './crypto.ts';
import { entityKind, id, isName } from './entity.ts';
import { isPublicKey } from './crypto.ts';
import { APPROVERS_MAX, CALL_BYTES_MAX, CODE_PART_BYTES_MAX, CODE_PARTS_MAX, DESCRIPTION_BYTES_MAX } from './limits.ts';
import { areDirectUses, areTags, directUse, thingTags } from './direct.ts';
import { change, isChange, isReason } from './governance.ts';
import { areProofs, call, callAnswer, isAsked, linkStatus } from './link.ts';
import {
  claim,
  command,
  commandReport,
  isCommand,
  isCommandReport,
  isJoin,
  isLimit,
  isOffer,
  isStatus,
  isVoucher,
  joinForm,
  limit,
  offer,
  status,
  voucher,
} from './onboarding.ts';
import { batchHeader, isBatch } from './reading.ts';
import { isRecord, recordForm } from './record.ts';
import { areShares, cipher, isPlacement, keyShare, placement } from './secrecy.ts';
import { isManifest, manifest, serviceStatus, version } from './service.ts';
import { doubleVote, isStake, stake } from './stake.ts';
import { amount, escrow, isMemo, isReward, isSponsorship, reward, sponsorship, transfer } from './token.ts';
import { isTrigger, trigger } from './trigger.ts';

// Bounds are looked at afterwards, as peers do: a key or a name may be anything here.
const anyInception = record({ kind: entityKind, name: text, key: publicKey });

/** All but the one that names kinds of actions itself. */
const others = {
  register_entity: variant(0, { inception: anyInception, possession: signature }),
  rotate_key: variant(1, { entity: id, key: publicKey, possession: signature }),
  revoke_entity: variant(2, { entity: id }),
  register_thing: variant(3, { name: text, description: bytes }),
  update_thing: variant(4, { thing: id, replaces: u32, description: bytes }),
  bind: variant(5, { thing: id, gateway: id, untilHeight: u64 }),
  unbind: variant(6, { thing: id, gateway: id }),
  submit_batch: variant(7, { batch: batchHeader }),
  record: variant(8, { record: recordForm }),
  approve: variant(10, { pending: id }),
  reject: variant(11, { pending: id }),
  retire_thing: variant(12, { thing: id }),
  set_access_policy: variant(20, { policy: accessPolicy }),
  remove_access_policy: variant(21, { resource }),
  request_access: variant(22, { request: accessRequest }),
  answer_access: variant(23, { request: id, allow: boolean }),
  revoke_grant: variant(24, { grant: id }),
  use_grant: variant(25, { grant: id }),
  record_access: variant(26, { uses: list(accessUse) }),
  offer_thing: variant(30, { thing: id, offer: optional(offer) }),
  accept_thing: variant(31, { thing: id, claim: optional(claim) }),
  limit_binding: variant(32, { thing: id, gateway: id, limit: optional(limit) }),
  report_status: variant(33, { thing: id, status }),
  issue_voucher: variant(34, { voucher }),
  revoke_voucher: variant(35, { voucher: id }),
  join_by_voucher: variant(36, { join: joinForm }),
  command: variant(40, { command }),
  report_command: variant(41, { report: commandReport }),
  cancel_command: variant(42, { command: id }),
  place_stream: variant(44, { said: record({ stream: id, placement }) }),
  set_agreement_key: variant(45, { key: fixed(32) }),
  rotate_stream_key: variant(46, { stream: id, number: u32, cipher, shares: list(keyShare) }),
  share_stream_key: variant(47, { stream: id, number: u32, shares: list(keyShare) }),
  erase_readings: variant(48, { stream: id, firstSeq: u64, lastSeq: u64 }),
  confirm_erasure: variant(49, { stream: id, erasure: u32 }),
  quarantine: variant(43, { thing: id, reason: optional(text) }),
  upload_code: variant(50, { code: id, part: u16, bytes }),
  store_code: variant(51, { code: id, parts: u16, meta: codeMeta }),
  remove_code: variant(52, { code: id }),
  instantiate: variant(53, { code: id, name: text, terms, message: bytes, gasLimit: u64, funds: optional(amount) }),
  execute: variant(54, { contract: id, message: bytes, gasLimit: u64, funds: optional(amount) }),
  migrate: variant(55, { contract: id, code: id, message: bytes, gasLimit: u64 }),
  set_admin: variant(56, { contract: id, admin: optional(id) }),
  freeze_contract: variant(57, { contract: id }),
  thaw_contract: variant(58, { contract: id }),
  terminate_contract: variant(59, { contract: id }),
  accept_contract: variant(60, { contract: id }),
  decline_contract: variant(61, { contract: id }),
  set_trigger: variant(64, { trigger }),
  remove_trigger: variant(65, { trigger: id }),
  suspend_trigger: variant(66, { trigger: id }),
  resume_trigger: variant(67, { trigger: id }),
  publish_service: variant(68, { manifest }),
  set_service_status: variant(69, { service: id, version, status: serviceStatus }),
  propose: variant(70, { proposal: record({ change, reason: text }) }),
  vote: variant(71, { proposal: id, accept: boolean }),
  enact: variant(72, { proposal: id }),
  withdraw_proposal: variant(73, { proposal: id }),
  transfer: variant(85, { transfer }),
  burn_tokens: variant(86, { amount }),
  open_escrow: variant(87, { escrow }),
  release_escrow: variant(88, { escrow: id }),
  refund_escrow: variant(89, { escrow: id }),
  sweep_account: variant(90, { account: id }),
  sponsor: variant(91, { sponsorship }),
  end_sponsorship: variant(92, { entity: id }),
  offer_reward: variant(93, { reward }),
  fund_reward: variant(94, { reward: id, amount }),
  end_reward: variant(95, { reward: id }),
  stake: variant(96, { stake }),
  unstake: variant(97, { peer: id, amount: optional(amount) }),
  collect_stake: variant(98, { peer: id }),
  report_double_vote: variant(99, { votes: doubleVote }),
  register_link: variant(100, { genesis: bytes }),
  advance_link: variant(101, { told: record({ link: id, proof: bytes }) }),
  report_fork: variant(102, { told: record({ link: id, first: bytes, second: bytes }) }),
  set_link_status: variant(103, { link: id, status: linkStatus }),
  ask_ledger: variant(104, { call }),
  take_call: variant(105, { proof: bytes }),
  answer_call: variant(106, { said: callAnswer }),
  settle_call: variant(107, { told: record({ call: id, proof: bytes }) }),
  refund_call: variant(108, { call: id }),
  record_direct: variant(115, { uses: list(directUse) }),
  tag_thing: variant(116, { said: thingTags }),
};

/** The kind of an action. */
export type ActionKind = keyof typeof others | 'set_approval_policy';
/** Kinds of actions with their numbers; each noun has numbers of its own. */
export const ACTION_NUMBERS = {
  ...Object.fromEntries(Object.entries(others).map(([kind, { number }]) => [kind, number])),
  set_approval_policy: 9,
} as Record<ActionKind, number>;

/** `threshold` of `approvers` must sign before an action of this kind takes effect. */
export const approvalPolicy = record({
  /** The kind of action it is about. */
  kind: numberedAs(ACTION_NUMBERS),
  /** How many must sign; 0 removes the policy. */
  threshold: u8,
  /** Who may, ascending. */
  approvers: list(id),
  /** Blocks within which the approvals must come. */
  patienceBlocks: u32,
});

const anyAction = variants({ ...others, set_approval_policy: variant(ACTION_NUMBERS.set_approval_policy, { policy: approvalPolicy }) });
/** One thing that a transaction does; `kind` says which. Ids are 32 bytes: see `toId`. */
export type Action = Value<typeof anyAction>;

/** An action within its bounds. */
export const action = checked(anyAction, 'action', isWithinBounds);

/** Whether every field is within its bounds; what needs the state is the ledger's to check. */
export function isWithinBounds(value: Action): boolean {
  switch (value.kind) {
    case 'register_entity':
      return isName(value.inception.name) && isPublicKey(value.inception.key);
    case 'rotate_key':
      return isPublicKey(value.key);
    case 'register_thing':
      return isName(value.name) && isDescription(value.description);
    case 'update_thing':
      return isDescription(value.description);
    case 'submit_batch':
      return isBatch(value.batch);
    case 'record':
      return isRecord(value.record);
    case 'set_approval_policy':
      return isPolicy(value.policy);
    case 'set_access_policy':
      return isAccessPolicy(value.policy);
    case 'remove_access_policy':
      return isResource(value.resource);
    case 'request_access':
      return isResource(value.request.resource) && isName(value.request.purpose);
    case 'record_access':
      return areUses(value.uses);
    case 'record_direct':
      return areDirectUses(value.uses);
    case 'tag_thing':
      return areTags(value.said.tags);
    case 'offer_thing':
      return value.offer === null || isOffer(value.offer);
    case 'accept_thing':
      return value.claim === null || isPublicKey(value.claim.key);
    case 'limit_binding':
      return value.limit === null || isLimit(value.limit);
    case 'report_status':
      return isStatus(value.status);
    case 'issue_voucher':
      return isVoucher(value.voucher);
    case 'join_by_voucher':
      return isJoin(value.join);
    case 'command':
      return isCommand(value.command);
    case 'report_command':
      return isCommandReport(value.report);
    case 'quarantine':
      return value.reason === null || isName(value.reason);
    case 'rotate_stream_key':
    case 'share_stream_key':
      return areShares(value.number, value.shares);
    case 'place_stream':
      return isPlacement(value.said.placement);
    case 'erase_readings':
      return value.firstSeq <= value.lastSeq;
    case 'upload_code':
      return value.part < CODE_PARTS_MAX && value.bytes.length >= 1 && value.bytes.length <= CODE_PART_BYTES_MAX;
    case 'store_code':
      return value.parts >= 1 && value.parts <= CODE_PARTS_MAX && isCodeMeta(value.meta);
    case 'instantiate':
      return isName(value.name) && isTerms(value.terms) && isCall(value.message, value.gasLimit) && value.funds !== 0n;
    case 'execute':
      return isCall(value.message, value.gasLimit) && value.funds !== 0n;
    case 'transfer':
      return value.transfer.amount > 0n && isMemo(value.transfer.memo);
    case 'open_escrow':
      return value.escrow.amount > 0n && isMemo(value.escrow.memo);
    case 'sponsor':
      return isSponsorship(value.sponsorship);
    case 'offer_reward':
      return isReward(value.reward);
    case 'stake':
      return isStake(value.stake);
    case 'unstake':
      return value.amount !== 0n;
    case 'burn_tokens':
    case 'fund_reward':
      return value.amount > 0n;
    case 'migrate':
      return isCall(value.message, value.gasLimit);
    case 'set_trigger':
      return isTrigger(value.trigger);
    case 'publish_service':
      return isManifest(value.manifest);
    case 'propose':
      return isChange(value.proposal.change) && isReason(value.proposal.reason);
    case 'register_link':
      return areProofs(value.genesis);
    case 'advance_link':
    case 'settle_call':
      return areProofs(value.told.proof);
    case 'report_fork':
      return areProofs(value.told.first, value.told.second);
    case 'set_link_status':
      return value.status !== 'frozen';
    case 'ask_ledger':
      return isAsked(value.call);
    case 'take_call':
      return areProofs(value.proof);
    case 'answer_call':
      return value.said.answer.length <= CALL_BYTES_MAX;
    default:
      return true;
  }
}

function isDescription(description: Uint8Array): boolean {
  return description.length >= 1 && description.length <= DESCRIPTION_BYTES_MAX;
}

function isPolicy({ threshold, approvers, patienceBlocks }: Value<typeof approvalPolicy>): boolean {
  const ascends = approvers.every((each, at) => at === 0 || compare(approvers[at - 1] ?? each, each) < 0);
  const isReachable = approvers.length <= APPROVERS_MAX && threshold <= approvers.length;
  return ascends && isReachable && (threshold === 0 || patienceBlocks > 0);
}
