import { Writer } from '../cbor/writer.ts';

/** What is posted to be put on the ledger: a signed transaction and the payloads of its batches. */
export interface Submission {
  /** The transaction's bytes. */
  wire: Uint8Array;
  /** The payloads of its batches, in order; none if it brings no batch. */
  payloads?: readonly Uint8Array[];
}

/** Media type of several transactions with payloads. */
export const CBOR_MEDIA_TYPE = 'application/cbor';

/** The body of a request: `[[transaction, [payload, ...]], ...]`. */
export function encodeSubmissions(submissions: readonly Submission[]): Uint8Array {
  const to = new Writer().array(submissions.length);
  for (const { wire, payloads = [] } of submissions) {
    to.array(2).byteString(wire).array(payloads.length);
    for (const payload of payloads) to.byteString(payload);
  }
  return to.bytes();
}
