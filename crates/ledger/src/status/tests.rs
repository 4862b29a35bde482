use althing_types::{Action, EntityKind};

use super::*;
use crate::testing::World;
use Refusal::{NotBound, StatusTooOften};

fn online(online: bool) -> Status {
    Status { online: Some(online), ..Status::default() }
}

fn record(world: &World, thing: &ThingId) -> StatusRecord {
    minicbor::decode(&world.state[&own_key::status(thing)]).unwrap()
}

#[test]
fn what_is_not_said_stays_as_it_was() {
    let mut world = World::new();
    let (a, thing) = (world.a, world.thing("hall"));
    let gateway = world.member(EntityKind::Gateway, 20);
    let report = |status| Action::ReportStatus { thing, status };
    assert_eq!(world.act(gateway, report(online(true))).map(|_| ()), Err(NotBound));
    world.must(a, Action::Bind { thing, gateway, until_height: 1000 });
    world.must(gateway, report(online(true)));
    let since = world.time_ms();
    let place = Some(Place { latitude_e7: 481_372_000, longitude_e7: 115_755_000 });
    let firmware = Some("1.4.2".to_owned());
    world.must(a, report(Status { place, firmware: firmware.clone(), online: Some(true) }));
    let record = record(&world, &thing);
    assert_eq!((record.online, record.online_since_ms), (Some(true), since), "still, not again");
    assert_eq!((record.place, record.firmware, record.reporter), (place, firmware, a));
}

#[test]
fn a_report_says_something_that_can_be() {
    let thing = ThingId([9; 32]);
    let place = Some(Place { latitude_e7: 900_000_001, longitude_e7: 0 });
    for status in [Status::default(), Status { place, ..Status::default() }] {
        let action = Action::ReportStatus { thing, status };
        assert!(!action.is_within_bounds(), "{action:?}");
    }
}

#[test]
fn reports_are_bounded_in_rate_and_the_next_minute_is_open_again() {
    let mut world = World::new();
    let (a, thing) = (world.a, world.thing("hall"));
    let begin_ms = world.time_ms() + 1000;
    let mut taken = 0;
    let mut refused = 0;
    while world.time_ms() + 1000 < begin_ms + STATUS_WINDOW_MS {
        match world.act(a, Action::ReportStatus { thing, status: online(taken % 2 == 0) }) {
            Ok(_) => taken += 1,
            Err(refusal) => {
                assert_eq!(refusal, StatusTooOften);
                refused += 1;
            }
        }
    }
    assert_eq!(taken, STATUS_REPORTS_MAX);
    assert!(refused > 0);
    world.must(a, Action::ReportStatus { thing, status: online(true) });
}

#[test]
fn a_thing_that_moves_is_found_where_it_is_now() {
    let mut world = World::new();
    let (a, thing) = (world.a, world.thing("hall"));
    let at = |latitude_e7| Place { latitude_e7, longitude_e7: -1_800_000_000 };
    let mut rows = |place| {
        let status = Status { place: Some(place), ..Status::default() };
        let transaction = world.signed(&[a], vec![Action::ReportStatus { thing, status }]);
        world.block(&[transaction]).index
    };
    let key = |place| [index::placed_at(place).as_slice(), &thing.0].concat();
    assert!(rows(at(0)).contains(&(key(at(0)), Some(Vec::new()))));
    let moved = rows(at(-900_000_000));
    assert!(moved.contains(&(key(at(0)), None)));
    assert!(moved.contains(&(key(at(-900_000_000)), Some(Vec::new()))));
    assert_eq!(&key(at(-900_000_000))[1..9], &[0; 8], "rows count from the south pole");
}
