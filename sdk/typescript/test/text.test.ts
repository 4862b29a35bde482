// Text forms: ids, decimals, times.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { printable } from '../src/proof/index.ts';
import { fromHex, fromRfc3339, fromUtf8, idToHex, parseDecimal, parseDid, sameId, toDecimal, toDid, toHex, toId, toRfc3339, toUtf8 } from '../src/text/index.ts';

test('a DID has one spelling', () => {
  for (const id of [new Uint8Array(32), new Uint8Array(32).fill(7), new Uint8Array(32).fill(255)]) {
    const did = toDid('demo', id);
    assert.deepEqual(parseDid(did), { network: 'demo', id });
    assert.ok(sameId(did, toHex(id)));
    assert.equal(idToHex(did), toHex(id));
  }
  const did = toDid('demo', new Uint8Array(32).fill(7));
  for (const wrong of ['did:web:example', 'did:althing:demo', 'did:althing:Demo:1', 'did:althing:demo:0OIl', 'did:althing:demo:1', `${did}1`, did.slice(0, -1), did.replace('demo:', 'demo:1'), `did:althing:demo:${'z'.repeat(44)}`]) {
    assert.equal(parseDid(wrong), undefined, wrong);
    assert.throws(() => toId(wrong), TypeError);
  }
});

test('decimals are exact', () => {
  for (const [text, scale, mantissa] of [
    ['21.5', 2, 2150n],
    ['2.15e1', 2, 2150n],
    ['-0.5', 1, -5n],
    ['+1.50', 1, 15n],
    ['1e3', 0, 1000n],
    ['0e999', 0, 0n],
    ['-9223372036854775808', 0, -(2n ** 63n)],
  ] as const) {
    assert.equal(parseDecimal(text, scale), mantissa, text);
  }
  for (const [text, scale] of [['21.505', 2], ['', 0], ['-', 0], ['.5', 1], ['5.', 1], ['NaN', 0], ['0x10', 0], ['1e40', 0], ['1e9999', 0], ['1e99999', 0], ['9223372036854775808', 0], ['1'.repeat(65), 0]] as const) {
    assert.throws(() => parseDecimal(text, scale), RangeError, text);
  }
  for (const [mantissa, scale, text] of [[2150n, 2, '21.50'], [-5n, 1, '-0.5'], [0n, 3, '0.000'], [7n, 0, '7'], [-(2n ** 63n), 15, '-9223.372036854775808']] as const) {
    assert.equal(toDecimal(mantissa, scale), text);
    assert.equal(parseDecimal(text, scale), mantissa);
  }
});

test('times are those of the calendar, and any number has one', () => {
  for (const [ms, text] of [
    [0n, '1970-01-01T00:00:00.000Z'],
    [-1n, '1969-12-31T23:59:59.999Z'],
    [951_782_400_000n, '2000-02-29T00:00:00.000Z'],
    [1_709_251_199_999n, '2024-02-29T23:59:59.999Z'],
    [4_107_542_400_000n, '2100-03-01T00:00:00.000Z'],
  ] as const) {
    assert.equal(toRfc3339(ms), text);
    assert.equal(fromRfc3339(text), Number(ms));
  }
  for (const extreme of [-(2n ** 63n), 2n ** 63n - 1n]) assert.match(toRfc3339(extreme), /Z$/);
  assert.equal(fromRfc3339('2013-12-02T22:15:00+01:00'), 1_386_018_900_000);
  for (const wrong of ['noon', '2013-12-02', '2013-02-30T00:00:00Z', '2013-12-02T25:00:00Z']) assert.equal(fromRfc3339(wrong), undefined, wrong);
});

test('hexadecimal and UTF-8 are taken as they are or not at all', () => {
  assert.deepEqual(fromHex('00fF'), Uint8Array.of(0, 255));
  for (const wrong of ['0', '0g', '0x00', ' 00']) assert.equal(fromHex(wrong), undefined);
  assert.equal(fromUtf8(Uint8Array.of(0xff)), undefined);
  assert.equal(fromUtf8(toUtf8('\ufeffx')), '\ufeffx', 'a byte order mark is kept');
});

test('texts of the ledger are shown without what a terminal would obey', () => {
  assert.equal(printable('plain text, Kühlraum 3'), 'plain text, Kühlraum 3');
  assert.equal(printable('\u001b[2Jx\n"\\'), '\\u{1b}[2Jx\\n\\"\\\\');
  assert.equal(printable('\u202eabc'), '\\u{202e}abc');
});
