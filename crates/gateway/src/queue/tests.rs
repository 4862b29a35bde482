use std::io::Write as _;

use althing_edge::{Numbered, Record};
use althing_types::{EntityId, LedgerId, Reading, StreamId, Value};

use super::*;

const IDENTITY: Identity = Identity { ledger: LedgerId([1; 32]), gateway: EntityId([2; 32]) };
const STREAM: StreamId = StreamId([3; 32]);

fn config(directory: &Path) -> QueueConfig {
    QueueConfig {
        directory: directory.to_owned(),
        segment_bytes: 300,
        retry: std::time::Duration::from_millis(1),
        key: althing_edge::DiskKey::default(),
    }
}

fn reading(seq: u64) -> Record {
    let value = Value::Number(1);
    let reading = Reading { claimed_ms: 1, received_ms: 2, value };
    Record::Readings(vec![Numbered { stream: STREAM, seq, reading }])
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let numbers = numbers(directory).unwrap();
    numbers.into_iter().map(|number| segment(directory, number)).collect()
}

/// What a new run finds, the streams' heads that each segment begins with left out.
fn reopen(directory: &Path) -> (Queue, Vec<Record>) {
    let (queue, recovered) = open(&config(directory), IDENTITY, 0).unwrap();
    assert_eq!(recovered.damage, vec![]);
    let is_head = |record: &Record| matches!(record, Record::Head { .. });
    (queue, recovered.records.into_iter().filter(|record| !is_head(record)).collect())
}

#[test]
fn what_was_appended_is_found_again_over_many_segments() {
    let directory = tempfile::tempdir().unwrap();
    let (mut queue, found) = reopen(directory.path());
    assert_eq!(found, vec![]);
    let records: Vec<Record> = (0..20).map(reading).collect();
    for pair in records.chunks(2) {
        queue.append(pair).unwrap();
    }
    drop(queue);
    assert!(files(directory.path()).len() > 3);
    assert_eq!(reopen(directory.path()).1, records);
    assert_eq!(reopen(directory.path()).1, records, "reading it changes nothing");
}

#[test]
fn a_torn_tail_is_passed_over_and_appending_goes_on_behind_it() {
    let directory = tempfile::tempdir().unwrap();
    let (mut queue, _) = reopen(directory.path());
    queue.append(&[reading(0), reading(1)]).unwrap();
    let last = files(directory.path()).pop().unwrap();
    let len = fs::metadata(&last).unwrap().len();
    drop(queue);
    File::options().write(true).open(&last).unwrap().set_len(len - 5).unwrap();
    let (mut queue, found) = reopen(directory.path());
    assert_eq!(found, vec![reading(0)]);
    queue.append(&[reading(1)]).unwrap();
    drop(queue);
    assert_eq!(reopen(directory.path()).1, vec![reading(0), reading(1)]);
}

#[test]
fn damage_to_what_was_acknowledged_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let (mut queue, _) = reopen(directory.path());
    queue.append(&[reading(0)]).unwrap();
    let last = files(directory.path()).pop().unwrap();
    let damaged = fs::read(&last).unwrap().len() - 1;
    queue.append(&[reading(1)]).unwrap();
    drop(queue);
    let mut bytes = fs::read(&last).unwrap();
    bytes[damaged] ^= 1;
    File::create(&last).unwrap().write_all(&bytes).unwrap();
    let (_, recovered) = open(&config(directory.path()), IDENTITY, 0).unwrap();
    assert_eq!(recovered.records, vec![reading(1)]);
    assert_eq!(recovered.damage.len(), 1);
    assert_eq!(segment(directory.path(), recovered.damage[0].0), last);
}

#[test]
fn segments_whose_readings_are_final_are_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let (mut queue, _) = reopen(directory.path());
    for seq in 0..10 {
        queue.append(&[reading(seq)]).unwrap();
    }
    let before = files(directory.path()).len();
    queue.append(&[Record::Retired { stream: STREAM, before_seq: 10 }]).unwrap();
    assert!(before > 1);
    assert_eq!(files(directory.path()).len(), 1);
    drop(queue);
    let (_, recovered) = open(&config(directory.path()), IDENTITY, 0).unwrap();
    let head = Record::Head { stream: STREAM, next_seq: 10 };
    assert!(recovered.records.contains(&head), "numbers go on: {:?}", recovered.records);
}

