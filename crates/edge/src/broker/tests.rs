//! Step tables of the broker.

mod wills;

use super::*;
use crate::{Grant, Profile, Rejection, RightsTable, ThingSpec};
use althing_types::{EntityId, ThingId};

const LIMITS: BrokerLimits = BrokerLimits {
    sessions_max: 4,
    session_expiry_s_max: 1000,
    will_grace_s: 30,
    subscriptions_max: 3,
    queue_bytes_max: 1000,
    queues_bytes_max: 3000,
    inflight_max: 2,
    retained_max: 2,
    retained_bytes_max: 1000,
};

fn user(name: &str) -> Principal {
    Principal::User(name.into())
}

/// `all` may do everything, `own` has the topics below `own/`.
fn rights() -> Box<dyn Rights> {
    let all = Grant { publish: vec!["#".into()], receive: vec!["#".into()], ..Grant::default() };
    let own = || vec!["own/#".to_owned()];
    let own = Grant { publish: own(), receive: own(), ..Grant::default() };
    Box::new(RightsTable::new(&[(user("all"), all), (user("own"), own)], &[], []))
}

fn broker() -> Broker {
    Broker::new(LIMITS, rights())
}

fn hello(client: &str, principal: &str, expiry_s: u32) -> Hello {
    Hello {
        client: client.into(),
        principal: user(principal),
        is_clean: false,
        expiry_s,
        in_flight_max: 10,
        will: None,
    }
}

fn message(topic: &str, payload: &str, qos: u8) -> Message {
    Message {
        topic: topic.into(),
        payload: payload.into(),
        qos: Qos::from_number(qos).unwrap(),
        retain: false,
        properties: Vec::new(),
        expires_ms: None,
    }
}

fn subscription(filter: &str, qos: u8) -> Subscription {
    let qos = Qos::from_number(qos).unwrap();
    let options = Options { qos, no_local: false, retain_as_published: false, id: None };
    Subscription { filter: filter.into(), options, retained: WantsRetained::Always }
}

impl Broker {
    fn enter_as(&mut self, now: i64, client: &str, principal: &str, expiry_s: u32) -> ConnectionId {
        self.connect(now, hello(client, principal, expiry_s)).unwrap().connection
    }

    /// What is sent next, in short: payload, id and marks.
    fn sent(&mut self, now: i64, connection: ConnectionId) -> Vec<String> {
        let mut sent = Vec::new();
        while let Some(next) = self.next(now, connection) {
            sent.push(match next {
                Next::Release(id) => format!("release {id}"),
                Next::Publish(out) => {
                    let payload = String::from_utf8(out.message().payload.clone()).unwrap();
                    let id = out.id.map_or(String::new(), |id| format!(" {id}"));
                    let mark =
                        |is: bool, mark: &str| if is { mark.to_owned() } else { String::new() };
                    let (again, retain) =
                        (mark(out.is_duplicate, " again"), mark(out.retain, " retained"));
                    format!("{payload}{id}{again}{retain}")
                }
            });
        }
        sent
    }

    fn say(&mut self, now: i64, message: Message) -> Reached {
        self.publish(now, Publisher::Gateway, message)
    }
}

#[test]
fn a_session_keeps_what_its_client_has_not_acknowledged() {
    let mut broker = broker();
    let first = broker.enter_as(0, "c", "all", 100);
    broker.subscribe(0, first, &subscription("a/+", 2)).unwrap();
    for (payload, qos) in [("0", 0), ("1", 1), ("2", 2), ("3", 1)] {
        assert_eq!(broker.say(0, message("a/b", payload, qos)), Reached { now: 1, queued: 0 });
    }
    // Two at a time; QoS 0 passes in its place.
    assert_eq!(broker.sent(0, first), ["0", "1 2", "2 3"]);
    assert!(broker.received(first, 3) && !broker.received(first, 2) && !broker.received(first, 9));
    assert!(!broker.acknowledged(first, 4), "not sent yet");
    broker.close(0, first, Parting::Broken);
    assert_eq!(broker.say(0, message("a/b", "4", 1)), Reached { now: 0, queued: 1 });
    assert_eq!(broker.say(0, message("a/b", "5", 0)), Reached::default(), "QoS 0 does not wait");

    let welcome = broker.connect(0, hello("c", "all", 100)).unwrap();
    assert!(welcome.is_present);
    let second = welcome.connection;
    assert!(!broker.acknowledged(first, 2), "the old connection has no say");
    assert_eq!(broker.sent(0, second), ["1 2 again", "release 3"]);
    assert!(broker.acknowledged(second, 3));
    assert_eq!(broker.sent(0, second), ["3 4"]);
    assert!(broker.acknowledged(second, 2) && broker.acknowledged(second, 4));
    assert_eq!(broker.sent(0, second), ["4 5"]);
    assert!(broker.acknowledged(second, 5));
    assert_eq!(broker.held(), (0, 0), "every byte is given back");
}

