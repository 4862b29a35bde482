/** Key files: one signing key, encrypted under a passphrase, as the command line writes them. */

import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { argon2idAsync } from '@noble/hashes/argon2.js';

import { isPublicKey, SigningKey, type PublicKey, type Suite } from '../forms/crypto.ts';
import { fromHex, toHex, toUtf8 } from '../text/bytes.ts';
import { parseDid } from '../text/did.ts';

/** Longest key file read, characters. */
const CHARS_MAX = 16 * 1024;
/** Memory and passes of new files: the second choice of RFC 9106, 4, with one lane. */
const MEMORY_KIB = 64 * 1024;
const PASSES = 3;
/** Most that reading a file may cost, whoever wrote it. */
const MEMORY_KIB_MAX = 1024 * 1024;
const PASSES_MAX = 16;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const SEALED_BYTES = 32 + 16;
const SEALED = 'argon2id-chacha20poly1305';
const OPEN = 'none-for-throwaway-networks-only';

/** A signing key and whose it is. */
export interface StoredKey {
  /** The entity it is a key of, a DID, if it has one yet. */
  entity?: string;
  /** The key. */
  key: SigningKey;
}

/** What a key file says without its passphrase. */
export interface KeyFileHead {
  /** The entity it is a key of, a DID, if it has one yet. */
  entity?: string;
  /** The public key. */
  key: PublicKey;
  /** Whether it is encrypted under a passphrase. */
  needsPassphrase: boolean;
}

