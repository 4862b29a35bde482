//! What peers say to each other beside the engine's messages.

use althing_types::limits::{PAYLOAD_BYTES_MAX, TRANSACTION_BYTES_MAX};
use bytes::Bytes;
use minicbor::{Decoder, Encoder, decode, encode};

/// Most transactions in one message.
pub(crate) const SPREAD_MAX: usize = 4096;
/// Longest message with more than one transaction, bytes.
pub(crate) const SPREAD_BYTES_MAX: usize = 256 * 1024;
/// Longest transaction with its payloads, bytes: one message between peers must carry it, or it would
/// wait for ever at the peer that took it.
pub(crate) const SUBMISSION_BYTES_MAX: usize = 960 * 1024;
/// Most payloads asked for in one message; an answer with all of them fits the longest message.
pub(crate) const WANTED_MAX: usize = 14;
/// Most bytes of an item in one message.
pub(crate) const PART_BYTES_MAX: usize = 512 * 1024;
/// Most payloads that one message asks about without wanting them.
pub(crate) const KEPT_MAX: usize = 1024;

/// A transaction with the payloads of its batches, as a client or a peer hands it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The transaction's wire bytes.
    pub transaction: Bytes,
    /// The payloads of its batches, in the order of its actions.
    pub payloads: Vec<Bytes>,
}

impl Submission {
    /// Bytes in all.
    pub(crate) fn len(&self) -> usize {
        self.transaction.len() + self.payloads.iter().map(Bytes::len).sum::<usize>()
    }
}

/// Writes `[[transaction, [payload, ...]], ...]`.
pub(crate) fn encode_spread(submissions: &[Submission]) -> Bytes {
    let len = submissions.iter().map(|submission| submission.len() + 16).sum();
    let mut out = Vec::with_capacity(len);
    let mut e = Encoder::new(&mut out);
    let written = e.array(submissions.len() as u64).and_then(|e| {
        for submission in submissions {
            e.array(2)?.bytes(&submission.transaction)?;
            e.array(submission.payloads.len() as u64)?;
            for payload in &submission.payloads {
                e.bytes(payload)?;
            }
        }
        Ok(())
    });
    debug_assert!(written.is_ok(), "writing to memory does not fail");
    out.into()
}

/// Reads what [`encode_spread`] wrote.
///
/// # Errors
/// If the message is malformed or a part is longer than it may be.
pub fn decode_spread(message: &Bytes) -> Result<Vec<Submission>, decode::Error> {
    let mut d = Decoder::new(message);
    let count = counted(&mut d, SPREAD_MAX)?;
    let mut submissions = Vec::new();
    for _ in 0..count {
        exactly(&mut d, 2)?;
        let transaction = part(&mut d, TRANSACTION_BYTES_MAX)?;
        let payloads = counted(&mut d, althing_types::limits::ACTIONS_MAX)?;
        let payloads =
            (0..payloads).map(|_| part(&mut d, PAYLOAD_BYTES_MAX)).collect::<Result<_, _>>()?;
        submissions.push(Submission { transaction, payloads });
    }
    at_end(message, &d)?;
    Ok(submissions)
}

/// A request for payloads, or an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fetch {
    /// BLAKE3 digests of payloads the sender wants.
    Want(Vec<[u8; 32]>),
    /// Payloads the receiver asked for.
    Have(Vec<Bytes>),
    /// The sender wants the bytes of something from a position on.
    Ask(Item, u32),
    /// Some of the bytes of something.
    Part(Part),
    /// Digests of payloads of which the sender wants to know whether the receiver keeps them.
    Keeps(Vec<[u8; 32]>),
    /// Those that the sender keeps, and will, as far as it knows.
    Kept(Vec<[u8; 32]>),
}

/// Something longer than a message, which is fetched in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Item {
    /// What is offered to a newcomer: a height with what shows its state's root; the newest if the
    /// height is 0.
    Offer(u64),
    /// Pieces of the state at a height, from one on.
    Pieces(u64, u16),
    /// The latest batches of the streams of the state at a height, from an id on.
    Streams(u64, [u8; 32]),
    /// The descriptions of the things of the state at a height, from an id on.
    Descriptions(u64, [u8; 32]),
    /// Blocks from a height on, up to one with a certificate.
    Blocks(u64),
}

