// Transactions: built from the inputs of the vectors and signed to the same bytes.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SigningKey, bodyFor, codeKey, merkleRoot, verifyMerklePath, voucherLeaf, decodeTransaction, signTransaction, signedBytes, verifySignature, type Change, type Genesis, type Suite, type Terms } from '../src/forms/index.ts';
import type { Action, ActionKind, Cause, Effect, EntityKind, KeyShare, Manifest, ServiceStatus, Trigger } from '../src/sign/index.ts';
import { parseVersion } from '../src/forms/service.ts';
import { actions, Signer } from '../src/sign/index.ts';
import { fromUtf8, toDecimal, toHex, toUtf8 } from '../src/text/index.ts';
import { sha256 } from '../src/forms/digest.ts';
import { directId, type DirectUse } from '../src/forms/direct.ts';
import { hex, vectors } from './vectors.ts';

type Json = Record<string, unknown>;

/** The action that a vector describes. */
function actionOf(json: Json): Action {
  const text = (field: string): string => json[field] as string;
  const number = (field: string): number => json[field] as number;
  const ids = (field: string): Uint8Array[] => (json[field] as string[]).map(hex);
  switch (text('kind')) {
    case 'register_entity':
      return { kind: 'register_entity', inception: inceptionOf(json['inception'] as Json), possession: hex(json['possession']) };
    case 'rotate_key': {
      const key = { suite: text('suite') as Suite, bytes: hex(json['key']) };
      return { kind: 'rotate_key', entity: hex(json['entity']), key, possession: hex(json['possession']) };
    }
    case 'revoke_entity':
      return actions.revokeEntity(text('entity'));
    case 'register_thing':
      return actions.registerThing(text('name'), text('description'));
    case 'update_thing':
      return actions.updateThing(text('thing'), number('replaces'), text('description'));
    case 'bind':
      return actions.bind(text('thing'), text('gateway'), BigInt(number('until_height')));
    case 'unbind':
      return actions.unbind(text('thing'), text('gateway'));
    case 'submit_batch':
      return { kind: 'submit_batch', batch: batchOf(json) };
    case 'record':
      return actions.record(text('record_kind'), hex(json['data']), ids('notify'), json['link'] ? text('link') : undefined);
    case 'set_approval_policy':
      return actions.setApprovalPolicy(text('action_kind') as ActionKind, number('threshold'), ids('approvers'), number('patience_blocks'));
    case 'approve':
      return actions.approve(text('pending'));
    case 'reject':
      return actions.reject(text('pending'));
    case 'retire_thing':
      return actions.retireThing(text('thing'));
    case 'propose':
      return actions.propose(changeOf(json), text('reason'));
    case 'vote':
      return actions.vote(text('proposal'), json['accept'] as boolean);
    case 'enact':
      return actions.enact(text('proposal'));
    case 'withdraw_proposal':
      return actions.withdrawProposal(text('proposal'));
    case 'set_access_policy': {
      const form = { resource: resourceOf(json), mode: text('mode') as 'open', text: text('text') };
      const lasts = { patienceBlocks: number('patience_blocks'), grantBlocksMax: BigInt(number('grant_blocks_max')) };
      return { kind: 'set_access_policy', policy: { ...form, ...lasts, ask: json['ask'] ? hex(json['ask']) : null } };
    }
    case 'remove_access_policy':
      return { kind: 'remove_access_policy', resource: resourceOf(json) };
    case 'request_access': {
      const form = { resource: resourceOf(json), right: text('right') as 'read', purpose: text('purpose') };
      return { kind: 'request_access', request: { ...form, countMax: number('count_max'), untilHeight: BigInt(number('until_height')) } };
    }
    case 'answer_access':
      return { kind: 'answer_access', request: hex(json['request']), allow: json['allow'] as boolean };
    case 'revoke_grant':
      return { kind: 'revoke_grant', grant: hex(json['grant']) };
    case 'use_grant':
      return { kind: 'use_grant', grant: hex(json['grant']) };
    case 'record_access':
      return { kind: 'record_access', uses: (json['uses'] as Json[]).map(useOf) };
    case 'record_direct':
      return { kind: 'record_direct', uses: (json['uses'] as Json[]).map(directUseOf) };
    case 'tag_thing':
      return actions.tagThing(hex(json['thing']), json['tags'] as string[]);
    default:
      return onboardingOf(json);
  }
}

function keyOf(json: Json): { suite: Suite; bytes: Uint8Array } {
  return { suite: json['suite'] as Suite, bytes: hex(json['key']) };
}

