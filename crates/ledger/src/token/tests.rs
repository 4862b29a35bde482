use althing_types::{
    Action, Amount, Change, EntityKind, Event, Parameters, Proposal, Receipt, ThingId, Token,
    TokenEvent, Transfer,
};
use proptest::prelude::*;

use super::*;
use crate::testing::{BEGIN_MS, World, batch, note};

const FREE: Fees = Fees { per_transaction: 0, per_byte: 0, per_million_gas: 0 };
const ONE_EACH: Fees = Fees { per_transaction: 1, per_byte: 0, per_million_gas: 0 };

fn amount(units: u64) -> Amount {
    Amount::from(units)
}

fn pay(to: EntityId, units: u64) -> Action {
    Action::Transfer(Transfer { to, amount: amount(units), memo: "for power".into() })
}

fn lock(payee: EntityId, units: u64, until_height: u64, arbiter: Option<EntityId>) -> Action {
    let memo = String::new();
    Action::OpenEscrow(Escrow { payee, amount: amount(units), until_height, arbiter, memo })
}

fn promise(entity: EntityId, per_day: u64, total: u64, until_height: u64) -> Action {
    let (per_day, total) = (amount(per_day), amount(total));
    Action::Sponsor(Sponsorship { entity, per_day, total, until_height })
}

fn reward_of(stream: StreamId) -> Reward {
    Reward {
        stream,
        per_batch: amount(5),
        per_reading: amount(2),
        per_day: amount(40),
        fund: amount(60),
        until_height: 1000,
    }
}

impl World {
    fn has(&self, id: &EntityId) -> u64 {
        account(&self.state, id).unwrap().balance.units() as u64
    }

    fn supply(&self) -> Supply {
        supply(&self.state).unwrap()
    }

    fn decide(&mut self, change: Change) -> Receipt {
        let (a, b) = (self.a, self.b);
        let proposal = Action::Propose(Proposal { change, reason: String::new() });
        let proposal = self.must(a, proposal).transaction;
        self.must(b, Action::Vote { proposal, accept: true })
    }

    fn pass(&mut self, blocks: u64) {
        (0..blocks).for_each(|_| drop(self.block(&[])));
    }
}

fn refused(receipt: &Receipt) -> Option<Refusal> {
    Refusal::from_number(receipt.code)
}

#[test]
fn without_a_token_every_action_about_tokens_is_refused_and_costs_nothing() {
    let mut world = World::new();
    let (a, b, id) = (world.a, world.b, TxId([7; 32]));
    let thing = world.thing("meter");
    let stream = StreamId::derive(&thing, "temperature");
    for action in [
        pay(b, 1),
        Action::BurnTokens { amount: amount(1) },
        lock(b, 1, 100, None),
        Action::ReleaseEscrow { escrow: id },
        Action::RefundEscrow { escrow: id },
        Action::SweepAccount { account: b },
        promise(b, 1, 1, 100),
        Action::EndSponsorship { entity: b },
        Action::OfferReward(reward_of(stream)),
        Action::FundReward { reward: id, amount: amount(1) },
        Action::EndReward { reward: id },
    ] {
        assert_eq!(world.act(a, action.clone()), Err(Refusal::TokensOff), "{action:?}");
    }
    for change in [
        Change::MintTokens { to: a, amount: amount(1) },
        Change::FreezeAccount { account: a, frozen: true },
    ] {
        let proposal = Action::Propose(Proposal { change, reason: String::new() });
        assert_eq!(world.act(a, proposal), Err(Refusal::TokensOff));
    }
    let with_fees = Parameters { fees: Some(ONE_EACH), ..world.parameters.clone() };
    let change = Change::SetParameters(with_fees);
    let proposal = Action::Propose(Proposal { change, reason: String::new() });
    assert_eq!(world.act(a, proposal), Err(Refusal::ParameterFixed));
    world.must(a, Action::SubmitBatch(batch(stream, 0, 3)));
    assert!(!world.state.keys().any(|key| key.starts_with(b"f/")), "nothing about tokens");
}

