//! Sell goods for tokens, and give receipts (Y.4464 Appendix II.4).
//!
//! Whoever made the contract says what is sold, for how much, and how much of it is there. Whoever sends
//! the price buys: the contract keeps a receipt, which anyone who knows its number may ask for, and
//! passes the tokens on to the shopkeeper in the same transaction. What cannot be sold is refused, and then
//! the tokens have not moved either.

use cosmwasm_std::{
    BankMsg, Binary, Deps, DepsMut, Env, MessageInfo, Response, StdError, StdResult, Storage,
    Uint256, from_json, to_json_binary,
};
use serde::{Deserialize, Serialize};
use trade::{ExecuteMsg, Offer, QueryMsg, Receipt};

const KEEPER: &[u8] = b"keeper";
const SALES: &[u8] = b"sales";
/// Longest name of goods, bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// The first message: the shop begins empty.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InstantiateMsg {}

/// Opens the shop; who does is the shopkeeper.
#[cfg_attr(target_arch = "wasm32", cosmwasm_std::entry_point)]
pub fn instantiate(
    deps: DepsMut,
    _env: Env,
    info: MessageInfo,
    _message: InstantiateMsg,
) -> StdResult<Response> {
    deps.storage.set(KEEPER, info.sender.as_bytes());
    Ok(Response::new())
}

/// Does what a message says.
#[cfg_attr(target_arch = "wasm32", cosmwasm_std::entry_point)]
pub fn execute(
    deps: DepsMut,
    env: Env,
    info: MessageInfo,
    message: ExecuteMsg,
) -> StdResult<Response> {
    match message {
        ExecuteMsg::Offer { goods, price, stock } => {
            offer(deps, &info, &goods, &Offer { price, stock })
        }
        ExecuteMsg::Buy { goods } => buy(deps, &env, info, goods),
    }
}

fn offer(deps: DepsMut, info: &MessageInfo, goods: &str, offer: &Offer) -> StdResult<Response> {
    if keeper(deps.storage)? != info.sender.as_str() {
        return Err(StdError::msg("only the shopkeeper says what is sold"));
    }
    if goods.is_empty() || goods.len() > NAME_BYTES_MAX {
        return Err(StdError::msg("the name of goods has 1 to 64 bytes"));
    }
    if offer.price.amount == Uint256::zero() {
        return Err(StdError::msg("a price is more than nothing"));
    }
    deps.storage.set(&key(goods), &to_json_binary(offer)?);
    Ok(Response::new()
        .add_attribute("goods", goods)
        .add_attribute("price", offer.price.to_string()))
}

fn buy(deps: DepsMut, env: &Env, info: MessageInfo, goods: String) -> StdResult<Response> {
    let mut offer = offered(deps.storage, &goods)?
        .filter(|offer| offer.stock > 0)
        .ok_or_else(|| StdError::msg("this is not sold here, or sold out"))?;
    if info.funds != [offer.price.clone()] {
        return Err(StdError::msg(format!("one piece costs {}; send just that", offer.price)));
    }
    offer.stock -= 1;
    deps.storage.set(&key(&goods), &to_json_binary(&offer)?);
    let number = deps.storage.get(SALES).map_or(Ok(0), from_json::<u64>)? + 1;
    deps.storage.set(SALES, &to_json_binary(&number)?);
    let receipt = Receipt {
        number,
        goods,
        paid: offer.price.clone(),
        buyer: info.sender.to_string(),
        height: env.block.height,
    };
    let data = to_json_binary(&receipt)?;
    deps.storage.set(&receipt_key(number), &data);
    let to_address = keeper(deps.storage)?;
    Ok(Response::new()
        .add_attribute("receipt", number.to_string())
        .add_attribute("goods", receipt.goods)
        .add_message(BankMsg::Send { to_address, amount: vec![offer.price] })
        .set_data(data))
}

/// Answers a question.
#[cfg_attr(target_arch = "wasm32", cosmwasm_std::entry_point)]
pub fn query(deps: Deps, _env: Env, message: QueryMsg) -> StdResult<Binary> {
    match message {
        QueryMsg::Offer { goods } => to_json_binary(&offered(deps.storage, &goods)?),
        QueryMsg::Receipt { number } => {
            let receipt: Option<Receipt> =
                deps.storage.get(&receipt_key(number)).map(from_json).transpose()?;
            to_json_binary(&receipt)
        }
    }
}

