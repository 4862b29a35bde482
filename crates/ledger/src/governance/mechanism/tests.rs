use althing_types::{
    Action, Change, EntityKind, Event, Mechanism, MechanismFrom, Mode, Parameters, Refusal,
    ValidatorSet,
};

use super::super::{
    chosen_validators,
    tests::{add_organisation, enacted, ended, propose, rule, seat},
};
use super::*;
use crate::{
    testing::{World, inception},
    transition::encode,
    validators, validators_of_next_epoch,
};

const EPOCH: u64 = 32;

fn to(mechanism: Mechanism, from_height: u64) -> Change {
    Change::SetMechanism(MechanismFrom { mechanism, from_height })
}

/// How the validators of the present epoch, of the next and of the one after it agree.
fn agree(world: &World) -> [Mechanism; 3] {
    let sets = [
        validators(&world.state).unwrap(),
        validators_of_next_epoch(&world.state).unwrap().unwrap(),
        chosen_validators(&world.state).unwrap(),
    ];
    sets.map(|set| mechanism(&world.state, &set).unwrap())
}

/// Empty blocks up to a height; what the last of them settled.
fn pass(world: &mut World, height: u64) -> Option<ValidatorSet> {
    let mut settled = None;
    while world.height < height {
        settled = world.block(&[]).validators;
    }
    settled
}

#[test]
fn peers_agree_in_another_way_from_an_epoch_on_and_go_back() {
    use Mechanism::{Raft, Simplex};
    let mut world = World::agreeing_by(Raft);
    assert_eq!(agree(&world), [Raft; 3]);
    world.decided(to(Simplex, 3 * EPOCH - 1));
    let begins = MechanismFrom { mechanism: Simplex, from_height: 3 * EPOCH };
    assert_eq!(planned_mechanism(&world.state).unwrap(), Some(begins));
    // It is for the epoch after the one that comes after the next.
    assert_eq!(agree(&world), [Raft; 3]);
    assert_eq!(pass(&mut world, EPOCH - 1), None);
    assert_eq!(agree(&world), [Raft, Raft, Simplex]);
    // The block that settles its validators names them as others, though they are the same.
    let settled = pass(&mut world, 2 * EPOCH - 1).unwrap();
    assert_eq!((settled.epoch, settled.mechanism), (3, Some(Simplex)));
    assert_eq!(settled.validators, validators(&world.state).unwrap().validators);
    assert_eq!(agree(&world), [Raft, Simplex, Simplex]);
    assert_eq!(planned_mechanism(&world.state).unwrap(), None);
    assert_eq!(pass(&mut world, 3 * EPOCH - 1), None);
    assert_eq!(agree(&world), [Simplex; 3]);
    // Who gives seats meanwhile changes nothing about it.
    let peer = world.member(EntityKind::Peer, 41);
    world.decided(seat(peer, 43));
    let settled = pass(&mut world, 4 * EPOCH - 1).unwrap();
    assert_eq!((settled.validators.len(), settled.mechanism), (3, Some(Simplex)));
    // As the genesis has it again: then sets say nothing of it, as they did at first.
    world.decided(to(Raft, 0));
    let settled = pass(&mut world, 5 * EPOCH - 1).unwrap();
    assert_eq!((settled.epoch, settled.mechanism), (6, None));
    assert_eq!(agree(&world), [Simplex, Raft, Raft]);
}

#[test]
fn each_member_must_say_that_it_trusts_every_peer() {
    let mut world = World::agreeing_by(Mechanism::Simplex);
    let (a, b) = (world.a, world.b);
    let organisation = add_organisation(&world, 21);
    world.decided(organisation);
    let c = inception(EntityKind::Organisation, 21).id();
    world.use_key(c, 21);
    // Two of three are enough for anything else, but not for this.
    let proposal = world.opens(a, to(Mechanism::Raft, 0));
    let second = world.votes(b, proposal, true);
    let told = Event::Voted { proposal, organisation: b, accept: true, votes: 2, needed: 3 };
    assert!(!enacted(&second) && second.events.contains(&told), "{second:?}");
    assert_eq!(planned_mechanism(&world.state).unwrap(), None);
    // One that has no seat has a say as well.
    assert_eq!(ended(&world.votes(c, proposal, false)), Some(Refusal::VotedDown));
    let proposal = world.opens(a, to(Mechanism::Raft, 0));
    assert!(!enacted(&world.votes(b, proposal, true)));
    let chosen = MechanismFrom { mechanism: Mechanism::Raft, from_height: 2 * EPOCH };
    let last = world.votes(c, proposal, true);
    assert!(enacted(&last) && last.events.contains(&Event::MechanismChosen(chosen)), "{last:?}");
    // To trust them less, the rule is enough; so is it to think better of it.
    let back = world.opens(a, to(Mechanism::Simplex, 0));
    assert!(enacted(&world.votes(b, back, true)));
    assert_eq!(planned_mechanism(&world.state).unwrap(), None);
    pass(&mut world, EPOCH);
    assert_eq!(agree(&world), [Mechanism::Simplex; 3]);
}

