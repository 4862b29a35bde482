//! A rule with names, made a trigger with ids.

use std::time::Duration;

use althing_client::{
    Client,
    model::Stream,
    rule::{Asking, Part, Rule, RuleCause, RuleEffect},
    time,
};
use althing_ledger::thing::input_problem;
use althing_types::{Cause, Effect, Operation, Record, StreamId, Trigger, decimal};

use crate::{
    commands::{command::value_of, contract},
    lookup,
    report::failed,
    session::Explain as _,
};

/// Gas of a call unless the rule says it.
const GAS: u64 = 100_000_000;

pub(super) async fn trigger(
    client: &Client,
    name: String,
    rule: Rule,
    now_ms: u64,
) -> anyhow::Result<Trigger> {
    let cause = cause(client, rule.cause, now_ms).await?;
    let effect = effect(client, rule.effect).await?;
    let trigger = Trigger { name, cause, effect };
    if trigger.is_within_bounds() {
        Ok(trigger)
    } else {
        Err(failed(
            "a name, span or value of the rule is out of bounds",
            "spans are at most a year, commands live at most 30 days, names have at most 64 bytes",
        ))
    }
}

async fn stream(client: &Client, part: &Part) -> anyhow::Result<(StreamId, Stream)> {
    let id = lookup::stream(client, &format!("{}/{}", part.thing, part.name)).await?;
    Ok((id, client.stream(&id).await.explain()?))
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn moment(text: &str) -> anyhow::Result<u64> {
    let ms = time::from_rfc3339(text).and_then(|ms| u64::try_from(ms).ok());
    ms.ok_or_else(|| failed(format!("`{text}` is no time"), "write it like 2026-12-01T08:00:00Z"))
}

async fn cause(client: &Client, cause: RuleCause, now_ms: u64) -> anyhow::Result<Cause> {
    Ok(match cause {
        RuleCause::Reading { of, relation, bound, lasting } => {
            let (id, stream) = stream(client, &of).await?;
            let bound = match (stream.kind.as_str(), bound.as_str()) {
                ("boolean", "true") => 1,
                ("boolean", "false") => 0,
                ("number", text) => decimal::parse(text, stream.scale, false).map_err(|_| {
                    failed(
                        format!("`{text}` is no decimal with at most {} places", stream.scale),
                        format!("althing stream show {}/{}", of.thing, of.name),
                    )
                })?,
                (kind, _) => {
                    return Err(failed(
                        format!("{}/{} is of kind {kind} and has no bounds", of.thing, of.name),
                        "bounds are for numbers, and true or false",
                    ));
                }
            };
            Cause::Reading { stream: id, relation, bound, for_ms: ms(lasting) }
        }
        RuleCause::Silence { of, lasting } => {
            Cause::Silence { stream: stream(client, &of).await?.0, for_ms: ms(lasting) }
        }
        RuleCause::Every { span, from } => {
            let first_ms = from.map_or(Ok(now_ms), |text| moment(&text))?;
            Cause::Time { first_ms, every_ms: ms(span) }
        }
        RuleCause::At(text) => Cause::Time { first_ms: moment(&text)?, every_ms: 0 },
        RuleCause::Contract { contract, event } => {
            Cause::Contract { contract: contract::find(client, &contract).await?.hex.0, event }
        }
        RuleCause::Record { kind, by } => {
            Cause::Recorded { sender: lookup::entity(client, &by).await?, kind }
        }
        RuleCause::Command { thing, state } => {
            Cause::Commanded { thing: lookup::thing(client, &thing).await?.hex.0, state }
        }
    })
}

async fn effect(client: &Client, effect: RuleEffect) -> anyhow::Result<Effect> {
    match effect {
        RuleEffect::Call { contract, message, gas } => Ok(Effect::Call {
            contract: contract::find(client, &contract).await?.hex.0,
            message: message.into_bytes(),
            gas_limit: gas.unwrap_or(GAS),
        }),
        RuleEffect::Record { kind, text, notify } => {
            let mut ids = Vec::with_capacity(notify.len());
            for entity in &notify {
                ids.push(lookup::entity(client, entity).await?);
            }
            Ok(Effect::Record(Record { kind, data: text.into_bytes(), notify: ids, link: None }))
        }
        RuleEffect::Read { what, asking } => {
            let operation = Operation::Read { property: what.name.clone() };
            command(client, &what, operation, asking).await
        }
        RuleEffect::Write { what, value, asking } => {
            let (_, stream) = stream(client, &what).await?;
            let value = value_of(&stream, &value)?;
            let operation = Operation::Write { property: what.name.clone(), value };
            command(client, &what, operation, asking).await
        }
        RuleEffect::Invoke { what, input, asking } => {
            let thing = lookup::thing(client, &what.thing).await?;
            let description = client.description(&thing.hex, None).await.explain()?;
            let input = input.map(String::into_bytes);
            if let Some(problem) = input_problem(&description, &what.name, input.as_deref()) {
                return Err(failed(
                    format!("{} cannot be asked for `{}`: {problem}", what.thing, what.name),
                    format!("althing thing description {}", what.thing),
                ));
            }
            let action = what.name.clone();
            let operation = Operation::Invoke { action, input: input.map(Into::into) };
            command(client, &what, operation, asking).await
        }
    }
}

async fn command(
    client: &Client,
    what: &Part,
    operation: Operation,
    Asking { within, purpose }: Asking,
) -> anyhow::Result<Effect> {
    let thing = lookup::thing(client, &what.thing).await?.hex.0;
    Ok(Effect::Command { thing, operation, life_ms: ms(within), purpose })
}
