/** Verification of proof bundles, with nothing but the genesis. */

export { genesisBytes, genesisFromBytes, GenesisError, ledgerId, type Genesis } from '../forms/genesis.ts';
export type { ActionKind } from '../forms/action.ts';
export type { EntityKind } from '../forms/entity.ts';
export type { ReadingValue, StreamSchema, ValueKind } from '../forms/reading.ts';
export type { EventForm, ReceiptForm } from '../forms/receipt.ts';
export { refusalOf, type Refusal } from '../forms/refusal.ts';
export { BUNDLE_BYTES_MAX } from '../forms/limits.ts';
export { parseGenesis, parseParameters } from './genesis-file.ts';
export { Failure, STEPS, STEPS_OF_CLAIM, type Done, type Step } from './step.ts';
export type * from './verified.ts';
export { agreementKey, openSealed, unwrapStreamKey, type KeyShare, type StreamKey } from '../forms/secrecy.ts';
export { openRange } from './open.ts';
export type { SignatureCheck } from './certificate.ts';
export { verifySignature, type PublicKey, type Suite } from '../forms/crypto.ts';
export { verify, type VerifyOptions } from './verify.ts';
export { intervalText, printable, valueText } from './words.ts';
