//! Who may transact and deploy in each mode (Y.4464 Table I.1).

use althing_types::{Change, Deploy, Mode, Parameters, Participation, Proposal, Transact, TxId};

use super::*;
use crate::testing::note;

const GUEST: u8 = 71;

/// What a deploy call comes to.
#[derive(Debug, PartialEq, Eq)]
enum Deployed {
    Done,
    Waits,
    Refused(Refusal),
}

impl Ledger {
    /// A ledger of two members and a guest, an organisation that nobody voted in.
    fn with_guest() -> (Self, EntityId) {
        let mut ledger = Self::new();
        ledger.decide(Transact::Everybody, Deploy::Everybody);
        let registration = ledger.world.registration(EntityKind::Organisation, GUEST);
        ledger.world.must(ledger.a, registration);
        let guest = crate::testing::inception(EntityKind::Organisation, GUEST).id();
        ledger.world.use_key(guest, GUEST);
        (ledger, guest)
    }

    /// Both members agree on who takes part.
    fn decide(&mut self, transact: Transact, deploy: Deploy) {
        let participation = Some(Participation { transact, deploy });
        let parameters = Parameters { participation, ..self.world.parameters.clone() };
        if parameters == self.world.parameters {
            return;
        }
        let change = Change::SetParameters(parameters.clone());
        let proposal = Action::Propose(Proposal { change, reason: String::new() });
        let proposal = self.world.must(self.a, proposal).transaction;
        self.world.must(self.b, Action::Vote { proposal, accept: true });
        self.world.parameters = parameters;
    }

    fn deploy(&mut self, sender: EntityId, code: CodeId, name: &str) -> (Deployed, TxId) {
        let transaction =
            self.world.signed(&[sender], vec![instantiate(code, name, terms(sender))]);
        let receipt = self.world.run(transaction);
        let became = match Refusal::from_number(receipt.code) {
            None => Deployed::Done,
            Some(Refusal::AwaitingApproval) => Deployed::Waits,
            Some(refusal) => Deployed::Refused(refusal),
        };
        (became, receipt.transaction)
    }
}

/// Table I.1: every peer transacts in a public ledger, only authorised ones in a consortium, and in a
/// private ledger as its owners like; all have contracts. The same calls in each.
#[test]
fn the_mode_decides_who_transacts_and_who_deploys() {
    use Deployed::{Done, Refused, Waits};
    for (mode, guest_notes, member, guest) in [
        (Mode::Public, true, Done, Done),
        (Mode::Consortium, false, Waits, Refused(Refusal::NotTakingPart)),
        (Mode::Private, false, Done, Refused(Refusal::NotTakingPart)),
    ] {
        let (mut ledger, outsider) = Ledger::with_guest();
        let code = ledger.store(&module(&[])).unwrap();
        let Participation { transact, deploy } = Participation::of(mode);
        ledger.decide(transact, deploy);
        let (a, gateway) = (ledger.a, ledger.world.member(EntityKind::Gateway, 73));
        for (sender, taken) in [(a, true), (gateway, true), (outsider, guest_notes)] {
            let expected = if taken { Ok(()) } else { Err(Refusal::NotTakingPart) };
            assert_eq!(ledger.world.act(sender, note(b"here")).map(|_| ()), expected, "{mode:?}");
        }
        assert_eq!(ledger.deploy(a, code, "member").0, member, "{mode:?}");
        assert_eq!(ledger.deploy(outsider, code, "guest").0, guest, "{mode:?}");
    }
}

