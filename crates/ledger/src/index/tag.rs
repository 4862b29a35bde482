//! Rows of things by their tags.

use althing_state::{Read, Row};
use althing_types::ThingId;

use super::{join, text};
use crate::{tags::Tags, transition::Transition};

/// Rows of the things with a tag; of all that have one, by tag, if it is empty.
#[must_use]
pub fn things_tagged(tag: &str) -> Vec<u8> {
    text(b'T', tag)
}

fn row(tag: &str, id: &ThingId) -> Vec<u8> {
    join(b'T', &[tag.as_bytes(), &[0], &id.0])
}

pub(crate) fn thing_tagged<R: Read>(
    state: &mut Transition<'_, R>,
    tag: &str,
    id: &ThingId,
    present: bool,
) {
    state.row(row(tag, id), present.then(Vec::new));
}

/// The rows that follow from the tags of a thing.
pub(super) fn of_tags(id: &ThingId, tags: &Tags) -> Vec<Row> {
    tags.0.iter().map(|tag| (row(tag, id), Vec::new())).collect()
}
