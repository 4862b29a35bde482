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

/** Each noun has numbers of its own; those of the first codes are one after the other. */
const MORE_CODES = {
  80: 'not_offered',
  81: 'offer_expired',
  82: 'bad_claim',
  83: 'status_too_often',
  84: 'unknown_voucher',
  85: 'voucher_revoked',
  86: 'not_in_voucher',
  87: 'unknown_affordance',
  88: 'bad_input',
  89: 'unknown_command',
  90: 'command_expired',
  91: 'too_many_commands',
  92: 'quarantined',
  93: 'outside_limit',
  94: 'too_many_gateways',
  95: 'backward_state',
} as const;

/** The stable code of a refusal. */
export type Refusal = (typeof CODES)[number] | (typeof MORE_CODES)[keyof typeof MORE_CODES];

/** The stable code of the number in a receipt; `undefined` for 0, which is success, and for numbers of newer peers. */
export function refusalOf(number: number): Refusal | undefined {
  return CODES[number - 1] ?? (MORE_CODES as Record<number, Refusal>)[number];
}