#[test]
fn a_session_ends_when_it_was_to() {
    for (expiry_s, at_ms, is_present) in [
        (0, 0, false),
        (10, 9_999, true),
        (10, 10_000, false),
        (NEVER_S, 999_999, true),
        (NEVER_S, 1_000_000, false),
    ] {
        let mut broker = broker();
        let first = broker.enter_as(0, "c", "all", expiry_s);
        broker.close(0, first, Parting::Clean(None));
        broker.tick(at_ms);
        let welcome = broker.connect(at_ms, hello("c", "all", expiry_s)).unwrap();
        assert_eq!(welcome.is_present, is_present, "{expiry_s} s, {at_ms} ms");
        assert_eq!(welcome.expiry_s, expiry_s.min(1000));
    }
    let mut broker = broker();
    let first = broker.enter_as(0, "c", "all", 10);
    broker.close(0, first, Parting::Clean(Some(0)));
    assert_eq!(broker.clients(), (0, 0), "a goodbye may end it");
    let second = broker.enter_as(0, "c", "all", 0);
    broker.close(0, second, Parting::Clean(Some(10)));
    assert_eq!(broker.clients(), (0, 0), "but not make one last");
    broker.enter_as(0, "c", "all", 10);
    let clean = Hello { is_clean: true, ..hello("c", "all", 0) };
    assert!(!broker.connect(0, clean).unwrap().is_present, "nothing goes on after a clean start");
    assert_eq!(broker.clients(), (1, 1));
}

#[test]
fn a_client_id_is_its_owners_as_long_as_its_session_lives() {
    let mut broker = broker();
    let first = broker.enter_as(0, "c", "all", 10);
    assert_eq!(broker.connect(0, hello("c", "own", 0)), Err(Unwelcome::NotYours));
    assert_eq!(broker.effects().dismissed, [], "the first stays");
    broker.close(0, first, Parting::Broken);
    assert_eq!(broker.connect(0, hello("c", "own", 0)), Err(Unwelcome::NotYours));
    let again = broker.enter_as(0, "c", "all", 10);
    broker.enter_as(0, "c", "all", 0);
    assert_eq!(broker.effects().dismissed, [(again, Dismissal::TakenOver)]);
    broker.close(0, again, Parting::Broken);
    assert_eq!(broker.clients(), (1, 1), "who was dismissed changes nothing any more");
    for other in ["d", "e", "f"] {
        broker.enter_as(0, other, "all", 0);
    }
    assert_eq!(broker.connect(0, hello("g", "all", 0)), Err(Unwelcome::Full));
}

#[test]
fn who_speaks_for_a_thing_that_is_shut_out_goes_and_stays_out_until_it_is_let_in() {
    let light = |is_shut_out| ThingSpec {
        id: ThingId([1; 32]),
        name: "light".into(),
        owner: EntityId([2; 32]),
        until_height: None,
        streams: Vec::new(),
        device: None,
        may_lose: false,
        is_shut_out,
    };
    let speaks = Grant { things: vec!["light".into()], ..Grant::default() };
    let all = Grant { publish: vec!["#".into()], receive: vec!["#".into()], ..Grant::default() };
    let grants = [(user("light"), speaks), (user("all"), all)];
    let table = |is_shut_out| {
        Box::new(RightsTable::new(&grants, &[Profile::standard()], &[light(is_shut_out)]))
    };
    let mut broker = Broker::new(LIMITS, table(false));
    let kept = broker.enter_as(0, "l", "light", 10);
    let other = broker.enter_as(0, "o", "all", 10);
    let on = Message { retain: true, ..message("althing/light/on", "1", 1) };
    broker.publish(0, Publisher::Client(kept, &user("light")), on);
    broker.set_rights(0, table(true));
    assert_eq!(broker.effects().dismissed, [(kept, Dismissal::ShutOut)]);
    assert_eq!(broker.connect(0, hello("l", "light", 0)), Err(Unwelcome::ShutOut));
    let shut_out = Some(Rejection::ShutOut { thing: "light".into() });
    assert_eq!(broker.objection(&user("all"), "althing/light/on"), shut_out, "nobody else either");
    broker.subscribe(0, other, &subscription("althing/light/on", 1)).unwrap();
    assert_eq!(broker.sent(0, other), Vec::<String>::new(), "what it left is not passed on");
    broker.set_rights(0, table(false));
    assert_eq!(broker.effects().dismissed, []);
    assert!(broker.connect(0, hello("l", "light", 10)).is_ok(), "mended and let in");
}