#[test]
fn what_cannot_be_or_changes_nothing_is_refused() {
    use Mechanism::{Raft, Simplex};
    let mut world = World::agreeing_by(Simplex);
    let a = world.a;
    let refuses = |world: &mut World, change: Change, refusal| {
        let told = world.consequence(&change);
        assert_eq!((told.refusal, told.mechanism), (Some(refusal), Simplex), "{change:?}");
        assert_eq!((told.mechanism_from, told.faults_tolerated), (None, 0));
        assert_eq!(world.act(a, propose(change)), Err(refusal));
    };
    refuses(&mut world, to(Simplex, 0), Refusal::ChangesNothing);
    refuses(&mut world, to(Raft, u64::MAX), Refusal::OutOfBounds);
    world.decided(to(Raft, 5 * EPOCH));
    // Another height that comes to the same epoch.
    refuses(&mut world, to(Raft, 5 * EPOCH - 7), Refusal::ChangesNothing);
    world.decided(to(Raft, 7 * EPOCH));
    let plan = planned_mechanism(&world.state).unwrap().unwrap();
    assert_eq!(plan.from_height, 7 * EPOCH, "the later decision counts");
    for mode in [Mode::Consortium, Mode::Public] {
        let mut world = World::agreeing_by(Simplex);
        world.state.insert(own_key::mode(), encode(&mode));
        refuses(&mut world, to(Raft, 0), Refusal::NotPrivate);
    }
    let mut world = World::new();
    let parameters = Parameters { epoch_blocks: None, ..world.parameters.clone() };
    world.state.insert(althing_proof::key::parameter("parameters"), encode(&parameters));
    world.state.remove(&own_key::next_validators());
    refuses(&mut world, to(Raft, 0), Refusal::SeatsFixed);
}

#[test]
fn what_another_mechanism_leads_to_is_told_before_anybody_votes() {
    use Mechanism::{Raft, Simplex};
    let mut world = World::agreeing_by(Simplex);
    for seed in [51, 53] {
        let peer = world.member(EntityKind::Peer, seed);
        world.decided(seat(peer, seed + 10));
    }
    let told = world.consequence(&to(Raft, 100));
    assert_eq!((told.refusal, told.mechanism, told.mechanism_from), (None, Raft, Some(4 * EPOCH)));
    assert_eq!((told.votes_needed, told.votes_needed_after), (2, 2));
    let stands = (told.validators.len(), told.quorum, told.faults_tolerated, told.lies_tolerated);
    assert_eq!(stands, (4, 3, 1, 0));
    assert_eq!(told.seats_from, None, "seats stay");
    // By the rule that is in force it takes effect in a later epoch, and begins as much later.
    world.decided(Change::SetVotingRule(rule(2, 3, EPOCH as u32)));
    assert_eq!(world.consequence(&to(Raft, 0)).mechanism_from, Some(3 * EPOCH));
    let proposal = world.opens(world.a, to(Raft, 0));
    let accepted = world.votes(world.b, proposal, true);
    assert!(!enacted(&accepted));
    pass(&mut world, EPOCH + 20);
    assert!(enacted(&world.must(world.a, Action::Enact { proposal })));
    assert_eq!(planned_mechanism(&world.state).unwrap().unwrap().from_height, 3 * EPOCH);
    // Of a change of seats, what holds when those validate.
    let peer = world.member(EntityKind::Peer, 55);
    let told = world.consequence(&seat(peer, 65));
    assert_eq!((told.mechanism, told.mechanism_from, told.quorum), (Raft, None, 3));
}
