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
    /// Whether it is let in at all: not who speaks for things of which the ledger shuts out every one.
    fn is_shut_out(&self, who: &Principal) -> bool;
    /// The thing that the ledger shuts out, if a topic is one of its: then it is nobody's.
    fn shut_out_by(&self, topic: &str) -> Option<&str>;
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
    /// Whether a thing that it speaks for is let in, and how many are shut out.
    is_let_in: bool,
    things_out: usize,
}

/// Rights as a table: from the gateway's configuration, and from the ledger, whose entities have
/// the topics of the things that they own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RightsTable {
    rows: BTreeMap<Principal, Topics>,
    /// Filters of the topics of things that the ledger shuts out, with the things' names: they are
    /// nobody's, whatever was given.
    closed: Vec<(String, String)>,
}

impl RightsTable {
    /// Computes the table from what was given and what is served.
    pub fn new<'t>(
        grants: &[(Principal, Grant)],
        profiles: &[Profile],
        things: impl IntoIterator<Item = &'t ThingSpec>,
    ) -> Self {
        let things: Vec<&ThingSpec> = things.into_iter().collect();
        let out: Vec<&str> =
            things.iter().filter(|it| it.is_shut_out).map(|it| it.name.as_str()).collect();
        let mut table = Self::default();
        for (who, grant) in grants {
            let row = table.rows.entry(who.clone()).or_default();
            row.publish.extend_from_slice(&grant.publish);
            row.receive.extend_from_slice(&grant.receive);
            for thing in &grant.things {
                row.add_thing(thing, profiles, out.contains(&thing.as_str()));
            }
        }
        for thing in things {
            let owner = Principal::Entity(thing.owner);
            table.rows.entry(owner).or_default().add_thing(
                &thing.name,
                profiles,
                thing.is_shut_out,
            );
        }
        for thing in out {
            let topics = topics_of(thing, profiles).unwrap_or_default().into_iter();
            table.closed.extend(topics.map(|filter| (filter, thing.to_owned())));
        }
        table
    }

    fn row(&self, who: &Principal) -> Option<&Topics> {
        self.rows.get(who)
    }
}

/// The filters of a thing's topics; none if no one level of a topic names it.
fn topics_of(thing: &str, profiles: &[Profile]) -> Option<Vec<String>> {
    if thing.is_empty() || thing.contains(['/', '+', '#']) {
        return None;
    }
    let own = std::iter::once(own_topics(thing));
    Some(profiles.iter().filter_map(|profile| profile.topics_of(thing)).chain(own).collect())
}

fn own_topics(thing: &str) -> String {
    format!("things/{thing}/#")
}

impl Topics {
    fn add_thing(&mut self, thing: &str, profiles: &[Profile], is_shut_out: bool) {
        let Some(topics) = topics_of(thing, profiles) else { return };
        if is_shut_out {
            self.things_out += 1;
            return;
        }
        self.is_let_in = true;
        self.publish.extend(topics);
        self.receive.push(own_topics(thing));
    }
}

impl Rights for RightsTable {
    fn may_publish(&self, who: &Principal, topic: &str) -> bool {
        let fits = |row: &Topics| row.publish.iter().any(|filter| matches(filter, topic));
        self.row(who).is_some_and(fits) && self.shut_out_by(topic).is_none()
    }

    fn may_receive(&self, who: &Principal, topic: &str) -> bool {
        let fits = |row: &Topics| row.receive.iter().any(|filter| matches(filter, topic));
        self.row(who).is_some_and(fits) && self.shut_out_by(topic).is_none()
    }

    fn may_subscribe(&self, who: &Principal, filter: &str) -> bool {
        self.row(who).is_some_and(|row| row.receive.iter().any(|own| overlap(own, filter)))
    }

    fn is_shut_out(&self, who: &Principal) -> bool {
        self.row(who).is_some_and(|row| row.things_out > 0 && !row.is_let_in)
    }

    fn shut_out_by(&self, topic: &str) -> Option<&str> {
        let found = self.closed.iter().find(|(filter, _)| matches(filter, topic));
        found.map(|(_, thing)| thing.as_str())
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
            is_shut_out: false,
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

    #[test]
    fn what_is_shut_out_has_no_topics_and_who_speaks_for_nothing_else_is_not_let_in() {
        let thing = |name: &str, id: u8, owner: u8, is_shut_out| ThingSpec {
            id: ThingId([id; 32]),
            name: name.into(),
            owner: EntityId([owner; 32]),
            until_height: None,
            streams: Vec::new(),
            device: None,
            may_lose: false,
            is_shut_out,
        };
        let things =
            [thing("light", 1, 5, true), thing("fan", 2, 5, false), thing("cam", 3, 6, true)];
        let speaks = |names: &[&str]| Grant {
            things: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Grant::default()
        };
        let all = || vec!["#".to_owned()];
        let operator = Grant { publish: all(), receive: all(), ..speaks(&["light"]) };
        let grants = [
            (user("light"), speaks(&["light"])),
            (user("both"), speaks(&["light", "fan"])),
            (user("operator"), operator),
            (Principal::Anonymous, Grant { publish: all(), receive: all(), ..Grant::default() }),
        ];
        let table = RightsTable::new(&grants, &[Profile::standard()], &things);
        let entity = |id: u8| Principal::Entity(EntityId([id; 32]));
        // who, is shut out, publishes and receives for the light, for the fan
        for (who, out, light, fan) in [
            (user("light"), true, false, false),
            (user("both"), false, false, true),
            (user("operator"), true, false, true),
            (Principal::Anonymous, false, false, true),
            (entity(5), false, false, true),
            (entity(6), true, false, false),
            (user("stranger"), false, false, false),
        ] {
            assert_eq!(table.is_shut_out(&who), out, "{who:?}");
            for (name, may) in [("light", light), ("fan", fan)] {
                assert_eq!(table.may_publish(&who, &format!("althing/{name}/on")), may, "{who:?}");
                assert_eq!(table.may_receive(&who, &format!("things/{name}/x")), may, "{who:?}");
            }
        }
        let before = RightsTable::new(&grants, &[Profile::standard()], &[]);
        assert!(!before.is_shut_out(&user("light")), "nothing is shut out that is not known");
    }
}
