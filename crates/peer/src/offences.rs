//! What validators did against the rules, as this peer saw it.

use std::collections::BTreeMap;

use althing_ordering::{Fault, PeerKey};

/// Most kinds of offences kept, by validator: more than a network has seats times kinds.
const KEPT_MAX: usize = 1024;

/// A kind of offence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Offence {
    /// It voted for two blocks in one view.
    VotedTwice,
    /// It voted to finalize two blocks in one view.
    FinalizedTwice,
    /// It voted both to skip a view and to finalize a block in it.
    SkippedAndFinalized,
    /// It proposed a block that states a result which executing that height here did not give.
    WrongResult,
    /// It proposed another block that breaks the rules.
    WrongBlock,
}

impl Offence {
    /// A stable word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::VotedTwice => "voted_twice",
            Self::FinalizedTwice => "finalized_twice",
            Self::SkippedAndFinalized => "skipped_and_finalized",
            Self::WrongResult => "wrong_result",
            Self::WrongBlock => "wrong_block",
        }
    }
}

impl From<Fault> for Offence {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::ConflictingNotarize => Self::VotedTwice,
            Fault::ConflictingFinalize => Self::FinalizedTwice,
            Fault::NullifyFinalize => Self::SkippedAndFinalized,
        }
    }
}

/// How often a validator did the same, and the last of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offences {
    /// How often.
    pub count: u64,
    /// When it was seen first, milliseconds since 1970.
    pub first_ms: u64,
    /// When it was seen last, milliseconds since 1970.
    pub last_ms: u64,
    /// The last of it, in words.
    pub detail: String,
}

/// All of them since the start, bounded.
#[derive(Debug, Default)]
pub(crate) struct Book(BTreeMap<(PeerKey, Offence), Offences>);

impl Book {
    /// Notes one; says whether it is the first of its kind.
    pub(crate) fn note(
        &mut self,
        validator: PeerKey,
        offence: Offence,
        now_ms: u64,
        detail: String,
    ) -> bool {
        if let Some(known) = self.0.get_mut(&(validator, offence)) {
            known.count = known.count.saturating_add(1);
            (known.last_ms, known.detail) = (now_ms, detail);
            return false;
        }
        if self.0.len() >= KEPT_MAX {
            return false;
        }
        let first = Offences { count: 1, first_ms: now_ms, last_ms: now_ms, detail };
        self.0.insert((validator, offence), first);
        true
    }

    /// Validators that did something.
    pub(crate) fn validators(&self) -> Vec<PeerKey> {
        let mut validators: Vec<PeerKey> = self.0.keys().map(|(validator, _)| *validator).collect();
        validators.dedup();
        validators
    }

    /// What one of them did.
    pub(crate) fn of(&self, validator: &PeerKey) -> Vec<(Offence, Offences)> {
        let own =
            self.0.range((*validator, Offence::VotedTwice)..=(*validator, Offence::WrongBlock));
        own.map(|((_, offence), seen)| (*offence, seen.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_kept_once_for_each_validator_and_counted() {
        let mut book = Book::default();
        let (a, b) = ([1; 32], [2; 32]);
        assert!(book.note(a, Offence::WrongResult, 5, "first".into()));
        assert!(!book.note(a, Offence::WrongResult, 7, "second".into()));
        assert!(book.note(a, Offence::VotedTwice, 8, "twice".into()));
        assert!(book.note(b, Offence::WrongBlock, 9, "odd".into()));
        assert_eq!(book.validators(), [a, b]);
        let [(Offence::VotedTwice, _), (Offence::WrongResult, seen)] = &book.of(&a)[..] else {
            panic!("{:?}", book.of(&a))
        };
        let expected = Offences { count: 2, first_ms: 5, last_ms: 7, detail: "second".into() };
        assert_eq!(*seen, expected);
        for number in 0..2_000_u32 {
            let mut key = [9; 32];
            key[..4].copy_from_slice(&number.to_be_bytes());
            book.note(key, Offence::WrongBlock, 10, String::new());
        }
        assert_eq!(book.0.len(), KEPT_MAX);
    }
}
