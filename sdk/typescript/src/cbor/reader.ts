// Canonical CBOR, read: whatever would be written differently is refused.

import { fromUtf8 } from '../text/bytes.ts';
import { MAJOR, SIMPLE } from './writer.ts';

/** Bytes that are not the canonical encoding of what they should be. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** Reads items one after the other from bytes that anybody may have made. */
export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Offset of the next byte. */
  get position(): number {
    return this.#at;
  }

  /** Whether all was read. */
  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The bytes from an earlier position up to here. */
  since(position: number): Uint8Array {
    return this.#bytes.subarray(position, this.#at);
  }

  /** Major type of the next item, which is not read; `undefined` at the end. */
  peek(): number | undefined {
    const head = this.#bytes[this.#at];
    return head === undefined ? undefined : head >> 5;
  }

  /** Whether the next item is null, which is read if so. */
  skipNull(): boolean {
    const isNull = this.#bytes[this.#at] === SIMPLE.null;
    if (isNull) this.#at += 1;
    return isNull;
  }

  /** An integer. */
  integer(): bigint {
    if (this.peek() === MAJOR.negative) return -1n - this.#head(MAJOR.negative);
    return this.#head(MAJOR.unsigned);
  }

  /** A byte string: a view of the input, not a copy. */
  byteString(): Uint8Array {
    return this.#take(this.#head(MAJOR.bytes));
  }

  /** A text of valid UTF-8. */
  text(): string {
    const text = fromUtf8(this.#take(this.#head(MAJOR.text)));
    return text ?? this.fail();
  }

  /** The number of items of an array. */
  array(): bigint {
    return this.#head(MAJOR.array);
  }

  /** The number of entries of a map. */
  map(): bigint {
    return this.#head(MAJOR.map);
  }

  /** The number of a tag; what it stands before follows. */
  tag(): bigint {
    return this.#head(MAJOR.tag);
  }

  /** A truth value. */
  boolean(): boolean {
    const head = this.#bytes[this.#at];
    if (head !== SIMPLE.true && head !== SIMPLE.false) this.fail();
    this.#at += 1;
    return head === SIMPLE.true;
  }

  /** Refuses the input where it stands. */
  fail(what = `malformed at byte ${this.#at}`): never {
    throw new WireError(what);
  }

  #take(length: bigint): Uint8Array {
    // Compared before it is a number: a length of 2^60 must not be believed.
    if (length > BigInt(this.#bytes.length - this.#at)) this.fail();
    const bytes = this.#bytes.subarray(this.#at, this.#at + Number(length));
    this.#at += bytes.length;
    return bytes;
  }

  #head(major: number): bigint {
    const head = this.#bytes[this.#at];
    if (head === undefined || head >> 5 !== major) return this.fail();
    const info = head & 0x1f;
    if (info > 27) return this.fail();
    this.#at += 1;
    if (info < 24) return BigInt(info);
    const width = 1 << (info - 24);
    let argument = 0n;
    for (const byte of this.#take(BigInt(width))) argument = (argument << 8n) | BigInt(byte);
    // The shortest form only: a width less would not have held it.
    const least = width === 1 ? 24n : 1n << BigInt(4 * width);
    return argument >= least ? argument : this.fail();
  }
}
