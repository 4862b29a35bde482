use std::collections::BTreeSet;

use althing_types::{StreamId, StreamSchema, ThingId, ValueKind, Wire};
use proptest::prelude::*;

use super::*;
use Refusal::{GapSealed, SequenceOverlap, SequenceTooFar};

const WINDOW: u64 = 100;

fn empty() -> StreamHead {
    let schema = StreamSchema {
        kind: ValueKind::Text,
        scale: 0,
        quantum: 1,
        unit: String::new(),
        minimum: None,
        maximum: None,
    };
    StreamHead::new(ThingId::default(), "p".into(), schema)
}

fn batch(first_seq: u64, count: u32) -> BatchHeader {
    BatchHeader {
        stream: StreamId::default(),
        first_seq,
        count,
        time_min: 0,
        time_max: 0,
        min: None,
        max: None,
        sum: 0,
        payload_digest: [0; 32],
        payload_len: 1,
    }
}

fn gap(first_seq: u64, count: u64) -> Gap {
    Gap { first_seq, count }
}

/// Takes batches given as (first, count); the last one is what a row is about.
fn taking(batches: &[(u64, u32)]) -> (StreamHead, Result<Taken, Refusal>) {
    let mut head = empty();
    let (last, before) = batches.split_last().unwrap();
    for (first, count) in before {
        take(&mut head, &batch(*first, *count), WINDOW).unwrap();
    }
    let result = take(&mut head, &batch(last.0, last.1), WINDOW);
    (head, result)
}

