// Signs for an entity with the TypeScript package, as it was built for its own tests.

import { existsSync, readFileSync } from "node:fs";

const SDK = new URL("../../../sdk/typescript/build/src/", import.meta.url);

/** The package. */
export async function sdk() {
  if (!existsSync(SDK)) throw new Error("npm run pretest --prefix ../sdk/typescript: the package is not built");
  return { ...(await import(new URL("index.js", SDK))), ...(await import(new URL("sign/key-file.js", SDK))) };
}

/** The account of an entity at a peer, by its key; the builders of actions; and a client. */
export async function accountOf(base, entity, key) {
  const { actions, Account, Client, Signer } = await sdk();
  const client = new Client(base);
  const { ledger } = await client.network();
  const account = await Account.open(client, new Signer(ledger, entity, key));
  const finalize = async (all, payloads) => {
    const outcome = await account.finalize(all, payloads);
    if (outcome.receipt.effect !== "applied") throw new Error(JSON.stringify(outcome.receipt.refusal));
    return outcome;
  };
  return { actions, client, entity, ledger, finalize };
}

/** The account of a key file's entity. */
export async function openAccount(base, keyFile) {
  const { openKeyFile } = await sdk();
  const { entity, key } = await openKeyFile(readFileSync(keyFile, "utf8"), undefined);
  return accountOf(base, entity, key);
}
