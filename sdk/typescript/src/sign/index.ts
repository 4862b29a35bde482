/** Building and signing transactions. Key files are in `althing/key-file`, since they bring more code. */

export type { Action, ActionKind } from '../forms/action.ts';
export { SigningKey, type PublicKey, type Suite } from '../forms/crypto.ts';
export { codeKey } from '../forms/onboarding.ts';
export type { EntityKind } from '../forms/entity.ts';
export { serviceId, streamId, thingId, triggerId } from '../forms/digest.ts';
export type { ReadingForm, ReadingValue } from '../forms/reading.ts';
export { bodyFor, decodeTransaction, signTransaction, type Body, type SignedBy, type SignerKey, type Transaction } from '../forms/transaction.ts';
export { parseVersion, type Manifest, type ServiceStatus, type Version } from '../forms/service.ts';
export { agreementKey, sealPayload, unwrapStreamKey, type Cipher, type KeyShare, type StreamKey } from '../forms/secrecy.ts';
export type { Cause, Effect, Trigger } from '../forms/trigger.ts';
export * as actions from './actions.ts';
export type { AnyId } from './actions.ts';
export { policyStatement, type Template } from './policy.ts';
export { Account, actPurpose, operateAs, readAs, Signer } from './signer.ts';
