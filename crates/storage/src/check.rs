use std::sync::Arc;

use althing_state::{OpenError, State, Store};
use althing_types::{Digest, LedgerId};

use crate::payloads::{PayloadError, Payloads};

/// What a check of a peer's data folder found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Height of the state, if a ledger has been founded.
    pub height: Option<u64>,
    /// Its root, as computed from the values.
    pub root: Option<Digest>,
    /// Payloads that are whole.
    pub payloads: u64,
    /// Payloads that are damaged, at most [`DAMAGED_LISTED_MAX`].
    pub damaged: Vec<[u8; 32]>,
}

/// Most damaged payloads that a report names.
const DAMAGED_LISTED_MAX: usize = 1000;
/// Payloads looked at together.
const CHECKED_TOGETHER: usize = 1024;

/// Reads everything in the store and compares it with its digests; changes nothing.
///
/// # Errors
/// [`OpenError`] if the state is another ledger's, damaged or unreadable.
pub fn check(
    store: &Arc<dyn Store>,
    payloads: &Payloads,
    ledger: &LedgerId,
) -> Result<Report, OpenError> {
    let state = State::open(Arc::clone(store), ledger)?;
    let mut report = Report {
        height: state.as_ref().map(State::height),
        root: state.as_ref().map(State::root),
        payloads: 0,
        damaged: Vec::new(),
    };
    let mut after = None;
    while let Ok(digests) = payloads.digests(after.as_ref(), CHECKED_TOGETHER) {
        let Some(last) = digests.last() else { break };
        after = Some(*last);
        for digest in &digests {
            match payloads.get(digest) {
                Ok(Some(_)) => report.payloads += 1,
                Err(PayloadError::Damaged(_)) | Ok(None) | Err(_) => {
                    if report.damaged.len() < DAMAGED_LISTED_MAX {
                        report.damaged.push(*digest);
                    }
                }
            }
        }
    }
    Ok(report)
}
