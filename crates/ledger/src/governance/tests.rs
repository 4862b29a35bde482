use althing_types::{
    Action, Change, EntityId, EntityKind, Event, Mode, Parameters, Proposal, Receipt, Refusal,
    Seat, TxId, VotingRule, possession_bytes,
};

use super::*;
use crate::{
    Context,
    testing::{World, inception, signing_key},
    transition::encode,
};

pub(super) fn propose(change: Change) -> Action {
    Action::Propose(Proposal { change, reason: "as agreed at the meeting".into() })
}

pub(super) fn add_organisation(world: &World, seed: u8) -> Change {
    let inception = inception(EntityKind::Organisation, seed);
    let message = possession_bytes(&world.ledger, &inception.id(), &inception.key);
    Change::AddOrganisation { inception, possession: signing_key(seed).sign(&message) }
}

pub(super) fn seat(peer: EntityId, seed: u8) -> Change {
    let key = signing_key(seed).public_key().bytes.try_into().unwrap();
    Change::AddPeer(Seat { peer, key, address: "peer.example:7000".into() })
}

pub(super) fn rule(numerator: u8, denominator: u8, timelock_blocks: u32) -> VotingRule {
    VotingRule { numerator, denominator, patience_blocks: 10, timelock_blocks }
}

pub(super) fn enacted(receipt: &Receipt) -> bool {
    receipt.events.iter().any(|event| matches!(event, Event::ProposalEnacted { .. }))
}

pub(super) fn ended(receipt: &Receipt) -> Option<Refusal> {
    receipt.events.iter().find_map(|event| match event {
        Event::ProposalEnded { code, .. } => Refusal::from_number(*code),
        _ => None,
    })
}

impl World {
    pub(super) fn opens(&mut self, sender: EntityId, change: Change) -> TxId {
        self.must(sender, propose(change)).transaction
    }

    pub(super) fn votes(&mut self, sender: EntityId, proposal: TxId, accept: bool) -> Receipt {
        self.must(sender, Action::Vote { proposal, accept })
    }

    /// Both members agree; it has to take effect.
    pub(super) fn decided(&mut self, change: Change) {
        let (a, b) = (self.a, self.b);
        let proposal = self.opens(a, change);
        assert!(enacted(&self.votes(b, proposal, true)));
    }

    fn members(&self) -> Vec<EntityId> {
        members(&self.state).unwrap().0
    }

    pub(super) fn consequence(&self, change: &Change) -> Consequence {
        let now = Context {
            ledger: self.ledger,
            height: self.height,
            time_ms: self.time_ms(),
            parameters: &self.parameters,
        };
        consequence(&self.state, &now, change).unwrap()
    }
}

#[test]
fn a_change_takes_effect_with_the_vote_that_was_missing_and_not_before() {
    let mut world = World::new();
    let (a, b) = (world.a, world.b);
    let change = add_organisation(&world, 21);
    let c = inception(EntityKind::Organisation, 21).id();
    let proposal = world.opens(a, change);
    assert_eq!(world.members().len(), 2);
    assert_eq!(open_proposals(&world.state).unwrap()[0].1.accepts, [a]);
    assert!(enacted(&world.votes(b, proposal, true)));
    assert!(world.members().contains(&c) && world.members().is_sorted());
    assert_eq!(open_proposals(&world.state).unwrap(), []);
    // The new member acts like a founding one from now on.
    world.use_key(c, 21);
    let second = world.opens(c, Change::SetVotingRule(rule(1, 1, 0)));
    assert_eq!(open_proposal(&world.state, &second).unwrap().unwrap().proposer, c);
}

#[test]
fn only_members_vote_and_each_has_one_vote_that_it_may_change() {
    let mut world = World::new();
    let (a, b) = (world.a, world.b);
    let gateway = world.member(EntityKind::Gateway, 30);
    let change = Change::SetVotingRule(rule(1, 1, 0));
    assert_eq!(world.act(gateway, propose(change.clone())), Err(Refusal::NotAMember));
    let proposal = world.opens(a, change);
    for (sender, accept, refusal) in
        [(gateway, true, Refusal::NotAMember), (a, true, Refusal::AlreadyApproved)]
    {
        assert_eq!(world.act(sender, Action::Vote { proposal, accept }), Err(refusal));
    }
    let unknown = Action::Vote { proposal: TxId([9; 32]), accept: true };
    assert_eq!(world.act(b, unknown), Err(Refusal::UnknownProposal));
    // With one of two against it, two thirds cannot be reached any more.
    assert_eq!(ended(&world.votes(b, proposal, false)), Some(Refusal::VotedDown));
    assert_eq!(
        world.act(a, Action::Vote { proposal, accept: false }),
        Err(Refusal::UnknownProposal)
    );
}

