//! Ranges and aggregates against what a person would count by hand.

use alloc::{string::ToString, vec, vec::Vec};

use althing_types::{EntityId, Reading, ThingId, TxId, Value, ValueKind};
use proptest::prelude::*;

use super::*;
use crate::{
    aggregate::{self, Aggregate},
    interval::Interval,
    range,
    testing::Series,
};

fn series(kind: ValueKind) -> Series {
    let schema = StreamSchema {
        kind,
        scale: 0,
        quantum: 1,
        unit: "".to_string(),
        minimum: None,
        maximum: None,
    };
    Series::new(StreamHead::new(ThingId([1; 32]), "level".to_string(), schema))
}

fn append(series: &mut Series, first_seq: u64, readings: Vec<Reading>) {
    let payload = Payload { readings };
    let batch = payload.header(series.head.id(), first_seq);
    assert!(batch.is_valid());
    series.append(&batch, &payload, (EntityId([2; 32]), TxId([3; 32])), (5, 6));
}

fn reading(claimed_ms: i64, value: i64) -> Reading {
    Reading { claimed_ms, received_ms: claimed_ms + 1, value: Value::Number(value) }
}

/// `batches` of 10 readings, one a second from second 0.
fn regular(batches: u64) -> Series {
    let mut series = series(ValueKind::Number);
    for batch in 0..batches {
        let readings = (0..10).map(|i| (batch * 10 + i) as i64).map(|n| reading(n * 1000, n));
        append(&mut series, batch * 10, readings.collect());
    }
    series
}

fn range_of(series: &Series, interval: &Interval) -> Opening {
    range::prove(series, &series.head, interval, Payloads::Needed).unwrap()
}

#[test]
fn a_range_opens_what_it_overlaps_and_closes_the_rest() {
    let series = regular(16);
    let interval = Interval::Seq { first: 35, last: 44 };
    let opening = range_of(&series, &interval);
    let answer = range::verify(&series.head, &interval, &opening).unwrap();
    assert_eq!(answer.batches.iter().map(|batch| batch.index).collect::<Vec<_>>(), [3, 4]);
    let numbers: Vec<u64> = answer.readings().map(|(seq, _)| seq).collect();
    assert_eq!(numbers, (35..=44).collect::<Vec<_>>());
    // Of 16 leaves: root, both of its children on the left, and so on down to leaves 3 and 4.
    let kinds = |opening: &Opening| {
        let count = |wanted: fn(&Part) -> bool| opening.parts.iter().filter(|p| wanted(p)).count();
        (
            count(|part| matches!(part, Part::Inner)),
            count(|part| matches!(part, Part::Pruned(_))),
            count(|part| matches!(part, Part::Leaf { .. })),
        )
    };
    assert_eq!(kinds(&opening), (6, 5, 2));
    let whole = aggregate::prove(&series, &series.head, &Interval::Seq { first: 0, last: 999 });
    assert_eq!(whole, Ok(Opening::default()), "the peak's summary is enough");
    let inside = aggregate::prove(&series, &series.head, &Interval::Seq { first: 40, last: 79 });
    assert_eq!(kinds(&inside.unwrap()), (2, 3, 0), "no payload is needed");
}

#[test]
fn a_question_outside_the_stream_has_an_empty_answer() {
    for series in [regular(0), regular(5)] {
        for interval in [
            Interval::Seq { first: 50, last: u64::MAX },
            Interval::Time { first_ms: 49_001, last_ms: i64::MAX },
            Interval::Time { first_ms: i64::MIN, last_ms: -1 },
        ] {
            let opening = range_of(&series, &interval);
            assert_eq!(opening, Opening::default());
            let answer = range::verify(&series.head, &interval, &opening).unwrap();
            assert_eq!(answer.batches, []);
            let aggregate = aggregate::verify(&series.head, &interval, &opening);
            assert_eq!(aggregate, Ok(Aggregate::default()));
        }
    }
}

