import { readFileSync } from 'node:fs';
import { Account, Client, Signer, actions, parseGenesis, toUtf8, verify } from 'althing';
import { openKeyFile } from 'althing/key-file';

const [, , url = 'http://127.0.0.1:4464', folder = 'demo-data'] = process.argv;
const genesis = parseGenesis(readFileSync(`${folder}/genesis.json`, 'utf8'));
const client = new Client(url);
const { entity, key } = await openKeyFile(readFileSync(`${folder}/organisations/1.json`, 'utf8'), process.env.ALTHING_PASSPHRASE);
const { ledger } = await client.network();
const account = await Account.open(client, new Signer(ledger, entity, key));
const { height, receipt } = await account.finalize([actions.record('delivery', toUtf8('pallet 7 at gate 3'))]);
console.log(`${receipt.effect} in block ${height}`);
const { claim, steps } = verify(await client.proveReceipt(receipt.transaction), genesis);
console.log(`${claim.actions.join(', ')} of ${claim.sender}: ${steps.find(({ step }) => step === 'receipt').text}`);
