import sys
from althing import Client, parse_genesis, verify

url, folder = sys.argv[1:] or ("http://127.0.0.1:4464", "demo-data")
genesis = parse_genesis(open(f"{folder}/genesis.json").read())
client = Client(url)
thing = client.things(property="temperature", limit=1)["items"][0]
found = client.property(thing["id"], "temperature")
verified = verify(client.prove_reading(found["stream"], found["latest"]["reading"]["seq"]), genesis)
print(f"{verified.claim.stream.name} measured {verified.claim.value_text}, verified:")
for done in verified.steps:
    print(f"  {done.step:12} {done.text}")
