// Wire forms as tables. A form is described once; reading and writing follow from it.

import { Reader, WireError } from './reader.ts';
import { MAJOR, Writer } from './writer.ts';
import { equal } from '../text/bytes.ts';

/** How values of a type are read and written. */
export interface Codec<T> {
  /** Appends a value. */
  write(value: T, to: Writer): void;
  /** Reads a value; throws {@link WireError} if there is none. */
  read(from: Reader): T;
  /** Whether an absent value at the end of a record is left out. */
  readonly isOptional?: boolean;
}

/** The type whose values a codec reads and writes. */
export type Value<C> = C extends Codec<infer T> ? T : never;

/** The canonical bytes of a value. */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const to = new Writer();
  codec.write(value, to);
  return to.bytes();
}

/**
 * Reads canonical bytes of a bounded length. What was read is written again and compared, so that
 * no second encoding, no trailing byte and no ignored field can pass.
 */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array, bytesMax: number): T {
  if (bytes.length > bytesMax) throw new WireError(`${bytes.length} bytes, but at most ${bytesMax} are allowed`);
  const from = new Reader(bytes);
  const value = codec.read(from);
  if (!from.isAtEnd || !equal(encode(codec, value), bytes)) throw new WireError('not the canonical encoding');
  return value;
}

function unsigned(bits: number): Codec<number> {
  const max = 2 ** bits - 1;
  return {
    write: (value, to) => void to.integer(value),
    read: (from) => {
      const number = from.integer();
      return number >= 0n && number <= BigInt(max) ? Number(number) : from.fail();
    },
  };
}

/** Unsigned integer of 8 bits. */
export const u8 = unsigned(8);
/** Unsigned integer of 16 bits. */
export const u16 = unsigned(16);
/** Unsigned integer of 32 bits. */
export const u32 = unsigned(32);

/** Unsigned integer of 64 bits. */
export const u64: Codec<bigint> = {
  write: (value, to) => void to.integer(value),
  read: (from) => {
    const number = from.integer();
    return number >= 0n ? number : from.fail();
  },
};

/** Signed integer of 64 bits. */
export const i64: Codec<bigint> = {
  write: (value, to) => void to.integer(value),
  read: (from) => {
    const number = from.integer();
    return BigInt.asIntN(64, number) === number ? number : from.fail();
  },
};

const I128_BYTES = 16;

/** Signed integer of 128 bits: a byte string of 16, two's complement, most significant first. */
export const i128: Codec<bigint> = {
  write: (value, to) => {
    const bytes = new Uint8Array(I128_BYTES);
    for (let at = I128_BYTES - 1, rest = value; at >= 0; at--, rest >>= 8n) bytes[at] = Number(rest & 0xffn);
    to.byteString(bytes);
  },
  read: (from) => {
    let number = 0n;
    for (const byte of fixed(I128_BYTES).read(from)) number = (number << 8n) | BigInt(byte);
    return BigInt.asIntN(128, number);
  },
};

/** A text. */
export const text: Codec<string> = {
  write: (value, to) => void to.text(value),
  read: (from) => from.text(),
};

/** A byte string. */
export const bytes: Codec<Uint8Array> = {
  write: (value, to) => void to.byteString(value),
  read: (from) => from.byteString(),
};

/** A byte string of one length. */
export function fixed(length: number): Codec<Uint8Array> {
  return {
    write: (value, to) => {
      if (value.length !== length) throw new WireError(`${value.length} bytes where there must be ${length}`);
      to.byteString(value);
    },
    read: (from) => {
      const value = from.byteString();
      return value.length === length ? value : from.fail();
    },
  };
}

/** An id, a key or a digest. */
export const bytes32 = fixed(32);

/** At most so many values. */
export function list<T>(item: Codec<T>, max = Number.MAX_SAFE_INTEGER): Codec<T[]> {
  return {
    write: (values, to) => {
      to.array(values.length);
      for (const value of values) item.write(value, to);
    },
    read: (from) => {
      const count = from.array();
      if (count > BigInt(max)) from.fail();
      // Not made beforehand: a count is believed item by item.
      const values: T[] = [];
      for (let left = count; left > 0n; left--) values.push(item.read(from));
      return values;
    },
  };
}

/** A value that may be absent: null, or left out at the end of a record. */
export function optional<T>(codec: Codec<T>): Codec<T | null> {
  return {
    isOptional: true,
    write: (value, to) => {
      if (value === null) to.null();
      else codec.write(value, to);
    },
    read: (from) => (from.skipNull() ? null : codec.read(from)),
  };
}

/** Codecs of the fields of a record, in order. */
export type Fields = Record<string, Codec<never>>;
type Field<C> = C extends { write(value: infer T, to: Writer): void } ? T : never;
/** The record with these fields. */
export type RecordOf<F> = { [K in keyof F]: Field<F[K]> };