#[test]
fn an_erased_payload_is_named_and_breaks_no_proof() {
    let mut series = regular(8);
    let erased = series.leaves[3].payload_digest;
    series.payloads.remove(&erased);
    let interval = Interval::Seq { first: 20, last: 59 };
    let refused = range::prove(&series, &series.head, &interval, Payloads::Needed);
    assert_eq!(refused, Err(ProveError::Payload { leaf: 3 }));
    let opening = range::prove(&series, &series.head, &interval, Payloads::IfKept).unwrap();
    let answer = range::verify(&series.head, &interval, &opening).unwrap();
    assert_eq!(answer.readings().count(), 30);
    assert_eq!(answer.without_payload().map(|batch| batch.index).collect::<Vec<_>>(), [3]);
    let bare = range::prove(&series, &series.head, &interval, Payloads::LeaveOut).unwrap();
    let answer = range::verify(&series.head, &interval, &bare).unwrap();
    assert_eq!((answer.without_payload().count(), answer.readings().count()), (4, 0));
    // An aggregate that covers the batch does not miss it; one that cuts it does.
    let opening = aggregate::prove(&series, &series.head, &interval).unwrap();
    assert_eq!(aggregate::verify(&series.head, &interval, &opening).unwrap().count, 40);
    let cut = Interval::Seq { first: 35, last: 59 };
    let refused = aggregate::prove(&series, &series.head, &cut);
    assert_eq!(refused, Err(ProveError::Payload { leaf: 3 }));
    let opening = range::prove(&series, &series.head, &cut, Payloads::IfKept).unwrap();
    assert!(aggregate::verify(&series.head, &cut, &opening).is_err());
}

#[test]
fn text_is_counted_but_not_summed() {
    let mut series = series(ValueKind::Text);
    for batch in 0..4_i64 {
        let text = |i: i64| Reading {
            claimed_ms: batch * 10 + i,
            received_ms: 0,
            value: Value::Text("open".to_string()),
        };
        append(&mut series, batch as u64 * 3, (0..3).map(text).collect());
    }
    let interval = Interval::Time { first_ms: 1, last_ms: 21 };
    let opening = aggregate::prove(&series, &series.head, &interval).unwrap();
    let expected = Aggregate { count: 7, min: None, max: None, sum: 0 };
    assert_eq!(aggregate::verify(&series.head, &interval, &opening), Ok(expected));
}

#[test]
fn what_an_archive_lacks_is_named() {
    let series = regular(8);
    let interval = Interval::Seq { first: 0, last: 9 };
    let mut other = Series::new(series.head.clone());
    let missing = range::prove(&other, &other.head, &interval, Payloads::LeaveOut);
    assert_eq!(missing, Err(ProveError::Node { level: 2, index: 0 }));
    other = series.clone();
    other.leaves.clear();
    let missing = range::prove(&other, &other.head, &interval, Payloads::LeaveOut);
    assert_eq!(missing, Err(ProveError::Node { level: 0, index: 0 }));
}

#[test]
fn an_answer_has_a_largest_size() {
    let mut series = series(ValueKind::Number);
    for batch in 0..=LEAVES_OPENED_MAX as u64 {
        append(&mut series, batch, vec![reading(batch as i64, 0)]);
    }
    let all = Interval::Seq { first: 0, last: u64::MAX };
    let refused = range::prove(&series, &series.head, &all, Payloads::LeaveOut);
    assert_eq!(refused, Err(ProveError::TooLarge));
    let most = Interval::Seq { first: 1, last: u64::MAX };
    let opening = range_of(&series, &most);
    assert_eq!(opening.validate(), Ok(()));
    assert_eq!(range::verify(&series.head, &most, &opening).unwrap().readings().count(), 4096);
}

/// A prover that counted the bytes of payloads alone made bundles longer than a verifier takes.
#[test]
fn what_a_prover_makes_a_verifier_takes() {
    const APART: u64 = 32;
    const BEGIN_MS: i64 = 1_700_000_000_000;
    let mut series = series(ValueKind::Bytes);
    // So far apart that each batch that is asked for has many closed neighbours.
    for batch in 0..LEAVES_OPENED_MAX as u64 * APART {
        let (claimed_ms, len) = match batch % APART {
            0 => (BEGIN_MS + batch as i64, 755),
            _ => (BEGIN_MS - 1, 0),
        };
        let value = Value::Bytes(vec![7; len]);
        let reading = Reading { claimed_ms, received_ms: claimed_ms, value };
        append(&mut series, (1 << 40) + batch * 2, vec![reading; 2]);
    }
    let first = |leaves: u64| {
        let last_ms = BEGIN_MS + (leaves * APART) as i64 - 1;
        let interval = Interval::Time { first_ms: BEGIN_MS, last_ms };
        range::prove(&series, &series.head, &interval, Payloads::Needed)
    };
    assert_eq!(first(LEAVES_OPENED_MAX as u64), Err(ProveError::TooLarge));
    let opening = first(3000).unwrap();
    assert!(opening.to_wire().len() > OPENING_BYTES_MAX / 5 * 4);
    assert_eq!(Opening::from_wire(&opening.to_wire()), Ok(opening));
}

