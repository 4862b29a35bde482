use althing_client::model::{Action, Event, Hex, Trigger, TriggerTrial};
use althing_peer::query::{Replay, Tried, TriggerState};
use althing_types::{self as types, Cause, Effect, Refusal, StreamId, TriggerEvent};

use super::{decimal, onboarding::text, stream::value_text};
use crate::service::Service;

impl Service {
    pub(crate) fn trigger(&self, TriggerState { id, record }: &TriggerState) -> Trigger {
        let watch = &record.watch;
        let state = match (&record.trigger.cause, watch.due_ms) {
            _ if record.suspended => "suspended",
            (_, Some(_)) => "due",
            (Cause::Time { .. }, None) => "over",
            _ if watch.happened => "happened",
            _ => "waits",
        };
        Trigger {
            id: Hex(*id),
            owner: self.did(&record.owner),
            name: record.trigger.name.clone(),
            rule: self.rule(&record.trigger),
            stream: record.trigger.cause.stream().map(Hex),
            state: state.to_owned(),
            due: watch.due_ms.map(Into::into),
            set_height: record.set_height,
            runs: record.runs,
            failures: record.failures,
            gas_used: record.gas_used,
            last_height: (record.runs > 0).then_some(record.last_height),
            last_code: code(record.last_code),
        }
    }

    pub(crate) fn trigger_trial(
        &self,
        trigger: &types::Trigger,
        replay: &Replay,
        tried: &Tried,
        height: u64,
    ) -> TriggerTrial {
        TriggerTrial {
            rule: self.rule(trigger),
            moments: replay.moments_ms.iter().map(|moment| (*moment).into()).collect(),
            batches: replay.batches,
            complete: replay.complete,
            effect: self.trial(tried, height),
        }
    }

    pub(super) fn trigger_action(
        &self,
        sender: &types::EntityId,
        action: &types::Action,
    ) -> Action {
        match action {
            types::Action::SetTrigger(trigger) => Action::SetTrigger {
                trigger: Hex(trigger.id(sender)),
                name: trigger.name.clone(),
                rule: self.rule(trigger),
            },
            types::Action::SuspendTrigger { trigger } => {
                Action::SuspendTrigger { trigger: Hex(*trigger) }
            }
            types::Action::ResumeTrigger { trigger } => {
                Action::ResumeTrigger { trigger: Hex(*trigger) }
            }
            types::Action::RemoveTrigger { trigger } => {
                Action::RemoveTrigger { trigger: Hex(*trigger) }
            }
            _ => unreachable!("only actions about triggers come here"),
        }
    }

    pub(super) fn trigger_event(&self, event: &TriggerEvent) -> Event {
        match event {
            TriggerEvent::Set { trigger, owner } => {
                Event::TriggerSet { trigger: Hex(*trigger), owner: self.did(owner) }
            }
            TriggerEvent::Ran { trigger, owner, cause_height, code: number, gas_used } => {
                Event::TriggerRan {
                    trigger: Hex(*trigger),
                    owner: self.did(owner),
                    cause_height: *cause_height,
                    code: code(*number),
                    gas_used: *gas_used,
                }
            }
            TriggerEvent::Suspended { trigger, code: number } => {
                Event::TriggerSuspended { trigger: Hex(*trigger), code: code(*number) }
            }
            TriggerEvent::Resumed { trigger } => Event::TriggerResumed { trigger: Hex(*trigger) },
            TriggerEvent::Removed { trigger } => Event::TriggerRemoved { trigger: Hex(*trigger) },
        }
    }

    /// A trigger as a rule that `althing_client::rule` reads, with ids for names.
    pub(crate) fn rule(&self, trigger: &types::Trigger) -> String {
        format!("when {} then {}", self.cause(&trigger.cause), self.effect(&trigger.effect))
    }

