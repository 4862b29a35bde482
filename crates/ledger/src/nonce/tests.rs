use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use Refusal::{NonceReused, NonceTooFar, NonceTooOld};

#[test]
fn a_window_slides_over_what_is_used() {
    let far = NONCE_JUMP_MAX;
    // Nonces in order; the verdict is about the last.
    let rows: [(&[u64], Result<(), Refusal>, u64); 12] = [
        (&[0], Ok(()), 1),
        (&[0, 0], Err(NonceReused), 1),
        (&[0, 1, 2, 1], Err(NonceReused), 3),
        (&[5, 3], Ok(()), 6),
        (&[5, 3, 3], Err(NonceReused), 6),
        (&[5, 0, 1, 2, 3, 4], Ok(()), 6),
        (&[far], Ok(()), far + 1),
        (&[far + 1], Err(NonceTooFar), 0),
        (&[0, far + 1], Ok(()), far + 2),
        (&[600, 600 - 511], Ok(()), 601),
        (&[600, 600 - 512], Err(NonceTooOld), 601),
        (&[600, 100, 1112, 601], Ok(()), 1113),
    ];
    for (nonces, expected, next) in rows {
        let mut window = NonceWindow::default();
        let (last, before) = nonces.split_last().unwrap();
        before.iter().for_each(|nonce| window.accept(*nonce).unwrap());
        assert_eq!((window.accept(*last), window.next()), (expected, next), "{nonces:?}");
    }
}

#[test]
fn the_largest_number_is_never_used_so_next_always_exists() {
    let mut window = NonceWindow { next: u64::MAX, missing: Vec::new() };
    assert_eq!(window.accept(u64::MAX), Err(NonceTooFar));
    assert_eq!(window.accept(u64::MAX - 1), Err(NonceReused));
}

#[test]
fn counting_up_by_one_keeps_the_record_small() {
    let mut window = NonceWindow::default();
    (0..10_000).for_each(|nonce| window.accept(nonce).unwrap());
    assert_eq!(window.to_wire().len(), 5);
}

proptest! {
    /// The window agrees with a set of all nonces ever used, whatever their order.
    #[test]
    fn it_agrees_with_a_set(steps in prop::collection::vec((0_u64..1300, any::<bool>()), 1..300)) {
        let (mut window, mut used) = (NonceWindow::default(), BTreeSet::new());
        for (offset, ahead) in steps {
            let next = window.next();
            let nonce = if ahead { next + offset % 70 } else { next.saturating_sub(offset) };
            let expected = if nonce < next && next - nonce > NONCE_WINDOW {
                Err(NonceTooOld)
            } else if used.contains(&nonce) {
                Err(NonceReused)
            } else {
                Ok(())
            };
            prop_assert_eq!(window.accept(nonce), expected, "nonce {} at {}", nonce, next);
            used.insert(nonce);
            prop_assert_eq!(window.next(), next.max(nonce + 1));
            prop_assert_eq!(NonceWindow::from_wire(&window.to_wire()), Ok(window.clone()));
        }
    }
}
