//! Commands on their way to devices, as a machine: hand over, take the answer, tell the ledger.
//!
//! The ledger is the queue: a command stays in its state until it is answered, taken back or too
//! late, and a gateway that starts asks for what is open. So the courier keeps nothing on disk, and
//! a device may be given one command twice, under the same id; it answers the first and repeats the
//! answer to the second.

use std::collections::{BTreeMap, VecDeque};

use althing_types::{
    CommandReport, CommandState, Operation, TxId,
    limits::{COMMAND_RESULT_BYTES_MAX, COMMANDS_OPEN_MAX},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Rejection, THINGS_MAX, TimeMs};

/// How long a command that reached nobody waits to be tried again, milliseconds.
const AGAIN_MS: TimeMs = 2_000;
/// How many commands that are over are remembered.
const OVER_MAX: usize = 256;
/// Most commands under way at one gateway.
pub const UNDER_WAY_MAX: usize =
    if THINGS_MAX < 256 { THINGS_MAX } else { 256 } * COMMANDS_OPEN_MAX;

/// A command to be carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// Its id.
    pub id: TxId,
    /// Name of the thing, which topics use.
    pub thing: String,
    /// What the device is told.
    pub payload: Vec<u8>,
    /// Time by which it must be answered, milliseconds since 1970.
    pub until_ms: TimeMs,
    /// How far the ledger says it is.
    pub state: CommandState,
}

/// What the driver must do, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Publish to the device, then call [`Courier::handed`].
    Publish {
        /// The command.
        id: TxId,
        /// The topic.
        topic: String,
        /// The payload.
        payload: Vec<u8>,
    },
    /// Tell the ledger.
    Report(CommandReport),
}

/// The commands of the things that a gateway serves.
#[derive(Debug, Default)]
pub struct Courier {
    under_way: BTreeMap<TxId, UnderWay>,
    /// The last that came to their end, oldest first: a device may repeat its answer.
    over: VecDeque<TxId>,
}

#[derive(Debug)]
struct UnderWay {
    errand: Errand,
    /// When it is to be published; none once it reached the device.
    due_ms: Option<TimeMs>,
}

impl Courier {
    /// Takes a command on, unless it is known or over. Gives what to do now.
    #[must_use]
    pub fn take(&mut self, now_ms: TimeMs, errand: Errand) -> Vec<Step> {
        let is_known = self.under_way.contains_key(&errand.id);
        let is_full = self.under_way.len() >= UNDER_WAY_MAX;
        // What finds no room is open on the ledger, and found there again.
        if is_known || is_full || errand.state.is_last() || errand.until_ms < now_ms {
            return Vec::new();
        }
        self.under_way.insert(errand.id, UnderWay { errand, due_ms: Some(now_ms) });
        self.tick(now_ms)
    }

    /// Forgets a command that the ledger says is over.
    pub fn drop_command(&mut self, id: &TxId) {
        if self.under_way.remove(id).is_some() {
            self.over.push_back(*id);
            let excess = self.over.len().saturating_sub(OVER_MAX);
            self.over.drain(..excess);
        }
    }

    /// Forgets the commands of a thing that is served no more.
    pub fn drop_thing(&mut self, thing: &str) {
        self.under_way.retain(|_, under_way| under_way.errand.thing != thing);
    }

    /// What became of a [`Step::Publish`]: whether a device took it, or will when it wakes.
    #[must_use]
    pub fn handed(&mut self, now_ms: TimeMs, id: &TxId, reached: bool) -> Vec<Step> {
        let Some(under_way) = self.under_way.get_mut(id) else { return Vec::new() };
        if !reached {
            under_way.due_ms = Some(now_ms.saturating_add(AGAIN_MS));
            return Vec::new();
        }
        under_way.due_ms = None;
        let was = std::mem::replace(&mut under_way.errand.state, CommandState::Delivered);
        if was >= CommandState::Delivered {
            under_way.errand.state = was;
            return Vec::new();
        }
        let state = CommandState::Delivered;
        vec![Step::Report(CommandReport { command: *id, state, result: None })]
    }