#[test]
fn a_vote_can_be_changed_while_nothing_is_decided() {
    let mut world = World::new();
    let (a, b) = (world.a, world.b);
    let organisation = add_organisation(&world, 21);
    world.decided(organisation);
    let c = inception(EntityKind::Organisation, 21).id();
    world.use_key(c, 21);
    world.decided(Change::SetVotingRule(rule(1, 1, 0)));
    // The first rule needs two of three; the new one all of them.
    let proposal = world.opens(a, Change::SetVotingRule(rule(2, 3, 0)));
    assert!(!enacted(&world.votes(b, proposal, true)));
    let open = open_proposal(&world.state, &proposal).unwrap().unwrap();
    assert_eq!((open.accepts, open.rejects), (vec![a, b], vec![]));
    assert_eq!(ended(&world.votes(a, proposal, false)), Some(Refusal::VotedDown));
}

#[test]
fn a_timelock_lets_time_pass_between_agreement_and_effect() {
    let mut world = World::new();
    let (a, b) = (world.a, world.b);
    world.decided(Change::SetVotingRule(rule(2, 3, 3)));
    let proposal = world.opens(a, Change::SetVotingRule(rule(1, 1, 0)));
    assert_eq!(world.act(a, Action::Enact { proposal }), Err(Refusal::NotYetDue));
    let accepted = world.votes(b, proposal, true);
    let due_height = world.height + 3;
    assert!(accepted.events.contains(&Event::ProposalAccepted { proposal, due_height }));
    assert_eq!(world.act(a, Action::Vote { proposal, accept: false }), Err(Refusal::VotingOver));
    assert_eq!(world.act(a, Action::Enact { proposal }), Err(Refusal::NotYetDue));
    while world.height + 1 < due_height {
        world.block(&[]);
    }
    assert!(enacted(&world.must(a, Action::Enact { proposal })));
    assert_eq!(voting_rule(&world.state).unwrap(), rule(1, 1, 0));
}

#[test]
fn what_is_not_decided_in_time_ends_and_frees_its_place() {
    let mut world = World::new();
    let (a, b) = (world.a, world.b);
    world.decided(Change::SetVotingRule(rule(2, 3, 0)));
    let proposal = world.opens(a, Change::SetVotingRule(rule(1, 1, 0)));
    (0..11).for_each(|_| drop(world.block(&[])));
    assert_eq!(world.act(b, Action::Vote { proposal, accept: true }), Err(Refusal::VotingOver));
    let next = world.must(b, propose(Change::SetVotingRule(rule(1, 1, 1))));
    assert_eq!(ended(&next), Some(Refusal::VotingOver));
    assert_eq!(open_proposals(&world.state).unwrap().len(), 1);
    let withdrawn = Action::WithdrawProposal { proposal: next.transaction };
    assert_eq!(world.act(a, withdrawn.clone()), Err(Refusal::NotPermitted));
    assert_eq!(ended(&world.must(b, withdrawn)), Some(Refusal::Withdrawn));
}

#[test]
fn no_more_proposals_are_open_than_allowed() {
    let mut world = World::new();
    let a = world.a;
    for seed in 0..PROPOSALS_MAX {
        let timelock = u32::try_from(seed).unwrap();
        world.opens(a, Change::SetVotingRule(rule(1, 1, timelock)));
        // Patience is longer than this takes, as the standard rule is in force.
    }
    let more = propose(Change::SetVotingRule(rule(3, 4, 0)));
    assert_eq!(world.act(a, more), Err(Refusal::TooManyProposals));
}

