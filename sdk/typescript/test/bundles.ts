// The bundles among the vectors, and what all tests that spoil them share.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Failure, genesisFromBytes, verify, verifySignature, type Genesis, type SignatureCheck } from '../src/proof/index.ts';
import { toHex } from '../src/text/bytes.ts';
import { hex, vectors, type Vector } from './vectors.ts';

const SEAL_BYTES = 34;
export const bundles = vectors('bundle');

/** Remembers verdicts: most changes leave the signatures of a bundle as they are. */
const verdicts = new Map<string, boolean>();
const checkSignature: SignatureCheck = (key, message, signature) => {
  const question = [key.suite, ...[key.bytes, message, signature].map(toHex)].join(' ');
  const verdict = verdicts.get(question) ?? verifySignature(key, message, signature);
  verdicts.set(question, verdict);
  return verdict;
};

const geneses = new Map(bundles.map((vector) => [vector, genesisFromBytes(hex(vector.inputs['genesis']))]));
/** What the founders of the bundle's ledger agreed on. */
export const genesisOf = (vector: Vector): Genesis => geneses.get(vector) ?? assert.fail('no genesis');

/** The failure of a verification that must fail. */
export function failureOf(bytes: Uint8Array, vector: Vector): Failure {
  try {
    verify(bytes, genesisOf(vector), { checkSignature });
  } catch (error) {
    assert.ok(error instanceof Failure, `${vector.name}: ${String(error)}`);
    return error;
  }
  return assert.fail(`${vector.name}: accepted`);
}

/** Changes every second byte from `first` on. It takes long, so that two files share it and run at once. */
export function testChanges(first: 0 | 1): void {
  for (const vector of bundles) {
    test(`${vector.name}: no changed byte is accepted, of every second from ${first} on`, () => {
      // What hashes and signatures do not bind is the question, and only the seal guards it.
      const { kind } = verify(vector.wire, genesisOf(vector)).claim;
      const hasQuestion = kind === 'range' || kind === 'aggregate' || kind === 'state';
      for (let at = first; at < vector.wire.length; at += 2) {
        for (const mask of [1 << (at % 8), 0xff]) {
          const changed = vector.wire.slice();
          changed[at] = (changed[at] ?? 0) ^ mask;
          const { step } = failureOf(changed, vector);
          const isBound = step !== 'seal' || hasQuestion || at >= vector.wire.length - SEAL_BYTES;
          assert.ok(isBound, `byte ${at} with mask ${mask} is bound by the seal only`);
        }
      }
    });
  }
}
