// The steps `transaction` and `receipt`: a transaction is in a block, and this became of it.

import type { Finalized } from '../forms/block.ts';
import type { ReceiptProof, RunProof, TransactionProof } from '../forms/bundle.ts';
import { runId, sha256 } from '../forms/digest.ts';
import { verifyMerklePath } from '../forms/merkle.ts';
import { receiptDigest, receiptsStatement, type ReceiptForm } from '../forms/receipt.ts';
import { refusalOf } from '../forms/refusal.ts';
import { decodeTransaction } from '../forms/transaction.ts';
import { equal, toHex } from '../text/bytes.ts';
import { checkBlock } from './block.ts';
import type { Context } from './context.ts';
import type { Membership } from './membership.ts';
import type { VerifiedRun, VerifiedTransaction } from './verified.ts';
import { ledgerTime } from './words.ts';

/** Checks that a transaction is in a block, and what became of it if the bundle shows that. */
export function checkTransaction(context: Context, membership: Membership, block: Finalized, proof: TransactionProof): VerifiedTransaction {
  const { header } = block;
  const id = sha256(proof.transaction);
  const isIncluded = verifyMerklePath(header.transactions, id, proof.index, header.count, proof.path);
  context.require(isIncluded, 'transaction', "the path does not lead to the block's transactions");
  const { body } = context.at('transaction', () => decodeTransaction(proof.transaction));
  const actions = body.actions.map((action) => action.kind);
  const sender = context.did(body.sender);
  const where = `is number ${proof.index} of ${header.count} in block ${header.height} of ${ledgerTime(header.timeMs)}`;
  context.done('transaction', `transaction ${toHex(id)} of ${sender} (${actions.join(', ')}) ${where}`);
  if (proof.receipt) context.done('receipt', checkReceipt(context, membership, block, { id, index: proof.index }, proof.receipt));
  return { kind: 'transaction', id: toHex(id), sender, actions, index: proof.index, receipt: proof.receipt?.receipt ?? null };
}

/** Checks that a trigger ran in a block, and what became of it. */
export function checkRun(context: Context, membership: Membership, block: Finalized, { trigger, index, receipt }: RunProof): VerifiedRun {
  const { header } = block;
  // What a transaction did is no run, whatever its id is.
  context.require(index >= header.count, 'receipt', 'the receipt is among those of the transactions');
  const outcome = checkReceipt(context, membership, block, { id: runId(trigger, header.height), index }, receipt);
  context.done('receipt', `trigger ${toHex(trigger)} ran in block ${header.height} of ${ledgerTime(header.timeMs)}: ${outcome}`);
  return { kind: 'run', trigger: toHex(trigger), height: header.height, receipt: receipt.receipt };
}

/** What became of a transaction or of a run, in words. */
function checkReceipt(context: Context, membership: Membership, { header }: Finalized, transaction: { id: Uint8Array; index: number }, proof: ReceiptProof): string {
  const later = checkBlock(context, membership, proof.later);
  const root = statedRoot(context, header.height, proof);
  // One receipt per transaction, in the same order, then those of triggers.
  const hasMore = proof.receipts === null || proof.receipts > header.count;
  context.require(hasMore, 'receipt', 'no more receipts than transactions, which needs no saying');
  const isIncluded = verifyMerklePath(root, receiptDigest(proof.receipt), transaction.index, proof.receipts ?? header.count, proof.path);
  context.require(isIncluded, 'receipt', "the path does not lead to the block's receipts");
  context.require(equal(proof.receipt.transaction, transaction.id), 'receipt', 'the receipt is of another transaction or run');
  return `${outcomeText(proof.receipt)}, as block ${later.height} states`;
}

/** The receipts root of the block at a height, as the later block states it. */
function statedRoot(context: Context, height: bigint, { roots, later }: ReceiptProof): Uint8Array {
  const { height: last, receiptsRoot } = later.header.result;
  const first = last - BigInt(roots.length) + 1n;
  const at = height - first;
  const root = first >= 0n && at >= 0n && height <= last ? roots[Number(at)] : undefined;
  if (!root) return context.fail('receipt', 'the later block does not state the receipts of this one');
  context.require(equal(receiptsStatement(first, roots), receiptsRoot), 'receipt', 'the later block states other receipts roots');
  return root;
}

function outcomeText({ code, action, events }: ReceiptForm): string {
  if (code === 0) return `it took effect, with ${events.length} events`;
  const refusal = refusalOf(code);
  if (refusal === 'awaiting_approval') return 'it is recorded and waits for approvals';
  return `it was refused: ${refusal ?? `code ${code}`} at action ${action}`;
}
