//! Examples of what peers say to each other.

use althing_types::{PeerAddress, PeerAddresses, Suite, Wire as _};
use serde_json::{Value, json};

use super::{
    Form, Vector,
    identity::{LEDGER, key},
};

pub(super) fn forms() -> Vec<Form> {
    vec![Form::new(
        "peer_addresses",
        "Where peers listen, in their own words. `signed` is what the first of them signs.",
        vec![
            addresses("one", &[(11, 1_700_000_000_000, "10.0.0.7:26000")]),
            addresses(
                "two",
                &[(12, 1, "peer.example.org:4465"), (13, u64::MAX, "[2001:db8::7]:4465")],
            ),
        ],
    )]
}

fn addresses(name: &str, peers: &[(u8, u64, &str)]) -> Vector {
    let told = |(seed, number, address): &(u8, u64, &str)| {
        let public = key(Suite::Ed25519, *seed).public_key().bytes;
        let public = public.try_into().expect("an Ed25519 key has 32 bytes");
        let address = (*address).to_owned();
        PeerAddress { ledger: LEDGER, key: public, number: *number, address }
    };
    let inputs: Vec<Value> = peers
        .iter()
        .map(|peer| {
            let PeerAddress { ledger, key, number, address } = told(peer);
            json!({
                "ledger": hex::encode(ledger.0),
                "key": hex::encode(key),
                "number": number,
                "address": address,
                "secret": hex::encode([peer.0; 32]),
            })
        })
        .collect();
    let signed = told(&peers[0]).signed_bytes();
    let all = peers.iter().map(|peer| told(peer).sign(&key(Suite::Ed25519, peer.0)));
    let wire = PeerAddresses(all.collect()).to_wire();
    Vector::new(name, json!({ "peers": inputs }), wire).gives("signed", signed)
}
