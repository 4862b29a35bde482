// The steps from `batch` to `signature`: a reading, who submitted it, and by what right.

import { encode } from '../cbor/codec.ts';
import type { Finalized } from '../forms/block.ts';
import type { ReadingProof, SubmitterProof } from '../forms/bundle.ts';
import type { PublicKey } from '../forms/crypto.ts';
import { sha256 } from '../forms/digest.ts';
import { entityId } from '../forms/entity.ts';
import { endSeq, packSignedBytes, packsOf } from '../forms/pack.ts';
import { batchHeader, openPayload, readingValue } from '../forms/reading.ts';
import { bindingRecord, entityRecord, keyRecord, stateKey } from '../forms/state.ts';
import { decodeTransaction, signedBytes, type Transaction } from '../forms/transaction.ts';
import { lastSeq, type Leaf } from '../forms/tree.ts';
import { equal, fromHex, toHex } from '../text/bytes.ts';
import { toRfc3339 } from '../text/time.ts';
import { toId } from '../text/did.ts';
import type { Context } from './context.ts';
import { leadsToPeak } from './path.ts';
import type { Step } from './step.ts';
import { checkStream } from './stream.ts';
import type { Attestation, Delegation, VerifiedReading, VerifiedStream } from './verified.ts';
import { ledgerTime, printable, valueText } from './words.ts';

/** Checks that a thing reported a value. */
export function checkReading(context: Context, block: Finalized, proof: ReadingProof): VerifiedReading {
  const stream = checkStream(context, block, proof.stream);
  const { leaf, reading } = proof;
  checkBatch(context, block, proof);
  const text = checkPayload(context, proof);
  const attestation = checkSubmitter(context, block, proof);
  const delegation = checkDelegation(context, block, leaf, stream, proof.submitter);
  const signedUnderKeyVersion = checkSignature(context, block, leaf, stream, proof.submitter);
  const device = checkDevice(context, block, proof, stream);
  return {
    kind: 'reading',
    stream,
    ...reading,
    valueText: text,
    ledgerTimeMs: leaf.ledgerTimeMs,
    height: leaf.height,
    transaction: toHex(leaf.transaction),
    attestation: device ?? attestation,
    delegation,
    signedUnderKeyVersion,
  };
}

function checkBatch(context: Context, { header }: Finalized, { leaf, path, stream }: ReadingProof): void {
  const hangs = leadsToPeak(path, stream.head.record.peaks, leaf);
  context.require(hangs, 'batch', "the path does not lead from the batch to the stream's tree");
  context.require(leaf.height <= header.result.height, 'batch', 'the batch is of a later block than the state');
  const when = ledgerTime(leaf.ledgerTimeMs);
  context.done('batch', `batch ${path.index}, numbers ${leaf.firstSeq} to ${lastSeq(leaf)}, is in the stream's tree since block ${leaf.height} of ${when}`);
}

function checkPayload(context: Context, { leaf, payload, reading, stream }: ReadingProof): string {
  const { schema } = stream.head.record;
  const readings = context.at('payload', () => openPayload(leaf, schema, payload));
  context.done('payload', `its payload of ${payload.length} bytes is the one it names, with ${readings.length} readings`);

  const position = reading.seq - leaf.firstSeq;
  const found = position >= 0n && position < BigInt(readings.length) ? readings[Number(position)] : undefined;
  const isSameTime = found?.claimedMs === reading.claimedMs && found.receivedMs === reading.receivedMs;
  const isSame = isSameTime && equal(encode(readingValue, found.value), encode(readingValue, reading.value));
  context.require(isSame, 'reading', 'the payload has another reading at this number, or none');
  const text = valueText(reading.value, schema);
  const times = `claimed at ${toRfc3339(reading.claimedMs)}, received at ${toRfc3339(reading.receivedMs)}, on the ledger at ${ledgerTime(leaf.ledgerTimeMs)}`;
  context.done('reading', `number ${reading.seq} is ${text}: ${times}`);
  return text;
}

function checkSubmitter(context: Context, { header }: Finalized, { leaf, stream, submitter }: ReadingProof): Attestation {
  const entity = submitter.entity.record;
  context.stated('submitter', submitter.entity, entityRecord, header, stateKey.entity(leaf.submitter));
  const isItsRecord = equal(entityId(entity.inception), leaf.submitter);
  context.require(isItsRecord, 'submitter', "the entity's record begins with another inception");
  const isActive = entity.revoked === null || leaf.height <= entity.revoked;
  context.require(isActive, 'submitter', 'the entity was revoked before the batch was taken');
  const { kind, name } = entity.inception;
  const { device } = stream.thing.record;
  // The owner says which entity is the device: in the thing's record, or by binding a device.
  const isByDevice = kind === 'device' || (device !== null && equal(device, leaf.submitter));
  const did = context.did(leaf.submitter);
  const asserts = kind === 'gateway' || kind === 'organisation' ? kind : 'entity';
  const how = isByDevice ? 'signed by device' : `asserted by ${asserts}`;
  context.done('submitter', `${how} \`${printable(name)}\`, ${did}`);
  return { isByDevice, entity: did, kind, name };
}

