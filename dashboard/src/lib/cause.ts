/** What a trigger ran for: where the ledger tells of it. */

import type { EventsQuery, Reading, Trigger } from "./model.ts";

/** Which events of a block a rule may wait for; none if it waits for a time. */
export function awaited({ rule, stream }: Pick<Trigger, "rule" | "stream">): EventsQuery | undefined {
  if (stream !== undefined) return { type: "batch_accepted", stream };
  const [, contract, sender, thing] = /^when (?:contract (\S+) tells|record .+? by (did:\S+) then|command of (did:\S+)) /.exec(`${rule} `) ?? [];
  if (contract !== undefined) return { type: "contract_emitted", contract };
  if (sender !== undefined) return { type: "recorded", entity: sender };
  return thing === undefined ? undefined : { type: "command_queued,command_changed", thing };
}

/** Those of the readings that a rule waits for: what is beyond its bound, or the last before it was silent. */
export function beyond(rule: string, readings: readonly Reading[]): readonly Reading[] {
  const [, relation, bound] = /^when (?:"[^"]*"|\S+) ([<>]=?) (-?[\d.]+)/.exec(rule) ?? [];
  if (relation === undefined) return readings.slice(-1);
  const [to, or] = [Number(bound), relation.endsWith("=")];
  return readings.filter(({ value }) => (relation.startsWith(">") ? Number(value) > to : Number(value) < to) || (or && Number(value) === to));
}
