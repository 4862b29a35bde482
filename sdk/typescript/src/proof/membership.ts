// The validators from the genesis to the present, one epoch at a time.

import { validatorsDigest, type ValidatorSet } from '../forms/block.ts';
import type { EpochLink } from '../forms/bundle.ts';
import { foundingValidators, ledgerId, type Genesis } from '../forms/genesis.ts';
import { EPOCHS_MAX } from '../forms/limits.ts';
import { equal } from '../text/bytes.ts';
import { finalityFault, type SignatureCheck } from './certificate.ts';

/** The validators of the first epochs of a ledger. */
export class Membership {
  readonly #sets: readonly ValidatorSet[];
  /** Height of the last block of each epoch but the last. */
  readonly #ends: readonly bigint[];

  private constructor(sets: readonly ValidatorSet[], ends: readonly bigint[]) {
    this.#sets = sets;
    this.#ends = ends;
  }

  /** Follows the links from the genesis; a text says why they do not lead on. */
  static follow(genesis: Genesis, links: readonly EpochLink[], check: SignatureCheck): Membership | string {
    if (links.length > EPOCHS_MAX) return `the chain spans more than ${EPOCHS_MAX} epochs`;
    const ledger = ledgerId(genesis);
    let current = foundingValidators(genesis);
    const sets = [current];
    const ends: bigint[] = [];
    for (const { last, next } of links) {
      const { epoch } = current;
      const fault = finalityFault(last, ledger, current, check);
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

  /** The validators of an epoch, if the chain reaches it. */
  validators(epoch: bigint): ValidatorSet | undefined {
    return epoch < BigInt(this.#sets.length) ? this.#sets[Number(epoch)] : undefined;
  }

  /** Whether a block of an epoch can have a height: above the last block of the epoch before, and not above the last of its own. */
  admits(epoch: bigint, height: bigint): boolean {
    const at = Number(epoch);
    const before = this.#ends[at - 1];
    const own = this.#ends[at];
    return (before === undefined || height > before) && (own === undefined || height <= own);
  }
}
