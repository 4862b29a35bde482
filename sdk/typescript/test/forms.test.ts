// Every wire form against its pinned encodings: read, written again, and built from its inputs.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { decode, encode, type Codec } from '../src/cbor/codec.ts';
import * as forms from '../src/forms/index.ts';
import { verifySignature } from '../src/forms/crypto.ts';
import { certificateFault, voteBytes } from '../src/proof/certificate.ts';
import { followStatePath } from '../src/proof/path.ts';
import { equal, fromUtf8, toDid, toHex, toUtf8 } from '../src/text/index.ts';
import { hex, vectors, type Vector } from './vectors.ts';

const MAX = 1 << 20;

/** What reads and writes the wire of each file of vectors. */
const CODECS: Record<string, (vector: Vector) => Codec<unknown>> = {
  certificate: () => forms.certificate as Codec<unknown>,
  direct_request: () => forms.signedRequest as Codec<unknown>,
  direct_use: () => forms.directUse as Codec<unknown>,
  event: () => forms.event as Codec<unknown>,
  genesis: () => forms.genesis as Codec<unknown>,
  header: () => forms.header as Codec<unknown>,
  inception: () => forms.inception as Codec<unknown>,
  leaf: () => forms.leaf as Codec<unknown>,
  node: () => forms.node as Codec<unknown>,
  payload: () => forms.payload as Codec<unknown>,
  peaks: () => forms.peaks as Codec<unknown>,
  reader_token: () => forms.readerToken as Codec<unknown>,
  receipt: () => forms.receipt as Codec<unknown>,
  record: recordCodec,
  sealed_payload: () => forms.sealedPayload as Codec<unknown>,
  signed_payload: () => forms.signedPayload as Codec<unknown>,
  state_path: () => forms.statePath as Codec<unknown>,
  stream_head: () => forms.streamHead as Codec<unknown>,
  validators: () => forms.validatorSet as Codec<unknown>,
};

function recordCodec({ inputs }: Vector): Codec<unknown> {
  const noun = fromUtf8(hex(inputs['key']).subarray(0, 2));
  const codecs = { 'e/': forms.entityRecord, 'k/': forms.keyRecord, 't/': forms.thingRecord, 'b/': forms.bindingRecord };
  return codecs[noun as keyof typeof codecs] as Codec<unknown>;
}

for (const [form, codec] of Object.entries(CODECS)) {
  test(`${form}: read and written again`, () => {
    for (const vector of vectors(form)) {
      const value = decode(codec(vector), vector.wire, MAX);
      assert.equal(toHex(encode(codec(vector), value)), toHex(vector.wire), vector.name);
    }
  });

  test(`${form}: nothing cut off, added or spelt differently is read`, () => {
    for (const vector of vectors(form)) {
      const refused = (bytes: Uint8Array): void => assert.throws(() => decode(codec(vector), bytes, MAX), vector.name);
      for (let length = 0; length < vector.wire.length; length++) refused(vector.wire.slice(0, length));
      refused(Uint8Array.of(...vector.wire, 0xf6));
      for (let at = 0; at < vector.wire.length; at++) {
        const changed = vector.wire.slice();
        changed[at] = (changed[at] ?? 0) ^ 0x20;
        let value: unknown;
        try {
          value = decode(codec(vector), changed, MAX);
        } catch {
          continue;
        }
        assert.ok(equal(encode(codec(vector), value), changed), `${vector.name}: two spellings of one value`);
      }
    }
  });
}

test('header and block: their digests', () => {
  for (const { wire, digest } of vectors('header')) {
    assert.equal(toHex(forms.blockDigest(decode(forms.header, wire, MAX))), digest);
  }
});

test('inception: entity, DID and key', () => {
  for (const { wire, inputs, entity, did } of vectors('inception')) {
    const suite = inputs['suite'] as forms.Suite;
    const key = forms.SigningKey.fromSecret(suite, hex(inputs['secret']));
    assert.equal(toHex(key.publicKey.bytes), inputs['key']);
    const inception = { kind: inputs['kind'] as forms.EntityKind, name: inputs['name'] as string, key: key.publicKey };
    assert.equal(toHex(encode(forms.inception, inception)), toHex(wire));
    assert.equal(toHex(forms.entityId(inception)), entity);
    assert.equal(toDid('demo', forms.entityId(inception)), did);
  }
});

