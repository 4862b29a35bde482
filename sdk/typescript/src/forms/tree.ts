// The tree of a stream: leaves, summaries, nodes, peaks, and the head that the state keeps.

import { batchSummaryFields, isBatch, isSchema, isSumPossible, streamSchema } from './reading.ts';
import { bytes, bytes32, checked, encode, flatVariants, i128, i64, list, optional, record, text, u64, variant, type Codec, type Value } from '../cbor/codec.ts';
import { equal, toUtf8 } from '../text/bytes.ts';
import { sha256 } from './digest.ts';
import { id } from './entity.ts';
import { BATCH_READINGS_MAX, GAPS_MAX, LEAVES_MAX, NAME_BYTES_MAX, PARTS_MAX } from './limits.ts';

const U64_MAX = (1n << 64n) - 1n;

/** A batch in the tree of its stream: what its submitter said of it, and when the ledger took it. */
export const leaf = checked(
  record({
    ...batchSummaryFields,
    /** The entity that submitted it. */
    submitter: id,
    /** The transaction that it came with. */
    transaction: id,
    /** Time of the block that took it, milliseconds since 1970. */
    ledgerTimeMs: u64,
    /** Height of that block. */
    height: u64,
  }),
  'leaf',
  isBatch,
);
/** A batch in the tree of its stream. */
export type Leaf = Value<typeof leaf>;

/** What a subtree holds, in one line. */
export const summary = checked(
  record({
    leaves: u64,
    count: u64,
    seqMin: u64,
    seqMax: u64,
    timeMin: i64,
    timeMax: i64,
    min: optional(i64),
    max: optional(i64),
    sum: i128,
  }),
  'summary',
  isSummary,
);
/** What a subtree holds, in one line. */
export type Summary = {
  leaves: bigint;
  count: bigint;
  seqMin: bigint;
  seqMax: bigint;
  timeMin: bigint;
  timeMax: bigint;
  min: bigint | null;
  max: bigint | null;
  sum: bigint;
};

function isSummary({ leaves, count, seqMin, seqMax, timeMin, timeMax, min, max, sum }: Summary): boolean {
  const isCountPossible = leaves <= count && count <= leaves * BigInt(BATCH_READINGS_MAX) && count - 1n <= seqMax - seqMin;
  return leaves >= 1n && leaves <= LEAVES_MAX && seqMin <= seqMax && isCountPossible && timeMin <= timeMax && isSumPossible(min, max, sum, count);
}

/** The summary of a leaf. */
export function summaryOf({ firstSeq, count, timeMin, timeMax, min, max, sum }: Leaf): Summary {
  return { leaves: 1n, count: BigInt(count), seqMin: firstSeq, seqMax: lastSeq({ firstSeq, count }), timeMin, timeMax, min, max, sum };
}

/** Sequence number of the last reading of a batch. */
export function lastSeq({ firstSeq, count }: Pick<Leaf, 'firstSeq' | 'count'>): bigint {
  return firstSeq + BigInt(count) - 1n;
}

