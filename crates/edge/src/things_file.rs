//! What the gateway serves, as a file: so that a gateway that starts while no peer can be reached
//! takes readings at once.
//!
//! ```text
//! file   = digest:32 body                         BLAKE3 of the body
//! body   = [3, ledger, gateway, [thing, ...]]     canonical CBOR
//! thing  = [id, name, owner, until_height / null, [[property, stream, schema], ...],
//!           [device, key / null] / null, may_lose, is_shut_out]
//! schema = as on the ledger
//! ```

use althing_types::limits::{NAME_BYTES_MAX, PROPERTIES_MAX};
use althing_types::{EntityId, StreamSchema, Wire, WireError, blake3_digest};
use minicbor::{Decode, Decoder, Encode, Encoder, data::Type, decode, encode};

use crate::directory::{DeviceSpec, STREAMS_MAX, StreamSpec, THINGS_MAX, ThingSpec};
use crate::journal::Identity;

/// Version of the form.
const VERSION: u8 = 3;
/// Bytes of the digest before the body.
const DIGEST_BYTES: usize = 32;

/// The body of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThingList {
    /// Whose list it is.
    pub identity: Identity,
    /// The things it serves.
    pub things: Vec<ThingSpec>,
}

/// Why bytes are no list of this gateway's things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ThingListError {
    /// Not whole.
    #[error("it is damaged; it is written anew once a peer was reached")]
    Damaged,
    /// A version that this program does not know.
    #[error("it was written by another version; it is written anew once a peer was reached")]
    Version,
    /// Another gateway's or ledger's.
    #[error("it belongs to another gateway or ledger; give this gateway its own directory")]
    Foreign,
}

impl ThingList {
    /// The bytes of the file.
    #[must_use]
    pub fn to_file(&self) -> Vec<u8> {
        let body = self.to_wire();
        [&blake3_digest(&body)[..], &body].concat()
    }

    /// Reads the bytes of the file.
    ///
    /// # Errors
    /// [`ThingListError`].
    pub fn from_file(identity: &Identity, bytes: &[u8]) -> Result<Self, ThingListError> {
        let (digest, body) = bytes.split_at_checked(DIGEST_BYTES).ok_or(ThingListError::Damaged)?;
        if body.len() > Self::BYTES_MAX || digest != blake3_digest(body) {
            return Err(ThingListError::Damaged);
        }
        let mut head = Decoder::new(body);
        let version = head.array().and_then(|_| head.u8()).map_err(|_| ThingListError::Damaged)?;
        if version != VERSION {
            return Err(ThingListError::Version);
        }
        let list = Self::from_wire(body).map_err(|_| ThingListError::Damaged)?;
        if list.identity == *identity { Ok(list) } else { Err(ThingListError::Foreign) }
    }
}

impl Wire for ThingList {
    /// A thing takes at most 240 bytes, a stream 256.
    const BYTES_MAX: usize = 128 + THINGS_MAX * 240 + STREAMS_MAX * 256;

    fn validate(&self) -> Result<(), WireError> {
        let streams = || self.things.iter().flat_map(|thing| &thing.streams);
        let is_name = |name: &str| name.len() <= NAME_BYTES_MAX;
        if streams().count() > STREAMS_MAX {
            return Err(WireError::OutOfBounds("streams"));
        }
        if !self.things.iter().all(|thing| is_name(&thing.name))
            || !streams().all(|stream| is_name(&stream.property))
        {
            return Err(WireError::OutOfBounds("name"));
        }
        if !streams().all(|stream| stream.schema.is_valid()) {
            return Err(WireError::OutOfBounds("schema"));
        }
        Ok(())
    }
}

impl<C> Encode<C> for ThingList {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        c: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(4)?.u8(VERSION)?;
        self.identity.ledger.encode(e, c)?;
        self.identity.gateway.encode(e, c)?;
        e.array(self.things.len() as u64)?;
        self.things.iter().try_for_each(|thing| encode_thing(thing, e, c))
    }
}

impl<'b, C> Decode<'b, C> for ThingList {
    fn decode(d: &mut Decoder<'b>, c: &mut C) -> Result<Self, decode::Error> {
        fixed(d, 4)?;
        if d.u8()? != VERSION {
            return Err(decode::Error::message("version"));
        }
        let identity = Identity { ledger: Decode::decode(d, c)?, gateway: Decode::decode(d, c)? };
        let count = counted(d, THINGS_MAX)?;
        let things = (0..count).map(|_| decode_thing(d, c)).collect::<Result<_, _>>()?;
        Ok(Self { identity, things })
    }
}

fn encode_thing<C, W: encode::Write>(
    thing: &ThingSpec,
    e: &mut Encoder<W>,
    c: &mut C,
) -> Result<(), encode::Error<W::Error>> {
    e.array(8)?;
    thing.id.encode(e, c)?;
    e.str(&thing.name)?;
    thing.owner.encode(e, c)?;
    thing.until_height.encode(e, c)?;
    e.array(thing.streams.len() as u64)?;
    thing.streams.iter().try_for_each(|stream| {
        e.array(3)?.str(&stream.property)?;
        stream.id.encode(e, c)?;
        stream.schema.encode(e, c)
    })?;
    match &thing.device {
        None => e.null()?.ok()?,
        Some(DeviceSpec { id, key }) => {
            e.array(2)?;
            id.encode(e, c)?;
            key.encode(e, c)?;
        }
    }
    e.bool(thing.may_lose)?.bool(thing.is_shut_out)?.ok()
}

