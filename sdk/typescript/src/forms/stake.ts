// Stake: tokens that an organisation puts behind a peer of its own, which then stands for a seat; and what costs it.

import { bytes32, numbered, optional, record, text, u64, type Value } from '../cbor/codec.ts';
import { signature } from './crypto.ts';
import { id } from './entity.ts';
import { isAddress, isVotingKey } from './governance.ts';
import { amount } from './token.ts';

/** Tokens for a peer; `seat` says how it would vote and be reached, where that is not known or is to change. */
export const stake = record({ peer: id, amount, seat: optional(record({ key: bytes32, address: text, possession: signature })) });

/** Whether every field is within its bounds. */
export function isStake(value: Value<typeof stake>): boolean {
  const { seat } = value;
  return seat === null ? value.amount > 0n : isVotingKey(seat.key) && isAddress(seat.address);
}

const castVote = record({
  phase: numbered(['notarize', 'nullify', 'finalize']),
  /** The view in which the block's parent was proposed; 0 if the view is given up. */
  parentView: u64,
  /** The block; zero bytes if the view is given up. */
  block: bytes32,
  signature,
});

/** Two votes by one voting key in one view, of which an honest peer casts no more than one. Whether they exclude each other is the ledger's to check. */
export const doubleVote = record({ key: bytes32, epoch: u64, view: u64, first: castVote, second: castVote });
