use alloc::{sync::Arc, vec::Vec};
use core::ops::Range;

use bytes::Bytes;
use minicbor::{
    Decode, Decoder, Encode, Encoder,
    encode::{Error as WriteError, Write},
};

use crate::{
    Action, EntityId, LedgerId, PublicKey, Refusal, Signature, SigningKey, Suite, TxId, Wire,
    WireError,
    crypto::Check,
    limits::{ACTIONS_MAX, SIGNATURES_MAX, TRANSACTION_BYTES_MAX},
    reading::expect_array,
    wire::{encode, is_encoding},
};

/// What a transaction says: who does what, until when.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Body {
    /// Version of this form, 1.
    #[n(0)]
    pub version: u8,
    /// The first bytes of the ledger's id; the whole id is signed beside the body.
    #[cbor(n(1), with = "crate::wire::fixed")]
    pub ledger_tag: [u8; 8],
    /// Who sends it.
    #[n(2)]
    pub sender: EntityId,
    /// A number of the sender's sliding window, so that many can be under way at once.
    #[n(3)]
    pub nonce: u64,
    /// Last height at which it may be included.
    #[n(4)]
    pub expiry_height: u64,
    /// 1 to [`ACTIONS_MAX`] actions that succeed or fail together.
    #[n(5)]
    pub actions: Vec<Action>,
}

impl Body {
    /// A body of the present version for a ledger.
    #[must_use]
    pub fn new(
        ledger: &LedgerId,
        sender: EntityId,
        nonce: u64,
        expiry_height: u64,
        actions: Vec<Action>,
    ) -> Self {
        Self { version: 1, ledger_tag: ledger.tag(), sender, nonce, expiry_height, actions }
    }
}

/// A body travels in a transaction; by itself only to be tried out.
impl Wire for Body {
    const BYTES_MAX: usize = TRANSACTION_BYTES_MAX;

    fn validate(&self) -> Result<(), WireError> {
        let fits = self.version == 1
            && (1..=ACTIONS_MAX).contains(&self.actions.len())
            && self.actions.iter().all(Action::is_within_bounds);
        if fits { Ok(()) } else { Err(WireError::OutOfBounds("body")) }
    }
}

/// One signature on a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Who signed (the COSE key id).
    pub signer: EntityId,
    /// With which suite.
    pub suite: Suite,
    /// The signature.
    pub signature: Signature,
}

/// A request to change the ledger: COSE_Sign1, or COSE_Sign with several signers (RFC 9052), over
/// a [`Body`] in canonical CBOR.
///
/// On the wire, without CBOR tags and with only these headers:
/// ```text
/// one signer:  [<<{1: alg, 4: kid}>>, {}, <<body>>, signature]
/// several:     [<<{}>>, {}, <<body>>, [[<<{1: alg, 4: kid}>>, {}, signature], ...]]
/// ```
/// `kid` is the signer's entity id; the external additional data is `althing/tx/1` and the ledger
/// id, so that no signature counts on another ledger. With several signers the sender is first.
///
/// Clones share the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    wire: Bytes,
    id: TxId,
    content: Arc<Content>,
}

/// What the wire bytes say.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Content {
    body: Body,
    /// Where the body stands in the wire bytes.
    body_at: Range<usize>,
    signatures: Vec<Signed>,
}

impl Transaction {
    /// Signs a body with the sender's key, and with those of further signers.
    #[must_use]
    pub fn sign(
        ledger: &LedgerId,
        body: Body,
        key: &SigningKey,
        others: &[(EntityId, &SigningKey)],
    ) -> Self {
        let signers = core::iter::once((body.sender, key)).chain(others.iter().copied());
        let mut signatures: Vec<Signed> = signers
            .clone()
            .map(|(signer, key)| Signed {
                signer,
                suite: key.suite(),
                signature: Signature([0; 64]),
            })
            .collect();
        let encoded = encode(&body);
        for (index, (_, key)) in signers.enumerate() {
            let signed = signed_bytes(ledger, &signatures, index, &encoded);
            signatures[index].signature = key.sign(&signed);
        }
        Self::of_encoded(body, &encoded, signatures)
    }

    /// Puts a body together with signatures that were made in several places, the sender's first. Those of
    /// several signers are over [`cosigned_bytes`]; whether they are is not checked.
    #[must_use]
    pub fn assemble(body: Body, signatures: Vec<Signed>) -> Self {
        let encoded = encode(&body);
        Self::of_encoded(body, &encoded, signatures)
    }

    fn of_encoded(body: Body, encoded: &[u8], signatures: Vec<Signed>) -> Self {
        let (wire, body_at) = to_wire(encoded, &signatures);
        let wire = Bytes::from(wire);
        let id = TxId::of(&wire);
        Self { wire, id, content: Arc::new(Content { body, body_at, signatures }) }
    }

    /// Reads wire bytes. Checks form and bounds, not signatures and nothing that needs the state.
    ///
    /// # Errors
    /// [`Refusal::TooLarge`], [`Refusal::Malformed`], [`Refusal::OutOfBounds`] or
    /// [`Refusal::DuplicateSigner`].
    pub fn decode(wire: Bytes) -> Result<Self, Refusal> {
        let id = TxId::of(&wire);
        Self::decode_named(wire, id)
    }