/// Some of the bytes of an [`Item`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) item: Item,
    /// Position of the first of these bytes.
    pub(crate) offset: u32,
    /// Bytes in all.
    pub(crate) total: u32,
    pub(crate) bytes: Bytes,
}

impl Item {
    /// Most bytes of one: a state whose pieces are longer is not handed over.
    pub(crate) const BYTES_MAX: usize = 16 * 1024 * 1024;

    /// Writes `[kind, number, bytes]`.
    fn write<'a, W: encode::Write>(
        &self,
        e: &'a mut Encoder<W>,
    ) -> Result<&'a mut Encoder<W>, encode::Error<W::Error>> {
        let (kind, number, from): (u8, u64, Vec<u8>) = match self {
            Self::Offer(height) => (0, *height, Vec::new()),
            Self::Pieces(height, from) => (1, *height, from.to_be_bytes().to_vec()),
            Self::Streams(height, from) => (2, *height, from.to_vec()),
            Self::Descriptions(height, from) => (3, *height, from.to_vec()),
            Self::Blocks(from) => (4, *from, Vec::new()),
        };
        e.array(3)?.u8(kind)?.u64(number)?.bytes(&from)
    }

    fn read(d: &mut Decoder<'_>) -> Result<Self, decode::Error> {
        exactly(d, 3)?;
        let (kind, number, from) = (d.u8()?, d.u64()?, d.bytes()?);
        let id = || from.try_into().map_err(|_| decode::Error::message("id"));
        match (kind, from) {
            (0, []) => Ok(Self::Offer(number)),
            (1, [high, low]) => Ok(Self::Pieces(number, u16::from_be_bytes([*high, *low]))),
            (2, _) => Ok(Self::Streams(number, id()?)),
            (3, _) => Ok(Self::Descriptions(number, id()?)),
            (4, []) => Ok(Self::Blocks(number)),
            _ => Err(decode::Error::message("item")),
        }
    }
}

impl Fetch {
    /// Writes `[0, [digest, ...]]`, `[1, [payload, ...]]`, `[2, item, offset]`, `[3, item, offset,
    /// total, bytes]`, `[4, [digest, ...]]` or `[5, [digest, ...]]`.
    pub(crate) fn encode(&self) -> Bytes {
        let mut out = Vec::new();
        let mut e = Encoder::new(&mut out);
        let written = match self {
            Self::Want(digests) => list(&mut e, 0, digests),
            Self::Have(payloads) => list(&mut e, 1, payloads),
            Self::Keeps(digests) => list(&mut e, 4, digests),
            Self::Kept(digests) => list(&mut e, 5, digests),
            Self::Ask(item, offset) => {
                e.array(3).and_then(|e| item.write(e.u8(2)?)).and_then(|e| e.u32(*offset)).map(drop)
            }
            Self::Part(Part { item, offset, total, bytes }) => e
                .array(5)
                .and_then(|e| item.write(e.u8(3)?))
                .and_then(|e| e.u32(*offset)?.u32(*total)?.bytes(bytes))
                .map(drop),
        };
        debug_assert!(written.is_ok(), "writing to memory does not fail");
        out.into()
    }

    /// Reads what [`Fetch::encode`] wrote.
    pub(crate) fn decode(message: &Bytes) -> Result<Self, decode::Error> {
        let mut d = Decoder::new(message);
        let len = d.array()?;
        let fetch = match (d.u8()?, len) {
            (0, Some(2)) => Self::Want(digests(&mut d, WANTED_MAX)?),
            (4, Some(2)) => Self::Keeps(digests(&mut d, KEPT_MAX)?),
            (5, Some(2)) => Self::Kept(digests(&mut d, KEPT_MAX)?),
            (1, Some(2)) => {
                let count = counted(&mut d, WANTED_MAX)?;
                let payload = |_| part(&mut d, PAYLOAD_BYTES_MAX);
                Self::Have((0..count).map(payload).collect::<Result<_, _>>()?)
            }
            (2, Some(3)) => Self::Ask(Item::read(&mut d)?, d.u32()?),
            (3, Some(5)) => {
                let (item, offset, total) = (Item::read(&mut d)?, d.u32()?, d.u32()?);
                Self::Part(Part { item, offset, total, bytes: part(&mut d, PART_BYTES_MAX)? })
            }
            _ => return Err(decode::Error::message("kind")),
        };
        at_end(message, &d)?;
        // Each has one encoding, as everything that peers say.
        if fetch.encode() != *message {
            return Err(decode::Error::message("another encoding"));
        }
        Ok(fetch)
    }
}