#[test]
fn whose_key_counts_no_more_is_dismissed_and_leaves_no_will() {
    let mut broker = broker();
    let first = broker.enter_as(0, "c", "all", 10);
    let second = broker.enter_as(0, "d", "all", 0);
    let other = broker.enter_as(0, "e", "own", 10);
    assert_eq!(broker.present().filter(|who| **who == user("all")).count(), 2);
    broker.dismiss(0, &user("all"), Dismissal::Revoked);
    let expected = [(first, Dismissal::Revoked), (second, Dismissal::Revoked)];
    assert_eq!(broker.effects().dismissed, expected);
    assert_eq!(broker.clients(), (1, 2), "the session that lasts waits without a connection");
    broker.dismiss(0, &user("all"), Dismissal::Revoked);
    assert_eq!(broker.effects().dismissed, []);
    broker.close(0, other, Parting::Broken);
}

#[test]
fn nobody_gets_or_gives_what_he_may_not() {
    let mut broker = broker();
    let own = broker.enter_as(0, "own", "own", 100);
    let stranger = broker.enter_as(0, "x", "stranger", 0);
    assert_eq!(broker.subscribe(0, stranger, &subscription("#", 1)), Err(NotGranted::NotAllowed));
    assert_eq!(
        broker.subscribe(0, stranger, &subscription("$share/g/#", 1)),
        Err(NotGranted::NotAllowed)
    );
    assert_eq!(broker.subscribe(0, own, &subscription("other/#", 1)), Err(NotGranted::NotAllowed));
    assert_eq!(broker.subscribe(0, own, &subscription("#", 1)), Ok(Qos::AtLeastOnce));
    broker.say(0, message("other/a", "secret", 1));
    broker.say(0, message("own/a", "mine", 1));
    assert_eq!(broker.sent(0, own), ["mine 2"]);
    // Rights that end before a message was handed over end it too.
    broker.say(0, message("own/a", "late", 1));
    let kept = Message { retain: true, ..message("own/r", "kept", 1) };
    broker.publish(0, Publisher::Client(own, &user("own")), kept);
    broker.set_rights(0, Box::new(RightsTable::default()));
    assert_eq!(broker.sent(0, own), Vec::<String>::new());
    assert_eq!(broker.counters().withheld, 2);

    // What somebody retained who might not publish it now is void, also for who may see it.
    let all = Grant { receive: vec!["#".into()], ..Grant::default() };
    broker.set_rights(0, Box::new(RightsTable::new(&[(user("all"), all)], &[], [])));
    let reader = broker.enter_as(0, "reader", "all", 0);
    broker.subscribe(0, reader, &subscription("own/r", 1)).unwrap();
    assert_eq!(broker.sent(0, reader), Vec::<String>::new());
    assert_eq!(broker.held().0, 0);
}

