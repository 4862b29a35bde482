//! Buy for a machine what it runs low of, from the cheapest shop, within what its owner said (Y.4464
//! Appendix II.4).
//!
//! The machine's owner makes the contract, gives it tokens, and sets a trigger that calls `reorder` when the
//! machine runs low. The contract asks each shop that the owner named what it wants, buys from the
//! cheapest that has it for no more than the owner said, and keeps the receipt. Nobody stands between
//! machine and shop, and no shop can take more than it was asked.

use cosmwasm_std::{
    Addr, BankMsg, Binary, Coin, Deps, DepsMut, Env, Event, MessageInfo, QuerierWrapper, Reply,
    Response, StdError, StdResult, Storage, SubMsg, SubMsgResult, WasmMsg, from_json,
    to_json_binary,
};
use serde::{Deserialize, Serialize};
use trade::{ExecuteMsg as Ask, Offer, QueryMsg as Question, Receipt};

const ORDERS: &[u8] = b"orders";
const BOUGHT: &[u8] = b"bought";
/// Most shops that are asked.
pub const SHOPS_MAX: usize = 8;
/// Newest purchases that are kept.
pub const BOUGHT_MAX: usize = 32;

/// The first message: what the owner said once and for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstantiateMsg {
    /// What is bought.
    pub goods: String,
    /// Addresses of the shops, [`SHOPS_MAX`] at most; of two that ask the same, the first is taken.
    pub shops: Vec<String>,
    /// The most that a piece may cost.
    pub at_most: Coin,
    /// Least time between two purchases, s: a sensor that is broken buys no houseful.
    pub pause_s: u64,
}

/// What can be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecuteMsg {
    /// Buys one piece; by the owner, whose trigger does it when the machine runs low.
    Reorder {},
    /// Gives the owner back what was not spent; by the owner.
    Withdraw {
        /// How much.
        amount: Coin,
    },
}

/// What can be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryMsg {
    /// What was bought, the newest last; answers with a list of [`Purchase`].
    Bought {},
}

/// What the owner said, and who that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Orders {
    owner: Addr,
    orders: InstantiateMsg,
    /// When it last bought something, s since 1970; none if it never has.
    last_s: Option<u64>,
    /// The shop it is buying from; none if no purchase is under way.
    shop: Option<String>,
}

/// Something that was bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    /// Address of the shop.
    pub shop: String,
    /// Its receipt.
    pub receipt: Receipt,
}

/// Takes the owner's orders.
#[cfg_attr(target_arch = "wasm32", cosmwasm_std::entry_point)]
pub fn instantiate(
    deps: DepsMut,
    _env: Env,
    info: MessageInfo,
    orders: InstantiateMsg,
) -> StdResult<Response> {
    if orders.shops.is_empty() || orders.shops.len() > SHOPS_MAX {
        return Err(StdError::msg("name 1 to 8 shops"));
    }
    let orders = Orders { owner: info.sender, orders, last_s: None, shop: None };
    deps.storage.set(ORDERS, &to_json_binary(&orders)?);
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
    let orders = orders(deps.storage)?;
    if info.sender != orders.owner {
        return Err(StdError::msg("only the owner's triggers and the owner order"));
    }
    match message {
        ExecuteMsg::Reorder {} => reorder(deps, &env, orders),
        ExecuteMsg::Withdraw { amount } => {
            let to_address = orders.owner.to_string();
            Ok(Response::new().add_message(BankMsg::Send { to_address, amount: vec![amount] }))
        }
    }
}

fn reorder(deps: DepsMut, env: &Env, mut orders: Orders) -> StdResult<Response> {
    let now_s = env.block.time.seconds();
    let bought_since = orders.last_s.map(|last_s| now_s.saturating_sub(last_s));
    if bought_since.is_some_and(|passed_s| passed_s < orders.orders.pause_s) {
        // Not an error: the trigger that called would be suspended for what is in order.
        return Ok(Response::new().add_attribute("bought", "nothing: just did"));
    }
    let Some((shop, price)) = cheapest(&deps.querier, &orders.orders) else {
        return Err(StdError::msg("no shop has it for what the owner would pay"));
    };
    orders.last_s = Some(now_s);
    orders.shop = Some(shop.clone());
    deps.storage.set(ORDERS, &to_json_binary(&orders)?);
    let buy = Ask::Buy { goods: orders.orders.goods };
    let message = WasmMsg::Execute {
        contract_addr: shop.clone(),
        msg: to_json_binary(&buy)?,
        funds: vec![price.clone()],
    };
    Ok(Response::new()
        .add_attribute("shop", shop)
        .add_attribute("price", price.to_string())
        .add_submessage(SubMsg::reply_on_success(message, 0)))
}

