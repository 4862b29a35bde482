// Headers, validator sets and the certificates that make blocks final.

import { bytes, bytes32, checked, encode, list, numbered, optional, record, u32, u64, u8, type Value } from '../cbor/codec.ts';
import { compare } from '../text/bytes.ts';
import { signature } from './crypto.ts';
import { hash } from './digest.ts';
import { id } from './entity.ts';
import { BLOCK_TRANSACTIONS_MAX, DESCENDANTS_MAX, VALIDATORS_MAX } from './limits.ts';

/** What executing a block gave, as a later header states it. */
export const executionResult = record({
  /** Height of the block that was executed. */
  height: u64,
  /** Root of the state after it. */
  stateRoot: bytes32,
  /** Statement of the receipts of every height after the one whose result the parent states. */
  receiptsRoot: bytes32,
});

/** The head of a block: what the validators sign, by its digest. */
export const header = checked(
  record({
    version: u8,
    ledger: id,
    height: u64,
    parent: bytes32,
    /** Ledger time, milliseconds since 1970. */
    timeMs: u64,
    /** Voting key of the validator that proposed it. */
    proposer: bytes32,
    epoch: u64,
    view: u64,
    parentView: u64,
    /** Digest of the validator set of this epoch. */
    validators: bytes32,
    /** Digest of the next one; only in the last block of an epoch. */
    nextValidators: optional(bytes32),
    /** Merkle root over the ids of its transactions. */
    transactions: bytes32,
    /** Number of its transactions. */
    count: u32,
    /** Result of an earlier block. */
    result: executionResult,
  }),
  'header',
  (value) => value.version === 1 && value.count <= BLOCK_TRANSACTIONS_MAX,
);
/** The head of a block. */
export type Header = Value<typeof header>;

/** The digest of a block, which is over its header. */
export function blockDigest(value: Header): Uint8Array {
  return hash('althing/block/1', encode(header, value));
}

/** A voting peer. */
export const validator = record({
  /** Its Ed25519 key. */
  key: bytes32,
  /** The peer as an entity. */
  peer: id,
  /** The organisation that runs it. */
  organisation: id,
});
/** A voting peer. */
export type Validator = Value<typeof validator>;

/** How peers agree. */
export const mechanism = numbered(['simplex', 'raft']);
/** How peers agree. */
export type Mechanism = Value<typeof mechanism>;

/** How peers agree from a height on. */
export const mechanismFrom = record({ mechanism, fromHeight: u64 });

/** The peers that vote in an epoch, ascending by key, and how they agree. */
export const validatorSet = checked(
  record({
    epoch: u64,
    validators: list(validator, VALIDATORS_MAX),
    /** Null if as the genesis says. */
    mechanism: optional(mechanism),
  }),
  'validators',
  ({ validators }) => validators.length >= 1 && validators.every(({ key }, at) => at === 0 || compare(validators[at - 1]?.key ?? key, key) < 0),
);
/** The peers that vote in an epoch. */
export type ValidatorSet = Value<typeof validatorSet>;

/** The digest of a validator set, as headers name it. */
export function validatorsDigest(set: ValidatorSet): Uint8Array {
  return hash('althing/validators/1', encode(validatorSet, set));
}

/** The votes of a quorum that make a block final. */
export const certificate = checked(
  record({
    epoch: u64,
    view: u64,
    parentView: u64,
    /** Digest of the block. */
    block: bytes32,
    /** Bit i, most significant first, says that validator i signed. */
    signers: bytes,
    /** Their signatures, ascending by validator. */
    signatures: list(signature),
  }),
  'signers',
  (value) => value.signatures.length > 0 && signerPositions(value.signers).length === value.signatures.length,
);
/** The votes of a quorum that make a block final. */
export type Certificate = Value<typeof certificate>;

/** Positions of the validators whose bit is set, ascending. */
export function signerPositions(signers: Uint8Array): number[] {
  const positions: number[] = [];
  for (const [at, byte] of signers.entries()) {
    for (let bit = 0; bit < 8; bit++) if ((byte >> (7 - bit)) & 1) positions.push(8 * at + bit);
  }
  return positions;
}

/** A header with the certificate that makes it final: its own, or that of the last descendant. */
export const finalized = record({ header, certificate, descendants: list(header, DESCENDANTS_MAX) });
/** A header with the certificate that makes it final. */
export type Finalized = Value<typeof finalized>;