#[test]
fn a_will_is_published_when_its_client_is_gone_and_might_still_publish_it() {
    let will = |topic: &str, delay_s| {
        Some(Will { message: message(topic, "gone", 1), delay_s, expiry_s: Some(5) })
    };
    let leave = |broker: &mut Broker, delay_s, parting| {
        let hello = Hello { will: will("own/will", delay_s), ..hello("c", "own", 10) };
        let connection = broker.connect(0, hello).unwrap().connection;
        broker.close(0, connection, parting);
    };
    // delay, how it parted, when we look, when it is published
    for (delay_s, parting, at_ms, expected) in [
        (0, Parting::Broken, 0, Some(0)),
        (0, Parting::WithWill(None), 0, Some(0)),
        (0, Parting::Clean(None), 20_000, None),
        (0, Parting::Stopping, 20_000, None),
        (3, Parting::Broken, 2_999, None),
        (3, Parting::Broken, 3_000, Some(3_000)),
        (99, Parting::Broken, 9_999, None),
        (99, Parting::Broken, 10_000, Some(10_000)),
        (99, Parting::WithWill(Some(0)), 0, Some(0)),
    ] {
        let mut broker = broker();
        leave(&mut broker, delay_s, parting);
        broker.tick(at_ms);
        let wills = broker.effects().wills;
        let expires = wills.first().map(|will| will.message.expires_ms.unwrap() - 5_000);
        assert_eq!(expires, expected, "{delay_s} s, {parting:?}, {at_ms} ms");
    }
    let mut broker = broker();
    leave(&mut broker, 3, Parting::Broken);
    broker.enter_as(1_000, "c", "own", 10);
    broker.tick(9_000);
    assert_eq!(broker.effects().wills, [], "it came back");
    let foreign = Hello { will: will("other", 0), ..hello("d", "own", 0) };
    assert_eq!(broker.connect(0, foreign), Err(Unwelcome::Will));
    leave(&mut broker, 3, Parting::Broken);
    broker.set_rights(0, Box::new(RightsTable::default()));
    broker.tick(9_000);
    assert_eq!((broker.effects().wills, broker.counters().withheld), (vec![], 1), "not any more");
}

#[test]
fn retained_messages_are_for_later_subscribers_within_bounds() {
    let mut broker = broker();
    let keep = |topic: &str, payload: &str| Message { retain: true, ..message(topic, payload, 1) };
    broker.say(0, keep("a", "1"));
    broker.say(0, keep("a", "2"));
    broker.say(0, Message { expires_ms: Some(50), ..keep("b", "3") });
    broker.say(0, keep("c", "4"));
    assert_eq!((broker.held().0, broker.counters().not_retained), (2, 1));
    let c = broker.enter_as(0, "c", "all", 0);
    broker.subscribe(0, c, &subscription("+", 0)).unwrap();
    assert_eq!(broker.sent(0, c), ["2 retained", "3 retained"]);
    let if_new = Subscription { retained: WantsRetained::IfNew, ..subscription("+", 1) };
    broker.subscribe(0, c, &if_new).unwrap();
    let never = Subscription { retained: WantsRetained::Never, ..subscription("a", 1) };
    broker.subscribe(0, c, &never).unwrap();
    broker.subscribe(0, c, &subscription("$share/g/a", 1)).unwrap();
    assert_eq!(broker.sent(0, c), Vec::<String>::new());
    assert_eq!(broker.subscribe(0, c, &subscription("d", 1)), Err(NotGranted::Full));
    assert_eq!(broker.subscribe(0, c, &subscription("a/#/b", 1)), Err(NotGranted::Invalid));
    // One whose time is up makes room; an empty one takes away.
    broker.say(60, keep("c", "5"));
    assert_eq!(broker.held().0, 2);
    broker.say(60, keep("a", ""));
    broker.say(60, keep("c", ""));
    assert_eq!(broker.held().0, 0);
}

#[test]
fn a_message_for_a_group_goes_to_one_member_in_turn_and_rather_to_who_is_there() {
    let mut broker = broker();
    let [a, b, away] = ["a", "b", "away"].map(|client| {
        let connection = broker.enter_as(0, client, "all", 100);
        broker.subscribe(0, connection, &subscription("$share/g/t", 1)).unwrap();
        connection
    });
    broker.close(0, away, Parting::Broken);
    for payload in ["1", "2", "3", "4"] {
        assert_eq!(broker.say(0, message("t", payload, 0)).now, 1);
    }
    assert_eq!(broker.sent(0, a), ["1", "3"]);
    assert_eq!(broker.sent(0, b), ["2", "4"]);
    broker.close(0, a, Parting::Broken);
    broker.close(0, b, Parting::Broken);
    assert_eq!(broker.say(0, message("t", "5", 1)), Reached { now: 0, queued: 1 });
}