/// The cheapest shop that has it at a price the owner would pay. One that does not answer is passed over.
fn cheapest(querier: &QuerierWrapper, orders: &InstantiateMsg) -> Option<(String, Coin)> {
    let question = Question::Offer { goods: orders.goods.clone() };
    let offers = orders.shops.iter().filter_map(|shop| {
        let offer: Option<Offer> = querier.query_wasm_smart(shop, &question).ok()?;
        let offer = offer.filter(|offer| offer.stock > 0)?;
        let fits = offer.price.denom == orders.at_most.denom
            && offer.price.amount <= orders.at_most.amount;
        fits.then(|| (shop.clone(), offer.price))
    });
    offers.min_by_key(|(_, price)| price.amount)
}

/// Keeps the receipt. A shop that gives none keeps no tokens: then the whole purchase has not happened.
#[cfg_attr(target_arch = "wasm32", cosmwasm_std::entry_point)]
pub fn reply(deps: DepsMut, env: Env, reply: Reply) -> StdResult<Response> {
    let mut orders = orders(deps.storage)?;
    let shop = orders.shop.take().ok_or_else(|| StdError::msg("nothing is being bought"))?;
    let SubMsgResult::Ok(answer) = reply.result else {
        return Err(StdError::msg("the shop did not sell"));
    };
    let number = number_of(&shop, &answer.events)
        .ok_or_else(|| StdError::msg("the shop told no number of a receipt"))?;
    let question = Question::Receipt { number };
    let receipt: Option<Receipt> = deps.querier.query_wasm_smart(&shop, &question)?;
    let receipt = receipt
        .filter(|it| it.buyer == env.contract.address.as_str() && it.goods == orders.orders.goods)
        .ok_or_else(|| StdError::msg("the shop gave no receipt for this"))?;
    let mut bought = bought(deps.storage)?;
    if bought.len() >= BOUGHT_MAX {
        bought.remove(0);
    }
    bought.push(Purchase { shop, receipt });
    deps.storage.set(BOUGHT, &to_json_binary(&bought)?);
    deps.storage.set(ORDERS, &to_json_binary(&orders)?);
    Ok(Response::new().add_attribute("receipt", number.to_string()))
}

/// The number of the receipt that a shop told of.
fn number_of(shop: &str, events: &[Event]) -> Option<u64> {
    let told = |event: &&Event| {
        event.attributes.iter().any(|it| it.key == "_contract_address" && it.value == shop)
    };
    let mut attributes = events.iter().filter(told).flat_map(|event| &event.attributes);
    attributes.find(|it| it.key == "receipt")?.value.parse().ok()
}

/// Answers a question.
#[cfg_attr(target_arch = "wasm32", cosmwasm_std::entry_point)]
pub fn query(deps: Deps, _env: Env, message: QueryMsg) -> StdResult<Binary> {
    match message {
        QueryMsg::Bought {} => to_json_binary(&bought(deps.storage)?),
    }
}

fn orders(storage: &dyn Storage) -> StdResult<Orders> {
    from_json(storage.get(ORDERS).ok_or_else(|| StdError::msg("not begun"))?)
}

fn bought(storage: &dyn Storage) -> StdResult<Vec<Purchase>> {
    storage.get(BOUGHT).map_or_else(|| Ok(Vec::new()), from_json)
}

#[cfg(test)]
mod tests {
    use cosmwasm_std::{
        ContractResult, CosmosMsg, OwnedDeps, SubMsgResponse, SystemError, SystemResult, WasmQuery,
        coin,
        testing::{MockApi, MockQuerier, MockStorage, message_info, mock_dependencies, mock_env},
    };

    use super::*;

    type Bench = OwnedDeps<MockStorage, MockApi, MockQuerier>;

    fn bench() -> Bench {
        let mut deps = mock_dependencies();
        let orders = InstantiateMsg {
            goods: "soap".into(),
            shops: vec!["dear".into(), "cheap".into(), "gone".into()],
            at_most: coin(40, "crown"),
            pause_s: 60,
        };
        let info = message_info(&deps.api.addr_make("owner"), &[]);
        instantiate(deps.as_mut(), mock_env(), info, orders).unwrap();
        deps
    }

    /// Shops as they stand: price and stock of the dear one and of the cheap one.
    fn shops(deps: &mut Bench, dear: (u128, u32), cheap: (u128, u32), buyer: String) {
        deps.querier.update_wasm(move |asked| {
            let WasmQuery::Smart { contract_addr, msg } = asked else {
                return SystemResult::Err(SystemError::Unknown {});
            };
            let (price, stock) = match contract_addr.as_str() {
                "dear" => dear,
                "cheap" => cheap,
                other => {
                    let addr = other.to_owned();
                    return SystemResult::Err(SystemError::NoSuchContract { addr });
                }
            };
            let price = coin(price, "crown");
            let answer = match from_json(msg).unwrap() {
                Question::Offer { .. } => to_json_binary(&Some(Offer { price, stock })),
                Question::Receipt { number } => {
                    let (goods, buyer) = ("soap".into(), buyer.clone());
                    to_json_binary(&Some(Receipt { number, goods, paid: price, buyer, height: 1 }))
                }
            };
            SystemResult::Ok(ContractResult::Ok(answer.unwrap()))
        });
    }

