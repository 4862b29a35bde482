use althing_types::{Reading, Value};
use proptest::prelude::*;

use super::*;
use crate::record::Numbered;

const IDENTITY: Identity = Identity { ledger: LedgerId([1; 32]), gateway: EntityId([2; 32]) };
const STREAM: StreamId = StreamId([3; 32]);

fn reading(seq: u64) -> Record {
    let value = Value::Number(seq.try_into().unwrap_or(0));
    let reading = Reading { claimed_ms: 5, received_ms: 6, value };
    Record::Readings(vec![Numbered { stream: STREAM, seq, reading }])
}

fn segment(number: u64, records: &[Record]) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = header(number, &IDENTITY, false);
    let mut ends = vec![bytes.len()];
    for record in records {
        let mut framed = Vec::new();
        frame(number, bytes.len() as u64, record, None, &mut framed);
        bytes.extend(framed);
        ends.push(bytes.len());
    }
    (bytes, ends)
}

#[test]
fn a_crash_at_any_byte_keeps_what_was_whole() {
    let records: Vec<Record> = (0..4).map(reading).collect();
    let (bytes, ends) = segment(7, &records);
    for cut in HEADER_BYTES..=bytes.len() {
        let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
        let expected =
            Scan { records: records[..whole].to_vec(), end: ends[whole], damage: vec![] };
        assert_eq!(scan(7, &IDENTITY, None, &bytes[..cut]), Ok(expected), "cut at {cut}");
    }
}

#[test]
fn damage_before_valid_frames_is_reported_and_read_over() {
    let records: Vec<Record> = (0..3).map(reading).collect();
    let (bytes, ends) = segment(7, &records);
    for at in ends[1]..ends[2] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        let expected = Scan {
            records: vec![records[0].clone(), records[2].clone()],
            end: ends[3],
            damage: std::iter::once(ends[1]..ends[2]).collect(),
        };
        assert_eq!(scan(7, &IDENTITY, None, &damaged), Ok(expected), "byte {at}");
    }
}

#[test]
fn what_is_no_segment_of_this_queue_is_refused() {
    let (bytes, _) = segment(7, &[reading(0)]);
    let newer = [b"ALTHQUE3", &bytes[8..]].concat();
    let foreign = Identity { gateway: EntityId([9; 32]), ..IDENTITY };
    for (number, identity, bytes, expected) in [
        (7, IDENTITY, &bytes[..HEADER_BYTES - 1], SegmentError::Header),
        (7, IDENTITY, &b""[..], SegmentError::Header),
        (8, IDENTITY, &bytes[..], SegmentError::Header),
        (7, foreign, &bytes[..], SegmentError::Foreign),
        (7, IDENTITY, &newer[..], SegmentError::Version),
    ] {
        assert_eq!(scan(number, &identity, None, bytes), Err(expected));
    }
}

#[test]
fn frames_do_not_count_where_they_were_not_written() {
    let (mut bytes, ends) = segment(7, &[reading(0)]);
    let copy = bytes[ends[0]..].to_vec();
    bytes.extend(copy);
    let scan = scan(7, &IDENTITY, None, &bytes).unwrap();
    assert_eq!((scan.records.len(), scan.end), (1, ends[1]));
}

#[test]
fn segments_go_when_they_and_all_older_ones_are_final() {
    let retired = |before_seq| Record::Retired { stream: STREAM, before_seq };
    let mut segments = Segments::default();
    for number in 1..=3 {
        segments.open(number);
        segments.wrote(&reading(number - 1));
    }
    assert_eq!(segments.take_finished(), Vec::<u64>::new());
    segments.wrote(&retired(1));
    assert_eq!(segments.take_finished(), vec![1]);
    segments.wrote(&Record::Renumbered { stream: STREAM, from_seq: 1, to_seq: 11 });
    segments.wrote(&retired(11));
    assert_eq!(segments.take_finished(), Vec::<u64>::new());
    segments.wrote(&retired(13));
    assert_eq!(segments.take_finished(), vec![2]);
    assert_eq!(segments.checkpoint(), vec![Record::Head { stream: STREAM, next_seq: 13 }]);
}