function checkDelegation(context: Context, { header }: Finalized, leaf: Leaf, stream: VerifiedStream, { binding }: SubmitterProof): Delegation {
  const step = 'delegation';
  if (!binding) {
    context.require(equal(leaf.submitter, toId(stream.owner)), step, 'nothing shows that the submitter was bound');
    context.done(step, 'it owns the thing');
    return { kind: 'owner' };
  }
  const found = context.lookUp(step, binding.path, header, stateKey.binding(toId(stream.thing), leaf.submitter));
  const claimed = binding.record && sha256(encode(bindingRecord, binding.record));
  const isSame = found === null || claimed === null ? found === claimed : equal(found, claimed);
  context.require(isSame, step, 'the state holds another binding');
  const held = binding.record;
  if (held && held.boundHeight <= leaf.height && leaf.height <= held.untilHeight) {
    context.done(step, `the owner bound it to the thing, blocks ${held.boundHeight} to ${held.untilHeight}`);
    return { kind: 'bound', fromHeight: held.boundHeight, untilHeight: held.untilHeight };
  }
  context.done(step, 'its binding of then has ended; the quorum that took the batch checked it');
  return { kind: 'former' };
}

function checkSignature(context: Context, block: Finalized, leaf: Leaf, stream: VerifiedStream, proof: SubmitterProof): number | null {
  const step = 'signature';
  if (proof.transaction === null) {
    context.require(proof.earlierKey === null, step, 'a key without the transaction that it signed');
    context.done(step, 'left out of the bundle; the quorum that took the batch checked it');
    return null;
  }
  const keys = keysOfThen(context, block, leaf.height, leaf.submitter, proof, step);
  const transaction = transactionOf(context, proof.transaction, leaf, stream);
  const signed = keys.find(({ key }) => isSigned(context, transaction, key));
  if (!signed) return context.fail(step, 'the signature on the transaction does not verify');
  context.done(step, `its signature on transaction ${toHex(leaf.transaction)} verifies under version ${signed.version} of its key`);
  return signed.version;
}

/** The device whose signature covers the reading, if the payload is made of packs and the bundle shows who it was. */
function checkDevice(context: Context, block: Finalized, { leaf, payload, reading, device }: ReadingProof, stream: VerifiedStream): Attestation | null {
  const step = 'device';
  const packs = context.at(step, () => packsOf(payload));
  if (!packs) {
    context.require(!device, step, 'a device that signed nothing in the payload');
    return null;
  }
  if (!device) {
    context.done(step, 'left out of the bundle; the quorum that took the batch checked it');
    return null;
  }
  const entity = device.entity.record;
  const id = entityId(entity.inception);
  context.stated(step, device.entity, entityRecord, block.header, stateKey.entity(id));
  const pack = packs.map((arrived) => arrived.pack).find((each) => each.firstSeq <= reading.seq && reading.seq < endSeq(each));
  if (!pack || !equal(pack.signer, id)) return context.fail(step, 'the packs are from another device');
  context.require(entity.revoked === null || leaf.height <= entity.revoked, step, 'the device was revoked before the batch was taken');
  const keys = keysOfThen(context, block, leaf.height, id, device, step);
  const message = packSignedBytes(context.ledger, fromHex(stream.id) ?? new Uint8Array(), pack);
  const signed = keys.find(({ key }) => key.suite === pack.suite && context.checkSignature(key, message, pack.signature));
  if (!signed) return context.fail(step, "the device's signature does not verify");
  const { kind, name } = entity.inception;
  const did = context.did(id);
  const numbers = `numbers ${pack.firstSeq} to ${endSeq(pack) - 1n}`;
  context.done(step, `signed by device \`${printable(name)}\`, ${did}, ${numbers}, under version ${signed.version} of its key`);
  return { isByDevice: true, entity: did, kind, name };
}

/** The keys that an entity had in the block of the batch: two if it was the block that replaced one. */
function keysOfThen(
  context: Context,
  { header }: Finalized,
  height: bigint,
  id: Uint8Array,
  { entity, earlierKey }: Pick<SubmitterProof, 'entity' | 'earlierKey'>,
  step: Step,
): { key: PublicKey; version: number }[] {
  const keys: { key: PublicKey; version: number }[] = [];
  if (earlierKey) {
    const { version, key } = earlierKey;
    context.stated(step, key, keyRecord, header, stateKey.keyHistory(id, version));
    const isOfThen = key.record.sinceHeight <= height && height <= key.record.untilHeight;
    context.require(isOfThen, step, "the key was not the signer's when the batch was taken");
    keys.push({ key: key.record.key, version });
  }
  const { key, keyVersion, keySinceHeight } = entity.record;
  if (keySinceHeight <= height) keys.push({ key, version: keyVersion });
  context.require(keys.length > 0, step, "the signer's key is newer than the batch");
  return keys;
}

function transactionOf(context: Context, wire: Uint8Array, leaf: Leaf, stream: VerifiedStream): Transaction {
  const step = 'signature';
  context.require(equal(sha256(wire), leaf.transaction), step, 'the transaction is not the one that brought the batch');
  const transaction = context.at(step, () => decodeTransaction(wire));
  const { sender, actions } = transaction.body;
  context.require(equal(sender, leaf.submitter), step, 'the transaction is from another sender');
  const expected = encode(batchHeader, { ...leaf, stream: fromHex(stream.id) ?? new Uint8Array() });
  const brings = actions.some((action) => action.kind === 'submit_batch' && equal(encode(batchHeader, action.batch), expected));
  context.require(brings, step, 'the transaction does not bring the batch');
  return transaction;
}

/** Whether the sender's signature verifies under a key. The sender signs first; further signers are not this claim's matter. */
function isSigned(context: Context, { body, signatures }: Transaction, key: PublicKey): boolean {
  const [first] = signatures;
  if (!first || first.suite !== key.suite) return false;
  const message = signedBytes(context.ledger, body, first.signer, first.suite, signatures.length > 1);
  return context.checkSignature(key, message, first.signature);
}
