//! Things, their descriptions and who may submit for them.

use althing_ledger::{
    index, key as ledger_key,
    standing::Standing,
    status::StatusRecord,
    tags::Tags,
    thing::{Interface, Outline},
};
use althing_proof::{
    key,
    record::{BindingRecord, ThingRecord},
    stream::StreamHead,
};
use althing_state::{Read as _, Space, StoreError};
use althing_types::{Digest, EntityId, Place, StreamId, ThingId};

use super::{Noun, PAGE_ITEMS_MAX, Page, Query, QueryError, checked_cursor, decode, id_at_end};

/// Which things a list is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThingFilter {
    /// Owned by this entity.
    pub owner: Option<EntityId>,
    /// Whose name contains this, in lower case.
    pub name: Option<String>,
    /// Whose description has this semantic type.
    pub kind: Option<String>,
    /// That have this tag.
    pub tag: Option<String>,
    /// That have this property.
    pub property: Option<String>,
    /// That said they are, or are not, online.
    pub online: Option<bool>,
    /// That said they are here.
    pub within: Option<Bounds>,
    /// That said they are here.
    pub near: Option<Circle>,
}

/// A circle in degrees; one of longitude counts as one of latitude.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circle {
    /// Its centre.
    pub centre: Place,
    /// Its radius, ten-millionths of a degree.
    pub radius_e7: u32,
}

/// All the way round, ten-millionths of a degree.
const ROUND_E7: i64 = 3_600_000_000;

impl Circle {
    /// Whether a point is in the circle or on its edge, the shorter way round.
    #[must_use]
    pub fn contains(&self, place: Place) -> bool {
        let north = i128::from(place.latitude_e7) - i128::from(self.centre.latitude_e7);
        let east = (place.longitude_e7 - self.centre.longitude_e7).rem_euclid(ROUND_E7);
        let east = i128::from(east.min(ROUND_E7 - east));
        let radius = i128::from(self.radius_e7);
        north * north + east * east <= radius * radius
    }
}

/// A box on the earth; one whose west is east of its east crosses the date line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Its corner in the south and west.
    pub south_west: Place,
    /// Its corner in the north and east.
    pub north_east: Place,
}

impl Bounds {
    /// Whether a point is in the box or on its edge.
    #[must_use]
    pub const fn contains(&self, place: Place) -> bool {
        let (from, to) = (&self.south_west, &self.north_east);
        let (west, east) = (from.longitude_e7, to.longitude_e7);
        let (is_east, is_west) = (place.longitude_e7 >= west, place.longitude_e7 <= east);
        from.latitude_e7 <= place.latitude_e7
            && place.latitude_e7 <= to.latitude_e7
            && if west <= east { is_east && is_west } else { is_east || is_west }
    }
}

/// What the ledger knows of a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThingState {
    /// Its id.
    pub id: ThingId,
    /// Its record.
    pub record: ThingRecord,
    /// Its properties that are streams, and its types.
    pub outline: Outline,
    /// Who may submit for it beside its owner; at most [`PAGE_ITEMS_MAX`] are given.
    pub bindings: Vec<(EntityId, BindingRecord)>,
    /// Its offer, its limits, its quarantine.
    pub standing: Standing,
    /// How it is, if anybody said.
    pub status: Option<StatusRecord>,
    /// What it can be asked to do.
    pub interface: Interface,
    /// By which words it is found, ascending.
    pub tags: Vec<String>,
}

impl Query {
    /// A thing.
    ///
    /// # Errors
    /// [`Noun::Thing`] if it is not registered.
    pub fn thing(&self, id: &ThingId) -> Result<ThingState, QueryError> {
        let record = self.known(&key::thing(id), Noun::Thing)?;
        let outline = self.record(&ledger_key::properties(id))?.unwrap_or_default();
        let standing = self.record(&ledger_key::standing(id))?.unwrap_or_default();
        let status = self.record(&ledger_key::status(id))?;
        let interface = self.record(&ledger_key::interface(id))?.unwrap_or_default();
        let bindings = self.bindings(id)?;
        let tags = self.tags(id)?;
        Ok(ThingState { id: *id, record, outline, bindings, standing, status, interface, tags })
    }

    fn bindings(&self, id: &ThingId) -> Result<Vec<(EntityId, BindingRecord)>, QueryError> {
        let whole = key::binding(id, &EntityId::default());
        let prefix = &whole[..whole.len() - 32];
        let rows = self.view().scan(prefix, None, PAGE_ITEMS_MAX)?;
        rows.into_iter()
            .filter_map(|(key, value)| Some((EntityId(id_at_end(&key)?), decode(&key, &value))))
            .map(|(gateway, record)| Ok((gateway, record?)))
            .collect()
    }

    /// Things in a stable order, by name unless the filter says otherwise.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn things(
        &self,
        filter: &ThingFilter,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<ThingState>, QueryError> {
        let prefix = filter.prefix();
        let after = checked_cursor(after, &prefix)?;
        if filter.owner.is_some() {
            return self.things_of_owner(filter, &prefix, after, limit);
        }
        self.filtered(&prefix, after, limit, |id| self.admitted(filter, id))
    }

