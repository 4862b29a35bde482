use althing_proof::{
    certificate::{CertificateError, Finalized},
    membership::{EpochLink, Membership},
};
use althing_types::{
    Action, CastVote, Certificate, Change, Digest, DoubleVote, EntityKind, Event, Fees, Header,
    Mechanism, Parameters, Phase, Proposal, Receipt, Seat, Stake, StakedSeat, TokenEvent, Transfer,
    Validator, ValidatorSet, possession_bytes, vote_bytes,
};
use proptest::prelude::*;

use super::*;
use crate::{
    signature_checks,
    testing::{World, inception, signing_key},
    token, validators, validators_of_next_epoch,
};

const EPOCH: u64 = 32;
const RULES: StakeRules = StakeRules {
    seats_min: 2,
    seats_max: 3,
    least: few(100),
    founding: few(100),
    locked_epochs: 2,
    silent_epochs: 2,
    burnt_percent: 10,
};

const fn few(units: u128) -> Amount {
    match Amount::new(units) {
        Some(amount) => amount,
        None => Amount::ZERO,
    }
}

fn voting_key(seed: u8) -> [u8; 32] {
    signing_key(seed).public_key().bytes.try_into().unwrap()
}

impl World {
    fn seat(&self, peer: EntityId, seed: u8) -> StakedSeat {
        let key = signing_key(seed);
        let possession = key.sign(&possession_bytes(&self.ledger, &peer, &key.public_key()));
        StakedSeat { key: voting_key(seed), address: "peer.example:7000".into(), possession }
    }

    fn stake_with_seat(&self, peer: EntityId, units: u64, seed: u8) -> Action {
        let seat = Some(self.seat(peer, seed));
        Action::Stake(Stake { peer, amount: Amount::from(units), seat })
    }

    /// An organisation that nobody let in, with so much, and its peer.
    fn newcomer(&mut self, seed: u8, units: u64) -> (EntityId, EntityId) {
        let organisation = self.member(EntityKind::Organisation, seed);
        let memo = String::new();
        let amount = Amount::from(units);
        self.must(self.a, Action::Transfer(Transfer { to: organisation, amount, memo }));
        (organisation, self.member_of(organisation, EntityKind::Peer, seed + 100))
    }

    /// Blocks up to the last of the epoch, of everybody who has a seat but some, in turn.
    fn end_epoch_without(&mut self, silent: &[EntityId]) -> Vec<Event> {
        let mut events = Vec::new();
        let seats = validators(&self.state).unwrap().validators;
        let mut turns = seats.iter().filter(|seat| !silent.contains(&seat.peer)).cycle();
        loop {
            self.proposer = turns.next().unwrap().key;
            let outcome = self.block(&[]);
            events.extend(outcome.receipts.into_iter().flat_map(|receipt| receipt.events));
            if (self.height + 1).is_multiple_of(EPOCH) {
                return events;
            }
        }
    }

    fn end_epoch(&mut self) -> Vec<Event> {
        self.end_epoch_without(&[])
    }

    /// The peers of the epoch that the last block settled.
    fn settled(&self) -> Vec<EntityId> {
        peers(&validators_of_next_epoch(&self.state).unwrap().unwrap())
    }

    fn balance(&self, id: &EntityId) -> u64 {
        token::account(&self.state, id).unwrap().balance.units() as u64
    }
}

fn peers(set: &ValidatorSet) -> Vec<EntityId> {
    let mut peers: Vec<EntityId> = set.validators.iter().map(|seat| seat.peer).collect();
    peers.sort_unstable();
    peers
}

fn sorted<const N: usize>(mut ids: [EntityId; N]) -> Vec<EntityId> {
    ids.sort_unstable();
    ids.to_vec()
}

/// The founding peers, of organisation A and of B.
fn founders(world: &World) -> (EntityId, EntityId) {
    let of = |organisation: EntityId| {
        let seats = validators(&world.state).unwrap().validators;
        let own = |seat: &&Validator| seat.organisation == organisation;
        seats.iter().find(own).unwrap().peer
    };
    (of(world.a), of(world.b))
}

#[test]
fn founders_begin_with_stake_out_of_what_they_have() {
    let world = World::with_stake(RULES);
    let supply = token::supply(&world.state).unwrap();
    assert_eq!(supply.staked, Some(Amount::from(200)));
    assert_eq!((supply.total, supply.accounts), (Amount::from(1500), Amount::from(1300)));
    assert_eq!((world.balance(&world.a), world.balance(&world.b)), (900, 400));
    let (of_a, _) = founders(&world);
    let record = stake(&world.state, &of_a).unwrap().unwrap();
    assert_eq!((record.amount, record.since_height), (Amount::from(100), Some(0)));
    assert_eq!(StakeRecord::from_wire(&record.to_wire()), Ok(record));
}

