# A customer of a platform that others run: it has no peer, believes none, and pays what it can check.
import hashlib
import json
import os
import sys
from althing import Account, Client, Signer, actions, parse_genesis, read_key_file, verify

CENTS_A_READING = 2
url, folder = sys.argv[1:] or ("http://127.0.0.1:4464", "demo-data")
genesis = parse_genesis(open(f"{folder}/genesis.json").read())
provider = Client(url)
thing = provider.things(property="temperature", limit=1)["items"][0]
stream = provider.property(thing["id"], "temperature")["stream"]
# How many readings it was sold, from a proof that none is left out or made up.
bundle = provider.prove_aggregate(stream, first_seq=0, last_seq=9)
claim = verify(bundle, genesis).claim
assert claim.stream.id == stream and (claim.interval.first, claim.interval.last) == (0, 9)
bill = {"readings": claim.count, "cents": claim.count * CENTS_A_READING, "proof": hashlib.sha256(bundle).hexdigest()}
# It owes that, under its own key; whoever owns the thing is told. Neither can say later that it was otherwise.
stored = read_key_file(f"{folder}/organisations/4.json", os.environ.get("ALTHING_PASSPHRASE"))
account = Account(provider, Signer(genesis.ledger, stored.entity, stored.key))
outcome = account.finalize([actions.write_record("bill", json.dumps(bill).encode(), notify=[thing["owner"]])])
verify(provider.prove_receipt(outcome["receipt"]["transaction"]), genesis)
print(f"owes {bill['cents']} cents for {claim.count} readings of {thing['name']}, in block {outcome['height']}")
