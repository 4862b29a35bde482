// Receipts and events: what became of a transaction.

import { boolean, bytes, encode, list, optional, record, text, u16, u32, u64, u8, variant, variants, type Value } from '../cbor/codec.ts';
import { bigEndian } from '../text/bytes.ts';
import { access, resource } from './access.ts';
import { mechanismFrom } from './block.ts';
import { attribute } from './contract.ts';
import { hash, sha256 } from './digest.ts';
import { thingTags } from './direct.ts';
import { id } from './entity.ts';
import { merkleRoot } from './merkle.ts';
import { linkEvent } from './link.ts';
import { commandState, status } from './onboarding.ts';
import { streamEvent } from './secrecy.ts';
import { serviceEvent } from './service.ts';
import { tokenEvent } from './token.ts';
import { triggerEvent } from './trigger.ts';

/** Something that a transaction brought about. */
export const event = variants({
  entity_registered: variant(0, { entity: id, owner: id }),
  key_rotated: variant(1, { entity: id, version: u32 }),
  entity_revoked: variant(2, { entity: id }),
  thing_registered: variant(3, { thing: id, owner: id }),
  thing_updated: variant(4, { thing: id, version: u32 }),
  thing_retired: variant(5, { thing: id }),
  bound: variant(6, { thing: id, gateway: id, untilHeight: u64 }),
  unbound: variant(7, { thing: id, gateway: id }),
  batch_accepted: variant(8, { thing: id, stream: id, leaf: u64, firstSeq: u64, count: u32 }),
  gap_opened: variant(9, { stream: id, firstSeq: u64, count: u64 }),
  gap_filled: variant(10, { stream: id, firstSeq: u64, count: u64 }),
  gap_sealed: variant(11, { stream: id, firstSeq: u64, count: u64 }),
  recorded: variant(12, { sender: id, recordKind: text, notify: list(id), link: optional(id) }),
  approval_policy_set: variant(13, { entity: id }),
  approval_pending: variant(14, { pending: id, approvals: u8, threshold: u8 }),
  approval_granted: variant(15, { pending: id }),
  approval_ended: variant(16, { pending: id, code: u16 }),
  access_policy_set: variant(30, { owner: id, resource, version: u32 }),
  access_policy_removed: variant(31, { owner: id, resource }),
  access_requested: variant(32, { access, asked: id, answerUntilHeight: u64 }),
  access_granted: variant(33, { access, by: id, countMax: u32, untilHeight: u64 }),
  access_denied: variant(34, { access, by: id }),
  access_timed_out: variant(35, { access, asked: id }),
  grant_revoked: variant(36, { access, by: id }),
  access_used: variant(37, { access, by: id, count: u32, used: u32, firstMs: u64, lastMs: u64 }),
  thing_offered: variant(45, { thing: id, owner: id, untilHeight: u64, to: optional(id) }),
  offer_withdrawn: variant(46, { thing: id }),
  thing_transferred: variant(47, { thing: id, from: id, to: id }),
  binding_limited: variant(48, { thing: id, gateway: id, limited: boolean }),
  status_reported: variant(49, { thing: id, reporter: id, status }),
  voucher_issued: variant(50, { voucher: id, maker: id, owner: id, count: u32 }),
  voucher_revoked: variant(51, { voucher: id }),
  device_joined: variant(52, { voucher: id, device: id, thing: id }),
  command_queued: variant(55, { command: id, thing: id, sender: id, untilMs: u64 }),
  command_changed: variant(56, { command: id, thing: id, sender: id, state: commandState, result: optional(bytes) }),
  quarantine_changed: variant(60, { thing: id, by: id, quarantined: boolean }),
  code_stored: variant(70, { code: id, owner: id, bytes: u32 }),
  code_removed: variant(71, { code: id }),
  contract_proposed: variant(72, { contract: id, code: id, creator: id, participants: list(id), threshold: u8 }),
  contract_accepted: variant(73, { contract: id, participant: id, accepted: u8 }),
  contract_dropped: variant(74, { contract: id, code: u16 }),
  contract_instantiated: variant(75, { contract: id, code: id, creator: id }),
  contract_called: variant(76, { contract: id, entry: u8, caller: id, gasUsed: u64 }),
  contract_migrated: variant(77, { contract: id, code: id }),
  contract_admin_set: variant(78, { contract: id, admin: optional(id) }),
  contract_frozen: variant(79, { contract: id }),
  contract_thawed: variant(80, { contract: id }),
  contract_terminated: variant(81, { contract: id }),
  contract_emitted: variant(82, { contract: id, name: text, attributes: list(attribute) }),
  service: variant(83, { about: serviceEvent }),
  trigger: variant(90, { about: triggerEvent }),
  tokens: variant(120, { about: tokenEvent }),
  links: variant(150, { about: linkEvent }),
  thing_tagged: variant(165, { said: thingTags }),
  proposed: variant(100, { proposal: id, proposer: id }),
  voted: variant(101, { proposal: id, organisation: id, accept: boolean, votes: u16, needed: u16 }),
  proposal_accepted: variant(102, { proposal: id, dueHeight: u64 }),
  proposal_enacted: variant(103, { proposal: id }),
  proposal_ended: variant(104, { proposal: id, code: u16 }),
  member_added: variant(105, { organisation: id }),
  member_removed: variant(106, { organisation: id }),
  validators_chosen: variant(107, { count: u16, quorum: u16 }),
  parameters_set: variant(108, {}),
  voting_rule_set: variant(109, {}),
  mechanism_chosen: variant(110, { said: mechanismFrom }),
  stream: variant(140, { about: streamEvent }),
});
/** Something that a transaction brought about; `kind` says what. */
export type EventForm = Value<typeof event>;

/** What became of a transaction. */
export const receipt = record({
  /** Which, by its id. */
  transaction: id,
  /** 0 if it took effect, 35 if it waits for approvals, otherwise the number of a refusal. */
  code: u16,
  /** Position of the action that was refused; 0 otherwise. */
  action: u8,
  /** What it brought about, in order. */
  events: list(event),
});
/** What became of a transaction. */
export type ReceiptForm = Value<typeof receipt>;

/** The digest of a receipt, a leaf of the receipts root of its block. */
export function receiptDigest(value: ReceiptForm): Uint8Array {
  return sha256(encode(receipt, value));
}

/** What a header's statement says of the receipts of one height. */
export function receiptsLeaf(height: bigint, receiptsRoot: Uint8Array): Uint8Array {
  return hash('althing/receipts/1', bigEndian(height, 8), receiptsRoot);
}

/** What a header states of the receipts roots of consecutive heights. */
export function receiptsStatement(firstHeight: bigint, receiptsRoots: readonly Uint8Array[]): Uint8Array {
  return merkleRoot(receiptsRoots.map((root, above) => receiptsLeaf(firstHeight + BigInt(above), root)));
}
