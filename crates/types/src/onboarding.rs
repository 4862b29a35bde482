use alloc::{string::String, vec::Vec};

use minicbor::{Decode, Encode};

use crate::{
    Digest, EntityId, Inception, LedgerId, PublicKey, Signature, ThingId, VoucherId,
    digest::hash,
    entity::is_name,
    limits::{DESCRIPTION_BYTES_MAX, LIMIT_PROPERTIES_MAX, VOUCHER_DEVICES_MAX, VOUCHER_PATH_MAX},
    merkle,
    wire::encode,
};

/// Who may become the owner of a thing, until when.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Offer {
    /// To whom.
    #[n(0)]
    pub to: OfferTo,
    /// Last height at which it can be accepted.
    #[n(1)]
    pub until_height: u64,
}

/// To whom a thing is offered.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum OfferTo {
    /// An entity.
    #[n(0)]
    Entity(#[n(0)] EntityId),
    /// Whoever holds the one-time code behind this key, as it is printed on the device: the key is
    /// public, the code is not, and what shows it is bound to who shows it.
    #[n(1)]
    Code(#[n(0)] PublicKey),
}

/// Shows that the sender holds the code of an [`OfferTo::Code`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Claim {
    /// The key behind the code.
    #[n(0)]
    pub key: PublicKey,
    /// Of [`claim_bytes`], by that key.
    #[n(1)]
    pub signature: Signature,
}

/// What the holder of a code signs to become the owner of a thing. Bound to ledger, thing and
/// claimant, so that nobody who sees it on its way can use it.
#[must_use]
pub fn claim_bytes(ledger: &LedgerId, thing: &ThingId, claimant: &EntityId) -> Vec<u8> {
    let mut bytes = b"althing/claim/1".to_vec();
    bytes.extend_from_slice(&ledger.0);
    bytes.extend_from_slice(&thing.0);
    bytes.extend_from_slice(&claimant.0);
    bytes
}

/// What a binding is narrowed to.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Limit {
    /// The properties whose readings the gateway may submit, ascending, at most
    /// [`LIMIT_PROPERTIES_MAX`].
    #[n(0)]
    pub properties: Vec<String>,
    /// Whether it may carry commands to the thing.
    #[n(1)]
    pub commands: bool,
}

/// How a thing is, as far as whoever reports it knows; what is absent stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Status {
    /// Whether it can be reached.
    #[n(0)]
    pub online: Option<bool>,
    /// Version of its firmware.
    #[n(1)]
    pub firmware: Option<String>,
    /// Where it is.
    #[n(2)]
    pub place: Option<Place>,
}

/// A point on the earth (WGS 84).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Place {
    /// Latitude in 10^-7 degrees, from -90 to 90 degrees.
    #[n(0)]
    pub latitude_e7: i64,
    /// Longitude in 10^-7 degrees, from -180 to 180 degrees.
    #[n(1)]
    pub longitude_e7: i64,
}

/// A maker vouches for the devices of a batch: that each holds its key, and whose they are.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Voucher {
    /// The organisation that owns the devices when they join.
    #[n(0)]
    pub owner: EntityId,
    /// Merkle root over the devices' inceptions ([`Inception::leaf`]), in order.
    #[n(1)]
    pub root: Digest,
    /// How many devices, 1 to [`VOUCHER_DEVICES_MAX`].
    #[n(2)]
    pub count: u32,
    /// The Thing Description of each of them, JSON text.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub description: Vec<u8>,
}

/// One device of a voucher, with the path that shows it is one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Join {
    /// The voucher.
    #[n(0)]
    pub voucher: VoucherId,
    /// Position of the device in it, from 0.
    #[n(1)]
    pub index: u32,
    /// How the device begins; its name is also that of its thing.
    #[n(2)]
    pub inception: Inception,
    /// From its leaf to the root, at most [`VOUCHER_PATH_MAX`] digests.
    #[n(3)]
    pub path: Vec<Digest>,
}

impl Inception {
    /// Its leaf in the tree of a [`Voucher`].
    #[must_use]
    pub fn leaf(&self) -> [u8; 32] {
        hash("althing/voucher-leaf/1", &[&encode(self)])
    }
}

impl Voucher {
    /// The id of this voucher of a maker.
    #[must_use]
    pub fn id(&self, maker: &EntityId) -> VoucherId {
        VoucherId(hash("althing/voucher/1", &[&maker.0, &encode(self)]))
    }

