//! What nodes say to each other.

use bytes::Bytes;
use minicbor::{Decoder, Encoder, encode::write::Write};
use raft::eraftpb::{self, MessageType};

use crate::{
    node::conf,
    record::{Base, Entry, number, placed, put_placed},
};

/// Most entries in one message; nodes send one.
const ENTRIES_MAX: u64 = 64;
/// Fields of a message on the wire.
const FIELDS: u64 = 10;

/// Bytes that are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed")]
pub struct Malformed;

impl From<minicbor::decode::Error> for Malformed {
    fn from(_: minicbor::decode::Error) -> Self {
        Self
    }
}

/// What one node says to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Message(pub(crate) eraftpb::Message);

/// The kinds that nodes send each other, at the number that stands for each.
const KINDS: [MessageType; 9] = [
    MessageType::MsgAppend,
    MessageType::MsgAppendResponse,
    MessageType::MsgRequestVote,
    MessageType::MsgRequestVoteResponse,
    MessageType::MsgSnapshot,
    MessageType::MsgHeartbeat,
    MessageType::MsgHeartbeatResponse,
    MessageType::MsgRequestPreVote,
    MessageType::MsgRequestPreVoteResponse,
];

impl Message {
    /// The sender's term.
    #[must_use]
    pub const fn term(&self) -> u64 {
        self.0.term
    }

    /// Index and term of the entry before [`Message::entries`].
    #[must_use]
    pub const fn previous(&self) -> (u64, u64) {
        (self.0.index, self.0.log_term)
    }

    /// What is to be appended; nothing, if it is about something else.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.0.entries.iter().map(|entry| Entry {
            index: entry.index,
            term: entry.term,
            data: entry.data.clone(),
        })
    }

    /// What is to be taken instead of a part of the log that was cut off.
    #[must_use]
    pub fn base(&self) -> Option<Base> {
        if self.0.get_msg_type() != MessageType::MsgSnapshot {
            return None;
        }
        let snapshot = self.0.get_snapshot();
        let meta = snapshot.get_metadata();
        Some(Base { index: meta.index, term: meta.term, data: snapshot.data.clone() })
    }

    /// Whether it is about the log, so that it must not overtake another such message that waits.
    #[must_use]
    pub fn is_about_log(&self) -> bool {
        matches!(self.0.get_msg_type(), MessageType::MsgAppend | MessageType::MsgSnapshot)
    }

    /// Its bytes; who sends it and to whom is for whoever carries it to say.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut e = Encoder::new(Vec::new());
        // Writing to memory does not fail.
        let _ = self.put(&mut e);
        e.into_writer()
    }

    fn put<W: Write>(
        &self,
        e: &mut Encoder<W>,
    ) -> Result<(), minicbor::encode::Error<<W as Write>::Error>> {
        let m = &self.0;
        let kind = KINDS.iter().position(|kind| *kind == m.get_msg_type()).unwrap_or(KINDS.len());
        e.array(FIELDS)?.u64(kind as u64)?.u64(m.term)?.u64(m.log_term)?.u64(m.index)?;
        e.u64(m.commit)?.u64(m.commit_term)?.bool(m.reject)?.u64(m.reject_hint)?;
        e.array(m.entries.len() as u64)?;
        for entry in m.entries.iter() {
            put_placed(e, (entry.index, entry.term, &entry.data))?;
        }
        match self.base() {
            Some(Base { index, term, data }) => put_placed(e, (index, term, &data)),
            None => e.null().map(drop),
        }
    }

    /// What [`Message::encode`] wrote, from node `from` to node `to` of `voters`.
    ///
    /// # Errors
    /// [`Malformed`], also if entries do not follow on each other.
    pub fn decode(bytes: &Bytes, from: u64, to: u64, voters: u64) -> Result<Self, Malformed> {
        let mut d = Decoder::new(bytes);
        if d.array()? != Some(FIELDS) {
            return Err(Malformed);
        }
        let mut m = eraftpb::Message { from, to, ..eraftpb::Message::default() };
        let kind = usize::try_from(d.u64()?).ok().and_then(|kind| KINDS.get(kind));
        m.set_msg_type(*kind.ok_or(Malformed)?);
        m.term = number(&mut d)?;
        m.log_term = number(&mut d)?;
        m.index = number(&mut d)?;
        m.commit = number(&mut d)?;
        m.commit_term = number(&mut d)?;
        m.reject = d.bool()?;
        m.reject_hint = number(&mut d)?;
        m.set_entries(entries(bytes, &mut d, &m)?.into());
        if d.datatype()? == minicbor::data::Type::Null {
            d.null()?;
        } else {
            let (index, term, data) = placed(bytes, &mut d)?;
            m.set_snapshot(snapshot(Base { index, term, data }, voters));
        }
        let is_snapshot = m.get_msg_type() == MessageType::MsgSnapshot;
        let is_whole = d.position() == bytes.len() && is_snapshot == m.has_snapshot();
        if is_whole && m.term > 0 { Ok(Self(m)) } else { Err(Malformed) }
    }
}

