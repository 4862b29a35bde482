// Tokens: amounts, the token of a ledger, what transactions cost, and what accounts do.

import { boolean, bytes, list, optional, record, text, u16, u32, u64, u8, variant, variants, type Codec, type Value } from '../cbor/codec.ts';
import { compare, toUtf8 } from '../text/bytes.ts';
import { id, isName } from './entity.ts';
import { AMOUNT_MAX, DECIMALS_MAX, FEE_MAX, MEMO_BYTES_MAX } from './limits.ts';

/** A number of tokens in their smallest unit: its bytes big-endian without leading zeros. */
export const amount: Codec<bigint> = {
  write: (value, to) => {
    const hex = value === 0n ? '' : value.toString(16);
    const digits = hex.padStart(hex.length + (hex.length % 2), '0');
    bytes.write(Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16)), to);
  },
  read: (from) => {
    const given = bytes.read(from);
    const value = given.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    return given.length <= 16 && value <= AMOUNT_MAX ? value : from.fail();
  },
};

/** What transactions cost, in the smallest unit; each million of gas, or part of it, that one sets as limits of calls. */
export const fees = record({ perTransaction: u64, perByte: u64, perMillionGas: u64 });

/** The token of a ledger; `initial` is what founding organisations begin with, ascending. */
export const token = record({ name: text, symbol: text, decimals: u8, initial: list(record({ account: id, amount })) });

/** How seats are given by stake at the end of each epoch. Only the ledger looks at their bounds: a genesis is known by its id. */
export const stakeRules = record({
  /** Fewest peers with stake that take over: while there are less, whoever has a seat keeps it. */
  seatsMin: u16,
  seatsMax: u16,
  /** Least stake of a peer. */
  least: amount,
  /** What is staked behind each founding peer from the beginning. */
  founding: amount,
  /** Epochs for which stake that was withdrawn stays locked. */
  lockedEpochs: u32,
  /** So many whole epochs in a row without a block of its own cost a peer its seat. */
  silentEpochs: u32,
  /** How much of a peer's stake a double vote destroys, hundredths. */
  burntPercent: u8,
});
/** A payment. */
export const transfer = record({ to: id, amount, memo: text });
/** Tokens that are locked for a payee until a height. */
export const escrow = record({ payee: id, amount, untilHeight: u64, arbiter: optional(id), memo: text });
/** A promise to pay the fees of an entity. */
export const sponsorship = record({ entity: id, perDay: amount, total: amount, untilHeight: u64 });
/** What is paid to the owner of a thing for readings of it. */
export const reward = record({ stream: id, perBatch: amount, perReading: amount, perDay: amount, fund: amount, untilHeight: u64 });

/** What happened to tokens. */
export const tokenEvent = variants({
  transferred: variant(0, { from: id, to: id, amount, memo: text }),
  burnt: variant(1, { account: id, amount }),
  minted: variant(2, { to: id, amount }),
  account_frozen: variant(3, { account: id, frozen: boolean }),
  escrow_opened: variant(4, { escrow: id, payer: id, payee: id, amount, untilHeight: u64 }),
  escrow_released: variant(5, { escrow: id, payee: id, amount }),
  escrow_refunded: variant(6, { escrow: id, payer: id, amount }),
  sponsored: variant(7, { entity: id, sponsor: id, untilHeight: u64 }),
  sponsorship_ended: variant(8, { entity: id, sponsor: id }),
  reward_offered: variant(9, { reward: id, stream: id, payer: id }),
  reward_funded: variant(10, { reward: id, from: id, amount }),
  reward_paid: variant(11, { reward: id, to: id, amount }),
  reward_ended: variant(12, { reward: id, payer: id, amount }),
  staked: variant(13, { peer: id, organisation: id, amount, stake: amount }),
  unstaked: variant(14, { peer: id, organisation: id, amount, freeEpoch: u64 }),
  stake_collected: variant(15, { peer: id, organisation: id, amount }),
  candidate_dropped: variant(16, { peer: id, organisation: id, silentEpochs: u32 }),
  seats_kept: variant(17, { candidates: u16, needed: u16 }),
  stake_burnt: variant(18, { peer: id, organisation: id, amount, epoch: u64 }),
});

/** Whether prices are within their bounds. */
export function areFees(value: Value<typeof fees>): boolean {
  return Object.values(value).every((price) => price <= FEE_MAX);
}

/** Whether a token is within its bounds. */
export function isToken({ name, symbol, decimals, initial }: Value<typeof token>): boolean {
  const ascends = initial.every(({ account }, at) => at === 0 || compare(initial[at - 1]?.account ?? account, account) < 0);
  const total = initial.reduce((sum, each) => sum + each.amount, 0n);
  const isGiven = ascends && initial.every((each) => each.amount > 0n) && total <= AMOUNT_MAX;
  return isName(name) && /^[a-z][a-z0-9]{2,15}$/.test(symbol) && decimals <= DECIMALS_MAX && isGiven;
}

/** Whether a text can say what a payment is for. */
export function isMemo(memo: string): boolean {
  return toUtf8(memo).length <= MEMO_BYTES_MAX && !/\p{Cc}/u.test(memo);
}

/** Whether a promise is within its bounds. */
export function isSponsorship({ perDay, total }: Value<typeof sponsorship>): boolean {
  return perDay > 0n && total > 0n;
}

/** Whether a reward is within its bounds. */
export function isReward({ perBatch, perReading, perDay, fund }: Value<typeof reward>): boolean {
  return perBatch + perReading > 0n && perDay > 0n && fund > 0n;
}
