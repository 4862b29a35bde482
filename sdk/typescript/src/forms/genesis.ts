// The genesis: the first record of a ledger; its digest is the ledger's id.

import { bytes32, decode, encode, list, numbered, optional, record, text, u32, u64, u8, type Value } from '../cbor/codec.ts';
import { compare, equal } from '../text/bytes.ts';
import { mechanism, validatorsDigest, type ValidatorSet } from './block.ts';
import { isPublicKey } from './crypto.ts';
import { hash } from './digest.ts';
import { entityId, id, inception } from './entity.ts';
import { BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX, CONTRACT_GAS_MAX, EPOCH_BLOCKS_MAX, EPOCH_BLOCKS_MIN, GENESIS_BYTES_MAX, ORGANISATIONS_MAX, VALIDATORS_MAX } from './limits.ts';
import { areFees, fees, isToken, stakeRules, token } from './token.ts';

/** What all peers of the ledger set alike. */
export const parameters = record({
  blockBytesMax: u32,
  blockTransactionsMax: u32,
  heartbeatMs: u32,
  leaderTimeoutMs: u32,
  clockDriftMaxMs: u32,
  claimAheadMaxMs: u64,
  sequenceWindow: u64,
  contractGasTransactionMax: u64,
  contractGasBlockMax: u64,
  /** Who may read what has no policy; anybody if null, which is left out at the end, or open, which is not. */
  reads: optional(numbered(['open', 'policy'])),
  /** Blocks in each epoch; null if the first one has no end. */
  epochBlocks: optional(u32),
  /** What transactions cost; null if the ledger has no tokens. */
  fees: optional(fees),
  /** How seats are given by stake; null if members give them by vote. */
  stake: optional(stakeRules),
  /** Who may send transactions and who may deploy; null if whoever is registered may do both. */
  participation: optional(record({ transact: numbered(['everybody', 'members']), deploy: numbered(['everybody', 'members', 'approved']) })),
});

/** Who may take part. */
export const mode = numbered(['public', 'consortium', 'private']);

const organisation = record({ inception });
const peerSeat = record({
  inception,
  /** The organisation that runs it. */
  organisation: id,
  /** Its voting key. */
  key: bytes32,
});

/** The first record of a ledger. */
export const genesis = record({
  version: u8,
  network: text,
  timeMs: u64,
  mode,
  mechanism,
  parameters,
  organisations: list(organisation, ORGANISATIONS_MAX),
  peers: list(peerSeat, VALIDATORS_MAX),
  /** The token of the ledger; null if it has none. */
  token: optional(token),
});
/** The first record of a ledger: what a verifier must trust, and all that it must. */
export type Genesis = Value<typeof genesis>;

/** A genesis that cannot found a ledger, or a file that is none. */
export class GenesisError extends Error {
  override readonly name = 'GenesisError';
}

/** The id of the ledger that a genesis founds. */
export function ledgerId(value: Genesis): Uint8Array {
  return hash('althing/genesis/1', encode(genesis, value));
}

/** The canonical bytes of a genesis: what another ledger is told of it. */
export function genesisBytes(value: Genesis): Uint8Array {
  return encode(genesis, value);
}

/** The validators of the first epoch. */
export function foundingValidators(value: Genesis): ValidatorSet {
  const validators = value.peers.map((peer) => ({ key: peer.key, peer: entityId(peer.inception), organisation: peer.organisation }));
  return { epoch: 0n, validators, mechanism: null };
}

/** The digest of the validators of the first epoch. */
export function foundingValidatorsDigest(value: Genesis): Uint8Array {
  return validatorsDigest(foundingValidators(value));
}

/** Reads a genesis from its canonical bytes. Throws {@link GenesisError} if it cannot found a ledger. */
export function genesisFromBytes(bytes: Uint8Array): Genesis {
  let value: Genesis;
  try {
    value = decode(genesis, bytes, GENESIS_BYTES_MAX);
  } catch (error) {
    throw new GenesisError('these bytes are no genesis', { cause: error });
  }
  checkGenesis(value);
  return value;
}

/** Whether a text can name a network: 1 to 32 of `a-z`, `0-9` and `-`. */
export function isNetworkName(name: string): boolean {
  return /^[a-z0-9-]{1,32}$/.test(name);
}

