// A pack has one spelling: whatever else reads as CBOR with the same meaning is refused, as peers do.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Writer } from '../src/cbor/writer.ts';
import { decodePack } from '../src/forms/pack.ts';

type Write = (to: Writer) => unknown;

/** `4([-scale, mantissa])`. */
const decimal = (scale: number, mantissa: number): Write => (to) => to.raw(Uint8Array.of(0xc4)).array(2).integer(-scale).integer(mantissa);
const integer = (value: number): Write => (to) => to.integer(value);
const text = (value: string): Write => (to) => to.text(value);
const name: [number, Write] = [-2, text('t')];

function pack(...records: [number, Write][][]): Uint8Array {
  const senml = new Writer().array(records.length);
  for (const record of records) {
    senml.map(record.length);
    for (const [label, write] of record) write(senml.integer(label));
  }
  const header = new Writer().map(3).integer(1).integer(-8).integer(4).byteString(new Uint8Array(32)).integer(-65537).integer(0);
  return new Writer().array(4).byteString(header.bytes()).map(0).byteString(senml.bytes()).byteString(new Uint8Array(64)).bytes();
}

test('the one spelling of a pack is read', () => {
  const read = decodePack(pack([[2, decimal(2, 2150)], name, [-3, decimal(3, 1)]], [[2, decimal(2, -5)], [6, decimal(3, 7)]]));
  assert.deepEqual([read.name, read.scale, read.baseMs, read.readings.map(({ afterMs }) => afterMs)], ['t', 2, 1n, [0n, 7n]]);
});

const other: Record<string, [number, Write][][]> = {
  'a time of nothing': [[[2, integer(1)], [6, decimal(3, 0)], name]],
  'a time in seconds': [[[2, integer(1)], [6, integer(1)], name]],
  'a decimal without places': [[[2, decimal(0, 1)], name]],
  'numbers of two scales': [[[2, decimal(1, 1)], name], [[2, decimal(2, 1)]]],
  'a name in the second record': [[[2, integer(1)], name], [[2, integer(1)], name]],
  'no name': [[[2, integer(1)]]],
  'two values': [[[2, integer(1)], [3, text('a')], name]],
  'a value twice': [[[2, integer(1)], [2, integer(1)], name]],
  'no value': [[name]],
  'labels in another order': [[name, [2, integer(1)]]],
  'an unknown label': [[[2, integer(1)], [7, integer(1)], name]],
  'no reading': [],
};
for (const [what, records] of Object.entries(other)) {
  test(`a pack with ${what} is refused`, () => {
    assert.throws(() => decodePack(pack(...records)), { name: 'WireError' });
  });
}

test('a pack with something behind is refused', () => {
  const good = pack([[2, integer(1)], name]);
  decodePack(good);
  assert.throws(() => decodePack(Uint8Array.of(...good, 0xf6)), { name: 'WireError' });
});