#[test]
fn a_newcomer_stakes_and_gets_a_seat_and_an_old_one_leaves_with_its_tokens() {
    let mut world = World::with_stake(RULES);
    let (of_a, of_b) = founders(&world);
    let (newcomer, peer) = world.newcomer(31, 300);
    let action = world.stake_with_seat(peer, 150, 201);
    world.must(newcomer, action);
    assert_eq!(world.balance(&newcomer), 150);
    assert_eq!(
        crate::governance::address(&world.state, &peer).unwrap().as_deref(),
        Some("peer.example:7000")
    );
    let chosen = crate::governance::chosen_validators(&world.state).unwrap();
    assert_eq!(peers(&chosen), sorted([of_a, of_b, peer]), "told before it is settled");
    // Settled with the last block of epoch 0, its seat counts from epoch 2 on.
    let events = world.end_epoch();
    assert_eq!(events, [Event::ValidatorsChosen { count: 3, quorum: 3 }]);
    let set = validators_of_next_epoch(&world.state).unwrap().unwrap();
    assert_eq!((set.epoch, peers(&set)), (2, sorted([of_a, of_b, peer])));
    assert_eq!(peers(&validators(&world.state).unwrap()), sorted([of_a, of_b]));
    let members = |world: &World| crate::governance::members(&world.state).unwrap().0;
    assert_eq!(members(&world), sorted([world.a, world.b]));
    world.end_epoch();
    assert_eq!(peers(&validators(&world.state).unwrap()), sorted([of_a, of_b, peer]));
    assert_eq!(members(&world), sorted([world.a, world.b, newcomer]), "seats make members");
    // B leaves in epoch 2. It votes until epoch 3 is over, and has its tokens back then.
    let b = world.b;
    world.must(b, Action::Unstake { peer: of_b, amount: None });
    world.end_epoch();
    assert_eq!(world.settled(), sorted([of_a, peer]));
    assert_eq!(world.act(b, Action::CollectStake { peer: of_b }), Err(Refusal::StakeLocked));
    world.end_epoch();
    assert_eq!(peers(&validators(&world.state).unwrap()), sorted([of_a, peer]));
    assert_eq!(members(&world), sorted([world.a, newcomer]));
    world.must(b, Action::CollectStake { peer: of_b });
    assert_eq!(world.balance(&b), 500);
    assert_eq!(stake(&world.state, &of_b).unwrap(), None);
    assert_eq!(world.act(b, Action::CollectStake { peer: of_b }), Err(Refusal::NoStake));
    // Its voting key stays its own for ever, and it may come back with it.
    let other = world.newcomer(41, 200);
    let stolen = world.stake_with_seat(other.1, 150, 13);
    let of_founder =
        [11_u8, 13].into_iter().find(|seed| inception(EntityKind::Peer, *seed).id() == of_b);
    let back = world.stake_with_seat(of_b, 100, of_founder.unwrap());
    assert_eq!(world.act(other.0, stolen), Err(Refusal::SeatTaken));
    world.must(b, back);
}

/// The highest stakes win; of equal ones the older; nobody has more votes by more tokens.
#[test]
fn seats_go_to_the_highest_stakes_and_then_to_who_stood_longer() {
    let mut world = World::with_stake(RULES);
    let (of_a, of_b) = founders(&world);
    let (first, first_peer) = world.newcomer(31, 150);
    let (second, second_peer) = world.newcomer(41, 150);
    for (sender, peer, seed) in [(first, first_peer, 201), (second, second_peer, 203)] {
        let action = world.stake_with_seat(peer, 100, seed);
        world.must(sender, action);
    }
    world.end_epoch();
    assert_eq!(world.settled(), sorted([of_a, of_b, first_peer]), "all have staked as much");
    let more = |peer, units| Action::Stake(Stake { peer, amount: Amount::from(units), seat: None });
    world.must(second, more(second_peer, 1));
    world.end_epoch();
    assert_eq!(world.settled(), sorted([of_a, of_b, second_peer]).as_slice());
    // What is taken back counts no more.
    world.must(first, more(first_peer, 50));
    world.must(second, Action::Unstake { peer: second_peer, amount: Some(Amount::from(1)) });
    world.end_epoch();
    assert_eq!(world.settled(), sorted([of_a, of_b, first_peer]));
    let set = validators_of_next_epoch(&world.state).unwrap().unwrap();
    assert!(set.validate().is_ok(), "ascending by key, none twice");
}