/** The summary of two subtrees side by side; `undefined` if a number overflows. */
export function merge(left: Summary, right: Summary): Summary | undefined {
  const leaves = left.leaves + right.leaves;
  const count = left.count + right.count;
  const sum = left.sum + right.sum;
  if (leaves > LEAVES_MAX || count > U64_MAX || BigInt.asIntN(128, sum) !== sum) return undefined;
  return {
    leaves,
    count,
    seqMin: least(left.seqMin, right.seqMin),
    seqMax: most(left.seqMax, right.seqMax),
    timeMin: least(left.timeMin, right.timeMin),
    timeMax: most(left.timeMax, right.timeMax),
    min: either(left.min, right.min, least),
    max: either(left.max, right.max, most),
    sum,
  };
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function most(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** What two values that may be absent come to: one that is there, or the chosen of both. */
export function either(a: bigint | null, b: bigint | null, choose: (a: bigint, b: bigint) => bigint): bigint | null {
  if (a === null || b === null) return a ?? b;
  return choose(a, b);
}

/** The smaller of two that may be absent. */
export function smallerOf(a: bigint | null, b: bigint | null): bigint | null {
  return either(a, b, least);
}

/** The larger of two that may be absent. */
export function largerOf(a: bigint | null, b: bigint | null): bigint | null {
  return either(a, b, most);
}

/** A subtree as its parent, or the stream's head, commits to it. */
export const node = record({ hash: bytes32, summary });
/** A subtree as its parent, or the stream's head, commits to it. */
export type TreeNode = { hash: Uint8Array; summary: Summary };

const LEAF = Uint8Array.of(0);
const INNER = Uint8Array.of(1);

/** The node of a leaf. */
export function nodeOfLeaf(value: Leaf): TreeNode {
  return { hash: sha256(LEAF, encode(leaf, value)), summary: summaryOf(value) };
}

/** The parent of two nodes; `undefined` if the summaries do not merge. */
export function join(left: TreeNode, right: TreeNode): TreeNode | undefined {
  const merged = merge(left.summary, right.summary);
  if (!merged) return undefined;
  const parts = [left, right].flatMap((each) => [each.hash, encode(summary, each.summary)]);
  return { hash: sha256(INNER, ...parts), summary: merged };
}

/** Whether two nodes are the same, hash and summary. */
export function isSameNode(a: TreeNode, b: TreeNode): boolean {
  const names = Object.keys(a.summary) as (keyof Summary)[];
  return equal(a.hash, b.hash) && names.every((name) => a.summary[name] === b.summary[name]);
}

/** Most peaks of one tree. */
const PEAKS_MAX = 41;

/** The peaks of a stream's tree, highest first. */
export const peaks = checked(list(node, PEAKS_MAX), 'peaks', (nodes) => {
  let above = 2n * LEAVES_MAX;
  for (const { summary: { leaves } } of nodes) {
    if ((leaves & (leaves - 1n)) !== 0n || leaves >= above) return false;
    above = leaves;
  }
  return leavesOf(nodes) <= LEAVES_MAX;
});

/** Number of leaves below peaks. */
export function leavesOf(nodes: readonly TreeNode[]): bigint {
  return nodes.reduce((sum, each) => sum + each.summary.leaves, 0n);
}

/** A peak with its place in the tree. */
export interface Peak {
  /** Distance from the leaves. */
  level: number;
  /** Position within the level, from 0. */
  index: bigint;
  /** The node. */
  node: TreeNode;
}

/** Each peak with its level and index, highest first. */
export function positions(nodes: readonly TreeNode[]): Peak[] {
  let start = 0n;
  return nodes.map((each) => {
    const { leaves } = each.summary;
    const level = leaves.toString(2).length - 1;
    const index = start >> BigInt(level);
    start += leaves;
    return { level, index, node: each };
  });
}

const gap = record({ firstSeq: u64, count: u64 });

/** What the state keeps of a stream. */
export const streamHead = checked(
  record({
    thing: id,
    property: text,
    schema: streamSchema,
    /** The number after the largest one taken. */
    nextSeq: u64,
    /** Numbers below it that are missing and may still come. */
    gaps: list(gap, GAPS_MAX),
    /** How many numbers were given up. */
    sealed: u64,
    peaks,
  }),
  'stream head',
  isHead,
);
/** What the state keeps of a stream. */
export type StreamHead = Value<typeof streamHead>;

function isHead(head: { property: string; schema: Value<typeof streamSchema>; nextSeq: bigint; gaps: Value<typeof gap>[]; peaks: TreeNode[] }): boolean {
  const length = toUtf8(head.property).length;
  if (length < 1 || length > NAME_BYTES_MAX || !isSchema(head.schema)) return false;
  let floor = 0n;
  for (const { firstSeq, count } of head.gaps) {
    const end = firstSeq + count;
    if (firstSeq < floor || count === 0n || end >= head.nextSeq) return false;
    // Two gaps side by side would be one.
    floor = end + 1n;
  }
  const total = totalOf(head.peaks);
  return total !== 'overflow' && (total === null || total.seqMax < head.nextSeq);
}

/** What a stream holds; null if it holds nothing. Valid peaks never overflow. */
export function totalOf(nodes: readonly TreeNode[]): Summary | null | 'overflow' {
  let total: Summary | null = null;
  for (const each of nodes) {
    const merged: Summary | undefined = total === null ? each.summary : merge(total, each.summary);
    if (!merged) return 'overflow';
    total = merged;
  }
  return total;
}

/** The position of a leaf from 0, and its siblings from the leaf up. */
export const leafPath = record({ index: u64, siblings: list(node) });
/** The position of a leaf and its siblings. */
export type LeafPath = Value<typeof leafPath>;

/** One step of the walk through an opened tree. */
export const part = flatVariants({
  inner: variant(0, {}),
  closed: variant(1, { node }),
  leaf: variant(2, { leaf, payload: optional(bytes) }),
});
/** One step of the walk through an opened tree. */
export type Part = Value<typeof part>;

/** The opened part of a stream's tree, in pre-order. */
export const opening: Codec<Part[]> = list(part, PARTS_MAX);
