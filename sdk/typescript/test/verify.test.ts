// Proof bundles of every kind: accepted as they are, refused with anything changed.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BUNDLE_BYTES_MAX, Failure, STEPS, STEPS_OF_CLAIM, genesisFromBytes, verify, verifySignature, type Genesis, type SignatureCheck, type Step } from '../src/proof/index.ts';
import { concat, toHex } from '../src/text/bytes.ts';
import { hex, vectors, type Vector } from './vectors.ts';

const SEAL_BYTES = 34;
const bundles = vectors('bundle');
/** Remembers verdicts: most changes leave the signatures of a bundle as they are. */
const verdicts = new Map<string, boolean>();
const checkSignature: SignatureCheck = (key, message, signature) => {
  const question = [key.suite, ...[key.bytes, message, signature].map(toHex)].join(' ');
  const verdict = verdicts.get(question) ?? verifySignature(key, message, signature);
  verdicts.set(question, verdict);
  return verdict;
};

const geneses = new Map(bundles.map((vector) => [vector, genesisFromBytes(hex(vector.inputs['genesis']))]));
const genesisOf = (vector: Vector): Genesis => geneses.get(vector) ?? assert.fail('no genesis');

/** The failure of a verification that must fail. */
function failureOf(bytes: Uint8Array, vector: Vector): Failure {
  try {
    verify(bytes, genesisOf(vector), { checkSignature });
  } catch (error) {
    assert.ok(error instanceof Failure, `${vector.name}: ${String(error)}`);
    return error;
  }
  return assert.fail(`${vector.name}: accepted`);
}

for (const vector of bundles) {
  test(`${vector.name}: accepted, step by step`, () => {
    const { claim, steps } = verify(vector.wire, genesisOf(vector));
    let expected: readonly Step[] = STEPS_OF_CLAIM[claim.kind];
    if (claim.kind === 'transaction' && !claim.receipt) expected = expected.filter((step, at) => step !== 'receipt' && !(at > 4 && step !== 'seal'));
    if (vector.name === 'a reading that its device signed') expected = [...expected.slice(0, -1), 'device', 'seal'];
    assert.deepEqual(steps.map(({ step }) => step), expected);
    assert.ok(steps.every(({ step, text }) => step in STEPS && text.length > 0));
  });

  test(`${vector.name}: no changed byte is accepted`, () => {
    // What hashes and signatures do not bind is the question, and only the seal guards it.
    const { kind } = verify(vector.wire, genesisOf(vector)).claim;
    const hasQuestion = kind === 'range' || kind === 'aggregate' || kind === 'state';
    for (let at = 0; at < vector.wire.length; at++) {
      for (const mask of [1 << (at % 8), 0xff]) {
        const changed = vector.wire.slice();
        changed[at] = (changed[at] ?? 0) ^ mask;
        const { step } = failureOf(changed, vector);
        const isBound = step !== 'seal' || hasQuestion || at >= vector.wire.length - SEAL_BYTES;
        assert.ok(isBound, `byte ${at} with mask ${mask} is bound by the seal only`);
      }
    }
  });

  test(`${vector.name}: nothing cut off or added is accepted`, () => {
    for (let length = 0; length < vector.wire.length; length++) {
      assert.equal(failureOf(vector.wire.slice(0, length), vector).step, 'form', `${length} bytes`);
    }
    for (const surplus of [0x00, 0x80, 0xf6, 0xff]) {
      assert.equal(failureOf(concat(vector.wire, Uint8Array.of(surplus)), vector).step, 'form');
    }
  });
}

test('deep nesting and great length are refused', () => {
  const [vector] = bundles;
  assert.ok(vector);
  for (const filler of [0x81, 0x82, 0x9f, 0xa1, 0xbf, 0xd8, 0x5f]) {
    const nested = new Uint8Array(1 << 20).fill(filler);
    assert.equal(failureOf(nested, vector).step, 'form');
    // Where a bundle's list of links, and where a claim, would be.
    const head = Uint8Array.of(0x82, 0x85, 0x01, 0x58, 0x20, ...new Uint8Array(32));
    assert.equal(failureOf(concat(head, nested), vector).step, 'form');
  }
  // An array that claims 2^60 items must not be believed before they are there.
  const endless = Uint8Array.of(0x82, 0x85, 0x01, 0x9b, 0x10, 0, 0, 0, 0, 0, 0, 0);
  assert.equal(failureOf(endless, vector).step, 'form');
  assert.match(failureOf(new Uint8Array(BUNDLE_BYTES_MAX + 1), vector).why, /at most 8388608/);
});

test('the genesis of another ledger is refused', () => {
  const other = genesisFromBytes(vectors('genesis').at(-1)?.wire ?? new Uint8Array());
  for (const { wire, name } of bundles) {
    assert.throws(() => verify(wire, other), (error) => error instanceof Failure && error.step === 'ledger', name);
  }
});

test('a reading is shown with its times, its submitter and its question', () => {
  const vector = bundles.find(({ name }) => name.startsWith('reading'));
  assert.ok(vector);
  const { claim, block } = verify(vector.wire, genesisOf(vector));
  assert.ok(claim.kind === 'reading');
  assert.equal(claim.stream.name, 'machine-7');
  assert.match(claim.valueText, / celsius$/);
  assert.equal(claim.attestation.kind, 'gateway');
  assert.ok(claim.signedUnderKeyVersion !== null && claim.delegation.kind === 'bound');
  assert.ok(block.signed.length >= 3);
});
