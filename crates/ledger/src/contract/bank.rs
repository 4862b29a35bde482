//! Tokens as contracts know them: coins of CosmWasm, of which a ledger has one sort or none.

use althing_state::Read;
use althing_types::{Amount, ContractId, EntityId, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    key,
    token::{self, Account, Supply, TokenRecord},
    transition::{Actor, Stop, Transition},
};

/// Tokens and how they are called.
#[derive(Debug, Deserialize)]
pub(super) struct Coin {
    denom: String,
    amount: String,
}

/// What a contract does with tokens of its own.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bank {
    Send { to_address: String, amount: Vec<Coin> },
    Burn { amount: Vec<Coin> },
}

/// What it asks about tokens.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Question {
    Balance { address: String, denom: String },
    Supply { denom: String },
}

/// Does it. A ledger without tokens offers none of it.
pub(super) fn carry_out<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    message: &Bank,
) -> Result<(), Stop> {
    match message {
        Bank::Send { to_address, amount } => {
            let (to, amount) = (state.entity_at(to_address)?, some(state, amount)?);
            pay(state, &actor.id, actor, &to, amount)
        }
        Bank::Burn { amount } => {
            let amount = some(state, amount)?;
            token::burn(state, actor, amount)
        }
    }
}

/// How much coins are; nothing if there are none.
pub(super) fn amount<R: Read>(state: &Transition<'_, R>, coins: &[Coin]) -> Result<Amount, Stop> {
    if coins.is_empty() { Ok(Amount::ZERO) } else { some(state, coins) }
}

fn some<R: Read>(state: &Transition<'_, R>, coins: &[Coin]) -> Result<Amount, Stop> {
    let record = record(state)?.ok_or(Refusal::MessageUnsupported)?;
    let [coin] = coins else { return Err(Refusal::MessageUnsupported.into()) };
    if coin.denom != record.symbol {
        return Err(Refusal::InsufficientFunds.into());
    }
    let amount = Amount::parse(&coin.amount).filter(|amount| !amount.is_zero());
    Ok(amount.ok_or(Refusal::OutOfBounds)?)
}

fn record<R: Read>(state: &Transition<'_, R>) -> Result<Option<TokenRecord>, Stop> {
    match state.now.parameters.fees {
        Some(_) => Ok(state.get(&key::token())?),
        None => Ok(None),
    }
}

/// Gives a contract what goes with a call.
pub(super) fn fund<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    sender: &EntityId,
    contract: &ContractId,
    funds: Amount,
) -> Result<(), Stop> {
    if funds.is_zero() {
        return Ok(());
    }
    pay(state, sender, actor, &contract.actor(), funds)
}

/// Pays; a contract may also pay itself what it has, which libraries of contracts count on.
fn pay<R: Read>(
    state: &mut Transition<'_, R>,
    from: &EntityId,
    actor: &Actor,
    to: &EntityId,
    amount: Amount,
) -> Result<(), Stop> {
    if from != to {
        return token::move_to(state, &Actor { id: *from, ..*actor }, to, amount, "");
    }
    token::must_be_on(state)?;
    let account: Account = state.get(&key::account(from))?.unwrap_or_default();
    let has = !account.frozen && account.balance >= amount;
    if has { Ok(()) } else { Err(Refusal::InsufficientFunds.into()) }
}

/// What a contract is told came with a call.
pub(super) fn told<R: Read>(state: &Transition<'_, R>, funds: Amount) -> Result<Value, Stop> {
    match record(state)?.filter(|_| !funds.is_zero()) {
        Some(record) => Ok(json!([coin(&record.symbol, funds)])),
        None => Ok(json!([])),
    }
}

fn coin(denom: &str, amount: Amount) -> Value {
    json!({ "amount": amount.to_string(), "denom": denom })
}

/// Answers a question; none if the ledger has no tokens. There is nothing of what it does not know.
pub(super) fn answer<R: Read>(
    state: &mut Transition<'_, R>,
    question: &Question,
) -> Result<Option<Value>, Stop> {
    let Some(record) = record(state)? else { return Ok(None) };
    let (denom, amount) = match question {
        Question::Balance { address, denom } => {
            let id = state.entity_at(address)?;
            let account: Account = state.get(&key::account(&id))?.unwrap_or_default();
            (denom, account.balance)
        }
        Question::Supply { denom } => {
            let supply: Supply = state.get(&key::token_supply())?.unwrap_or_default();
            (denom, supply.total)
        }
    };
    let amount = if *denom == record.symbol { amount } else { Amount::ZERO };
    Ok(Some(json!({ "amount": coin(denom, amount) })))
}
