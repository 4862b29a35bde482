//! Which sequence numbers a stream has, misses and takes.
//!
//! ```text
//! 0          sealed: given up        gap: may still come      next_seq      + window
//! |##########..........##############______########__________#|- - - - - - - - -|
//! ```
//! A batch continues at `next_seq`, or skips ahead and leaves a gap, or fills an open gap in whole
//! or in part. Nothing is taken twice, and nothing missing goes unnoticed.

use althing_proof::stream::{GAPS_MAX, Gap, StreamHead};
use althing_types::{BatchHeader, Event, Refusal};

/// What taking a batch did to the gaps of its stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Numbers that were skipped.
    pub opened: Option<Gap>,
    /// Whether the batch filled (part of) a gap.
    pub filled: bool,
    /// The oldest gap, given up because there were too many.
    pub sealed: Option<Gap>,
}

impl Taken {
    /// The same as events, in order.
    pub(crate) fn events(self, batch: &BatchHeader) -> impl Iterator<Item = Event> {
        let (stream, filled) = (batch.stream, self.filled);
        let opened = self.opened.map(|gap| Event::GapOpened {
            stream,
            first_seq: gap.first_seq,
            count: gap.count,
        });
        let filled = filled.then_some(Event::GapFilled {
            stream,
            first_seq: batch.first_seq,
            count: u64::from(batch.count),
        });
        let sealed = self.sealed.map(|gap| Event::GapSealed {
            stream,
            first_seq: gap.first_seq,
            count: gap.count,
        });
        opened.into_iter().chain(filled).chain(sealed)
    }
}

/// Takes the sequence numbers of a batch into a stream; its readings are the caller's to append.
///
/// # Errors
/// [`Refusal::SequenceTooFar`], [`Refusal::SequenceOverlap`], [`Refusal::GapSealed`], or
/// [`Refusal::OutOfBounds`] for numbers beyond 64 bits; the head is then unchanged.
pub fn take(head: &mut StreamHead, batch: &BatchHeader, window: u64) -> Result<Taken, Refusal> {
    let end = batch.end_seq().ok_or(Refusal::OutOfBounds)?;
    let mut taken = Taken::default();
    match batch.first_seq.checked_sub(head.next_seq) {
        Some(skipped) if skipped > window => return Err(Refusal::SequenceTooFar),
        Some(skipped) => {
            if skipped > 0 {
                let gap = Gap { first_seq: head.next_seq, count: skipped };
                head.gaps.push(gap);
                taken.opened = Some(gap);
            }
            head.next_seq = end;
        }
        None => {
            fill(head, batch.first_seq, end)?;
            taken.filled = true;
        }
    }
    // The oldest are the lowest: gaps open at the upper end, and filling one leaves parts of it.
    if head.gaps.len() > GAPS_MAX {
        let gap = head.gaps.remove(0);
        head.sealed = head.sealed.saturating_add(gap.count);
        taken.sealed = Some(gap);
    }
    Ok(taken)
}

/// Takes `first..end` out of the open gap it lies in.
fn fill(head: &mut StreamHead, first: u64, end: u64) -> Result<(), Refusal> {
    let gaps = &head.gaps;
    let position = gaps.partition_point(|gap| gap.first_seq <= first);
    let Some(gap) = position.checked_sub(1).map(|below| gaps[below]) else {
        // Below every open gap, the head knows only how many numbers were given up, not which.
        let sealed = head.sealed > 0;
        return Err(if sealed { Refusal::GapSealed } else { Refusal::SequenceOverlap });
    };
    let gap_end = gap.first_seq + gap.count;
    if end > gap_end {
        return Err(Refusal::SequenceOverlap);
    }
    let before = Gap { first_seq: gap.first_seq, count: first - gap.first_seq };
    let after = Gap { first_seq: end, count: gap_end - end };
    let parts = [before, after].into_iter().filter(|part| part.count > 0);
    head.gaps.splice(position - 1..position, parts);
    Ok(())
}

#[cfg(test)]
mod tests;