#[test]
fn overlapping_subscriptions_give_one_message_with_the_highest_quality_and_all_ids() {
    let mut broker = broker();
    let c = broker.enter_as(0, "c", "all", 0);
    for (filter, qos, id, no_local) in
        [("a/#", 0, Some(1), false), ("a/+", 1, Some(2), false), ("a/b", 2, Some(3), true)]
    {
        let mut subscription = subscription(filter, qos);
        subscription.options.id = id;
        subscription.options.no_local = no_local;
        broker.subscribe(0, c, &subscription).unwrap();
    }
    broker.publish(0, Publisher::Client(c, &user("all")), message("a/b", "x", 2));
    let Some(Next::Publish(sent)) = broker.next(0, c) else { panic!("nothing") };
    assert_eq!((sent.qos, &sent.subscription_ids[..]), (Qos::AtLeastOnce, &[1, 2][..]));
    assert_eq!(broker.next(0, c), None);
    assert!(broker.unsubscribe(c, "a/#") && !broker.unsubscribe(c, "a/#"));
}

#[test]
fn a_full_queue_drops_its_oldest_message_and_time_takes_others() {
    let mut broker = broker();
    let c = broker.enter_as(0, "c", "all", 100);
    broker.subscribe(0, c, &subscription("a", 1)).unwrap();
    broker.close(0, c, Parting::Broken);
    // Each costs 130 bytes: seven fit 1000.
    for payload in 0..9 {
        broker.say(0, message("a", &payload.to_string(), 1));
    }
    assert_eq!(broker.counters().dropped, 2);
    let soon = Message { expires_ms: Some(10), ..message("a", "s", 1) };
    broker.say(0, soon);
    let c = broker.enter_as(0, "c", "all", 100);
    let mut got = Vec::new();
    loop {
        let sent = broker.sent(10, c);
        if sent.is_empty() {
            break;
        }
        for text in sent {
            let (payload, id) = text.split_once(' ').unwrap();
            got.push(payload.to_owned());
            assert!(broker.acknowledged(c, id.parse().unwrap()));
        }
    }
    assert_eq!(got, ["3", "4", "5", "6", "7", "8"]);
    assert_eq!((broker.counters().dropped, broker.counters().expired), (3, 1));
    assert_eq!(broker.held(), (0, 0));
}

/// A disk: rows as they were written.
#[derive(Default)]
struct Disk(BTreeMap<Vec<u8>, Vec<u8>>);

impl Disk {
    fn write(&mut self, broker: &mut Broker) {
        self.apply(broker.effects().writes);
    }

    fn apply(&mut self, writes: Vec<Write>) {
        for Write { key, value } in writes {
            match value {
                Some(value) => self.0.insert(key, value),
                None => self.0.remove(&key),
            };
        }
    }

    fn recover(&self, now: i64) -> Broker {
        Broker::recover(LIMITS, rights(), self.0.clone(), now).unwrap()
    }
}

