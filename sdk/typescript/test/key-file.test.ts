// Key files: those of the command line open, ours are of the same form, and others do not pass.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { argon2id } from '@noble/hashes/argon2.js';

import { SigningKey, verifySignature } from '../src/forms/index.ts';
import { KeyFileError, openKeyFile, readKeyFileHead, sealKeyFile } from '../src/sign/key-file.ts';
import { toHex, toUtf8 } from '../src/text/index.ts';

const PASSPHRASE = 'correct horse battery staple';
const fixture = (name: string): string => readFileSync(new URL(`../../../testdata/${name}`, import.meta.url), 'utf8');

function signs(key: SigningKey): void {
  assert.ok(verifySignature(key.publicKey, toUtf8('m'), key.sign(toUtf8('m'))));
}

test('the key files of the command line open', async () => {
  const text = fixture('key-file.json');
  const head = readKeyFileHead(text);
  assert.ok(head.needsPassphrase);
  const { key } = await openKeyFile(text, PASSPHRASE);
  assert.deepEqual(key.publicKey, head.key);
  signs(key);
  const open = fixture('key-file-open.json');
  assert.ok(!readKeyFileHead(open).needsPassphrase);
  signs((await openKeyFile(open)).key);
});

test('a key survives its file', async () => {
  const entity = 'did:althing:demo:US517G5965aydkZ46HS38QLi7UQiSojurfbQfKCELFx';
  const key = SigningKey.generate('p256');
  const parts: number[] = [];
  const text = await sealKeyFile({ entity, key }, 'ein Paßwort', { onProgress: (part) => parts.push(part) });
  assert.ok(!text.includes(toHex(key.secret())) && parts.length > 0);
  const back = await openKeyFile(text, 'ein Paßwort');
  assert.equal(back.entity, entity);
  assert.deepEqual(back.key.secret(), key.secret());
  await assert.rejects(sealKeyFile({ key }, ''), RangeError);
});

/** A key file that is cheap to open, so that many wrong ones can be tried. */
function cheap(): string {
  const key = SigningKey.fromSecret('ed25519', new Uint8Array(32).fill(7));
  const [salt, nonce] = [new Uint8Array(16).fill(1), new Uint8Array(12).fill(2)];
  const entity = 'did:althing:demo:US517G5965aydkZ46HS38QLi7UQiSojurfbQfKCELFx';
  const publicText = toHex(key.publicKey.bytes);
  const derived = argon2id(toUtf8('right'), salt, { m: 8, t: 1, p: 1, dkLen: 32 });
  const ciphertext = chacha20poly1305(derived, nonce, toUtf8(`althing/key-file/1 ed25519 ${publicText} ${entity}`)).encrypt(key.secret());
  const protection = { kind: 'argon2id-chacha20poly1305', memory_kib: 8, passes: 1, salt: toHex(salt), nonce: toHex(nonce), ciphertext: toHex(ciphertext) };
  return JSON.stringify({ version: 1, entity, key: { suite: 'ed25519', public: publicText }, protection });
}

test('a wrong passphrase and a changed file do not open', async () => {
  const text = cheap();
  assert.equal((await openKeyFile(text, 'right')).key.suite, 'ed25519');
  const refused = async (changed: string, passphrase: string | undefined, kind: KeyFileError['kind'], what: RegExp): Promise<void> => {
    const error = await openKeyFile(changed, passphrase).catch((caught: unknown) => caught);
    assert.ok(error instanceof KeyFileError && error.kind === kind && what.test(error.message), `${String(what)}: ${String(error)}`);
  };
  await refused(text, undefined, 'passphrase-needed', /passphrase/);
  await refused(text, 'wrong', 'passphrase-wrong', /does not open/);
  for (const [from, to, kind, what] of [
    ['US517G5965aydkZ46HS38QLi7UQiSojurfbQfKCELFx', '8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeR', 'passphrase-wrong', /does not open/],
    ['"memory_kib":8', '"memory_kib":4294967295', 'form', /memory_kib/],
    ['"memory_kib":8', '"memory_kib":0', 'form', /memory_kib/],
    ['"passes":1', '"passes":1e9', 'form', /memory_kib/],
    ['"suite":"ed25519"', '"suite":"p256"', 'passphrase-wrong', /does not open/],
    ['"suite":"ed25519"', '"suite":"rot13"', 'form', /suite/],
    ['"version":1', '"version":2', 'form', /version 2/],
    ['"salt":"', '"salt":"00', 'form', /salt/],
    ['"version"', '"colour":1,"version"', 'form', /not a key file/],
  ] as const) {
    assert.ok(text.includes(from), from);
    await refused(text.replace(from, to), 'right', kind, what);
  }
  for (const none of ['', 'null', '[]', '{}', '"x"', 'x'.repeat(20_000)]) await refused(none, 'right', 'form', /./);
});
