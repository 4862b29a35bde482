//! What a verifier is given.

use std::sync::OnceLock;

use althing_proof::{
    Bundle, Interval, StatePath,
    bundle::{self, VerifiedClaim},
    call::{CallRecord, TakenRecord},
    certificate::Finalized,
    link::{Advance, Anchor, Shown},
    record::{BindingRecord, EntityRecord, KeyRecord, ThingRecord},
    stream::{Leaf, Node, Peaks, StreamHead},
};
use althing_types::{Genesis, Value, Wire};

use super::{Target, made, vectors, wire};
use crate::corpus;

pub(super) const TARGETS: &[Target] = &[
    vectors("bundle", &["bundle"], sealed),
    vectors("forgery", &["bundle"], forgery),
    vectors("state_path", &["state_path"], wire::<StatePath>),
    vectors("leaf", &["leaf"], wire::<Leaf>),
    vectors("node", &["node"], wire::<Node>),
    vectors("peaks", &["peaks"], wire::<Peaks>),
    vectors("stream_head", &["stream_head"], wire::<StreamHead>),
    vectors("record", &["record"], record),
    vectors("advance", &["advance"], advance),
    vectors("shown", &["shown"], shown),
    vectors("call", &["call_record", "taken_record"], call),
    made("finalized", finalized, wire::<Finalized>),
    made("interval", || Ok(vec![vec![0x83, 0, 4, 20], vec![0x83, 1, 0x20, 0]]), wire::<Interval>),
];

/// A header, its certificate and no descendants, one after the other in an array.
fn finalized() -> anyhow::Result<Vec<Vec<u8>>> {
    let (headers, certificates) = (corpus::load(&["header"])?, corpus::load(&["certificate"])?);
    let joined = |(header, certificate): (&Vec<u8>, &Vec<u8>)| {
        [&[0x83], &header[..], &certificate[..], &[0x80]].concat()
    };
    Ok(headers.iter().zip(&certificates).map(joined).collect())
}

fn record(bytes: &[u8]) -> bool {
    let kinds =
        [wire::<EntityRecord>, wire::<KeyRecord>, wire::<ThingRecord>, wire::<BindingRecord>];
    kinds.iter().any(|read| read(bytes))
}

/// Whatever is followed leads to the block that was made: any other is noticed.
fn advance(bytes: &[u8]) -> bool {
    Advance::from_wire(bytes).is_ok_and(|advance| follows(&advance) && wire::<Advance>(bytes))
}

/// Nor does the state of that block hold anything else at the key.
fn shown(bytes: &[u8]) -> bool {
    let Ok(shown) = Shown::from_wire(bytes) else { return false };
    let holds = follows(&shown.advance) && shown.value().is_ok();
    assert!(!holds || corpus::load(&["shown"]).is_ok_and(|made| made.iter().any(|it| it == bytes)));
    holds && wire::<Shown>(bytes)
}

fn follows(advance: &Advance) -> bool {
    static BEGIN: OnceLock<Anchor> = OnceLock::new();
    let begin = BEGIN.get_or_init(|| {
        let input =
            corpus::input("advance", "genesis").expect("advances are pinned with a genesis");
        Anchor::of(&Genesis::from_wire(&input).expect("the pinned genesis is one"))
    });
    begin.follow(advance).is_ok()
}

fn call(bytes: &[u8]) -> bool {
    [wire::<CallRecord>, wire::<TakenRecord>].iter().any(|read| read(bytes))
}

/// A bundle that is accepted is one of those that were made: any change is noticed.
fn sealed(bytes: &[u8]) -> bool {
    bundle::verify(bytes, &fixture().genesis).is_ok_and(|_| {
        assert!(fixture().bundles.iter().any(|made| made == bytes), "accepted a changed bundle");
        true
    })
}

/// A forger can compute the seal, so what is accepted after sealing again must still be true.
fn forgery(bytes: &[u8]) -> bool {
    // A file is an array of two: the bundle and 34 bytes of seal.
    let end = bytes.len().saturating_sub(34);
    let Some(Ok(bundle)) = bytes.get(1..end).map(Bundle::from_wire) else { return false };
    // What was read is not longer than what may be written.
    let Ok(sealed) = bundle.to_bytes() else { return false };
    bundle::verify(&sealed, &fixture().genesis).is_ok_and(|verified| {
        if let VerifiedClaim::Reading(reading) = verified.claim {
            let value = 2000 + (reading.seq as i64 * 37) % 500;
            assert_eq!(reading.value, Value::Number(value), "accepted a forged reading");
        }
        true
    })
}

struct Fixture {
    genesis: Genesis,
    bundles: Vec<Vec<u8>>,
}

/// The ledger that the pinned bundles are of.
fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let input = corpus::input("bundle", "genesis").expect("bundles are pinned with a genesis");
        Fixture {
            genesis: Genesis::from_wire(&input).expect("the pinned genesis is one"),
            bundles: corpus::load(&["bundle"]).expect("bundles are pinned"),
        }
    })
}