/** Actions by which things join, pass on, say how they are and are commanded. */
function onboardingOf(json: Json): Action {
  const text = (field: string): string => json[field] as string;
  const thing = json['thing'] === undefined ? new Uint8Array() : hex(json['thing']);
  const bytesOrNull = (field: string): Uint8Array | null => (json[field] === null ? null : hex(json[field]));
  switch (text('kind')) {
    case 'offer_thing': {
      const form = json['offer'] as Json | null;
      if (form === null) return actions.offerThing(thing);
      if (form['to']) return actions.offerThing(thing, form['to'] as string, BigInt(form['until_height'] as number));
      const to = { kind: 'code', key: keyOf(form['code'] as Json) } as const;
      return { kind: 'offer_thing', thing, offer: { to, untilHeight: BigInt(form['until_height'] as number) } };
    }
    case 'accept_thing': {
      const form = json['claim'] as Json | null;
      const claim = form && { key: keyOf(form['code'] as Json), signature: hex(form['signature']) };
      return { kind: 'accept_thing', thing, claim };
    }
    case 'limit_binding':
      return { kind: 'limit_binding', thing, gateway: hex(json['gateway']), limit: json['limit'] as { properties: string[]; commands: boolean } | null };
    case 'report_status': {
      const [latitude, longitude] = json['place'] as [number, number];
      const place = { latitude: toDecimal(BigInt(latitude), 7), longitude: toDecimal(BigInt(longitude), 7) };
      const said = { online: json['online'] as boolean | null, firmware: json['firmware'] as string | null };
      return actions.reportStatus(thing, { place, ...(said.online === null ? {} : { online: said.online }), ...(said.firmware === null ? {} : { firmware: said.firmware }) });
    }
    case 'issue_voucher': {
      const voucher = { owner: hex(json['owner']), root: hex(json['root']), count: json['count'] as number, description: toUtf8(text('description')) };
      return { kind: 'issue_voucher', voucher };
    }
    case 'revoke_voucher':
      return { kind: 'revoke_voucher', voucher: hex(json['voucher']) };
    case 'join_by_voucher': {
      const path = (json['path'] as string[]).map(hex);
      const join = { voucher: hex(json['voucher']), index: json['index'] as number, inception: inceptionOf(json['inception'] as Json), path };
      return { kind: 'join_by_voucher', join };
    }
    case 'command':
      return actions.command(thing, operationOf(json), BigInt(json['until_ms'] as number), (json['purpose'] as string | null) ?? undefined);
    case 'report_command':
      return { kind: 'report_command', report: { command: hex(json['command']), state: text('state') as 'done', result: bytesOrNull('result') } };
    case 'cancel_command':
      return actions.cancelCommand(text('command'));
    case 'quarantine':
      return actions.quarantine(thing, (json['reason'] as string | null) ?? undefined);
    default:
      return contractOf(json);
  }
}