/** An array of fields in order; absent fields at the end are left out. */
export function record<F extends Record<string, unknown>>(fields: F): Codec<RecordOf<F>> {
  const { write, read } = fieldsOf<F>(fields);
  return { write: (value, to) => write(value, to, []), read: (from) => read(from, from.array()) };
}

/** One case of an {@link variants | enumeration with content}. */
export type Case<F> = { number: number; fields: F };
type Cases = Record<string, Case<Record<string, unknown>>>;
/** A value of one of the cases; `kind` says which. */
export type VariantOf<C extends Cases> = { [K in keyof C]: { kind: K } & RecordOf<C[K]['fields']> }[keyof C];

/** A case with its number and fields. */
export function variant<F extends Record<string, unknown>>(number: number, fields: F): Case<F> {
  return { number, fields };
}

/** An enumeration with content: `[number, [fields]]`. */
export function variants<C extends Cases>(cases: C): Codec<VariantOf<C>> {
  return enumeration(cases, false);
}

/** An enumeration with content, flat: `[number, fields...]`. */
export function flatVariants<C extends Cases>(cases: C): Codec<VariantOf<C>> {
  return enumeration(cases, true);
}

function enumeration<C extends Cases>(cases: C, isFlat: boolean): Codec<VariantOf<C>> {
  type Entry = { kind: string; number: number } & ReturnType<typeof fieldsOf>;
  const entries: Entry[] = Object.entries(cases).map(([kind, each]) => ({ kind, number: each.number, ...fieldsOf(each.fields) }));
  return {
    write: (value, to) => {
      const entry = entries.find((each) => each.kind === value.kind);
      if (!entry) throw new WireError(`there is no case ${String(value.kind)}`);
      if (isFlat) return entry.write(value, to, [entry.number]);
      to.array(2).integer(entry.number);
      entry.write(value, to, []);
    },
    read: (from) => {
      const count = from.array();
      if (isFlat ? count < 1n : count !== 2n) from.fail();
      const number = from.integer();
      const entry = entries.find((each) => BigInt(each.number) === number) ?? from.fail();
      const value = entry.read(from, isFlat ? count - 1n : from.array());
      return { kind: entry.kind, ...value } as VariantOf<C>;
    },
  };
}

/** Reading and writing of fields in order, behind items that were written already. */
function fieldsOf<F extends Record<string, unknown>>(fields: F) {
  const entries = Object.entries(fields) as [string, Codec<unknown>][];
  const write = (value: object, to: Writer, before: number[]): void => {
    const values = value as Record<string, unknown>;
    const last = entries.findLastIndex(([name, codec]) => !codec.isOptional || values[name] !== null);
    to.array(before.length + last + 1);
    for (const number of before) to.integer(number);
    for (const [name, codec] of entries.slice(0, last + 1)) codec.write(values[name], to);
  };
  const read = (from: Reader, count: bigint): RecordOf<F> => {
    if (count > BigInt(entries.length)) from.fail();
    const value: Record<string, unknown> = {};
    for (const [at, [name, codec]] of entries.entries()) {
      if (BigInt(at) < count) value[name] = codec.read(from);
      else if (codec.isOptional) value[name] = null;
      else from.fail();
    }
    return value as RecordOf<F>;
  };
  return { write, read };
}

/** An enumeration without content: its number stands for a name. */
export function numbered<const N extends readonly string[]>(names: N, first = 0): Codec<N[number]> {
  return {
    write: (value, to) => void to.integer(first + names.indexOf(value)),
    read: (from) => {
      const number = from.integer() - BigInt(first);
      const name = number >= 0n && number < BigInt(names.length) ? names[Number(number)] : undefined;
      return name ?? from.fail();
    },
  };
}

/** An enumeration without content whose numbers have gaps. */
export function numberedAs<const N extends Record<string, number>>(numbers: N): Codec<keyof N & string> {
  const names = new Map(Object.entries(numbers).map(([name, number]) => [BigInt(number), name]));
  return {
    write: (value, to) => void to.integer(numbers[value] ?? -1),
    read: (from) => names.get(from.integer()) ?? from.fail(),
  };
}

/** True or false. */
export const boolean: Codec<boolean> = {
  write: (value, to) => void to.boolean(value),
  read: (from) => from.boolean(),
};

/** A codec whose values must also hold a statement; `what` names what does not. */
export function checked<T>(codec: Codec<T>, what: string, holds: (value: T) => boolean): Codec<T> {
  return {
    write: codec.write,
    read: (from) => {
      const value = codec.read(from);
      return holds(value) ? value : from.fail(`${what} is out of bounds`);
    },
    ...(codec.isOptional === undefined ? {} : { isOptional: codec.isOptional }),
  };
}

/** Whether the next item is of this major type. */
export function isNext(from: Reader, major: keyof typeof MAJOR): boolean {
  return from.peek() === MAJOR[major];
}
