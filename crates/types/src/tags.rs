//! Words by which an owner's things are found, beside what their descriptions say.

use alloc::{string::String, vec::Vec};

use minicbor::{Decode, Encode};

use crate::{ThingId, entity::is_name, limits::THING_TAGS_MAX};

/// The tags of a thing, all of them: what is not named any more is gone.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ThingTags {
    /// The thing.
    #[n(0)]
    pub thing: ThingId,
    /// Names, ascending by bytes, at most [`THING_TAGS_MAX`]; none takes all away.
    #[n(1)]
    pub tags: Vec<String>,
}

impl ThingTags {
    /// Whether they are few enough, names, and in order.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        self.tags.len() <= THING_TAGS_MAX
            && self.tags.iter().all(|tag| is_name(tag))
            && self.tags.windows(2).all(|pair| pair[0] < pair[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, vec};

    #[test]
    fn tags_are_few_names_in_order() {
        let many = |count: usize| (0..count).map(|number| format!("tag-{number:02}")).collect();
        for (tags, expected) in [
            (vec![], true),
            (vec!["hall 3".into(), "öl".into()], true),
            (vec!["b".into(), "a".into()], false),
            (vec!["a".into(), "a".into()], false),
            (vec![String::new()], false),
            (vec!["a\nb".into()], false),
            (vec!["x".repeat(65)], false),
            (many(THING_TAGS_MAX), true),
            (many(THING_TAGS_MAX + 1), false),
        ] {
            let said = ThingTags { thing: ThingId([1; 32]), tags };
            assert_eq!(said.is_within_bounds(), expected, "{said:?}");
        }
    }
}