test('possession: what is signed, and the signature', () => {
  for (const { wire, inputs, signature } of vectors('possession')) {
    const key = forms.SigningKey.fromSecret(inputs['suite'] as forms.Suite, hex(inputs['secret']));
    const bytes = forms.possessionBytes(hex(inputs['ledger']), hex(inputs['entity']), key.publicKey);
    assert.equal(toHex(bytes), toHex(wire));
    assert.equal(toHex(key.sign(bytes)), signature);
  }
});

test('derived ids: things and streams', () => {
  for (const { wire, inputs, thing, thing_did } of vectors('derived')) {
    const id = forms.thingId(hex(inputs['owner']), inputs['name'] as string);
    assert.equal(toHex(id), thing);
    assert.equal(toDid('demo', id), thing_did);
    assert.equal(toHex(forms.streamId(id, inputs['property'] as string)), toHex(wire));
  }
});

test('a trigger has the id that follows from its owner and name', () => {
  const id = forms.triggerId(new Uint8Array(32).fill(14), 'cool');
  assert.equal(toHex(id), '9219f0240803083b7d58ff9af92830de2d61d5f88c7bcc520562412cfcd14be2');
});

test('a service has the id that follows from its provider and name', () => {
  const id = forms.serviceId(new Uint8Array(32).fill(14), 'forecast');
  assert.equal(toHex(id), '502cf5b0626c1b242368fdefbe3e744ca6fdf5bd14e0d15f5729ed871f446629');
});

test('genesis: ledger and validators', () => {
  for (const { wire, ledger, validators } of vectors('genesis')) {
    const genesis = forms.genesisFromBytes(wire);
    assert.deepEqual(forms.genesisBytes(genesis), wire);
    assert.equal(toHex(forms.ledgerId(genesis)), ledger);
    assert.equal(toHex(forms.foundingValidatorsDigest(genesis)), validators);
  }
});

test('validators: their digest', () => {
  for (const { wire, digest } of vectors('validators')) {
    assert.equal(toHex(forms.validatorsDigest(decode(forms.validatorSet, wire, MAX))), digest);
  }
});

test('certificate: what each validator signs', () => {
  for (const { wire, inputs, signed } of vectors('certificate')) {
    const certificate = decode(forms.certificate, wire, MAX);
    assert.equal(toHex(voteBytes(inputs['mechanism'] as 'simplex' | 'raft', hex(inputs['ledger']), certificate)), signed);
  }
});

test('certificate: checked by the mechanism that its validators say, and by no other', () => {
  for (const { wire, inputs } of vectors('certificate')) {
    const certificate = decode(forms.certificate, wire, MAX);
    const set = decode(forms.validatorSet, hex(inputs['validators']), MAX);
    const [own, other] = inputs['mechanism'] === 'raft' ? (['raft', 'simplex'] as const) : (['simplex', 'raft'] as const);
    const fault = (founding: forms.Mechanism, mechanism: forms.Mechanism | null) => certificateFault(certificate, founding, hex(inputs['ledger']), { ...set, mechanism }, verifySignature);
    for (const [founding, mechanism] of [[own, null], [own, own], [other, own]] as const) assert.equal(fault(founding, mechanism), undefined);
    for (const [founding, mechanism] of [[other, null], [other, other], [own, other]] as const) assert.match(fault(founding, mechanism) ?? '', /does not verify/);
  }
});

test('leaf and node: hashes and summaries', () => {
  for (const { wire, hash, summary } of vectors('leaf')) {
    const node = forms.nodeOfLeaf(decode(forms.leaf, wire, MAX));
    assert.equal(toHex(node.hash), hash);
    assert.equal(toHex(encode(forms.summary, node.summary)), summary);
  }
  for (const { wire, inputs, hash } of vectors('node')) {
    const [left, right] = [inputs['left'], inputs['right']].map((side) => decode(forms.node, hex(side), MAX));
    const joined = left && right && forms.join(left, right);
    assert.ok(joined);
    assert.equal(toHex(joined.hash), hash);
    assert.equal(toHex(encode(forms.node, joined)), toHex(wire));
  }
});

