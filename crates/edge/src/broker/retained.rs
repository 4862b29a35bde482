//! Messages that later subscribers get.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::BrokerLimits;
use super::filter::matches;
use super::message::Published;
use crate::Rights;

#[derive(Debug, Default)]
pub(super) struct Retained {
    messages: BTreeMap<String, Arc<Published>>,
    bytes: usize,
}

/// What a new subscriber gets.
#[derive(Debug, Default)]
pub(super) struct Due {
    pub(super) messages: Vec<Arc<Published>>,
    /// Topics of messages that nobody gets any more: their time is up, or their publisher might not
    /// publish them now.
    pub(super) void: Vec<String>,
}

impl Retained {
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn remove(&mut self, topic: &str) -> bool {
        let removed = self.messages.remove(topic);
        self.bytes -= removed.as_ref().map_or(0, |published| published.message.cost());
        removed.is_some()
    }

    /// Whether there is room for a message.
    pub(super) fn has_room(&self, published: &Published, limits: &BrokerLimits) -> bool {
        let bytes = self.bytes.saturating_add(published.message.cost());
        self.messages.len() < limits.retained_max && bytes <= limits.retained_bytes_max
    }

    /// Removes what is delivered no more; the topics.
    pub(super) fn sweep(&mut self, now: i64) -> Vec<String> {
        let expired = self.messages.values().filter(|held| held.message.is_expired(now));
        let expired: Vec<String> = expired.map(|held| held.message.topic.clone()).collect();
        for topic in &expired {
            self.remove(topic);
        }
        expired
    }

    /// Holds a message, for which there is room, in place of none.
    pub(super) fn insert(&mut self, published: Arc<Published>) {
        self.bytes += published.message.cost();
        self.messages.insert(published.message.topic.clone(), published);
    }

    /// What a new subscriber of a filter gets; what is void goes.
    pub(super) fn matching(&mut self, filter: &str, now: i64, rights: &dyn Rights) -> Due {
        let mut due = Due::default();
        // Topics of a filter begin with its text up to the first wildcard.
        let fixed = filter.split(['+', '#']).next().unwrap_or_default();
        let fixed = if fixed.len() < filter.len() { fixed.trim_end_matches('/') } else { fixed };
        let from = self.messages.range(fixed.to_owned()..);
        for (topic, held) in from.take_while(|(topic, _)| topic.starts_with(fixed)) {
            if !matches(filter, topic) {
                continue;
            }
            let is_void = held.message.is_expired(now) || !may_stand(held, rights);
            if is_void {
                due.void.push(topic.clone());
            } else {
                due.messages.push(held.clone());
            }
        }
        for topic in &due.void {
            self.remove(topic);
        }
        due
    }
}

/// Whether the publisher might publish the message now. What the gateway published stands.
fn may_stand(held: &Published, rights: &dyn Rights) -> bool {
    held.by.as_ref().is_none_or(|by| rights.may_publish(by, &held.message.topic))
}
