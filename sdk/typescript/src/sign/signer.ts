import { encode } from '../cbor/codec.ts';
import type { Client } from '../client/client.ts';
import type { Outcome, Trial } from '../client/model/index.ts';
import type { Submission } from '../client/submission.ts';
import type { Action } from '../forms/action.ts';
import type { SigningKey } from '../forms/crypto.ts';
import { hash } from '../forms/digest.ts';
import { readerBytes, readerToken } from '../forms/reader.ts';
import { body, bodyFor, signTransaction, type Transaction } from '../forms/transaction.ts';
import { toHex, toUtf8 } from '../text/bytes.ts';
import { idBytes, type AnyId } from './actions.ts';

/** Blocks from signing to expiry: minutes on a busy network, hours on an idle one. */
const EXPIRY_BLOCKS = 10_000n;

/** An entity that signs for one ledger. */
export class Signer {
  /** Id of the ledger it signs for. */
  readonly ledger: Uint8Array;
  /** Id of who signs. */
  readonly entity: Uint8Array;
  readonly #key: SigningKey;

  constructor(ledger: AnyId, entity: AnyId, key: SigningKey) {
    this.ledger = idBytes(ledger);
    this.entity = idBytes(entity);
    this.#key = key;
  }

  /** Signs a transaction with a nonce and an expiry height of the caller's choice. Throws if a peer would refuse its form. */
  sign(nonce: bigint, expiryHeight: bigint, actions: readonly Action[]): Transaction {
    const body = bodyFor(this.ledger, this.entity, nonce, expiryHeight, [...actions]);
    return signTransaction(this.ledger, body, this.#key);
  }

  /** The token that says to a peer, by its voting key, who reads, what for and until when; in hex. */
  readerToken(peer: AnyId, purpose: string, untilMs: bigint): string {
    const reader = { ledger: this.ledger, peer: idBytes(peer), entity: this.entity, purpose, untilMs };
    return toHex(encode(readerToken, { reader, signature: this.#key.sign(readerBytes(reader)) }));
  }
}

/**
 * A signer that numbers its transactions. Two programs that number for the same entity get in each
 * other's way: give each an entity of its own, or {@link Account.refresh} after `nonce_reused`.
 */
export class Account {
  readonly #client: Client;
  readonly #signer: Signer;
  #nextNonce = 0n;
  #height = 0n;

  private constructor(client: Client, signer: Signer) {
    this.#client = client;
    this.#signer = signer;
  }

  /** Asks a peer where the account of a signer stands; `unknown_entity` if it is not registered. */
  static async open(client: Client, signer: Signer): Promise<Account> {
    const account = new Account(client, signer);
    await account.refresh();
    return account;
  }

  /** Asks again; what was numbered meanwhile stays used. */
  async refresh(): Promise<void> {
    const { next_nonce, height } = await this.#client.account(toHex(this.#signer.entity));
    if (!Number.isSafeInteger(next_nonce) || !Number.isSafeInteger(height)) throw new RangeError('the account stands at numbers that JSON cannot carry');
    this.#nextNonce = largest(this.#nextNonce, BigInt(next_nonce));
    this.#height = largest(this.#height, BigInt(height));
  }

  /** Signs the next transaction. */
  sign(actions: readonly Action[]): Transaction {
    const height = largest(this.#height, BigInt(this.#client.height));
    const transaction = this.#signer.sign(this.#nextNonce, height + EXPIRY_BLOCKS, actions);
    this.#nextNonce += 1n;
    return transaction;
  }

  /** What would come of actions in the next block; nothing is signed, and nothing changes. */
  async tryOut(actions: readonly Action[]): Promise<Trial> {
    const height = largest(this.#height, BigInt(this.#client.height));
    const unsigned = bodyFor(this.#signer.ledger, this.#signer.entity, this.#nextNonce, height + EXPIRY_BLOCKS, [...actions]);
    return this.#client.tryOut(encode(body, unsigned));
  }

  /** Signs, submits, and waits until it is final; its receipt says what it did. */
  async finalize(actions: readonly Action[], payloads: readonly Uint8Array[] = [], timeoutMs?: number): Promise<Outcome> {
    const submission: Submission = { wire: this.sign(actions).wire, payloads };
    return this.#client.finalize(submission, timeoutMs);
  }
}

/** How long a token counts, milliseconds: well below what peers take, so that clocks may differ. */
const TOKEN_MS = 300_000;
/** How long before its end a token is made anew, milliseconds. */
const RENEWED_BEFORE_MS = 60_000;

/**
 * Lets a client say with each request who reads, and what for: the purpose of the grant that is read
 * under, or nothing. Grants are held to what the peer says of itself: ask a peer that you know.
 */
export async function readAs(client: Client, signer: Signer, purpose = ''): Promise<void> {
  const { key } = await client.status();
  let [token, untilMs] = ['', 0];
  client.readAs(() => {
    const nowMs = Date.now();
    if (nowMs + RENEWED_BEFORE_MS >= untilMs) {
      untilMs = nowMs + TOKEN_MS;
      token = signer.readerToken(key, purpose, BigInt(untilMs));
    }
    return token;
  });
}

function largest(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** How long the token of an act counts, milliseconds: below what peers take, so that clocks may differ. */
const ACT_MS = 45_000;
/** The purpose of tokens by which an operator looks; one of an act has a digest of the request behind it. */
const OPERATE = 'operate';

/** The purpose of the token of one act of an operator: for this method, path and body alone. */
export function actPurpose(method: string, path: string, body: Uint8Array): string {
  return `${OPERATE}:${toHex(hash('althing/act/1', toUtf8(`${method} ${path}\n`), body).slice(0, 16))}`;
}

/** Lets a client operate its peer: look by one token, and act by a token for each act. The peer's configuration names who may. */
export async function operateAs(client: Client, signer: Signer): Promise<void> {
  const { key } = await client.status();
  let lastMs = 0;
  client.readAs((act) => {
    // No two tokens are alike, since each act needs one of its own.
    lastMs = Math.max(Date.now() + ACT_MS, lastMs + 1);
    return signer.readerToken(key, act ? actPurpose('POST', act.path, act.body) : OPERATE, BigInt(lastMs));
  });
}