fn keeper(storage: &dyn Storage) -> StdResult<String> {
    let keeper = storage.get(KEEPER).ok_or_else(|| StdError::msg("not begun"))?;
    String::from_utf8(keeper).map_err(|_| StdError::msg("not begun"))
}

fn key(goods: &str) -> Vec<u8> {
    [b"offer/", goods.as_bytes()].concat()
}

fn receipt_key(number: u64) -> Vec<u8> {
    [b"receipt/", number.to_be_bytes().as_slice()].concat()
}

fn offered(storage: &dyn Storage, goods: &str) -> StdResult<Option<Offer>> {
    storage.get(&key(goods)).map(from_json).transpose()
}

#[cfg(test)]
mod tests {
    use cosmwasm_std::{
        Coin, CosmosMsg, OwnedDeps, coin,
        testing::{MockApi, MockQuerier, MockStorage, message_info, mock_dependencies, mock_env},
    };

    use super::*;

    type Bench = OwnedDeps<MockStorage, MockApi, MockQuerier>;

    fn bench() -> Bench {
        let mut deps = mock_dependencies();
        let info = message_info(&deps.api.addr_make("keeper"), &[]);
        instantiate(deps.as_mut(), mock_env(), info, InstantiateMsg {}).unwrap();
        deps
    }

    fn act(
        deps: &mut Bench,
        who: &str,
        funds: &[Coin],
        message: ExecuteMsg,
    ) -> StdResult<Response> {
        let info = message_info(&deps.api.addr_make(who), funds);
        execute(deps.as_mut(), mock_env(), info, message)
    }

    fn soap(price: u128, stock: u32) -> ExecuteMsg {
        ExecuteMsg::Offer { goods: "soap".into(), price: coin(price, "crown"), stock }
    }

    #[test]
    fn who_pays_the_price_gets_a_receipt_and_the_shopkeeper_the_tokens() {
        let mut deps = bench();
        act(&mut deps, "keeper", &[], soap(30, 1)).unwrap();
        let buy = ExecuteMsg::Buy { goods: "soap".into() };
        let sold = act(&mut deps, "buyer", &[coin(30, "crown")], buy.clone()).unwrap();
        let receipt: Receipt = from_json(sold.data.unwrap()).unwrap();
        assert_eq!((receipt.number, &receipt.paid), (1, &coin(30, "crown")));
        let to_address = deps.api.addr_make("keeper").to_string();
        let paid = CosmosMsg::Bank(BankMsg::Send { to_address, amount: vec![coin(30, "crown")] });
        assert_eq!(sold.messages[0].msg, paid);
        let asked = |number| {
            let answer = query(deps.as_ref(), mock_env(), QueryMsg::Receipt { number }).unwrap();
            from_json::<Option<Receipt>>(answer).unwrap()
        };
        assert_eq!((asked(1), asked(2)), (Some(receipt), None));
        let error = act(&mut deps, "buyer", &[coin(30, "crown")], buy).unwrap_err();
        assert!(error.to_string().contains("sold out"), "{error}");
    }

    #[test]
    fn what_cannot_be_sold_says_why() {
        let mut deps = bench();
        act(&mut deps, "keeper", &[], soap(30, 5)).unwrap();
        let buy = |goods: &str| ExecuteMsg::Buy { goods: goods.into() };
        let nameless =
            ExecuteMsg::Offer { goods: String::new(), price: coin(1, "crown"), stock: 1 };
        for (who, funds, message, why) in [
            ("buyer", vec![coin(29, "crown")], buy("soap"), "costs 30crown"),
            ("buyer", vec![coin(30, "penny")], buy("soap"), "costs 30crown"),
            ("buyer", vec![], buy("soap"), "costs 30crown"),
            ("buyer", vec![coin(30, "crown")], buy("salt"), "not sold here"),
            ("buyer", vec![], soap(1, 1), "only the shopkeeper"),
            ("keeper", vec![], soap(0, 1), "more than nothing"),
            ("keeper", vec![], nameless, "1 to 64 bytes"),
        ] {
            let error = act(&mut deps, who, &funds, message).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
