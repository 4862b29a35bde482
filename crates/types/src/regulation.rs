//! What the network itself demands of how readings are kept.

use alloc::{string::String, vec::Vec};

use minicbor::{Decode, Encode};

use crate::{
    EntityId, Placement, Wire, WireError,
    entity::is_name,
    limits::{
        PLACED_ORGANISATIONS_MAX, REGULATION_REFERENCE_BYTES_MAX, REGULATION_TEXT_BYTES_MAX,
        RETENTION_DAYS_MAX,
    },
};

/// A rule that the members put into force for all: what a law, a contract or they themselves demand of
/// how readings are kept (Y.4464 7.2.4). A transaction that breaks it is refused.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Regulation {
    /// By which it is named: 1 to 64 bytes of `a-z`, `0-9`, `-` and `.`.
    #[n(0)]
    pub id: String,
    /// What it demands, in words, 1 to [`REGULATION_TEXT_BYTES_MAX`] bytes.
    #[n(1)]
    pub text: String,
    /// Where it is written, at most [`REGULATION_REFERENCE_BYTES_MAX`] bytes: an article, an address.
    #[n(2)]
    pub reference: String,
    /// Whose law it is, a name such as `EU`.
    #[n(3)]
    pub jurisdiction: String,
    /// Only things of this semantic type; all if none.
    #[n(4)]
    pub thing_type: Option<String>,
    /// What it demands of each stream.
    #[n(5)]
    pub demands: Demands,
}

/// What is demanded of a stream; at least one thing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Demands {
    /// Payloads are kept for so many days at least, and not erased, 1 to [`RETENTION_DAYS_MAX`].
    #[n(0)]
    pub retention_days_min: Option<u32>,
    /// Payloads are dropped after so many days at most, 1 to [`RETENTION_DAYS_MAX`].
    #[n(1)]
    pub retention_days_max: Option<u32>,
    /// Only peers of these organisations keep them, ascending, at most [`PLACED_ORGANISATIONS_MAX`]; of
    /// any if there are none.
    #[n(2)]
    pub holders: Vec<EntityId>,
    /// Whether streams must be confidential.
    #[n(3)]
    pub confidential: bool,
}

impl Demands {
    /// Whether every field is within its bounds, and something is demanded.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        let days =
            |days: Option<u32>| days.is_none_or(|days| (1..=RETENTION_DAYS_MAX).contains(&days));
        let spans = match (self.retention_days_min, self.retention_days_max) {
            (Some(min), Some(max)) => min <= max,
            _ => true,
        };
        *self != Self::default()
            && days(self.retention_days_min)
            && days(self.retention_days_max)
            && spans
            && self.holders.len() <= PLACED_ORGANISATIONS_MAX
            && self.holders.is_sorted_by(|one, next| one < next)
    }

    /// Whether a stream may be kept like this.
    #[must_use]
    pub fn allow(&self, placement: &Placement, is_confidential: bool) -> bool {
        let days = placement.retention_days;
        // What is never dropped is kept longer than any number of days.
        let long = self.retention_days_min.is_none_or(|min| days.is_none_or(|days| days >= min));
        let short = self.retention_days_max.is_none_or(|max| days.is_some_and(|days| days <= max));
        let named = &placement.organisations;
        let held = self.holders.is_empty()
            || (!named.is_empty() && named.iter().all(|id| self.holders.binary_search(id).is_ok()));
        long && short && held && (is_confidential || !self.confidential)
    }
}

impl Regulation {
    /// Whether every field is within its bounds.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        let is_text =
            |text: &str, max: usize| text.len() <= max && !text.chars().any(char::is_control);
        is_regulation_id(&self.id)
            && !self.text.is_empty()
            && is_text(&self.text, REGULATION_TEXT_BYTES_MAX)
            && is_text(&self.reference, REGULATION_REFERENCE_BYTES_MAX)
            && is_name(&self.jurisdiction)
            && self.thing_type.as_ref().is_none_or(|kind| is_name(kind))
            && self.demands.is_within_bounds()
    }

    /// Whether it is about a thing of these semantic types.
    #[must_use]
    pub fn is_about(&self, types: &[String]) -> bool {
        self.thing_type.as_ref().is_none_or(|wanted| types.contains(wanted))
    }
}

impl Wire for Regulation {
    const BYTES_MAX: usize = 512
        + REGULATION_TEXT_BYTES_MAX
        + REGULATION_REFERENCE_BYTES_MAX
        + PLACED_ORGANISATIONS_MAX * 34;

