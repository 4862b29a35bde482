/** The genesis that proofs are checked against, and where it came from. */

import { signal } from "./state.ts";
import { GenesisError, parseGenesis, type Genesis } from "althing/verify";
import { peer } from "./client.ts";

/** Longest genesis file read, bytes. */
export const GENESIS_BYTES_MAX = 4 * 1024 * 1024;

export interface Anchor {
  genesis: Genesis;
  /** Id of the ledger it founds, hex: checked to follow from it. */
  ledger: string;
  /** From the peer that also makes the proofs, or from a file of the user's own. */
  from: "peer" | "file";
  name: string;
}

/** The genesis in use. */
export const anchor = signal<Anchor | undefined>(undefined);

/** The genesis in use; the peer's if the user gave none. */
export async function anchored(): Promise<Anchor> {
  const known = anchor.peek();
  if (known) return known;
  const { genesis, ledger } = await peer.network();
  // A file that was given meanwhile counts more.
  anchor.value ??= { genesis: parseGenesis(genesis), ledger, from: "peer", name: "genesis of this peer" };
  return anchor.peek() as Anchor;
}

/** Takes a file of the user's as the genesis; says what is wrong if it is none. */
export function adopt(text: string, name: string): string | undefined {
  try {
    const genesis = parseGenesis(text);
    const { ledger } = JSON.parse(text) as { ledger: string };
    anchor.value = { genesis, ledger, from: "file", name };
    return undefined;
  } catch (error) {
    return `This file is no genesis: ${error instanceof GenesisError ? error.message : "it cannot be read"}.`;
  }
}
