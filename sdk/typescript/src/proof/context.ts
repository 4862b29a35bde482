// What every step of a verification needs: the genesis, and where the steps are noted.

import type { Genesis } from '../forms/genesis.ts';
import { ledgerId } from '../forms/genesis.ts';
import type { SignatureCheck } from './certificate.ts';
import { sha256 } from '../forms/digest.ts';
import type { Header, Validator } from '../forms/block.ts';
import { encode, type Codec } from '../cbor/codec.ts';
import type { Stated } from '../forms/bundle.ts';
import { equal, toHex } from '../text/bytes.ts';
import { toDid } from '../text/did.ts';
import { followStatePath } from './path.ts';
import { Failure, type Done, type Step } from './step.ts';
import type { VotingPeer } from './verified.ts';

/** One verification under way. */
export class Context {
  /** What the verifier trusts. */
  readonly genesis: Genesis;
  /** Id of the ledger. */
  readonly ledger: Uint8Array;
  /** The steps that hold so far. */
  readonly steps: Done[] = [];

  /** What checks a signature. */
  readonly checkSignature: SignatureCheck;

  constructor(genesis: Genesis, checkSignature: SignatureCheck) {
    this.checkSignature = checkSignature;
    this.genesis = genesis;
    this.ledger = ledgerId(genesis);
  }

  /** Notes a step that holds. */
  done(step: Step, text: string): void {
    this.steps.push({ step, text });
  }

  /** Ends the verification at a step that does not hold. */
  fail(step: Step, why: string): never {
    throw new Failure(step, why, this.steps);
  }

  /** A statement that must hold at a step; `otherwise` says what does not. */
  require(holds: boolean, step: Step, otherwise: string): void {
    if (!holds) this.fail(step, otherwise);
  }

  /** Does what can throw, as part of a step. */
  at<T>(step: Step, act: () => T): T {
    try {
      return act();
    } catch (error) {
      return this.fail(step, error instanceof Error ? error.message : String(error));
    }
  }

  /** Checks that the state which a header commits to holds a record at a raw key. */
  stated<T>(step: Step, { record, path }: Stated<T>, codec: Codec<T>, header: Header, rawKey: Uint8Array): void {
    const found = this.lookUp(step, path, header, rawKey);
    if (found === null) this.fail(step, 'the state has no such record');
    this.require(equal(found, sha256(encode(codec, record))), step, 'the state holds another record');
  }

  /** The digest of the value at a raw key of the state that a header commits to, or null. */
  lookUp(step: Step, path: Stated<unknown>['path'], header: Header, rawKey: Uint8Array): Uint8Array | null {
    const result = followStatePath(path, header.result.stateRoot, rawKey);
    return 'fault' in result ? this.fail(step, result.fault) : result.value;
  }

  /** The DID of an id. */
  did(id: Uint8Array): string {
    return toDid(this.genesis.network, id);
  }

  /** A validator as it is shown: those of the genesis have names. */
  votingPeer({ key, peer, organisation }: Validator): VotingPeer {
    const founding = this.genesis.peers.find((each) => equal(each.key, key));
    return { key: toHex(key), peer: this.did(peer), organisation: this.did(organisation), name: founding?.inception.name ?? null };
  }
}
