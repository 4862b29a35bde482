//! Who a client is, and what it may publish and receive.

use std::collections::BTreeMap;
use std::fmt;

use althing_types::EntityId;

use crate::ThingSpec;
use crate::broker::filter::{matches, overlap};
use crate::profile::Profile;

/// Who a client is, as its credentials showed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// Somebody who showed nothing.
    Anonymous,
    /// A user of the gateway's configuration, by name.
    User(String),
    /// An entity of the ledger, by a token that its key signed.
    Entity(EntityId),
}

/// Who may do what. It is asked when a client publishes or subscribes, and again before each
/// message is handed to a subscriber, so that a right that ends, ends at once. It must answer by
/// what it holds, without waiting.
pub trait Rights: fmt::Debug + Send {
    /// Whether it may publish to a topic.
    fn may_publish(&self, who: &Principal, topic: &str) -> bool;
    /// Whether it may get what is published to a topic.
    fn may_receive(&self, who: &Principal, topic: &str) -> bool;
    /// Whether there can be a topic of this filter that it may get messages of.
    fn may_subscribe(&self, who: &Principal, filter: &str) -> bool;
}

/// What one principal was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grant {
    /// Names of the things that it speaks for: it may publish their readings, and has their own
    /// topics, `things/<name>/#`, both ways.
    pub things: Vec<String>,
    /// Filters of topics that it may publish to besides.
    pub publish: Vec<String>,
    /// Filters of topics that it may receive besides.
    pub receive: Vec<String>,
}

/// The topics of one principal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Topics {
    publish: Vec<String>,
    receive: Vec<String>,
}

/// Rights as a table: from the gateway's configuration, and from the ledger, whose entities have
/// the topics of the things that they own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RightsTable {
    rows: BTreeMap<Principal, Topics>,
}

impl RightsTable {
    /// Computes the table from what was given and what is served.
    pub fn new<'t>(
        grants: &[(Principal, Grant)],
        profiles: &[Profile],
        things: impl IntoIterator<Item = &'t ThingSpec>,
    ) -> Self {
        let mut table = Self::default();
        for (who, grant) in grants {
            let row = table.rows.entry(who.clone()).or_default();
            row.publish.extend_from_slice(&grant.publish);
            row.receive.extend_from_slice(&grant.receive);
            for thing in &grant.things {
                row.add_thing(thing, profiles);
            }
        }
        for thing in things {
            let owner = Principal::Entity(thing.owner);
            table.rows.entry(owner).or_default().add_thing(&thing.name, profiles);
        }
        table
    }

    fn row(&self, who: &Principal) -> Option<&Topics> {
        self.rows.get(who)
    }
}

impl Topics {
    fn add_thing(&mut self, thing: &str, profiles: &[Profile]) {
        if thing.is_empty() || thing.contains(['/', '+', '#']) {
            // No one level of a topic names it.
            return;
        }
        let own = format!("things/{thing}/#");
        self.publish.extend(profiles.iter().filter_map(|profile| profile.topics_of(thing)));
        self.publish.push(own.clone());
        self.receive.push(own);
    }
}

impl Rights for RightsTable {
    fn may_publish(&self, who: &Principal, topic: &str) -> bool {
        self.row(who).is_some_and(|row| row.publish.iter().any(|filter| matches(filter, topic)))
    }

    fn may_receive(&self, who: &Principal, topic: &str) -> bool {
        self.row(who).is_some_and(|row| row.receive.iter().any(|filter| matches(filter, topic)))
    }

    fn may_subscribe(&self, who: &Principal, filter: &str) -> bool {
        self.row(who).is_some_and(|row| row.receive.iter().any(|own| overlap(own, filter)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use althing_types::ThingId;

    fn user(name: &str) -> Principal {
        Principal::User(name.into())
    }

    #[test]
    fn rights_are_those_given_and_no_others() {
        let owner = EntityId([5; 32]);
        let press = ThingSpec {
            id: ThingId([1; 32]),
            name: "press".into(),
            owner,
            until_height: None,
            streams: Vec::new(),
            device: None,
            may_lose: false,
        };
        let given = Grant { things: vec!["pump".into()], ..Grant::default() };
        let display = Grant { receive: vec!["althing/+/temperature".into()], ..Grant::default() };
        let odd =
            Grant { things: vec!["#".into(), "a/+".into(), String::new()], ..Grant::default() };
        let grants = [(user("pump"), given), (user("display"), display), (user("odd"), odd)];
        let profiles = [Profile::standard(), Profile::standard_pack()];
        let table = RightsTable::new(&grants, &profiles, [&press]);
        let entity = Principal::Entity(owner);
        // who, topic, may publish, may receive, may subscribe to it as a filter
        for (who, topic, publish, receive, subscribe) in [
            (user("pump"), "althing/pump/temperature", true, false, false),
            (user("pump"), "althing/pump", true, false, false),
            (user("pump"), "althing/press/temperature", false, false, false),
            (user("pump"), "things/pump/commands/stop", true, true, true),
            (user("pump"), "things/press/commands/stop", false, false, false),
            (user("display"), "althing/pump/temperature", false, true, true),
            (user("display"), "althing/pump/state", false, false, false),
            (entity.clone(), "althing/press/temperature", true, false, false),
            (entity, "things/press/commands/stop", true, true, true),
            (user("odd"), "althing/pump/temperature", false, false, false),
            (user("stranger"), "althing/pump/temperature", false, false, false),
            (Principal::Anonymous, "althing/pump/temperature", false, false, false),
            // Everything overlaps with what one has; what is delivered is decided by the topic.
            (user("display"), "#", false, false, true),
            (user("pump"), "+/+/#", false, false, true),
            (user("pump"), "althing/#", false, false, false),
            (user("stranger"), "#", false, false, false),
        ] {
            let is_topic = !topic.contains(['+', '#']);
            if is_topic {
                assert_eq!(table.may_publish(&who, topic), publish, "{who:?} publishes {topic}");
                assert_eq!(table.may_receive(&who, topic), receive, "{who:?} receives {topic}");
            }
            assert_eq!(table.may_subscribe(&who, topic), subscribe, "{who:?} asks for {topic}");
        }
    }
}