    fn cause(&self, cause: &Cause) -> String {
        match cause {
            Cause::Reading { stream, relation, bound, for_ms } => {
                let (part, scale) = self.part(stream);
                let lasting =
                    if *for_ms == 0 { String::new() } else { format!(" for {}", span(*for_ms)) };
                let bound = decimal::text((*bound).into(), scale);
                format!("{part} {} {bound}{lasting}", relation.sign())
            }
            Cause::Silence { stream, for_ms } => {
                format!("{} silent for {}", self.part(stream).0, span(*for_ms))
            }
            Cause::Time { first_ms, every_ms: 0 } => format!("at {}", time(*first_ms)),
            Cause::Time { first_ms, every_ms } => {
                format!("every {} from {}", span(*every_ms), time(*first_ms))
            }
            Cause::Contract { contract, event } => {
                format!("contract {} tells {}", self.contract_did(contract), quoted(event))
            }
            Cause::Recorded { sender, kind } => {
                format!("record {} by {}", quoted(kind), self.did(sender))
            }
            Cause::Commanded { thing, state } => {
                format!("command of {} {}", self.thing_did(thing), state.name())
            }
        }
    }

    /// The property of a stream, and its scale.
    fn part(&self, stream: &StreamId) -> (String, u8) {
        match self.query.stream_head(stream) {
            Ok(head) => {
                let part = format!("{}/{}", self.thing_did(&head.thing), head.property);
                (quoted(&part), head.schema.scale)
            }
            Err(_) => (stream.to_string(), 0),
        }
    }

    fn effect(&self, effect: &Effect) -> String {
        match effect {
            Effect::Call { contract, message, gas_limit } => {
                let message = text(Some(message)).unwrap_or_default();
                format!("call {} {message} gas {gas_limit}", self.contract_did(contract))
            }
            Effect::Record(record) => {
                let saying = match text(Some(&record.data)).filter(|text| !text.is_empty()) {
                    Some(text) => format!(" saying \"{}\"", text.replace('"', "'")),
                    None => String::new(),
                };
                let notify: Vec<String> =
                    record.notify.iter().map(|id| self.did(id).to_string()).collect();
                let notify = if notify.is_empty() {
                    String::new()
                } else {
                    format!(" notify {}", notify.join(","))
                };
                format!("record {}{saying}{notify}", quoted(&record.kind))
            }
            Effect::Command { thing, operation, life_ms, purpose } => {
                let target = quoted(&format!("{}/{}", self.thing_did(thing), operation.target()));
                let asked = match operation {
                    types::Operation::Read { .. } => format!("read {target}"),
                    types::Operation::Write { property, value } => {
                        let head = self.query.stream_head(&StreamId::derive(thing, property));
                        let scale = head.map_or(0, |head| head.schema.scale);
                        format!("write {target} {}", quoted(&value_text(value, scale)))
                    }
                    types::Operation::Invoke { input, .. } => {
                        let input = text(input.as_deref()).map(|input| format!(" {input}"));
                        format!("command {target}{}", input.unwrap_or_default())
                    }
                };
                let purpose = purpose.as_ref().map(|what| format!(" purpose {}", quoted(what)));
                format!("{asked} within {}{}", span(*life_ms), purpose.unwrap_or_default())
            }
        }
    }
}

fn code(number: u16) -> Option<String> {
    Refusal::from_number(number).map(|refusal| refusal.code().to_owned())
}

/// In quotes if it would not be one word.
fn quoted(text: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && !matches!(c, '<' | '>' | ',' | '"');
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("\"{}\"", text.replace('"', "'"))
    }
}

fn span(ms: u64) -> String {
    match ms / 1000 {
        0 => format!("{ms} ms"),
        seconds if seconds % 86_400 == 0 => format!("{} d", seconds / 86_400),
        seconds if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

fn time(ms: u64) -> String {
    althing_client::time::to_rfc3339(i64::try_from(ms).unwrap_or(i64::MAX))
}
