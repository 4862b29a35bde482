// Who reads: the short-lived statement that a reader shows to a peer (docs/formats/policy.md).

import { bytes32, encode, record, text, u64, type Value } from '../cbor/codec.ts';
import { concat, toUtf8 } from '../text/bytes.ts';
import { signature } from './crypto.ts';
import { id } from './entity.ts';

/** Who reads, at which peer, what for, until when. */
export const reader = record({
  /** The ledger. */
  ledger: id,
  /** Voting key of the peer that is asked. */
  peer: bytes32,
  /** Who reads. */
  entity: id,
  /** What for; empty if that is not said. */
  purpose: text,
  /** Until when it counts, milliseconds since 1970. */
  untilMs: u64,
});
/** Who reads, at which peer, what for, until when. */
export type Reader = Value<typeof reader>;

/** A reader with its signature; in hex, the bearer token of a request. */
export const readerToken = record({ reader, signature });

/** What a reader signs. */
export function readerBytes(value: Reader): Uint8Array {
  return concat(toUtf8('althing/reader/1'), encode(reader, value));
}