/** A key file that cannot be read; `kind` says which way. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
  /** Not a key file, no passphrase given, or the wrong one. */
  readonly kind: 'form' | 'passphrase-needed' | 'passphrase-wrong';

  constructor(kind: KeyFileError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** How to open or make a key file. */
export interface KeyFileOptions {
  /** Told how far the derivation of the key is, from 0 to 1. */
  onProgress?: (part: number) => void;
}

type Protection =
  | { kind: typeof SEALED; memory_kib: number; passes: number; salt: string; nonce: string; ciphertext: string }
  | { kind: typeof OPEN; secret: string };

interface Form {
  version: number;
  entity?: string;
  key: { suite: Suite; public: string };
  protection: Protection;
}

/** Reads what a key file says without its passphrase. */
export function readKeyFileHead(text: string): KeyFileHead {
  const { entity, key, protection } = parse(text);
  const bytes = fromHex(key.public);
  const publicKey = { suite: key.suite, bytes: bytes ?? new Uint8Array() };
  if (!isPublicKey(publicKey)) throw invalid('public');
  return { key: publicKey, needsPassphrase: protection.kind === SEALED, ...(entity === undefined ? {} : { entity }) };
}

/**
 * Opens a key file. Deriving the key from the passphrase takes seconds, during which the page stays
 * responsive. Throws {@link KeyFileError}.
 */
export async function openKeyFile(text: string, passphrase?: string, options: KeyFileOptions = {}): Promise<StoredKey> {
  const form = parse(text);
  const secret = form.protection.kind === OPEN ? fixed(form.protection.secret, 32, 'secret') : await unseal(form, form.protection, passphrase, options);
  let key: SigningKey;
  try {
    key = SigningKey.fromSecret(form.key.suite, secret);
  } catch {
    throw invalid('secret');
  } finally {
    secret.fill(0);
  }
  if (toHex(key.publicKey.bytes) !== form.key.public) throw invalid('public');
  return { key, ...(form.entity === undefined ? {} : { entity: form.entity }) };
}

/** Makes the text of a key file that only the passphrase opens. */
export async function sealKeyFile({ entity, key }: StoredKey, passphrase: string, options: KeyFileOptions = {}): Promise<string> {
  if (passphrase === '') throw new RangeError('the passphrase is empty');
  const { suite, bytes } = key.publicKey;
  const form: Omit<Form, 'protection'> = { version: 1, ...(entity === undefined ? {} : { entity }), key: { suite, public: toHex(bytes) } };
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const derived = await derive(passphrase, salt, MEMORY_KIB, PASSES, options);
  const secret = key.secret();
  const ciphertext = chacha20poly1305(derived, nonce, associated(form)).encrypt(secret);
  for (const wiped of [derived, secret]) wiped.fill(0);
  const protection: Protection = { kind: SEALED, memory_kib: MEMORY_KIB, passes: PASSES, salt: toHex(salt), nonce: toHex(nonce), ciphertext: toHex(ciphertext) };
  return `${JSON.stringify({ ...form, protection }, null, 2)}\n`;
}

async function unseal(form: Form, protection: Extract<Protection, { kind: typeof SEALED }>, passphrase: string | undefined, options: KeyFileOptions): Promise<Uint8Array> {
  const { memory_kib, passes } = protection;
  const isBearable = isCount(memory_kib, 8, MEMORY_KIB_MAX) && isCount(passes, 1, PASSES_MAX);
  if (!isBearable) throw invalid('memory_kib');
  const salt = fixed(protection.salt, SALT_BYTES, 'salt');
  const nonce = fixed(protection.nonce, NONCE_BYTES, 'nonce');
  const sealed = fixed(protection.ciphertext, SEALED_BYTES, 'ciphertext');
  if (passphrase === undefined) throw new KeyFileError('passphrase-needed', 'the key file is encrypted; its passphrase is needed');
  const derived = await derive(passphrase, salt, memory_kib, passes, options);
  try {
    return chacha20poly1305(derived, nonce, associated(form)).decrypt(sealed);
  } catch {
    throw new KeyFileError('passphrase-wrong', 'the passphrase does not open the key file, or the file was changed');
  } finally {
    derived.fill(0);
  }
}

function derive(passphrase: string, salt: Uint8Array, m: number, t: number, { onProgress }: KeyFileOptions): Promise<Uint8Array> {
  return argon2idAsync(toUtf8(passphrase), salt, { m, t, p: 1, dkLen: 32, asyncTick: 20, ...(onProgress ? { onProgress } : {}) });
}

/** What is authenticated beside the secret: that it is the secret of this key of this entity. */
function associated({ entity, key }: Omit<Form, 'protection'>): Uint8Array {
  return toUtf8(`althing/key-file/1 ${key.suite} ${key.public} ${entity ?? ''}`);
}

function parse(text: string): Form {
  let json: unknown;
  try {
    json = text.length <= CHARS_MAX ? JSON.parse(text) : undefined;
  } catch {
    json = undefined;
  }
  const { version, entity, key, protection } = fields(json, ['version', 'entity', 'key', 'protection']);
  if (version !== 1) throw new KeyFileError('form', `key file version ${String(version)} is not known; this program knows version 1`);
  const { suite, public: publicText } = fields(key, ['suite', 'public']);
  if (suite !== 'ed25519' && suite !== 'p256') throw invalid('suite');
  if (typeof publicText !== 'string') throw invalid('public');
  if (entity !== undefined && (typeof entity !== 'string' || !parseDid(entity))) throw invalid('entity');
  return { version, key: { suite, public: publicText }, protection: parseProtection(protection), ...(entity === undefined ? {} : { entity }) };
}

function parseProtection(json: unknown): Protection {
  const kind = typeof json === 'object' && json !== null && 'kind' in json ? json.kind : undefined;
  if (kind === OPEN) {
    const { secret } = fields(json, ['kind', 'secret']);
    return { kind, secret: text(secret, 'secret') };
  }
  if (kind !== SEALED) throw invalid('protection');
  const { memory_kib, passes, salt, nonce, ciphertext } = fields(json, ['kind', 'memory_kib', 'passes', 'salt', 'nonce', 'ciphertext']);
  const numbers = { memory_kib: Number(memory_kib), passes: Number(passes) };
  return { kind, ...numbers, salt: text(salt, 'salt'), nonce: text(nonce, 'nonce'), ciphertext: text(ciphertext, 'ciphertext') };
}

/** The fields of an object that has no others. */
function fields<N extends string>(json: unknown, names: readonly N[]): Partial<Record<N, unknown>> {
  const isForm = typeof json === 'object' && json !== null && Object.keys(json).every((name) => (names as readonly string[]).includes(name));
  if (!isForm) throw new KeyFileError('form', 'this is not a key file');
  return json;
}

function text(value: unknown, field: string): string {
  if (typeof value !== 'string') throw invalid(field);
  return value;
}

function fixed(digits: string, length: number, field: string): Uint8Array {
  const bytes = fromHex(digits);
  if (bytes?.length !== length) throw invalid(field);
  return bytes;
}

function isCount(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function invalid(field: string): KeyFileError {
  return new KeyFileError('form', `\`${field}\` in the key file is not valid`);
}
