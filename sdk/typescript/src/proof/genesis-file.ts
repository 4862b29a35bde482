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

const SMALL = ['blockBytesMax', 'blockTransactionsMax', 'heartbeatMs', 'leaderTimeoutMs', 'clockDriftMaxMs'] as const;
const LARGE = ['claimAheadMaxMs', 'sequenceWindow', 'contractGasTransactionMax', 'contractGasBlockMax'] as const;
const PRICES = ['perTransaction', 'perByte', 'perMillionGas'] as const;
const COUNTS = ['seatsMin', 'seatsMax', 'lockedEpochs', 'silentEpochs', 'burntPercent'] as const;
const STAKES = ['least', 'founding'] as const;

/** What the fields are called in JSON: `blockBytesMax` is `block_bytes_max` there. */
function inJson(names: readonly string[]): string[] {
  return names.map((name) => name.replace(/[A-Z]/g, (each) => `_${each.toLowerCase()}`));
}

function each<N extends string, T>(names: readonly N[], read: (name: string) => T): Record<N, T> {
  const called = inJson(names);
  return Object.fromEntries(names.map((name, at) => [name, read(called[at] ?? name)])) as Record<N, T>;
}

/** The settings of a ledger as genesis files and the interface have them. Throws `GenesisError` for what are none. */
export function parseParameters(json: unknown): Genesis['parameters'] {
  const file = new Fields(json, 'parameters', [...inJson([...SMALL, ...LARGE]), 'reads', 'epoch_blocks', 'fees', 'stake', 'participation']);
  const small = (name: string): number => file.integer(name, 0xffff_ffff);
  const isThere = (name: string): boolean => file.value(name) !== undefined;
  return {
    ...each(SMALL, small),
    ...each(LARGE, (name) => file.large(name)),
    reads: isThere('reads') && file.oneOf('reads', ['open', 'policy']) === 'policy' ? ('policy' as const) : isThere('epoch_blocks') ? ('open' as const) : null,
    epochBlocks: isThere('epoch_blocks') ? small('epoch_blocks') : null,
    fees: isThere('fees') ? readFees(file.value('fees')) : null,
    stake: isThere('stake') ? readStake(file.value('stake')) : null,
    participation: isThere('participation') ? readParticipation(file.value('participation')) : null,
  };
}

function readFees(json: unknown): NonNullable<Genesis['parameters']['fees']> {
  const file = new Fields(json, 'fees', inJson(PRICES));
  return each(PRICES, (name) => file.large(name));
}

function readStake(json: unknown): NonNullable<Genesis['parameters']['stake']> {
  const file = new Fields(json, 'stake', inJson([...COUNTS, ...STAKES]));
  return { ...each(COUNTS, (name) => file.integer(name, 0xffff_ffff)), ...each(STAKES, (name) => file.amount(name)) };
}

function readParticipation(json: unknown): NonNullable<Genesis['parameters']['participation']> {
  const file = new Fields(json, 'participation', ['transact', 'deploy']);
  const transact = file.oneOf('transact', ['everybody', 'members'] as const);
  return { transact, deploy: file.oneOf('deploy', ['everybody', 'members', 'approved'] as const) };
}

function readToken(json: unknown, network: string): NonNullable<Genesis['token']> {
  const file = new Fields(json, 'token', ['name', 'symbol', 'decimals', 'initial']);
  const initial = file.list('initial').map((each) => {
    const of = new Fields(each, 'allocation', ['account', 'amount']);
    const account = parseDid(of.text('account'));
    if (account?.network !== network) throw of.wrong('account');
    return { account: account.id, amount: of.amount('amount') };
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

  large(name: string): bigint {
    return BigInt(this.integer(name, Number.MAX_SAFE_INTEGER));
  }

  /** A number of tokens, digits in text. */
  amount(name: string): bigint {
    const digits = this.text(name);
    if (!/^(0|[1-9][0-9]{0,36})$/.test(digits)) throw this.wrong(name);
    return BigInt(digits);
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