    pub(crate) fn is_within_bounds(&self) -> bool {
        (1..=VOUCHER_DEVICES_MAX).contains(&self.count)
            && (1..=DESCRIPTION_BYTES_MAX).contains(&self.description.len())
    }
}

impl Join {
    /// Whether the path leads from the device to the root of a voucher of `count` devices.
    #[must_use]
    pub fn is_in(&self, root: &Digest, count: u32) -> bool {
        merkle::verify(
            root,
            &self.inception.leaf(),
            u64::from(self.index),
            u64::from(count),
            &self.path,
        )
    }

    pub(crate) fn is_within_bounds(&self) -> bool {
        use crate::Wire as _;
        self.path.len() <= VOUCHER_PATH_MAX && self.inception.validate().is_ok()
    }
}

impl Offer {
    pub(crate) fn is_within_bounds(&self) -> bool {
        match &self.to {
            OfferTo::Entity(_) => true,
            OfferTo::Code(key) => key.is_valid(),
        }
    }
}

impl Limit {
    pub(crate) fn is_within_bounds(&self) -> bool {
        self.properties.len() <= LIMIT_PROPERTIES_MAX
            && self.properties.iter().all(|name| is_name(name))
            && self.properties.windows(2).all(|pair| pair[0] < pair[1])
    }
}

impl Place {
    /// Whether it is on the earth.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        const DEGREE: i64 = 10_000_000;
        let (latitude, longitude) = (self.latitude_e7, self.longitude_e7);
        -90 * DEGREE <= latitude
            && latitude <= 90 * DEGREE
            && -180 * DEGREE <= longitude
            && longitude <= 180 * DEGREE
    }
}

impl Status {
    /// Whether it says something, and that within its bounds.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        *self != Self::default()
            && self.firmware.as_ref().is_none_or(|firmware| is_name(firmware))
            && self.place.is_none_or(|place| place.is_valid())
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;
    use crate::{EntityKind, SigningKey, Suite};

    fn device(seed: u8) -> Inception {
        let key = SigningKey::from_secret(Suite::Ed25519, [seed; 32]).unwrap().public_key();
        Inception { kind: EntityKind::Device, name: std::format!("meter-{seed}"), key }
    }

    #[test]
    fn a_path_shows_one_device_of_a_voucher_and_no_other() {
        let devices: Vec<Inception> = (1..=5).map(device).collect();
        let leaves: Vec<[u8; 32]> = devices.iter().map(Inception::leaf).collect();
        let root = merkle::root(&leaves);
        for (index, inception) in devices.iter().enumerate() {
            let path = merkle::path(&leaves, index).unwrap();
            let index = index as u32;
            let join =
                Join { voucher: VoucherId([0; 32]), index, inception: inception.clone(), path };
            assert!(join.is_in(&root, 5), "{index}");
            assert!(!join.is_in(&root, 6) || index < 4, "{index}");
            let moved = Join { index: (index + 1) % 5, ..join.clone() };
            assert!(!moved.is_in(&root, 5), "{index}");
            let other = Join { inception: device(9), ..join };
            assert!(!other.is_in(&root, 5), "{index}");
        }
    }

    #[test]
    fn bounds_of_places_and_limits() {
        let place = |latitude_e7, longitude_e7| Place { latitude_e7, longitude_e7 };
        for (place, expected) in [
            (place(0, 0), true),
            (place(900_000_000, -1_800_000_000), true),
            (place(900_000_001, 0), false),
            (place(0, 1_800_000_001), false),
            (place(i64::MIN, i64::MAX), false),
        ] {
            assert_eq!(place.is_valid(), expected, "{place:?}");
        }
        let limit = |names: &[&str]| Limit {
            properties: names.iter().map(|name| String::from(*name)).collect(),
            commands: false,
        };
        for (limit, expected) in [
            (limit(&[]), true),
            (limit(&["a", "b"]), true),
            (limit(&["b", "a"]), false),
            (limit(&["a", "a"]), false),
            (limit(&[""]), false),
            (Limit { properties: vec![String::from("x"); 33], commands: true }, false),
        ] {
            assert_eq!(limit.is_within_bounds(), expected, "{limit:?}");
        }
        assert!(!Status::default().is_within_bounds());
    }
}