#[test]
fn payments_keep_the_rules() {
    let mut world = World::with_tokens(FREE);
    let (a, b) = (world.a, world.b);
    let device = world.member(EntityKind::Device, 3);
    let gone = world.member(EntityKind::Device, 5);
    world.must(a, Action::RevokeEntity { entity: gone });
    let nobody = EntityId([9; 32]);
    for (what, from, action, refusal) in [
        ("more than it has", a, pay(b, 1001), Refusal::InsufficientFunds),
        ("from nothing", device, pay(b, 1), Refusal::InsufficientFunds),
        ("to nobody", a, pay(nobody, 1), Refusal::UnknownPayee),
        ("to one that was revoked", a, pay(gone, 1), Refusal::EntityRevoked),
        ("to itself", a, pay(a, 1), Refusal::ChangesNothing),
        (
            "burns too much",
            b,
            Action::BurnTokens { amount: amount(501) },
            Refusal::InsufficientFunds,
        ),
    ] {
        let before = world.supply();
        assert_eq!(world.act(from, action), Err(refusal), "{what}");
        assert_eq!((world.has(&a), world.has(&b), world.supply()), (1000, 500, before), "{what}");
    }
    let receipt = world.must(a, pay(device, 400));
    let told = TokenEvent::Transferred {
        from: a,
        to: device,
        amount: amount(400),
        memo: "for power".into(),
    };
    assert_eq!(receipt.events, [Event::Token(told)]);
    world.must(device, pay(b, 400));
    assert_eq!((world.has(&a), world.has(&b), world.has(&device)), (600, 900, 0));
    assert!(!world.state.contains_key(&key::account(&device)), "an empty account says nothing");
    // Both of one transaction, or none.
    let both = world.signed(&[a], vec![pay(b, 500), pay(b, 101)]);
    assert_eq!(refused(&world.run(both)), Some(Refusal::InsufficientFunds));
    assert_eq!(world.has(&a), 600);
    // The same tokens twice in one block.
    let twice = [world.signed(&[a], vec![pay(b, 600)]), world.signed(&[a], vec![pay(device, 600)])];
    let receipts = world.block(&twice).receipts;
    assert_eq!(
        receipts.iter().map(refused).collect::<Vec<_>>(),
        [None, Some(Refusal::InsufficientFunds)]
    );
    world.must(b, Action::BurnTokens { amount: amount(1500) });
    assert_eq!(world.supply(), Supply::default());
}

#[test]
fn members_make_tokens_and_freeze_accounts_and_nobody_else_does() {
    let mut world = World::with_tokens(ONE_EACH);
    let (a, b) = (world.a, world.b);
    world.decide(Change::MintTokens { to: b, amount: amount(100) });
    assert_eq!((world.has(&b), world.supply().total), (599, amount(1600)), "less a fee");
    let all = Change::MintTokens { to: a, amount: Amount::MAX };
    let proposal = Action::Propose(Proposal { change: all, reason: String::new() });
    assert_eq!(world.act(a, proposal), Err(Refusal::TooManyTokens));
    world.decide(Change::FreezeAccount { account: b, frozen: true });
    for action in [pay(a, 1), Action::BurnTokens { amount: amount(1) }, lock(a, 1, 100, None)] {
        assert_eq!(world.act(b, action.clone()), Err(Refusal::AccountFrozen), "{action:?}");
    }
    // It is paid all the same, and acts otherwise for its fees.
    let before = world.has(&b);
    world.must(a, pay(b, 10));
    world.must(b, note(b"x"));
    assert_eq!(world.has(&b), before + 9);
    world.decide(Change::FreezeAccount { account: b, frozen: false });
    world.must(b, pay(a, 1));
}

