// The pinned encodings of the Rust code, as docs/contributing/vectors.md describes them.

import { readFileSync } from 'node:fs';

import { fromHex } from '../src/text/bytes.ts';

/** One example of a form. */
export interface Vector {
  name: string;
  wire: Uint8Array;
  inputs: Record<string, unknown>;
  /** What else the file says of it. */
  [field: string]: unknown;
}

/** The file of a form, from `testdata/vectors` at the root of the repository. */
export function vectors(form: string): Vector[] {
  const path = new URL(`../../../../testdata/vectors/${form}.json`, import.meta.url);
  const { vectors: all } = JSON.parse(readFileSync(path, 'utf8')) as { vectors: (Omit<Vector, 'wire'> & { wire: string })[] };
  return all.map((each) => ({ ...each, wire: hex(each.wire) }) as Vector);
}

/** The bytes of hexadecimal digits in a vector. */
export function hex(digits: unknown): Uint8Array {
  const bytes = typeof digits === 'string' ? fromHex(digits) : undefined;
  if (!bytes) throw new TypeError(`${String(digits)} is not hexadecimal`);
  return bytes;
}