    /// As [`Transaction::decode`], for bytes whose id has been computed before: `id` must be
    /// [`TxId::of`] them. Whoever looks a transaction up before decoding it need not hash it again.
    ///
    /// # Errors
    /// As [`Transaction::decode`].
    pub fn decode_named(wire: Bytes, id: TxId) -> Result<Self, Refusal> {
        debug_assert_eq!(id, TxId::of(&wire), "the id of these bytes");
        if wire.len() > TRANSACTION_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        let content = read(&wire).map_err(|_| Refusal::Malformed)?;
        content.check_bounds()?;
        if !content.is_written(&wire) {
            return Err(Refusal::Malformed);
        }
        Ok(Self { wire, id, content: Arc::new(content) })
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> TxId {
        self.id
    }

    /// What it says.
    #[must_use]
    pub fn body(&self) -> &Body {
        &self.content.body
    }

    /// Its wire bytes.
    #[must_use]
    pub const fn wire(&self) -> &Bytes {
        &self.wire
    }

    /// Its signatures, the sender's first.
    #[must_use]
    pub fn signatures(&self) -> &[Signed] {
        &self.content.signatures
    }

    /// What the signer at `index` signed: the COSE `Sig_structure` (RFC 9052 §4.4).
    #[must_use]
    pub fn signed_bytes(&self, ledger: &LedgerId, index: usize) -> Vec<u8> {
        let Content { body_at, signatures, .. } = &*self.content;
        signed_bytes(ledger, signatures, index, &self.wire[body_at.clone()])
    }

    /// The signatures to be checked, given each signer's present key. `None` where a key is not of
    /// the suite that was signed with.
    pub fn checks<'a>(
        &'a self,
        ledger: &'a LedgerId,
        key_of: impl Fn(&EntityId) -> Option<PublicKey> + 'a,
    ) -> impl Iterator<Item = Option<Check>> + 'a {
        self.signatures().iter().enumerate().map(move |(index, signed)| {
            let key = key_of(&signed.signer).filter(|key| key.suite == signed.suite)?;
            let message = self.signed_bytes(ledger, index);
            Some(Check { key, message, signature: signed.signature })
        })
    }

    /// The batches it submits, in order.
    pub fn batches(&self) -> impl Iterator<Item = &crate::BatchHeader> {
        self.body().actions.iter().filter_map(|action| match action {
            Action::SubmitBatch(batch) => Some(batch),
            _ => None,
        })
    }
}

/// What an entity signs of a body that several sign, each where its key is: then one of them
/// [`assembles`](Transaction::assemble) the transaction.
#[must_use]
pub fn cosigned_bytes(ledger: &LedgerId, body: &Body, signer: EntityId, suite: Suite) -> Vec<u8> {
    let signed = Signed { signer, suite, signature: Signature([0; 64]) };
    // What one signs of several says nothing of the others but that there are some.
    signed_bytes(ledger, &[signed.clone(), signed], 0, &encode(body))
}

impl Content {
    /// Whether these are the canonical bytes of what was read from them.
    fn is_written(&self, wire: &[u8]) -> bool {
        let body = &wire[self.body_at.clone()];
        is_encoding(body, |e| e.encode(&self.body).map(|_| ()))
            && is_encoding(wire, |e| {
                write_body(e, body, &self.signatures)?;
                write_signatures(e, &self.signatures)
            })
    }

    fn check_bounds(&self) -> Result<(), Refusal> {
        if self.body.version != 1 {
            return Err(Refusal::Malformed);
        }
        let actions = &self.body.actions;
        if !(1..=ACTIONS_MAX).contains(&actions.len())
            || !actions.iter().all(Action::is_within_bounds)
        {
            return Err(Refusal::OutOfBounds);
        }
        if self.signatures.first().is_none_or(|first| first.signer != self.body.sender) {
            return Err(Refusal::BadSignature);
        }
        let repeated = |(index, signed): (usize, &Signed)| {
            self.signatures[..index].iter().any(|earlier| earlier.signer == signed.signer)
        };
        if self.signatures.iter().enumerate().any(repeated) {
            return Err(Refusal::DuplicateSigner);
        }
        Ok(())
    }
}

fn signed_bytes(ledger: &LedgerId, signatures: &[Signed], index: usize, body: &[u8]) -> Vec<u8> {
    let mut aad = [0; AAD_DOMAIN.len() + 32];
    aad[..AAD_DOMAIN.len()].copy_from_slice(AAD_DOMAIN);
    aad[AAD_DOMAIN.len()..].copy_from_slice(&ledger.0);
    let own = protected(&signatures[index]);
    let mut out = Vec::with_capacity(body.len() + 160);
    let mut e = Encoder::new(&mut out);
    let written = if signatures.len() == 1 {
        e.array(4)
            .and_then(|e| e.str("Signature1"))
            .and_then(|e| e.bytes(&own))
            .and_then(|e| e.bytes(&aad))
            .and_then(|e| e.bytes(body))
            .map(|_| ())
    } else {
        e.array(5)
            .and_then(|e| e.str("Signature"))
            .and_then(|e| e.bytes(EMPTY_MAP))
            .and_then(|e| e.bytes(&own))
            .and_then(|e| e.bytes(&aad))
            .and_then(|e| e.bytes(body))
            .map(|_| ())
    };
    debug_assert!(written.is_ok(), "writing to memory does not fail");
    out
}