#[test]
fn an_escrow_is_released_or_given_back_by_those_who_may() {
    // Payer A, payee B, an arbiter, somebody else. The last height is 3 after it was opened.
    let rows: &[(&str, bool, u64, Result<(), Refusal>)] = &[
        ("payer", true, 0, Ok(())),
        ("arbiter", true, 0, Ok(())),
        ("payee", true, 0, Err(Refusal::NotPermitted)),
        ("other", true, 0, Err(Refusal::NotPermitted)),
        ("payer", true, 2, Ok(())),
        ("payer", true, 3, Err(Refusal::EscrowOver)),
        ("arbiter", true, 3, Err(Refusal::EscrowOver)),
        ("payer", false, 0, Err(Refusal::NotPermitted)),
        ("other", false, 0, Err(Refusal::NotPermitted)),
        ("payee", false, 0, Ok(())),
        ("arbiter", false, 0, Ok(())),
        ("payer", false, 3, Ok(())),
        ("other", false, 3, Ok(())),
    ];
    for (who, release, later, outcome) in rows {
        let mut world = World::with_tokens(FREE);
        let (a, b) = (world.a, world.b);
        let arbiter = world.member(EntityKind::Service, 3);
        let other = world.member(EntityKind::Device, 5);
        let until = world.height + 1 + 3;
        let escrow = world.must(a, lock(b, 300, until, Some(arbiter))).transaction;
        assert_eq!((world.has(&a), world.supply().escrows), (700, amount(300)));
        world.pass(*later);
        let sender = match *who {
            "payer" => a,
            "payee" => b,
            "arbiter" => arbiter,
            _ => other,
        };
        let action = if *release {
            Action::ReleaseEscrow { escrow }
        } else {
            Action::RefundEscrow { escrow }
        };
        let what = format!("{who}, release {release}, {later} later");
        let done = world.act(sender, action.clone()).map(|_| ());
        assert_eq!(done, *outcome, "{what}");
        let expected = match (outcome, release) {
            (Ok(()), true) => (700, 800),
            (Ok(()), false) => (1000, 500),
            (Err(_), _) => (700, 500),
        };
        assert_eq!((world.has(&a), world.has(&b)), expected, "{what}");
        if outcome.is_ok() {
            assert_eq!(world.act(sender, action), Err(Refusal::UnknownEscrow), "{what}");
        }
    }
    let mut world = World::with_tokens(FREE);
    let (a, b, height) = (world.a, world.b, world.height);
    for (what, action, refusal) in [
        ("too late", lock(b, 1, height, None), Refusal::EscrowOver),
        ("too much", lock(b, 1001, height + 9, None), Refusal::InsufficientFunds),
        ("for itself", lock(a, 1, height + 9, None), Refusal::ChangesNothing),
        ("for nobody", lock(EntityId([9; 32]), 1, height + 9, None), Refusal::UnknownPayee),
    ] {
        assert_eq!(world.act(a, action), Err(refusal), "{what}");
    }
    let two = world.signed(&[a], vec![lock(b, 1, height + 9, None); 2]);
    assert_eq!(refused(&world.run(two)), Some(Refusal::OutOfBounds), "two of one transaction");
}

#[test]
fn a_fee_is_paid_by_the_sponsor_while_its_promise_reaches_and_else_by_the_sender() {
    let mut world = World::with_tokens(ONE_EACH);
    let a = world.a;
    let device = world.member(EntityKind::Device, 3);
    assert_eq!(world.act(device, note(b"x")), Err(Refusal::CannotPayFee));
    for (what, sender, action, refusal) in [
        ("by a stranger", world.b, promise(device, 9, 9, 1000), Refusal::NotPermitted),
        ("of itself", a, promise(a, 9, 9, 1000), Refusal::NotPermitted),
        ("over already", a, promise(device, 9, 9, 1), Refusal::Expired),
        ("none", a, Action::EndSponsorship { entity: device }, Refusal::UnknownSponsorship),
    ] {
        assert_eq!(world.act(sender, action), Err(refusal), "{what}");
    }
    world.must(a, promise(device, 2, 3, 1000));
    let before = world.has(&a);
    world.must(device, note(b"1"));
    world.must(device, note(b"2"));
    assert_eq!((world.has(&a), world.has(&device)), (before - 2, 0));
    assert_eq!(world.act(device, note(b"3")), Err(Refusal::CannotPayFee), "two a day");
    world.pace_ms = DAY_MS;
    world.must(device, note(b"4"));
    assert_eq!(world.act(device, note(b"5")), Err(Refusal::CannotPayFee), "three altogether");
    let spent = sponsorship(&world.state, &device).unwrap().unwrap().spent;
    assert_eq!(spent.total, amount(3));
    // With tokens of its own it pays itself.
    world.must(a, pay(device, 2));
    world.must(device, note(b"6"));
    assert_eq!(world.has(&device), 1);
    // Promised anew, the bounds are new; taken back, it ends.
    world.must(a, promise(device, 2, 3, 1000));
    world.must(device, note(b"7"));
    assert_eq!(world.has(&device), 1);
    let stranger = Action::EndSponsorship { entity: device };
    assert_eq!(world.act(world.b, stranger.clone()), Err(Refusal::NotPermitted));
    world.must(a, stranger);
    world.must(device, note(b"8"));
    assert_eq!(world.act(device, note(b"9")), Err(Refusal::CannotPayFee));
    // Until a height.
    world.must(a, promise(device, 2, 3, world.height + 2));
    world.must(device, note(b"10"));
    assert_eq!(world.act(device, note(b"11")), Err(Refusal::CannotPayFee));
}

