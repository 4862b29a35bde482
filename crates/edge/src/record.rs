use althing_types::{Arrived, Pack, Reading, StreamId, Value, Wire, WireError};
use minicbor::data::Type;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::mark::Mark;

/// What the store-and-forward queue keeps on disk, in order. Replaying the records that survived
/// gives back the queue; see [`Machine::recover`](crate::Machine::recover).
///
/// On disk each is `[kind, ...]` in canonical CBOR:
/// ```text
/// [0, [[stream, seq, claimed_ms, received_ms, value], ...]]   readings of one publish
/// [1, stream, next_seq]                                       where the stream stands
/// [2, stream, before_seq]                                     readings before are final
/// [3, stream, from_seq, to_seq]                               readings from from_seq on move
/// [4]                                                         what was before is forgotten
/// [5, stream, received_ms, pack]                              readings that their device signed
/// [6, stream, first_seq, count]                               these are kept no more
/// [7, stream, from_seq, below_seq, to_seq]                    these move behind all others
/// [8, session, number, id, record / null]                     a record of a publish of QoS 2
/// [9, session, number]                                        the sessions' store knows these
/// ```
#[expect(
    clippy::large_enum_variant,
    reason = "a pack is moved a few times in its life, a box would be one allocation more"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// The readings of one publish; a publish is kept whole or not at all.
    Readings(Vec<Numbered>),
    /// The next sequence number of a stream, from the ledger or carried into a new segment.
    Head {
        /// The stream.
        stream: StreamId,
        /// The number its next reading gets.
        next_seq: u64,
    },
    /// All readings of the stream before this number are final.
    Retired {
        /// The stream.
        stream: StreamId,
        /// The first number that may not be final.
        before_seq: u64,
    },
    /// Another submitter took the numbers: every reading from `from_seq` on is renumbered, the
    /// first to `to_seq`, the others keeping their distances.
    Renumbered {
        /// The stream.
        stream: StreamId,
        /// The first number that was taken.
        from_seq: u64,
        /// What it becomes.
        to_seq: u64,
    },
    /// The whole queue follows: what was before is forgotten.
    Reset,
    /// The readings of a pack that the thing's device signed, under its numbers.
    Pack(StreamId, Arrived),
    /// These readings are final or given up, those before them perhaps not.
    Released {
        /// The stream.
        stream: StreamId,
        /// The first of them.
        first_seq: u64,
        /// How many numbers.
        count: u32,
    },
    /// The numbers of these readings were taken: they get new ones without gap behind all others.
    Moved {
        /// The stream.
        stream: StreamId,
        /// The first of them.
        from_seq: u64,
        /// Number after the last of them.
        below_seq: u64,
        /// What the first becomes.
        to_seq: u64,
    },
    /// What a publish of QoS 2 gave, whole or not at all; nothing if that was written before.
    Marked(Mark, Option<Box<Self>>),
    /// The store of sessions knows the publishes of QoS 2 of a session up to this number.
    Passed {
        /// The session.
        session: u64,
        /// The last of them.
        number: u64,
    },
}

/// A reading with its place in its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// The stream.
    pub stream: StreamId,
    /// Its sequence number.
    pub seq: u64,
    /// The reading.
    pub reading: Reading,
}

/// Most readings of one record: as many as a SenML pack may have.
const READINGS_MAX: u64 = crate::senml::RECORDS_MAX as u64;

impl<C> Encode<C> for Record {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        c: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        match self {
            Self::Readings(readings) => {
                e.array(2)?.u8(0)?.array(readings.len() as u64)?;
                readings.iter().try_for_each(|numbered| numbered.encode(e, c))
            }
            Self::Head { stream, next_seq } => {
                e.array(3)?.u8(1)?.bytes(&stream.0)?.u64(*next_seq)?.ok()
            }
            Self::Retired { stream, before_seq } => {
                e.array(3)?.u8(2)?.bytes(&stream.0)?.u64(*before_seq)?.ok()
            }
            Self::Renumbered { stream, from_seq, to_seq } => {
                e.array(4)?.u8(3)?.bytes(&stream.0)?.u64(*from_seq)?.u64(*to_seq)?.ok()
            }
            Self::Reset => e.array(1)?.u8(4)?.ok(),
            Self::Pack(stream, Arrived { received_ms, pack }) => {
                e.array(4)?.u8(5)?.bytes(&stream.0)?.i64(*received_ms)?.bytes(pack.wire())?.ok()
            }
            Self::Released { stream, first_seq, count } => {
                e.array(4)?.u8(6)?.bytes(&stream.0)?.u64(*first_seq)?.u32(*count)?.ok()
            }
            Self::Moved { stream, from_seq, below_seq, to_seq } => {
                e.array(5)?.u8(7)?.bytes(&stream.0)?;
                e.u64(*from_seq)?.u64(*below_seq)?.u64(*to_seq)?.ok()
            }
            Self::Marked(Mark { session, number, id }, record) => {
                e.array(5)?.u8(8)?.u64(*session)?.u64(*number)?.u16(*id)?;
                match record {
                    Some(record) => record.encode(e, c),
                    None => e.null()?.ok(),
                }
            }
            Self::Passed { session, number } => {
                e.array(3)?.u8(9)?.u64(*session)?.u64(*number)?.ok()
            }
        }
    }
}

