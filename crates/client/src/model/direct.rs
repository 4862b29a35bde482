//! What a gateway is asked directly, and answers. It is the gateway's interface and not the peer's.

use althing_types::{DirectUse, Signature, SignedRequest, Wire as _};
use serde::{Deserialize, Serialize};

use super::{EntityHex, LedgerHex};

/// Who a gateway is: to whom requests are made out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectGateway {
    /// The ledger it is on.
    pub ledger: LedgerHex,
    /// Its id.
    pub gateway: EntityHex,
}

/// A request with proofs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectAsked {
    /// The signed request, hex.
    pub request: String,
    /// Bundles of kind *state*, hex each; none where they were shown a moment ago.
    #[serde(default)]
    pub proofs: Vec<String>,
}

impl DirectAsked {
    /// The form of a request.
    #[must_use]
    pub fn new(request: &SignedRequest, proofs: &[Vec<u8>]) -> Self {
        let proofs = proofs.iter().map(hex::encode).collect();
        Self { request: hex::encode(request.to_wire()), proofs }
    }

    /// What it says, if it is well-formed.
    #[must_use]
    pub fn read(&self) -> Option<(SignedRequest, Vec<Vec<u8>>)> {
        let request = SignedRequest::from_wire(&hex::decode(&self.request).ok()?).ok()?;
        let proofs = self.proofs.iter().map(hex::decode).collect::<Result<_, _>>().ok()?;
        Some((request, proofs))
    }
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectAnswer {
    /// `done`, `failed`, or `delivered`: the device has not answered in time.
    pub state: String,
    /// What the device or the gateway said; bytes that are no UTF-8 are replaced.
    pub result: String,
    /// The use as the gateway will have it recorded, hex.
    #[serde(rename = "use")]
    pub used: String,
    /// The gateway's signature under it, hex.
    pub signature: String,
}

impl DirectAnswer {
    /// The form of an answer.
    #[must_use]
    pub fn new(used: &DirectUse, result: &[u8], signature: &Signature) -> Self {
        Self {
            state: used.state.name().to_owned(),
            result: String::from_utf8_lossy(result).into_owned(),
            used: hex::encode(used.to_wire()),
            signature: hex::encode(signature.0),
        }
    }

    /// The use and its signature, if they are well-formed.
    #[must_use]
    pub fn read(&self) -> Option<(DirectUse, Signature)> {
        let used = DirectUse::from_wire(&hex::decode(&self.used).ok()?).ok()?;
        let signature = hex::decode(&self.signature).ok()?.try_into().ok()?;
        Some((used, Signature(signature)))
    }
}
