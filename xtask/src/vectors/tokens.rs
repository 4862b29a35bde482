//! Tokens: one of each action and event.

use althing_types::{
    Action, Allocation, Amount, CastVote, ContractId, Digest, DoubleVote, EntityId, Escrow, Event,
    Fees, Mechanism, Mode, Phase, Reward, Sponsorship, Stake, StakeRules, StakedSeat, StreamId,
    Suite, Token, TokenEvent, Transfer, TxId, possession_bytes, vote_bytes,
};
use serde_json::{Value, json};

use super::{
    founding,
    identity::{LEDGER, key},
};

const ACCOUNT: EntityId = EntityId([0xac; 32]);
const OTHER: EntityId = EntityId([0x0e; 32]);
const CONTRACT: ContractId = ContractId([0x6b; 32]);
const ESCROW: TxId = TxId([0xe5; 32]);
const REWARD: TxId = TxId([0x4e; 32]);
const STREAM: StreamId = StreamId([0x57; 32]);

/// More than 64 bits.
fn much() -> Amount {
    Amount::from(u64::MAX).times(1000)
}

/// A ledger with tokens.
pub(super) fn genesis() -> althing_types::Genesis {
    let mut genesis = founding::genesis(4, Mode::Public);
    let initial = genesis
        .organisations
        .iter()
        .map(|organisation| Allocation { account: organisation.inception.id(), amount: much() });
    let (name, symbol) = ("Watt".into(), "uwatt".into());
    genesis.token = Some(Token { name, symbol, decimals: 6, initial: initial.take(2).collect() });
    genesis.parameters.fees =
        Some(Fees { per_transaction: 1000, per_byte: 10, per_million_gas: 500 });
    genesis
}

/// A ledger whose seats follow from stakes.
pub(super) fn genesis_of_stake() -> althing_types::Genesis {
    let mut genesis = genesis();
    if let Some(token) = &mut genesis.token {
        let founders = genesis.organisations.iter().map(|founder| founder.inception.id());
        let of = |account| Allocation { account, amount: much() };
        token.initial = founders.map(of).collect();
    }
    genesis.parameters.stake = Some(rules());
    genesis
}

fn rules() -> StakeRules {
    StakeRules {
        seats_min: 4,
        seats_max: 128,
        least: Amount::from(1_000_000_000),
        founding: Amount::from(5_000_000_000),
        locked_epochs: 64,
        silent_epochs: 16,
        burnt_percent: 10,
    }
}

pub(super) fn rules_json(rules: &StakeRules) -> Value {
    json!({
        "seats_min": rules.seats_min,
        "seats_max": rules.seats_max,
        "least": rules.least.to_string(),
        "founding": rules.founding.to_string(),
        "locked_epochs": rules.locked_epochs,
        "silent_epochs": rules.silent_epochs,
        "burnt_percent": rules.burnt_percent,
    })
}

/// A peer that votes by a key that it holds.
fn seat() -> StakedSeat {
    let voting = key(Suite::Ed25519, 9);
    let public = voting.public_key();
    let possession = voting.sign(&possession_bytes(&LEDGER, &OTHER, &public));
    let key = public.bytes.try_into().expect("an Ed25519 key has 32 bytes");
    StakedSeat { key, address: "peer.example:7000".into(), possession }
}

pub(super) fn token_json(token: &Token) -> Value {
    let initial = token.initial.iter().map(
        |each| json!({ "account": hex::encode(each.account.0), "amount": each.amount.to_string() }),
    );
    json!({
        "name": token.name,
        "symbol": token.symbol,
        "decimals": token.decimals,
        "initial": initial.collect::<Vec<_>>(),
    })
}

pub(super) fn fees_json(fees: Fees) -> Value {
    json!({
        "per_transaction": fees.per_transaction,
        "per_byte": fees.per_byte,
        "per_million_gas": fees.per_million_gas,
    })
}

