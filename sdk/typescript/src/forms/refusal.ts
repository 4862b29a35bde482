// Why a transaction is refused: numbers in receipts and their stable codes (docs/operating/errors.md).

const CODES = [
  'malformed',
  'too_large',
  'out_of_bounds',
  'wrong_ledger',
  'bad_signature',
  'unknown_entity',
  'entity_revoked',
  'nonce_reused',
  'nonce_too_old',
  'nonce_too_far',
  'expired',
  'expiry_too_far',
  'not_permitted',
  'already_exists',
  'bad_possession',
  'unknown_thing',
  'thing_retired',
  'bad_description',
  'version_conflict',
  'schema_changed',
  'unknown_stream',
  'not_bound',
  'binding_expired',
  'sequence_overlap',
  'sequence_too_far',
  'gap_sealed',
  'schema_mismatch',
  'payload_missing',
  'payload_mismatch',
  'time_out_of_range',
  'unknown_pending',
  'already_approved',
  'pending_expired',
  'not_an_approver',
  'awaiting_approval',
  'unknown_link',
  'duplicate_signer',
  'mempool_full',
  'sender_quota',
  'not_ready',
  'storage_full',
  'withdrawn',
  'already_rotated',
] as const;

/** The stable code of a refusal. */
export type Refusal = (typeof CODES)[number];

/** The stable code of the number in a receipt; `undefined` for 0, which is success, and for numbers of newer peers. */
export function refusalOf(number: number): Refusal | undefined {
  return CODES[number - 1];
}