#[test]
fn batches_continue_skip_and_fill() {
    let opened = |first, count| Ok(Taken { opened: Some(gap(first, count)), ..Taken::default() });
    let filled = Ok(Taken { filled: true, ..Taken::default() });
    type Row = (&'static [(u64, u32)], Result<Taken, Refusal>, u64, Vec<Gap>);
    let rows: Vec<Row> = vec![
        (&[(0, 5)], Ok(Taken::default()), 5, vec![]),
        (&[(0, 5), (5, 1)], Ok(Taken::default()), 6, vec![]),
        (&[(3, 2)], opened(0, 3), 5, vec![gap(0, 3)]),
        (&[(100, 1)], opened(0, 100), 101, vec![gap(0, 100)]),
        (&[(101, 1)], Err(SequenceTooFar), 0, vec![]),
        (&[(0, 5), (0, 5)], Err(SequenceOverlap), 5, vec![]),
        (&[(0, 5), (4, 2)], Err(SequenceOverlap), 5, vec![]),
        (&[(10, 5), (2, 3)], filled, 15, vec![gap(0, 2), gap(5, 5)]),
        (&[(10, 5), (0, 10)], filled, 15, vec![]),
        (&[(10, 5), (0, 4)], filled, 15, vec![gap(4, 6)]),
        (&[(10, 5), (6, 4)], filled, 15, vec![gap(0, 6)]),
        (&[(10, 5), (6, 5)], Err(SequenceOverlap), 15, vec![gap(0, 10)]),
        (&[(10, 5), (6, 20)], Err(SequenceOverlap), 15, vec![gap(0, 10)]),
        (&[(10, 5), (12, 1)], Err(SequenceOverlap), 15, vec![gap(0, 10)]),
        (&[(10, 5), (20, 5), (0, 10), (15, 5)], filled, 25, vec![]),
    ];
    for (batches, expected, next_seq, gaps) in rows {
        let (head, result) = taking(batches);
        assert_eq!((result, head.next_seq, head.gaps), (expected, next_seq, gaps), "{batches:?}");
    }
}

#[test]
fn the_oldest_of_too_many_gaps_is_given_up() {
    let mut head = empty();
    let every_other = |index: usize| batch(2 * index as u64 + 1, 1);
    for index in 0..GAPS_MAX {
        assert_eq!(take(&mut head, &every_other(index), WINDOW).unwrap().sealed, None);
    }
    let taken = take(&mut head, &every_other(GAPS_MAX), WINDOW).unwrap();
    assert_eq!((taken.sealed, head.sealed, head.gaps.len()), (Some(gap(0, 1)), 1, GAPS_MAX));
    assert_eq!(take(&mut head, &batch(0, 1), WINDOW), Err(GapSealed));
    assert_eq!(take(&mut head, &batch(3, 1), WINDOW), Err(SequenceOverlap));
    assert!(take(&mut head, &batch(2, 1), WINDOW).unwrap().filled);
}

#[test]
fn splitting_a_gap_can_give_one_up() {
    let mut head = empty();
    take(&mut head, &batch(10, 1), WINDOW).unwrap();
    for index in 1..GAPS_MAX as u64 {
        take(&mut head, &batch(10 + 2 * index, 1), WINDOW).unwrap();
    }
    let taken = take(&mut head, &batch(5, 1), WINDOW).unwrap();
    assert_eq!((taken.filled, taken.sealed, head.sealed), (true, Some(gap(0, 5)), 5));
    assert_eq!(head.gaps[0], gap(6, 4));
}

#[test]
fn numbers_end_at_64_bits() {
    let mut head = empty();
    head.next_seq = u64::MAX - 3;
    assert_eq!(take(&mut head, &batch(u64::MAX - 3, 4), 100), Err(Refusal::OutOfBounds));
    assert_eq!(take(&mut head, &batch(u64::MAX - 3, 3), 100), Ok(Taken::default()));
    assert_eq!(head.next_seq, u64::MAX);
}

/// The same rules over plain sets of numbers.
#[derive(Default)]
struct Model {
    next: u64,
    taken: BTreeSet<u64>,
    sealed: BTreeSet<u64>,
}

impl Model {
    fn missing(&self) -> Vec<Gap> {
        let mut gaps: Vec<Gap> = Vec::new();
        let open = (0..self.next).filter(|n| !self.taken.contains(n) && !self.sealed.contains(n));
        for number in open {
            match gaps.last_mut() {
                Some(last) if last.first_seq + last.count == number => last.count += 1,
                _ => gaps.push(gap(number, 1)),
            }
        }
        gaps
    }

    fn accepts(&self, first: u64, count: u64) -> bool {
        if first >= self.next {
            return first - self.next <= WINDOW;
        }
        self.missing()
            .iter()
            .any(|gap| gap.first_seq <= first && first + count <= gap.first_seq + gap.count)
    }

    fn take(&mut self, first: u64, count: u64) {
        self.taken.extend(first..first + count);
        self.next = self.next.max(first + count);
        let gaps = self.missing();
        if gaps.len() > GAPS_MAX {
            self.sealed.extend(gaps[0].first_seq..gaps[0].first_seq + gaps[0].count);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Bookkeeping by gaps agrees with sets of numbers, over so many batches that gaps are sealed.
    #[test]
    fn it_agrees_with_sets(
        steps in prop::collection::vec(
            (0_u64..700, 1_u32..5, prop::bool::weighted(0.85)),
            1..500,
        ),
    ) {
        let (mut head, mut model) = (empty(), Model::default());
        for (offset, count, ahead) in steps {
            let first = if ahead { model.next + offset % 3 } else { model.next.saturating_sub(offset) };
            let result = take(&mut head, &batch(first, count), WINDOW);
            prop_assert_eq!(result.is_ok(), model.accepts(first, u64::from(count)));
            if result.is_ok() {
                model.take(first, u64::from(count));
            }
            prop_assert_eq!(head.next_seq, model.next);
            prop_assert_eq!(&head.gaps, &model.missing());
            prop_assert_eq!(head.sealed, model.sealed.len() as u64);
        }
        prop_assert_eq!(head.validate(), Ok(()));
    }

    /// Cut the same readings into batches and bring those in any order the window allows: the
    /// stream ends up with the same numbers.
    #[test]
    fn any_order_covers_the_same_readings(
        cuts in prop::collection::vec(1_u32..9, 1..40),
        order in prop::collection::vec(any::<prop::sample::Index>(), 40),
    ) {
        let mut first = 0;
        let mut batches: Vec<BatchHeader> = Vec::new();
        for count in cuts {
            batches.push(batch(first, count));
            first += u64::from(count);
        }
        let mut head = empty();
        for pick in &order {
            if batches.is_empty() {
                break;
            }
            let chosen = batches.remove(pick.index(batches.len()));
            // What is too far ahead is tried again later, as a gateway would.
            if take(&mut head, &chosen, WINDOW) == Err(SequenceTooFar) {
                batches.push(chosen);
            }
        }
        batches.sort_by_key(|batch| batch.first_seq);
        for rest in batches {
            prop_assert!(take(&mut head, &rest, WINDOW).is_ok());
        }
        prop_assert_eq!((head.next_seq, head.gaps.len(), head.sealed), (first, 0, 0));
    }
}
