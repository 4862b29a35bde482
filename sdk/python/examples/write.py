import os
import sys
from althing import Account, Client, Signer, actions, parse_genesis, read_key_file, verify

url, folder = sys.argv[1:] or ("http://127.0.0.1:4464", "demo-data")
genesis = parse_genesis(open(f"{folder}/genesis.json").read())
client = Client(url)
stored = read_key_file(f"{folder}/organisations/1.json", os.environ.get("ALTHING_PASSPHRASE"))
account = Account(client, Signer(genesis.ledger, stored.entity, stored.key))
outcome = account.finalize([actions.write_record("delivery", b"pallet 7 at gate 3")])
print(f"{outcome['receipt']['effect']} in block {outcome['height']}")
verified = verify(client.prove_receipt(outcome["receipt"]["transaction"]), genesis)
print(next(done.text for done in verified.steps if done.step == "receipt"))