impl<'b, C> Decode<'b, C> for Record {
    fn decode(d: &mut Decoder<'b>, c: &mut C) -> Result<Self, decode::Error> {
        let len = d.array()?;
        match (d.u8()?, len) {
            (8, Some(5)) => {
                let mark = Mark { session: d.u64()?, number: d.u64()?, id: d.u16()? };
                if d.datatype()? == Type::Null {
                    return d.null().map(|()| Self::Marked(mark, None));
                }
                let len = d.array()?;
                let kind = (d.u8()?, len);
                let record = Self::decode_plain(d, c, kind)?;
                Ok(Self::Marked(mark, Some(Box::new(record))))
            }
            kind => Self::decode_plain(d, c, kind),
        }
    }
}

impl Record {
    /// The rest of a record of this kind and length, which is not marked: no record holds itself.
    fn decode_plain<C>(
        d: &mut Decoder<'_>,
        c: &mut C,
        kind: (u8, Option<u64>),
    ) -> Result<Self, decode::Error> {
        match kind {
            (0, Some(2)) => {
                let count = d.array()?.unwrap_or(u64::MAX);
                if !(1..=READINGS_MAX).contains(&count) {
                    return Err(decode::Error::message("number of readings"));
                }
                let readings = (0..count).map(|_| Numbered::decode(d, c));
                Ok(Self::Readings(readings.collect::<Result<_, _>>()?))
            }
            (1, Some(3)) => Ok(Self::Head { stream: stream(d)?, next_seq: d.u64()? }),
            (2, Some(3)) => Ok(Self::Retired { stream: stream(d)?, before_seq: d.u64()? }),
            (3, Some(4)) => {
                Ok(Self::Renumbered { stream: stream(d)?, from_seq: d.u64()?, to_seq: d.u64()? })
            }
            (4, Some(1)) => Ok(Self::Reset),
            (5, Some(4)) => {
                let (stream, received_ms) = (stream(d)?, d.i64()?);
                let pack = Pack::decode(d.bytes()?);
                let pack = pack.map_err(|_| decode::Error::message("pack"))?;
                Ok(Self::Pack(stream, Arrived { received_ms, pack }))
            }
            (6, Some(4)) => {
                Ok(Self::Released { stream: stream(d)?, first_seq: d.u64()?, count: d.u32()? })
            }
            (7, Some(5)) => Ok(Self::Moved {
                stream: stream(d)?,
                from_seq: d.u64()?,
                below_seq: d.u64()?,
                to_seq: d.u64()?,
            }),
            (9, Some(3)) => Ok(Self::Passed { session: d.u64()?, number: d.u64()? }),
            _ => Err(decode::Error::message("kind of record")),
        }
    }
}

impl<C> Encode<C> for Numbered {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        c: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        let Reading { claimed_ms, received_ms, value } = &self.reading;
        e.array(5)?.bytes(&self.stream.0)?.u64(self.seq)?.i64(*claimed_ms)?.i64(*received_ms)?;
        value.encode(e, c)
    }
}

impl<'b, C> Decode<'b, C> for Numbered {
    fn decode(d: &mut Decoder<'b>, c: &mut C) -> Result<Self, decode::Error> {
        if d.array()? != Some(5) {
            return Err(decode::Error::message("array length"));
        }
        let (stream, seq) = (stream(d)?, d.u64()?);
        let (claimed_ms, received_ms) = (d.i64()?, d.i64()?);
        let value = Value::decode(d, c)?;
        Ok(Self { stream, seq, reading: Reading { claimed_ms, received_ms, value } })
    }
}

fn stream(d: &mut Decoder<'_>) -> Result<StreamId, decode::Error> {
    let bytes = d.bytes()?.try_into();
    bytes.map(StreamId).map_err(|_| decode::Error::message("stream id"))
}

