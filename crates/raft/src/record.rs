//! What a node keeps on disk.

use bytes::Bytes;
use minicbor::{Decoder, Encoder, encode::write::Write};

use crate::Malformed;

/// Numbers beyond this are refused: no log gets there, and sums of them cannot overflow.
pub(crate) const NUMBER_MAX: u64 = 1 << 62;

/// A place in the log with what is there. Without data it only marks the beginning of a term.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// Its place, from 1.
    pub index: u64,
    /// The term in which it was appended.
    pub term: u64,
    /// What is there.
    pub data: Bytes,
}

/// Where a log begins whose first part has been cut off.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Base {
    /// The last place that was cut off; 0 if none was.
    pub index: u64,
    /// The term of what was there.
    pub term: u64,
    /// What whoever needs the part that was cut off gets instead.
    pub data: Bytes,
}

/// One write. A node is what its records say, read in the order in which they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// The term, for whom it voted in it (0 for nobody), and how far it knew the log to be committed.
    State {
        /// The term.
        term: u64,
        /// For whom.
        vote: u64,
        /// The last place known to be committed.
        commit: u64,
    },
    /// An entry. What stood at its place and behind it is void.
    Entry(Entry),
    /// The log begins here; what stood in it before is void.
    Base(Base),
}

const STATE: u8 = 0;
const ENTRY: u8 = 1;
const BASE: u8 = 2;

type Written<W> = Result<(), minicbor::encode::Error<<W as Write>::Error>>;

/// Writes an array of index, term and data.
pub(crate) fn put_placed<W: Write>(
    e: &mut Encoder<W>,
    (index, term, data): (u64, u64, &[u8]),
) -> Written<W> {
    e.array(3)?.u64(index)?.u64(term)?.bytes(data)?;
    Ok(())
}

/// Reads what [`put_placed`] wrote, without copying the data.
pub(crate) fn placed(whole: &Bytes, d: &mut Decoder<'_>) -> Result<(u64, u64, Bytes), Malformed> {
    if d.array()? != Some(3) {
        return Err(Malformed);
    }
    let (index, term) = (number(d)?, number(d)?);
    Ok((index, term, whole.slice_ref(d.bytes()?)))
}

pub(crate) fn number(d: &mut Decoder<'_>) -> Result<u64, Malformed> {
    Some(d.u64()?).filter(|number| *number <= NUMBER_MAX).ok_or(Malformed)
}

impl Record {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut e = Encoder::new(Vec::new());
        // Writing to memory does not fail.
        let _ = self.put(&mut e);
        e.into_writer()
    }

    fn put<W: Write>(&self, e: &mut Encoder<W>) -> Written<W> {
        e.array(2)?;
        match self {
            Self::State { term, vote, commit } => {
                e.u8(STATE)?.array(3)?.u64(*term)?.u64(*vote)?.u64(*commit)?;
                Ok(())
            }
            Self::Entry(Entry { index, term, data }) => {
                e.u8(ENTRY)?;
                put_placed(e, (*index, *term, data))
            }
            Self::Base(Base { index, term, data }) => {
                e.u8(BASE)?;
                put_placed(e, (*index, *term, data))
            }
        }
    }

    /// What [`Record::encode`] wrote.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let mut d = Decoder::new(bytes);
        if d.array()? != Some(2) {
            return Err(Malformed);
        }
        let record = match d.u8()? {
            STATE if d.array()? == Some(3) => {
                let (term, vote, commit) = (number(&mut d)?, number(&mut d)?, number(&mut d)?);
                Self::State { term, vote, commit }
            }
            ENTRY => {
                let (index, term, data) = placed(bytes, &mut d)?;
                Self::Entry(Entry { index, term, data })
            }
            BASE => {
                let (index, term, data) = placed(bytes, &mut d)?;
                Self::Base(Base { index, term, data })
            }
            _ => return Err(Malformed),
        };
        if d.position() == bytes.len() { Ok(record) } else { Err(Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_they_were_written() {
        let data = Bytes::from_static(b"data");
        for record in [
            Record::State { term: 7, vote: 0, commit: NUMBER_MAX },
            Record::Entry(Entry { index: 1, term: 2, data: Bytes::new() }),
            Record::Entry(Entry { index: 300, term: 2, data: data.clone() }),
            Record::Base(Base { index: 9, term: 3, data }),
        ] {
            let bytes = Bytes::from(record.encode());
            assert_eq!(Record::decode(&bytes), Ok(record.clone()));
            for len in 0..bytes.len() {
                assert_eq!(Record::decode(&bytes.slice(..len)), Err(Malformed), "{record:?} {len}");
            }
            let longer = Bytes::from([&bytes[..], &[0]].concat());
            assert_eq!(Record::decode(&longer), Err(Malformed));
        }
        let huge = Record::State { term: NUMBER_MAX + 1, vote: 0, commit: 0 }.encode();
        assert_eq!(Record::decode(&huge.into()), Err(Malformed));
    }
}