/// The wire bytes, and where in them the body stands.
fn to_wire(body: &[u8], signatures: &[Signed]) -> (Vec<u8>, Range<usize>) {
    let mut out = Vec::with_capacity(body.len() + 128 * signatures.len());
    let written = write_body(&mut Encoder::new(&mut out), body, signatures);
    debug_assert!(written.is_ok(), "writing to memory does not fail");
    let body_at = out.len() - body.len()..out.len();
    let written = write_signatures(&mut Encoder::new(&mut out), signatures);
    debug_assert!(written.is_ok(), "writing to memory does not fail");
    (out, body_at)
}

/// Writes a transaction up to its body, which comes last.
fn write_body<W: Write>(
    e: &mut Encoder<W>,
    body: &[u8],
    signatures: &[Signed],
) -> Result<(), WriteError<W::Error>> {
    e.array(4)?;
    match signatures {
        [single] => e.bytes(&protected(single))?,
        _ => e.bytes(EMPTY_MAP)?,
    };
    e.map(0)?.bytes(body)?.ok()
}

/// Writes what follows the body.
fn write_signatures<W: Write>(
    e: &mut Encoder<W>,
    signatures: &[Signed],
) -> Result<(), WriteError<W::Error>> {
    let [single] = signatures else {
        e.array(signatures.len() as u64)?;
        for signed in signatures {
            e.array(3)?.bytes(&protected(signed))?.map(0)?.bytes(&signed.signature.0)?;
        }
        return Ok(());
    };
    e.bytes(&single.signature.0)?.ok()
}

/// Begins the external additional data of every signature on a transaction.
const AAD_DOMAIN: &[u8] = b"althing/tx/1";
/// The encoding of `{}`.
const EMPTY_MAP: &[u8] = &[0xa0];

/// Length of a protected header: the algorithms' numbers take one byte each, and ids are fixed.
const PROTECTED_BYTES: usize = 38;

/// The protected header of a signature, `{1: alg, 4: kid}`.
fn protected(signed: &Signed) -> [u8; PROTECTED_BYTES] {
    let mut out = [0; PROTECTED_BYTES];
    let written = Encoder::new(&mut out[..])
        .map(2)
        .and_then(|e| e.u8(1))
        .and_then(|e| e.i8(signed.suite.cose()))
        .and_then(|e| e.u8(4))
        .and_then(|e| e.bytes(&signed.signer.0))
        .map(|e| e.writer().is_empty());
    debug_assert!(matches!(written, Ok(true)), "all of it, and nothing more");
    out
}

type ReadError = minicbor::decode::Error;

fn read(wire: &[u8]) -> Result<Content, ReadError> {
    let mut d = Decoder::new(wire);
    expect_array(&mut d, 4)?;
    let outer = d.bytes()?;
    expect_empty_map(&mut d)?;
    let body = d.bytes()?;
    let body_at = d.position() - body.len()..d.position();
    let signatures = if outer == EMPTY_MAP {
        let count = d.array()?.unwrap_or(u64::MAX);
        if !(2..=SIGNATURES_MAX as u64).contains(&count) {
            return Err(ReadError::message("number of signatures"));
        }
        (0..count).map(|_| read_signature(&mut d)).collect::<Result<_, _>>()?
    } else {
        let (suite, signer) = read_protected(outer)?;
        let signature = Signature(crate::wire::fixed::decode(&mut d, &mut ())?);
        Vec::from([Signed { signer, suite, signature }])
    };
    Ok(Content { body: minicbor::decode(body)?, body_at, signatures })
}

fn read_signature(d: &mut Decoder<'_>) -> Result<Signed, ReadError> {
    expect_array(d, 3)?;
    let (suite, signer) = read_protected(d.bytes()?)?;
    expect_empty_map(d)?;
    let signature = Signature(crate::wire::fixed::decode(d, &mut ())?);
    Ok(Signed { signer, suite, signature })
}

fn read_protected(bytes: &[u8]) -> Result<(Suite, EntityId), ReadError> {
    let mut d = Decoder::new(bytes);
    let wrong = || ReadError::message("protected header");
    if d.map()? != Some(2) || d.u8()? != 1 {
        return Err(wrong());
    }
    let suite = Suite::from_cose(d.i8()?).ok_or_else(wrong)?;
    if d.u8()? != 4 {
        return Err(wrong());
    }
    Ok((suite, EntityId(crate::wire::fixed::decode(&mut d, &mut ())?)))
}

fn expect_empty_map(d: &mut Decoder<'_>) -> Result<(), ReadError> {
    if d.map()? == Some(0) { Ok(()) } else { Err(ReadError::message("unprotected header")) }
}

#[cfg(test)]
mod tests;
