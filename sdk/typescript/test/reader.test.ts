// Reading as somebody: the token of a reader, and the statements of usual policies.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { decode } from '../src/cbor/codec.ts';
import { Client } from '../src/client/index.ts';
import { directBytes, directId, directUse, directUseBytes, readerBytes, requestBytes, signedRequest, SigningKey, type Suite } from '../src/forms/index.ts';
import { actPurpose, operateAs, policyStatement, readAs, Signer, type Template } from '../src/sign/index.ts';
import { toHex } from '../src/text/index.ts';
import { hex, vectors } from './vectors.ts';

test('the token of a reader is the pinned one', () => {
  for (const { inputs, wire, signed, name } of vectors('reader_token')) {
    const key = SigningKey.fromSecret(inputs['suite'] as Suite, hex(inputs['secret']));
    const [ledger, peer, entity] = ['ledger', 'peer', 'entity'].map((field) => hex(inputs[field])) as [Uint8Array, Uint8Array, Uint8Array];
    const [purpose, untilMs] = [inputs['purpose'] as string, BigInt(inputs['until_ms'] as number)];
    assert.equal(toHex(readerBytes({ ledger, peer, entity, purpose, untilMs })), signed, name);
    assert.equal(new Signer(ledger, entity, key).readerToken(peer, purpose, untilMs), toHex(wire), name);
  }
});

test('a direct request, and what came of it, are signed as pinned', () => {
  for (const { inputs, wire, signed, name } of vectors('direct_request')) {
    const one = decode(signedRequest, wire, 4096);
    assert.equal(toHex(directBytes(one.request)), signed, name);
    assert.equal(toHex(directId(one.request)), inputs['id'], name);
    assert.equal(toHex(requestBytes(one)), toHex(wire), name);
  }
  for (const { wire, signed, name } of vectors('direct_use')) assert.equal(toHex(directUseBytes(decode(directUse, wire, 4096))), signed, name);
});

test('a client says who reads until it is told to stop', async () => {
  const said: (string | undefined)[] = [];
  const answer = (_: string, init: RequestInit): Promise<Response> => {
    said.push((init.headers as Record<string, string>)['authorization']);
    return Promise.resolve(new Response(JSON.stringify({ key: '07'.repeat(32) }), { status: 200 }));
  };
  const client = new Client('http://peer.test', { fetch: answer as typeof fetch });
  const key = SigningKey.fromSecret('ed25519', new Uint8Array(32).fill(1));
  await readAs(client, new Signer('01'.repeat(32), '02'.repeat(32), key), 'billing');
  await client.status();
  await client.peers();
  client.readAs(undefined);
  await client.status();
  const [first, second, third, last] = said;
  assert.deepEqual([first, last], [undefined, undefined]);
  assert.match(second ?? '', /^Bearer 82855820(01){32}5820(07){32}5820(02){32}6762696c6c696e67[0-9a-f]+$/);
  // Made once, for signing costs time and tells nothing new.
  assert.equal(third, second);
});

test('each act of an operator has a token of its own, and looks share a purpose', async () => {
  // As `althing_client::operating` has it.
  assert.equal(actPurpose('POST', '/v1/operation/stop', new Uint8Array()), 'operate:77996292928e83a887e1dfee79074ac6');
  const said: string[] = [];
  const answer = (_: string, init: RequestInit): Promise<Response> => {
    said.push((init.headers as Record<string, string>)['authorization'] ?? '');
    return Promise.resolve(new Response(JSON.stringify({ key: '07'.repeat(32) }), { status: 200 }));
  };
  const client = new Client('http://peer.test', { fetch: answer as typeof fetch });
  const key = SigningKey.fromSecret('ed25519', new Uint8Array(32).fill(1));
  await operateAs(client, new Signer('01'.repeat(32), '02'.repeat(32), key));
  await client.stopPeer();
  await client.stopPeer();
  await client.acknowledge(7, 'seen');
  await client.operationLog();
  const purpose = (text: string): string => toHex(new TextEncoder().encode(text));
  const [, stop, again, acknowledge, look] = said;
  assert.notEqual(stop, again);
  for (const one of [stop, again]) assert.ok(one?.includes(purpose('operate:77996292928e83a887e1dfee79074ac6')), one);
  const seen = actPurpose('POST', '/v1/alarms/7/acknowledge', new TextEncoder().encode('{"note":"seen"}'));
  assert.ok(acknowledge?.includes(purpose(seen)), acknowledge);
  // In CBOR a text of seven letters is led by 67.
  assert.ok(look?.includes(`67${purpose('operate')}`), look);
});

test('templates are the statements that the command line writes', () => {
  const who = 'ab'.repeat(32);
  const rows: [Template, string][] = [
    [{ kind: 'everyone', rights: ['read', 'subscribe'] }, 'permit (principal, action in [Action::"read", Action::"subscribe"], resource);'],
    [{ kind: 'organisation', who, rights: ['read'], purpose: 'billing' }, `permit (principal in Entity::"${who}", action in [Action::"read"], resource)\nwhen { context.purpose == "billing" };`],
    [{ kind: 'entity', who, rights: ['invoke'] }, `permit (principal == Entity::"${who}", action in [Action::"invoke"], resource);`],
    [{ kind: 'kind', of: 'auditor', rights: ['read'], purpose: 'a "b" \\ c' }, 'permit (principal, action in [Action::"read"], resource)\nwhen { principal.kind == "auditor" && context.purpose == "a \\"b\\" \\\\ c" };'],
    [{ kind: 'deny', who }, `forbid (principal in Entity::"${who}", action, resource);`],
  ];
  for (const [template, statement] of rows) assert.equal(policyStatement(template), statement);
  assert.throws(() => policyStatement({ kind: 'everyone', rights: [] }), /right/);
  assert.throws(() => policyStatement({ kind: 'entity', who, rights: ['read'], purpose: 'two\nlines' }), /purpose/);
});