#[test]
fn while_too_few_stand_whoever_has_a_seat_keeps_it_and_its_stake_stays_locked() {
    let mut world = World::with_stake(RULES);
    let (of_a, of_b) = founders(&world);
    let (a, b) = (world.a, world.b);
    world.must(b, Action::Unstake { peer: of_b, amount: None });
    for _ in 0..3 {
        let events = world.end_epoch();
        let kept = TokenEvent::SeatsKept { candidates: 1, needed: 2 };
        assert_eq!(events, [Event::Token(kept)]);
        assert_eq!(world.settled(), sorted([of_a, of_b]));
    }
    assert_eq!(world.act(b, Action::CollectStake { peer: of_b }), Err(Refusal::StakeLocked));
    let (newcomer, peer) = world.newcomer(31, 300);
    let action = world.stake_with_seat(peer, 150, 201);
    world.must(newcomer, action);
    world.end_epoch();
    assert_eq!(world.settled(), sorted([of_a, peer]));
    assert_eq!(world.act(b, Action::CollectStake { peer: of_b }), Err(Refusal::StakeLocked));
    world.end_epoch();
    world.must(b, Action::CollectStake { peer: of_b });
    // What is taken back in part is free while the rest votes.
    world.must(a, Action::Stake(Stake { peer: of_a, amount: Amount::from(50), seat: None }));
    world.must(a, Action::Unstake { peer: of_a, amount: Some(Amount::from(50)) });
    assert_eq!(world.act(a, Action::CollectStake { peer: of_a }), Err(Refusal::StakeLocked));
    world.end_epoch();
    world.end_epoch();
    world.must(a, Action::CollectStake { peer: of_a });
}

#[test]
fn a_peer_that_is_silent_for_whole_epochs_stands_no_more() {
    let mut world = World::with_stake(RULES);
    let (of_a, of_b) = founders(&world);
    let (newcomer, peer) = world.newcomer(31, 300);
    let action = world.stake_with_seat(peer, 150, 201);
    world.must(newcomer, action);
    world.end_epoch();
    world.end_epoch();
    let silent = |world: &World| stake(&world.state, &of_b).unwrap().unwrap().silent_epochs;
    assert_eq!(world.end_epoch_without(&[of_b]), []);
    assert_eq!((silent(&world), world.settled()), (1, sorted([of_a, of_b, peer])));
    // A block of its own, and all is forgotten.
    assert_eq!(world.end_epoch(), []);
    assert_eq!(silent(&world), 0);
    world.end_epoch_without(&[of_b]);
    let events = world.end_epoch_without(&[of_b]);
    let (organisation, silent_epochs) = (world.b, 2);
    let dropped = TokenEvent::CandidateDropped { peer: of_b, organisation, silent_epochs };
    assert_eq!(events, [Event::Token(dropped), Event::ValidatorsChosen { count: 2, quorum: 2 }]);
    assert_eq!(world.settled(), sorted([of_a, peer]));
    // Its stake stays, and it comes back when it says that it is there.
    let b = world.b;
    let more = Action::Stake(Stake { peer: of_b, amount: Amount::from(1), seat: None });
    assert_eq!(world.act(b, more), Err(Refusal::StakeNeedsSeat));
    let again = world.stake_with_seat(of_b, 0, 211);
    world.must(b, again);
    assert_eq!(silent(&world), 0);
    world.end_epoch();
    assert_eq!(world.settled(), sorted([of_a, of_b, peer]));
}

#[test]
fn a_revoked_peer_gets_no_seat_and_does_not_stand_in_the_way() {
    let mut world = World::with_stake(RULES);
    let (of_a, of_b) = founders(&world);
    let (newcomer, peer) = world.newcomer(31, 400);
    let action = world.stake_with_seat(peer, 300, 201);
    world.must(newcomer, action);
    world.must(newcomer, Action::RevokeEntity { entity: peer });
    let events = world.end_epoch();
    let (organisation, silent_epochs) = (newcomer, 0);
    let dropped = TokenEvent::CandidateDropped { peer, organisation, silent_epochs };
    assert_eq!(events, [Event::Token(dropped)]);
    assert_eq!(world.settled(), sorted([of_a, of_b]));
    world.must(newcomer, Action::Unstake { peer, amount: None });
    world.end_epoch();
    world.end_epoch();
    world.must(newcomer, Action::CollectStake { peer });
    assert_eq!(world.balance(&newcomer), 400);
}