#[test]
fn seats_are_given_taken_and_rekeyed_for_an_epoch_to_come() {
    let mut world = World::new();
    let a = world.a;
    let peer = world.member(EntityKind::Peer, 41);
    let device = world.member(EntityKind::Device, 42);
    let now = crate::validators(&world.state).unwrap();
    for (change, refusal) in [
        (seat(device, 43), Refusal::NotPermitted),
        (seat(a, 43), Refusal::NotPermitted),
        (seat(peer, 11), Refusal::SeatTaken),
        (seat(now.validators[0].peer, 43), Refusal::SeatTaken),
        (Change::RemovePeer { peer }, Refusal::NoSeat),
        (Change::RotateVotingKey { peer, key: [1; 32] }, Refusal::NoSeat),
    ] {
        assert_eq!(world.act(a, propose(change.clone())), Err(refusal), "{change:?}");
    }
    world.decided(seat(peer, 43));
    let next = chosen_validators(&world.state).unwrap();
    assert_eq!((next.epoch, next.validators.len()), (2, 3));
    assert!(next.validators.is_sorted_by_key(|validator| validator.key));
    assert_eq!(address(&world.state, &peer).unwrap().as_deref(), Some("peer.example:7000"));
    // Those of now are as before: who votes changes with the epoch.
    assert_eq!(crate::validators(&world.state).unwrap(), now);
    let key = signing_key(45).public_key().bytes.try_into().unwrap();
    world.decided(Change::RotateVotingKey { peer, key });
    let next = chosen_validators(&world.state).unwrap();
    assert_eq!(next.validators.iter().find(|one| one.peer == peer).unwrap().key, key);
    world.decided(Change::RemovePeer { peer });
    assert_eq!(chosen_validators(&world.state).unwrap().validators, now.validators);
    assert_eq!(address(&world.state, &peer).unwrap(), None);
}

#[test]
fn an_organisation_ends_with_its_seats_and_all_it_owns() {
    let mut world = World::new();
    let (a, b) = (world.a, world.b);
    let gateway = world.member(EntityKind::Gateway, 30);
    let organisation = add_organisation(&world, 21);
    world.decided(organisation);
    let proposal = world.opens(b, Change::RemoveOrganisation { organisation: a });
    let c = inception(EntityKind::Organisation, 21).id();
    world.use_key(c, 21);
    assert!(enacted(&world.votes(c, proposal, true)));
    assert!(!world.members().contains(&a));
    let next = chosen_validators(&world.state).unwrap();
    assert!(next.validators.iter().all(|validator| validator.organisation != a));
    for sender in [a, gateway] {
        let refused = world.act(sender, crate::testing::note(b"still here"));
        assert_eq!(refused, Err(Refusal::EntityRevoked));
    }
    // Its open votes count no more, and it cannot vote.
    assert_eq!(world.act(a, propose(Change::RemovePeer { peer: b })), Err(Refusal::EntityRevoked));
}

#[test]
fn nothing_is_accepted_that_would_stop_the_ledger_or_hand_it_to_one() {
    let mut world = World::new();
    let (a, b) = (world.a, world.b);
    let peers = chosen_validators(&world.state).unwrap().validators;
    let of = |org| peers.iter().find(|one| one.organisation == org).unwrap().peer;
    world.decided(Change::RemovePeer { peer: of(b) });
    assert_eq!(world.act(a, propose(Change::RemovePeer { peer: of(a) })), Err(Refusal::WouldStall));
    // Without a seat of another member, removing this one would leave no validator.
    let removal = Change::RemoveOrganisation { organisation: a };
    assert_eq!(world.act(b, propose(removal)), Err(Refusal::WouldStall));

    world.state.insert(own_key::mode(), encode(&Mode::Consortium));
    for seed in [51, 53] {
        let peer = world.member(EntityKind::Peer, seed);
        world.decided(seat(peer, seed + 10));
    }
    let fourth = world.member(EntityKind::Peer, 55);
    assert_eq!(world.act(a, propose(seat(fourth, 65))), Err(Refusal::ThirdOfVotes));
}