/** Actions about code and contracts. */
function contractOf(json: Json): Action {
  const id = (field: string): Uint8Array => hex(json[field]);
  const number = (field: string): number => json[field] as number;
  const message = (): string => fromUtf8(hex(json['message'])) ?? assert.fail('no text');
  const amount = (field: string): bigint => BigInt(json[field] as string);
  const height = (): bigint => BigInt(number('until_height'));
  switch (json['kind']) {
    case 'upload_code':
      return { kind: 'upload_code', code: id('code'), part: number('part'), bytes: id('bytes') };
    case 'store_code':
      return { kind: 'store_code', code: id('code'), parts: number('parts'), meta: json['meta'] as { name: string; source: string; interfaces: string[] } };
    case 'remove_code':
      return actions.removeCode(id('code'));
    case 'instantiate':
      return actions.instantiate(id('code'), json['name'] as string, termsOf(json['terms'] as Json), message(), BigInt(number('gas_limit')));
    case 'execute':
      return actions.execute(id('contract'), message(), BigInt(number('gas_limit')), json['funds'] === undefined ? null : amount('funds'));
    case 'transfer':
      return actions.transfer(id('to'), amount('amount'), json['memo'] as string);
    case 'burn_tokens':
      return actions.burnTokens(amount('amount'));
    case 'open_escrow':
      return actions.openEscrow(id('payee'), amount('amount'), height(), json['arbiter'] === null ? undefined : id('arbiter'), json['memo'] as string);
    case 'release_escrow':
      return actions.releaseEscrow(id('escrow'));
    case 'refund_escrow':
      return actions.refundEscrow(id('escrow'));
    case 'sweep_account':
      return actions.sweepAccount(id('account'));
    case 'sponsor':
      return actions.sponsor(id('entity'), amount('per_day'), amount('total'), height());
    case 'end_sponsorship':
      return actions.endSponsorship(id('entity'));
    case 'offer_reward': {
      const terms = { perBatch: amount('per_batch'), perReading: amount('per_reading'), perDay: amount('per_day'), fund: amount('fund'), untilHeight: height() };
      return actions.offerReward(id('stream'), terms);
    }
    case 'fund_reward':
      return actions.fundReward(id('reward'), amount('amount'));
    case 'end_reward':
      return actions.endReward(id('reward'));
    case 'stake': {
      const seat = json['seat'] as Json | null;
      const said = seat && { key: hex(seat['key']), address: seat['address'] as string, possession: hex(seat['possession']) };
      return { kind: 'stake', stake: { peer: id('peer'), amount: amount('amount'), seat: said } };
    }
    case 'unstake':
      return actions.unstake(id('peer'), json['amount'] === null ? undefined : amount('amount'));
    case 'report_double_vote': {
      const vote = (form: Json) => ({
        phase: form['phase'] as 'notarize' | 'nullify' | 'finalize',
        parentView: BigInt(form['parent_view'] as number),
        block: hex(form['block']),
        signature: hex(form['signature']),
      });
      const votes = { key: id('key'), epoch: BigInt(number('epoch')), view: BigInt(number('view')), first: vote(json['first'] as Json), second: vote(json['second'] as Json) };
      return { kind: 'report_double_vote', votes };
    }
    case 'collect_stake':
      return actions.collectStake(id('peer'));
    case 'migrate':
      return actions.migrate(id('contract'), id('code'), message(), BigInt(number('gas_limit')));
    case 'set_admin':
      return actions.setAdmin(id('contract'), json['admin'] === null ? undefined : id('admin'));
    case 'freeze_contract':
      return actions.changeContract('freeze', id('contract'));
    case 'thaw_contract':
      return actions.changeContract('thaw', id('contract'));
    case 'terminate_contract':
      return actions.changeContract('terminate', id('contract'));
    case 'accept_contract':
    case 'decline_contract':
      return actions.answerContract(id('contract'), json['kind'] === 'accept_contract');
    case 'publish_service':
      return actions.publishService(manifestOf(json));
    case 'set_service_status':
      return actions.setServiceStatus(id('service'), json['version'] as string, json['status'] as ServiceStatus);
    case 'register_link':
      return actions.registerLink(hex(json['genesis']));
    case 'advance_link':
      return { kind: 'advance_link', told: { link: id('link'), proof: hex(json['proof']) } };
    case 'report_fork':
      return { kind: 'report_fork', told: { link: id('link'), first: hex(json['first']), second: hex(json['second']) } };
    case 'set_link_status':
      return actions.setLinkStatus(id('link'), json['status'] as 'ended');
    case 'ask_ledger': {
      const paid = json['payment'] as Json | null;
      const payment = paid === null ? undefined : { payee: hex(paid['payee']), amount: BigInt(paid['amount'] as string) };
      return actions.askLedger(id('ledger'), id('service'), BigInt(number('deadline_ms')), BigInt(number('grace_ms')), hex(json['request']), payment);
    }
    case 'take_call':
      return { kind: 'take_call', proof: hex(json['proof']) };
    case 'answer_call':
      return actions.answerCall(id('ledger'), id('call'), json['accepted'] as boolean, hex(json['answer']));
    case 'settle_call':
      return { kind: 'settle_call', told: { call: id('call'), proof: hex(json['proof']) } };
    case 'refund_call':
      return actions.refundCall(id('call'));
    case 'set_agreement_key':
      return actions.setAgreementKey(id('key'));
    case 'rotate_stream_key':
      return actions.rotateStreamKey(id('stream'), number('number'), sharesOf(json));
    case 'share_stream_key':
      return actions.shareStreamKey(id('stream'), number('number'), sharesOf(json));
    case 'place_stream':
      return actions.placeStream(id('stream'), json['organisations'] as string[], json['copies'] as number | null, json['retention_days'] as number | null);
    case 'erase_readings':
      return actions.eraseReadings(id('stream'), BigInt(number('first_seq')), BigInt(number('last_seq')));
    case 'confirm_erasure':
      return { kind: 'confirm_erasure', stream: id('stream'), erasure: number('erasure') };
    default:
      return triggerActionOf(json);
  }
}