/// Whoever has tokens for one fee sends two transactions at once; each passes admission, which looks
/// at one alone.
#[test]
fn what_nobody_can_pay_in_a_block_has_no_effect_and_uses_its_nonce() {
    let mut world = World::with_tokens(ONE_EACH);
    let (a, device) = (world.a, world.member(EntityKind::Device, 3));
    world.must(a, pay(device, 1));
    let both =
        [world.signed(&[device], vec![note(b"1")]), world.signed(&[device], vec![note(b"2")])];
    let outcome = world.block(&both);
    let codes: Vec<Option<Refusal>> = outcome.receipts.iter().map(refused).collect();
    assert_eq!(codes, [None, Some(Refusal::CannotPayFee)]);
    let again = world.block(&both[1..]);
    assert_eq!(refused(&again.receipts[0]), Some(Refusal::NonceReused));
    // What is refused for another reason has paid.
    let before = world.has(&a);
    assert_eq!(world.act(a, pay(EntityId([9; 32]), 1)), Err(Refusal::UnknownPayee));
    assert_eq!(world.has(&a), before - 1);
}

#[test]
fn fees_count_bytes_and_gas_and_are_shared_at_the_end_of_an_epoch() {
    let fees = Fees { per_transaction: 1, per_byte: 0, per_million_gas: 3 };
    let mut world = World::with_tokens(fees);
    let (a, b) = (world.a, world.b);
    let call = Action::Execute {
        contract: althing_types::ContractId([9; 32]),
        message: b"{}".to_vec(),
        gas_limit: 1_000_001,
        funds: None,
    };
    assert_eq!(world.act(a, call), Err(Refusal::UnknownContract));
    assert_eq!((world.has(&a), world.supply().fees), (993, amount(7)));
    world.pass(31 - world.height);
    // Two validators: three each, and one waits for the next epoch.
    assert_eq!((world.has(&a), world.has(&b), world.supply().fees), (996, 503, amount(1)));
    let set =
        Parameters { fees: Some(Fees { per_transaction: 2, ..fees }), ..world.parameters.clone() };
    world.decide(Change::SetParameters(set));
    let before = world.has(&a);
    world.must(a, note(b"x"));
    assert_eq!(world.has(&a), before - 2, "members changed the price");
    let off = Change::SetParameters(Parameters { fees: None, ..world.parameters.clone() });
    let proposal = Action::Propose(Proposal { change: off, reason: String::new() });
    assert_eq!(world.act(a, proposal), Err(Refusal::ParameterFixed));
    let bytes = Fees { per_byte: 1, ..FREE };
    let mut world = World::with_tokens(bytes);
    let transaction = world.signed(&[a], vec![note(b"x")]);
    let length = transaction.wire().len() as u64;
    world.run(transaction);
    assert_eq!(world.has(&a), 1000 - length);
}

