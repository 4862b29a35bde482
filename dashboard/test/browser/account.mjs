// Signs for an entity with the TypeScript package, as it was built for its own tests.

import { existsSync, readFileSync } from "node:fs";

const SDK = new URL("../../../sdk/typescript/build/src/", import.meta.url);

/** The account of a key file's entity at a peer, the builders of actions, and a client. */
export async function openAccount(base, keyFile) {
  if (!existsSync(SDK)) throw new Error("npm run pretest --prefix ../sdk/typescript: the package is not built");
  const { actions, Account, Client, Signer } = await import(new URL("index.js", SDK));
  const { openKeyFile } = await import(new URL("sign/key-file.js", SDK));
  const client = new Client(base);
  const { entity, key } = await openKeyFile(readFileSync(keyFile, "utf8"), undefined);
  const account = await Account.open(client, new Signer((await client.network()).ledger, entity, key));
  const finalize = async (all, payloads) => {
    const outcome = await account.finalize(all, payloads);
    if (outcome.receipt.effect !== "applied") throw new Error(JSON.stringify(outcome.receipt.refusal));
    return outcome;
  };
  return { actions, client, entity, finalize };
}
