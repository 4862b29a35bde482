use althing_state::MemoryStore;
use althing_types::blake3_digest;

use super::*;
use crate::{record::RECORD_HEAD_BYTES, segment::MemoryFiles};

fn payload(number: u32) -> ([u8; 32], Bytes) {
    let bytes = Bytes::from(number.to_be_bytes().repeat(1 + number as usize % 50));
    (blake3_digest(&bytes), bytes)
}

fn open(files: &Arc<MemoryFiles>, index: &Arc<MemoryStore>) -> Payloads {
    let files: Arc<dyn SegmentFiles> = Arc::clone(files) as _;
    Payloads::open(files, Arc::clone(index) as _).unwrap()
}

#[test]
fn what_was_kept_survives_a_loss_of_power_and_what_was_not_is_cut_off() {
    for seed in 0..400_u64 {
        let (files, index) = (Arc::new(MemoryFiles::new()), Arc::new(MemoryStore::new()));
        let store = open(&files, &index);
        let kept: Vec<_> = (0..20).map(payload).collect();
        for pair in kept.chunks(3) {
            store.put_all(pair).unwrap();
        }
        // Written but not flushed: an unfinished record at the end.
        let (digest, bytes) = payload(99);
        let mut record = (bytes.len() as u32).to_be_bytes().to_vec();
        record.extend_from_slice(&digest);
        record.extend_from_slice(&bytes);
        let end = files.len(0).unwrap();
        files.write_at(0, end, &record).unwrap();
        drop(store);
        files.crash(seed);
        let store = open(&files, &index);
        for (digest, bytes) in &kept {
            assert_eq!(store.get(digest).unwrap().as_ref(), Some(bytes), "seed {seed}");
        }
        // Either wholly there or not at all, and the store goes on.
        assert!(store.get(&digest).unwrap().is_none_or(|found| found == bytes));
        store.put_all(&[payload(99), payload(100)]).unwrap();
        assert_eq!(store.get(&digest).unwrap(), Some(bytes));
    }
}

#[test]
fn erasing_leaves_no_byte_and_damage_is_told() {
    let (files, index) = (Arc::new(MemoryFiles::new()), Arc::new(MemoryStore::new()));
    let store = open(&files, &index);
    let (secret, text) = (b"attack at dawn".to_vec(), Bytes::from_static(b"attack at dawn"));
    let digest = blake3_digest(&secret);
    store.put_all(&[payload(1), (digest, text), payload(2)]).unwrap();
    let erased = BTreeSet::from([digest, [0x33; 32]]);
    assert_eq!([(); 2].map(|()| store.erase(&erased).unwrap()), [1, 0]);
    let all = files.read_at(0, 0, files.len(0).unwrap() as usize).unwrap();
    assert!(!all.windows(4).any(|part| part == b"dawn"));
    let reopened = open(&files, &index);
    assert_eq!(reopened.get(&digest).unwrap(), None);
    assert_eq!(reopened.digests(None, 10).unwrap().len(), 2);
    files.damage(0, RECORD_HEAD_BYTES);
    let (damaged, bytes) = payload(1);
    assert!(matches!(reopened.get(&damaged), Err(PayloadError::Damaged(_))));
    reopened.forget(&damaged).unwrap();
    reopened.put_all(&[(damaged, bytes.clone())]).unwrap();
    assert_eq!(reopened.get(&damaged).unwrap(), Some(bytes));
}

#[test]
fn damage_in_the_last_segment_costs_one_payload() {
    let (files, index) = (Arc::new(MemoryFiles::new()), Arc::new(MemoryStore::new()));
    let store = open(&files, &index);
    store.put_all(&[payload(1), payload(2), payload(3)]).unwrap();
    let after_first = payload(1).1.len() + RECORD_HEAD_BYTES;
    files.damage(0, after_first + RECORD_HEAD_BYTES);
    let end = files.len(0).unwrap();
    let store = open(&files, &index);
    assert_eq!(files.len(0).unwrap(), end, "nothing is cut off");
    let held = |number| store.contains(&payload(number).0);
    assert!(held(1) && !held(2) && held(3));
    store.put_all(&[payload(2)]).unwrap();
    let store = open(&files, &index);
    assert_eq!(store.digests(None, 10).unwrap().len(), 3);
    // A file that somebody cut: what is gone is told, and can be kept anew.
    files.truncate(0, end).unwrap();
    assert!(matches!(store.get(&payload(2).0), Err(PayloadError::Damaged(_))));
    store.forget(&payload(2).0).unwrap();
    assert!(!store.contains(&payload(2).0));
}

