// The opened part of a stream's tree, and what it answers (docs/formats/tree.md).

import { measure, openPayload, type ReadingForm } from '../forms/reading.ts';
import { isSameNode, join, largerOf, nodeOfLeaf, positions, smallerOf, type Leaf, type Part, type StreamHead, type Summary, type TreeNode } from '../forms/tree.ts';
import { isSealed, sealedOf } from '../forms/secrecy.ts';
import type { Interval, NumberedReading, SealedBatch, VerifiedAggregate, VerifiedRange } from './verified.ts';

/** An opening that is no answer: says why. */
export class OpeningError extends Error {
  override readonly name = 'OpeningError';
}

/** What a checked opening shows: every leaf of the tree is below exactly one of these. */
type Shown = { closed: Summary } | { leaf: Leaf; index: bigint; payload: Uint8Array | null };

/** All readings of a range, or the answer is refused with an {@link OpeningError}. */
export function answerRange(head: StreamHead, interval: Interval, parts: readonly Part[]): Omit<VerifiedRange, 'kind' | 'stream'> & { batches: number } {
  const readings: NumberedReading[] = [];
  const withheld: VerifiedRange['withheld'] = [];
  const sealed: VerifiedRange['sealed'] = [];
  const leaves = check(head, parts, (summary) => overlaps(interval, summary)).filter((shown) => 'leaf' in shown);
  leaves.sort((a, b) => (a.leaf.firstSeq < b.leaf.firstSeq ? -1 : 1));
  for (const { leaf, index, payload } of leaves) {
    if (payload === null) withheld.push({ firstSeq: leaf.firstSeq, count: leaf.count });
    else if (isSealed(payload)) sealed.push(sealedBatch(leaf, index, payload));
    else readings.push(...numbered(head, leaf, index, payload).filter(({ seq, claimedMs }) => contains(interval, seq, claimedMs)));
  }
  return { interval, readings, withheld, sealed, batches: leaves.length };
}

/** What the readings of an interval amount to, or the answer is refused with an {@link OpeningError}. */
export function answerAggregate(head: StreamHead, interval: Interval, parts: readonly Part[]): Pick<VerifiedAggregate, 'count' | 'min' | 'max' | 'sum'> {
  const total: Pick<VerifiedAggregate, 'count' | 'min' | 'max' | 'sum'> = { count: 0n, min: null, max: null, sum: 0n };
  const add = (count: bigint, min: bigint | null, max: bigint | null, sum: bigint): void => {
    total.count += count;
    total.min = smallerOf(total.min, min);
    total.max = largerOf(total.max, max);
    total.sum += sum;
  };
  for (const shown of check(head, parts, (summary) => overlaps(interval, summary) && !covers(interval, summary))) {
    if ('closed' in shown) {
      const { count, min, max, sum } = shown.closed;
      if (covers(interval, shown.closed)) add(count, min, max, sum);
      continue;
    }
    if (shown.payload === null) throw new OpeningError(`the payload of batch ${shown.index} is needed, but left out`);
    for (const { seq, claimedMs, value } of numbered(head, shown.leaf, shown.index, shown.payload)) {
      const number = measure(value);
      if (contains(interval, seq, claimedMs)) add(1n, number, number, number ?? 0n);
    }
  }
  if (BigInt.asIntN(128, total.sum) !== total.sum) throw new OpeningError('a number overflows');
  return total;
}

function sealedBatch(leaf: Leaf, index: bigint, payload: Uint8Array): SealedBatch {
  try {
    return { keyNumber: sealedOf(leaf, payload).keyNumber, batch: leaf, payload };
  } catch (error) {
    const why = error instanceof Error ? `: ${error.message}` : '';
    throw new OpeningError(`the payload of batch ${index} is not the one in the stream's tree${why}`);
  }
}

function numbered(head: StreamHead, leaf: Leaf, index: bigint, payload: Uint8Array): NumberedReading[] {
  let readings: ReadingForm[];
  try {
    readings = openPayload(leaf, head.schema, payload);
  } catch (error) {
    const why = error instanceof Error ? `: ${error.message}` : '';
    throw new OpeningError(`the payload of batch ${index} is not the one in the stream's tree${why}`);
  }
  return readings.map((reading, at) => ({ seq: leaf.firstSeq + BigInt(at), ...reading }));
}

/** Checks that the parts are the tree below the head's peaks, opened exactly where `opens` says. */
function check(head: StreamHead, parts: readonly Part[], opens: (summary: Summary) => boolean): Shown[] {
  const shown: Shown[] = [];
  let next = 0;

  /** Reads one subtree; the recursion ends at level 0, and no peak is higher than 40. */
  const subtree = (level: number, index: bigint): TreeNode => {
    const part = parts[next++];
    const first = index << BigInt(level);
    if (part?.kind === 'closed' && part.node.summary.leaves === 1n << BigInt(level)) {
      if (opens(part.node.summary)) throw new OpeningError(`batches ${first}.. can hold an answer, but are held back`);
      shown.push({ closed: part.node.summary });
      return part.node;
    }
    const opened = openedNode(part, level, index);
    if (!opens(opened.summary)) throw new OpeningError(`batches ${first}.. are opened although the answer does not need them`);
    return opened;
  };

  const openedNode = (part: Part | undefined, level: number, index: bigint): TreeNode => {
    if (part?.kind === 'inner' && level > 0) {
      const left = subtree(level - 1, 2n * index);
      const parent = join(left, subtree(level - 1, 2n * index + 1n));
      if (!parent) throw new OpeningError('a number overflows');
      return parent;
    }
    if (part?.kind === 'leaf' && level === 0) {
      shown.push({ leaf: part.leaf, index, payload: part.payload });
      return nodeOfLeaf(part.leaf);
    }
    throw new OpeningError("the parts do not have the shape of the stream's tree");
  };

  for (const { level, index, node } of positions(head.peaks)) {
    if (!opens(node.summary)) shown.push({ closed: node.summary });
    else if (!isSameNode(subtree(level, index), node)) throw new OpeningError(`batches ${index << BigInt(level)}.. are not those of the stream: their hash differs`);
  }
  if (next !== parts.length) throw new OpeningError("the parts do not have the shape of the stream's tree");
  return shown;
}

/** Whether a reading belongs to an interval. */
function contains(interval: Interval, seq: bigint, claimedMs: bigint): boolean {
  if (interval.kind === 'seq') return interval.first <= seq && seq <= interval.last;
  return interval.firstMs <= claimedMs && claimedMs <= interval.lastMs;
}

/** Whether a subtree can hold a reading that belongs to it. */
function overlaps(interval: Interval, { seqMin, seqMax, timeMin, timeMax }: Summary): boolean {
  if (interval.kind === 'seq') return interval.first <= seqMax && seqMin <= interval.last;
  return interval.firstMs <= timeMax && timeMin <= interval.lastMs;
}

/** Whether every reading of a subtree belongs to it. */
function covers(interval: Interval, { seqMin, seqMax, timeMin, timeMax }: Summary): boolean {
  return contains(interval, seqMin, timeMin) && contains(interval, seqMax, timeMax);
}