impl Wire for Record {
    const BYTES_MAX: usize = RECORD_BYTES_MAX;

    fn validate(&self) -> Result<(), WireError> {
        match self {
            Self::Readings(readings) if readings.iter().any(|n| n.seq == u64::MAX) => {
                Err(WireError::OutOfBounds("seq"))
            }
            Self::Pack(_, arrived) if arrived.pack.readings(arrived.received_ms).is_none() => {
                Err(WireError::OutOfBounds("time"))
            }
            Self::Moved { from_seq, below_seq, .. } if from_seq >= below_seq => {
                Err(WireError::OutOfBounds("below_seq"))
            }
            Self::Marked(_, Some(record)) => record.validate(),
            _ => Ok(()),
        }
    }
}

/// Longest record, bytes: the longest publish, each reading with its stream and numbers.
pub const RECORD_BYTES_MAX: usize = 128 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<i64>().prop_map(Value::Number),
            any::<bool>().prop_map(Value::Bool),
            "[a-z]{0,20}".prop_map(Value::Text),
            proptest::collection::vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
        ]
    }

    fn numbered() -> impl Strategy<Value = Numbered> {
        (any::<[u8; 32]>(), 0..u64::MAX, any::<i64>(), any::<i64>(), value()).prop_map(
            |(stream, seq, claimed_ms, received_ms, value)| Numbered {
                stream: StreamId(stream),
                seq,
                reading: Reading { claimed_ms, received_ms, value },
            },
        )
    }

    fn plain() -> impl Strategy<Value = Record> {
        let stream = any::<[u8; 32]>().prop_map(StreamId);
        prop_oneof![
            Just(Record::Reset),
            (any::<u64>(), any::<u64>())
                .prop_map(|(session, number)| Record::Passed { session, number }),
            proptest::collection::vec(numbered(), 1..5).prop_map(Record::Readings),
            (stream.clone(), any::<u64>())
                .prop_map(|(stream, next_seq)| Record::Head { stream, next_seq }),
            (stream.clone(), any::<u64>())
                .prop_map(|(stream, before_seq)| Record::Retired { stream, before_seq }),
            (stream.clone(), any::<u64>(), any::<u64>()).prop_map(|(stream, from_seq, to_seq)| {
                Record::Renumbered { stream, from_seq, to_seq }
            }),
            (stream.clone(), any::<u64>(), any::<u32>()).prop_map(|(stream, first_seq, count)| {
                Record::Released { stream, first_seq, count }
            }),
            (stream.clone(), 0..u64::MAX, any::<u64>()).prop_map(|(stream, from_seq, to_seq)| {
                Record::Moved { stream, from_seq, below_seq: from_seq + 1, to_seq }
            }),
            (stream, any::<i64>(), any::<u32>(), any::<i64>()).prop_map(
                |(stream, received_ms, first_seq, mantissa)| {
                    let pack = crate::testing::pack(first_seq.into(), None, &[mantissa]);
                    Record::Pack(stream, Arrived { received_ms, pack })
                }
            ),
        ]
    }

    fn record() -> impl Strategy<Value = Record> {
        let mark = (any::<u64>(), any::<u64>(), any::<u16>())
            .prop_map(|(session, number, id)| Mark { session, number, id });
        let marked = (mark, proptest::option::of(plain().prop_map(Box::new)));
        prop_oneof![plain(), marked.prop_map(|(mark, record)| Record::Marked(mark, record)),]
    }

    /// A record in a record in a record could overflow the stack of whoever reads it.
    #[test]
    fn no_record_holds_a_marked_one() {
        let mark = Mark { session: 1, number: 2, id: 3 };
        let once = Record::Marked(mark, None);
        let twice = Record::Marked(mark, Some(Box::new(once.clone())));
        assert!(Record::from_wire(&once.to_wire()).is_ok());
        assert!(Record::from_wire(&twice.to_wire()).is_err());
    }

    proptest! {
        #[test]
        fn records_round_trip(record in record()) {
            let bytes = record.to_wire();
            prop_assert_eq!(Record::from_wire(&bytes), Ok(record));
        }

        #[test]
        fn any_bytes_decode_to_their_own_encoding_or_not_at_all(
            bytes in proptest::collection::vec(any::<u8>(), 0..80)
        ) {
            if let Ok(record) = Record::from_wire(&bytes) {
                prop_assert_eq!(record.to_wire(), bytes);
            }
        }
    }
}