fn decode_thing<'b, C>(d: &mut Decoder<'b>, c: &mut C) -> Result<ThingSpec, decode::Error> {
    fixed(d, 8)?;
    let (id, name) = (Decode::decode(d, c)?, d.str()?.to_owned());
    let (owner, until_height) = (EntityId::decode(d, c)?, Decode::decode(d, c)?);
    let count = counted(d, PROPERTIES_MAX)?;
    let stream = |_| {
        fixed(d, 3)?;
        let (property, id) = (d.str()?.to_owned(), Decode::decode(d, c)?);
        Ok(StreamSpec { property, id, schema: StreamSchema::decode(d, c)? })
    };
    let streams = (0..count).map(stream).collect::<Result<_, decode::Error>>()?;
    let device = if d.datatype()? == Type::Null {
        d.null()?;
        None
    } else {
        fixed(d, 2)?;
        Some(DeviceSpec { id: Decode::decode(d, c)?, key: Decode::decode(d, c)? })
    };
    let (may_lose, is_shut_out) = (d.bool()?, d.bool()?);
    Ok(ThingSpec { id, name, owner, until_height, streams, device, may_lose, is_shut_out })
}

/// The head of an array of this length.
fn fixed(d: &mut Decoder<'_>, len: u64) -> Result<(), decode::Error> {
    if d.array()? == Some(len) { Ok(()) } else { Err(decode::Error::message("array length")) }
}

/// The head of an array of at most this length.
fn counted(d: &mut Decoder<'_>, max: usize) -> Result<u64, decode::Error> {
    let len = d.array()?.filter(|len| *len <= max as u64);
    len.ok_or_else(|| decode::Error::message("array length"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use althing_types::PublicKey;
    use althing_types::{LedgerId, StreamId, ThingId, ValueKind};
    use proptest::prelude::*;

    const IDENTITY: Identity = Identity { ledger: LedgerId([1; 32]), gateway: EntityId([2; 32]) };

    fn stream() -> impl Strategy<Value = StreamSpec> {
        let ends = (any::<Option<i64>>(), any::<Option<i64>>());
        ("[a-z]{1,64}", any::<[u8; 32]>(), 0..=15_u8, 1..i64::MAX, "[a-z]{0,64}", ends).prop_map(
            |(property, id, scale, quantum, unit, (minimum, maximum))| {
                let kind = ValueKind::Number;
                let schema = StreamSchema { kind, scale, quantum, unit, minimum, maximum };
                StreamSpec { property, id: StreamId(id), schema }
            },
        )
    }

    fn thing() -> impl Strategy<Value = ThingSpec> {
        let streams = proptest::collection::vec(stream(), 0..4);
        let ids = (any::<[u8; 32]>(), any::<[u8; 32]>());
        let device = any::<Option<([u8; 32], Option<[u8; 32]>)>>();
        let flags = any::<(bool, bool)>();
        (ids, "[a-z]{1,64}", any::<Option<u64>>(), streams, device, flags).prop_map(
            |((id, owner), name, until_height, streams, device, (may_lose, is_shut_out))| {
                ThingSpec {
                    is_shut_out,
                    device: device.map(|(id, key)| DeviceSpec {
                        id: EntityId(id),
                        key: key.map(PublicKey::ed25519),
                    }),
                    may_lose,
                    id: ThingId(id),
                    name,
                    owner: EntityId(owner),
                    until_height,
                    streams,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_a_changed_byte_is_noticed(
            things in proptest::collection::vec(thing(), 0..4),
            at in any::<proptest::sample::Index>(),
            flip in 1..=255_u8,
        ) {
            let list = ThingList { identity: IDENTITY, things };
            let mut bytes = list.to_file();
            let streams: usize = list.things.iter().map(|thing| thing.streams.len()).sum();
            prop_assert!(bytes.len() <= 160 + list.things.len() * 240 + streams * 256);
            prop_assert_eq!(ThingList::from_file(&IDENTITY, &bytes), Ok(list));
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert_eq!(
                ThingList::from_file(&IDENTITY, &bytes),
                Err(ThingListError::Damaged)
            );
        }

        #[test]
        fn any_bytes_decode_to_their_own_encoding_or_not_at_all(
            bytes in proptest::collection::vec(any::<u8>(), 0..120)
        ) {
            if let Ok(list) = ThingList::from_wire(&bytes) {
                prop_assert_eq!(list.to_wire(), bytes);
            }
        }
    }

    #[test]
    fn a_list_of_somebody_else_or_another_version_is_told_apart() {
        let list = ThingList { identity: IDENTITY, things: vec![] };
        let other = Identity { gateway: EntityId([9; 32]), ..IDENTITY };
        let file = list.to_file();
        assert_eq!(ThingList::from_file(&other, &file), Err(ThingListError::Foreign));
        let mut body = list.to_wire();
        body[1] = VERSION + 1;
        let newer = [&blake3_digest(&body)[..], &body].concat();
        assert_eq!(ThingList::from_file(&IDENTITY, &newer), Err(ThingListError::Version));
        for len in [0, DIGEST_BYTES - 1, DIGEST_BYTES, file.len() - 1] {
            let torn = ThingList::from_file(&IDENTITY, &file[..len]);
            assert_eq!(torn, Err(ThingListError::Damaged), "{len}");
        }
    }
}