/// Those about tokens, and calls that carry some.
pub(super) fn actions() -> Vec<Action> {
    let escrow = |arbiter| {
        let memo = "for 7 pallets".into();
        let (amount, until_height) = (Amount::from(300), 1000);
        Action::OpenEscrow(Escrow { payee: OTHER, amount, until_height, arbiter, memo })
    };
    vec![
        Action::Transfer(Transfer { to: OTHER, amount: much(), memo: "for power in März".into() }),
        Action::Transfer(Transfer { to: OTHER, amount: Amount::MAX, memo: String::new() }),
        Action::BurnTokens { amount: Amount::from(256) },
        escrow(Some(ACCOUNT)),
        escrow(None),
        Action::ReleaseEscrow { escrow: ESCROW },
        Action::RefundEscrow { escrow: ESCROW },
        Action::SweepAccount { account: ACCOUNT },
        Action::Sponsor(Sponsorship {
            entity: ACCOUNT,
            per_day: Amount::from(5000),
            total: Amount::from(100_000),
            until_height: 1_000_000,
        }),
        Action::EndSponsorship { entity: ACCOUNT },
        Action::OfferReward(Reward {
            stream: STREAM,
            per_batch: Amount::ZERO,
            per_reading: Amount::from(3),
            per_day: Amount::from(900),
            fund: Amount::from(90_000),
            until_height: 1_000_000,
        }),
        Action::FundReward { reward: REWARD, amount: Amount::from(1) },
        Action::EndReward { reward: REWARD },
        Action::Execute {
            contract: CONTRACT,
            message: b"{\"buy\":{}}".to_vec(),
            gas_limit: 1_000_000,
            funds: Some(Amount::from(70_000)),
        },
        Action::Stake(Stake { peer: OTHER, amount: much(), seat: Some(seat()) }),
        Action::Stake(Stake { peer: OTHER, amount: Amount::ZERO, seat: Some(seat()) }),
        Action::Stake(Stake { peer: OTHER, amount: Amount::from(5), seat: None }),
        Action::Unstake { peer: OTHER, amount: Some(Amount::from(5)) },
        Action::Unstake { peer: OTHER, amount: None },
        Action::CollectStake { peer: OTHER },
        Action::ReportDoubleVote(double_vote(Phase::Notarize, Some(1))),
        Action::ReportDoubleVote(double_vote(Phase::Nullify, None)),
    ]
}

/// Votes by one key in one view: two for blocks, or one to give the view up and one to finalize in it.
fn double_vote(phase: Phase, block: Option<u8>) -> DoubleVote {
    let voting = key(Suite::Ed25519, 9);
    let (epoch, view, parent_view) = (3, 300, 299);
    let vote = |phase, block: Option<u8>| {
        let about = block.map(|byte| (parent_view, Digest([byte; 32])));
        let (parent_view, block) = about.unwrap_or_default();
        let place = (epoch, view, parent_view);
        let message = vote_bytes(Mechanism::Simplex, &LEDGER, phase, place, &block);
        CastVote { phase, parent_view, block, signature: voting.sign(&message) }
    };
    let other = if phase == Phase::Nullify { Phase::Finalize } else { phase };
    let key = voting.public_key().bytes.try_into().expect("an Ed25519 key has 32 bytes");
    DoubleVote { key, epoch, view, first: vote(phase, block), second: vote(other, Some(2)) }
}

