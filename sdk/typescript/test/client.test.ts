// The client against peers that refuse, break off, stay silent or lie.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Client, ConnectionError, EventParser, FormError, ProblemError, TimeoutError, type EventRecord } from '../src/client/index.ts';

type Answer = (url: URL, init: RequestInit) => Response | Promise<Response>;

function client(answer: Answer, timeoutMs?: number): Client {
  const send = async (url: string, init: RequestInit): Promise<Response> => answer(new URL(url), init);
  return new Client('http://peer.test', { fetch: send as typeof fetch, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
}

function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value), { status, headers });
}

const PROBLEM = { type: 'about:blank', title: 'Conflict', status: 409, code: 'nonce_reused', detail: 'It was used.', advice: 'Take the next.' };

test('a problem is an error with its code, and says what to do', async () => {
  const error = await client(() => json(PROBLEM, 409)).status().catch((caught: unknown) => caught);
  assert.ok(error instanceof ProblemError);
  assert.equal(error.code, 'nonce_reused');
  assert.equal(error.isTemporary, false);
  assert.equal(error.message, 'It was used. (nonce_reused) Take the next.');
  const busy = await client(() => json({ ...PROBLEM, status: 503, code: 'busy' }, 503)).status().catch((caught: unknown) => caught);
  assert.ok(busy instanceof ProblemError && busy.isTemporary);
});

test('what is no peer is told so', async () => {
  await assert.rejects(client(() => new Response('<html>', { status: 200 })).status(), FormError);
  await assert.rejects(client(() => new Response('<html>', { status: 502 })).status(), FormError);
  await assert.rejects(client(() => json({ status: 'x' }, 500)).status(), FormError);
  await assert.rejects(client(() => Promise.reject(new TypeError('refused'))).status(), ConnectionError);
  assert.throws(() => new Client('ftp://x'), TypeError);
});

test('a silent peer is given up, and so is a request by its caller', async () => {
  const silent: Answer = (_, { signal }) => new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
  await assert.rejects(client(silent, 5).status(), TimeoutError);
  // Begins in time and never ends: what came is not taken for the whole.
  const stalled: Answer = () => new Response(new ReadableStream({ start: (body) => body.enqueue(new TextEncoder().encode('{}')) }));
  await assert.rejects(client(stalled, 5).status(), TimeoutError);
  const stop = new AbortController();
  const asked = client(silent).status({ signal: stop.signal });
  stop.abort(new Error('enough'));
  await assert.rejects(asked, /enough/);
});

test('a peer that is not well says so, and that is no error', async () => {
  const health = { state: 'unavailable', reasons: [{ code: 'waiting_for_votes', detail: 'Waits.' }], height: 3 };
  assert.deepEqual(await client(() => json(health, 503)).health(), health);
});

test('ids are escaped, absent parameters left out', async () => {
  let asked: URL | undefined;
  const peer = client((url) => {
    asked = url;
    return json({});
  });
  await peer.property('did:althing:demo:x', '../status?a=b#c');
  assert.equal(asked?.pathname, '/v1/things/did%3Aalthing%3Ademo%3Ax/properties/..%2Fstatus%3Fa%3Db%23c');
  await peer.things({ name: 'a&b', limit: 5 });
  assert.equal(asked?.search, '?name=a%26b&limit=5');
});

test('a client reads what it wrote', async () => {
  const heights: (string | null)[] = [];
  const outcome = { height: 12, index: 0, time: { ms: 0, utc: '' }, receipt: { transaction: '', effect: 'applied', events: [] } };
  const peer = client((url, init) => {
    heights.push(new Headers(init.headers).get('althing-min-height'));
    if (url.pathname.startsWith('/v1/transactions/')) return json({ outcome });
    return url.pathname === '/v1/transactions' ? json({ transactions: [{ id: 'x', status: 'waiting' }] }) : json({}, 200, { 'althing-height': '14' });
  });
  assert.deepEqual(await peer.finalize({ wire: Uint8Array.of(1) }), outcome);
  await peer.status();
  assert.deepEqual(heights, [null, null, '12']);
  assert.equal(peer.height, 14);
});

test('a transaction that is not admitted is a problem', async () => {
  const peer = client(() => json({ transactions: [{ id: 'x', status: 'refused', problem: PROBLEM }] }));
  await assert.rejects(peer.finalize({ wire: Uint8Array.of(1) }), ProblemError);
  await assert.rejects(client(() => json({ transactions: [] })).finalize({ wire: Uint8Array.of(1) }), FormError);
});

test('events are cut wherever the chunks are', () => {
  const text = ': hello\n\nid: 1-0-0\nevent: bound\ndata: {"a":\ndata: 1}\n\ndata:x\r\n\r\n\n';
  for (let size = 1; size < text.length; size++) {
    const parser = new EventParser();
    const found: string[] = [];
    for (let at = 0; at < text.length; at += size) found.push(...parser.push(text.slice(at, at + size)));
    assert.deepEqual(found, ['{"a":\n1}', 'x'], `chunks of ${size}`);
  }
});

function event(cursor: string): string {
  return `id: ${cursor}\ndata: ${JSON.stringify({ cursor, height: 1 })}\n\n`;
}

test('a broken connection is opened again behind the last event', async () => {
  const resumed: (string | null)[] = [];
  const peer = client((_, init) => {
    resumed.push(new Headers(init.headers).get('last-event-id'));
    if (resumed.length === 2) return json({ ...PROBLEM, status: 503, code: 'busy' }, 503);
    return new Response(resumed.length === 1 ? event('1-0-0') + event('2-0-0') : event('3-0-0'));
  });
  const states: string[] = [];
  const found: EventRecord[] = [];
  const stop = new AbortController();
  for await (const record of peer.events({ after: '0-0-0' }, { signal: stop.signal, retryMs: 1, onConnection: (state) => states.push(state) })) {
    found.push(record);
    if (found.length === 3) break;
  }
  assert.deepEqual(found.map(({ cursor }) => cursor), ['1-0-0', '2-0-0', '3-0-0']);
  assert.deepEqual(resumed, ['0-0-0', '2-0-0', '2-0-0']);
  assert.deepEqual(states, ['open', 'lost', 'lost', 'open']);
});

test('a request for events that cannot succeed, an endless event and one that is no JSON end it', async () => {
  await assert.rejects(client(() => json({ ...PROBLEM, status: 400, code: 'invalid_cursor' }, 400)).events().next(), ProblemError);
  await assert.rejects(client(() => new Response('x'.repeat(70_000))).events().next(), FormError);
  await assert.rejects(client(() => new Response('data: {\n\n')).events().next(), FormError);
});
