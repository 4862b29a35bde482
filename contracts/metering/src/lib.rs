//! Bill what a meter has counted: a service that is a contract (Y.4464 10.4).
//!
//! Whoever is let call it has a meter billed: the contract reads the meter's newest reading from the
//! ledger, charges what was counted since the last bill, and writes a record of kind `bill` that
//! notifies the meter's owner. Anyone may ask what a meter owes.
//!
//! It also charges for a service that runs outside the ledger (Y.4464 9.3, approach 2): whoever made the
//! contract gives callers units, and takes one or more for each use in a transaction that both sign.

use althing_contract_std::{AlthingMsg, AlthingQuery, latest, thing};
use cosmwasm_std::{
    Binary, Deps, DepsMut, Env, MessageInfo, Response, StdError, StdResult, Storage, entry_point,
    from_json, to_json_binary,
};
use serde::{Deserialize, Serialize};

const TARIFF: &[u8] = b"tariff";
/// Who made the contract, and gives and takes units.
const PROVIDER: &[u8] = b"provider";

/// The first message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InstantiateMsg {
    /// The property of meters that counts, and only ever grows.
    pub property: String,
    /// Price of one unit at the property's scale, in the smallest unit of the currency.
    pub price: u64,
    /// The currency.
    pub currency: String,
}

/// What can be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecuteMsg {
    /// Bills a meter; answers with [`Bill`] in the data.
    Bill {
        /// DID of the meter.
        thing: String,
    },
    /// Gives a caller units; by whoever made the contract.
    Credit {
        /// DID of the caller.
        account: String,
        /// How many more.
        units: u64,
    },
    /// Takes units for a use; by whoever made the contract.
    Debit {
        /// DID of the caller.
        account: String,
        /// How many.
        units: u64,
    },
}

/// What can be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryMsg {
    /// The terms; answers with [`Tariff`].
    Tariff {},
    /// What a meter owes; answers with [`Account`].
    Account {
        /// DID of the meter.
        thing: String,
    },
    /// How many units a caller has; answers with [`Credit`].
    Credit {
        /// DID of the caller.
        account: String,
    },
}

/// What a caller has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// Units that are left.
    pub left: u64,
    /// Units that were taken so far.
    pub used: u64,
}

/// The terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tariff {
    /// The property that counts.
    pub property: String,
    /// Price of one unit at its scale.
    pub price: u64,
    /// The currency.
    pub currency: String,
}

/// What a meter owes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The reading up to which it was billed.
    pub billed: i64,
    /// All bills together, in text since it may exceed what JSON numbers hold.
    pub owed: String,
    /// How many bills there were.
    pub bills: u32,
}

/// One bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// DID of the meter.
    pub thing: String,
    /// The reading it goes up to.
    pub reading: i64,
    /// Units since the last bill.
    pub units: i64,
    /// What they cost.
    pub amount: String,
    /// The currency.
    pub currency: String,
    /// DID of whoever asked for it.
    pub asked_by: String,
}

/// Sets the terms.
#[cfg_attr(target_arch = "wasm32", entry_point)]
pub fn instantiate(
    deps: DepsMut<AlthingQuery>,
    _env: Env,
    info: MessageInfo,
    message: InstantiateMsg,
) -> StdResult<Response<AlthingMsg>> {
    let InstantiateMsg { property, price, currency } = message;
    deps.storage.set(TARIFF, &to_json_binary(&Tariff { property, price, currency })?);
    deps.storage.set(PROVIDER, info.sender.as_bytes());
    Ok(Response::new())
}

/// Does what a message says.
#[cfg_attr(target_arch = "wasm32", entry_point)]
pub fn execute(
    deps: DepsMut<AlthingQuery>,
    _env: Env,
    info: MessageInfo,
    message: ExecuteMsg,
) -> StdResult<Response<AlthingMsg>> {
    match message {
        ExecuteMsg::Bill { thing } => bill(deps, info, thing),
        ExecuteMsg::Credit { account, units } => change_credit(deps, &info, &account, |credit| {
            credit.left = credit.left.checked_add(units)?;
            Some(())
        }),
        ExecuteMsg::Debit { account, units } => change_credit(deps, &info, &account, |credit| {
            credit.left = credit.left.checked_sub(units)?;
            credit.used = credit.used.checked_add(units)?;
            Some(())
        }),
    }
}