    /// Publishes what is due, and lets go of what is too late.
    #[must_use]
    pub fn tick(&mut self, now_ms: TimeMs) -> Vec<Step> {
        self.under_way.retain(|_, under_way| under_way.errand.until_ms >= now_ms);
        let due =
            self.under_way.values_mut().filter(|one| one.due_ms.is_some_and(|at| at <= now_ms));
        due.map(|under_way| {
            // Not again before the driver has said what became of it.
            under_way.due_ms = None;
            let Errand { id, thing, payload, .. } = &under_way.errand;
            let (topic, payload) = (request_topic(thing), payload.clone());
            Step::Publish { id: *id, topic, payload }
        })
        .collect()
    }

    /// When [`tick`](Self::tick) is next wanted.
    #[must_use]
    pub fn deadline(&self) -> Option<TimeMs> {
        self.under_way.values().filter_map(|under_way| under_way.due_ms).min()
    }

    /// Reads what a device says of a command; none if the command is over and this repeats its
    /// answer, which the device is to be told was taken. Otherwise the publish is to be acknowledged when the ledger has
    /// the report, so that an answer survives the gateway.
    ///
    /// # Errors
    /// [`Rejection`], for the device to be told.
    pub fn answer(&self, topic: &str, payload: &[u8]) -> Result<Option<CommandReport>, Rejection> {
        let (thing, report) = read_answer(topic, payload)?;
        if self.over.contains(&report.command) {
            return Ok(None);
        }
        let open = self.under_way.get(&report.command);
        if open.is_none_or(|one| one.errand.thing != thing) {
            return Err(malformed(topic, "the thing has no open command of this id"));
        }
        Ok(Some(report))
    }
}

fn malformed(topic: &str, detail: &str) -> Rejection {
    let topic = topic.chars().take(crate::QUOTED_CHARS_MAX).collect();
    Rejection::Malformed { topic, detail: detail.to_owned() }
}

/// Reads what a device says of something that it was asked, and of which thing it speaks.
///
/// # Errors
/// [`Rejection`], for the device to be told.
pub fn read_answer<'a>(
    topic: &'a str,
    payload: &[u8],
) -> Result<(&'a str, CommandReport), Rejection> {
    let malformed = |detail: &str| malformed(topic, detail);
    let thing = thing_of_answer(topic).ok_or_else(|| malformed("not a topic of answers"))?;
    let answer: Answer<'_> = serde_json::from_slice(payload)
        .map_err(|_| malformed(r#"{"id": "...", "state": "done", "result": ...} expected"#))?;
    let command = TxId::from_hex(answer.id).ok_or_else(|| malformed("`id` has 64 hex digits"))?;
    let state = match answer.state {
        "accepted" => CommandState::Accepted,
        "done" => CommandState::Done,
        "failed" => CommandState::Failed,
        _ => return Err(malformed("`state` is accepted, done or failed")),
    };
    let result = answer.result.map(|result| result.get().as_bytes().to_vec());
    if result.as_ref().is_some_and(|result| result.len() > COMMAND_RESULT_BYTES_MAX) {
        return Err(Rejection::TooLarge { len: payload.len(), max: COMMAND_RESULT_BYTES_MAX });
    }
    Ok((thing, CommandReport { command, state, result: result.map(Into::into) }))
}

/// What a device publishes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer<'a> {
    id: &'a str,
    state: &'a str,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
}

/// Where a device hears its commands.
#[must_use]
pub fn request_topic(thing: &str) -> String {
    format!("things/{thing}/commands/request")
}

/// Where devices answer, as a filter.
pub const ANSWERS: &str = "things/+/commands/answer";

fn thing_of_answer(topic: &str) -> Option<&str> {
    topic.strip_prefix("things/")?.strip_suffix("/commands/answer")
}

/// What a device is told: `{"id": ..., "operation": "read" | "write" | "invoke", "name": ...}` with
/// `value` for a write and `input` for an action that has one. `value` is JSON text.
#[must_use]
pub fn request(id: &TxId, operation: &Operation, value: Option<&str>) -> Vec<u8> {
    let name = serde_json::Value::from(operation.target());
    let mut text = format!(r#"{{"id":"{id}","operation":"{}","name":{name}"#, operation.verb());
    let input = match operation {
        Operation::Invoke { input, .. } => {
            input.as_ref().and_then(|input| std::str::from_utf8(input).ok())
        }
        _ => None,
    };
    for (field, json) in [("value", value), ("input", input)] {
        if let Some(json) = json {
            text.push_str(&format!(r#","{field}":{json}"#));
        }
    }
    text.push('}');
    text.into_bytes()
}

#[cfg(test)]
mod tests;
