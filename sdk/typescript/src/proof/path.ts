// Paths: of a key to the state root, of a leaf to a peak of its stream.

import { sha256 } from '../forms/digest.ts';
import { EMPTY, stateInner, stateLeaf, type StatePath } from '../forms/state.ts';
import { isSameNode, join, nodeOfLeaf, positions, type Leaf, type LeafPath, type TreeNode } from '../forms/tree.ts';
import { equal } from '../text/bytes.ts';

/** What a path shows: the digest of the value at the key, or that there is none, or nothing at all. */
export type PathResult = { value: Uint8Array | null } | { fault: string };

/** Follows the path of a raw key to the state root. */
export function followStatePath(path: StatePath, root: Uint8Array, rawKey: Uint8Array): PathResult {
  const key = sha256(rawKey);
  const { siblings, terminal } = path;
  let node: Uint8Array = EMPTY;
  if (terminal.kind === 'found') node = stateLeaf(key, terminal.value);
  if (terminal.kind === 'other') {
    const isShared = siblings.every((_, depth) => bit(terminal.key, depth) === bit(key, depth));
    if (equal(terminal.key, key) || !isShared) return { fault: 'the path ends at a leaf that says nothing about the key' };
    node = stateLeaf(terminal.key, terminal.value);
  }
  for (let depth = siblings.length - 1; depth >= 0; depth--) {
    const sibling = siblings[depth] ?? EMPTY;
    node = bit(key, depth) === 0 ? stateInner(node, sibling) : stateInner(sibling, node);
  }
  if (!equal(node, root)) return { fault: 'the path does not lead to the state root' };
  return { value: terminal.kind === 'found' ? terminal.value : null };
}

/** Bit of a key at a depth, most significant first: 1 goes right. */
function bit(key: Uint8Array, depth: number): number {
  return ((key[depth >> 3] ?? 0) >> (7 - (depth % 8))) & 1;
}

/** Whether a path leads from a leaf to one of the peaks. */
export function leadsToPeak({ index, siblings }: LeafPath, peaks: readonly TreeNode[], leaf: Leaf): boolean {
  const peak = positions(peaks).find((each) => index >> BigInt(each.level) === each.index);
  if (!peak || siblings.length !== peak.level) return false;
  let node: TreeNode | undefined = nodeOfLeaf(leaf);
  for (const [level, sibling] of siblings.entries()) {
    const isLeft = ((index >> BigInt(level)) & 1n) === 0n;
    node = isLeft ? join(node, sibling) : join(sibling, node);
    if (!node) return false;
  }
  return isSameNode(node, peak.node);
}