/// Gives units to a caller or takes some; the change gives nothing if there are too few or too many.
fn change_credit(
    deps: DepsMut<AlthingQuery>,
    info: &MessageInfo,
    account: &str,
    change: impl Fn(&mut Credit) -> Option<()>,
) -> StdResult<Response<AlthingMsg>> {
    if deps.storage.get(PROVIDER).as_deref() != Some(info.sender.as_bytes()) {
        return Err(StdError::msg("only the provider gives and takes units"));
    }
    let key = credit_key(account);
    let mut credit = credit(deps.storage, account)?;
    change(&mut credit)
        .ok_or_else(|| StdError::msg("the caller has too few units, or too many"))?;
    deps.storage.set(&key, &to_json_binary(&credit)?);
    Ok(Response::new()
        .add_attribute("account", account)
        .add_attribute("left", credit.left.to_string())
        .add_attribute("used", credit.used.to_string())
        .set_data(to_json_binary(&credit)?))
}

fn credit_key(account: &str) -> Vec<u8> {
    [b"credit/", account.as_bytes()].concat()
}

fn credit(storage: &dyn Storage, account: &str) -> StdResult<Credit> {
    storage.get(&credit_key(account)).map_or_else(|| Ok(Credit::default()), from_json)
}

/// Bills a meter.
fn bill(
    deps: DepsMut<AlthingQuery>,
    info: MessageInfo,
    meter: String,
) -> StdResult<Response<AlthingMsg>> {
    let tariff = tariff(deps.storage)?;
    let owner = thing(&deps.querier, &meter)?.ok_or_else(|| StdError::msg("no such meter"))?.owner;
    let stream = latest(&deps.querier, &meter, &tariff.property)?
        .ok_or_else(|| StdError::msg("the meter does not count"))?;
    if !stream.readable {
        return Err(StdError::msg("the owner does not let the service read the meter"));
    }
    let reading = stream.latest.and_then(|latest| latest.max);
    let reading = reading.ok_or_else(|| StdError::msg("the meter has no reading yet"))?;
    let mut account = account(deps.storage, &meter)?;
    let units = reading
        .checked_sub(account.billed)
        .filter(|units| *units >= 0)
        .ok_or_else(|| StdError::msg("the meter ran backwards"))?;
    let amount = i128::from(units) * i128::from(tariff.price);
    let owed: i128 = account.owed.parse().unwrap_or(0);
    account.owed = (owed + amount).to_string();
    account.billed = reading;
    account.bills += 1;
    deps.storage.set(&key(&meter), &to_json_binary(&account)?);
    let bill = Bill {
        thing: meter,
        reading,
        units,
        amount: amount.to_string(),
        currency: tariff.currency,
        asked_by: info.sender.to_string(),
    };
    let data = to_json_binary(&bill)?;
    let record = AlthingMsg::Record {
        kind: "bill".into(),
        data: data.clone(),
        notify: vec![owner],
        link: None,
    };
    Ok(Response::new()
        .add_attribute("units", units.to_string())
        .add_attribute("amount", bill.amount)
        .add_message(record)
        .set_data(data))
}

/// Answers a question.
#[cfg_attr(target_arch = "wasm32", entry_point)]
pub fn query(deps: Deps<AlthingQuery>, _env: Env, message: QueryMsg) -> StdResult<Binary> {
    match message {
        QueryMsg::Tariff {} => to_json_binary(&tariff(deps.storage)?),
        QueryMsg::Credit { account } => to_json_binary(&credit(deps.storage, &account)?),
        QueryMsg::Account { thing } => to_json_binary(&account(deps.storage, &thing)?),
    }
}

fn tariff(storage: &dyn Storage) -> StdResult<Tariff> {
    from_json(storage.get(TARIFF).ok_or_else(|| StdError::msg("not begun"))?)
}

fn key(meter: &str) -> Vec<u8> {
    [b"account/", meter.as_bytes()].concat()
}

fn account(storage: &dyn Storage, meter: &str) -> StdResult<Account> {
    storage.get(&key(meter)).map_or_else(|| Ok(Account::default()), from_json)
}

#[cfg(test)]
mod tests {
    use althing_contract_std::Thing;
    use cosmwasm_std::{
        ContractResult, OwnedDeps, SystemResult,
        testing::{MockApi, MockQuerier, MockStorage, message_info, mock_env},
    };

    use super::*;

    type Bench = OwnedDeps<MockStorage, MockApi, MockQuerier<AlthingQuery>, AlthingQuery>;

