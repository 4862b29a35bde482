// `genesis.json`: the genesis of a ledger as people read, send and edit it.

import { isPublicKey, type PublicKey } from '../forms/crypto.ts';
import { entityId, type EntityKind, type Inception } from '../forms/entity.ts';
import { checkGenesis, GenesisError, ledgerId, type Genesis } from '../forms/genesis.ts';
import { equal, fromHex, toHex } from '../text/bytes.ts';
import { parseDid, toDid } from '../text/did.ts';
import { fromRfc3339 } from '../text/time.ts';

/** Longest `genesis.json` read, characters. */
const CHARS_MAX = 1024 * 1024;
const MODES = ['public', 'consortium', 'private'] as const;
const MECHANISMS = ['simplex', 'raft'] as const;

/**
 * Reads a genesis from the text of `genesis.json`, or from its JSON value as `/v1/network` gives it.
 * Unknown fields are refused, and ids that follow from the rest are checked, the ledger's above all:
 * compare that with the one you know. Throws {@link GenesisError} naming what is wrong.
 *
 * Whoever takes the genesis from the peer that also makes the proofs trusts that peer.
 */
export function parseGenesis(json: unknown): Genesis {
  const file = new Fields(typeof json === 'string' ? parseJson(json) : json, 'genesis', [
    'version', 'network', 'ledger', 'time', 'mode', 'mechanism', 'parameters', 'organisations', 'peers', 'token',
  ]);
  const version = file.integer('version', 0xff);
  if (version !== 1) throw new GenesisError(`genesis version ${version} is not known; this program knows version 1`);
  const network = file.text('network');
  const timeMs = fromRfc3339(file.text('time'));
  if (timeMs === undefined || timeMs < 0) throw file.wrong('time');
  const genesis: Genesis = {
    version,
    network,
    timeMs: BigInt(timeMs),
    mode: file.oneOf('mode', MODES),
    mechanism: file.oneOf('mechanism', MECHANISMS),
    parameters: parseParameters(file.value('parameters')),
    organisations: file.list('organisations').map((each) => readOrganisation(each, network)),
    peers: file.list('peers').map((each) => readPeer(each, network)),
    token: file.value('token') === undefined ? null : readToken(file.value('token'), network),
  };
  checkGenesis(genesis);
  const ledger = toHex(ledgerId(genesis));
  if (file.text('ledger') !== ledger) throw new GenesisError(`\`ledger\` in the genesis file should be ${ledger}`);
  return genesis;
}

function parseJson(text: string): unknown {
  if (text.length > CHARS_MAX) throw new GenesisError(`the genesis file is longer than ${CHARS_MAX} characters`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new GenesisError('the genesis file is not JSON', { cause: error });
  }
}

/** The settings of a ledger as genesis files and the interface have them. Throws `GenesisError` for what are none. */
export function parseParameters(json: unknown): Genesis['parameters'] {
  const names = ['block_bytes_max', 'block_transactions_max', 'heartbeat_ms', 'leader_timeout_ms', 'clock_drift_max_ms', 'claim_ahead_max_ms', 'sequence_window', 'contract_gas_transaction_max', 'contract_gas_block_max', 'reads', 'epoch_blocks', 'fees'];
  const file = new Fields(json, 'parameters', names);
  const small = (name: string): number => file.integer(name, 0xffff_ffff);
  return {
    blockBytesMax: small('block_bytes_max'),
    blockTransactionsMax: small('block_transactions_max'),
    heartbeatMs: small('heartbeat_ms'),
    leaderTimeoutMs: small('leader_timeout_ms'),
    clockDriftMaxMs: small('clock_drift_max_ms'),
    claimAheadMaxMs: BigInt(file.integer('claim_ahead_max_ms', Number.MAX_SAFE_INTEGER)),
    sequenceWindow: BigInt(file.integer('sequence_window', Number.MAX_SAFE_INTEGER)),
    contractGasTransactionMax: BigInt(file.integer('contract_gas_transaction_max', Number.MAX_SAFE_INTEGER)),
    contractGasBlockMax: BigInt(file.integer('contract_gas_block_max', Number.MAX_SAFE_INTEGER)),
    reads: file.value('reads') !== undefined && file.oneOf('reads', ['open', 'policy']) === 'policy' ? ('policy' as const) : file.value('epoch_blocks') === undefined ? null : ('open' as const),
    epochBlocks: file.value('epoch_blocks') === undefined ? null : small('epoch_blocks'),
    fees: file.value('fees') === undefined ? null : readFees(file.value('fees')),
  };
}