    /// The rows of an owner's things end with a name and hold the id.
    fn things_of_owner(
        &self,
        filter: &ThingFilter,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<ThingState>, QueryError> {
        let limit = limit.clamp(1, PAGE_ITEMS_MAX);
        let rows = self.rows(prefix, after, limit)?;
        let next = (rows.len() == limit).then(|| rows.last().map(|(key, _)| key.clone()));
        let mut items = Vec::new();
        for (_, id) in rows {
            let Some(id) = id_at_end(&id) else { continue };
            items.extend(self.admitted(filter, id)?);
        }
        Ok(Page { items, next: next.flatten() })
    }

    fn admitted(
        &self,
        filter: &ThingFilter,
        id: [u8; 32],
    ) -> Result<Option<ThingState>, QueryError> {
        let thing = self.thing(&ThingId(id))?;
        Ok(filter.admits(&thing).then_some(thing))
    }

    /// The description of a thing, byte for byte as its owner registered it, with its digest: the
    /// present version, or an earlier one.
    ///
    /// # Errors
    /// [`Noun::Thing`] or [`Noun::Version`] if there is none.
    pub fn description(
        &self,
        id: &ThingId,
        version: Option<u32>,
    ) -> Result<(Digest, Vec<u8>), QueryError> {
        let record: ThingRecord = self.known(&key::thing(id), Noun::Thing)?;
        let digest = match version {
            Some(version) if version != record.version => self.earlier_digest(id, version)?,
            _ => record.description_digest,
        };
        let text = self.stored(Space::Descriptions, &digest.0)?;
        Ok((digest, text.ok_or_else(|| self.absent(StoreError::corrupt(&digest.0)))?))
    }

    fn earlier_digest(&self, id: &ThingId, version: u32) -> Result<Digest, QueryError> {
        let row = self.stored(Space::Index, &index::description(id, version))?;
        let digest = row.and_then(|row| id_at_end(&row));
        digest.map(Digest).ok_or_else(|| self.absent(QueryError::Unknown(Noun::Version)))
    }

    /// Whether the description of a thing has a semantic type now.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn is_typed(&self, thing: &ThingId, semantic: &str) -> Result<bool, QueryError> {
        let outline: Option<Outline> = self.record(&ledger_key::properties(thing))?;
        Ok(outline.is_some_and(|outline| outline.types.iter().any(|own| own == semantic)))
    }

    /// The tags of a thing, ascending.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn tags(&self, thing: &ThingId) -> Result<Vec<String>, QueryError> {
        let tags: Option<Tags> = self.record(&ledger_key::tags(thing))?;
        Ok(tags.unwrap_or_default().0)
    }

    /// The head of a stream.
    ///
    /// # Errors
    /// [`Noun::Stream`] if no thing has it.
    pub fn stream_head(&self, stream: &StreamId) -> Result<StreamHead, QueryError> {
        self.known(&key::stream(stream), Noun::Stream)
    }
}

impl ThingFilter {
    /// The rows that lead to the fewest things.
    fn prefix(&self) -> Vec<u8> {
        match self {
            Self { owner: Some(owner), .. } => index::things_of(owner),
            Self { within: Some(_), .. } | Self { near: Some(_), .. } => index::placed(),
            Self { tag: Some(tag), .. } => index::things_tagged(tag),
            Self { kind: Some(kind), .. } => index::things_typed(kind),
            Self { property: Some(property), .. } => index::things_with(property),
            _ => index::things_named(""),
        }
    }

    fn admits(&self, thing: &ThingState) -> bool {
        let holds = |wanted: &Option<String>, texts: &[String]| {
            wanted.as_ref().is_none_or(|wanted| texts.contains(wanted))
        };
        let name = thing.record.name.to_lowercase();
        self.owner.is_none_or(|owner| thing.record.owner == owner)
            && self.name.as_ref().is_none_or(|part| name.contains(part.as_str()))
            && holds(&self.kind, &thing.outline.types)
            && holds(&self.tag, &thing.tags)
            && holds(&self.property, &thing.outline.properties)
            && self.online.is_none_or(|online| said(thing, |status| status.online == Some(online)))
            && self.within.is_none_or(|within| {
                said(thing, |status| status.place.is_some_and(|place| within.contains(place)))
            })
            && self.near.is_none_or(|near| {
                said(thing, |status| status.place.is_some_and(|place| near.contains(place)))
            })
    }
}

fn said(thing: &ThingState, holds: impl Fn(&StatusRecord) -> bool) -> bool {
    thing.status.as_ref().is_some_and(holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_has_its_edge_and_goes_the_shorter_way_round() {
        let place = |latitude_e7, longitude_e7| Place { latitude_e7, longitude_e7 };
        let of = |centre, radius_e7| Circle { centre, radius_e7 };
        for (circle, place, expected) in [
            (of(place(0, 0), 5), place(3, 4), true),
            (of(place(0, 0), 5), place(-4, -3), true),
            (of(place(0, 0), 5), place(4, 4), false),
            (of(place(0, 0), 0), place(0, 0), true),
            (of(place(0, 1_799_999_999), 3), place(0, -1_799_999_999), true),
            (of(place(0, 1_799_999_999), 1), place(0, -1_799_999_999), false),
            (of(place(900_000_000, 0), u32::MAX), place(-900_000_000, 1_800_000_000), true),
        ] {
            assert_eq!(circle.contains(place), expected, "{circle:?} {place:?}");
        }
    }

    #[test]
    fn a_box_has_its_edges_and_may_cross_the_date_line() {
        let place = |latitude_e7, longitude_e7| Place { latitude_e7, longitude_e7 };
        let of = |south, west, north, east| Bounds {
            south_west: place(south, west),
            north_east: place(north, east),
        };
        for (bounds, place, expected) in [
            (of(0, 0, 10, 10), place(0, 10), true),
            (of(0, 0, 10, 10), place(11, 5), false),
            (of(0, 0, 10, 10), place(5, -1), false),
            (of(0, 1_700_000_000, 10, -1_700_000_000), place(5, 1_750_000_000), true),
            (of(0, 1_700_000_000, 10, -1_700_000_000), place(5, -1_750_000_000), true),
            (of(0, 1_700_000_000, 10, -1_700_000_000), place(5, 0), false),
        ] {
            assert_eq!(bounds.contains(place), expected, "{bounds:?} {place:?}");
        }
    }
}