#[test]
fn a_full_disk_keeps_what_was_there() {
    let (files, index) = (Arc::new(MemoryFiles::new()), Arc::new(MemoryStore::new()));
    let store = open(&files, &index);
    store.put_all(&[payload(1)]).unwrap();
    files.set_failing(true);
    assert!(matches!(store.put_all(&[payload(2)]), Err(PayloadError::Full)));
    files.set_failing(false);
    store.put_all(&[payload(2)]).unwrap();
    assert!(store.contains(&payload(1).0) && store.contains(&payload(2).0));
}

/// The index is away, as recovery asks for, and the disk damaged the end of a full segment, so
/// that it looks unfinished: all that it held was forgotten.
#[test]
fn a_damaged_end_of_a_full_segment_costs_what_is_damaged() {
    let big = |number: u32| {
        let bytes = Bytes::from(number.to_be_bytes().repeat(PAYLOAD_BYTES_MAX / 4));
        (blake3_digest(&bytes), bytes)
    };
    let record = (RECORD_HEAD_BYTES + PAYLOAD_BYTES_MAX) as u64;
    let per_segment = SEGMENT_BYTES.div_ceil(record) as u32;
    let all: Vec<_> = (0..per_segment + 2).map(big).collect();
    let (first, second) = all.split_at(per_segment as usize);
    let last = record * u64::from(per_segment - 1);
    for damaged in [0, RECORD_HEAD_BYTES as u64] {
        let (files, index) = (Arc::new(MemoryFiles::new()), Arc::new(MemoryStore::new()));
        let store = open(&files, &index);
        store.put_all(first).unwrap();
        store.put_all(second).unwrap();
        drop(store);
        files.damage(0, (last + damaged) as usize);
        let store = open(&files, &Arc::new(MemoryStore::new()));
        let (lost, kept) = first.split_last().unwrap();
        assert!(!store.contains(&lost.0), "damaged at {damaged}");
        store.put_all(&[payload(1)]).unwrap();
        assert_eq!(files.len(0).unwrap(), record * u64::from(per_segment), "not touched");
        for (digest, bytes) in kept.iter().chain(second) {
            assert_eq!(store.get(digest).unwrap().as_ref(), Some(bytes));
        }
        store.put_all(std::slice::from_ref(lost)).unwrap();
        assert_eq!(store.get(&lost.0).unwrap().as_ref(), Some(&lost.1));
    }
}

#[test]
fn full_segments_are_found_by_the_index() {
    let (files, index) = (Arc::new(MemoryFiles::new()), Arc::new(MemoryStore::new()));
    let store = open(&files, &index);
    let big = |number: u8| {
        let bytes = Bytes::from(vec![number; PAYLOAD_BYTES_MAX]);
        (blake3_digest(&bytes), bytes)
    };
    let first: Vec<_> = (0..=255).map(big).collect();
    store.put_all(&first).unwrap();
    let more: Vec<_> = (0..900_u32)
        .map(|number| {
            let bytes = Bytes::from(number.to_be_bytes().repeat(PAYLOAD_BYTES_MAX / 4));
            (blake3_digest(&bytes), bytes)
        })
        .collect();
    for part in more.chunks(200) {
        store.put_all(part).unwrap();
    }
    drop(store);
    let store = open(&files, &index);
    assert!(files.list().unwrap().len() > 1);
    for (digest, bytes) in first.iter().chain(&more) {
        assert_eq!(store.get(digest).unwrap().as_ref(), Some(bytes));
    }
}

/// A payload of the longest kind, so that few fill a segment.
fn long(number: u32) -> ([u8; 32], Bytes) {
    let bytes = Bytes::from(number.to_be_bytes().repeat(PAYLOAD_BYTES_MAX / 4));
    (blake3_digest(&bytes), bytes)
}