#[test]
fn readings_are_rewarded_until_the_fund_the_day_or_the_time_ends() {
    let mut world = World::with_tokens(FREE);
    let (a, b) = (world.a, world.b);
    let thing: ThingId = world.thing("meter");
    let stream = StreamId::derive(&thing, "temperature");
    let reward = reward_of(stream);
    let offer = |reward| Action::OfferReward(reward);
    for (what, action, refusal) in [
        (
            "of no stream",
            offer(Reward { stream: StreamId([9; 32]), ..reward }),
            Refusal::UnknownStream,
        ),
        ("over already", offer(Reward { until_height: 1, ..reward }), Refusal::Expired),
        ("too much", offer(Reward { fund: amount(501), ..reward }), Refusal::InsufficientFunds),
    ] {
        assert_eq!(world.act(b, action), Err(refusal), "{what}");
    }
    let id = world.must(b, offer(reward)).transaction;
    assert_eq!((world.has(&b), world.supply().rewards), (440, amount(60)));
    let receipt = world.must(a, Action::SubmitBatch(batch(stream, 0, 10)));
    let paid = TokenEvent::RewardPaid { reward: id, to: a, amount: amount(25) };
    assert!(receipt.events.contains(&Event::Token(paid)), "{receipt:?}");
    // 40 a day: 15 more and then nothing; readings count all the same.
    world.must(a, Action::SubmitBatch(batch(stream, 10, 10)));
    world.must(a, Action::SubmitBatch(batch(stream, 20, 10)));
    assert_eq!(world.has(&a), 1040);
    world.pace_ms = DAY_MS;
    world.must(a, Action::SubmitBatch(batch(stream, 30, 10)));
    assert_eq!((world.has(&a), world.supply().rewards), (1060, Amount::ZERO), "20 were left");
    world.must(a, Action::FundReward { reward: id, amount: amount(100) });
    world.must(a, Action::SubmitBatch(batch(stream, 40, 10)));
    assert_eq!(world.has(&a), 985);
    assert_eq!(world.act(a, Action::EndReward { reward: id }), Err(Refusal::NotPermitted));
    world.must(b, Action::EndReward { reward: id });
    assert_eq!((world.has(&b), world.supply().rewards), (515, Amount::ZERO));
    assert_eq!(world.act(b, Action::EndReward { reward: id }), Err(Refusal::UnknownReward));
    assert!(rewards_of(&world.state, &stream).unwrap().is_empty());
    // Nobody is paid for readings of its own.
    world.must(a, offer(reward));
    let before = world.has(&a);
    world.must(a, Action::SubmitBatch(batch(stream, 50, 10)));
    assert_eq!(world.has(&a), before);
}

#[test]
fn rewards_of_a_stream_have_a_number_and_those_whose_time_passed_make_room() {
    let mut world = World::with_tokens(FREE);
    let (a, b) = (world.a, world.b);
    let thing = world.thing("meter");
    let stream = StreamId::derive(&thing, "temperature");
    let until_height = world.height + 20;
    let short = Reward { fund: amount(1), until_height, ..reward_of(stream) };
    for _ in 0..REWARDS {
        world.must(b, Action::OfferReward(short));
    }
    assert_eq!(world.act(b, Action::OfferReward(short)), Err(Refusal::TooManyRewards));
    world.pass(until_height - world.height);
    world.must(a, Action::SubmitBatch(batch(stream, 0, 1)));
    assert_eq!((world.has(&a), world.has(&b)), (1000, 492), "their time has passed");
    world.must(b, Action::OfferReward(Reward { until_height: 1000, ..short }));
    assert_eq!((rewards_of(&world.state, &stream).unwrap().len(), world.has(&b)), (1, 499));
}

const REWARDS: usize = althing_types::limits::REWARDS_OF_STREAM_MAX;