function sharesOf(json: Json): KeyShare[] {
  return (json['shares'] as Json[]).map((share) => ({ reader: hex(share['reader']), to: hex(share['to']), enc: hex(share['enc']), wrapped: hex(share['wrapped']) }));
}

function manifestOf(json: Json): Manifest {
  const texts = (field: string): string[] => json[field] as string[];
  const text = (field: string): string => json[field] as string;
  const contract = json['contract'] === null ? null : hex(json['contract']);
  const outside = { kind: 'outside', endpoints: texts('endpoints'), contract } as const;
  const rule = json['price_rule'] as { amount: number; currency: string; per: string } | null;
  return {
    name: text('name'),
    version: parseVersion(text('version')) ?? assert.fail('no version'),
    text: text('text'),
    interfaces: texts('interfaces'),
    tags: texts('tags'),
    schema: json['schema'] === null ? null : toUtf8(text('schema')),
    offered: json['entity'] === null ? { kind: 'contract', contract: contract ?? assert.fail('no contract') } : { ...outside, entity: hex(json['entity']) },
    purpose: text('purpose'),
    needs: json['needs'] as Manifest['needs'],
    price: { text: text('price'), rule: rule && { ...rule, amount: BigInt(rule.amount) } },
    listing: json['listing'] as 'everyone',
  };
}

/** Actions about triggers. */
function triggerActionOf(json: Json): Action {
  switch (json['kind']) {
    case 'set_trigger':
      return actions.setTrigger(triggerOf(json));
    case 'remove_trigger':
      return actions.changeTrigger('remove', hex(json['trigger']));
    case 'suspend_trigger':
      return actions.changeTrigger('suspend', hex(json['trigger']));
    case 'resume_trigger':
      return actions.changeTrigger('resume', hex(json['trigger']));
    default:
      return assert.fail(`no action ${String(json['kind'])}`);
  }
}

function triggerOf(json: Json): Trigger {
  return { name: json['name'] as string, cause: causeOf(json['cause'] as Json), effect: effectOf(json['effect'] as Json) };
}

function causeOf(json: Json): Cause {
  const big = (field: string): bigint => BigInt(json[field] as number);
  switch (json['kind']) {
    case 'reading':
      return { kind: 'reading', stream: hex(json['stream']), relation: json['relation'] as '<', bound: big('bound'), forMs: big('for_ms') };
    case 'silence':
      return { kind: 'silence', stream: hex(json['stream']), forMs: big('for_ms') };
    case 'time':
      return { kind: 'time', firstMs: big('first_ms'), everyMs: big('every_ms') };
    case 'contract':
      return { kind: 'contract', contract: hex(json['contract']), event: json['event'] as string };
    case 'recorded':
      return { kind: 'recorded', sender: hex(json['sender']), recordKind: json['record_kind'] as string };
    case 'commanded':
      return { kind: 'commanded', thing: hex(json['thing']), state: json['state'] as 'done' };
    default:
      return assert.fail(`no cause ${String(json['kind'])}`);
  }
}

function effectOf(json: Json): Effect {
  switch (json['kind']) {
    case 'call':
      return { kind: 'call', contract: hex(json['contract']), message: hex(json['message']), gasLimit: BigInt(json['gas_limit'] as number) };
    case 'command': {
      const form = { thing: hex(json['thing']), operation: operationOf(json), purpose: json['purpose'] as string | null };
      return { kind: 'command', ...form, lifeMs: BigInt(json['life_ms'] as number) };
    }
    case 'record': {
      const written = { kind: json['record_kind'] as string, data: hex(json['data']), notify: (json['notify'] as string[]).map(hex) };
      return { kind: 'record', record: { ...written, link: json['link'] === null ? null : hex(json['link']) } };
    }
    default:
      return assert.fail(`no effect ${String(json['kind'])}`);
  }
}

function termsOf(json: Json): Terms {
  const ids = (field: string): Uint8Array[] => (json[field] as string[]).map(hex);
  const decided = { threshold: json['threshold'] as number, patienceBlocks: json['patience_blocks'] as number };
  return { admin: json['admin'] === null ? null : hex(json['admin']), participants: ids('participants'), ...decided, callers: ids('callers') };
}

