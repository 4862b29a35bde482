// Contracts: code that the ledger runs, and what is agreed about it (docs/formats/contracts.md).

import { list, optional, record, text, u32, u8, type Value } from '../cbor/codec.ts';
import { compare, toUtf8 } from '../text/bytes.ts';
import { id, isName } from './entity.ts';
import { CALLERS_MAX, CODE_SOURCE_BYTES_MAX, CONTRACT_GAS_MAX, CONTRACT_MESSAGE_BYTES_MAX, INTERFACES_MAX, PARTICIPANTS_MAX } from './limits.ts';

/** What is said of code for people and programs to find it. */
export const codeMeta = record({
  name: text,
  /** Where the source is and how the module was built from it. */
  source: text,
  /** Names of the interfaces it serves, ascending. */
  interfaces: list(text),
});

/** Who decides about a contract and who may call it. */
export const terms = record({
  /** Who may migrate, freeze, thaw and terminate it; nobody if null. */
  admin: optional(id),
  /** Who decides whether it begins, ascending; it begins at once if nobody. */
  participants: list(id),
  /** How many of them must accept it. */
  threshold: u8,
  /** Blocks within which they must. */
  patienceBlocks: u32,
  /** Who may call it, ascending: these, and what they own; anyone if empty. */
  callers: list(id),
});
/** Who decides about a contract and who may call it. */
export type Terms = Value<typeof terms>;

/** Something that a contract says in an event. */
export const attribute = record({ key: text, value: text });

/** Whether what is said of code is within its bounds. */
export function isCodeMeta({ name, source, interfaces }: Value<typeof codeMeta>): boolean {
  const isSource = toUtf8(source).length <= CODE_SOURCE_BYTES_MAX && !/\p{Cc}/u.test(source);
  const ascend = interfaces.every((each, at) => at === 0 || compare(toUtf8(interfaces[at - 1] ?? each), toUtf8(each)) < 0);
  return isName(name) && isSource && interfaces.length <= INTERFACES_MAX && interfaces.every(isName) && ascend;
}

/** Whether terms are within their bounds. */
export function isTerms({ participants, threshold, patienceBlocks, callers }: Terms): boolean {
  const ascend = (ids: readonly Uint8Array[]): boolean => ids.every((each, at) => at === 0 || compare(ids[at - 1] ?? each, each) < 0);
  const isDecided = participants.length === 0 ? threshold === 0 && patienceBlocks === 0 : threshold >= 1 && threshold <= participants.length && patienceBlocks > 0;
  return isDecided && participants.length <= PARTICIPANTS_MAX && callers.length <= CALLERS_MAX && ascend(participants) && ascend(callers);
}

/** Whether a message and a gas limit are within their bounds. */
export function isCall(message: Uint8Array, gasLimit: bigint): boolean {
  return message.length >= 1 && message.length <= CONTRACT_MESSAGE_BYTES_MAX && gasLimit >= 1n && gasLimit <= CONTRACT_GAS_MAX;
}