/** Throws {@link GenesisError} naming what is wrong if a genesis cannot found a ledger. */
export function checkGenesis(value: Genesis): void {
  require(value.version === 1, `genesis version ${value.version} is not known; this program knows version 1`);
  require(isNetworkName(value.network), 'network name must be 1 to 32 of a-z, 0-9 and -');
  require(value.organisations.length >= 1 && value.peers.length >= 1, 'there must be an organisation and a peer');
  checkMembers(value);
  checkParameters(value.parameters);
  checkToken(value);
  require(value.mechanism !== 'raft' || value.mode === 'private', 'raft trusts every peer, so it is for private ledgers: choose simplex, or the mode private');
  checkMajority(value);
}

function checkToken({ token: own, parameters: { fees: prices, epochBlocks }, organisations }: Genesis): void {
  require((own === null) === (prices === null), 'a `token` needs `fees`, and `fees` a `token`');
  if (own === null) return;
  require(epochBlocks !== null && isToken(own), 'the `token` needs `epoch_blocks`, or is not valid');
  const founders = organisations.map((each) => entityId(each.inception));
  const isFounder = own.initial.every(({ account }) => founders.some((each) => equal(each, account)));
  require(isFounder, 'only founding organisations begin with tokens');
}

function checkMembers({ organisations, peers }: Genesis): void {
  const ids = organisations.map((each) => entityId(each.inception));
  const ascends = (keys: readonly Uint8Array[]): boolean => keys.every((key, at) => at === 0 || compare(keys[at - 1] ?? key, key) < 0);
  require(ascends(ids) && ascends(peers.map((peer) => peer.key)), 'organisations must ascend by id and peers by key, none twice');
  for (const { inception } of organisations) require(inception.kind === 'organisation', `\`${inception.name}\` is no organisation`);
  for (const { inception, key, organisation: owner } of peers) {
    const isPeer = inception.kind === 'peer' && isPublicKey({ suite: 'ed25519', bytes: key });
    require(isPeer, `\`${inception.name}\`: kind or voting key is not valid`);
    require(ids.some((each) => equal(each, owner)), `\`${inception.name}\` belongs to an organisation that is not in the genesis`);
  }
}

/** Throws {@link GenesisError} naming the first parameter that is out of its bounds. */
export function checkParameters(value: Value<typeof parameters>): void {
  const bounds: Record<keyof typeof value, boolean> = {
    blockBytesMax: isWithin(value.blockBytesMax, 128 * 1024, BLOCK_BYTES_MAX),
    blockTransactionsMax: isWithin(value.blockTransactionsMax, 1, BLOCK_TRANSACTIONS_MAX),
    heartbeatMs: isWithin(value.heartbeatMs, 50, 60_000),
    leaderTimeoutMs: isWithin(value.leaderTimeoutMs, value.heartbeatMs + 1, 120_000),
    clockDriftMaxMs: isWithin(value.clockDriftMaxMs, 100, 600_000),
    claimAheadMaxMs: value.claimAheadMaxMs <= 86_400_000n,
    sequenceWindow: value.sequenceWindow >= 1n && value.sequenceWindow <= 1n << 40n,
    contractGasTransactionMax: value.contractGasTransactionMax <= value.contractGasBlockMax,
    contractGasBlockMax: value.contractGasBlockMax <= CONTRACT_GAS_MAX,
    reads: value.reads === 'policy' || (value.reads === null) === (value.epochBlocks === null),
    epochBlocks: value.epochBlocks === null || isWithin(value.epochBlocks, EPOCH_BLOCKS_MIN, EPOCH_BLOCKS_MAX),
    fees: value.fees === null || areFees(value.fees),
    stake: value.stake === null || value.fees !== null,
    participation: value.stake === null || value.participation === null || value.participation.transact === 'everybody',
  };
  for (const [name, holds] of Object.entries(bounds)) require(holds, `parameter ${name} is out of bounds`);
}

/** In a consortium of four peers or more no organisation may hold a third of the votes. */
function checkMajority({ mode: who, organisations, peers }: Genesis): void {
  if (who !== 'consortium' || peers.length < 4) return;
  for (const { inception } of organisations) {
    const own = entityId(inception);
    const votes = peers.filter((peer) => equal(peer.organisation, own)).length;
    require(votes * 3 < peers.length, `organisation \`${inception.name}\` has a third of the votes or more; it could stop or fork the ledger`);
  }
}

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

function require(holds: boolean, otherwise: string): void {
  if (!holds) throw new GenesisError(otherwise);
}