    fn bench() -> Bench {
        let mut deps = OwnedDeps {
            storage: MockStorage::default(),
            api: MockApi::default(),
            querier: MockQuerier::<AlthingQuery>::new(&[]),
            custom_query_type: std::marker::PhantomData,
        };
        let terms =
            InstantiateMsg { property: "energy".into(), price: 30, currency: "cent".into() };
        let info = message_info(&deps.api.addr_make("service"), &[]);
        instantiate(deps.as_mut(), mock_env(), info, terms).unwrap();
        deps
    }

    /// A ledger on which the meter stands at a reading.
    fn stands_at(deps: &mut Bench, reading: Option<i64>, readable: bool) {
        deps.querier = MockQuerier::new(&[]).with_custom_handler(move |question| {
            let answer = match question {
                AlthingQuery::Thing { .. } => to_json_binary(&Thing {
                    owner: "did:althing:demo:owner".into(),
                    name: "meter".into(),
                    version: 1,
                    active: true,
                }),
                _ => {
                    // As the ledger writes it: numbers that may be large are texts.
                    let latest = reading.map(|reading| {
                        serde_json::json!({
                            "first_seq": "7", "count": 1, "claimed_ms": "1", "ledger_ms": "2",
                            "min": reading.to_string(), "max": reading.to_string(),
                            "sum": reading.to_string(),
                        })
                    });
                    let stream = serde_json::json!({
                        "kind": "number", "unit": "kW.h", "scale": 0, "next_seq": 8,
                        "readable": readable, "latest": latest,
                    });
                    Ok(Binary::from(stream.to_string().into_bytes()))
                }
            };
            SystemResult::Ok(ContractResult::Ok(answer.unwrap()))
        });
    }

    fn bill(deps: &mut Bench) -> StdResult<Bill> {
        let info = message_info(&deps.api.addr_make("caller"), &[]);
        let message = ExecuteMsg::Bill { thing: "did:althing:demo:meter".into() };
        let response = execute(deps.as_mut(), mock_env(), info, message)?;
        assert_eq!(response.messages.len(), 1, "the owner is told by a record");
        from_json(response.data.unwrap())
    }

    #[test]
    fn what_was_counted_since_the_last_bill_is_charged() {
        let mut deps = bench();
        stands_at(&mut deps, Some(100), true);
        let first = bill(&mut deps).unwrap();
        assert_eq!((first.units, first.amount.as_str()), (100, "3000"));
        stands_at(&mut deps, Some(107), true);
        assert_eq!(bill(&mut deps).unwrap().amount, "210");
        assert_eq!(bill(&mut deps).unwrap().units, 0);
        let question = QueryMsg::Account { thing: "did:althing:demo:meter".into() };
        let account: Account =
            from_json(query(deps.as_ref(), mock_env(), question).unwrap()).unwrap();
        assert_eq!(account, Account { billed: 107, owed: "3210".into(), bills: 3 });
    }

    #[test]
    fn units_are_given_and_taken_by_the_provider_alone() {
        let mut deps = bench();
        let (provider, other) = (deps.api.addr_make("service"), deps.api.addr_make("caller"));
        let account = "did:althing:demo:caller".to_owned();
        let give = |units| ExecuteMsg::Credit { account: account.clone(), units };
        let take = |units| ExecuteMsg::Debit { account: account.clone(), units };
        let left = |deps: &Bench| {
            let question = QueryMsg::Credit { account: account.clone() };
            let credit: Credit =
                from_json(query(deps.as_ref(), mock_env(), question).unwrap()).unwrap();
            (credit.left, credit.used)
        };
        for (sender, message, fits, expected) in [
            (&provider, take(1), false, (0, 0)),
            (&other, give(5), false, (0, 0)),
            (&provider, give(2), true, (2, 0)),
            (&provider, take(1), true, (1, 1)),
            (&other, take(1), false, (1, 1)),
            (&provider, take(2), false, (1, 1)),
            (&provider, give(u64::MAX), false, (1, 1)),
            (&provider, take(1), true, (0, 2)),
        ] {
            let done = execute(deps.as_mut(), mock_env(), message_info(sender, &[]), message);
            assert_eq!((done.is_ok(), left(&deps)), (fits, expected));
        }
    }

    #[test]
    fn what_cannot_be_billed_says_why() {
        let mut deps = bench();
        for (reading, readable, why) in [
            (None, true, "no reading"),
            (Some(1), false, "does not let"),
            (Some(-1), true, "backwards"),
        ] {
            stands_at(&mut deps, reading, readable);
            let error = bill(&mut deps).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
