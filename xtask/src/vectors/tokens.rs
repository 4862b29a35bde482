//! Tokens: one of each action and event.

use althing_types::{
    Action, Allocation, Amount, ContractId, EntityId, Escrow, Event, Fees, Mode, Reward,
    Sponsorship, StreamId, Token, TokenEvent, Transfer, TxId,
};
use serde_json::{Value, json};

use super::founding;

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
    ]
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
        _ => return None,
    })
}

pub(super) fn events() -> Vec<(&'static str, Event)> {
    use TokenEvent as E;
    let (amount, escrow, reward, stream) = (Amount::from(300), ESCROW, REWARD, STREAM);
    let (payer, payee, until_height) = (ACCOUNT, OTHER, 1000);
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
    ]
    .map(|(name, event)| (name, Event::Token(event)))
    .into()
}
