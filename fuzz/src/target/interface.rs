//! What people and programs hand in as text.

use althing_client::{Submission, genesis_file, model::Cursor, submission, time};
use althing_ledger::thing::{self, Description};
use althing_types::{Genesis, Wire as _};
use anyhow::Context as _;

use super::{Target, made, texts};
use crate::corpus;

pub(super) const TARGETS: &[Target] = &[
    texts(
        "thing_description",
        &[
            include_str!("../../seeds/machine.td.json"),
            r#"{"@context":"https://www.w3.org/2022/wot/td/v1.1","title":"x","security":"n","securityDefinitions":{"n":{"scheme":"nosec"}},"properties":{"a":{"type":"integer","forms":[{"href":"/a"}]}}}"#,
        ],
        description,
    ),
    made("genesis_file", genesis_files, genesis),
    texts("rfc3339", &["2026-11-22T13:45:00.250Z", "1969-12-31T23:59:59+02:00"], rfc3339),
    texts("cursor", &["0-0-0", "778-12-3", "18446744073709551615-4294967295-1"], cursor),
    made("fetch", fetches, fetch),
    made("submission", submissions, |bytes| submission::decode(bytes).is_ok()),
];

/// What is refused can be explained, and what is accepted needs no explanation.
fn description(bytes: &[u8]) -> bool {
    let accepted = Description::parse(bytes).is_ok();
    let explained = thing::explain(bytes);
    assert!(!accepted || explained.is_none(), "accepted, and yet: {explained:?}");
    accepted
}

fn fetches() -> anyhow::Result<Vec<Vec<u8>>> {
    Ok(althing_peer::fetch_examples().into_iter().map(|(_, wire)| wire).collect())
}

/// What a peer is asked for, or given: what is accepted has this one encoding.
fn fetch(bytes: &[u8]) -> bool {
    let message = bytes::Bytes::copy_from_slice(bytes);
    althing_peer::fetch_again(&message).is_some_and(|again| {
        assert_eq!(again, message, "accepted a second encoding");
        true
    })
}

/// A genesis that is accepted is written and read again as the same.
fn genesis(bytes: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(bytes) else { return false };
    genesis_file::parse(text).is_ok_and(|genesis| {
        let again = genesis_file::parse(&genesis_file::to_text(&genesis));
        assert!(again.is_ok_and(|again| again == genesis), "writing changed it");
        true
    })
}

/// A cursor that is accepted is written and read again as the same.
fn cursor(bytes: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(bytes) else { return false };
    text.parse::<Cursor>().is_ok_and(|cursor| {
        assert_eq!(cursor.to_string().parse().ok(), Some(cursor), "{text}");
        true
    })
}

fn rfc3339(bytes: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(bytes) else { return false };
    time::from_rfc3339(text).is_some_and(|ms| {
        // An offset may lead out of the years that the form can write; those are clamped.
        let clamped = [i64::MIN, i64::MAX].map(time::to_rfc3339).contains(&time::to_rfc3339(ms));
        assert!(clamped || time::from_rfc3339(&time::to_rfc3339(ms)) == Some(ms), "{text}");
        true
    })
}

fn genesis_files() -> anyhow::Result<Vec<Vec<u8>>> {
    let text = |wire: &Vec<u8>| {
        let genesis = Genesis::from_wire(wire).context("a pinned genesis is one")?;
        Ok(genesis_file::to_text(&genesis).into_bytes())
    };
    corpus::load(&["genesis"])?.iter().map(text).collect()
}

fn submissions() -> anyhow::Result<Vec<Vec<u8>>> {
    let payload = corpus::load(&["payload"])?.swap_remove(0);
    let submission = |wire: Vec<u8>| Submission {
        transaction: wire.into(),
        payloads: vec![payload.clone().into()],
    };
    let all: Vec<Submission> =
        corpus::load(&["transaction"])?.into_iter().map(submission).collect();
    Ok(vec![submission::encode(&all[..1]), submission::encode(&all)])
}