#[test]
fn a_snapshot_replaces_everything_and_appending_goes_on_behind_it() {
    let directory = tempfile::tempdir().unwrap();
    let (mut queue, _) = reopen(directory.path());
    for seq in 0..10 {
        queue.append(&[reading(seq)]).unwrap();
    }
    // A crash while an earlier snapshot was written.
    File::create(unfinished(directory.path())).unwrap().write_all(b"ALTHQUE1").unwrap();
    let head = Record::Head { stream: STREAM, next_seq: 10 };
    queue.replace(&[Record::Reset, head, reading(9)]).unwrap();
    assert_eq!(files(directory.path()).len(), 1);
    assert_eq!(queue.bytes(), fs::metadata(&files(directory.path())[0]).unwrap().len());
    queue.append(&[reading(10)]).unwrap();
    drop(queue);
    assert_eq!(reopen(directory.path()).1, vec![Record::Reset, reading(9), reading(10)]);
}

#[test]
fn a_queue_is_opened_by_one_gateway_and_only_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let (queue, _) = reopen(directory.path());
    let open = |identity| super::open(&config(directory.path()), identity, 0).map(drop);
    assert!(matches!(open(IDENTITY), Err(QueueError::Locked { .. })));
    drop(queue);
    let other = Identity { gateway: EntityId([9; 32]), ..IDENTITY };
    let foreign = open(other).unwrap_err().to_string();
    assert!(foreign.contains("another gateway or ledger"), "{foreign}");
    assert_eq!(open(IDENTITY).map_err(|error| error.to_string()), Ok(()));
}

#[test]
fn a_segment_that_a_crash_left_without_its_header_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let (mut queue, _) = reopen(directory.path());
    queue.append(&[reading(0)]).unwrap();
    drop(queue);
    File::create(segment(directory.path(), 7)).unwrap().write_all(b"ALTH").unwrap();
    assert_eq!(reopen(directory.path()).1, vec![reading(0)]);
}

#[test]
fn an_empty_directory_in_place_of_the_queue_is_no_empty_queue() {
    let directory = tempfile::tempdir().unwrap();
    let (queue, _) = reopen(directory.path());
    let number = queue.number();
    drop(queue);
    let open = |known| super::open(&config(directory.path()), IDENTITY, known).map(drop);
    assert!(open(number).is_ok());
    for file in files(directory.path()) {
        fs::remove_file(file).unwrap();
    }
    assert!(matches!(open(number), Err(QueueError::Gone { .. })));
}

#[test]
fn a_directory_that_cannot_be_used_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    File::create(&file).unwrap();
    let error = open(&config(&file), IDENTITY, 0).unwrap_err().to_string();
    assert!(error.starts_with("failed to create `"), "{error}");
}

/// What a disk that was full left of a snapshot kept it full: nobody deleted it.
#[test]
fn what_is_left_of_a_snapshot_is_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let left = [unfinished(directory.path()), unfinished_things(directory.path())];
    for path in &left {
        File::create(path).unwrap().write_all(&[7; 1000]).unwrap();
    }
    let (mut queue, _) = reopen(directory.path());
    assert!(left.iter().all(|path| !path.exists()), "by a crash");
    // In place of the next segment stands something that nothing can be renamed to.
    let next = segment(directory.path(), queue.number() + 1);
    fs::create_dir(next).unwrap();
    assert!(queue.replace(&[Record::Reset]).is_err());
    assert!(!left[0].exists(), "by a failure");
}

#[test]
fn what_the_gateway_serves_is_read_again_and_damage_is_as_if_it_was_never_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    assert_eq!(read_things(path, &IDENTITY), vec![]);
    let thing = |name: &str| ThingSpec {
        id: althing_types::ThingId([4; 32]),
        name: name.into(),
        owner: EntityId([5; 32]),
        until_height: Some(9),
        streams: vec![],
        device: None,
        may_lose: false,
        is_shut_out: false,
    };
    for things in [vec![thing("pump")], vec![], vec![thing("fan")]] {
        write_things(path, &ThingList { identity: IDENTITY, things: things.clone() }).unwrap();
        assert_eq!(read_things(path, &IDENTITY), things);
    }
    let file = fs::read(super::things(path)).unwrap();
    fs::write(super::things(path), &file[..file.len() - 1]).unwrap();
    assert_eq!(read_things(path, &IDENTITY), vec![]);
    let other = Identity { gateway: EntityId([9; 32]), ..IDENTITY };
    fs::write(super::things(path), &file).unwrap();
    assert_eq!(read_things(path, &other), vec![]);
}