#[test]
fn a_contract_begins_in_a_consortium_once_enough_members_approve() {
    let (mut ledger, _) = Ledger::with_guest();
    let code = ledger.store(&module(&[])).unwrap();
    ledger.decide(Transact::Members, Deploy::Approved);
    let (a, b) = (ledger.a, ledger.b);
    // Whatever belongs to a member may ask, and two of two members must agree: the owner too.
    let service = ledger.world.member(EntityKind::Service, 73);
    let (became, pending) = ledger.deploy(service, code, "c");
    assert_eq!(became, Deployed::Waits);
    let id = ContractId::derive(&service, "c");
    assert_eq!(ledger.status(&id), None);
    let refused = ledger.world.act(service, Action::Approve { pending });
    assert_eq!(refused.map(|_| ()), Err(Refusal::NotAnApprover));
    ledger.world.must(b, Action::Approve { pending });
    assert_eq!(ledger.status(&id), None);
    ledger.world.must(a, Action::Approve { pending });
    assert_eq!(ledger.status(&id), Some(Status::Active));
    // It runs without anybody's leave, and gets other code only with it.
    ledger.call(id).unwrap();
    let other = ledger.store(&module(&[("instantiate", WRITES)])).unwrap();
    let migration =
        Action::Migrate { contract: id, code: other, message: b"{}".to_vec(), gas_limit: GAS };
    assert_eq!(ledger.world.act(service, migration), Err(Refusal::AwaitingApproval));
    // Signatures on the transaction itself are approvals too.
    let action = instantiate(code, "d", terms(a));
    let both = ledger.world.signed(&[a, b], vec![action]);
    assert_eq!(ledger.world.run(both).code, 0);
    // One of two is enough of a no.
    let (_, pending) = ledger.deploy(a, code, "e");
    ledger.world.must(b, Action::Reject { pending });
    let gone = ledger.world.act(b, Action::Approve { pending }).map(|_| ());
    assert_eq!(gone, Err(Refusal::UnknownPending));
}

#[test]
fn guests_transact_without_bringing_code_and_have_no_vote() {
    let (mut ledger, guest) = Ledger::with_guest();
    let code = ledger.store(&module(&[])).unwrap();
    ledger.decide(Transact::Everybody, Deploy::Members);
    ledger.world.must(guest, note(b"hello"));
    let part = Action::UploadCode { code, part: 0, bytes: vec![1] };
    for action in [part, store(code, 1), instantiate(code, "g", terms(guest))] {
        let refused = ledger.world.act(guest, action).map(|_| ());
        assert_eq!(refused, Err(Refusal::MayNotDeploy));
    }
    let rule =
        althing_types::VotingRule { timelock_blocks: 9, ..althing_types::VotingRule::STANDARD };
    let change = Change::SetVotingRule(rule);
    let proposal = Action::Propose(Proposal { change, reason: String::new() });
    assert_eq!(ledger.world.act(guest, proposal).map(|_| ()), Err(Refusal::NotAMember));
    // Three organisations shut a thing out that is not theirs: guests do not count.
    let thing = ledger.world.thing("meter");
    let quarantine = Action::Quarantine { thing, reason: Some("no".into()) };
    assert_eq!(ledger.world.act(guest, quarantine).map(|_| ()), Err(Refusal::NotPermitted));
    // Where members alone take part, nobody registers organisations.
    ledger.decide(Transact::Members, Deploy::Members);
    let registration = ledger.world.registration(EntityKind::Organisation, 75);
    let a = ledger.a;
    assert_eq!(ledger.world.act(a, registration).map(|_| ()), Err(Refusal::NotPermitted));
}

#[test]
fn who_takes_part_once_said_stays_said_and_stakers_are_never_shut_out() {
    let (mut ledger, _) = Ledger::with_guest();
    let unsaid = Parameters { participation: None, ..ledger.world.parameters.clone() };
    let proposal = Proposal { change: Change::SetParameters(unsaid), reason: String::new() };
    let a = ledger.a;
    let refused = ledger.world.act(a, Action::Propose(proposal)).map(|_| ());
    assert_eq!(refused, Err(Refusal::ParameterFixed));
    let rules = althing_types::StakeRules {
        seats_min: 1,
        seats_max: 8,
        least: 5_u64.into(),
        founding: 10_u64.into(),
        locked_epochs: 3,
        silent_epochs: 2,
        burnt_percent: 10,
    };
    for (transact, fits) in [(Transact::Everybody, true), (Transact::Members, false)] {
        let said = Participation { transact, deploy: Deploy::Members };
        let stake = Some(rules);
        let parameters = Parameters { stake, participation: Some(said), ..Parameters::standard() };
        assert_eq!(parameters.check().is_ok(), fits, "{transact:?}");
    }
}
