// Confidential streams against the pinned vectors: unwrapped, opened and sealed to the same bytes.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { decode } from '../src/cbor/codec.ts';
import * as forms from '../src/forms/index.ts';
import { openRange, verify } from '../src/proof/index.ts';
import { toHex } from '../src/text/index.ts';
import { hex, vectors, type Vector } from './vectors.ts';

type Json = Record<string, unknown>;

function parts({ inputs, wire }: Vector) {
  const header = inputs['header'] as Json;
  const batch: forms.BatchHeader = {
    stream: hex(header['stream']),
    firstSeq: BigInt(header['first_seq'] as number),
    count: header['count'] as number,
    timeMin: BigInt(header['time_min'] as number),
    timeMax: BigInt(header['time_max'] as number),
    min: null,
    max: null,
    sum: 0n,
    payloadDigest: hex(header['payload_digest']),
    payloadLength: header['payload_len'] as number,
  };
  const share = inputs['share'] as Json;
  return {
    batch,
    wire,
    ledger: hex(inputs['ledger']),
    key: { number: inputs['key_number'] as number, secret: hex(inputs['stream_key']) },
    signing: forms.SigningKey.fromSecret(inputs['suite'] as forms.Suite, hex(inputs['signing_secret'])),
    share: { reader: hex(share['reader']), to: hex(share['to']), enc: hex(share['enc']), wrapped: hex(share['wrapped']) },
    payload: hex(inputs['payload']),
  };
}

test("a stream's key is unwrapped by the reader it was wrapped to, and by nobody else", () => {
  for (const vector of vectors('sealed_payload')) {
    const { batch, ledger, key, signing, share } = parts(vector);
    assert.equal(toHex(forms.agreementKey(signing)), toHex(share.to), vector.name);
    const unwrapped = forms.unwrapStreamKey(signing, ledger, batch.stream, key.number, share);
    assert.equal(toHex(unwrapped?.secret ?? new Uint8Array()), toHex(key.secret), vector.name);
    const other = forms.SigningKey.fromSecret('ed25519', new Uint8Array(32).fill(7));
    assert.equal(forms.unwrapStreamKey(other, ledger, batch.stream, key.number, share), null);
    assert.equal(forms.unwrapStreamKey(signing, batch.stream, batch.stream, key.number, share), null);
    assert.equal(forms.unwrapStreamKey(signing, ledger, batch.stream, key.number + 1, share), null);
    assert.equal(forms.unwrapStreamKey(signing, ledger, batch.stream, key.number, { ...share, reader: ledger }), null);
  }
});

test('a sealed payload is opened with its key at its place, and sealed again to the same bytes', () => {
  for (const vector of vectors('sealed_payload')) {
    const { batch, key, wire, payload } = parts(vector);
    const opened = forms.openSealed(key, batch.stream, batch, wire);
    assert.equal(toHex(opened.bytes), toHex(payload), vector.name);
    const readings = decode(forms.payload, payload, 1 << 16);
    assert.deepEqual(opened.readings, readings);
    const { header } = forms.headerOf(batch.stream, batch.firstSeq, readings);
    const again = forms.sealPayload(key, header, payload);
    assert.equal(toHex(again?.bytes ?? new Uint8Array()), toHex(wire), vector.name);
    assert.deepEqual(again?.header, batch);

    const refused = (changed: Partial<forms.BatchHeader>, by = key): void =>
      assert.throws(() => forms.openSealed(by, changed.stream ?? batch.stream, { ...batch, ...changed }, wire), vector.name);
    refused({ stream: new Uint8Array(32) });
    refused({ firstSeq: batch.firstSeq + 1n });
    refused({ count: batch.count + 1 });
    refused({ timeMin: batch.timeMin - 1n });
    refused({ min: 1n, max: 1n, sum: 1n });
    refused({}, { ...key, secret: new Uint8Array(32) });
    refused({}, { ...key, number: key.number + 1 });
  }
});

test('a bundle of a confidential stream holds without the key, and shows its values with it', () => {
  const vector = vectors('bundle').find(({ name }) => name.includes('sealed'));
  assert.ok(vector);
  const { claim } = verify(vector.wire, forms.genesisFromBytes(hex(vector.inputs['genesis'])));
  assert.equal(claim.kind, 'range');
  assert.deepEqual([claim.readings.length, claim.sealed.map(({ batch }) => batch.count)], [1, [3]]);
  const opened = openRange(claim, { number: 1, secret: new Uint8Array(32).fill(0x5e) });
  const first = opened[0]?.seq ?? 0n;
  assert.deepEqual(opened.map(({ seq }) => seq - first), [0n, 1n, 2n, 3n]);
  assert.ok(opened.every(({ value }) => value.kind === 'number'));
  assert.throws(() => openRange(claim, { number: 1, secret: new Uint8Array(32) }));
  assert.equal(openRange(claim, { number: 2, secret: new Uint8Array(32) }).length, 1);
});