    fn validate(&self) -> Result<(), WireError> {
        if self.is_within_bounds() { Ok(()) } else { Err(WireError::OutOfBounds("regulation")) }
    }
}

/// Whether a text can name a regulation.
pub(crate) fn is_regulation_id(id: &str) -> bool {
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    (1..=64).contains(&id.len()) && id.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString as _, vec};

    use super::*;

    fn regulation() -> Regulation {
        Regulation {
            id: "gdpr-5".into(),
            text: "Readings of people are kept no longer than needed.".into(),
            reference: "Regulation (EU) 2016/679, Article 5(1)(e)".into(),
            jurisdiction: "EU".into(),
            thing_type: Some("saref:Meter".into()),
            demands: Demands { retention_days_max: Some(30), ..Demands::default() },
        }
    }

    #[test]
    fn what_a_regulation_says_has_bounds() {
        type Change<'a> = (bool, &'a dyn Fn(&mut Regulation));
        let rows: &[Change<'_>] = &[
            (true, &|_| ()),
            (false, &|r| r.id = String::new()),
            (false, &|r| r.id = "GDPR".into()),
            (false, &|r| r.id = "x".repeat(65)),
            (true, &|r| r.id = "x".repeat(64)),
            (false, &|r| r.text = String::new()),
            (true, &|r| r.text = "x".repeat(REGULATION_TEXT_BYTES_MAX)),
            (false, &|r| r.text = "x".repeat(REGULATION_TEXT_BYTES_MAX + 1)),
            (false, &|r| r.text = "a\nb".into()),
            (true, &|r| r.reference = String::new()),
            (false, &|r| r.reference = "x".repeat(REGULATION_REFERENCE_BYTES_MAX + 1)),
            (false, &|r| r.jurisdiction = String::new()),
            (true, &|r| r.thing_type = None),
            (false, &|r| r.thing_type = Some(String::new())),
            (false, &|r| r.demands = Demands::default()),
            (false, &|r| r.demands.retention_days_max = Some(0)),
            (false, &|r| r.demands.retention_days_min = Some(31)),
            (true, &|r| r.demands.retention_days_min = Some(30)),
            (false, &|r| r.demands.holders = vec![EntityId([2; 32]), EntityId([1; 32])]),
            (false, &|r| r.demands.holders = (0..17).map(|n| EntityId([n; 32])).collect()),
            (true, &|r| r.demands.confidential = true),
        ];
        for (row, (fits, change)) in rows.iter().enumerate() {
            let mut changed = regulation();
            change(&mut changed);
            assert_eq!(changed.is_within_bounds(), *fits, "row {row}");
            assert_eq!(Regulation::from_wire(&changed.to_wire()).is_ok(), *fits, "row {row}");
        }
    }

    #[test]
    fn demands_allow_what_keeps_them() {
        let (a, b, c) = (EntityId([1; 32]), EntityId([2; 32]), EntityId([3; 32]));
        let placed = |organisations: &[EntityId], retention_days| Placement {
            organisations: organisations.to_vec(),
            copies: None,
            retention_days,
        };
        let min = Demands { retention_days_min: Some(10), ..Demands::default() };
        let max = Demands { retention_days_max: Some(30), ..Demands::default() };
        let held = Demands { holders: vec![a, b], ..Demands::default() };
        let sealed = Demands { confidential: true, ..Demands::default() };
        for (row, (demands, placement, confidential, allowed)) in [
            (&min, placed(&[], None), false, true),
            (&min, placed(&[], Some(10)), false, true),
            (&min, placed(&[], Some(9)), false, false),
            (&max, placed(&[], None), false, false),
            (&max, placed(&[], Some(30)), false, true),
            (&max, placed(&[], Some(31)), false, false),
            (&held, placed(&[], None), false, false),
            (&held, placed(&[a], None), false, true),
            (&held, placed(&[a, b], None), false, true),
            (&held, placed(&[a, c], None), false, false),
            (&sealed, placed(&[], None), false, false),
            (&sealed, placed(&[], None), true, true),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(demands.allow(&placement, confidential), allowed, "row {row}");
        }
    }

    #[test]
    fn a_regulation_is_about_things_of_a_type_or_all() {
        let types = ["saref:Meter".to_string(), "Sensor".to_string()];
        assert!(regulation().is_about(&types) && !regulation().is_about(&types[1..]));
        let all = Regulation { thing_type: None, ..regulation() };
        assert!(all.is_about(&[]), "{}", format!("{all:?}"));
    }
}
