use alloc::{vec, vec::Vec};

use althing_types::{EntityKind, Suite};

use super::*;
use crate::{
    bundle::Claim,
    link::Anchor,
    testing::{Network, TinyLedger},
};

const KEY: &[u8] = b"j/c/anything";

#[test]
fn what_is_done_about_a_call_follows_from_the_time_and_the_other_side() {
    let (deadline_ms, patience_ms) = (1_000, 16_000);
    let table = [
        (There::Missing, [Step::Carry, Step::Carry, Step::AwaitRefund, Step::Refund]),
        (There::Waits, [Step::AwaitAnswer, Step::AwaitAnswer, Step::AwaitRefund, Step::Refund]),
        // An answer that came in time is brought back as long as it can count.
        (There::Answered, [Step::Return; 4]),
    ];
    for (there, steps) in table {
        let call = OpenCall { deadline_ms, patience_ms, there };
        let at = [0, deadline_ms, deadline_ms + 1, patience_ms + 1];
        assert_eq!(at.map(|now_ms| call.step(now_ms)), steps, "{there:?}");
        assert_ne!(call.step(patience_ms), Step::Refund, "the ledger takes it a moment later only");
    }
}

/// A ledger whose validators have changed so often that one transaction does not show all of it.
fn long_lived(count: u8, changes: usize) -> (TinyLedger, Bundle) {
    let mut ledger = TinyLedger::on(Network::new(4), EntityKind::Gateway, Suite::Ed25519);
    ledger.state.set(KEY.to_vec(), vec![7; 40]);
    for _ in 0..changes {
        ledger.end_epoch(count);
    }
    let bundle = ledger.bundle(|ledger| Claim::state(ledger, KEY.to_vec()).unwrap());
    (ledger, bundle)
}

#[test]
fn a_row_is_shown_after_as_many_steps_as_it_takes() {
    let (ledger, bundle) = long_lived(40, 30);
    let mut anchor = Anchor::of(&ledger.network.genesis);
    let mut steps = Vec::new();
    let shown = loop {
        match Showing::of(&bundle, anchor.validators.epoch).unwrap() {
            Showing::Now(shown) => break shown,
            Showing::After(advance) => {
                assert!(fits(&advance), "a ledger would refuse it");
                let before = anchor.height;
                anchor = anchor.follow(&advance).unwrap();
                assert!(anchor.height > before, "it would go on for ever");
                steps.push(anchor.validators.epoch);
            }
        }
    };
    assert!(steps.len() > 1, "{steps:?}");
    assert!(anchor.follow(&shown.advance).is_ok());
    assert_eq!(shown.value().unwrap(), Some([7; 40].as_slice()));
}

#[test]
fn a_link_is_led_to_the_newest_block_and_no_further() {
    let (ledger, bundle) = long_lived(40, 30);
    let mut anchor = Anchor::of(&ledger.network.genesis);
    let mut steps = 0;
    while let Some(advance) = lead(&bundle, anchor.height, anchor.validators.epoch).unwrap() {
        anchor = anchor.follow(&advance).unwrap();
        steps += 1;
    }
    assert!(steps > 1);
    assert_eq!(anchor.height, bundle.block.header.height);
}

#[test]
fn what_no_transaction_takes_is_said() {
    let (mut ledger, _) = long_lived(4, 0);
    ledger.submit(1);
    let receipt = ledger.bundle(|ledger| Claim::reading(ledger, &ledger.stream, 0).unwrap());
    assert_eq!(Showing::of(&receipt, 0), Err(RelayError::Kind));
    let (ledger, mut bundle) = long_lived(4, 0);
    drop(ledger);
    let Claim::State(row) = &mut bundle.claim else { panic!("it is about the state") };
    row.value = Some(vec![7; LINK_PROOF_BYTES_MAX]);
    assert_eq!(Showing::of(&bundle, 0), Err(RelayError::TooLarge));
}
