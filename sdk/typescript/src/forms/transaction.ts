// The transaction: COSE_Sign1 (RFC 9052), or COSE_Sign with several signers, over a body.

import { encode, fixed, list, record, u64, u8, type Value } from '../cbor/codec.ts';
import { Reader, WireError } from '../cbor/reader.ts';
import { Writer } from '../cbor/writer.ts';
import { concat, equal, toHex, toUtf8 } from '../text/bytes.ts';
import { action, type Action } from './action.ts';
import { COSE_ALGORITHM, signature, type SigningKey, type Suite } from './crypto.ts';
import { sha256 } from './digest.ts';
import { id } from './entity.ts';
import { ACTIONS_MAX, SIGNATURES_MAX, TRANSACTION_BYTES_MAX } from './limits.ts';

/** Version of the body's form. */
const VERSION = 1;
const TAG_BYTES = 8;
/** The encoding of `{}`. */
const EMPTY_MAP = Uint8Array.of(0xa0);

/** What a transaction says: who does what, until when. */
export const body = record({
  /** Version of this form, 1. */
  version: u8,
  /** The first bytes of the ledger's id. */
  ledgerTag: fixed(TAG_BYTES),
  /** Who sends it. */
  sender: id,
  /** A number of the sender's window. */
  nonce: u64,
  /** Last height at which it may be included. */
  expiryHeight: u64,
  /** What is to be done. */
  actions: list(action, ACTIONS_MAX),
});
/** What a transaction says. */
export type Body = Value<typeof body>;

/** One signature on a transaction. */
export interface SignedBy {
  /** Who signed. */
  signer: Uint8Array;
  /** With which suite. */
  suite: Suite;
  /** The signature. */
  signature: Uint8Array;
}

/** A signed request to change the ledger. */
export interface Transaction {
  /** Its id: SHA-256 of its bytes. */
  id: Uint8Array;
  /** Its bytes. */
  wire: Uint8Array;
  /** What it says. */
  body: Body;
  /** Its signatures, the sender's first. */
  signatures: readonly SignedBy[];
}

/** Who signs a transaction. */
export interface SignerKey {
  /** The entity. */
  entity: Uint8Array;
  /** Its key. */
  key: SigningKey;
}

/** A body of the present version for a ledger. */
export function bodyFor(ledger: Uint8Array, sender: Uint8Array, nonce: bigint, expiryHeight: bigint, actions: Action[]): Body {
  return { version: VERSION, ledgerTag: ledger.slice(0, TAG_BYTES), sender, nonce, expiryHeight, actions };
}

/** Signs a body with the sender's key, and with those of further signers. */
export function signTransaction(ledger: Uint8Array, unsigned: Body, key: SigningKey, others: readonly SignerKey[] = []): Transaction {
  const signers = [{ entity: unsigned.sender, key }, ...others];
  const signatures = signers.map(({ entity, key: each }) => {
    const message = signedBytes(ledger, unsigned, entity, each.suite, signers.length > 1);
    return { signer: entity, suite: each.suite, signature: each.sign(message) };
  });
  // Read back, so that what a peer would refuse is refused here, before it is sent.
  return decodeTransaction(toWire(unsigned, signatures));
}

/** What a signer signs: the COSE `Sig_structure` (RFC 9052, 4.4). */
export function signedBytes(ledger: Uint8Array, signed: Body, signer: Uint8Array, suite: Suite, isOneOfSeveral: boolean): Uint8Array {
  const own = protectedHeader({ signer, suite });
  const aad = concat(toUtf8('althing/tx/1'), ledger);
  const to = new Writer().array(isOneOfSeveral ? 5 : 4).text(isOneOfSeveral ? 'Signature' : 'Signature1');
  if (isOneOfSeveral) to.byteString(EMPTY_MAP);
  return to.byteString(own).byteString(aad).byteString(encode(body, signed)).bytes();
}

/**
 * Reads the bytes of a transaction. Checks form and bounds, not signatures and nothing that needs
 * the state. Throws {@link WireError}.
 */
export function decodeTransaction(wire: Uint8Array): Transaction {
  if (wire.length > TRANSACTION_BYTES_MAX) throw new WireError(`${wire.length} bytes, but at most ${TRANSACTION_BYTES_MAX} are allowed`);
  const from = new Reader(wire);
  if (from.array() !== 4n) from.fail();
  const outer = from.byteString();
  if (from.map() !== 0n) from.fail();
  const inner = new Reader(from.byteString());
  const signatures = equal(outer, EMPTY_MAP) ? readSeveral(from) : [{ ...readProtected(outer), signature: signature.read(from) }];
  const transaction = { id: sha256(wire), wire, body: body.read(inner), signatures };
  checkBounds(transaction);
  if (!equal(toWire(transaction.body, signatures), wire)) throw new WireError('not the canonical encoding');
  return transaction;
}

/** The id of a transaction in text. */
export function transactionIdText(transaction: Transaction): string {
  return toHex(transaction.id);
}

function checkBounds({ body: { version, actions, sender }, signatures }: Transaction): void {
  if (version !== VERSION) throw new WireError('version is out of bounds');
  if (actions.length === 0) throw new WireError('actions is out of bounds');
  if (!signatures[0] || !equal(signatures[0].signer, sender)) throw new WireError('the sender must sign first');
  const signers = new Set(signatures.map(({ signer }) => toHex(signer)));
  if (signers.size !== signatures.length) throw new WireError('an entity signed twice');
}

function toWire(unsigned: Body, signatures: readonly SignedBy[]): Uint8Array {
  const inner = encode(body, unsigned);
  const [first] = signatures;
  if (first && signatures.length === 1) {
    return new Writer().array(4).byteString(protectedHeader(first)).map(0).byteString(inner).byteString(first.signature).bytes();
  }
  const to = new Writer().array(4).byteString(EMPTY_MAP).map(0).byteString(inner).array(signatures.length);
  for (const each of signatures) to.array(3).byteString(protectedHeader(each)).map(0).byteString(each.signature);
  return to.bytes();
}

function readSeveral(from: Reader): SignedBy[] {
  const count = from.array();
  if (count < 2n || count > BigInt(SIGNATURES_MAX)) from.fail();
  return Array.from({ length: Number(count) }, () => {
    if (from.array() !== 3n) from.fail();
    const header = readProtected(from.byteString());
    if (from.map() !== 0n) from.fail();
    return { ...header, signature: signature.read(from) };
  });
}

/** The protected header of a signature, `{1: alg, 4: kid}`. */
function protectedHeader({ signer, suite }: Pick<SignedBy, 'signer' | 'suite'>): Uint8Array {
  return new Writer().map(2).integer(1).integer(COSE_ALGORITHM[suite]).integer(4).byteString(signer).bytes();
}

function readProtected(header: Uint8Array): { signer: Uint8Array; suite: Suite } {
  const from = new Reader(header);
  if (from.map() !== 2n || from.integer() !== 1n) from.fail();
  const algorithm = from.integer();
  const suite = (['ed25519', 'p256'] as const).find((each) => COSE_ALGORITHM[each] === algorithm) ?? from.fail();
  if (from.integer() !== 4n) from.fail();
  return { suite, signer: id.read(from) };
}