function operationOf(json: Json): Extract<Action, { kind: 'command' }>['command']['operation'] {
  const target = json['target'] as string;
  switch (json['operation']) {
    case 'read':
      return { kind: 'read', property: target };
    case 'write':
      return { kind: 'write', property: target, value: { kind: 'number', mantissa: BigInt(json['number'] as number) } };
    default:
      return { kind: 'invoke', action: target, input: json['input'] === null ? null : hex(json['input']) };
  }
}

function feesOf(json: Json): { perTransaction: bigint; perByte: bigint; perMillionGas: bigint } {
  const price = (field: string): bigint => BigInt(json[field] as number);
  return { perTransaction: price('per_transaction'), perByte: price('per_byte'), perMillionGas: price('per_million_gas') };
}

function changeOf(json: Json): Change {
  const id = (field: string): Uint8Array => hex(json[field]);
  const number = (field: string): number => json[field] as number;
  switch (json['change']) {
    case 'add_organisation':
      return { kind: 'add_organisation', inception: inceptionOf(json['inception'] as Json), possession: id('possession') };
    case 'remove_organisation':
      return { kind: 'remove_organisation', organisation: id('organisation') };
    case 'add_peer':
      return { kind: 'add_peer', seat: { peer: id('peer'), key: id('vote_key'), address: json['address'] as string } };
    case 'remove_peer':
      return { kind: 'remove_peer', peer: id('peer') };
    case 'rotate_voting_key':
      return { kind: 'rotate_voting_key', peer: id('peer'), key: id('vote_key') };
    case 'set_parameters': {
      const parameters = {
        blockBytesMax: number('block_bytes_max'),
        blockTransactionsMax: number('block_transactions_max'),
        heartbeatMs: number('heartbeat_ms'),
        leaderTimeoutMs: number('leader_timeout_ms'),
        clockDriftMaxMs: number('clock_drift_max_ms'),
        claimAheadMaxMs: BigInt(number('claim_ahead_max_ms')),
        sequenceWindow: BigInt(number('sequence_window')),
        contractGasTransactionMax: BigInt(number('contract_gas_transaction_max')),
        contractGasBlockMax: BigInt(number('contract_gas_block_max')),
        reads: 'open' as const,
        epochBlocks: number('epoch_blocks'),
        fees: json['fees'] === undefined ? null : feesOf(json['fees'] as Json),
        stake: null,
        participation: (json['participation'] ?? null) as Genesis['parameters']['participation'],
      };
      return { kind: 'set_parameters', parameters };
    }
    case 'mint_tokens':
      return { kind: 'mint_tokens', to: id('to'), amount: BigInt(json['amount'] as string) };
    case 'freeze_account':
      return { kind: 'freeze_account', account: id('account'), frozen: json['frozen'] as boolean };
    case 'set_regulation': {
      const said = json['regulation'] as Json;
      const days = (name: string): number | null => said[name] as number | null;
      const holders = (said['holders'] as string[]).map(hex);
      const demands = { retentionDaysMin: days('retention_days_min'), retentionDaysMax: days('retention_days_max'), holders, confidential: said['confidential'] as boolean };
      const own = (name: string): string => said[name] as string;
      const words = { id: own('id'), text: own('text'), reference: own('reference'), jurisdiction: own('jurisdiction') };
      return { kind: 'set_regulation', regulation: { ...words, thingType: said['thing_type'] as string | null, demands } };
    }
    case 'end_regulation':
      return { kind: 'end_regulation', id: json['id'] as string };
    case 'set_mechanism':
      return { kind: 'set_mechanism', wanted: { mechanism: json['mechanism'] as 'simplex' | 'raft', fromHeight: BigInt(json['from_height'] as number) } };
    case 'set_voting_rule': {
      const share = { numerator: number('numerator'), denominator: number('denominator') };
      return { kind: 'set_voting_rule', rule: { ...share, patienceBlocks: number('patience_blocks'), timelockBlocks: number('timelock_blocks') } };
    }
    default:
      return assert.fail(`no change ${String(json['change'])}`);
  }
}
function resourceOf(json: Json): Extract<Action, { kind: 'remove_access_policy' }>['resource'] {
  const form = json['resource'] as Json;
  const name = (form['property'] ?? form['action']) as string;
  if ('property' in form) return { kind: 'property', thing: hex(form['thing']), name };
  if ('action' in form) return { kind: 'action', thing: hex(form['thing']), name };
  if ('thing' in form) return { kind: 'thing', thing: hex(form['thing']) };
  if ('service' in form) return { kind: 'service', service: hex(form['service']) };
  if ('contract' in form) return { kind: 'contract', contract: hex(form['contract']) };
  return { kind: 'everything', owner: hex(form['everything']) };
}