#[test]
fn an_owner_takes_what_a_revoked_entity_has() {
    let mut world = World::with_tokens(FREE);
    let (a, b) = (world.a, world.b);
    let device = world.member(EntityKind::Device, 3);
    world.must(a, pay(device, 50));
    let sweep = Action::SweepAccount { account: device };
    assert_eq!(world.act(a, sweep.clone()), Err(Refusal::NotPermitted), "it can still sign");
    world.must(a, Action::RevokeEntity { entity: device });
    assert_eq!(world.act(b, sweep.clone()), Err(Refusal::NotPermitted));
    world.must(a, sweep.clone());
    assert_eq!(world.has(&a), 1000);
    assert_eq!(world.act(a, sweep), Err(Refusal::InsufficientFunds), "nothing is left");
    let nobody = Action::SweepAccount { account: EntityId([9; 32]) };
    assert_eq!(world.act(a, nobody), Err(Refusal::UnknownEntity));
}

#[test]
fn the_history_of_an_account_adds_up_to_its_balance() {
    let mut world = World::with_tokens(ONE_EACH);
    let (a, b) = (world.a, world.b);
    let transactions = [
        world.signed(&[a], vec![pay(b, 10), pay(b, 20)]),
        world.signed(&[b], vec![pay(a, 5), lock(a, 7, 100, None)]),
        world.signed(&[a], vec![pay(b, 5000)]),
    ];
    let outcome = world.block(&transactions);
    let prefix = crate::index::movements_of(&a);
    let rows = outcome.index.iter().filter(|(key, _)| key.starts_with(&prefix));
    let lines: Vec<(Vec<u8>, Movement)> = rows
        .map(|(key, value)| (key.clone(), Movement::from_wire(value.as_ref().unwrap()).unwrap()))
        .collect();
    assert!(lines.is_sorted_by(|one, next| one.0 < next.0), "in order, none twice");
    let mut balance = amount(1000);
    for (_, line) in &lines {
        balance = if line.incoming {
            balance.plus(line.amount).unwrap()
        } else {
            balance.minus(line.amount).unwrap()
        };
        assert_eq!(line.balance, balance, "{line:?}");
    }
    let told: Vec<(Reason, bool, u128)> =
        lines.iter().map(|(_, line)| (line.reason, line.incoming, line.amount.units())).collect();
    let expected = [
        (Reason::Fee, false, 1),
        (Reason::Transfer, false, 10),
        (Reason::Transfer, false, 20),
        (Reason::Transfer, true, 5),
        (Reason::Fee, false, 1),
    ];
    assert_eq!(told, expected);
    assert_eq!(account(&world.state, &a).unwrap().balance, balance);
}

#[test]
fn the_longest_records_fit() {
    let (most, id) = (Amount::MAX, EntityId([255; 32]));
    let spent = Spent { total: most, today: most, day: u64::MAX };
    let memo = "x".repeat(128);
    let terms = Escrow {
        payee: id,
        amount: most,
        until_height: u64::MAX,
        arbiter: Some(id),
        memo: memo.clone(),
    };
    let escrow = EscrowRecord { payer: id, terms, since_height: u64::MAX };
    assert_eq!(EscrowRecord::from_wire(&escrow.to_wire()), Ok(escrow));
    let terms = Sponsorship { entity: id, per_day: most, total: most, until_height: u64::MAX };
    let sponsorship = SponsorshipRecord { sponsor: id, terms, spent, since_height: u64::MAX };
    assert_eq!(SponsorshipRecord::from_wire(&sponsorship.to_wire()), Ok(sponsorship));
    let terms = Reward {
        stream: StreamId([255; 32]),
        per_batch: most,
        per_reading: most,
        per_day: most,
        fund: most,
        until_height: u64::MAX,
    };
    let reward = RewardRecord { payer: id, terms, left: most, spent, since_height: u64::MAX };
    assert_eq!(RewardRecord::from_wire(&reward.to_wire()), Ok(reward));
    let supply = Supply {
        total: most,
        accounts: most,
        escrows: most,
        rewards: most,
        fees: most,
        staked: Some(most),
    };
    assert_eq!(Supply::from_wire(&supply.to_wire()), Ok(supply));
    let movement = Movement {
        reason: Reason::Sweep,
        incoming: true,
        amount: most,
        balance: most,
        other: Some(id),
        transaction: Some(TxId([255; 32])),
        memo,
    };
    assert_eq!(Movement::from_wire(&movement.to_wire()), Ok(movement));
    let (name, symbol) = ("x".repeat(64), "x".repeat(16));
    let token = TokenRecord { name, symbol, decimals: 18 };
    assert_eq!(TokenRecord::from_wire(&token.to_wire()), Ok(token));
}