fn keyed(
    files: &Arc<MemoryFiles>,
    index: &Arc<MemoryStore>,
    secret: Option<u8>,
    seals: bool,
) -> Result<Payloads, PayloadError> {
    let files: Arc<dyn SegmentFiles> = Arc::clone(files) as _;
    let key = secret.map(|byte| AtRest::derive(&[byte; 32]));
    Payloads::open_with(files, Arc::clone(index) as _, key, seals)
}

fn all_bytes(files: &MemoryFiles) -> Vec<u8> {
    let segments = files.list().unwrap();
    let read = |file: &u32| files.read_at(*file, 0, files.len(*file).unwrap() as usize).unwrap();
    segments.iter().flat_map(read).collect()
}

#[test]
fn encrypted_payloads_are_on_disk_in_no_readable_form_and_old_ones_stay_readable() {
    let (files, index) = (Arc::new(MemoryFiles::new()), Arc::new(MemoryStore::new()));
    let store = open(&files, &index);
    let (plain, sealed) =
        (Bytes::from_static(b"plain as day"), Bytes::from_static(b"attack at dawn"));
    let [old, new] = [&plain, &sealed].map(|bytes| blake3_digest(bytes));
    store.put_all(&[(old, plain.clone())]).unwrap();
    drop(store);
    let store = keyed(&files, &index, Some(1), true).unwrap();
    store.put_all(&[(new, sealed.clone()), payload(7)]).unwrap();
    let seen = |needle: &[u8]| all_bytes(&files).windows(needle.len()).any(|part| part == needle);
    assert!(seen(b"plain as day") && !seen(b"attack at dawn"));
    drop(store);
    // Read with the key, whether new ones are encrypted or not.
    for seals in [true, false] {
        let store = keyed(&files, &index, Some(1), seals).unwrap();
        assert_eq!(store.get(&old).unwrap(), Some(plain.clone()));
        assert_eq!(store.get(&new).unwrap(), Some(sealed.clone()));
    }
    let store = keyed(&files, &index, Some(1), false).unwrap();
    assert_eq!(store.erase(&BTreeSet::from([new])).unwrap(), 1);
    let store = keyed(&files, &index, Some(1), true).unwrap();
    assert_eq!((store.get(&new).unwrap(), store.digests(None, 9).unwrap().len()), (None, 2));
}

#[test]
fn a_wrong_key_is_told_at_the_start_and_changes_nothing() {
    let (files, index) = (Arc::new(MemoryFiles::new()), Arc::new(MemoryStore::new()));
    let store = keyed(&files, &index, Some(1), true).unwrap();
    store.put_all(&[payload(1), payload(2)]).unwrap();
    // Unfinished, so that a start with the right key has something to cut off.
    files.write_at(0, files.len(0).unwrap(), &[0, 0]).unwrap();
    drop(store);
    let before = all_bytes(&files);
    // With the index and without it, in which case the segments themselves tell.
    for index in [Arc::clone(&index), Arc::new(MemoryStore::new())] {
        for (secret, seals) in [(Some(2), true), (Some(2), false), (None, false)] {
            let refused = keyed(&files, &index, secret, seals);
            assert!(matches!(refused, Err(PayloadError::WrongKey)), "{refused:?}");
            assert_eq!(all_bytes(&files), before);
        }
    }
    let store = keyed(&files, &Arc::new(MemoryStore::new()), Some(1), true).unwrap();
    assert_eq!(store.get(&payload(1).0).unwrap(), Some(payload(1).1));
    assert!(all_bytes(&files).len() < before.len());
}