#[test]
fn a_restart_forgets_nothing_of_a_session_that_lives() {
    let (mut disk, mut broker) = (Disk::default(), broker());
    let c = broker.enter_as(0, "c", "own", 100);
    let passing = broker.enter_as(0, "passing", "own", 0);
    for connection in [c, passing] {
        broker.subscribe(0, connection, &subscription("own/+", 2)).unwrap();
    }
    for payload in ["1", "2", "3"] {
        broker.say(0, message("own/a", payload, 2));
    }
    broker.publish(
        0,
        Publisher::Client(c, &user("own")),
        Message { retain: true, ..message("own/r", "r", 1) },
    );
    assert_eq!(broker.sent(0, c), ["1 2", "2 3"]);
    assert!(broker.received(c, 2));
    broker.taken(c, 7);
    broker.taken(c, 8);
    assert!(broker.released(c, 8));
    let marks = [7, 8, 9].map(|id| broker.mark(c, id).unwrap());
    assert_eq!(marks.map(|mark| mark.number), [1, 2, 3]);
    assert_eq!(broker.mark(passing, 7), None, "it cannot send it again");
    broker.passed(marks[0]);
    broker.passed(marks[1]);
    assert_eq!(broker.effects.passed, [(marks[0].session, 1), (marks[0].session, 2)]);
    disk.write(&mut broker);
    let was_held = broker.held();

    let mut broker = disk.recover(1_000);
    disk.write(&mut broker);
    assert_eq!(broker.clients(), (0, 1), "the other session was to end with its connection");
    assert!(broker.held().1 < was_held.1 && broker.held().0 == 1);
    let welcome = broker.connect(1_000, hello("c", "own", 100)).unwrap();
    assert!(welcome.is_present);
    let c = welcome.connection;
    assert!(broker.is_unreleased(c, 7) && !broker.is_unreleased(c, 8));
    assert_eq!(broker.mark(c, 9), Some(marks[2]), "it comes again in its place");
    assert_eq!((broker.passed_of(marks[2].session), broker.passed_of(99)), (2, u64::MAX));
    assert_eq!(broker.sent(1_000, c), ["release 2", "2 3 again"]);
    assert!(broker.acknowledged(c, 2) && broker.acknowledged(c, 3));
    assert_eq!(broker.sent(1_000, c), ["3 4 again", "r 5 again"]);
    assert!(broker.acknowledged(c, 4) && broker.acknowledged(c, 5));
    broker.say(0, message("own/a", "5", 2));
    assert_eq!(broker.sent(1_000, c), ["5 6"]);
    broker.close(1_000, c, Parting::Clean(None));
    disk.write(&mut broker);

    // Its time goes on while the gateway is off; then every row of it goes.
    let mut broker = disk.recover(101_001);
    broker.tick(101_001);
    disk.write(&mut broker);
    assert_eq!(broker.clients(), (0, 0));
    let kinds: Vec<u8> = disk.0.keys().map(|key| key[0]).collect();
    assert_eq!(kinds, [b'r']);
}

#[test]
fn bytes_that_are_no_row_are_refused() {
    for (key, value) in [
        (&b""[..], &b""[..]),
        (b"x", b"\x80"),
        (b"s\0", b"\x80"),
        (b"i\0\0\0\0\0\0\0\x01\0\x07", b"\x81\x00"),
        (b"i\0\0\0\0\0\0\0\x01\0\x07", b"\x80\x00"),
        (b"t\0\0\0\0\0\0\0\x01", b"\x80"),
        (b"ra", b"\x86\x61b\x40\x00\x40\xf6\xf6"),
    ] {
        assert!(Broker::recover(LIMITS, rights(), [(key.to_vec(), value.to_vec())], 0).is_err());
    }
    assert!(is_row(b"i\0\0\0\0\0\0\0\x01\0\x07", b"\x80"));
    let will = b"\x87\x61c\x82\x01\x61u\x86\x61a\x41x\x02\x40\xf6\x82\x01\x61u\xf4\x00\xf6\xf4";
    assert!(is_row(b"w\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01", will));
    assert!(is_row(b"rb", b"\x86\x61b\x40\x00\x40\xf6\xf6"));
}

