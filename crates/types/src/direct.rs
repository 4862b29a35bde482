//! What a grantee asks of a device at the gateway before it, without waiting for a block; what came of
//! it, as both of them sign it.

use alloc::{string::String, vec::Vec};

use minicbor::{Decode, Encode};

use crate::{
    Access, CommandState, Digest, EntityId, GrantId, LedgerId, Operation, PublicKey, Resource,
    Signature, SigningKey, ThingId, TxId, Wire, WireError,
    crypto::Check,
    digest::hash,
    entity::is_name,
    limits::{
        COMMAND_INPUT_BYTES_MAX, DIRECT_USES_MAX, GENESIS_TIME_MS_MAX, NAME_BYTES_MAX,
        VALUE_BYTES_MAX,
    },
    wire::encode,
};

/// Something to be done by a thing at once. It is of no use on another ledger, at another gateway, later
/// or a second time.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct DirectRequest {
    /// The ledger that knows the grant.
    #[n(0)]
    pub ledger: LedgerId,
    /// The gateway that is asked.
    #[n(1)]
    pub gateway: EntityId,
    /// Who asks.
    #[n(2)]
    pub caller: EntityId,
    /// The thing.
    #[n(3)]
    pub thing: ThingId,
    /// What is to be done.
    #[n(4)]
    pub operation: Operation,
    /// What for, as the grant names it.
    #[n(5)]
    pub purpose: String,
    /// Greater than that of every request before under the same grant at this gateway.
    #[n(6)]
    pub number: u64,
    /// Until when it may be done, milliseconds since 1970.
    #[n(7)]
    pub until_ms: u64,
}

/// A request with the caller's signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SignedRequest {
    /// The request.
    #[n(0)]
    pub request: DirectRequest,
    /// The caller's key, which the ledger must know as its present one, or the one before that.
    #[n(1)]
    pub key: PublicKey,
    /// Of [`DirectRequest::signed_bytes`], by that key.
    #[n(2)]
    pub signature: Signature,
}

/// A request that was served, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct DirectUse {
    /// What was asked, signed by the caller.
    #[n(0)]
    pub request: SignedRequest,
    /// The grant that the gateway let it in by, and that it counts against: that of one of
    /// [`DirectRequest::accesses`]. Which one was in force is not to be told from the state later on.
    #[n(1)]
    pub grant: GrantId,
    /// Delivered (whether it was done is not known), done or failed.
    #[n(2)]
    pub state: CommandState,
    /// When it was served, milliseconds since 1970, by the gateway's clock.
    #[n(3)]
    pub served_ms: u64,
    /// SHA-256 of what the caller was answered, if the device or the gateway said something.
    #[n(4)]
    pub result: Option<Digest>,
}

impl DirectRequest {
    /// What the caller signs. Bound to this use, so that the signature is of no use elsewhere.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = b"althing/direct/1".to_vec();
        bytes.extend_from_slice(&encode(self));
        bytes
    }

    /// Its id, which the device is told like that of a command.
    #[must_use]
    pub fn id(&self) -> TxId {
        TxId(hash("althing/direct/1", &[&encode(self)]))
    }

    /// The request with its signature.
    #[must_use]
    pub fn sign(self, key: &SigningKey) -> SignedRequest {
        let signature = key.sign(&self.signed_bytes());
        SignedRequest { request: self, key: key.public_key(), signature }
    }

    /// What it is about.
    #[must_use]
    pub fn resource(&self) -> Resource {
        self.operation.resource(self.thing)
    }

    /// The accesses of which one must be granted for it, the narrowest first, if `owner` owns the thing.
    pub fn accesses(&self, owner: EntityId) -> impl Iterator<Item = Access> + '_ {
        let (grantee, right) = (self.caller, self.operation.right());
        self.resource().scopes(owner).map(move |resource| {
            let purpose = self.purpose.clone();
            Access { owner, grantee, resource, right, purpose }
        })
    }

    fn is_within_bounds(&self) -> bool {
        self.operation.is_within_bounds()
            && is_name(&self.purpose)
            && self.until_ms <= GENESIS_TIME_MS_MAX
    }
}

impl SignedRequest {
    /// The signature, to be checked.
    #[must_use]
    pub fn check(&self) -> Check {
        let (key, message) = (self.key.clone(), self.request.signed_bytes());
        Check { key, message, signature: self.signature }
    }

