// Written by scripts/model.mjs from docs/reference/openapi.json. Do not edit: npm run model.

export type * from './a-to-b.ts';
export type * from './c-to-f.ts';
export type * from './g-to-o.ts';
export type * from './p-to-r.ts';
export type * from './s.ts';
export type * from './t-to-z.ts';
export type * from './requests.ts';

/** A part of a list: pass `next` as `after` to go on; it is absent on the last page. */
export interface Page<T> {
  /** The items, in order. */
  items: T[];
  /** Pass as `after` to go on; absent on the last page. */
  next?: string;
}