/// The readings were numbered by a range from the first number, which was asked for one more than
/// there are: whoever checked a batch that ends just below the last number panicked.
#[test]
fn numbers_reach_up_to_the_last() {
    let mut series = series(ValueKind::Number);
    append(&mut series, u64::MAX - 3, vec![reading(1, 10), reading(2, 20), reading(3, 30)]);
    let all = Interval::Seq { first: 0, last: u64::MAX };
    let answer = range::verify(&series.head, &all, &range_of(&series, &all)).unwrap();
    let numbers: Vec<u64> = answer.readings().map(|(seq, _)| seq).collect();
    assert_eq!(numbers, [u64::MAX - 3, u64::MAX - 2, u64::MAX - 1]);
    let cut = Interval::Seq { first: 0, last: u64::MAX - 2 };
    let opening = aggregate::prove(&series, &series.head, &cut).unwrap();
    assert_eq!(aggregate::verify(&series.head, &cut, &opening).unwrap().sum, 30);
}

#[test]
fn a_list_of_parts_is_counted_before_it_is_read() {
    let parts = |count: usize| {
        let mut wire = vec![0x9a];
        wire.extend((count as u32).to_be_bytes());
        wire.extend([0x81, 0x00].repeat(count));
        Opening::from_wire(&wire)
    };
    assert_eq!(parts(PARTS_MAX).map(|opening| opening.parts.len()), Ok(PARTS_MAX));
    assert!(matches!(parts(PARTS_MAX + 1), Err(WireError::Malformed { position: 5 })));
}

/// Every way of holding something back or slipping something in that needs no broken hash.
#[test]
fn nothing_can_be_held_back_moved_or_slipped_in() {
    let series = regular(13);
    let interval = Interval::Time { first_ms: 25_000, last_ms: 94_000 };
    let honest = range_of(&series, &interval);
    let verdict = |parts: Vec<Part>| {
        range::verify(&series.head, &interval, &Opening { parts }).map(|answer| answer.batches)
    };
    assert!(verdict(honest.parts.clone()).is_ok());
    assert_eq!(verdict(vec![]), Err(OpeningError::Shape));
    for position in 0..honest.parts.len() {
        let mut without = honest.parts.clone();
        let removed = without.remove(position);
        assert!(verdict(without).is_err(), "without part {position}");
        let mut doubled = honest.parts.clone();
        doubled.insert(position, removed.clone());
        assert!(verdict(doubled).is_err(), "part {position} twice");
        if let Part::Leaf { leaf, .. } = &removed {
            // Shown closed, though honestly hashed.
            let mut closed = honest.parts.clone();
            closed[position] = Part::Pruned(Node::of_leaf(leaf));
            assert!(matches!(verdict(closed), Err(OpeningError::HeldBack { .. })));
            let mut late = leaf.clone();
            late.ledger_time_ms += 1;
            let mut altered = honest.parts.clone();
            altered[position] = Part::Leaf { leaf: late, payload: None };
            assert!(matches!(verdict(altered), Err(OpeningError::Hash { .. })));
        }
        for other in 0..position {
            let mut swapped = honest.parts.clone();
            swapped.swap(position, other);
            if swapped != honest.parts {
                assert!(verdict(swapped).is_err(), "parts {other} and {position}");
            }
        }
    }
    // More open than the question needs: one question has one answer.
    let wider = range_of(&series, &Interval::Time { first_ms: 0, last_ms: 94_000 });
    assert!(matches!(verdict(wider.parts), Err(OpeningError::Needless { first: 0 })));
}