#[test]
fn staking_keeps_the_rules() {
    let mut world = World::with_stake(RULES);
    let (a, b) = (world.a, world.b);
    let (of_a, of_b) = founders(&world);
    let device = world.member(EntityKind::Device, 3);
    let idle = world.member(EntityKind::Peer, 5);
    let more =
        |peer, units: u64| Action::Stake(Stake { peer, amount: Amount::from(units), seat: None });
    let less = |peer, units: u64| Action::Unstake { peer, amount: Some(Amount::from(units)) };
    let key_of_b =
        [11_u8, 13].into_iter().find(|seed| inception(EntityKind::Peer, *seed).id() == of_b);
    for (what, sender, action, refusal) in [
        ("a peer of others", a, more(of_b, 1), Refusal::NotPermitted),
        ("no peer", a, more(device, 100), Refusal::NotPermitted),
        ("nobody", a, more(EntityId([9; 32]), 100), Refusal::UnknownEntity),
        ("by the peer itself", of_a, more(of_a, 1), Refusal::NotPermitted),
        ("without a seat", a, more(idle, 100), Refusal::StakeNeedsSeat),
        ("too little", a, world.stake_with_seat(idle, 99, 201), Refusal::StakeTooSmall),
        ("more than it has", a, more(of_a, 901), Refusal::InsufficientFunds),
        (
            "with the key of another",
            a,
            world.stake_with_seat(idle, 100, key_of_b.unwrap()),
            Refusal::SeatTaken,
        ),
        ("nothing", a, more(of_a, 0), Refusal::OutOfBounds),
        ("takes too much", a, less(of_a, 101), Refusal::InsufficientFunds),
        ("leaves too little", a, less(of_a, 1), Refusal::StakeTooSmall),
        ("from nothing", a, Action::Unstake { peer: idle, amount: None }, Refusal::NoStake),
        ("of others", b, Action::Unstake { peer: of_a, amount: None }, Refusal::NotPermitted),
        ("nothing there", a, Action::CollectStake { peer: of_a }, Refusal::StakeLocked),
    ] {
        if refusal == Refusal::OutOfBounds {
            assert!(!action.is_within_bounds(), "{what}");
        } else {
            assert_eq!(world.act(sender, action), Err(refusal), "{what}");
        }
    }
    assert_eq!((world.balance(&a), world.balance(&b)), (900, 400));
}

/// Whoever stakes must hold the voting key, or it could have the votes of others counted for it.
#[test]
fn a_voting_key_comes_with_the_proof_that_it_is_held() {
    let mut world = World::with_stake(RULES);
    let a = world.a;
    let peer = world.member(EntityKind::Peer, 5);
    let mut holds = |action: Action| {
        let transaction = world.signed(&[a], vec![action]);
        let basis = crate::Bases::new(&world.state).of(&transaction).unwrap();
        let checks = signature_checks(&world.ledger, &transaction, &basis);
        assert_eq!(checks.len(), 2);
        checks.iter().all(|check| check.key.verify(&check.message, &check.signature))
    };
    let good = World::with_stake(RULES).stake_with_seat(peer, 100, 201);
    assert!(holds(good.clone()));
    let Action::Stake(mut stolen) = good else { unreachable!() };
    stolen.seat.as_mut().unwrap().key = voting_key(203);
    assert!(!holds(Action::Stake(stolen)));
}

#[test]
fn where_members_vote_on_seats_nothing_can_be_staked_and_the_other_way_round() {
    let mut world = World::with_tokens(Fees::default());
    let (a, peer) = (world.a, inception(EntityKind::Peer, 11).id());
    for action in [
        world.stake_with_seat(peer, 100, 201),
        Action::Unstake { peer, amount: None },
        Action::CollectStake { peer },
    ] {
        assert_eq!(world.act(a, action), Err(Refusal::StakesOff));
    }
    let organisation = world.registration(EntityKind::Organisation, 31);
    assert_eq!(world.act(a, organisation), Err(Refusal::NotPermitted), "members let others in");

    let mut world = World::with_stake(RULES);
    let (of_a, _) = founders(&world);
    let seat = Seat { peer: of_a, key: voting_key(201), address: "peer.example:7000".into() };
    let begins = inception(EntityKind::Organisation, 31);
    let message = possession_bytes(&world.ledger, &begins.id(), &begins.key);
    let possession = signing_key(31).sign(&message);
    for change in [
        Change::AddOrganisation { inception: begins, possession },
        Change::RemoveOrganisation { organisation: world.b },
        Change::AddPeer(seat),
        Change::RemovePeer { peer: of_a },
        Change::RotateVotingKey { peer: of_a, key: voting_key(201) },
    ] {
        let proposal = Action::Propose(Proposal { change, reason: String::new() });
        assert_eq!(world.act(a, proposal), Err(Refusal::SeatsByStake));
    }
    let without = Parameters { stake: None, ..world.parameters.clone() };
    let change = Change::SetParameters(without);
    let proposal = Action::Propose(Proposal { change, reason: String::new() });
    assert_eq!(world.act(a, proposal), Err(Refusal::ParameterFixed));
}

