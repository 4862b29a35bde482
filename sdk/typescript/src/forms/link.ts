// Links to other ledgers, and calls of services across them.

import { boolean, bytes, numberedAs, optional, record, u64, variant, variants, type Value } from '../cbor/codec.ts';
import { id } from './entity.ts';
import { CALL_BYTES_MAX, CALL_GRACE_MS_MAX, CALL_GRACE_MS_MIN, LINK_PROOF_BYTES_MAX } from './limits.ts';
import { amount } from './token.ts';

/** Whether an organisation relies on what another ledger proves. */
export const linkStatus = numberedAs({ live: 0, suspended: 1, ended: 2, frozen: 3 });
/** Whether an organisation relies on what another ledger proves. */
export type LinkStatus = Value<typeof linkStatus>;

/** A question to a service of another ledger, until a deadline by the time of either; a payment is locked where it is asked. */
export const call = record({ ledger: id, service: id, deadlineMs: u64, graceMs: u64, request: bytes, payment: optional(record({ payee: id, amount })) });
/** A question to a service of another ledger. */
export type Call = Value<typeof call>;

/** What a service says to a call of another ledger: done and to be paid for, or declined. */
export const callAnswer = record({ ledger: id, call: id, accepted: boolean, answer: bytes });

/** What happened between this ledger and another. */
export const linkEvent = variants({
  registered: variant(0, { link: id, owner: id, ledger: id }),
  advanced: variant(1, { link: id, height: u64, epoch: u64 }),
  status_set: variant(2, { link: id, status: linkStatus }),
  frozen: variant(3, { link: id, height: u64 }),
  asked: variant(4, { call: id, caller: id, ledger: id, service: id, deadlineMs: u64 }),
  taken: variant(5, { ledger: id, call: id, service: id, provider: id, deadlineMs: u64 }),
  answered: variant(6, { ledger: id, call: id, by: id, accepted: boolean }),
  settled: variant(7, { call: id, caller: id, accepted: boolean }),
  refunded: variant(8, { call: id, caller: id }),
});

/** Whether a call is within its bounds. */
export function isAsked({ request, payment, graceMs }: Call): boolean {
  return graceMs >= CALL_GRACE_MS_MIN && graceMs <= CALL_GRACE_MS_MAX && request.length <= CALL_BYTES_MAX && (payment === null || payment.amount > 0n);
}

/** Whether bytes can be proofs of another ledger, together. */
export function areProofs(...proofs: Uint8Array[]): boolean {
  const total = proofs.reduce((sum, proof) => sum + proof.length, 0);
  return proofs.every((proof) => proof.length >= 1) && total <= LINK_PROOF_BYTES_MAX;
}
