use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A place in the sequence of all events of the ledger; in text `height-index-event`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cursor {
    /// Height of the block.
    pub height: u64,
    /// Position of the transaction in the block.
    pub index: u32,
    /// Position of the event in the transaction's receipt.
    pub event: u32,
}

impl Cursor {
    /// Before all events of the block after `height`.
    #[must_use]
    pub const fn after_block(height: u64) -> Self {
        Self { height, index: u32::MAX, event: u32::MAX }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.height, self.index, self.event)
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('-');
        let (Some(height), Some(index), Some(event), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("a cursor as an earlier event gave it expected, such as 12-0-1");
        };
        let number = |_| "a cursor is three numbers, such as 12-0-1";
        Ok(Self {
            height: height.parse().map_err(number)?,
            index: index.parse().map_err(number)?,
            event: event.parse().map_err(number)?,
        })
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
mod schema {
    use std::borrow::Cow;

    use utoipa::{
        PartialSchema, ToSchema,
        openapi::{
            ObjectBuilder, RefOr,
            schema::{Schema, Type},
        },
    };

    use super::Cursor;

    impl PartialSchema for Cursor {
        fn schema() -> RefOr<Schema> {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .description(Some("Place of an event: block, transaction in it, event of that"))
                .pattern(Some("^[0-9]{1,20}-[0-9]{1,10}-[0-9]{1,10}$"))
                .examples(["12-0-1"])
                .into()
        }
    }

    impl ToSchema for Cursor {
        fn name() -> Cow<'static, str> {
            Cow::Borrowed("Cursor")
        }
    }
}

#[cfg(test)]
mod tests {
    use althing_types::TxId;

    use super::*;
    use crate::model::{Event, Hex};

    #[test]
    fn cursors_are_ordered_and_their_text_round_trips() {
        let cursor = Cursor { height: 12, index: 0, event: 1 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        assert!(cursor < Cursor::after_block(12) && Cursor::after_block(11) < cursor);
        for wrong in ["", "12", "12-0", "12-0-1-2", "-1-0-0", "a-b-c", "12-0-99999999999"] {
            assert!(wrong.parse::<Cursor>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_name_of_an_event_is_its_type_in_json() {
        let event = Event::ApprovalGranted { pending: Hex(TxId([1; 32])) };
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["type"], event.name());
    }
}