#[test]
fn seats_stay_where_epochs_never_end() {
    let mut world = World::new();
    let (a, peer) = (world.a, world.member(EntityKind::Peer, 41));
    let parameters = Parameters { epoch_blocks: None, ..world.parameters.clone() };
    world.state.insert(althing_proof::key::parameter("parameters"), encode(&parameters));
    world.state.remove(&own_key::next_validators());
    let told = world.consequence(&seat(peer, 43));
    assert_eq!((told.refusal, told.validators.len()), (Some(Refusal::SeatsFixed), 2));
    assert_eq!(world.act(a, propose(seat(peer, 43))), Err(Refusal::SeatsFixed));
    let removal = Change::RemoveOrganisation { organisation: world.b };
    assert_eq!(world.act(a, propose(removal)), Err(Refusal::SeatsFixed));
}

#[test]
fn settings_change_only_where_execution_reads_them() {
    let mut world = World::new();
    let a = world.a;
    let now = world.parameters.clone();
    let heartbeat = Parameters { heartbeat_ms: 500, ..now.clone() };
    let window = Parameters { sequence_window: 7, ..now.clone() };
    for (parameters, refusal) in
        [(now, Refusal::ChangesNothing), (heartbeat, Refusal::ParameterFixed)]
    {
        assert_eq!(world.act(a, propose(Change::SetParameters(parameters))), Err(refusal));
    }
    world.decided(Change::SetParameters(window.clone()));
    assert_eq!(crate::parameters(&world.state).unwrap(), window);
}

#[test]
fn what_a_change_leads_to_is_told_before_anybody_votes() {
    let mut world = World::new();
    let peer = world.member(EntityKind::Peer, 41);
    let before = world.state.clone();
    let told = world.consequence(&seat(peer, 43));
    assert_eq!(told.refusal, None);
    assert_eq!((told.votes_needed, told.members, told.votes_needed_after), (2, 2, 2));
    assert_eq!((told.validators.len(), told.quorum, told.faults_tolerated), (3, 3, 0));
    assert_eq!(told.largest_share, Some((world.a, 2)));
    let epoch = u64::from(world.parameters.epoch_blocks.unwrap());
    assert_eq!(told.seats_from, Some((2 * epoch, epoch - 1)));
    let organisation = add_organisation(&world, 21);
    assert_eq!(world.consequence(&organisation).votes_needed_after, 2);
    let impossible = world.consequence(&Change::RemovePeer { peer });
    assert_eq!((impossible.refusal, impossible.validators.len()), (Some(Refusal::NoSeat), 2));
    assert_eq!(world.state, before, "telling writes nothing");
}

#[test]
fn the_index_tells_what_became_of_each_proposal() {
    let mut world = World::new();
    let (a, b) = (world.a, world.b);
    let row = |outcome: &crate::Outcome| {
        let rows = outcome.index.iter().filter(|(key, _)| key.starts_with(&index::proposals()));
        rows.filter_map(|(_, value)| index::proposal_status(value.as_deref()?)).next_back()
    };
    let proposal = world.signed(&[a], vec![propose(Change::SetVotingRule(rule(1, 1, 0)))]);
    assert_eq!(row(&world.block(std::slice::from_ref(&proposal))), Some(ProposalStatus::Open));
    let id = proposal.id();
    let vote = world.signed(&[b], vec![Action::Vote { proposal: id, accept: true }]);
    let height = world.height + 1;
    assert_eq!(row(&world.block(&[vote])), Some(ProposalStatus::Enacted(height)));
    let proposal = world.signed(&[a], vec![propose(Change::SetVotingRule(rule(3, 4, 0)))]);
    world.block(std::slice::from_ref(&proposal));
    let withdrawal = Action::WithdrawProposal { proposal: proposal.id() };
    let withdrawal = world.signed(&[a], vec![withdrawal]);
    let ended = ProposalStatus::Ended(world.height + 1, Refusal::Withdrawn);
    assert_eq!(row(&world.block(&[withdrawal])), Some(ended));
}

#[test]
fn a_transaction_proposes_one_change_only() {
    let mut world = World::new();
    let a = world.a;
    let two = [rule(1, 1, 0), rule(3, 4, 0)].map(|rule| propose(Change::SetVotingRule(rule)));
    let transaction = world.signed(&[a], two.to_vec());
    assert_eq!(world.run(transaction).code, Refusal::OutOfBounds.number());
}