/// The entries of a message about the log; others have none.
fn entries(
    whole: &Bytes,
    d: &mut Decoder<'_>,
    m: &eraftpb::Message,
) -> Result<Vec<eraftpb::Entry>, Malformed> {
    let count = d.array()?.filter(|count| *count <= ENTRIES_MAX).ok_or(Malformed)?;
    let mut entries = Vec::new();
    let mut last = (m.index, m.log_term);
    for _ in 0..count {
        let (index, term, data) = placed(whole, d)?;
        if index != last.0 + 1 || term < last.1 || term > m.term {
            return Err(Malformed);
        }
        last = (index, term);
        entries.push(entry(Entry { index, term, data }));
    }
    if count > 0 && m.get_msg_type() != MessageType::MsgAppend {
        return Err(Malformed);
    }
    Ok(entries)
}

pub(crate) fn entry(Entry { index, term, data }: Entry) -> eraftpb::Entry {
    eraftpb::Entry { index, term, data, ..eraftpb::Entry::default() }
}

pub(crate) fn snapshot(Base { index, term, data }: Base, voters: u64) -> eraftpb::Snapshot {
    let mut snapshot = eraftpb::Snapshot { data, ..eraftpb::Snapshot::default() };
    let meta = snapshot.mut_metadata();
    (meta.index, meta.term) = (index, term);
    meta.set_conf_state(conf(voters));
    snapshot
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(entries: &[(u64, u64)]) -> Message {
        let mut m = eraftpb::Message { from: 1, to: 2, ..eraftpb::Message::default() };
        m.set_msg_type(MessageType::MsgAppend);
        (m.term, m.log_term, m.index, m.commit) = (5, 3, 10, 9);
        let entries = entries.iter().map(|(index, term)| {
            entry(Entry { index: *index, term: *term, data: Bytes::from_static(b"block") })
        });
        m.set_entries(entries.collect::<Vec<_>>().into());
        Message(m)
    }

    #[test]
    fn messages_are_read_as_they_were_written() {
        let mut with_base = append(&[]);
        with_base.0.set_msg_type(MessageType::MsgSnapshot);
        let base = Base { index: 8, term: 3, data: Bytes::from_static(b"base") };
        with_base.0.set_snapshot(snapshot(base.clone(), 3));
        assert_eq!(with_base.base(), Some(base));
        let mut vote = append(&[]);
        vote.0.set_msg_type(MessageType::MsgRequestPreVoteResponse);
        vote.0.reject = true;
        for message in [append(&[]), append(&[(11, 3), (12, 5)]), with_base, vote] {
            let bytes = Bytes::from(message.encode());
            assert_eq!(Message::decode(&bytes, 1, 2, 3), Ok(message));
            for len in 0..bytes.len() {
                assert_eq!(Message::decode(&bytes.slice(..len), 1, 2, 3), Err(Malformed), "{len}");
            }
        }
    }

    #[test]
    fn entries_that_do_not_follow_are_refused() {
        let many: Vec<(u64, u64)> = (11..=11 + ENTRIES_MAX).map(|index| (index, 4)).collect();
        for entries in [&[(12, 3)][..], &[(11, 2)], &[(11, 6)], &[(11, 4), (11, 4)], &many] {
            let bytes = Bytes::from(append(entries).encode());
            assert_eq!(Message::decode(&bytes, 1, 2, 3), Err(Malformed));
        }
        let mut heartbeat = append(&[(11, 4)]);
        heartbeat.0.set_msg_type(MessageType::MsgHeartbeat);
        assert_eq!(Message::decode(&heartbeat.encode().into(), 1, 2, 3), Err(Malformed));
        let mut told = append(&[]);
        told.0.set_msg_type(MessageType::MsgTimeoutNow);
        assert_eq!(Message::decode(&told.encode().into(), 1, 2, 3), Err(Malformed));
    }
}
