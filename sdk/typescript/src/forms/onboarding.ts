// How things join, pass from owner to owner, say how they are, and are commanded.

import { boolean, bytes, encode, i64, list, numbered, optional, record, text, u32, u64, variant, variants, type Value } from '../cbor/codec.ts';
import { compare, fromHex, toUtf8 } from '../text/bytes.ts';
import { isPublicKey, publicKey, signature, SigningKey } from './crypto.ts';
import { hash } from './digest.ts';
import { entityKind, id, inception, isName, type Inception } from './entity.ts';
import {
  COMMAND_INPUT_BYTES_MAX,
  COMMAND_RESULT_BYTES_MAX,
  DESCRIPTION_BYTES_MAX,
  LIMIT_PROPERTIES_MAX,
  VALUE_BYTES_MAX,
  VOUCHER_DEVICES_MAX,
  VOUCHER_PATH_MAX,
} from './limits.ts';
import { readingValue } from './reading.ts';

/** Who may become the owner of a thing, until when. */
export const offer = record({
  /** An entity, or whoever holds the code behind a key. */
  to: variants({ entity: variant(0, { entity: id }), code: variant(1, { key: publicKey }) }),
  /** Last height at which it can be accepted. */
  untilHeight: u64,
});

/** Shows that the sender holds the code; over `claimBytes`. */
export const claim = record({ key: publicKey, signature });

/** What a binding is narrowed to. */
export const limit = record({
  /** The properties whose readings the gateway may submit, ascending. */
  properties: list(text),
  /** Whether it may carry commands to the thing. */
  commands: boolean,
});

/** How a thing is; what is absent stays as it was. */
export const status = record({
  /** Whether it can be reached. */
  online: optional(boolean),
  /** Version of its firmware. */
  firmware: optional(text),
  /** Where it is, in 10^-7 degrees north and east. */
  place: optional(record({ latitudeE7: i64, longitudeE7: i64 })),
});

/** A maker vouches for a batch of devices. */
export const voucher = record({
  /** The organisation that owns the devices when they join. */
  owner: id,
  /** Merkle root over their inceptions. */
  root: id,
  /** How many. */
  count: u32,
  /** The Thing Description of each, JSON text. */
  description: bytes,
});

/** One device of a voucher, with the path that shows it is one. */
export const joinForm = record({
  /** The voucher. */
  voucher: id,
  /** Position of the device in it, from 0. */
  index: u32,
  /** How the device begins. */
  inception: record({ kind: entityKind, name: text, key: publicKey }),
  /** From its leaf to the root. */
  path: list(id),
});

/** What a command asks for. */
export const operation = variants({
  read: variant(0, { property: text }),
  write: variant(1, { property: text, value: readingValue }),
  invoke: variant(2, { action: text, input: optional(bytes) }),
});

/** Something to be done by a thing. */
export const command = record({
  /** The thing. */
  thing: id,
  /** What is to be done. */
  operation,
  /** Ledger time by which it must be answered, milliseconds since 1970. */
  untilMs: u64,
  /** What for, as a grant names it. */
  purpose: optional(text),
});

/** How far a command is, in the order of the numbers. */
export const COMMAND_STATES = ['queued', 'delivered', 'accepted', 'done', 'failed', 'expired', 'cancelled'] as const;
/** How far a command is. */
export const commandState = numbered(COMMAND_STATES);

/** What became of a command. */
export const commandReport = record({
  /** Which. */
  command: id,
  /** How far it is. */
  state: commandState,
  /** What the device answered, as it sent it. */
  result: optional(bytes),
});

/** The leaf of a device in the tree of its voucher. */
export function voucherLeaf(device: Inception): Uint8Array {
  return hash('althing/voucher-leaf/1', encode(inception, device));
}

/** The key behind a one-time code of 32 hex digits, however it is grouped. Throws `RangeError` if it is no code. */
export function codeKey(code: string): SigningKey {
  const digits = fromHex(code.replace(/[^0-9a-z]/gi, '').toLowerCase());
  if (digits?.length !== 16) throw new RangeError('type the 32 hex digits as they stand on the label');
  return SigningKey.fromSecret('ed25519', hash('althing/code/1', digits));
}

/** What the holder of a code signs to become the owner of a thing. */
export function claimBytes(ledger: Uint8Array, thing: Uint8Array, claimant: Uint8Array): Uint8Array {
  return new Uint8Array([...toUtf8('althing/claim/1'), ...ledger, ...thing, ...claimant]);
}

/** Whether an offer is within its bounds. */
export function isOffer({ to }: Value<typeof offer>): boolean {
  return to.kind === 'entity' || isPublicKey(to.key);
}

/** Whether a limit is within its bounds. */
export function isLimit({ properties }: Value<typeof limit>): boolean {
  const ascends = properties.every((each, at) => at === 0 || compare(toUtf8(properties[at - 1] ?? each), toUtf8(each)) < 0);
  return ascends && properties.length <= LIMIT_PROPERTIES_MAX && properties.every(isName);
}

/** Whether a status says something, and that within its bounds. */
export function isStatus({ online, firmware, place }: Value<typeof status>): boolean {
  const isWithin = (degrees: bigint, most: bigint): boolean => degrees >= -most && degrees <= most;
  const fits = place === null || (isWithin(place.latitudeE7, 900_000_000n) && isWithin(place.longitudeE7, 1_800_000_000n));
  return (online !== null || firmware !== null || place !== null) && (firmware === null || isName(firmware)) && fits;
}

/** Whether a voucher is within its bounds. */
export function isVoucher({ count, description }: Value<typeof voucher>): boolean {
  return count >= 1 && count <= VOUCHER_DEVICES_MAX && description.length >= 1 && description.length <= DESCRIPTION_BYTES_MAX;
}

/** Whether a device of a voucher is within its bounds. */
export function isJoin({ path, inception }: Value<typeof joinForm>): boolean {
  return path.length <= VOUCHER_PATH_MAX && isName(inception.name) && isPublicKey(inception.key);
}

/** Whether a command is within its bounds. */
export function isCommand({ operation: asked, purpose }: Value<typeof command>): boolean {
  if (purpose !== null && !isName(purpose)) return false;
  if (asked.kind === 'read') return isName(asked.property);
  if (asked.kind === 'invoke') return isName(asked.action) && (asked.input === null || asked.input.length <= COMMAND_INPUT_BYTES_MAX);
  const { value } = asked;
  if (value.kind === 'text') return isName(asked.property) && toUtf8(value.value).length <= VALUE_BYTES_MAX;
  return isName(asked.property) && (value.kind !== 'bytes' || value.value.length <= VALUE_BYTES_MAX);
}

/** Whether a report is one that can be made. */
export function isCommandReport({ state, result }: Value<typeof commandReport>): boolean {
  const isSaid = state === 'delivered' || state === 'accepted' || state === 'done' || state === 'failed';
  return isSaid && (result === null || result.length <= COMMAND_RESULT_BYTES_MAX);
}
