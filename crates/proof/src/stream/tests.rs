use alloc::{collections::BTreeMap, string::ToString, vec, vec::Vec};

use althing_types::{
    Digest, EntityId, StreamSchema, ThingId, TxId, ValueKind, Wire, limits::BATCH_READINGS_MAX,
};
use proptest::prelude::*;

use super::*;

fn leaf(first_seq: u64, count: u32, time: i64, value: i64) -> Leaf {
    Leaf {
        first_seq,
        count,
        time_min: time,
        time_max: time + 100,
        min: Some(value),
        max: Some(value),
        sum: i128::from(value) * i128::from(count),
        payload_digest: [first_seq as u8; 32],
        payload_len: 100,
        submitter: EntityId([1; 32]),
        transaction: TxId([2; 32]),
        ledger_time_ms: 5,
        height: 6,
    }
}

fn leaves(count: u64) -> Vec<Leaf> {
    (0..count).map(|i| leaf(i * 10, 10, i as i64 * 1000, i as i64 - 3)).collect()
}

/// The node over `leaves`, a power of two of them, made the slow way.
fn reference(leaves: &[Leaf]) -> Node {
    match leaves {
        [leaf] => Node::of_leaf(leaf),
        _ => {
            let (left, right) = leaves.split_at(leaves.len() / 2);
            Node::join(&reference(left), &reference(right)).unwrap()
        }
    }
}

fn reference_peaks(mut leaves: &[Leaf]) -> Vec<Node> {
    let mut peaks = vec![];
    while !leaves.is_empty() {
        let (peak, rest) = leaves.split_at(1 << leaves.len().ilog2());
        peaks.push(reference(peak));
        leaves = rest;
    }
    peaks
}

#[test]
fn appending_makes_the_peaks_of_the_definition_and_every_leaf_is_proven() {
    let leaves = leaves(40);
    let (mut peaks, mut nodes) = (Peaks::default(), BTreeMap::new());
    assert_eq!(peaks.summary(), None);
    for (count, leaf) in leaves.iter().enumerate() {
        for stored in peaks.append(leaf).unwrap() {
            let before = nodes.insert((stored.level, stored.index), stored.node);
            assert_eq!(before, None, "a node is made once");
        }
        assert_eq!(peaks.nodes(), reference_peaks(&leaves[..=count]));
        assert_eq!(peaks.leaves(), count as u64 + 1);
        assert_eq!(Peaks::from_wire(&peaks.to_wire()), Ok(peaks.clone()));
        for index in 0..=count as u64 {
            let get = |level, index| nodes.get(&(level, index)).copied();
            let path = LeafPath::collect(&peaks, index, get).unwrap();
            assert!(path.verify(&peaks, &leaves[index as usize]));
            let elsewhere = LeafPath { index: index ^ 1, ..path.clone() };
            assert!(!elsewhere.verify(&peaks, &leaves[index as usize]));
            let mut other = leaves[index as usize].clone();
            other.height += 1;
            assert!(!path.verify(&peaks, &other));
        }
        assert_eq!(LeafPath::collect(&peaks, count as u64 + 1, |_, _| None), None);
    }
}

#[test]
fn a_path_of_any_other_length_or_place_is_refused() {
    let leaves = leaves(7);
    let (mut peaks, mut nodes) = (Peaks::default(), BTreeMap::new());
    for leaf in &leaves {
        let made = peaks.append(leaf).unwrap();
        nodes.extend(made.iter().map(|made| ((made.level, made.index), made.node)));
    }
    let get = |level, index| nodes.get(&(level, index)).copied();
    let path = LeafPath::collect(&peaks, 2, get).unwrap();
    let mut longer = path.clone();
    longer.siblings.push(path.siblings[0]);
    let mut shorter = path.clone();
    shorter.siblings.pop();
    let far = LeafPath { index: u64::MAX, ..path.clone() };
    for wrong in [longer, shorter, far] {
        assert!(!wrong.verify(&peaks, &leaves[2]), "{wrong:?}");
    }
    let mut stretched = path;
    stretched.siblings[0].summary.time_max += 1;
    assert!(!stretched.verify(&peaks, &leaves[2]), "a summary is bound by its parent");
}

fn head() -> StreamHead {
    let schema = StreamSchema {
        kind: ValueKind::Number,
        scale: 2,
        quantum: 1,
        unit: "celsius".to_string(),
        minimum: None,
        maximum: None,
    };
    let mut head = StreamHead::new(ThingId([9; 32]), "temperature".to_string(), schema);
    head.next_seq = 1000;
    for leaf in leaves(5) {
        head.peaks.append(&leaf).unwrap();
    }
    head
}

