//! The decoders, each as a function over bytes.

use althing_types::{
    Block, Certificate, Did, Event, Genesis, Header, Inception, Payload, Receipt, Transaction,
    ValidatorSet, Wire, decimal,
};
use bytes::Bytes;

/// A decoder under test.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// Files of `testdata/vectors` whose wire forms are its corpus.
    pub vectors: &'static [&'static str],
    /// Further inputs to begin with.
    pub texts: &'static [&'static str],
    /// Feeds it; true if it accepted the bytes. Must not panic.
    pub run: fn(&[u8]) -> bool,
}

/// All of them.
pub const ALL: &[Target] = &[
    target("transaction", &["transaction"], transaction),
    target("block", &["block", "transaction"], block),
    target("header", &["header"], wire::<Header>),
    target("certificate", &["certificate"], wire::<Certificate>),
    target("validators", &["validators"], wire::<ValidatorSet>),
    target("payload", &["payload"], wire::<Payload>),
    target("receipt", &["receipt"], wire::<Receipt>),
    target("event", &["event"], wire::<Event>),
    target("inception", &["inception"], wire::<Inception>),
    target("genesis", &["genesis"], wire::<Genesis>),
    text("did", DIDS, did),
    text("decimal", DECIMALS, decimal_text),
];

const DIDS: &[&str] = &["did:althing:demo:CktRuQ2mttgRGkXJtyksdKHjUdc2C4TgDzyB98oEzy8"];
const DECIMALS: &[&str] = &["21.50", "-0.001e3", "9223372036854775807", "1e-15", "+007"];

const fn target(
    name: &'static str,
    vectors: &'static [&'static str],
    run: fn(&[u8]) -> bool,
) -> Target {
    Target { name, vectors, texts: &[], run }
}

const fn text(
    name: &'static str,
    texts: &'static [&'static str],
    run: fn(&[u8]) -> bool,
) -> Target {
    Target { name, vectors: &[], texts, run }
}

/// What is accepted has this one encoding.
fn wire<T: Wire>(bytes: &[u8]) -> bool {
    T::from_wire(bytes).is_ok_and(|value| {
        assert_eq!(value.to_wire(), bytes, "accepted a second encoding");
        true
    })
}

fn transaction(bytes: &[u8]) -> bool {
    Transaction::decode(Bytes::copy_from_slice(bytes)).is_ok_and(|transaction| {
        assert_eq!(transaction.wire(), bytes);
        assert_eq!(transaction.signatures()[0].signer, transaction.body().sender);
        true
    })
}

fn block(bytes: &[u8]) -> bool {
    Block::decode(Bytes::copy_from_slice(bytes)).is_ok_and(|block| {
        assert_eq!(block.wire(), bytes);
        assert_eq!(block.header().count as usize, block.transactions().len());
        true
    })
}

fn did(bytes: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(bytes) else { return false };
    Did::parse(text).is_ok_and(|did| {
        assert_eq!(did.to_string(), text, "accepted a second spelling");
        true
    })
}

fn decimal_text(bytes: &[u8]) -> bool {
    let Some((scale, bytes)) = bytes.split_first() else { return false };
    let (scale, Ok(text)) = (scale % 16, core::str::from_utf8(bytes)) else { return false };
    decimal::parse(text, scale, bytes.len() % 2 == 0).is_ok_and(|mantissa| {
        let shown = decimal::to_text(mantissa, scale);
        assert_eq!(decimal::parse(&shown, scale, false), Ok(mantissa), "{shown}");
        true
    })
}