mod any_order {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Connect(usize, bool, u32),
        Close(usize, Parting),
        Subscribe(usize, usize, u8),
        Unsubscribe(usize, usize),
        Publish(usize, u8, bool, usize),
        Next(usize),
        Answer(usize, u16, u8),
        Tick(i64),
        Restart,
    }

    const CLIENTS: usize = 3;
    const FILTERS: [&str; 5] = ["a/b", "a/+", "#", "$share/g/a/#", "b"];
    const TOPICS: [&str; 3] = ["a/b", "a/c", "b"];

    fn step() -> impl Strategy<Value = Step> {
        let client = 0..CLIENTS;
        let parting = prop_oneof![
            Just(Parting::Broken),
            Just(Parting::Clean(None)),
            Just(Parting::WithWill(Some(0))),
            Just(Parting::Clean(Some(5))),
        ];
        let expiry = prop_oneof![Just(0), Just(5), Just(NEVER_S)];
        prop_oneof![
            2 => (client.clone(), any::<bool>(), expiry).prop_map(|(c, clean, s)| Step::Connect(c, clean, s)),
            1 => (client.clone(), parting).prop_map(|(c, parting)| Step::Close(c, parting)),
            2 => (client.clone(), 0..FILTERS.len(), 0..3_u8).prop_map(|(c, f, q)| Step::Subscribe(c, f, q)),
            1 => (client.clone(), 0..FILTERS.len()).prop_map(|(c, f)| Step::Unsubscribe(c, f)),
            6 => (0..TOPICS.len(), 0..3_u8, any::<bool>(), 0..300_usize)
                .prop_map(|(t, q, retain, len)| Step::Publish(t, q, retain, len)),
            6 => client.clone().prop_map(Step::Next),
            4 => (client, 0..9_u16, 0..4_u8).prop_map(|(c, id, what)| Step::Answer(c, id, what)),
            1 => (0..4_000_i64).prop_map(Step::Tick),
            1 => Just(Step::Restart),
        ]
    }

    struct Run {
        broker: Broker,
        disk: Disk,
        now: i64,
        connections: [ConnectionId; CLIENTS],
    }

    impl Run {
        fn take(&mut self, step: Step) {
            let (now, broker) = (self.now, &mut self.broker);
            let of = |client: usize| self.connections[client];
            match step {
                Step::Connect(client, is_clean, expiry_s) => {
                    let name = format!("c{client}");
                    let hello = Hello { is_clean, ..hello(&name, "all", expiry_s) };
                    self.connections[client] = broker.connect(now, hello).unwrap().connection;
                }
                Step::Close(client, parting) => broker.close(now, of(client), parting),
                Step::Subscribe(client, filter, qos) => {
                    let _ = broker.subscribe(now, of(client), &subscription(FILTERS[filter], qos));
                }
                Step::Unsubscribe(client, filter) => {
                    broker.unsubscribe(of(client), FILTERS[filter]);
                }
                Step::Publish(topic, qos, retain, len) => {
                    let message =
                        Message { retain, ..message(TOPICS[topic], &"x".repeat(len), qos) };
                    broker.publish(now, Publisher::Gateway, message);
                }
                Step::Next(client) => drop(broker.next(now, of(client))),
                Step::Answer(client, id, 0) => drop(broker.acknowledged(of(client), id)),
                Step::Answer(client, id, 1) => drop(broker.received(of(client), id)),
                Step::Answer(client, id, 2) => {
                    broker.taken(of(client), id);
                    if let Some(mark) = broker.mark(of(client), id) {
                        broker.passed(mark);
                    }
                }
                Step::Answer(client, id, _) => drop(broker.released(of(client), id)),
                Step::Tick(ms) => {
                    self.now += ms;
                    broker.tick(self.now);
                }
                Step::Restart => {
                    self.disk.write(broker);
                    *broker = self.disk.recover(now);
                    self.connections = [ConnectionId::default(); CLIENTS];
                }
            }
            self.disk.write(&mut self.broker);
        }

        /// What is counted is there, what is on disk is what lasts, and no bound is passed.
        fn check(&self) {
            let (broker, mut rows) = (&self.broker, 0);
            for session in broker.sessions.values() {
                let waiting = session.waiting.values().map(|w| &w.delivery);
                let all = waiting.chain(session.passing.iter().map(|(_, delivery)| delivery));
                let bytes: usize = all.map(|delivery| delivery.published.message.cost()).sum();
                assert_eq!(session.bytes, bytes);
                assert!(bytes <= LIMITS.queue_bytes_max);
                assert!(session.in_flight <= usize::from(LIMITS.inflight_max));
                if session.is_stored {
                    rows += 1 + session.waiting.len() + session.unreleased.len();
                    rows += usize::from(session.passed > 0);
                }
            }
            let bytes = broker.sessions.values().map(|session| session.bytes).sum::<usize>();
            assert_eq!(broker.bytes, bytes);
            assert!(bytes <= LIMITS.queues_bytes_max);
            assert_eq!(self.disk.0.len(), rows + broker.retained.len());
            assert_eq!(broker.names.len(), broker.sessions.len());
        }
    }

    proptest! {
        #[test]
        fn any_order_of_calls_keeps_the_books(steps in proptest::collection::vec(step(), 0..120)) {
            let connections = [ConnectionId::default(); CLIENTS];
            let mut run = Run { broker: broker(), disk: Disk::default(), now: 0, connections };
            for step in steps {
                run.take(step);
                run.check();
            }
        }
    }
}
