//! Subscriptions by the levels of their filters.

use std::collections::BTreeMap;

use super::filter::Asked;
use super::message::Qos;
use super::session::SessionNo;

/// How a client wants what it subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Highest quality of service.
    pub qos: Qos,
    /// Not what it published itself.
    pub no_local: bool,
    /// With the retain flag that the publisher set.
    pub retain_as_published: bool,
    /// Named in what is delivered for it.
    pub id: Option<u32>,
}

/// A level of a filter. Its depth is bounded by that of filters.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// The next level: text, `+` or `#`. No topic name has the latter two.
    next: BTreeMap<String, Tree>,
    members: BTreeMap<SessionNo, Options>,
    groups: BTreeMap<String, Group>,
}

/// Sessions that share a subscription: each message is for one of them.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) members: BTreeMap<SessionNo, Options>,
    /// Who got the last message.
    pub(super) last: Option<SessionNo>,
}

/// Whom a message is for.
#[derive(Debug)]
pub(super) enum Match<'t> {
    Member(SessionNo, Options),
    Group(&'t mut Group),
}

impl Tree {
    /// Adds or replaces a subscription; whether it is new.
    pub(super) fn insert(
        &mut self,
        asked: Asked<'_>,
        session: SessionNo,
        options: Options,
    ) -> bool {
        let node = asked
            .filter
            .split('/')
            .fold(self, |node, level| node.next.entry(level.to_owned()).or_default());
        let members = match asked.group {
            None => &mut node.members,
            Some(group) => &mut node.groups.entry(group.to_owned()).or_default().members,
        };
        members.insert(session, options).is_none()
    }

    /// Removes a subscription, and the levels that served no other.
    pub(super) fn remove(&mut self, asked: Asked<'_>, session: SessionNo) {
        let levels: Vec<&str> = asked.filter.split('/').collect();
        self.remove_at(&levels, asked.group, session);
    }

    fn remove_at(&mut self, levels: &[&str], group: Option<&str>, session: SessionNo) {
        let Some((level, rest)) = levels.split_first() else {
            match group {
                None => {
                    self.members.remove(&session);
                }
                Some(name) => {
                    if let Some(group) = self.groups.get_mut(name) {
                        group.members.remove(&session);
                        if group.members.is_empty() {
                            self.groups.remove(name);
                        }
                    }
                }
            }
            return;
        };
        if let Some(next) = self.next.get_mut(*level) {
            next.remove_at(rest, group, session);
            if next.is_empty() {
                self.next.remove(*level);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.next.is_empty() && self.members.is_empty() && self.groups.is_empty()
    }

    /// Calls `found` for all that a topic name matches.
    pub(super) fn for_each_match(&mut self, topic: &str, found: &mut impl FnMut(Match<'_>)) {
        let levels: Vec<&str> = topic.split('/').collect();
        let may_be_wild = !topic.starts_with('$');
        self.visit(&levels, may_be_wild, found);
    }

    /// A node stands for one depth only, so each is visited once at most.
    fn visit(&mut self, levels: &[&str], may_be_wild: bool, found: &mut impl FnMut(Match<'_>)) {
        if may_be_wild && let Some(all) = self.next.get_mut("#") {
            all.offer(found);
        }
        let Some((level, rest)) = levels.split_first() else { return self.offer(found) };
        if may_be_wild && let Some(any) = self.next.get_mut("+") {
            any.visit(rest, true, found);
        }
        if let Some(next) = self.next.get_mut(*level) {
            next.visit(rest, true, found);
        }
    }

    fn offer(&mut self, found: &mut impl FnMut(Match<'_>)) {
        for (session, options) in &self.members {
            found(Match::Member(*session, *options));
        }
        for group in self.groups.values_mut() {
            found(Match::Group(group));
        }
    }
}

impl Group {
    /// The members from the one whose turn it is on.
    pub(super) fn in_turn(&self) -> impl Iterator<Item = (SessionNo, Options)> + '_ {
        let first = self.last.map_or(SessionNo(0), |last| SessionNo(last.0.saturating_add(1)));
        let (later, earlier) = (self.members.range(first..), self.members.range(..first));
        later.chain(earlier).map(|(session, options)| (*session, *options))
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::matches;
    use super::*;
    use proptest::prelude::*;

    const OPTIONS: Options =
        Options { qos: Qos::AtLeastOnce, no_local: false, retain_as_published: false, id: None };

    fn found(tree: &mut Tree, topic: &str) -> Vec<u64> {
        let mut found = Vec::new();
        tree.for_each_match(topic, &mut |hit| match hit {
            Match::Member(session, _) => found.push(session.0),
            Match::Group(group) => found.extend(group.in_turn().map(|(session, _)| session.0)),
        });
        found.sort_unstable();
        found
    }

    fn text(levels: &'static [&'static str]) -> impl Strategy<Value = String> {
        let level = proptest::sample::select(levels);
        proptest::collection::vec(level, 1..5).prop_map(|levels| levels.join("/"))
    }

    fn filter() -> impl Strategy<Value = String> {
        (text(&["a", "b", "+", "", "$x"]), any::<bool>())
            .prop_map(|(text, all)| if all { format!("{text}/#") } else { text })
    }

    proptest! {
        #[test]
        fn the_tree_finds_what_matches_and_nothing_else(
            filters in proptest::collection::vec(filter(), 0..12),
            removed in proptest::collection::vec(any::<bool>(), 12),
            topic in text(&["a", "b", "", "$x"]),
        ) {
            let mut tree = Tree::default();
            for (index, filter) in filters.iter().enumerate() {
                let group = (index % 3 == 0).then_some("g");
                tree.insert(Asked { group, filter }, SessionNo(index as u64), OPTIONS);
            }
            let mut expected = Vec::new();
            for (index, filter) in filters.iter().enumerate() {
                let session = SessionNo(index as u64);
                if removed[index] {
                    let group = (index % 3 == 0).then_some("g");
                    tree.remove(Asked { group, filter }, session);
                } else if matches(filter, &topic) {
                    expected.push(session.0);
                }
            }
            prop_assert_eq!(found(&mut tree, &topic), expected);
            for (index, filter) in filters.iter().enumerate() {
                let group = (index % 3 == 0).then_some("g");
                tree.remove(Asked { group, filter }, SessionNo(index as u64));
            }
            prop_assert!(tree.is_empty(), "levels are given back");
        }
    }
}
