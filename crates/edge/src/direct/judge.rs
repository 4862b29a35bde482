//! What proofs of the state say about a request: the decision that the ledger itself would make.

use std::collections::BTreeMap;

use althing_policy::{Policies, Principal, Question, Verdict};
use althing_proof::{
    bundle::{VerifiedClaim, verify},
    key,
    record::{EntityRecord, GrantRecord, PolicyRecord},
};
use althing_types::{AccessMode, DirectRequest, EntityId, Genesis, SignedRequest, Wire};

use super::{NotServed, Session};

/// Most proofs that one request can bring.
pub const PROOFS_MAX: usize = 8;

/// What was proven of the state.
struct Shown {
    values: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// Lowest height of a state, highest, and time of the oldest block.
    height: u64,
    newest: u64,
    time_ms: u64,
    newest_ms: u64,
}

impl Shown {
    fn read(genesis: &Genesis, proofs: &[Vec<u8>]) -> Result<Self, NotServed> {
        if !(1..=PROOFS_MAX).contains(&proofs.len()) {
            return Err(NotServed::BadProof("too few, or too many, were shown"));
        }
        let (values, height, time_ms) = (BTreeMap::new(), u64::MAX, u64::MAX);
        let mut shown = Self { values, height, newest: 0, time_ms, newest_ms: 0 };
        for proof in proofs {
            let verified = verify(proof, genesis)
                .map_err(|_| NotServed::BadProof("a bundle does not verify"))?;
            let VerifiedClaim::State { key, value } = verified.claim else {
                return Err(NotServed::BadProof("a bundle is not about the state"));
            };
            let block = verified.block;
            shown.height = shown.height.min(block.state_height);
            shown.newest = shown.newest.max(block.state_height);
            shown.time_ms = shown.time_ms.min(block.time_ms);
            shown.newest_ms = shown.newest_ms.max(block.time_ms);
            shown.values.insert(key, value);
        }
        Ok(shown)
    }

    /// What was proven to be at a key; none if it was proven that nothing is.
    fn at<T: Wire>(&self, key: &[u8]) -> Result<Option<T>, NotServed> {
        let value = self.values.get(key).ok_or(NotServed::BadProof("one is missing"))?;
        let read = |bytes: &Vec<u8>| T::from_wire(bytes);
        value.as_ref().map(read).transpose().map_err(|_| NotServed::BadProof("a record is unknown"))
    }
}

/// Judges a request to a thing of `owner` by proofs of the state, at least those of [`direct_keys`](althing_proof::grant::direct_keys). How
/// recent they must be is for [`Desk`](super::Desk) to say.
///
/// # Errors
/// [`NotServed`] saying why not.
pub fn prove(
    genesis: &Genesis,
    owner: EntityId,
    signed: &SignedRequest,
    proofs: &[Vec<u8>],
) -> Result<Session, NotServed> {
    let request = &signed.request;
    // Cheap, and before anything that is not.
    if !signed.is_signed_by(&signed.key) {
        return Err(NotServed::Signature);
    }
    let shown = Shown::read(genesis, proofs)?;
    let caller = active(&shown, &request.caller)?;
    if caller.key != signed.key {
        return Err(NotServed::Signature);
    }
    if let Some(organisation) = &caller.owner {
        active(&shown, organisation)?;
    }
    let (record, grant) = granted(&shown, owner, request)?;
    let given = record.given.ok_or(NotServed::NoGrant)?;
    permitted(&shown, owner, request, &caller, given.used)?;
    Ok(Session {
        grant,
        since_height: given.since_height,
        count_max: given.count_max,
        used: given.used,
        key: caller.key,
        organisation: caller.owner,
        height: shown.height,
        time_ms: shown.time_ms,
    })
}

fn active(shown: &Shown, id: &EntityId) -> Result<EntityRecord, NotServed> {
    let record: Option<EntityRecord> = shown.at(&key::entity(id))?;
    record.filter(|record| record.revoked.is_none()).ok_or(NotServed::Revoked)
}

/// The narrowest grant in force of those that were shown.
fn granted(
    shown: &Shown,
    owner: EntityId,
    request: &DirectRequest,
) -> Result<(GrantRecord, althing_types::GrantId), NotServed> {
    for access in request.accesses(owner) {
        let id = access.id();
        let key = key::grant(&id);
        if !shown.values.contains_key(&key) {
            continue;
        }
        let record: Option<GrantRecord> = shown.at(&key)?;
        let holds = |record: &GrantRecord| {
            record.access == access && record.given.is_some_and(|it| it.holds_at(shown.newest))
        };
        if let Some(record) = record.filter(holds) {
            return Ok((record, id));
        }
    }
    Err(NotServed::NoGrant)
}

/// Whether the policies let it: the narrowest decides, and a wider one can only forbid.
fn permitted(
    shown: &Shown,
    owner: EntityId,
    request: &DirectRequest,
    caller: &EntityRecord,
    used: u32,
) -> Result<(), NotServed> {
    let resource = request.resource();
    let kind = caller.inception.kind;
    let principal = Principal::Entity { id: request.caller, kind, organisation: caller.owner };
    let mut narrowest: Option<(Verdict, AccessMode)> = None;
    for scope in resource.scopes(owner) {
        let record: Option<PolicyRecord> = shown.at(&key::access_policy(&owner, &scope))?;
        let Some(record) = record else { continue };
        let policies = Policies::known(&record.policy.text)
            .map_err(|_| NotServed::BadProof("a policy cannot be read"))?;
        let verdict = policies.decide(&Question {
            principal,
            right: request.operation.right(),
            resource: &resource,
            owner,
            purpose: &request.purpose,
            height: shown.newest,
            time_ms: shown.newest_ms,
            used,
        });
        if matches!(verdict, Verdict::Forbidden(_)) {
            return Err(NotServed::NotPermitted);
        }
        narrowest.get_or_insert((verdict, record.policy.mode));
    }
    match narrowest {
        Some((Verdict::Permitted(_), AccessMode::Strict)) => Err(NotServed::Strict),
        Some((Verdict::Permitted(_), _)) => Ok(()),
        _ => Err(NotServed::NotPermitted),
    }
}