test('payload: built from its readings, with the header that announces it', () => {
  for (const { wire, inputs, digest, name } of vectors('payload')) {
    const readings = (inputs['readings'] as Record<string, unknown>[]).map((reading) => ({
      claimedMs: BigInt(reading['claimed_ms'] as number),
      receivedMs: BigInt(reading['received_ms'] as number),
      value: valueOf(reading['value'] as Record<string, unknown>),
    }));
    const announced = inputs['header'] as Record<string, unknown>;
    const { header, bytes } = forms.headerOf(hex(announced['stream']), BigInt(announced['first_seq'] as number), readings);
    assert.equal(toHex(bytes), toHex(wire), name);
    assert.equal(toHex(header.payloadDigest), digest);
    const text = (value: bigint | null): string | null => (value === null ? null : value.toString());
    assert.equal(header.count, announced['count']);
    assert.equal(header.sum.toString(), announced['sum']);
    assert.deepEqual([text(header.min), text(header.max)], [announced['min'], announced['max']]);
    assert.deepEqual([Number(header.timeMin), Number(header.timeMax)], [announced['time_min'], announced['time_max']]);
  }
});

function valueOf(value: Record<string, unknown>): forms.ReadingValue {
  const [[kind, content] = []] = Object.entries(value);
  if (kind === 'number') return { kind, mantissa: BigInt(content as string) };
  if (kind === 'bytes') return { kind, value: hex(content) };
  if (kind === 'text') return { kind, value: content as string };
  return { kind: 'boolean', value: content as boolean };
}

test('receipt: digest, root, leaf and statement', () => {
  for (const { wire, digest, root, leaf, statement } of vectors('receipt')) {
    const receiptDigest = forms.receiptDigest(decode(forms.receipt, wire, MAX));
    assert.equal(toHex(receiptDigest), digest);
    const receiptsRoot = forms.merkleRoot([receiptDigest]);
    assert.equal(toHex(receiptsRoot), root);
    assert.equal(toHex(forms.receiptsLeaf(42n, receiptsRoot)), leaf);
    assert.equal(toHex(forms.receiptsStatement(42n, [receiptsRoot, receiptsRoot])), statement);
  }
});

test('state path: leads to the value or shows that there is none', () => {
  for (const { wire, inputs, root, name } of vectors('state_path')) {
    const path = decode(forms.statePath, wire, MAX);
    const result = followStatePath(path, hex(root), hex(inputs['key']));
    const value = inputs['value'];
    assert.deepEqual(result, { value: value === null ? null : forms.sha256(hex(value)) }, name);
    assert.ok('fault' in followStatePath(path, forms.sha256(hex(root)), hex(inputs['key'])), name);
  }
});

test('Merkle paths prove every leaf and nothing else', () => {
  for (let count = 1; count < 20; count++) {
    const leaves = Array.from({ length: count }, (_, at) => forms.sha256(Uint8Array.of(at)));
    const root = forms.merkleRoot(leaves);
    for (const [index, leaf] of leaves.entries()) {
      const path = pathOf(leaves, index);
      assert.ok(forms.verifyMerklePath(root, leaf, index, count, path), `${index} of ${count}`);
      assert.ok(!forms.verifyMerklePath(root, toUtf8('other'), index, count, path));
      assert.ok(!forms.verifyMerklePath(root, leaf, index + 1, count, path));
      assert.ok(!forms.verifyMerklePath(root, leaf, index, count, [...path, root]));
    }
  }
});

/** The siblings of a leaf up to the root. */
function pathOf(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  let level = leaves.map((leaf) => forms.sha256(Uint8Array.of(0), leaf));
  const path: Uint8Array[] = [];
  for (let at = index; level.length > 1; at >>= 1) {
    const sibling = level[at ^ 1];
    if (sibling) path.push(sibling);
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, pair) => {
      const [left, right] = [level[2 * pair], level[2 * pair + 1]];
      return left && right ? forms.sha256(Uint8Array.of(1), left, right) : left ?? assert.fail();
    });
  }
  return path;
}
