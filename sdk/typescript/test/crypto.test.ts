// Signatures: known answers, and the rules that settle what the standards leave open.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SigningKey, isPublicKey, verifySignature, type PublicKey } from '../src/forms/index.ts';
import { bigEndian, concat, fromHex, toHex, toUtf8 } from '../src/text/index.ts';
import { hex } from './vectors.ts';

test('known answers', () => {
  // RFC 8032, 7.1, test 2.
  const ed25519 = SigningKey.fromSecret('ed25519', hex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'));
  assert.equal(toHex(ed25519.publicKey.bytes), '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
  assert.ok(toHex(ed25519.sign(Uint8Array.of(0x72))).startsWith('92a009a9f0d4cab8720e820b5f642540'));
  // RFC 6979, A.2.5, message "sample", SHA-256; its S is high, so ours is the other one.
  const p256 = SigningKey.fromSecret('p256', hex('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721'));
  const signature = p256.sign(toUtf8('sample'));
  assert.equal(toHex(signature.subarray(0, 32)), 'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716');
  assert.ok(verifySignature(p256.publicKey, toUtf8('sample'), signature));
});

test('each suite signs, verifies and rejects any changed byte', () => {
  for (const suite of ['ed25519', 'p256'] as const) {
    const key = SigningKey.generate(suite);
    const message = toUtf8('a reading');
    const signature = key.sign(message);
    assert.ok(isPublicKey(key.publicKey) && verifySignature(key.publicKey, message, signature));
    assert.ok(!verifySignature(key.publicKey, toUtf8('another'), signature));
    for (let at = 0; at < signature.length; at++) {
      const changed = signature.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.ok(!verifySignature(key.publicKey, message, changed), `${suite}: byte ${at}`);
    }
    assert.ok(!verifySignature(key.publicKey, message, signature.subarray(1)));
    assert.throws(() => SigningKey.fromSecret(suite, new Uint8Array(31)));
  }
  assert.throws(() => SigningKey.fromSecret('p256', new Uint8Array(32)));
});

test('the other s of P-256 is refused', () => {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const key = SigningKey.fromSecret('p256', new Uint8Array(32).fill(9));
  const good = key.sign(toUtf8('m'));
  const s = BigInt(`0x${toHex(good.subarray(32))}`);
  const high = concat(good.subarray(0, 32), bigEndian(order - s, 32));
  assert.ok(verifySignature(key.publicKey, toUtf8('m'), good));
  assert.ok(!verifySignature(key.publicKey, toUtf8('m'), high));
});

/** The encodings of the points of small order on edwards25519: the eight canonical ones and six others. */
const SMALL_ORDER = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000080',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
].map(hex);

test('Ed25519 follows ZIP 215', () => {
  // Both sides of the equation vanish when multiplied by the cofactor, whatever was signed.
  for (const key of SMALL_ORDER) {
    for (const r of SMALL_ORDER) {
      const publicKey: PublicKey = { suite: 'ed25519', bytes: key };
      assert.ok(isPublicKey(publicKey));
      assert.ok(verifySignature(publicKey, toUtf8('Zcash'), concat(r, new Uint8Array(32))), `${toHex(key)} ${toHex(r)}`);
    }
  }
});

test('Ed25519 takes no s from the order on, and no key that is no point', () => {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const key = SigningKey.fromSecret('ed25519', new Uint8Array(32).fill(3));
  const good = key.sign(toUtf8('m'));
  const s = BigInt(`0x${toHex(good.slice(32).reverse())}`);
  const other = concat(good.subarray(0, 32), bigEndian(s + order, 32).reverse());
  assert.ok(verifySignature(key.publicKey, toUtf8('m'), good));
  assert.ok(!verifySignature(key.publicKey, toUtf8('m'), other));
  const offCurve = fromHex(`02${'00'.repeat(31)}`) ?? assert.fail();
  assert.ok(!isPublicKey({ suite: 'ed25519', bytes: offCurve }));
  assert.ok(!isPublicKey({ suite: 'p256', bytes: new Uint8Array(33) }));
  assert.ok(!isPublicKey({ suite: 'p256', bytes: new Uint8Array(32) }));
});