#[test]
fn encrypted_payloads_survive_a_loss_of_power_and_damage_costs_one() {
    for seed in 0..200_u64 {
        let (files, index) = (Arc::new(MemoryFiles::new()), Arc::new(MemoryStore::new()));
        let store = keyed(&files, &index, Some(1), true).unwrap();
        let kept: Vec<_> = (0..9).map(payload).collect();
        kept.chunks(2).for_each(|pair| store.put_all(pair).unwrap());
        let end = files.len(0).unwrap();
        files.write_at(0, end, &[7; 90]).unwrap();
        drop(store);
        files.crash(seed);
        let store = keyed(&files, &index, Some(1), true).unwrap();
        for (digest, bytes) in &kept {
            assert_eq!(store.get(digest).unwrap().as_ref(), Some(bytes), "seed {seed}");
        }
        store.put_all(&[payload(10)]).unwrap();
        drop(store);
        // A byte of the first payload, of what says whose key it is, or of its tag.
        let place = Place { segment: 0, position: 0, len: 4, sealed: true };
        files.damage(0, RECORD_HEAD_BYTES + usize::try_from(seed).unwrap() % place.stored());
        let store = keyed(&files, &index, Some(1), true).unwrap();
        let lost = kept.iter().position(|(digest, _)| store.get(digest).unwrap().is_none());
        assert_eq!((lost, store.digests(None, 20).unwrap().len()), (Some(0), 9), "seed {seed}");
    }
}

/// A crash came when payloads had been moved and the index still knew where they were before: what was
/// erased then stayed at the old place, readable.
#[test]
fn what_a_crash_left_at_two_places_is_erased_at_both() {
    let (files, index) = (Arc::new(MemoryFiles::new()), Arc::new(MemoryStore::new()));
    let store = open(&files, &index);
    let per_segment = SEGMENT_BYTES.div_ceil((PAYLOAD_BYTES_MAX + RECORD_HEAD_BYTES) as u64) as u32;
    let all: Vec<_> = (0..per_segment).map(long).collect();
    store.put_all(&all).unwrap();
    let (digest, bytes) = &all[5];
    let first = store.find(&store.tail(), digest).unwrap().unwrap();
    store.append(&mut store.tail(), [(digest, bytes)]).unwrap();
    drop(store);
    let store = open(&files, &index);
    assert_eq!(store.places(&store.tail(), digest).unwrap().len(), 2);
    assert_eq!(store.erase(&BTreeSet::from([*digest])).unwrap(), 1);
    assert_eq!(store.get(digest).unwrap(), None);
    assert_eq!(first.read(&*files, digest, None).unwrap(), None);
    drop(store);
    assert_eq!(open(&files, &index).get(digest).unwrap(), None);
}

#[test]
fn dead_segments_give_their_space_back_and_lose_nothing() {
    let per_segment = SEGMENT_BYTES.div_ceil((PAYLOAD_BYTES_MAX + RECORD_HEAD_BYTES) as u64) as u32;
    for seals in [false, true] {
        let (files, index) = (Arc::new(MemoryFiles::new()), Arc::new(MemoryStore::new()));
        let store = keyed(&files, &index, Some(1), seals).unwrap();
        // Written by the hundred, so that a segment has a few more.
        let all: Vec<_> = (0..3 * per_segment).map(long).collect();
        all.chunks(100).for_each(|part| store.put_all(part).unwrap());
        assert_eq!(store.bytes(), all_bytes(&files).len() as u64);
        assert_eq!(store.compact().unwrap(), None);
        let dead: BTreeSet<_> = all[..600].iter().map(|(digest, _)| *digest).collect();
        store.erase(&dead).unwrap();
        let before = store.bytes();
        let given = store.compact().unwrap().unwrap();
        assert!(given > 30 * 1024 * 1024 && store.bytes() == before - given, "{given}");
        assert_eq!(store.bytes(), all_bytes(&files).len() as u64);
        assert_eq!(store.compact().unwrap(), None);
        let whole = |store: &Payloads| {
            for (digest, bytes) in &all {
                let found = store.get(digest).unwrap();
                assert_eq!(found.is_some(), !dead.contains(digest));
                assert!(found.is_none_or(|found| found == *bytes));
            }
        };
        whole(&store);
        drop(store);
        whole(&keyed(&files, &index, Some(1), seals).unwrap());
        // What moved can be erased for good.
        let store = keyed(&files, &index, Some(1), seals).unwrap();
        let (moved, _) = &all[600];
        assert_eq!(store.erase(&BTreeSet::from([*moved])).unwrap(), 1);
        assert_eq!(store.get(moved).unwrap(), None);
        drop(store);
        assert_eq!(keyed(&files, &index, Some(1), seals).unwrap().get(moved).unwrap(), None);
    }
}
