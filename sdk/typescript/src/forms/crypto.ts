// Keys and signatures, each naming its suite.

import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';

import { bytes, fixed, numbered, record, type Value } from '../cbor/codec.ts';

/** An algorithm for signatures: `ed25519` (1) or `p256` (2). */
export const suite = numbered(['ed25519', 'p256'], 1);
/** Name of a suite. */
export type Suite = Value<typeof suite>;

/** A public key: 32 bytes (Ed25519) or the 33 bytes of a compressed point (P-256). */
export const publicKey = record({ suite, bytes });
/** A public key. */
export type PublicKey = Value<typeof publicKey>;

/** A signature: 64 bytes in both suites. */
export const signature = fixed(64);

/** Algorithm numbers in COSE headers (RFC 9053, 2). */
export const COSE_ALGORITHM = { ed25519: -8n, p256: -7n } as const;

const P256_KEY_BYTES = 33;
const ED25519_KEY_BYTES = 32;

/** Whether the bytes are a key of the suite at all. */
export function isPublicKey(key: PublicKey): boolean {
  if (key.suite === 'p256') return key.bytes.length === P256_KEY_BYTES && p256.utils.isValidPublicKey(key.bytes, true);
  if (key.bytes.length !== ED25519_KEY_BYTES) return false;
  try {
    ed25519.Point.fromBytes(key.bytes, true);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether a signature by a key covers a message.
 *
 * Ed25519 follows ZIP 215, so that all implementations agree: any encodings of curve points, and the
 * equation with the cofactor. P-256 is ECDSA with SHA-256, and only the lower of the two `s` counts.
 */
export function verifySignature(key: PublicKey, message: Uint8Array, signed: Uint8Array): boolean {
  if (signed.length !== 64 || !isPublicKey(key)) return false;
  try {
    if (key.suite === 'ed25519') return ed25519.verify(signed, message, key.bytes, { zip215: true });
    return p256.verify(signed, message, key.bytes, { lowS: true, prehash: true, format: 'compact' });
  } catch {
    return false;
  }
}

/** A secret key that signs. It stays in this object; only a key file should ever hold its bytes. */
export class SigningKey {
  /** The suite. */
  readonly suite: Suite;
  /** The public key. */
  readonly publicKey: PublicKey;
  readonly #secret: Uint8Array;

  private constructor(suite: Suite, secret: Uint8Array) {
    this.suite = suite;
    this.#secret = secret;
    const bytes = suite === 'ed25519' ? ed25519.getPublicKey(secret) : p256.getPublicKey(secret, true);
    this.publicKey = { suite, bytes };
  }

  /** Draws a new key from the platform's secure randomness. */
  static generate(suite: Suite = 'ed25519'): SigningKey {
    return new SigningKey(suite, suite === 'ed25519' ? ed25519.utils.randomSecretKey() : p256.utils.randomSecretKey());
  }

  /** The key with these 32 secret bytes; throws `RangeError` if they are no key of the suite. */
  static fromSecret(suite: Suite, secret: Uint8Array): SigningKey {
    const isKey = secret.length === 32 && (suite === 'ed25519' || p256.utils.isValidSecretKey(secret));
    if (!isKey) throw new RangeError(`these bytes are no ${suite} key`);
    return new SigningKey(suite, secret.slice());
  }

  /** Signs a message. Deterministic (RFC 8032; RFC 6979 with the lower `s`). */
  sign(message: Uint8Array): Uint8Array {
    if (this.suite === 'ed25519') return ed25519.sign(message, this.#secret);
    return p256.sign(message, this.#secret, { lowS: true, prehash: true, format: 'compact' });
  }

  /** A copy of the 32 secret bytes, for a key file and nothing else. */
  secret(): Uint8Array {
    return this.#secret.slice();
  }
}
