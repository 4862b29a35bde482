// Checks a bundle, step by step, each saying what it showed (docs/formats/bundle.md).

import { decode } from '../cbor/codec.ts';
import type { Finalized } from '../forms/block.ts';
import { sealOf, sealedBundle, type Bundle, type StateProof } from '../forms/bundle.ts';
import { verifySignature } from '../forms/crypto.ts';
import { sha256 } from '../forms/digest.ts';
import type { Genesis } from '../forms/genesis.ts';
import { BUNDLE_BYTES_MAX } from '../forms/limits.ts';
import { equal, toHex } from '../text/bytes.ts';
import { checkBlock } from './block.ts';
import type { SignatureCheck } from './certificate.ts';
import { Context } from './context.ts';
import { Membership } from './membership.ts';
import { checkReading } from './reading.ts';
import { checkAggregate, checkRange } from './stream.ts';
import { checkRun, checkTransaction } from './transaction.ts';
import type { Verified, VerifiedClaim, VerifiedState } from './verified.ts';

/** How to verify. */
export interface VerifyOptions {
  /**
   * What checks a signature: `verifySignature` if absent. Whoever checks many bundles of a block can
   * give one that remembers what it found, since the verdict on a signature never changes.
   */
  checkSignature?: SignatureCheck;
}

/**
 * Checks the bytes of a bundle file against nothing but the genesis that you trust, as
 * `parseGenesis` or `genesisFromBytes` gave it. Needs no
 * network and asks nobody. Whatever the bytes are, it answers or throws a {@link Failure} that names
 * the first step that does not hold.
 *
 * What a bundle answers is a question: an interval, a key of the state. Compare the question in the
 * result with the one you asked; a true answer to another question is no forgery.
 */
export function verify(bytes: Uint8Array, genesis: Genesis, options: VerifyOptions = {}): Verified {
  const checkSignature = options.checkSignature ?? verifySignature;
  const context = new Context(genesis, checkSignature);
  const { bundle, seal } = context.at('form', () => decode(sealedBundle, bytes, BUNDLE_BYTES_MAX));
  context.done('form', `${bytes.length} bytes, in canonical form`);
  const isOfLedger = equal(bundle.ledger, context.ledger);
  context.require(isOfLedger, 'ledger', 'the bundle is about another ledger than the genesis founds');
  context.done('ledger', `ledger ${toHex(context.ledger)} of network ${genesis.network}`);
  const membership = Membership.follow(genesis, bundle.links, checkSignature);
  if (typeof membership === 'string') return context.fail('membership', membership);
  const block = checkBlock(context, membership, bundle.block);
  const claim = checkClaim(context, membership, bundle);
  context.require(equal(seal, sealOf(bundle)), 'seal', 'the bundle was damaged after it was made');
  context.done('seal', 'the bundle is as it was made');
  return { ledger: toHex(context.ledger), network: genesis.network, block, claim, steps: context.steps };
}

function checkClaim(context: Context, membership: Membership, { block, claim }: Bundle): VerifiedClaim {
  switch (claim.kind) {
    case 'reading':
      return checkReading(context, block, claim.proof);
    case 'range':
      return checkRange(context, block, claim.proof);
    case 'aggregate':
      return checkAggregate(context, block, claim.proof);
    case 'state':
      return checkState(context, block, claim.proof);
    case 'transaction':
      return checkTransaction(context, membership, block, claim.proof);
    case 'run':
      return checkRun(context, membership, block, claim.proof);
  }
}

function checkState(context: Context, { header }: Finalized, { key, value, path }: StateProof): VerifiedState {
  const found = context.lookUp('state', path, header, key);
  const claimed = value && sha256(value);
  const isSame = found === null || claimed === null ? found === claimed : equal(found, claimed);
  context.require(isSame, 'state', 'the state holds another value at the key');
  const what = value === null ? 'nothing' : `${value.length} bytes`;
  context.done('state', `the state after block ${header.result.height} holds ${what} at key ${toHex(key)}`);
  return { kind: 'state', key, value };
}
