// Canonical CBOR (RFC 8949, 4.2), written: shortest heads, definite lengths, no floats.

import { toUtf8 } from '../text/bytes.ts';

/** Major types of CBOR, as the three high bits of a head. */
export const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6, simple: 7 } as const;

/** `false`, `true` and `null` as whole heads. */
export const SIMPLE = { false: 0xf4, true: 0xf5, null: 0xf6 } as const;

/** Appends canonical CBOR to a buffer that grows. */
export class Writer {
  #buffer = new Uint8Array(256);
  #length = 0;

  /** What was written so far. */
  bytes(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  /** An integer from -2^64 to 2^64 - 1. */
  integer(value: bigint | number): this {
    const number = BigInt(value);
    return number < 0n ? this.#head(MAJOR.negative, -1n - number) : this.#head(MAJOR.unsigned, number);
  }

  /** A byte string. */
  byteString(bytes: Uint8Array): this {
    return this.#head(MAJOR.bytes, BigInt(bytes.length)).raw(bytes);
  }

  /** A text. */
  text(text: string): this {
    const bytes = toUtf8(text);
    return this.#head(MAJOR.text, BigInt(bytes.length)).raw(bytes);
  }

  /** The head of an array; its items follow. */
  array(length: number): this {
    return this.#head(MAJOR.array, BigInt(length));
  }

  /** The head of a map; its keys and values follow in turn. */
  map(length: number): this {
    return this.#head(MAJOR.map, BigInt(length));
  }

  /** A truth value. */
  boolean(value: boolean): this {
    return this.raw(Uint8Array.of(value ? SIMPLE.true : SIMPLE.false));
  }

  /** Nothing. */
  null(): this {
    return this.raw(Uint8Array.of(SIMPLE.null));
  }

  /** Bytes that are encoded already. */
  raw(bytes: Uint8Array): this {
    const length = this.#length + bytes.length;
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#buffer.length));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
    return this;
  }

  #head(major: number, argument: bigint): this {
    const high = major << 5;
    if (argument < 24n) return this.raw(Uint8Array.of(high | Number(argument)));
    const [info, width] = argument < 0x100n ? [24, 1] : argument < 0x1_0000n ? [25, 2] : argument < 0x1_0000_0000n ? [26, 4] : [27, 8];
    if (argument >= 1n << 64n) throw new RangeError('a CBOR integer has at most 64 bits');
    const head = new Uint8Array(1 + width);
    head[0] = high | info;
    for (let at = width, rest = argument; at > 0; at--, rest >>= 8n) head[at] = Number(rest & 0xffn);
    return this.raw(head);
  }
}