function readFees(json: unknown): NonNullable<Genesis['parameters']['fees']> {
  const file = new Fields(json, 'fees', ['per_transaction', 'per_byte', 'per_million_gas']);
  const price = (name: string): bigint => BigInt(file.integer(name, Number.MAX_SAFE_INTEGER));
  return { perTransaction: price('per_transaction'), perByte: price('per_byte'), perMillionGas: price('per_million_gas') };
}

function readToken(json: unknown, network: string): NonNullable<Genesis['token']> {
  const file = new Fields(json, 'token', ['name', 'symbol', 'decimals', 'initial']);
  const initial = file.list('initial').map((each) => {
    const of = new Fields(each, 'allocation', ['account', 'amount']);
    const account = parseDid(of.text('account'));
    if (account?.network !== network) throw of.wrong('account');
    if (!/^(0|[1-9][0-9]{0,36})$/.test(of.text('amount'))) throw of.wrong('amount');
    return { account: account.id, amount: BigInt(of.text('amount')) };
  });
  return { name: file.text('name'), symbol: file.text('symbol'), decimals: file.integer('decimals', 0xff), initial };
}

function readOrganisation(json: unknown, network: string): Genesis['organisations'][number] {
  const file = new Fields(json, 'organisation', ['id', 'name', 'key']);
  return { inception: readInception(file, 'organisation', network) };
}

function readPeer(json: unknown, network: string): Genesis['peers'][number] {
  const file = new Fields(json, 'peer', ['id', 'name', 'organisation', 'key', 'vote_key']);
  const inception = readInception(file, 'peer', network);
  const organisation = parseDid(file.text('organisation'));
  const key = fromHex(file.text('vote_key'));
  if (organisation?.network !== network) throw file.wrong('organisation');
  if (key?.length !== 32) throw file.wrong('vote_key');
  return { inception, organisation: organisation.id, key };
}

function readInception(file: Fields, kind: EntityKind, network: string): Inception {
  const inception = { kind, name: file.text('name'), key: readKey(file.value('key')) };
  const expected = entityId(inception);
  const id = parseDid(file.text('id'));
  const isItsId = id?.network === network && equal(id.id, expected);
  if (!isItsId) throw new GenesisError(`\`id\` of \`${inception.name}\` in the genesis file should be ${toDid(network, expected)}`);
  return inception;
}

function readKey(json: unknown): PublicKey {
  const file = new Fields(json, 'key', ['suite', 'public']);
  const key = { suite: file.oneOf('suite', ['ed25519', 'p256'] as const), bytes: fromHex(file.text('public')) ?? new Uint8Array() };
  if (!isPublicKey(key)) throw file.wrong('public');
  return key;
}

/** The fields of a JSON object of a known form. */
class Fields {
  readonly #values: Record<string, unknown>;
  readonly #what: string;

  constructor(json: unknown, what: string, names: readonly string[]) {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new GenesisError(`the ${what} in the genesis file is no object`);
    const unknown = Object.keys(json).find((name) => !names.includes(name));
    if (unknown !== undefined) throw new GenesisError(`the ${what} in the genesis file has the unknown field \`${unknown.slice(0, 80)}\``);
    this.#values = { ...json };
    this.#what = what;
  }

  wrong(name: string): GenesisError {
    return new GenesisError(`\`${name}\` of the ${this.#what} in the genesis file is missing or not valid`);
  }

  value(name: string): unknown {
    return this.#values[name];
  }

  text(name: string): string {
    const value = this.value(name);
    if (typeof value !== 'string') throw this.wrong(name);
    return value;
  }

  integer(name: string, max: number): number {
    const value = this.value(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > max) throw this.wrong(name);
    return value;
  }

  oneOf<const N extends readonly string[]>(name: string, known: N): N[number] {
    const value = known.find((each) => each === this.value(name));
    if (value === undefined) throw this.wrong(name);
    return value;
  }

  list(name: string): unknown[] {
    const value = this.value(name);
    if (!Array.isArray(value)) throw this.wrong(name);
    return value;
  }
}
