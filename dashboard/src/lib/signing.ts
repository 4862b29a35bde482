/** The user's own key, for as long as this page is open. It never leaves the browser: only what it signed does. */

import { signal } from "./state.ts";
import { Account, readAs, Signer, type Action, type SigningKey } from "althing/sign";
import { openKeyFile, readKeyFileHead, type KeyFileHead } from "althing/key-file";
import { peer, readsAs } from "./client.ts";
import type { Outcome, Trial } from "./model.ts";

/** Longest key file read, bytes; as the command line has it. */
export const KEY_FILE_BYTES_MAX = 16 * 1024;
/** How long to wait until a transaction is final, ms. */
const PATIENCE_MS = 30_000;

/** Who signs here. */
export interface Signing {
  /** The entity, a DID. */
  entity: string;
  /** Id of the ledger it signs for, hex. */
  ledger: string;
  account: Account;
  /** The key itself, which opens what is encrypted for it. */
  key: SigningKey;
  signer: Signer;
}

/** The key in use, if one was opened. */
export const signing = signal<Signing | undefined>(undefined);

/** What a key file says without its passphrase. */
export function head(text: string): KeyFileHead {
  return readKeyFileHead(text);
}

/** Opens a key file and asks the peer where its entity stands. */
export async function unlock(text: string, passphrase: string | undefined, onProgress: (part: number) => void): Promise<void> {
  const { entity, key } = await openKeyFile(text, passphrase, { onProgress });
  if (entity === undefined) throw new Error("This key belongs to no entity yet: its owner has to register one with it first.");
  const { ledger } = await peer.network();
  const signer = new Signer(ledger, entity, key);
  const account = await Account.open(peer, signer);
  signing.value = { entity, ledger, account, key, signer };
}

/** Forgets the key, and what was said with it. */
export function lock() {
  stopReading();
  signing.value = undefined;
}

/** Says from now on with each request who reads, and what for. */
export async function startReading(purpose: string): Promise<void> {
  const current = signing.peek();
  if (!current) return;
  await readAs(peer, current.signer, purpose);
  readsAs.value = { entity: current.entity, purpose };
}

/** Reads like anybody again. */
export function stopReading() {
  peer.readAs(undefined);
  readsAs.value = undefined;
}

/** What would come of an action; nothing changes. */
export async function tryOut(action: Action): Promise<Trial> {
  const current = signing.peek();
  if (!current) throw new Error("No key is open.");
  await current.account.refresh();
  return current.account.tryOut([action]);
}

/** Signs, submits and waits until it is final. */
export async function submit(action: Action): Promise<Outcome> {
  const current = signing.peek();
  if (!current) throw new Error("No key is open.");
  // Another program may have signed for this entity meanwhile.
  await current.account.refresh();
  return current.account.finalize([action], [], PATIENCE_MS);
}
