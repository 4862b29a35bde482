use std::fmt;

/// Most levels of a topic or pattern.
pub const TOPIC_LEVELS_MAX: usize = 32;
/// Longest topic or pattern, bytes.
pub const TOPIC_BYTES_MAX: usize = 512;

/// Which topics a profile speaks for, and where in them the names of thing and property stand.
///
/// `althing/{thing}/{property}` takes both from the topic. A level may also be literal text or
/// `+`, which accepts anything. A captured name is one whole level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    levels: Vec<Level>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Level {
    Literal(String),
    Thing,
    Property,
    Any,
}

/// What a pattern captured from a topic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Captured<'t> {
    /// The level at `{thing}`.
    pub thing: Option<&'t str>,
    /// The level at `{property}`.
    pub property: Option<&'t str>,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Empty, or beyond the bounds.
    #[error("a pattern has 1 to {TOPIC_LEVELS_MAX} levels and at most {TOPIC_BYTES_MAX} bytes")]
    Size,
    /// A level is empty or mixes text with `{`, `}`, `+` or `#`.
    #[error("level `{0}`: a level is `{{thing}}`, `{{property}}`, `+` or plain text")]
    Level(String),
    /// `{thing}` or `{property}` stands twice.
    #[error("`{0}` stands twice")]
    Twice(&'static str),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() || text.len() > TOPIC_BYTES_MAX {
            return Err(PatternError::Size);
        }
        let levels = text.split('/').map(Level::parse).collect::<Result<Vec<_>, _>>()?;
        if levels.len() > TOPIC_LEVELS_MAX {
            return Err(PatternError::Size);
        }
        for (level, name) in [(Level::Thing, "{thing}"), (Level::Property, "{property}")] {
            if levels.iter().filter(|l| **l == level).count() > 1 {
                return Err(PatternError::Twice(name));
            }
        }
        Ok(Self { levels })
    }

    /// What the pattern captures from `topic`, if it fits.
    #[must_use]
    pub fn capture<'t>(&self, topic: &'t str) -> Option<Captured<'t>> {
        let mut captured = Captured::default();
        let mut given = topic.split('/');
        for level in &self.levels {
            let text = given.next().filter(|text| !text.is_empty())?;
            match level {
                Level::Literal(literal) if literal == text => {}
                Level::Literal(_) => return None,
                Level::Thing => captured.thing = Some(text),
                Level::Property => captured.property = Some(text),
                Level::Any => {}
            }
        }
        given.next().is_none().then_some(captured)
    }

    /// Whether the pattern names the thing.
    #[must_use]
    pub fn captures_thing(&self) -> bool {
        self.levels.contains(&Level::Thing)
    }

    /// The filter of the topics of one thing.
    pub(crate) fn filter_of(&self, thing: &str) -> String {
        let level = |level: &Level| match level {
            Level::Literal(text) => text.clone(),
            Level::Thing => thing.to_owned(),
            Level::Property | Level::Any => "+".to_owned(),
        };
        self.levels.iter().map(level).collect::<Vec<_>>().join("/")
    }
}

impl Level {
    fn parse(text: &str) -> Result<Self, PatternError> {
        match text {
            "{thing}" => Ok(Self::Thing),
            "{property}" => Ok(Self::Property),
            "+" => Ok(Self::Any),
            _ if text.is_empty() || text.contains(['{', '}', '+', '#', '\0']) => {
                Err(PatternError::Level(text.to_owned()))
            }
            _ => Ok(Self::Literal(text.to_owned())),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, level) in self.levels.iter().enumerate() {
            let separator = if index == 0 { "" } else { "/" };
            let text = match level {
                Level::Literal(text) => text,
                Level::Thing => "{thing}",
                Level::Property => "{property}",
                Level::Any => "+",
            };
            write!(f, "{separator}{text}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_names() {
        for (pattern, topic, expected) in [
            (
                "althing/{thing}/{property}",
                "althing/pump-7/temperature",
                Some((Some("pump-7"), Some("temperature"))),
            ),
            ("althing/{thing}/{property}", "althing/pump-7", None),
            ("althing/{thing}/{property}", "althing/pump-7/temperature/x", None),
            ("althing/{thing}/{property}", "althing//temperature", None),
            ("plant/+/{thing}", "plant/line-1/pump-7", Some((Some("pump-7"), None))),
            ("tele/sensor", "tele/sensor", Some((None, None))),
            ("tele/sensor", "tele/Sensor", None),
            ("tele/sensor", "", None),
        ] {
            let parsed = Pattern::parse(pattern).unwrap();
            let captured = parsed.capture(topic).map(|c| (c.thing, c.property));
            assert_eq!(captured, expected, "{pattern} on {topic}");
            assert_eq!(parsed.to_string(), pattern);
        }
    }

    #[test]
    fn refuses_what_is_no_pattern() {
        for (pattern, expected) in [
            ("", PatternError::Size),
            ("a//b", PatternError::Level(String::new())),
            ("a/#", PatternError::Level("#".into())),
            ("a/x{thing}", PatternError::Level("x{thing}".into())),
            ("{thing}/{thing}", PatternError::Twice("{thing}")),
        ] {
            assert_eq!(Pattern::parse(pattern), Err(expected), "{pattern}");
        }
        assert_eq!(Pattern::parse(&"a/".repeat(40)), Err(PatternError::Level(String::new())));
        assert_eq!(Pattern::parse(&vec!["a"; 40].join("/")), Err(PatternError::Size));
    }
}
