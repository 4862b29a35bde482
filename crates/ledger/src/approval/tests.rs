use althing_types::Receipt;

use super::*;
use crate::testing::{World, id_of, note};
use Refusal::{
    AlreadyApproved, AwaitingApproval, NotAnApprover, NotPermitted, OutOfBounds, PendingExpired,
    SenderQuota, UnknownEntity, UnknownPending, Withdrawn,
};

struct Council {
    world: World,
    organisation: EntityId,
    members: Vec<EntityId>,
}

const PATIENCE: u32 = 40;

impl Council {
    /// An organisation whose records take `threshold` of three approvers.
    fn new(threshold: u8) -> Self {
        let mut world = World::new();
        let mut members: Vec<EntityId> =
            [21, 22, 23].map(|seed| world.member(EntityKind::Person, seed)).to_vec();
        members.sort();
        let organisation = world.a;
        let mut council = Self { world, organisation, members };
        council.policy(ActionKind::Record, threshold).unwrap();
        council
    }

    fn policy_of(&self, kind: ActionKind, threshold: u8) -> Action {
        Action::SetApprovalPolicy(ApprovalPolicy {
            kind,
            threshold,
            approvers: self.members.clone(),
            patience_blocks: PATIENCE,
        })
    }

    fn policy(&mut self, kind: ActionKind, threshold: u8) -> Result<Receipt, Refusal> {
        let action = self.policy_of(kind, threshold);
        self.world.act(self.organisation, action)
    }

    /// Sends a note signed by the organisation and some members, by position.
    fn send(&mut self, members: &[usize], data: &[u8]) -> Receipt {
        self.send_action(members, note(data))
    }

    fn send_action(&mut self, members: &[usize], action: Action) -> Receipt {
        let signers: Vec<EntityId> = std::iter::once(self.organisation)
            .chain(members.iter().map(|member| self.members[*member]))
            .collect();
        let transaction = self.world.signed(&signers, vec![action]);
        self.world.run(transaction)
    }

    fn pending(&mut self, data: &[u8]) -> TxId {
        let receipt = self.send(&[], data);
        assert_eq!(receipt.code, AwaitingApproval.number());
        id_of(&receipt)
    }

    fn approve(&mut self, member: usize, pending: TxId) -> Result<Vec<Event>, Refusal> {
        let result = self.world.act(self.members[member], Action::Approve { pending });
        result.map(|receipt| receipt.events)
    }

    fn reject(&mut self, sender: EntityId, pending: TxId) -> Result<Vec<Event>, Refusal> {
        let result = self.world.act(sender, Action::Reject { pending });
        result.map(|receipt| receipt.events)
    }

    fn waiting(&self) -> usize {
        let prefixes = [b"q/".as_slice(), b"o/"];
        let of =
            |prefix: &[u8]| self.world.state.keys().filter(|key| key.starts_with(prefix)).count();
        assert_eq!(of(prefixes[1]), usize::from(of(prefixes[0]) > 0), "the list is kept in step");
        of(prefixes[0])
    }
}

fn recorded(sender: EntityId) -> Event {
    Event::Recorded { sender, kind: "note".into(), notify: vec![], link: None }
}

#[test]
fn enough_signatures_take_effect_at_once() {
    for (threshold, members, waits) in [
        (1, &[][..], true),
        (1, &[2], false),
        (2, &[0], true),
        (2, &[0, 2], false),
        (3, &[0, 1], true),
        (3, &[2, 0, 1], false),
    ] {
        let mut council = Council::new(threshold);
        let receipt = council.send(members, b"");
        let id = id_of(&receipt);
        let (code, event) = if waits {
            let approvals = members.len() as u8;
            (
                AwaitingApproval.number(),
                Event::ApprovalPending { pending: id, approvals, threshold },
            )
        } else {
            (0, recorded(council.organisation))
        };
        assert_eq!((receipt.code, receipt.events), (code, vec![event]), "{threshold} {members:?}");
        assert_eq!(council.waiting(), usize::from(waits));
    }
}

#[test]
fn the_last_approval_makes_it_happen() {
    let mut council = Council::new(2);
    let pending = council.pending(b"offer");
    let events = council.approve(0, pending);
    assert_eq!(events, Ok(vec![Event::ApprovalPending { pending, approvals: 1, threshold: 2 }]));
    assert_eq!(council.approve(0, pending), Err(AlreadyApproved));
    let events = council.approve(2, pending);
    let granted = vec![Event::ApprovalGranted { pending }, recorded(council.organisation)];
    assert_eq!((events, council.waiting()), (Ok(granted), 0));
    assert_eq!(council.approve(1, pending), Err(UnknownPending));
}