#[test]
fn a_snapshot_makes_older_segments_needless() {
    let mut segments = Segments::default();
    segments.open(1);
    segments.wrote(&reading(0));
    segments.open(2);
    for record in [Record::Reset, Record::Head { stream: STREAM, next_seq: 1 }, reading(0)] {
        segments.wrote(&record);
    }
    assert_eq!(segments.take_finished(), vec![1]);
    segments.open(3);
    assert_eq!(segments.take_finished(), Vec::<u64>::new());
}

proptest! {
    #[test]
    fn any_bytes_behind_a_header_scan(tail in proptest::collection::vec(any::<u8>(), 0..400)) {
        let bytes = [header(1, &IDENTITY, false), tail].concat();
        let scan = scan(1, &IDENTITY, None, &bytes).unwrap();
        prop_assert!(scan.records.is_empty() && scan.damage.is_empty());
    }
}

/// A mark outlives the segment it was written in: its reading may be final before the store of
/// sessions knows it.
#[test]
fn marks_go_on_in_new_segments_until_they_are_passed() {
    use crate::Mark;
    let mark = |number, id| Mark { session: 1, number, id };
    let mut segments = Segments::default();
    segments.open(1);
    segments.wrote(&Record::Marked(mark(1, 7), Some(Box::new(reading(0)))));
    segments.wrote(&Record::Marked(mark(2, 8), Some(Box::new(reading(1)))));
    segments.wrote(&Record::Passed { session: 1, number: 1 });
    segments.wrote(&Record::Retired { stream: STREAM, before_seq: 2 });
    let head = Record::Head { stream: STREAM, next_seq: 2 };
    assert_eq!(segments.checkpoint(), [head.clone(), Record::Marked(mark(2, 8), None)]);
    segments.open(2);
    assert_eq!(segments.take_finished(), [1]);
    segments.wrote(&Record::Passed { session: 1, number: 2 });
    assert_eq!(segments.checkpoint(), [head]);
}

#[test]
fn an_encrypted_segment_opens_with_its_key_only_and_is_cut_and_damaged_as_others() {
    let (key, other) = (AtRest::derive(&[1; 32]), AtRest::derive(&[2; 32]));
    let (mut bytes, mut ends) = (header(7, &IDENTITY, true), vec![HEADER_BYTES]);
    // What an earlier program wrote, and what comes behind it.
    for (record, key) in [(reading(0), None), (reading(1), Some(&key)), (reading(2), Some(&key))] {
        let mut framed = Vec::new();
        frame(7, bytes.len() as u64, &record, key, &mut framed);
        bytes.extend(framed);
        ends.push(bytes.len());
    }
    let plain = reading(1).to_wire();
    assert!(!bytes[ends[1]..].windows(plain.len()).any(|window| window == plain));
    let all: Vec<Record> = (0..3).map(reading).collect();
    for cut in HEADER_BYTES..=bytes.len() {
        let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
        let expected = Scan { records: all[..whole].to_vec(), end: ends[whole], damage: vec![] };
        assert_eq!(scan(7, &IDENTITY, Some(&key), &bytes[..cut]), Ok(expected), "cut at {cut}");
    }
    for wrong in [None, Some(&other)] {
        assert_eq!(scan(7, &IDENTITY, wrong, &bytes), Err(SegmentError::Key));
    }
    let mut damaged = bytes.clone();
    damaged[ends[1] + FRAME_HEAD_BYTES + 3] ^= 1;
    let damage = scan(7, &IDENTITY, Some(&key), &damaged).unwrap().damage;
    assert_eq!(damage, std::iter::once(ends[1]..ends[2]).collect::<Vec<_>>());
}
