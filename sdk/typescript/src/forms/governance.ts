// Governance: what the member organisations decide together.

import { boolean, bytes32, record, text, u32, u8, variant, variants, type Value } from '../cbor/codec.ts';
import { mechanismFrom } from './block.ts';
import { isPublicKey, publicKey, signature } from './crypto.ts';
import { entityKind, id, isName } from './entity.ts';
import { checkParameters, parameters } from './genesis.ts';
import { ADDRESS_BYTES_MAX, PATIENCE_BLOCKS_MAX, REASON_BYTES_MAX, TIMELOCK_BLOCKS_MAX } from './limits.ts';
import { isRegulation, isRegulationId, isText, regulation } from './regulation.ts';
import { amount } from './token.ts';

/** How the members decide: each organisation has one vote. */
export const votingRule = record({
  /** `numerator / denominator` of the members must agree; more than a half. */
  numerator: u8,
  denominator: u8,
  /** Blocks within which the votes must come. */
  patienceBlocks: u32,
  /** Blocks between acceptance and effect. */
  timelockBlocks: u32,
});

// Bounds are looked at afterwards, as peers do: a key or a name may be anything here.
const anyInception = record({ kind: entityKind, name: text, key: publicKey });

/** A change that the members decide on; `kind` says which. */
export const change = variants({
  add_organisation: variant(0, { inception: anyInception, possession: signature }),
  remove_organisation: variant(1, { organisation: id }),
  add_peer: variant(2, { seat: record({ peer: id, key: bytes32, address: text }) }),
  remove_peer: variant(3, { peer: id }),
  rotate_voting_key: variant(4, { peer: id, key: bytes32 }),
  set_parameters: variant(5, { parameters }),
  set_voting_rule: variant(6, { rule: votingRule }),
  set_mechanism: variant(7, { wanted: mechanismFrom }),
  mint_tokens: variant(10, { to: id, amount }),
  freeze_account: variant(11, { account: id, frozen: boolean }),
  set_regulation: variant(20, { regulation }),
  end_regulation: variant(21, { id: text }),
});
/** A change that the members decide on. */
export type Change = Value<typeof change>;

/** Whether every field is within its bounds; what needs the state is the ledger's to check. */
export function isChange(value: Change): boolean {
  switch (value.kind) {
    case 'add_organisation':
      return isName(value.inception.name) && isPublicKey(value.inception.key);
    case 'add_peer':
      return isVotingKey(value.seat.key) && isAddress(value.seat.address);
    case 'rotate_voting_key':
      return isVotingKey(value.key);
    case 'set_parameters':
      return isFree(() => checkParameters(value.parameters));
    case 'set_voting_rule':
      return isRule(value.rule);
    case 'mint_tokens':
      return value.amount > 0n;
    case 'set_regulation':
      return isRegulation(value.regulation);
    case 'end_regulation':
      return isRegulationId(value.id);
    default:
      return true;
  }
}

/** Whether a text may say why something is proposed. */
export function isReason(reason: string): boolean {
  return isText(reason, REASON_BYTES_MAX);
}

function isRule({ numerator, denominator, patienceBlocks, timelockBlocks }: Value<typeof votingRule>): boolean {
  const isShare = denominator <= 100 && numerator <= denominator && numerator * 2 > denominator;
  return isShare && patienceBlocks >= 1 && patienceBlocks <= PATIENCE_BLOCKS_MAX && timelockBlocks <= TIMELOCK_BLOCKS_MAX;
}

/** Whether a peer may vote by a key. */
export function isVotingKey(key: Uint8Array): boolean {
  return isPublicKey({ suite: 'ed25519', bytes: key });
}

/** Whether a text may be where a peer listens: `host:port`. */
export function isAddress(address: string): boolean {
  const port = /^[!-~]+:(\d+)$/.exec(address)?.[1];
  return address.length <= ADDRESS_BYTES_MAX && port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}

function isFree(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}