#[test]
fn a_genesis_founds_tokens_for_its_organisations_only() {
    let genesis = crate::testing::genesis;
    let (name, symbol) = ("Watt".to_owned(), "watt".to_owned());
    let token = Token { name, symbol, decimals: 2, initial: Vec::new() };
    let founder = genesis().organisations[0].inception.id();
    let of = |account| {
        let initial = vec![althing_types::Allocation { account, amount: amount(1) }];
        Some(Token { initial, ..token.clone() })
    };
    for (what, token, fees, epoch_blocks, good) in [
        ("neither", None, None, None, true),
        ("fees alone", None, Some(FREE), Some(32), false),
        ("no fees", of(founder), None, Some(32), false),
        ("no epochs", of(founder), Some(FREE), None, false),
        ("both", of(founder), Some(FREE), Some(32), true),
        ("of somebody else", of(EntityId([9; 32])), Some(FREE), Some(32), false),
    ] {
        let mut genesis = genesis();
        (genesis.token, genesis.parameters.fees) = (token, fees);
        genesis.parameters.epoch_blocks = epoch_blocks;
        assert_eq!(genesis.check().is_ok(), good, "{what}");
    }
    assert_eq!(BEGIN_MS, genesis().time_ms);
}

/// What a wallet may do, with amounts around what it has.
fn actions() -> impl Strategy<Value = Vec<(u8, u8, u8, u64)>> {
    proptest::collection::vec((0..12_u8, 0..4_u8, 0..4_u8, 0..700_u64), 1..60)
}

proptest! {
    /// The world counts all tokens again after each block.
    #[test]
    fn whatever_is_done_no_token_is_lost_and_none_comes_from_nowhere(steps in actions(), price in 0..3_u64) {
        let fees = Fees { per_transaction: price, ..FREE };
        let mut world = World::with_tokens(fees);
        let (a, b) = (world.a, world.b);
        let accounts = [a, b, world.member(EntityKind::Device, 3), world.member(EntityKind::Service, 5)];
        let thing = world.thing("meter");
        let stream = StreamId::derive(&thing, "temperature");
        let (mut last, mut next) = (TxId::default(), 0);
        let total = world.supply().total;
        let mut burnt = Amount::ZERO;
        for (what, from, to, units) in steps {
            let (sender, to) = (accounts[usize::from(from)], accounts[usize::from(to)]);
            let action = match what {
                0..=2 => pay(to, units.max(1)),
                3 => Action::BurnTokens { amount: amount(units.max(1)) },
                4 => lock(to, units.max(1), world.height + 1 + units % 3, Some(b)),
                5 => Action::ReleaseEscrow { escrow: last },
                6 => Action::RefundEscrow { escrow: last },
                7 => promise(to, units.max(1), units.max(1), world.height + 10),
                8 => Action::OfferReward(Reward { fund: amount(units.max(1)), ..reward_of(stream) }),
                9 => Action::FundReward { reward: last, amount: amount(units.max(1)) },
                10 => Action::EndReward { reward: last },
                _ => Action::SubmitBatch(batch(stream, next, 3)),
            };
            let transaction = world.signed(&[sender], vec![action.clone()]);
            let id = transaction.id();
            let receipt = world.block(&[transaction]).receipts.remove(0);
            if receipt.code == 0 {
                match action {
                    Action::BurnTokens { amount } => burnt = burnt.plus(amount).unwrap(),
                    Action::SubmitBatch(_) => next += 3,
                    Action::OpenEscrow(_) | Action::OfferReward(_) => last = id,
                    _ => {}
                }
            }
            prop_assert_eq!(world.supply().total.plus(burnt), Some(total));
        }
    }
}
