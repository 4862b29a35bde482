//! What is hashed, signed and sent.

use althing_types::{
    Block, Certificate, Did, DirectUse, Event, Genesis, Header, Inception, Payload, PeerAddresses,
    Receipt, SealedPayload, SignedPayload, SignedRequest, Transaction, ValidatorSet, decimal,
};
use bytes::Bytes;

use super::{Target, texts, vectors, wire};

pub(super) const TARGETS: &[Target] = &[
    vectors("transaction", &["transaction"], transaction),
    vectors("block", &["block", "transaction"], block),
    vectors("header", &["header"], wire::<Header>),
    vectors("certificate", &["certificate"], wire::<Certificate>),
    vectors("validators", &["validators"], wire::<ValidatorSet>),
    vectors("payload", &["payload"], wire::<Payload>),
    vectors("signed_payload", &["signed_payload"], wire::<SignedPayload>),
    vectors("sealed_payload", &["sealed_payload"], wire::<SealedPayload>),
    vectors("receipt", &["receipt"], wire::<Receipt>),
    vectors("event", &["event"], wire::<Event>),
    vectors("direct_request", &["direct_request"], wire::<SignedRequest>),
    vectors("direct_use", &["direct_use"], wire::<DirectUse>),
    vectors("inception", &["inception"], wire::<Inception>),
    vectors("peer_addresses", &["peer_addresses"], wire::<PeerAddresses>),
    vectors("genesis", &["genesis"], wire::<Genesis>),
    texts("did", &["did:althing:demo:4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi"], did),
    texts(
        "decimal",
        &["21.50", "-0.001e3", "99223372036854775807", "01e-15", "+007"],
        decimal_text,
    ),
];

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

/// The first byte chooses the scale.
fn decimal_text(bytes: &[u8]) -> bool {
    let Some((scale, bytes)) = bytes.split_first() else { return false };
    let (scale, Ok(text)) = (scale % 16, core::str::from_utf8(bytes)) else { return false };
    decimal::parse(text, scale, bytes.len() % 2 == 0).is_ok_and(|mantissa| {
        let shown = decimal::to_text(mantissa, scale);
        assert_eq!(decimal::parse(&shown, scale, false), Ok(mantissa), "{shown}");
        true
    })
}