/// A message on the channel for requests, read and written again; none if it is malformed. For those who
/// look after the form.
#[must_use]
pub fn fetch_again(message: &Bytes) -> Option<Bytes> {
    Fetch::decode(message).ok().map(|fetch| fetch.encode())
}

/// One message of each kind, by name, so that the form can be pinned.
#[must_use]
pub fn fetch_examples() -> Vec<(&'static str, Vec<u8>)> {
    let part = |item| {
        let bytes = Bytes::from_static(b"a part of what was asked for");
        Fetch::Part(Part { item, offset: 524_288, total: 524_316, bytes })
    };
    let examples = [
        ("payloads wanted", Fetch::Want(vec![[1; 32], [2; 32]])),
        ("payloads", Fetch::Have(vec![Bytes::from_static(b"one"), Bytes::new()])),
        ("the newest offer asked for", Fetch::Ask(Item::Offer(0), 0)),
        ("a part of an offer", part(Item::Offer(1024))),
        ("pieces asked for", Fetch::Ask(Item::Pieces(1024, 4095), 524_288)),
        ("a part of pieces", part(Item::Pieces(1024, 7))),
        ("streams asked for", Fetch::Ask(Item::Streams(1024, [3; 32]), 0)),
        ("a part of streams", part(Item::Streams(u64::MAX, [3; 32]))),
        ("descriptions asked for", Fetch::Ask(Item::Descriptions(1024, [4; 32]), 0)),
        ("a part of descriptions", part(Item::Descriptions(1024, [4; 32]))),
        ("blocks asked for", Fetch::Ask(Item::Blocks(1025), 0)),
        ("a part of blocks", part(Item::Blocks(1025))),
        ("payloads asked about", Fetch::Keeps(vec![[5; 32]])),
        ("payloads kept", Fetch::Kept(Vec::new())),
    ];
    examples.into_iter().map(|(name, fetch)| (name, fetch.encode().to_vec())).collect()
}

/// Writes `[kind, [bytes, ...]]`.
fn list<W: encode::Write>(
    e: &mut Encoder<W>,
    kind: u8,
    parts: &[impl AsRef<[u8]>],
) -> Result<(), encode::Error<W::Error>> {
    e.array(2)?.u8(kind)?.array(parts.len() as u64)?;
    parts.iter().try_for_each(|part| e.bytes(part.as_ref()).map(drop))
}

fn digests(d: &mut Decoder<'_>, max: usize) -> Result<Vec<[u8; 32]>, decode::Error> {
    let count = counted(d, max)?;
    let digest = |_| d.bytes()?.try_into().map_err(|_| decode::Error::message("digest"));
    (0..count).map(digest).collect()
}

fn exactly(d: &mut Decoder<'_>, len: u64) -> Result<(), decode::Error> {
    if d.array()? == Some(len) { Ok(()) } else { Err(decode::Error::message("array length")) }
}

fn counted(d: &mut Decoder<'_>, max: usize) -> Result<usize, decode::Error> {
    match d.array()?.and_then(|count| usize::try_from(count).ok()) {
        Some(count) if count <= max => Ok(count),
        _ => Err(decode::Error::message("too many")),
    }
}

fn part(d: &mut Decoder<'_>, max: usize) -> Result<Bytes, decode::Error> {
    let bytes = d.bytes()?;
    if bytes.len() > max {
        return Err(decode::Error::message("too long"));
    }
    // Copied: a part that shared the message's memory would keep all of it, up to a MiB, for as long
    // as the part waits, and be counted as a few hundred bytes.
    Ok(Bytes::copy_from_slice(bytes))
}

