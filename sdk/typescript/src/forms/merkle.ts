// The Merkle tree over a list (RFC 9162, 2.1): the transactions and the receipts of a block.

import { equal } from '../text/bytes.ts';
import { sha256 } from './digest.ts';

const LEAF = Uint8Array.of(0);
const INNER = Uint8Array.of(1);

/** Root over the leaves in order; 32 zero bytes for none. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  let level = leaves.map((leaf) => sha256(LEAF, leaf));
  while (level.length > 1) level = pairUp(level);
  return level[0] ?? new Uint8Array(32);
}

/** Whether a path leads from a value at an index of so many leaves to the root. */
export function verifyMerklePath(root: Uint8Array, value: Uint8Array, index: number, count: number, path: readonly Uint8Array[]): boolean {
  if (index >= count) return false;
  let node = sha256(LEAF, value);
  let used = 0;
  for (let at = index, last = count - 1; last > 0; at = Math.floor(at / 2), last = Math.floor(last / 2)) {
    const isRight = at % 2 === 1;
    // The lonely last node of a level rises as it is.
    if (!isRight && at === last) continue;
    const sibling = path[used++];
    if (!sibling) return false;
    node = isRight ? sha256(INNER, sibling, node) : sha256(INNER, node, sibling);
  }
  return used === path.length && equal(node, root);
}

function pairUp(level: readonly Uint8Array[]): Uint8Array[] {
  const parents: Uint8Array[] = [];
  for (let at = 0; at < level.length; at += 2) {
    const [left, right] = level.slice(at, at + 2);
    if (left) parents.push(right ? sha256(INNER, left, right) : left);
  }
  return parents;
}