    /// Whether it is signed, and by this key.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.key == *key && key.verify(&self.request.signed_bytes(), &self.signature)
    }

    fn is_within_bounds(&self) -> bool {
        self.request.is_within_bounds() && self.key.is_valid()
    }
}

impl Wire for SignedRequest {
    const BYTES_MAX: usize = COMMAND_INPUT_BYTES_MAX + VALUE_BYTES_MAX + 2 * NAME_BYTES_MAX + 400;

    fn validate(&self) -> Result<(), WireError> {
        let fits = self.is_within_bounds();
        if fits { Ok(()) } else { Err(WireError::OutOfBounds("request")) }
    }
}

impl DirectUse {
    /// What the gateway signs of it for the caller. Bound to this use.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = b"althing/direct-use/1".to_vec();
        bytes.extend_from_slice(&encode(self));
        bytes
    }

    fn is_within_bounds(&self) -> bool {
        use CommandState::{Delivered, Done, Failed};
        self.request.is_within_bounds()
            && matches!(self.state, Delivered | Done | Failed)
            && self.served_ms <= self.request.request.until_ms
    }
}

impl Wire for DirectUse {
    const BYTES_MAX: usize = SignedRequest::BYTES_MAX + 96;

    fn validate(&self) -> Result<(), WireError> {
        if self.is_within_bounds() { Ok(()) } else { Err(WireError::OutOfBounds("use")) }
    }
}

/// Whether uses are 1 to [`DIRECT_USES_MAX`], each within its bounds.
pub(crate) fn direct_uses_within_bounds(uses: &[DirectUse]) -> bool {
    (1..=DIRECT_USES_MAX).contains(&uses.len()) && uses.iter().all(DirectUse::is_within_bounds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Suite;

    fn request() -> DirectRequest {
        DirectRequest {
            ledger: LedgerId([1; 32]),
            gateway: EntityId([2; 32]),
            caller: EntityId([3; 32]),
            thing: ThingId([4; 32]),
            operation: Operation::Invoke { action: "open".into(), input: None },
            purpose: "care".into(),
            number: 5,
            until_ms: 6,
        }
    }

    #[test]
    fn a_request_is_of_no_use_for_anything_else() {
        for suite in [Suite::Ed25519, Suite::P256] {
            let key = SigningKey::from_secret(suite, [9; 32]).unwrap();
            let signed = request().sign(&key);
            assert_eq!(SignedRequest::from_wire(&signed.to_wire()), Ok(signed.clone()));
            assert!(signed.is_signed_by(&key.public_key()));
            let read = Operation::Read { property: "open".into() };
            for other in [
                DirectRequest { ledger: LedgerId([9; 32]), ..request() },
                DirectRequest { gateway: EntityId([9; 32]), ..request() },
                DirectRequest { caller: EntityId([9; 32]), ..request() },
                DirectRequest { thing: ThingId([9; 32]), ..request() },
                DirectRequest { operation: read, ..request() },
                DirectRequest { purpose: "harm".into(), ..request() },
                DirectRequest { number: 6, ..request() },
                DirectRequest { until_ms: 7, ..request() },
            ] {
                assert_ne!(other.id(), request().id());
                let other = SignedRequest { request: other, ..signed.clone() };
                assert!(!other.is_signed_by(&key.public_key()));
            }
        }
    }

    #[test]
    fn what_was_served_is_within_its_bounds_or_refused() {
        let key = SigningKey::from_secret(Suite::Ed25519, [9; 32]).unwrap();
        let state = CommandState::Done;
        let (request, grant) = (request().sign(&key), GrantId([7; 32]));
        let good = DirectUse { request, grant, state, served_ms: 6, result: None };
        assert_eq!(DirectUse::from_wire(&good.to_wire()), Ok(good.clone()));
        let nameless = DirectRequest { purpose: String::new(), ..self::request() }.sign(&key);
        for wrong in [
            DirectUse { served_ms: 7, ..good.clone() },
            DirectUse { state: CommandState::Queued, ..good.clone() },
            DirectUse { state: CommandState::Cancelled, ..good.clone() },
            DirectUse { request: nameless, ..good.clone() },
        ] {
            assert!(DirectUse::from_wire(&wrong.to_wire()).is_err(), "{wrong:?}");
        }
        assert!(direct_uses_within_bounds(core::slice::from_ref(&good)));
        assert!(!direct_uses_within_bounds(&[]));
        assert!(!direct_uses_within_bounds(&alloc::vec![good; DIRECT_USES_MAX + 1]));
    }
}
