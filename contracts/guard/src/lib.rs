//! Raise an alarm when a property of a thing exceeds a limit.
//!
//! Whoever calls `check` lets the contract look at the newest readings. Above the limit it writes a
//! record, once until the value is back within the limit, and notifies those it was told to.

use althing_contract_std::{AlthingMsg, AlthingQuery, latest};
use cosmwasm_std::{
    Binary, Deps, DepsMut, Env, MessageInfo, Response, StdError, StdResult, entry_point, from_json,
    to_json_binary,
};
use serde::{Deserialize, Serialize};

const GUARD: &[u8] = b"guard";

/// The first message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InstantiateMsg {
    /// DID of the thing that is watched.
    pub thing: String,
    /// The property that is watched.
    pub property: String,
    /// The largest value that is in order, an integer at the stream's scale.
    pub limit: i64,
    /// DIDs of those who are notified.
    pub notify: Vec<String>,
}

/// What can be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecuteMsg {
    /// Looks at the newest readings.
    Check {},
}

/// What can be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryMsg {
    /// How it stands; answers with [`Guard`].
    State {},
}

/// What is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// DID of the thing that is watched.
    pub thing: String,
    /// The property that is watched.
    pub property: String,
    /// The largest value that is in order.
    pub limit: i64,
    /// DIDs of those who are notified.
    pub notify: Vec<String>,
    /// Whether the value was above the limit when it was last looked at.
    pub alarm: bool,
    /// How many alarms there were.
    pub alarms: u32,
}

/// Begins to watch.
#[cfg_attr(target_arch = "wasm32", entry_point)]
pub fn instantiate(
    deps: DepsMut<AlthingQuery>,
    _env: Env,
    _info: MessageInfo,
    message: InstantiateMsg,
) -> StdResult<Response<AlthingMsg>> {
    let InstantiateMsg { thing, property, limit, notify } = message;
    let guard = Guard { thing, property, limit, notify, alarm: false, alarms: 0 };
    // A thing or property that does not exist would never raise an alarm.
    if latest(&deps.querier, &guard.thing, &guard.property)?.is_none() {
        return Err(StdError::msg("the thing has no such property"));
    }
    save(deps, &guard)?;
    Ok(Response::new().add_attribute("action", "watch"))
}

/// Does what a message says.
#[cfg_attr(target_arch = "wasm32", entry_point)]
pub fn execute(
    deps: DepsMut<AlthingQuery>,
    _env: Env,
    _info: MessageInfo,
    message: ExecuteMsg,
) -> StdResult<Response<AlthingMsg>> {
    match message {
        ExecuteMsg::Check {} => check(deps),
    }
}

fn check(deps: DepsMut<AlthingQuery>) -> StdResult<Response<AlthingMsg>> {
    let mut guard = load(deps.as_ref())?;
    let stream = latest(&deps.querier, &guard.thing, &guard.property)?;
    let Some(value) = stream.and_then(|stream| stream.latest).and_then(|latest| latest.max) else {
        return Ok(Response::new().add_attribute("alarm", "unknown"));
    };
    let before = std::mem::replace(&mut guard.alarm, value > guard.limit);
    let mut response = Response::new()
        .add_attribute("alarm", guard.alarm.to_string())
        .add_attribute("value", value.to_string());
    if guard.alarm && !before {
        guard.alarms += 1;
        response = response.add_message(AlthingMsg::Record {
            kind: "alarm".into(),
            data: to_json_binary(&value)?,
            notify: guard.notify.clone(),
            link: None,
        });
    }
    save(deps, &guard)?;
    Ok(response)
}

/// Answers a question.
#[cfg_attr(target_arch = "wasm32", entry_point)]
pub fn query(deps: Deps<AlthingQuery>, _env: Env, message: QueryMsg) -> StdResult<Binary> {
    match message {
        QueryMsg::State {} => to_json_binary(&load(deps)?),
    }
}

