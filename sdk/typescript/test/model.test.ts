// The client is in step with the description of the interface.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import { Client } from '../src/client/index.ts';
import type { GatewayReport } from '../src/client/model/index.ts';

const ROOT = new URL('../../', import.meta.url);
const ID = 'a'.repeat(64);

test('the forms are those of openapi.json; otherwise: npm run model', async () => {
  const { expected } = (await import(new URL('scripts/model.mjs', ROOT).href)) as { expected: () => Record<string, string> };
  const folder = new URL('src/client/model/', ROOT);
  const texts = expected();
  assert.deepEqual(readdirSync(folder).sort(), Object.keys(texts).sort());
  for (const [file, text] of Object.entries(texts)) assert.equal(readFileSync(new URL(file, folder), 'utf8'), text, file);
});

test('the quick start of the README is the example', () => {
  const readme = readFileSync(new URL('README.md', ROOT), 'utf8');
  assert.ok(readme.includes(readFileSync(new URL('examples/read.mjs', ROOT), 'utf8')));
});

test('every operation has a method, with the parameters of the operation', async () => {
  const asked: string[] = [];
  const answer = (url: string): Promise<Response> => {
    asked.push(new URL(url).pathname);
    return Promise.resolve(new Response('{"transactions":[],"items":[]}', { status: 200 }));
  };
  const client = new Client('http://peer.test/', { fetch: answer as typeof fetch });
  const stop = new AbortController();
  await Promise.all([
    client.health(), client.status(), client.peers(), client.network(), client.metrics(),
    client.account(ID), client.entities(), client.entity(ID), client.keys(ID), client.history(ID), client.notifications(ID),
    client.pending(ID), client.policies(ID), client.resolve('did:althing:demo:x'),
    client.things(), client.thing(ID), client.description(ID), client.property(ID, 'a/b'),
    client.stream(ID), client.readings(ID), client.latest(ID), client.aggregates(ID), client.taggedReadings('a/b', { property: 'x' }), client.gaps(ID),
    client.streamKey(ID, 1), client.erasures(ID), client.holders(ID), client.regulations(ID), client.agreement(ID), client.gateways(), client.reportGateway({} as GatewayReport),
    client.createWebhook({ url: 'http://hook.test/' }), client.webhooks(), client.pauseWebhook(ID, true), client.pauseWebhook(ID, false), client.deleteWebhook(ID),
    client.alarms(), client.peerChanges({ signal: stop.signal }).next().catch(() => undefined), client.alarmChanges({ signal: stop.signal }).next().catch(() => undefined), client.acknowledge(7), client.alarmLog(),
    client.operationLog(), client.configuration(), client.configurations(), client.checkConfiguration(''), client.applyConfiguration(''), client.stopPeer(),
    client.blocks(), client.block(7), client.transaction(ID), client.submit([{ wire: new Uint8Array(1) }]),
    client.proveReading(ID, 3), client.proveRange(ID), client.proveAggregate(ID), client.proveState('e/x'), client.proveReceipt(ID), client.proveRun(ID, 7),
    client.accessPolicies(ID), client.grants({ entity: ID }), client.grant(ID), client.accessFeed({ owner: ID }), client.explainAccess({}),
    client.commands(ID), client.command(ID), client.voucher(ID),
    client.supply(), client.holdings(), client.holding(ID), client.transfers(ID), client.escrows(ID), client.sponsored(ID),
    client.rewardsBy(ID), client.rewardsOf(ID), client.escrow(ID), client.reward(ID), client.candidates(), client.stake(ID),
    client.links(), client.link(ID), client.askedCalls(), client.askedCall(ID), client.takenCalls(), client.takenCall(ID, ID),
    client.governance(), client.policiesAt(7), client.proposals(), client.proposal(ID), client.consequence(new Uint8Array(1)),
    client.codes(), client.code(ID), client.codeModule(ID), client.contracts(), client.contract(ID), client.contractHistory(ID),
    client.askContract(ID, { message: '{}' }), client.tryOut(new Uint8Array(1)),
    client.services(), client.service(ID), client.serviceVersion(ID, '1.0.0'), client.serviceHistory(ID),
    client.triggers(), client.trigger(ID), client.triggerRuns(ID), client.tryTrigger(new Uint8Array(1), { owner: ID }),
    client.events({}, { signal: stop.signal, onConnection: () => stop.abort() }).next(),
  ]);
  const document = JSON.parse(readFileSync(new URL('../../docs/reference/openapi.json', ROOT), 'utf8')) as { paths: Record<string, object> };
  // A WebSocket is opened by the platform.
  const paths = Object.keys(document.paths).filter((path) => path !== '/v1/events/socket');
  const patterns = paths.map((path) => new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`));
  const matches = (pattern: RegExp): boolean => asked.some((path) => pattern.test(path));
  assert.deepEqual(patterns.filter((pattern) => !matches(pattern)).map(String), [], 'operations without a method');
  assert.deepEqual(asked.filter((path) => !patterns.some((pattern) => pattern.test(path))), [], 'requests that no peer knows');
});
