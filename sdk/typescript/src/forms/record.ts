// Records: data that one entity writes for itself or others to find.

import { bytes, list, optional, record, text, type Value } from '../cbor/codec.ts';
import { id, isName } from './entity.ts';
import { RECIPIENTS_MAX, RECORD_BYTES_MAX } from './limits.ts';

/** Data that one entity writes for itself or others to find. */
export const recordForm = record({
  /** What sort of record, a name chosen by the application. */
  kind: text,
  /** Its data; the ledger does not look into it. */
  data: bytes,
  /** Entities to be notified. */
  notify: list(id),
  /** An earlier transaction that it belongs to. */
  link: optional(id),
});

/** Whether a record is within its bounds. */
export function isRecord({ kind, data, notify }: Value<typeof recordForm>): boolean {
  return isName(kind) && data.length <= RECORD_BYTES_MAX && notify.length <= RECIPIENTS_MAX;
}