#[test]
fn the_rules_of_approvals() {
    let mut council = Council::new(2);
    let (a, b) = (council.organisation, council.world.b);
    let pending = council.pending(b"offer");
    let policy = |kind, threshold, approvers: &[EntityId]| {
        let approvers = approvers.to_vec();
        Action::SetApprovalPolicy(ApprovalPolicy { kind, threshold, approvers, patience_blocks: 9 })
    };
    let (member, unknown) = (council.members[0], EntityId([9; 32]));
    for (sender, action, expected) in [
        (member, policy(ActionKind::Record, 1, &[member]), Err(NotPermitted)),
        (b, policy(ActionKind::Approve, 1, &[member]), Err(OutOfBounds)),
        (b, policy(ActionKind::Reject, 1, &[member]), Err(OutOfBounds)),
        (b, policy(ActionKind::Record, 1, &[unknown]), Err(UnknownEntity)),
        (b, Action::Approve { pending }, Err(NotAnApprover)),
        (a, Action::Approve { pending }, Err(NotAnApprover)),
        (b, Action::Reject { pending }, Err(NotAnApprover)),
        (member, Action::Approve { pending: TxId([9; 32]) }, Err(UnknownPending)),
        (member, Action::Reject { pending: TxId([9; 32]) }, Err(UnknownPending)),
        (b, policy(ActionKind::Record, 1, &[member]), Ok(())),
    ] {
        let result = council.world.act(sender, action.clone()).map(|_| ());
        assert_eq!(result, expected, "{action:?}");
    }
}

#[test]
fn sender_and_approvers_can_withdraw() {
    for by_sender in [true, false] {
        let mut council = Council::new(2);
        let pending = council.pending(b"offer");
        let sender = if by_sender { council.organisation } else { council.members[1] };
        let ended = Event::ApprovalEnded { pending, code: Withdrawn.number() };
        assert_eq!(council.reject(sender, pending), Ok(vec![ended]));
        assert_eq!((council.waiting(), council.approve(0, pending)), (0, Err(UnknownPending)));
    }
}

#[test]
fn patience_ends_and_what_waited_is_cleared_away() {
    let mut council = Council::new(2);
    let (first, second) = (council.pending(b"1"), council.pending(b"2"));
    let until = council.world.height - 1 + u64::from(PATIENCE);
    while council.world.height + 1 < until {
        council.world.block(&[]);
    }
    assert!(council.approve(0, first).is_ok(), "the last block in time");
    assert_eq!(council.approve(1, first), Err(PendingExpired));
    council.world.block(&[]);
    assert_eq!(council.approve(0, second), Err(PendingExpired));
    let receipt = council.send(&[], b"3");
    let ended = |pending| Event::ApprovalEnded { pending, code: PendingExpired.number() };
    assert_eq!(receipt.events[..2], [ended(first), ended(second)]);
    assert_eq!(council.waiting(), 1);
    let expired = council.reject(council.organisation, first);
    assert_eq!(expired, Err(UnknownPending));
}

#[test]
fn only_so_many_wait() {
    let mut council = Council::new(2);
    let first = council.pending(b"0");
    for number in 1..WAITING_MAX {
        council.pending(&[number as u8]);
    }
    assert_eq!(council.send(&[], b"one too many").code, SenderQuota.number());
    council.reject(council.organisation, first).unwrap();
    council.pending(b"room again");
}

/// What is recorded must be possible now; what became impossible ends without effect.
#[test]
fn what_cannot_happen_is_not_waited_for() {
    let mut council = Council::new(2);
    council.policy(ActionKind::RevokeEntity, 1).unwrap();
    let stranger = Action::RevokeEntity { entity: council.world.b };
    assert_eq!(council.send_action(&[], stranger).code, NotPermitted.number());

    let target = council.members[2];
    let receipt = council.send_action(&[], Action::RevokeEntity { entity: target });
    let pending = id_of(&receipt);
    council.world.must(target, Action::RevokeEntity { entity: target });
    let ended = Event::ApprovalEnded { pending, code: Refusal::EntityRevoked.number() };
    assert_eq!(council.approve(0, pending), Ok(vec![ended]));
    assert_eq!(council.waiting(), 0);
}

#[test]
fn a_new_key_ends_what_waits_under_the_old_one() {
    let mut council = Council::new(1);
    let pending = council.pending(b"signed with a key that was stolen");
    let rotation = council.world.rotation(council.organisation, 90);
    council.world.must(council.organisation, rotation);
    let ended = Event::ApprovalEnded { pending, code: Refusal::BadSignature.number() };
    assert_eq!(council.approve(0, pending), Ok(vec![ended]));
}