    fn reorder_at(deps: &mut Bench, who: &str, second: u64) -> StdResult<Response> {
        let mut env = mock_env();
        env.block.time = env.block.time.plus_seconds(second);
        let info = message_info(&deps.api.addr_make(who), &[]);
        execute(deps.as_mut(), env, info, ExecuteMsg::Reorder {})
    }

    fn replied(deps: &mut Bench, shop: &str) -> StdResult<Response> {
        let event = Event::new("wasm").add_attribute("_contract_address", shop);
        let events = vec![event.add_attribute("receipt", "7")];
        #[expect(deprecated, reason = "the host gives the data here")]
        let answer = SubMsgResponse { events, data: None, msg_responses: Vec::new() };
        let result = SubMsgResult::Ok(answer);
        let reply_ = Reply { id: 0, payload: Binary::default(), gas_used: 0, result };
        reply(deps.as_mut(), mock_env(), reply_)
    }

    #[test]
    fn it_buys_from_the_cheapest_that_has_it_and_keeps_the_receipt() {
        let mut deps = bench();
        let own = mock_env().contract.address.to_string();
        shops(&mut deps, (35, 5), (30, 5), own.clone());
        let bought = reorder_at(&mut deps, "owner", 0).unwrap();
        let CosmosMsg::Wasm(WasmMsg::Execute { contract_addr, funds, .. }) =
            &bought.messages[0].msg
        else {
            panic!("{bought:?}")
        };
        assert_eq!((contract_addr.as_str(), &funds[..]), ("cheap", &[coin(30, "crown")][..]));
        assert!(replied(&mut deps, "dear").is_err(), "of a shop that was not asked");
        replied(&mut deps, "cheap").unwrap();
        let kept = query(deps.as_ref(), mock_env(), QueryMsg::Bought {}).unwrap();
        let kept: Vec<Purchase> = from_json(kept).unwrap();
        assert_eq!((kept.len(), kept[0].receipt.number), (1, 7));
        assert!(replied(&mut deps, "cheap").is_err(), "nothing is being bought");
        // Sold out: the other one is taken.
        shops(&mut deps, (35, 5), (30, 0), own);
        let bought = reorder_at(&mut deps, "owner", 60).unwrap();
        assert_eq!(bought.attributes[0].value, "dear");
    }

    #[test]
    fn it_keeps_to_what_the_owner_said() {
        let mut deps = bench();
        let own = mock_env().contract.address.to_string();
        shops(&mut deps, (41, 5), (30, 0), own.clone());
        let error = reorder_at(&mut deps, "owner", 0).unwrap_err().to_string();
        assert!(error.contains("no shop"), "{error}");
        shops(&mut deps, (40, 5), (30, 0), own);
        let error = reorder_at(&mut deps, "stranger", 0).unwrap_err().to_string();
        assert!(error.contains("only the owner"), "{error}");
        assert_eq!(reorder_at(&mut deps, "owner", 0).unwrap().messages.len(), 1);
        assert!(reorder_at(&mut deps, "owner", 59).unwrap().messages.is_empty());
        assert_eq!(reorder_at(&mut deps, "owner", 60).unwrap().messages.len(), 1);
    }

    /// A receipt of somebody else's is none.
    #[test]
    fn a_shop_that_gives_no_receipt_sells_nothing() {
        let mut deps = bench();
        shops(&mut deps, (35, 5), (30, 5), "another".into());
        reorder_at(&mut deps, "owner", 0).unwrap();
        let error = replied(&mut deps, "cheap").unwrap_err().to_string();
        assert!(error.contains("no receipt"), "{error}");
    }

    #[test]
    fn what_was_not_spent_goes_back_to_the_owner() {
        let mut deps = bench();
        let amount = coin(5, "crown");
        let owner = deps.api.addr_make("owner");
        let back = ExecuteMsg::Withdraw { amount: amount.clone() };
        let info = message_info(&owner, &[]);
        let done = execute(deps.as_mut(), mock_env(), info, back).unwrap();
        let sent = BankMsg::Send { to_address: owner.to_string(), amount: vec![amount] };
        assert_eq!(done.messages[0].msg, CosmosMsg::Bank(sent));
    }
}
