//! Topic names and filters (MQTT 5 §4.7; the same in MQTT 3.1.1).

use super::TOPIC_LEVELS_MAX;

/// Whether a text is a topic name that may be published to.
#[must_use]
pub fn is_topic_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(['+', '#', '\0']) && has_levels_within_bound(text)
}

/// Whether a text is a topic filter: `+` stands for one whole level, `#` for all that follow.
#[must_use]
pub fn is_topic_filter(text: &str) -> bool {
    if text.is_empty() || text.contains('\0') || !has_levels_within_bound(text) {
        return false;
    }
    let mut levels = text.split('/').peekable();
    while let Some(level) = levels.next() {
        let is_last = levels.peek().is_none();
        let fits = match level {
            "+" => true,
            "#" => is_last,
            _ => !level.contains(['+', '#']),
        };
        if !fits {
            return false;
        }
    }
    true
}

fn has_levels_within_bound(text: &str) -> bool {
    text.bytes().filter(|byte| *byte == b'/').count() < TOPIC_LEVELS_MAX
}

/// A filter as a client subscribes to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'f> {
    /// The group that shares the subscription, of `$share/<group>/<filter>` (MQTT 5 §4.8.2).
    pub group: Option<&'f str>,
    /// The filter itself.
    pub filter: &'f str,
}

impl<'f> Asked<'f> {
    /// Reads a filter; none if it is no valid one.
    #[must_use]
    pub fn parse(text: &'f str) -> Option<Self> {
        const SHARED: &str = "$share/";
        let Some(shared) = text.strip_prefix(SHARED) else {
            return is_topic_filter(text).then_some(Self { group: None, filter: text });
        };
        let (group, filter) = shared.split_once('/')?;
        let is_group = !group.is_empty() && !group.contains(['+', '#', '\0']);
        (is_group && is_topic_filter(filter)).then_some(Self { group: Some(group), filter })
    }
}

/// Whether a filter matches a topic name. A wildcard at the front leaves out topics that begin
/// with `$` (MQTT-4.7.2-1).
#[must_use]
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut filters = filter.split('/');
    let mut levels = topic.split('/');
    loop {
        match (filters.next(), levels.next()) {
            // `sport/#` also matches `sport`.
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(filter), Some(level)) if filter == level => {}
            _ => return false,
        }
    }
}

/// Whether there is a topic that both filters match.
#[must_use]
pub fn overlap(a: &str, b: &str) -> bool {
    let is_special = |own: &str, other: &str| own.starts_with('$') && other.starts_with(['+', '#']);
    if is_special(a, b) || is_special(b, a) {
        return false;
    }
    let (mut a, mut b) = (a.split('/'), b.split('/'));
    loop {
        match (a.next(), b.next()) {
            (Some("#"), _) | (_, Some("#")) | (None, None) => return true,
            (Some("+"), Some(_)) | (Some(_), Some("+")) => {}
            (Some(a), Some(b)) if a == b => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_the_standard_says() {
        for (filter, topic, expected) in [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
            ("sport/#", "sport", true),
            ("#", "sport/tennis", true),
            ("sport/tennis/+", "sport/tennis/player1", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "$SYS/monitor", false),
            ("+/monitor", "$SYS/monitor", false),
            ("$SYS/#", "$SYS/monitor", true),
            ("a/b", "a/B", false),
        ] {
            assert_eq!(matches(filter, topic), expected, "{filter} on {topic}");
        }
    }

    #[test]
    fn names_and_filters_are_told_apart() {
        let deep = "a/".repeat(TOPIC_LEVELS_MAX);
        for (text, name, filter) in [
            ("a/b", true, true),
            ("/", true, true),
            ("a b", true, true),
            ("", false, false),
            ("a\0", false, false),
            ("a/+/b", false, true),
            ("a/#", false, true),
            ("#", false, true),
            ("a/#/b", false, false),
            ("a+", false, false),
            ("a/b#", false, false),
            (&deep, false, false),
            (&deep[..deep.len() - 1], true, true),
        ] {
            assert_eq!((is_topic_name(text), is_topic_filter(text)), (name, filter), "{text:?}");
        }
    }

    #[test]
    fn a_group_shares_a_filter() {
        let asked = |group, filter| Some(Asked { group, filter });
        for (text, expected) in [
            ("a/#", asked(None, "a/#")),
            ("$share/g/a/#", asked(Some("g"), "a/#")),
            ("$share/g//a", asked(Some("g"), "/a")),
            ("$share/g/", None),
            ("$share/g", None),
            ("$share//a", None),
            ("$share/+/a", None),
            ("$share/g#/a", None),
            ("$share/", None),
            ("$shared/g", asked(None, "$shared/g")),
        ] {
            assert_eq!(Asked::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn filters_overlap_where_a_topic_matches_both() {
        for (a, b, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "a/c", false),
            ("a/+", "a/c", true),
            ("a/+", "+/c", true),
            ("a/#", "a", true),
            ("a/#", "b/#", false),
            ("#", "a/b", true),
            ("a/+", "a", false),
            ("a/b/#", "a/+/c", true),
            ("$SYS/a", "#", false),
            ("$SYS/a", "$SYS/#", true),
        ] {
            assert_eq!((overlap(a, b), overlap(b, a)), (expected, expected), "{a} and {b}");
        }
    }
}