fn load(deps: Deps<AlthingQuery>) -> StdResult<Guard> {
    let stored = deps.storage.get(GUARD).ok_or_else(|| StdError::msg("not begun"))?;
    from_json(stored)
}

fn save(deps: DepsMut<AlthingQuery>, guard: &Guard) -> StdResult<()> {
    deps.storage.set(GUARD, &to_json_binary(guard)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use althing_contract_std::{Latest, Stream};
    use cosmwasm_std::{
        ContractResult, OwnedDeps, SystemResult,
        testing::{MockApi, MockQuerier, MockStorage, message_info, mock_env},
    };

    use super::*;

    type Bench = OwnedDeps<MockStorage, MockApi, MockQuerier<AlthingQuery>, AlthingQuery>;

    /// A ledger whose thing last measured a value.
    fn measured(deps: &mut Bench, value: i64) {
        deps.querier = MockQuerier::new(&[]).with_custom_handler(move |question| {
            let stream = Stream {
                kind: "number".into(),
                unit: "degC".into(),
                scale: 1,
                next_seq: 1,
                readable: true,
                latest: Some(Latest {
                    first_seq: 0,
                    count: 1,
                    claimed_ms: 0,
                    ledger_ms: 0,
                    min: Some(value),
                    max: Some(value),
                    sum: value.into(),
                }),
            };
            let known = matches!(question, AlthingQuery::Stream { property, .. } if property == "temperature");
            let answer = json(&known.then_some(stream));
            SystemResult::Ok(ContractResult::Ok(answer))
        });
    }

    /// As the ledger writes it: large numbers in text.
    fn json(stream: &Option<Stream>) -> Binary {
        let Some(stream) = stream else { return Binary::from(b"null") };
        let latest = stream.latest.as_ref().unwrap();
        let value = latest.max.unwrap();
        Binary::from(
            format!(
                r#"{{"kind":"number","unit":"degC","scale":1,"next_seq":1,"readable":true,"latest":
                {{"first_seq":"0","count":1,"claimed_ms":"0","ledger_ms":"0","min":"{value}","max":"{value}","sum":"{value}"}}}}"#
            )
            .into_bytes(),
        )
    }

    fn bench() -> Bench {
        OwnedDeps {
            storage: MockStorage::new(),
            api: MockApi::default(),
            querier: MockQuerier::new(&[]),
            custom_query_type: std::marker::PhantomData,
        }
    }

    fn watch(deps: &mut Bench, property: &str) -> StdResult<Response<AlthingMsg>> {
        let info = message_info(&deps.api.addr_make("owner"), &[]);
        let message = InstantiateMsg {
            thing: "did:althing:demo:x".into(),
            property: property.into(),
            limit: 80,
            notify: vec!["did:althing:demo:y".into()],
        };
        instantiate(deps.as_mut(), mock_env(), info, message)
    }

    fn look(deps: &mut Bench) -> Response<AlthingMsg> {
        let info = message_info(&deps.api.addr_make("anyone"), &[]);
        execute(deps.as_mut(), mock_env(), info, ExecuteMsg::Check {}).unwrap()
    }

    #[test]
    fn an_alarm_is_raised_once_until_the_value_is_back_in_order() {
        let mut deps = bench();
        measured(&mut deps, 70);
        watch(&mut deps, "temperature").unwrap();
        for (value, alarms) in [(70, 0), (80, 0), (81, 1), (90, 0), (75, 0), (81, 1)] {
            measured(&mut deps, value);
            assert_eq!(look(&mut deps).messages.len(), alarms, "at {value}");
        }
        let state: Guard =
            from_json(query(deps.as_ref(), mock_env(), QueryMsg::State {}).unwrap()).unwrap();
        assert_eq!((state.alarm, state.alarms), (true, 2));
    }

    #[test]
    fn a_property_that_does_not_exist_is_refused() {
        let mut deps = bench();
        measured(&mut deps, 70);
        assert!(watch(&mut deps, "pressure").is_err());
    }
}
