// Proof bundles of every kind: accepted as they are, refused when cut off or grown. `changed-*.test.ts` change their bytes.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BUNDLE_BYTES_MAX, Failure, STEPS, STEPS_OF_CLAIM, genesisFromBytes, verify, type Step } from '../src/proof/index.ts';
import { concat } from '../src/text/bytes.ts';
import { bundles, failureOf, genesisOf } from './bundles.ts';
import { vectors } from './vectors.ts';

for (const vector of bundles) {
  test(`${vector.name}: accepted, step by step`, () => {
    const { claim, steps } = verify(vector.wire, genesisOf(vector));
    let expected: readonly Step[] = STEPS_OF_CLAIM[claim.kind];
    if (claim.kind === 'transaction' && !claim.receipt) expected = expected.filter((step, at) => step !== 'receipt' && !(at > 4 && step !== 'seal'));
    if (vector.name === 'a reading that its device signed') expected = [...expected.slice(0, -1), 'device', 'seal'];
    assert.deepEqual(steps.map(({ step }) => step), expected);
    assert.ok(steps.every(({ step, text }) => step in STEPS && text.length > 0));
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
