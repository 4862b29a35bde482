//! Wills across crashes.

use super::*;

/// What is on disk and what was handed out when the gateway crashes is published by the next run.
#[test]
fn a_will_outlives_a_crash_and_is_published_once() {
    let will = Some(Will { message: message("own/will", "gone", 2), delay_s: 0, expiry_s: None });
    let begin = || {
        let (mut disk, mut broker) = (Disk::default(), broker());
        let reader = broker.enter_as(0, "reader", "own", 100);
        broker.subscribe(0, reader, &subscription("own/+", 2)).unwrap();
        broker.close(0, reader, Parting::Broken);
        let hello = Hello { will: will.clone(), ..hello("c", "own", 100) };
        let connection = broker.connect(0, hello).unwrap().connection;
        disk.write(&mut broker);
        (disk, broker, connection)
    };
    let wills_on = |disk: &Disk| disk.0.keys().filter(|key| key[0] == b'w').count();

    // The client does not come back after the crash.
    let (mut disk, ..) = begin();
    let mut broker = disk.recover(0);
    broker.tick(29_999);
    assert_eq!(broker.effects().wills, []);
    broker.tick(30_000);
    let Effects { wills, writes, .. } = broker.effects();
    let [due] = &wills[..] else { panic!("{wills:?}") };
    assert!(due.mark.is_some());
    disk.apply(writes);

    // Another crash while it is published, and one after that.
    let mut broker = disk.recover(40_000);
    let again = broker.effects().wills;
    assert_eq!(again, std::slice::from_ref(due), "the queue knows it by its mark");
    let mark = due.mark.unwrap();
    assert_eq!(broker.passed_of(mark.session), mark.number - 1, "which is kept");
    broker.publish(40_000, Publisher::Will(due), due.message.clone());
    broker.will_passed(due);
    let Effects { writes, passed, .. } = broker.effects();
    assert_eq!(passed, [(mark.session, u64::MAX)]);
    disk.apply(writes);
    let mut broker = disk.recover(41_000);
    broker.tick(90_000);
    assert_eq!(broker.effects().wills, []);
    assert_eq!((wills_on(&disk), broker.passed_of(mark.session)), (0, u64::MAX));
    let reader = broker.enter_as(91_000, "reader", "own", 100);
    assert_eq!(broker.sent(91_000, reader), ["gone 2 again"]);

    // Whoever takes leave, or comes back in time, leaves nothing to be said.
    let (mut disk, mut broker, connection) = begin();
    assert_eq!(wills_on(&disk), 1);
    broker.close(0, connection, Parting::Clean(None));
    disk.write(&mut broker);
    assert_eq!(wills_on(&disk), 0);
    let (mut disk, ..) = begin();
    let mut broker = disk.recover(0);
    broker.enter_as(1_000, "c", "own", 100);
    disk.write(&mut broker);
    broker.tick(90_000);
    assert_eq!((broker.effects().wills, wills_on(&disk)), (vec![], 0));

    // One whose session ends with its connection is not on disk.
    let (mut disk, mut broker) = (Disk::default(), self::broker());
    broker.connect(0, Hello { will, ..hello("c", "own", 0) }).unwrap();
    disk.write(&mut broker);
    assert_eq!(wills_on(&disk), 0);
}
