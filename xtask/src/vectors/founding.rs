//! The genesis of a ledger.

use althing_types::{
    EntityKind, Genesis, Mechanism, Mode, Organisation, Parameters, Participation, PeerSeat, Suite,
    Wire as _,
};
use serde_json::{Value, json};

use super::{
    Form, Vector,
    identity::{inception, inception_json, key},
};

/// A ledger of four organisations with a peer each, or of one.
pub(super) fn genesis(count: u8, mode: Mode) -> Genesis {
    let mut organisations = Vec::new();
    let mut peers = Vec::new();
    for seed in 11..11 + count {
        let name = format!("organisation {seed}");
        let organisation = inception(EntityKind::Organisation, &name, Suite::Ed25519, seed + 20);
        let bytes = key(Suite::Ed25519, seed).public_key().bytes;
        peers.push(PeerSeat {
            inception: inception(EntityKind::Peer, &format!("peer {seed}"), Suite::P256, seed + 40),
            organisation: organisation.id(),
            key: bytes.try_into().expect("an Ed25519 key has 32 bytes"),
        });
        organisations.push(Organisation { inception: organisation });
    }
    organisations.sort_by_key(|organisation| organisation.inception.id());
    peers.sort_by_key(|peer| peer.key);
    Genesis {
        version: 1,
        network: "demo".into(),
        time_ms: 1_700_000_000_000,
        mode,
        mechanism: Mechanism::Simplex,
        parameters: Parameters::standard(),
        organisations,
        peers,
        token: None,
    }
}

/// The same in one hand, whose peers trust each other.
fn of_raft(count: u8) -> Genesis {
    Genesis { mechanism: Mechanism::Raft, ..genesis(count, Mode::Private) }
}

/// One that says who transacts and deploys.
fn where_members_take_part() -> Genesis {
    let mut genesis = genesis(4, Mode::Consortium);
    genesis.parameters.participation = Some(Participation::of(Mode::Consortium));
    genesis
}

pub(super) fn forms() -> Vec<Form> {
    let about = "The first record of a ledger. `ledger` is its id: SHA-256 of `althing/genesis/1` \
                 and the wire form; `validators` is the digest of the first epoch's validators.";
    let vectors = [
        ("a consortium of four", genesis(4, Mode::Consortium)),
        ("alone", genesis(1, Mode::Private)),
        ("with tokens", super::tokens::genesis()),
        ("three that agree by raft", of_raft(3)),
        ("with seats by stake", super::tokens::genesis_of_stake()),
        ("where members take part", where_members_take_part()),
    ]
    .map(|(name, genesis)| {
        Vector::new(name, to_json(&genesis), genesis.to_wire())
            .gives("ledger", genesis.ledger().0)
            .gives("validators", genesis.validators().digest().0)
    });
    vec![Form::new("genesis", about, vectors.into())]
}

fn to_json(genesis: &Genesis) -> Value {
    let organisations: Vec<Value> =
        genesis.organisations.iter().map(|member| inception_json(&member.inception)).collect();
    let peers: Vec<Value> = genesis
        .peers
        .iter()
        .map(|peer| {
            json!({
                "inception": inception_json(&peer.inception),
                "organisation": hex::encode(peer.organisation.0),
                "key": hex::encode(peer.key),
            })
        })
        .collect();
    let mut json = json!({
        "version": genesis.version,
        "network": genesis.network,
        "time_ms": genesis.time_ms,
        "mode": format!("{:?}", genesis.mode).to_lowercase(),
        "mechanism": genesis.mechanism.name(),
        "parameters": super::governance::parameters_json(&genesis.parameters),
        "organisations": organisations,
        "peers": peers,
    });
    if let Some(token) = &genesis.token {
        json["token"] = super::tokens::token_json(token);
    }
    json
}
