//! Rows of what an entity sent, and of what changed it.

use althing_types::EntityId;

use super::join;

/// Rows of the transactions that an entity sent or that changed it: one for each block that has some,
/// since who sends most sends many in a block.
#[must_use]
pub fn history_of(entity: &EntityId) -> Vec<u8> {
    join(b'h', &[&entity.0])
}

/// Reads a row of an entity's history from what its key goes on with and its value: the height, and
/// the positions there, in order. Nothing if it is not such a row.
#[must_use]
pub fn history(suffix: &[u8], value: &[u8]) -> Option<(u64, impl DoubleEndedIterator<Item = u32>)> {
    let height = u64::from_be_bytes(suffix.try_into().ok()?);
    let (positions, rest) = value.as_chunks();
    rest.is_empty().then(|| (height, positions.iter().map(|bytes| u32::from_be_bytes(*bytes))))
}

/// The rows of a block's [`history_of`] each entity.
pub(crate) fn histories(
    height: u64,
    mut of: Vec<(EntityId, u32)>,
) -> impl Iterator<Item = (Vec<u8>, Option<Vec<u8>>)> {
    of.sort_unstable();
    of.dedup();
    let rows: Vec<_> = of
        .chunk_by(|one, other| one.0 == other.0)
        .map(|of_one| {
            let key = join(b'h', &[&of_one[0].0.0, &height.to_be_bytes()]);
            let positions = of_one.iter().flat_map(|(_, position)| position.to_be_bytes());
            (key, Some(positions.collect()))
        })
        .collect();
    rows.into_iter()
}