/// Votes of the key of a seed for two blocks.
fn twice(world: &World, seed: u8, epoch: u64) -> DoubleVote {
    let vote = |block: u8| {
        let block = Digest([block; 32]);
        let (phase, place) = (Phase::Notarize, (epoch, 7, 6));
        let message = vote_bytes(Mechanism::Simplex, &world.ledger, phase, place, &block);
        CastVote { phase, parent_view: 6, block, signature: signing_key(seed).sign(&message) }
    };
    DoubleVote { key: voting_key(seed), epoch, view: 7, first: vote(1), second: vote(2) }
}

#[test]
fn a_double_vote_costs_a_share_of_the_stake_and_the_seat_once() {
    let mut world = World::with_stake(RULES);
    let (of_a, of_b) = founders(&world);
    let (a, b) = (world.a, world.b);
    let (newcomer, peer) = world.newcomer(31, 300);
    let action = world.stake_with_seat(peer, 155, 201);
    world.must(newcomer, action);
    world.must(newcomer, Action::Unstake { peer, amount: Some(Amount::from(50)) });
    world.end_epoch();
    assert_eq!(world.settled(), sorted([of_a, of_b, peer]));
    let votes = twice(&world, 201, 3);
    let before = token::supply(&world.state).unwrap();
    world.must(b, Action::ReportDoubleVote(votes.clone()));
    // A tenth of the 105 that it has staked, and of the 50 that it has withdrawn.
    let after = token::supply(&world.state).unwrap();
    assert_eq!(before.total.minus(after.total), Some(Amount::from(15)));
    let record = stake(&world.state, &peer).unwrap().unwrap();
    assert_eq!((record.amount, record.leaving), (Amount::from(95), Amount::from(45)));
    assert_eq!(record.since_height, None);
    // Once for each epoch, whoever reports it, and however often it voted.
    let again = DoubleVote { view: 8, ..votes.clone() };
    for votes in [votes.clone(), again] {
        let report = Action::ReportDoubleVote(votes);
        assert_eq!(world.act(a, report), Err(Refusal::OffenceKnown));
    }
    world.end_epoch();
    assert_eq!(world.settled(), sorted([of_a, of_b]), "its seat is gone");
    // A key that belongs to nobody, and a ledger without stakes.
    let nobody = Action::ReportDoubleVote(twice(&world, 203, 3));
    assert_eq!(world.act(a, nobody), Err(Refusal::NoStake));
    let mut other = World::with_tokens(Fees::default());
    let a = other.a;
    assert_eq!(other.act(a, Action::ReportDoubleVote(votes)), Err(Refusal::StakesOff));
}

/// Nobody's stake is burnt for votes that it did not cast on this ledger.
#[test]
fn a_double_vote_is_shown_by_both_signatures() {
    let mut world = World::with_stake(RULES);
    let b = world.b;
    let good = twice(&world, 11, 3);
    let mut forged = good.clone();
    forged.second.block = Digest([9; 32]);
    let mut elsewhere = World::with_stake(RULES);
    elsewhere.ledger.0[0] ^= 1;
    for (holds, votes) in [
        (true, good.clone()),
        (false, forged),
        (false, DoubleVote { epoch: 4, ..good.clone() }),
        (false, DoubleVote { view: 8, ..good.clone() }),
        (false, DoubleVote { key: voting_key(13), ..good }),
        (false, twice(&elsewhere, 11, 3)),
    ] {
        let transaction = world.signed(&[b], vec![Action::ReportDoubleVote(votes)]);
        let basis = crate::Bases::new(&world.state).of(&transaction).unwrap();
        let checks = signature_checks(&world.ledger, &transaction, &basis);
        assert_eq!(checks.len(), 3);
        let found = checks.iter().all(|it| it.key.verify(&it.message, &it.signature));
        assert_eq!(found, holds);
    }
}