/// The fields of those of [`actions`]; none if it is about something else.
pub(super) fn action_json(action: &Action) -> Option<Value> {
    let id = |id: &EntityId| hex::encode(id.0);
    Some(match action {
        Action::Transfer(transfer) => json!({
            "to": id(&transfer.to),
            "amount": transfer.amount.to_string(),
            "memo": transfer.memo,
        }),
        Action::BurnTokens { amount } => json!({ "amount": amount.to_string() }),
        Action::OpenEscrow(terms) => json!({
            "payee": id(&terms.payee),
            "amount": terms.amount.to_string(),
            "until_height": terms.until_height,
            "arbiter": terms.arbiter.as_ref().map(id),
            "memo": terms.memo,
        }),
        Action::ReleaseEscrow { escrow } | Action::RefundEscrow { escrow } => {
            json!({ "escrow": hex::encode(escrow.0) })
        }
        Action::SweepAccount { account } => json!({ "account": id(account) }),
        Action::Sponsor(terms) => json!({
            "entity": id(&terms.entity),
            "per_day": terms.per_day.to_string(),
            "total": terms.total.to_string(),
            "until_height": terms.until_height,
        }),
        Action::EndSponsorship { entity } => json!({ "entity": id(entity) }),
        Action::OfferReward(terms) => json!({
            "stream": hex::encode(terms.stream.0),
            "per_batch": terms.per_batch.to_string(),
            "per_reading": terms.per_reading.to_string(),
            "per_day": terms.per_day.to_string(),
            "fund": terms.fund.to_string(),
            "until_height": terms.until_height,
        }),
        Action::FundReward { reward, amount } => {
            json!({ "reward": hex::encode(reward.0), "amount": amount.to_string() })
        }
        Action::EndReward { reward } => json!({ "reward": hex::encode(reward.0) }),
        Action::Stake(stake) => json!({
            "peer": id(&stake.peer),
            "amount": stake.amount.to_string(),
            "seat": stake.seat.as_ref().map(|seat| json!({
                "key": hex::encode(seat.key),
                "address": seat.address,
                "possession": hex::encode(seat.possession.0),
            })),
        }),
        Action::Unstake { peer, amount } => {
            json!({ "peer": id(peer), "amount": amount.map(|amount| amount.to_string()) })
        }
        Action::CollectStake { peer } => json!({ "peer": id(peer) }),
        Action::ReportDoubleVote(votes) => {
            let vote = |vote: &CastVote| {
                json!({
                    "phase": format!("{:?}", vote.phase).to_lowercase(),
                    "parent_view": vote.parent_view,
                    "block": hex::encode(vote.block.0),
                    "signature": hex::encode(vote.signature.0),
                })
            };
            json!({
                "key": hex::encode(votes.key),
                "epoch": votes.epoch,
                "view": votes.view,
                "first": vote(&votes.first),
                "second": vote(&votes.second),
            })
        }
        _ => return None,
    })
}

pub(super) fn events() -> Vec<(&'static str, Event)> {
    use TokenEvent as E;
    let (amount, escrow, reward, stream) = (Amount::from(300), ESCROW, REWARD, STREAM);
    let (payer, payee, until_height) = (ACCOUNT, OTHER, 1000);
    let (peer, organisation) = (OTHER, ACCOUNT);
    let memo = "for power".into();
    [
        ("tokens transferred", E::Transferred { from: payer, to: payee, amount: much(), memo }),
        ("tokens burnt", E::Burnt { account: payer, amount }),
        ("tokens minted", E::Minted { to: payee, amount }),
        ("account frozen", E::AccountFrozen { account: payee, frozen: true }),
        ("escrow opened", E::EscrowOpened { escrow, payer, payee, amount, until_height }),
        ("escrow released", E::EscrowReleased { escrow, payee, amount }),
        ("escrow refunded", E::EscrowRefunded { escrow, payer, amount }),
        ("sponsored", E::Sponsored { entity: payee, sponsor: payer, until_height }),
        ("sponsorship ended", E::SponsorshipEnded { entity: payee, sponsor: payer }),
        ("reward offered", E::RewardOffered { reward, stream, payer }),
        ("reward funded", E::RewardFunded { reward, from: payee, amount }),
        ("reward paid", E::RewardPaid { reward, to: payee, amount }),
        ("reward ended", E::RewardEnded { reward, payer, amount: Amount::ZERO }),
        ("staked", E::Staked { peer, organisation, amount, stake: much() }),
        ("unstaked", E::Unstaked { peer, organisation, amount, free_epoch: 70 }),
        ("stake collected", E::StakeCollected { peer, organisation, amount }),
        ("candidate dropped", E::CandidateDropped { peer, organisation, silent_epochs: 16 }),
        ("seats kept", E::SeatsKept { candidates: 3, needed: 4 }),
        ("stake burnt", E::StakeBurnt { peer, organisation, amount, epoch: 3 }),
    ]
    .map(|(name, event)| (name, Event::Token(event)))
    .into()
}
