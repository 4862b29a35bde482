use althing_types::{Action, EntityId, EntityKind, TxId};

use super::*;
use crate::testing::World;

#[test]
fn a_record_notifies_those_it_names_and_touches_one_key() {
    let mut world = World::new();
    let (a, person) = (world.a, world.member(EntityKind::Person, 20));
    let notify = vec![world.b, person];
    let link = Some(TxId([5; 32]));
    let record = Record { kind: "offer".into(), data: vec![1], notify: notify.clone(), link };
    let transaction = world.signed(&[a], vec![Action::Record(record)]);
    let links: Vec<TxId> = crate::links(&transaction).collect();
    assert_eq!(links, [TxId([5; 32])]);
    let outcome = world.block(std::slice::from_ref(&transaction));
    let event = Event::Recorded { sender: a, kind: "offer".into(), notify: notify.clone(), link };
    assert_eq!(outcome.receipts[0].events, [event]);
    assert_eq!(outcome.writes.len(), 1);
    let led = |prefix: Vec<u8>| outcome.index.iter().any(|(key, _)| key.starts_with(&prefix));
    assert!(notify.iter().all(|recipient| led(index::records_for(recipient))));
    assert!(led(index::records_linked_to(&TxId([5; 32]))));
    assert!(led(index::history_of(&a)) && !led(index::history_of(&person)));
    let row = outcome.index.iter().find(|(key, _)| *key == index::transaction(&transaction.id()));
    assert_eq!(index::place(row.unwrap().1.as_ref().unwrap()), Some((2, 0)));
}

#[test]
fn nobody_unknown_is_notified() {
    let mut world = World::new();
    let notify = vec![world.b, EntityId([9; 32])];
    let record = Record { kind: "offer".into(), data: vec![], notify, link: None };
    let result = world.act(world.a, Action::Record(record));
    assert_eq!(result, Err(Refusal::UnknownEntity));
}
