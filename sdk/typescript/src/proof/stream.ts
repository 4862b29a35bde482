// The steps `thing` and `stream`, and the claims about intervals of a stream.

import type { Finalized } from '../forms/block.ts';
import type { AnswerProof, StreamProof } from '../forms/bundle.ts';
import { streamId, thingId } from '../forms/digest.ts';
import { stateKey, thingRecord } from '../forms/state.ts';
import { leavesOf, streamHead, totalOf } from '../forms/tree.ts';
import { equal, toHex } from '../text/bytes.ts';
import type { Context } from './context.ts';
import { answerAggregate, answerRange } from './opening.ts';
import type { VerifiedAggregate, VerifiedRange, VerifiedStream } from './verified.ts';
import { intervalText, printable, valueText } from './words.ts';

/** Checks that a stream and its thing are in the state that a block commits to. */
export function checkStream(context: Context, { header }: Finalized, proof: StreamProof): VerifiedStream {
  const thing = proof.thing.record;
  const head = proof.head.record;
  const thingKey = thingId(thing.owner, thing.name);
  context.stated('thing', proof.thing, thingRecord, header, stateKey.thing(thingKey));
  const owner = context.did(thing.owner);
  context.done('thing', `thing \`${printable(thing.name)}\` of ${owner}, in the state after block ${header.result.height}`);

  const id = streamId(head.thing, head.property);
  context.require(equal(head.thing, thingKey), 'stream', 'the stream belongs to another thing');
  context.stated('stream', proof.head, streamHead, header, stateKey.stream(id));
  const total = totalOf(head.peaks);
  const count = total === null || total === 'overflow' ? 0n : total.count;
  context.done('stream', `its property \`${printable(head.property)}\` has ${count} readings in ${leavesOf(head.peaks)} batches`);
  const { property, schema } = head;
  return { id: toHex(id), thing: context.did(thingKey), name: thing.name, owner, property, schema, count };
}

/** Checks that these are all readings of an interval. */
export function checkRange(context: Context, block: Finalized, proof: AnswerProof): VerifiedRange {
  const stream = checkStream(context, block, proof.stream);
  const answer = context.at('range', () => answerRange(proof.stream.head.record, proof.interval, proof.opening));
  const { batches, ...shown } = answer;
  const left = shown.withheld.length === 0 ? '' : `; the payloads of ${shown.withheld.length} are left out`;
  const encrypted = shown.sealed.reduce((sum, { batch }) => sum + batch.count, 0);
  const sealed = encrypted === 0 ? '' : `; ${encrypted} readings of these batches exist, encrypted`;
  const what = `${shown.readings.length} readings from ${batches} batches, and the stream has no other${left}${sealed}`;
  context.done('range', `${intervalText(proof.interval)}: ${what}`);
  return { kind: 'range', stream, ...shown };
}

/** Checks what the readings of an interval amount to. */
export function checkAggregate(context: Context, block: Finalized, proof: AnswerProof): VerifiedAggregate {
  const stream = checkStream(context, block, proof.stream);
  const { interval } = proof;
  const answer = context.at('aggregate', () => answerAggregate(proof.stream.head.record, interval, proof.opening));
  const words = (mantissa: bigint): string => valueText({ kind: 'number', mantissa }, stream.schema);
  const extremes = answer.min === null || answer.max === null ? '' : `, from ${words(answer.min)} to ${words(answer.max)}`;
  context.done('aggregate', `${intervalText(interval)}: ${answer.count} readings${extremes}`);
  return { kind: 'aggregate', stream, interval, ...answer };
}
