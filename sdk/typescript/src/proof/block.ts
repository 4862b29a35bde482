// The steps `membership` and `certificate`: a block is final, by the validators of its epoch.

import { signerPositions, type Finalized } from '../forms/block.ts';
import { certified, finalityFault } from './certificate.ts';
import type { Context } from './context.ts';
import type { Membership } from './membership.ts';
import type { CertifiedBlock, VotingPeer } from './verified.ts';
import { ledgerTime, printable } from './words.ts';

/** Most validators named in words. */
const NAMES_MAX = 8;

/** Checks that a block is final. */
export function checkBlock(context: Context, membership: Membership, block: Finalized): CertifiedBlock {
  const { header, certificate, descendants } = block;
  const set = membership.validators(header.epoch);
  const count = set.validators.length;
  const how = header.epoch === 0n ? 'are those of the genesis' : `follow from the genesis over ${header.epoch} epochs`;
  const by = set.mechanism === null ? '' : ` and agree by ${set.mechanism}, as members decided`;
  context.done('membership', `the ${count} validators of epoch ${header.epoch} ${how}${by}`);

  const fault = finalityFault(block, context.genesis.mechanism, context.ledger, set, context.checkSignature);
  if (fault !== undefined) context.fail('certificate', fault);
  const top = certified(block).height;
  const isWithin = membership.admits(header.epoch, header.height) && membership.admits(header.epoch, top);
  context.require(isWithin, 'certificate', 'the height of the block is outside its epoch');
  context.require(header.result.height < header.height, 'certificate', 'the block commits to the result of a later one');
  const signed = signerPositions(certificate.signers).flatMap((position) => set.validators[position] ?? []);
  const peers = signed.map((validator) => context.votingPeer(validator));
  const what = descendants.length === 0 ? 'it' : `block ${top}, which descends from it`;
  const when = ledgerTime(header.timeMs);
  context.done('certificate', `block ${header.height} of ${when} is final: ${signed.length} of ${count} validators signed ${what} (${names(peers)})`);
  return { height: header.height, timeMs: header.timeMs, epoch: header.epoch, stateHeight: header.result.height, signed: peers, validators: count };
}

function names(peers: readonly VotingPeer[]): string {
  const named = peers.slice(0, NAMES_MAX).map(({ name, peer }) => (name === null ? peer : printable(name)));
  const more = peers.length > NAMES_MAX ? [`${peers.length - NAMES_MAX} more`] : [];
  return [...named, ...more].join(', ');
}