fn at_end(message: &Bytes, d: &Decoder<'_>) -> Result<(), decode::Error> {
    if d.position() == message.len() { Ok(()) } else { Err(decode::Error::message("trailing")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mempool counted the bytes of transactions whose messages it kept whole.
    #[test]
    fn what_is_read_does_not_keep_the_message() {
        let part = Bytes::from_static(b"part");
        let submission = Submission { transaction: part.clone(), payloads: vec![part.clone()] };
        let spread = encode_spread(&[submission]);
        let kept = decode_spread(&spread).unwrap();
        assert!(spread.is_unique(), "{kept:?}");
        let have = Fetch::Have(vec![part]).encode();
        let kept = Fetch::decode(&have).unwrap();
        assert!(have.is_unique(), "{kept:?}");
    }

    /// The form is pinned in `testdata/fetch.txt`, which this test writes with `ALTHING_BLESS=1`.
    #[test]
    fn what_peers_ask_for_is_encoded_as_it_was() {
        let lines = fetch_examples().into_iter();
        let now: String =
            lines.map(|(name, wire)| format!("{name}: {}\n", hex::encode(wire))).collect();
        let path =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/fetch.txt");
        if std::env::var_os("ALTHING_BLESS").is_some() {
            std::fs::write(&path, &now).unwrap();
        }
        let pinned = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(pinned, now, "approve a wanted change with ALTHING_BLESS=1");
        for (name, wire) in fetch_examples() {
            assert_eq!(fetch_again(&wire.clone().into()), Some(wire.into()), "{name}");
        }
    }

    #[test]
    fn messages_round_trip_and_hostile_ones_are_errors() {
        let submissions = vec![
            Submission { transaction: Bytes::from_static(b"tx"), payloads: vec![] },
            Submission {
                transaction: Bytes::from_static(b"other"),
                payloads: vec![Bytes::from_static(b"p"), Bytes::from_static(b"")],
            },
        ];
        let message = encode_spread(&submissions);
        assert_eq!(decode_spread(&message).unwrap(), submissions);
        let items = [
            Item::Offer(0),
            Item::Pieces(7, 4095),
            Item::Streams(u64::MAX, [3; 32]),
            Item::Descriptions(7, [4; 32]),
            Item::Blocks(9),
        ];
        let part = |item| Part { item, offset: 5, total: 9, bytes: Bytes::from("part") };
        let asked = items.iter().flat_map(|item| [Fetch::Ask(*item, 7), Fetch::Part(part(*item))]);
        let others = [Fetch::Want(vec![[1; 32], [2; 32]]), Fetch::Have(vec![Bytes::from("x")])];
        let kept = [Fetch::Keeps(vec![[3; 32]]), Fetch::Kept(vec![[4; 32]; KEPT_MAX])];
        for fetch in asked.chain(others).chain(kept) {
            let message = fetch.encode();
            assert_eq!(Fetch::decode(&message).unwrap(), fetch);
            for cut in (0..message.len()).step_by(1 + message.len() / 500) {
                assert!(Fetch::decode(&message.slice(..cut)).is_err());
            }
        }
        let many = Fetch::Keeps(vec![[3; 32]; KEPT_MAX + 1]).encode();
        assert!(Fetch::decode(&many).is_err());
        for hostile in [
            &[0x9a, 0xff, 0xff, 0xff, 0xff][..],
            &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0x81, 0x82, 0x5a, 0xff, 0xff, 0xff, 0xff],
            &[0x9f],
            &[],
            // A number that is written longer than it needs.
            &[0x82, 0x18, 0, 0x80],
            // An item of an unknown kind, one with an id too short, a part longer than one may be.
            &[0x83, 2, 0x83, 9, 0, 0x40, 0],
            &[0x83, 2, 0x83, 2, 0, 0x41, 1, 0],
            &[0x83, 2, 0x83, 1, 0, 0x40, 0],
            &[0x85, 3, 0x83, 0, 0, 0x40, 0, 1, 0x5a, 0, 8, 0, 1],
        ] {
            let hostile = Bytes::copy_from_slice(hostile);
            assert!(decode_spread(&hostile).is_err() && Fetch::decode(&hostile).is_err());
        }
    }
}
