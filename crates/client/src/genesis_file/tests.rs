use std::{error::Error as _, io::ErrorKind};

use althing_types::SigningKey;

use super::*;

fn key(seed: u8, suite: Suite) -> PublicKey {
    SigningKey::from_secret(suite, [seed; 32]).unwrap().public_key()
}

fn genesis() -> Genesis {
    let organisation = |seed, suite| Organisation {
        inception: Inception {
            kind: EntityKind::Organisation,
            name: format!("Organisation {seed}"),
            key: key(seed, suite),
        },
    };
    let mut organisations = vec![organisation(1, Suite::Ed25519), organisation(2, Suite::P256)];
    organisations.sort_by_key(|organisation| organisation.inception.id());
    let mut peers: Vec<PeerSeat> = organisations
        .iter()
        .zip(3..)
        .map(|(organisation, seed)| PeerSeat {
            inception: Inception {
                kind: EntityKind::Peer,
                name: format!("Peer {seed}"),
                key: key(seed, Suite::Ed25519),
            },
            organisation: organisation.inception.id(),
            key: key(seed + 10, Suite::Ed25519).bytes.try_into().unwrap(),
        })
        .collect();
    peers.sort_by_key(|peer| peer.key);
    Genesis {
        version: 1,
        network: "demo".into(),
        time_ms: 1_790_000_000_123,
        mode: Mode::Consortium,
        mechanism: Mechanism::Simplex,
        parameters: Parameters::standard(),
        organisations,
        peers,
        token: None,
    }
}

#[test]
fn a_genesis_survives_its_file_and_the_text_is_stable() {
    let genesis = genesis();
    genesis.check().unwrap();
    let text = to_text(&genesis);
    let back = parse(&text).unwrap();
    assert_eq!(back, genesis);
    assert_eq!(to_text(&back), text);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &text).unwrap();
    assert_eq!(read(file.path()).unwrap(), genesis);
}

/// What is wrong with the text of a genesis in which the first `from` is `to`.
fn error_after(from: &str, to: &str) -> String {
    let text = to_text(&genesis());
    assert!(text.contains(from), "{from}");
    let error = parse(&text.replacen(from, to, 1)).unwrap_err();
    error.source().map_or(error.to_string(), |source| format!("{error}: {source}"))
}

#[test]
fn what_is_wrong_is_named() {
    for (from, to, expected) in [
        ("\"mode\"", "\"colour\": 1, \"mode\"", "unknown field `colour`"),
        (
            "\"consortium\"",
            "\"anarchy\"",
            "`mode` in the genesis file has the unknown value `anarchy`",
        ),
        ("\"simplex\"", "\"coin toss\"", "`mechanism`"),
        ("2026-", "yesterday-", "`time`"),
        ("\"version\": 1", "\"version\": 2", "genesis version 2 is not known"),
        ("Organisation", "Organization", "`id` of `Organization"),
        ("\"heartbeat_ms\": 1000", "\"heartbeat_ms\": 1001", "`ledger` of `demo`"),
        ("\"heartbeat_ms\": 1000", "\"heartbeat_ms\": 9000", "parameter leader_timeout_ms"),
        ("\"heartbeat_ms\": 1000", "\"heartbeat_ms\": \"soon\"", "at line"),
        ("\"ed25519\"", "\"rot13\"", "`suite`"),
        ("did:althing:demo:", "did:web:", "did:althing:"),
        ("{", "[", "at line 2 column 11"),
    ] {
        let error = error_after(from, to);
        assert!(error.contains(expected), "{from} -> {to}: {error}");
    }
}

#[test]
fn a_file_too_long_is_not_read() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(GENESIS_FILE_BYTES_MAX + 1).unwrap();
    let error = read(file.path()).unwrap_err();
    assert!(
        matches!(error, GenesisFileError::Read(cause) if cause.kind() == ErrorKind::FileTooLarge)
    );
}