function useOf(json: Json): Extract<Action, { kind: 'record_access' }>['uses'][number] {
  const big = (field: string): bigint => BigInt(json[field] as number);
  return { grant: hex(json['grant']), count: json['count'] as number, firstMs: big('first_ms'), lastMs: big('last_ms') };
}

function directUseOf(json: Json): DirectUse {
  const big = (field: string): bigint => BigInt(json[field] as number);
  const [ledger, gateway, caller, thing] = ['ledger', 'gateway', 'caller', 'thing'].map((field) => hex(json[field])) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const request = { ledger, gateway, caller, thing, operation: operationOf(json), purpose: json['purpose'] as string, number: big('number'), untilMs: big('until_ms') };
  assert.equal(toHex(directId(request)), json['id']);
  const result = json['result'] === null ? null : hex(json['result']);
  return { request: { request, key: keyOf(json), signature: hex(json['signature']) }, grant: hex(json['grant']), state: json['state'] as 'done', servedMs: big('served_ms'), result };
}

function inceptionOf(json: Json): Extract<Action, { kind: 'register_entity' }>['inception'] {
  const key = { suite: json['suite'] as Suite, bytes: hex(json['key']) };
  return { kind: json['kind'] as EntityKind, name: json['name'] as string, key };
}

function batchOf(json: Json): Extract<Action, { kind: 'submit_batch' }>['batch'] {
  const big = (field: string): bigint => BigInt(json[field] as string | number);
  return {
    stream: hex(json['stream']),
    firstSeq: big('first_seq'),
    count: json['count'] as number,
    timeMin: big('time_min'),
    timeMax: big('time_max'),
    min: big('min'),
    max: big('max'),
    sum: big('sum'),
    payloadDigest: hex(json['payload_digest']),
    payloadLength: json['payload_len'] as number,
  };
}

for (const { name, wire, inputs, id } of vectors('transaction')) {
  test(`${name}: signed to the same bytes`, () => {
    const ledger = hex(inputs['ledger']);
    const signers = (inputs['signers'] as Json[]).map((each) => ({
      entity: hex(each['signer']),
      key: SigningKey.fromSecret((each['suite'] as Suite | undefined) ?? 'ed25519', hex(each['secret'])),
      signed: each['signed'] as string,
    }));
    const [sender, ...others] = signers;
    assert.ok(sender);
    const list = (inputs['actions'] as Json[]).map(actionOf);
    const body = bodyFor(ledger, hex(inputs['sender']), BigInt(inputs['nonce'] as string), BigInt(inputs['expiry_height'] as string), list);
    const transaction = signTransaction(ledger, body, sender.key, others);
    assert.equal(toHex(transaction.wire), toHex(wire));
    assert.equal(toHex(transaction.id), id);
    for (const { entity, key, signed } of signers) {
      const message = signedBytes(ledger, body, entity, key.suite, signers.length > 1);
      if (signed !== undefined) assert.equal(toHex(message), signed);
    }
  });

  test(`${name}: read, its signatures hold, and nothing cut off or added is read`, () => {
    const { body, signatures } = decodeTransaction(wire);
    for (const [at, { signer, suite, signature }] of signatures.entries()) {
      const json = (inputs['signers'] as Json[])[at];
      const key = SigningKey.fromSecret(suite, hex(json?.['secret'])).publicKey;
      const message = signedBytes(hex(inputs['ledger']), body, signer, suite, signatures.length > 1);
      assert.ok(verifySignature(key, message, signature));
      assert.ok(!verifySignature(key, Uint8Array.of(...message, 0), signature));
    }
    for (let length = 0; length < wire.length; length++) assert.throws(() => decodeTransaction(wire.slice(0, length)));
    assert.throws(() => decodeTransaction(Uint8Array.of(...wire, 0)));
  });
}

test('what a peer would refuse is refused before it is sent', () => {
  const ledger = new Uint8Array(32).fill(9);
  const key = SigningKey.fromSecret('ed25519', new Uint8Array(32).fill(7));
  const { entity } = actions.registerEntity(ledger, 'organisation', 'A', key);
  const signer = new Signer(ledger, entity, key);
  const record = actions.record('note', toUtf8('1'));
  for (const wrong of [
    [],
    Array.from({ length: 65 }, () => record),
    [actions.record('', toUtf8('1'))],
    [actions.record('a\nb', toUtf8('1'))],
    [actions.record('note', new Uint8Array(16_385))],
    [actions.registerThing('x'.repeat(65), '{}')],
    [actions.registerThing('x', '')],
    [actions.setApprovalPolicy('bind', 2, [entity], 5)],
  ]) {
    assert.throws(() => signer.sign(0n, 10n, wrong));
  }
  assert.equal(signer.sign(0n, 10n, [record]).body.nonce, 0n);
});

