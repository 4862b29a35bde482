// Whether a quorum of validators made a block final (docs/formats/certificate.md).

import { blockDigest, signerPositions, validatorsDigest, type Certificate, type Finalized, type Header, type Mechanism, type ValidatorSet } from '../forms/block.ts';
import type { verifySignature } from '../forms/crypto.ts';
import { concat, equal, toUtf8 } from '../text/bytes.ts';

const VOTE = toUtf8('_FINALIZE');

/** Says whether a signature by a key covers a message, as `verifySignature` does. */
export type SignatureCheck = typeof verifySignature;

/** How many of so many validators must sign: all but the faulty third, or a majority where peers only crash. */
export function quorum(mechanism: Mechanism, count: number): number {
  return mechanism === 'raft' ? Math.floor(count / 2) + 1 : count - Math.floor((count - 1) / 3);
}

/** What each validator signs to finalize a block. */
export function voteBytes(mechanism: Mechanism, ledger: Uint8Array, { epoch, view, parentView, block }: Pick<Certificate, 'epoch' | 'view' | 'parentView' | 'block'>): Uint8Array {
  const namespace = concat(toUtf8(`althing/${mechanism}/1/`), ledger, VOTE);
  return concat(varint(BigInt(namespace.length)), namespace, varint(epoch), varint(view), varint(parentView), block);
}

/** Unsigned LEB128. */
function varint(number: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = number;
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.of(...bytes, Number(rest));
}

/** Why a certificate does not finalize its block; `undefined` if it does. The validators agree as the genesis says, `founding`, unless they say otherwise. */
export function certificateFault(certificate: Certificate, founding: Mechanism, ledger: Uint8Array, set: ValidatorSet, check: SignatureCheck): string | undefined {
  const { validators, mechanism } = set;
  if (certificate.epoch !== set.epoch) return otherEpoch(set.epoch, certificate.epoch);
  const signers = signerPositions(certificate.signers);
  const isOfSet = certificate.signers.length === Math.ceil(validators.length / 8) && (signers.at(-1) ?? 0) < validators.length;
  if (!isOfSet || signers.length !== certificate.signatures.length) return 'the signers named are not those that signed, or not of this validator set';
  const agreed = mechanism ?? founding;
  const needed = quorum(agreed, validators.length);
  if (signers.length === 0 || signers.length < needed) return `${signers.length} validators signed, but ${needed} must`;
  const message = voteBytes(agreed, ledger, certificate);
  // All of them, not merely a quorum: no honest peer makes a certificate with a bad signature.
  for (const [at, position] of signers.entries()) {
    const [key, signature] = [validators[position]?.key, certificate.signatures[at]];
    const holds = key && signature && check({ suite: 'ed25519', bytes: key }, message, signature);
    if (!holds) return `the signature of validator ${position} does not verify`;
  }
  return undefined;
}

/** The header that the certificate of a final block is about. */
export function certified({ header, descendants }: Finalized): Header {
  return descendants.at(-1) ?? header;
}

/** Why a block is not final by these validators, itself or by a descendant; `undefined` if it is. */
export function finalityFault({ header, certificate, descendants }: Finalized, founding: Mechanism, ledger: Uint8Array, set: ValidatorSet, check: SignatureCheck): string | undefined {
  if (!equal(header.ledger, ledger)) return 'the block belongs to another ledger';
  if (header.epoch !== set.epoch) return otherEpoch(set.epoch, header.epoch);
  if (!equal(header.validators, validatorsDigest(set))) return 'the block names another validator set';
  let last = header;
  for (const next of descendants) {
    if (!continues(last, next)) return `the block at height ${next.height} is no child, in the same epoch, of the one before it`;
    last = next;
  }
  const isPlaced = last.view === certificate.view && last.parentView === certificate.parentView;
  // The last block of an epoch is proposed again, as it is, in later views until it is final.
  const isAgain = last.nextValidators !== null && certificate.view > last.view;
  const isAboutIt = equal(blockDigest(last), certificate.block) && (isPlaced || isAgain);
  return isAboutIt ? certificateFault(certificate, founding, ledger, set, check) : 'the certificate is about another block';
}

/** Whether `child` names `parent` and is of its ledger and epoch, which `parent` does not end. */
function continues(parent: Header, child: Header): boolean {
  const isChild = equal(child.parent, blockDigest(parent)) && child.height === parent.height + 1n;
  const isOfEpoch = child.epoch === parent.epoch && equal(child.validators, parent.validators) && parent.nextValidators === null;
  return isChild && isOfEpoch && equal(child.ledger, parent.ledger);
}

function otherEpoch(expected: bigint, found: bigint): string {
  return `it is of epoch ${found}, but these are the validators of epoch ${expected}`;
}