#[test]
fn who_was_revoked_since_does_not_count() {
    let mut council = Council::new(2);
    let pending = council.pending(b"offer");
    council.approve(0, pending).unwrap();
    let revoked = Action::RevokeEntity { entity: council.members[0] };
    council.world.must(council.organisation, revoked);
    let events = council.approve(1, pending).unwrap();
    assert_eq!(events, [Event::ApprovalPending { pending, approvals: 1, threshold: 2 }]);
    assert_eq!(council.approve(2, pending).unwrap()[0], Event::ApprovalGranted { pending });
}

#[test]
fn a_policy_changes_only_under_itself() {
    let mut council = Council::new(2);
    let removal = council.policy_of(ActionKind::Record, 0);
    let receipt = council.send_action(&[], removal.clone());
    assert_eq!(receipt.code, AwaitingApproval.number());
    assert_eq!(council.send_action(&[0, 1], removal).code, 0);
    assert_eq!(council.send(&[], b"free again").code, 0);
    // One for changing policies guards policies that do not exist yet, too.
    council.policy(ActionKind::SetApprovalPolicy, 1).unwrap();
    assert_eq!(council.policy(ActionKind::Bind, 1), Err(AwaitingApproval));
    let guarded = council.policy_of(ActionKind::Bind, 1);
    assert_eq!(council.send_action(&[2], guarded).code, 0);
}

#[test]
fn several_policies_must_all_be_met() {
    let mut council = Council::new(3);
    council.policy(ActionKind::RevokeEntity, 1).unwrap();
    let device = council.world.member(EntityKind::Device, 30);
    let actions = vec![note(b""), Action::RevokeEntity { entity: device }];
    let transaction = council.world.signed(&[council.organisation, council.members[0]], actions);
    let receipt = council.world.run(transaction);
    let pending = id_of(&receipt);
    assert_eq!(receipt.events, [Event::ApprovalPending { pending, approvals: 1, threshold: 3 }]);
    council.approve(1, pending).unwrap();
    let events = council.approve(2, pending).unwrap();
    let revoked = Event::EntityRevoked { entity: device };
    let expected = [Event::ApprovalGranted { pending }, recorded(council.organisation), revoked];
    assert_eq!(events, expected);
}

/// An approval that waits for approvals would wait for others of its kind.
#[test]
fn approvals_do_not_wait_for_approvals() {
    let mut council = Council::new(2);
    council.members.push(council.organisation);
    council.members.sort();
    let widen = council.policy_of(ActionKind::Bind, 1);
    council.world.must(council.organisation, widen);
    let pending = council.pending(b"offer");
    let actions = vec![note(b"approving on the way"), Action::Reject { pending }];
    let transaction = council.world.signed(&[council.organisation], actions);
    assert_eq!(council.world.run(transaction).code, NotPermitted.number());
}

#[test]
fn the_policies_of_an_organisation_bind_nobody_else() {
    let mut council = Council::new(2);
    let (member, other) = (council.members[0], council.world.b);
    council.world.must(member, note(b"for myself"));
    council.world.must(other, note(b"another organisation"));
}

#[test]
fn the_index_leads_to_what_waits_until_it_ends() {
    let mut council = Council::new(2);
    let transaction = council.world.signed(&[council.organisation], vec![note(b"")]);
    let rows = |index: &[(Vec<u8>, Option<Vec<u8>>)], present: bool| {
        index.iter().filter(|(key, value)| key[0] == b'w' && value.is_some() == present).count()
    };
    let outcome = council.world.block(std::slice::from_ref(&transaction));
    assert_eq!(rows(&outcome.index, true), 4);
    let approval = Action::Approve { pending: transaction.id() };
    let approvals = [0, 1].map(|member| {
        let approver = council.members[member];
        council.world.signed(&[approver], vec![approval.clone()])
    });
    let outcome = council.world.block(&approvals);
    assert_eq!((rows(&outcome.index, true), rows(&outcome.index, false)), (0, 5));
}

#[test]
fn records_of_the_state_are_canonical() {
    let mut council = Council::new(2);
    council.pending(b"offer");
    let at = |prefix: &[u8]| {
        let row = council.world.state.iter().find(|(key, _)| key.starts_with(prefix));
        row.unwrap().1.clone()
    };
    let (pending, waiting) = (at(b"q/"), at(b"o/"));
    assert_eq!(Pending::from_wire(&pending).unwrap().to_wire(), pending);
    assert_eq!(Waiting::from_wire(&waiting).unwrap().to_wire(), waiting);
}

/// What it sets free may be long to carry out, and must not be taken back by what comes after it.
#[test]
fn an_approval_stands_alone() {
    let mut council = Council::new(2);
    let pending = TxId([9; 32]);
    let member = council.members[0];
    let actions = vec![Action::Approve { pending }, note(b"and more")];
    let transaction = council.world.signed(&[member], actions);
    assert_eq!(council.world.run(transaction).code, OutOfBounds.number());
}