test('a trigger is sent only within its bounds', () => {
  const yearMs = 366n * 24n * 3_600_000n;
  const monthMs = 30n * 24n * 3_600_000n;
  const id = new Uint8Array(32);
  const gasMax = 100_000_000_000n;
  const reading: Cause = { kind: 'reading', stream: id, relation: '>', bound: 8n, forMs: 0n };
  const note: Effect = { kind: 'record', record: { kind: 'note', data: id, notify: [], link: null } };
  const key = SigningKey.fromSecret('ed25519', new Uint8Array(32).fill(7));
  const signer = new Signer(id, id, key);
  const sign = (cause: Cause, effect: Effect, name = 'x'): void => void signer.sign(0n, 10n, [actions.setTrigger({ name, cause, effect })]);
  const command = (lifeMs: bigint, action: string, purpose: string | null = null): Effect => {
    return { kind: 'command', thing: id, operation: { kind: 'invoke', action, input: null }, lifeMs, purpose };
  };
  const call = (message: Uint8Array, gasLimit: bigint): Effect => ({ kind: 'call', contract: id, message, gasLimit });
  const causes: [Cause, boolean][] = [
    [{ ...reading, forMs: yearMs }, true],
    [{ ...reading, forMs: yearMs + 1n }, false],
    [{ kind: 'silence', stream: id, forMs: 1n }, true],
    [{ kind: 'silence', stream: id, forMs: 0n }, false],
    [{ kind: 'silence', stream: id, forMs: yearMs + 1n }, false],
    [{ kind: 'time', firstMs: 0n, everyMs: yearMs }, true],
    [{ kind: 'time', firstMs: 0n, everyMs: yearMs + 1n }, false],
    [{ kind: 'contract', contract: id, event: '' }, false],
    [{ kind: 'recorded', sender: id, recordKind: 'a\nb' }, false],
  ];
  const effects: [Effect, boolean][] = [
    [call(toUtf8('{}'), gasMax), true],
    [call(toUtf8('{}'), gasMax + 1n), false],
    [call(toUtf8('{}'), 0n), false],
    [call(new Uint8Array(), 1n), false],
    [command(monthMs, 'on', 'comfort'), true],
    [command(monthMs + 1n, 'on'), false],
    [command(0n, 'on'), false],
    [command(1n, ''), false],
    [command(1n, 'on', ''), false],
    [{ kind: 'record', record: { kind: 'note', data: new Uint8Array(16_385), notify: [], link: null } }, false],
    [{ kind: 'record', record: { kind: 'note', data: id, notify: Array.from({ length: 17 }, () => id), link: null } }, false],
  ];
  const rows = [...causes.map(([cause, fits]) => ({ cause, effect: note, fits })), ...effects.map(([effect, fits]) => ({ cause: reading, effect, fits }))];
  for (const { cause, effect, fits } of rows) {
    if (fits) sign(cause, effect);
    else assert.throws(() => sign(cause, effect), /out of bounds/, JSON.stringify([cause, effect], (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)));
  }
  for (const name of ['', 'x'.repeat(65)]) assert.throws(() => sign(reading, note, name), /out of bounds/);
});