#[test]
fn heads_out_of_bounds_are_refused() {
    let gap = |first_seq, count| Gap { first_seq, count };
    let mut good = head();
    good.gaps = vec![gap(50, 50), gap(101, 1), gap(300, 699)];
    assert_eq!(StreamHead::from_wire(&good.to_wire()), Ok(good.clone()));
    for gaps in [
        vec![gap(50, 0)],
        vec![gap(50, 50), gap(100, 1)],
        vec![gap(60, 5), gap(50, 5)],
        vec![gap(999, 1)],
        vec![gap(u64::MAX, 2)],
        (0..=GAPS_MAX as u64).map(|i| gap(i * 2, 1)).collect(),
    ] {
        let bad = StreamHead { gaps, ..good.clone() };
        assert!(StreamHead::from_wire(&bad.to_wire()).is_err(), "{:?}", bad.gaps);
    }
    let bad = StreamHead { next_seq: 49, gaps: vec![], ..good.clone() };
    assert!(StreamHead::from_wire(&bad.to_wire()).is_err(), "a reading at or above next_seq");
    let longest = StreamHead {
        gaps: (0..GAPS_MAX as u64).map(|i| gap((1 << 62) + i * 2, 1)).collect(),
        next_seq: u64::MAX,
        ..good
    };
    assert!(StreamHead::from_wire(&longest.to_wire()).is_ok());
}

#[test]
fn peaks_that_are_no_mountain_range_are_refused() {
    let five = head().peaks;
    let swap = |order: &[usize]| {
        let nodes: Vec<Node> = order.iter().map(|i| five.nodes()[*i]).collect();
        Peaks::from_wire(&minicbor::to_vec(&nodes).unwrap())
    };
    assert_eq!(swap(&[0, 1]), Ok(five.clone()));
    assert!(swap(&[1, 0]).is_err());
    assert!(swap(&[1, 1]).is_err());
}

#[test]
fn a_full_stream_takes_no_more_and_stays_as_it_is() {
    let summary = Summary {
        leaves: LEAVES_MAX,
        count: LEAVES_MAX,
        seq_min: 0,
        seq_max: LEAVES_MAX - 1,
        time_min: 0,
        time_max: 0,
        min: None,
        max: None,
        sum: 0,
    };
    let node = Node { hash: Digest([7; 32]), summary };
    let mut peaks = Peaks::from_wire(&minicbor::to_vec([node]).unwrap()).unwrap();
    let before = peaks.clone();
    assert_eq!(peaks.append(&leaf(0, 1, 0, 0)), Err(StreamFull));
    assert_eq!(peaks, before);
    assert_eq!(summary.merge(&summary), None);
}

prop_compose! {
    fn summaries()(
        leaves in 1..=LEAVES_MAX / 4,
        count in 1..=u64::MAX / 2,
        seqs: (u64, u64),
        times: (i64, i64),
        range: Option<(i64, i64)>,
        sum in -(1_i128 << 120)..1 << 120,
    ) -> Summary {
        Summary {
            leaves,
            count,
            seq_min: seqs.0.min(seqs.1),
            seq_max: seqs.0.max(seqs.1),
            time_min: times.0.min(times.1),
            time_max: times.0.max(times.1),
            min: range.map(|(a, b)| a.min(b)),
            max: range.map(|(a, b)| a.max(b)),
            sum,
        }
    }
}

proptest! {
    #[test]
    fn merging_is_associative(a in summaries(), b in summaries(), c in summaries()) {
        let left = a.merge(&b).and_then(|ab| ab.merge(&c));
        let right = b.merge(&c).and_then(|bc| a.merge(&bc));
        prop_assert_eq!(left, right);
    }

    #[test]
    fn valid_leaves_merge_into_valid_summaries(
        batches in prop::collection::vec((1..=BATCH_READINGS_MAX as u32, any::<i32>(), any::<i64>()), 1..40),
    ) {
        let (mut peaks, mut next) = (Peaks::default(), 0);
        for (count, time, value) in batches {
            let leaf = leaf(next, count, i64::from(time), value);
            prop_assert_eq!(Leaf::from_wire(&leaf.to_wire()), Ok(leaf.clone()));
            next = leaf.last_seq() + 1;
            peaks.append(&leaf).unwrap();
            prop_assert_eq!(peaks.validate(), Ok(()));
        }
        let summary = peaks.summary().unwrap();
        prop_assert!(summary.is_valid());
        prop_assert_eq!((summary.seq_min, summary.seq_max, summary.count), (0, next - 1, next));
        let node = peaks.nodes()[0];
        prop_assert_eq!(Node::from_wire(&node.to_wire()), Ok(node));
    }
}