/// A header with a certificate by these keys, as those of its validators.
fn signed_by(header: Header, seeds: &[u8]) -> Finalized {
    let Header { epoch, view, parent_view, .. } = header;
    let block = header.digest();
    let place = (epoch, view, parent_view);
    let message = vote_bytes(Mechanism::Simplex, &header.ledger, Phase::Finalize, place, &block);
    let mut seeds = seeds.to_vec();
    seeds.sort_by_key(|seed| voting_key(*seed));
    let signatures = seeds.iter().map(|seed| signing_key(*seed).sign(&message)).collect();
    let signers = vec![0xff << (8 - seeds.len())];
    Finalized::new(header, Certificate { epoch, view, parent_view, block, signers, signatures })
}

/// Both founders have sold their seats and sign on, as if those who bought them were not there. A light
/// client that followed the chain of validators takes none of it.
#[test]
fn keys_of_seats_that_were_given_up_make_no_other_history() {
    let mut world = World::with_stake(RULES);
    let genesis = World::stake_genesis(RULES);
    let (of_a, of_b) = founders(&world);
    let (a, b) = (world.a, world.b);
    for seed in [31, 41] {
        let (newcomer, peer) = world.newcomer(seed, 200);
        let action = world.stake_with_seat(peer, 150, seed + 170);
        world.must(newcomer, action);
    }
    for (sender, peer) in [(a, of_a), (b, of_b)] {
        world.must(sender, Action::Unstake { peer, amount: None });
    }
    world.end_epoch();
    let next = validators_of_next_epoch(&world.state).unwrap().unwrap();
    assert_eq!(next.epoch, 2);
    world.end_epoch();
    assert_eq!(validators(&world.state).unwrap(), next);
    // The last block of epoch 1, by the founders, is the link.
    let (old, new) = ([11, 13], [201, 211]);
    let header =
        |height: u64, epoch: u64, validators: &ValidatorSet, next: Option<Digest>| Header {
            height,
            epoch,
            validators: ValidatorSet { epoch, ..validators.clone() }.digest(),
            next_validators: next,
            ..world.header()
        };
    let founders = genesis.validators();
    let last = signed_by(header(63, 1, &founders, Some(next.digest())), &old);
    let links = [EpochLink { last, next: next.clone() }];
    let membership = Membership::follow(&genesis, &links).unwrap();
    assert_eq!(membership.validators(2), next);
    let verify = |block: &Finalized| {
        block.verify(Mechanism::Simplex, &world.ledger, &membership.validators(2))
    };
    assert_eq!(verify(&signed_by(header(64, 2, &next, None), &new)), Ok(()));
    let posing = signed_by(header(64, 2, &next, None), &old);
    assert_eq!(verify(&posing), Err(CertificateError::Signature { validator: 0 }));
    let claiming = signed_by(header(64, 2, &founders, None), &old);
    assert_eq!(verify(&claiming), Err(CertificateError::Validators));
}

proptest! {
    /// The world counts all tokens again after each block, and there is always a set that can agree.
    #[test]
    fn whatever_is_staked_no_token_is_lost_and_the_ledger_has_validators(
        steps in proptest::collection::vec((0..5_u8, 0..4_usize, 0..300_u64), 1..60),
    ) {
        let mut world = World::with_stake(RULES);
        let (of_a, of_b) = founders(&world);
        let (a, b) = (world.a, world.b);
        let (c, of_c) = world.newcomer(31, 300);
        let (d, of_d) = world.newcomer(41, 200);
        let own = [(a, of_a, 211), (b, of_b, 213), (c, of_c, 215), (d, of_d, 217)];
        for (what, whose, units) in steps {
            let (sender, peer, seed) = own[whose];
            let amount = Amount::from(units.max(1));
            let action = match what {
                0 => world.stake_with_seat(peer, units, seed),
                1 => Action::Stake(Stake { peer, amount, seat: None }),
                2 => Action::Unstake { peer, amount: Some(amount).filter(|_| units > 150) },
                3 => Action::CollectStake { peer },
                _ => {
                    world.end_epoch_without(&[own[whose].1]);
                    continue;
                }
            };
            let _: Result<Receipt, Refusal> = world.act(sender, action);
            let next = validators_of_next_epoch(&world.state).unwrap().unwrap();
            prop_assert!(next.validate().is_ok() && next.validators.len() >= 2);
        }
    }
}
