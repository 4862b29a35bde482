// Triggers: what the ledger does by itself when something happens (docs/formats/triggers.md).

import { bytes, i64, numbered, optional, record, text, u16, u64, variant, variants, type Value } from '../cbor/codec.ts';
import { isCall } from './contract.ts';
import { id, isName } from './entity.ts';
import { COMMAND_LIFE_MS_MAX, TRIGGER_SPAN_MS_MAX } from './limits.ts';
import { commandState, isCommand, operation } from './onboarding.ts';
import { isRecord, recordForm } from './record.ts';

/** How a reading compares to a bound. */
export const relation = numbered(['<', '<=', '>=', '>']);

/** What a trigger waits for. */
export const cause = variants({
  reading: variant(0, { stream: id, relation, bound: i64, forMs: u64 }),
  silence: variant(1, { stream: id, forMs: u64 }),
  time: variant(2, { firstMs: u64, everyMs: u64 }),
  contract: variant(3, { contract: id, event: text }),
  recorded: variant(4, { sender: id, recordKind: text }),
  commanded: variant(5, { thing: id, state: commandState }),
});
/** What a trigger waits for; `kind` says what. Time is that of the blocks, in milliseconds. */
export type Cause = Value<typeof cause>;

/** What a trigger does, as its owner could. */
export const effect = variants({
  call: variant(0, { contract: id, message: bytes, gasLimit: u64 }),
  command: variant(1, { thing: id, operation, lifeMs: u64, purpose: optional(text) }),
  record: variant(2, { record: recordForm }),
});
/** What a trigger does, as its owner could; `kind` says what. */
export type Effect = Value<typeof effect>;

/** Something to be done by the ledger itself in the name of its owner. */
export const trigger = record({ name: text, cause, effect });
/** Something to be done by the ledger itself in the name of its owner. */
export type Trigger = Value<typeof trigger>;

/** What happened to a trigger. */
export const triggerEvent = variants({
  set: variant(0, { trigger: id, owner: id }),
  removed: variant(1, { trigger: id }),
  ran: variant(2, { trigger: id, owner: id, causeHeight: u64, code: u16, gasUsed: u64 }),
  suspended: variant(3, { trigger: id, code: u16 }),
  resumed: variant(4, { trigger: id }),
});

/** Whether a trigger is within its bounds. */
export function isTrigger({ name, cause, effect }: Trigger): boolean {
  return isName(name) && isCause(cause) && isEffect(effect);
}

function isCause(value: Cause): boolean {
  switch (value.kind) {
    case 'reading':
      return value.forMs <= TRIGGER_SPAN_MS_MAX;
    case 'silence':
      return value.forMs >= 1n && value.forMs <= TRIGGER_SPAN_MS_MAX;
    case 'time':
      return value.everyMs <= TRIGGER_SPAN_MS_MAX;
    case 'contract':
      return isName(value.event);
    case 'recorded':
      return isName(value.recordKind);
    default:
      return true;
  }
}

function isEffect(value: Effect): boolean {
  if (value.kind === 'call') return isCall(value.message, value.gasLimit);
  if (value.kind === 'record') return isRecord(value.record);
  return value.lifeMs >= 1n && value.lifeMs <= COMMAND_LIFE_MS_MAX && isCommand({ ...value, untilMs: 0n });
}