test('a manifest is sent only within its bounds', () => {
  const id = new Uint8Array(32);
  const signer = new Signer(id, id, SigningKey.fromSecret('ed25519', new Uint8Array(32).fill(7)));
  const outside = (...endpoints: string[]): Manifest['offered'] => ({ kind: 'outside', entity: id, endpoints, contract: null });
  const good: Manifest = {
    name: 'forecast',
    version: { major: 1, minor: 0, patch: 0 },
    text: 'What it will be\ntomorrow',
    interfaces: ['a', 'b'],
    tags: [],
    schema: null,
    offered: outside('https://forecast.example'),
    purpose: 'forecast',
    needs: [],
    price: { text: '', rule: null },
    listing: 'everyone',
  };
  const need = { right: 'read', what: 'x' } as const;
  const rows: [Partial<Manifest>, boolean][] = [
    [{}, true],
    [{ name: '' }, false],
    [{ text: '' }, false],
    [{ text: 'a\tb' }, false],
    [{ text: 'x'.repeat(1024) }, true],
    [{ text: 'x'.repeat(1025) }, false],
    [{ interfaces: ['b', 'a'] }, false],
    [{ interfaces: ['a', 'a'] }, false],
    [{ tags: Array.from({ length: 17 }, (_, n) => String.fromCharCode(97 + n)) }, false],
    [{ schema: new Uint8Array(8192) }, true],
    [{ schema: new Uint8Array(8193) }, false],
    [{ schema: new Uint8Array() }, false],
    [{ offered: { kind: 'contract', contract: id } }, true],
    [{ offered: outside() }, false],
    [{ offered: outside('https://') }, false],
    [{ offered: outside('ftp://x') }, false],
    [{ offered: outside('http://a b') }, false],
    [{ offered: outside(`http://${'x'.repeat(250)}`) }, false],
    [{ offered: outside('http://a', 'http://a', 'http://a', 'http://a', 'http://a') }, false],
    [{ purpose: '' }, false],
    [{ needs: Array.from({ length: 17 }, () => need) }, false],
    [{ needs: [{ ...need, what: '' }] }, false],
    [{ price: { text: 'x'.repeat(257), rule: null } }, false],
    [{ price: { text: '', rule: { amount: 1n, currency: '', per: 'call' } } }, false],
  ];
  for (const [change, fits] of rows) {
    const sign = (): void => void signer.sign(0n, 10n, [actions.publishService({ ...good, ...change })]);
    if (fits) sign();
    else assert.throws(sign, /out of bounds/, Object.keys(change).join());
  }
  for (const wrong of ['1.0', '01.0.0', '1.0.0-a', '1.0.4294967296']) assert.throws(() => actions.setServiceStatus(id, wrong, 'live'), /no version/);
});

test('a voucher is over the devices that join by it', () => {
  const find = (kind: string): Json => {
    const all = vectors('transaction').flatMap(({ inputs }) => inputs['actions'] as Json[]);
    return all.find((one) => one['kind'] === kind) ?? assert.fail(kind);
  };
  const [voucher, join] = [find('issue_voucher'), find('join_by_voucher')];
  const leaf = voucherLeaf(inceptionOf(join['inception'] as Json));
  const path = (join['path'] as string[]).map(hex);
  assert.ok(verifyMerklePath(hex(voucher['root']), leaf, join['index'] as number, voucher['count'] as number, path));
  const { name, key } = inceptionOf(join['inception'] as Json);
  const action = actions.issueVoucher('01'.repeat(32), [{ name, key }], '{}');
  assert.ok(action.kind === 'issue_voucher' && action.voucher.count === 1);
  assert.equal(toHex(action.voucher.root), toHex(merkleRoot([leaf])));
});

test('a module is uploaded in parts and stored under its digest', () => {
  const partMax = 65_536;
  const id = new Uint8Array(32);
  const signer = new Signer(id, id, SigningKey.fromSecret('ed25519', new Uint8Array(32).fill(7)));
  for (const [length, parts] of [[1, 1], [partMax, 1], [partMax + 1, 2], [16 * partMax, 16]] as const) {
    const module = Uint8Array.from({ length }, (_, at) => at % 251);
    const { code, uploads, store } = actions.storeCode(module, 'guard', ['b', 'a', 'b'], 'here');
    const joined = uploads.flatMap((one, at) => (one.kind === 'upload_code' && one.part === at && toHex(one.code) === toHex(code) ? [...one.bytes] : assert.fail('no part of it')));
    assert.ok(uploads.length === parts && joined.every((byte, at) => byte === module[at]) && joined.length === length, `${length} bytes`);
    assert.deepEqual(store, { kind: 'store_code', code: sha256(module), parts, meta: { name: 'guard', source: 'here', interfaces: ['a', 'b'] } });
    for (const one of [...uploads, store]) signer.sign(0n, 10n, [one]);
  }
  for (const length of [0, 16 * partMax + 1]) assert.throws(() => actions.storeCode(new Uint8Array(length), 'x'), /bytes/);
});

test('a code is the same key however it is typed', () => {
  const key = codeKey('00112233-4455-6677-8899-AABBCCDDEEFF').publicKey;
  assert.deepEqual(codeKey('0011 2233 4455 6677 8899 aabb ccdd eeff').publicKey, key);
  for (const wrong of ['', '0011', `${'00'.repeat(17)}`, 'zz'.repeat(16)]) assert.throws(() => codeKey(wrong), /32 hex digits/);
});