prop_compose! {
    /// Batches as they come in reality: late, early, overlapping in time, with gaps in the numbers
    /// that later batches fill.
    fn histories()(
        batches in prop::collection::vec(
            (prop::collection::vec((-50_i64..50, -1000_i64..1000), 1..6), -300_i64..300, 0..3_u64),
            1..40,
        ),
        shuffle in any::<prop::sample::Index>(),
    ) -> Series {
        let mut series = series(ValueKind::Number);
        let mut next = 0;
        let mut numbered: Vec<(u64, Vec<Reading>)> = batches
            .into_iter()
            .map(|(readings, base, gap)| {
                let first = next + gap;
                next = first + readings.len() as u64;
                let to_reading = |(offset, value)| reading(base + offset, value);
                (first, readings.into_iter().map(to_reading).collect())
            })
            .collect();
        let turn = shuffle.index(numbered.len());
        numbered.rotate_left(turn);
        numbered.into_iter().for_each(|(first, readings)| append(&mut series, first, readings));
        series
    }
}

fn intervals() -> impl Strategy<Value = Interval> {
    prop_oneof![
        (0..150_u64, 0..60_u64).prop_map(|(first, len)| Interval::Seq { first, last: first + len }),
        (-400_i64..400, 0..500_i64)
            .prop_map(|(first_ms, len)| Interval::Time { first_ms, last_ms: first_ms + len }),
    ]
}

/// All readings of a series that belong to an interval, ascending by number.
fn by_hand(series: &Series, interval: &Interval) -> Vec<(u64, Reading)> {
    let mut all: Vec<(u64, Reading)> = vec![];
    for leaf in &series.leaves {
        let payload = Payload::from_wire(&series.payloads[&leaf.payload_digest]).unwrap();
        all.extend(leaf.numbered(payload.readings));
    }
    all.retain(|(seq, reading)| interval.contains(*seq, reading.claimed_ms));
    all.sort_by_key(|(seq, _)| *seq);
    all
}

proptest! {
    #[test]
    fn ranges_are_complete(series in histories(), interval in intervals()) {
        let opening = range_of(&series, &interval);
        prop_assert_eq!(Opening::from_wire(&opening.to_wire()), Ok(opening.clone()));
        let answer = range::verify(&series.head, &interval, &opening).unwrap();
        let found: Vec<(u64, Reading)> =
            answer.readings().map(|(seq, reading)| (seq, reading.clone())).collect();
        prop_assert_eq!(found, by_hand(&series, &interval));
    }

    #[test]
    fn aggregates_equal_brute_force(series in histories(), interval in intervals()) {
        let opening = aggregate::prove(&series, &series.head, &interval).unwrap();
        let answer = aggregate::verify(&series.head, &interval, &opening).unwrap();
        let readings = by_hand(&series, &interval);
        let values = || readings.iter().filter_map(|(_, reading)| reading.value.measure());
        let expected = Aggregate {
            count: readings.len() as u64,
            min: values().min(),
            max: values().max(),
            sum: values().map(i128::from).sum(),
        };
        prop_assert_eq!(answer, expected);
    }

    #[test]
    fn another_question_than_the_one_answered_is_refused_or_truly_answered(
        series in histories(),
        asked in intervals(),
        answered in intervals(),
    ) {
        let opening = range_of(&series, &answered);
        if let Ok(answer) = range::verify(&series.head, &asked, &opening) {
            prop_assert_eq!(answer.readings().count(), by_hand(&series, &asked).len());
        }
        let opening = aggregate::prove(&series, &series.head, &answered).unwrap();
        if let Ok(answer) = aggregate::verify(&series.head, &asked, &opening) {
            prop_assert_eq!(answer.count, by_hand(&series, &asked).len() as u64);
        }
    }

    #[test]
    fn no_altered_byte_of_an_answer_passes(
        series in histories(),
        interval in intervals(),
        position: prop::sample::Index,
        bit in 0..8_u32,
    ) {
        let openings = [
            range_of(&series, &interval),
            aggregate::prove(&series, &series.head, &interval).unwrap(),
        ];
        for (which, opening) in openings.iter().enumerate() {
            let mut wire = opening.to_wire();
            let position = position.index(wire.len());
            wire[position] ^= 1 << bit;
            let Ok(altered) = Opening::from_wire(&wire) else { continue };
            let refused = match which {
                0 => range::verify(&series.head, &interval, &altered).is_err(),
                _ => aggregate::verify(&series.head, &interval, &altered).is_err(),
            };
            prop_assert!(refused, "byte {} of answer {}", position, which);
        }
    }
}
