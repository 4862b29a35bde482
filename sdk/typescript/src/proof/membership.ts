// The validators from the genesis to the present, one change at a time.

import { validatorsDigest, type ValidatorSet } from '../forms/block.ts';
import type { EpochLink } from '../forms/bundle.ts';
import { foundingValidators, ledgerId, type Genesis } from '../forms/genesis.ts';
import { EPOCHS_MAX } from '../forms/limits.ts';
import { equal } from '../text/bytes.ts';
import { finalityFault, type SignatureCheck } from './certificate.ts';

/** The validators of a ledger. Epochs in which they stay need no link. */
export class Membership {
  /** Each with the first epoch of theirs. */
  readonly #sets: readonly [ValidatorSet, ...ValidatorSet[]];
  /** Height of the last block of all of them but the last. */
  readonly #ends: readonly bigint[];

  private constructor(sets: readonly [ValidatorSet, ...ValidatorSet[]], ends: readonly bigint[]) {
    this.#sets = sets;
    this.#ends = ends;
  }

  /** Follows the links from the genesis; a text says why they do not lead on. */
  static follow(genesis: Genesis, links: readonly EpochLink[], check: SignatureCheck): Membership | string {
    if (links.length > EPOCHS_MAX) return `the chain spans more than ${EPOCHS_MAX} changes of validators`;
    const ledger = ledgerId(genesis);
    let current = foundingValidators(genesis);
    const sets: [ValidatorSet, ...ValidatorSet[]] = [current];
    const ends: bigint[] = [];
    for (const { last, next } of links) {
      const epoch = last.header.epoch > current.epoch ? last.header.epoch : current.epoch;
      const fault = finalityFault(last, genesis.mechanism, ledger, { ...current, epoch }, check);
      if (fault !== undefined) return `the last block of epoch ${epoch} is not final: ${fault}`;
      const { height, nextValidators } = last.header;
      const isNamed = nextValidators !== null && equal(nextValidators, validatorsDigest(next)) && next.epoch === epoch + 1n;
      if (!isNamed) return `the last block of epoch ${epoch} does not name the validators that follow it`;
      if ((ends.at(-1) ?? -1n) >= height) return `the last block of epoch ${epoch} is not above that of the epoch before`;
      ends.push(height);
      sets.push(next);
      current = next;
    }
    return new Membership(sets, ends);
  }

  /** The validators of an epoch; of one after the last link, if they have not changed since. */
  validators(epoch: bigint): ValidatorSet {
    return { ...(this.#sets[this.#changesBefore(epoch)] ?? this.#sets[0]), epoch };
  }

  /** Whether a block of an epoch can have a height: above the last block of the validators before its own, and not above the last of theirs. */
  admits(epoch: bigint, height: bigint): boolean {
    const since = this.#changesBefore(epoch);
    const before = this.#ends[since - 1];
    const own = this.#ends[since];
    return (before === undefined || height > before) && (own === undefined || height <= own);
  }

  /** How many changes of validators there were up to an epoch. */
  #changesBefore(epoch: bigint): number {
    return this.#sets.findLastIndex((set) => set.epoch <= epoch);
  }
}
