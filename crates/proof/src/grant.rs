//! A grant that is presented to a service or device, checked offline.
//!
//! Whoever was granted access fetches a bundle of kind *state* about the key of its grant
//! ([`key::grant`]) and shows it. [`in_force`] says whether it lets do what is asked, at the height
//! that the bundle shows the state of. How old that may be is for the one who asks to say: compare
//! [`CertifiedBlock::time_ms`](crate::bundle::CertifiedBlock::time_ms) with a clock. A revocation that
//! came later is not in it.

use alloc::vec::Vec;

use althing_types::{
    Access, DirectRequest, EntityId, Genesis, ReaderToken, Resource, Right, Wire as _,
};

use crate::{
    bundle::{Step, Verified, VerifiedClaim, verify},
    key,
    record::{EntityRecord, Given, GrantRecord},
};

/// Why what was shown does not let do what is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotInForce {
    /// It is a proof of something else, or of another grant.
    #[error("it is no proof of this grant")]
    OtherQuestion,
    /// There is no such grant.
    #[error("there is no such grant")]
    None,
    /// It was asked for and not given.
    #[error("it was asked for and not given")]
    NotGiven,
    /// It is over, or was revoked.
    #[error("it is over, or was revoked")]
    Over,
    /// It was used as often as it allows.
    #[error("it was used as often as it allows")]
    UsedUp,
}

/// The grant of an access, if a verified bundle shows that it is in force. Who presents it must also
/// show that it is the grantee.
///
/// # Errors
/// [`NotInForce`] saying why not.
pub fn in_force(verified: &Verified, access: &Access) -> Result<Given, NotInForce> {
    let VerifiedClaim::State { key, value } = &verified.claim else {
        return Err(NotInForce::OtherQuestion);
    };
    if *key != key::grant(&access.id()) {
        return Err(NotInForce::OtherQuestion);
    }
    let value = value.as_ref().ok_or(NotInForce::None)?;
    let record = GrantRecord::from_wire(value).map_err(|_| NotInForce::OtherQuestion)?;
    if record.access != *access {
        return Err(NotInForce::OtherQuestion);
    }
    let given = record.given.ok_or(NotInForce::NotGiven)?;
    if !given.holds_at(verified.block.state_height) {
        return Err(NotInForce::Over);
    }
    if given.uses_left() == Some(0) { Err(NotInForce::UsedUp) } else { Ok(given) }
}

/// What somebody shows a service that runs outside the ledger to be let in (Y.4464 10.5 step 4).
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// Who it is and what for, under its key. In place of a peer's voting key it names the service.
    pub token: &'a ReaderToken,
    /// Bundle of kind *state* about the entity ([`key::entity`]): which key is its present one.
    pub identity: &'a [u8],
    /// Bundle of kind *state* about its grant ([`key::grant`]).
    pub grant: &'a [u8],
}

/// Whom a service lets in.
#[derive(Debug, Clone, Copy)]
pub struct Door<'a> {
    /// The ledger that is trusted.
    pub genesis: &'a Genesis,
    /// The service.
    pub service: EntityId,
    /// Who owns it.
    pub owner: EntityId,
    /// The present time, milliseconds since 1970.
    pub now_ms: u64,
    /// How old what is shown may be, milliseconds: for so long a revocation may go unnoticed.
    pub age_max_ms: u64,
}

/// Why somebody is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// The token is for another ledger or service, or its time is over or too far away.
    #[error("the token is for another service or ledger, or its time is over")]
    Token,
    /// The token is not signed by the key that the ledger has for the entity.
    #[error("the token is not signed by the present key of the entity")]
    Signature,
    /// A bundle proves nothing.
    #[error("a bundle does not verify at step {0}")]
    Bundle(Step),
    /// A bundle proves what was long ago.
    #[error("a bundle is too old; fetch it again")]
    Stale,
    /// The identity is not that of the entity, or it was revoked.
    #[error("no proof that the entity is known and not revoked")]
    Identity,
    /// The grant does not let in.
    #[error(transparent)]
    Grant(#[from] NotInForce),
}

/// Says offline who is to be let in: needs the genesis and a clock, and asks nobody. It remembers nothing:
/// a service that lets a token count once keeps a list of those it has seen, each until it is over.
///
/// # Errors
/// [`NotAdmitted`] saying why not.
pub fn admit(door: &Door<'_>, presented: &Presented<'_>) -> Result<Access, NotAdmitted> {
    let reader = &presented.token.reader;
    let here = reader.ledger == door.genesis.ledger() && reader.peer == door.service.0;
    let latest_ms = door.now_ms.saturating_add(door.age_max_ms);
    if !here || reader.until_ms < door.now_ms || reader.until_ms > latest_ms {
        return Err(NotAdmitted::Token);
    }
    let identity = recent(door, presented.identity)?;
    let record = match &identity.claim {
        VerifiedClaim::State { key, value: Some(value) } if *key == key::entity(&reader.entity) => {
            EntityRecord::from_wire(value).map_err(|_| NotAdmitted::Identity)?
        }
        _ => return Err(NotAdmitted::Identity),
    };
    if record.revoked.is_some() {
        return Err(NotAdmitted::Identity);
    }
    if !presented.token.is_signed_by(&record.key) {
        return Err(NotAdmitted::Signature);
    }
    let access = Access {
        owner: door.owner,
        grantee: reader.entity,
        resource: Resource::Service(door.service),
        right: Right::Call,
        purpose: reader.purpose.clone(),
    };
    in_force(&recent(door, presented.grant)?, &access)?;
    Ok(access)
}

fn recent(door: &Door<'_>, bundle: &[u8]) -> Result<Verified, NotAdmitted> {
    let verified =
        verify(bundle, door.genesis).map_err(|failure| NotAdmitted::Bundle(failure.step))?;
    if verified.block.time_ms.saturating_add(door.age_max_ms) < door.now_ms {
        return Err(NotAdmitted::Stale);
    }
    Ok(verified)
}

/// Keys of the state that a caller must show proofs of, what is there or that nothing is: itself and its
/// organisation, the policies about what it asks for, and grants for that. Of the grants one that is in
/// force is enough.
#[must_use]
pub fn direct_keys(
    request: &DirectRequest,
    owner: &EntityId,
    organisation: Option<&EntityId>,
) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let entities = [Some(&request.caller), organisation].into_iter().flatten().map(key::entity);
    let policies =
        request.resource().scopes(*owner).map(|resource| key::access_policy(owner, &resource));
    let grants = request.accesses(*owner).map(|access| key::grant(&access.id()));
    (entities.chain(policies).collect(), grants.collect())
}

#[cfg(test)]
mod hostile;

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use althing_types::{LedgerId, ThingId};

    use super::*;
    use crate::bundle::CertifiedBlock;

    fn access() -> Access {
        Access {
            owner: EntityId([1; 32]),
            grantee: EntityId([2; 32]),
            resource: Resource::Thing(ThingId([3; 32])),
            right: Right::Read,
            purpose: "billing".into(),
        }
    }

    fn given() -> Given {
        Given {
            by: EntityId([1; 32]),
            since_height: 10,
            until_height: 20,
            count_max: 2,
            used: 1,
            used_ms: 0,
            revoked: None,
        }
    }

    fn shown(key: Vec<u8>, value: Option<Vec<u8>>, state_height: u64) -> Verified {
        let block = CertifiedBlock {
            height: state_height + 1,
            time_ms: 0,
            epoch: 0,
            state_height,
            signed: vec![],
            validators: 4,
        };
        let claim = VerifiedClaim::State { key, value };
        Verified { ledger: LedgerId([9; 32]), block, claim, steps: vec![] }
    }

    #[test]
    fn a_grant_is_in_force_or_not() {
        let record = |given: Option<Given>| GrantRecord { access: access(), given, asked: None };
        let good = Some(record(Some(given())));
        let revoked = Some(record(Some(Given { revoked: Some(15), ..given() })));
        let used = Some(record(Some(Given { used: 2, ..given() })));
        for (record, height, expected) in [
            (good.clone(), 10, Ok(())),
            (good.clone(), 20, Ok(())),
            (good.clone(), 9, Err(NotInForce::Over)),
            (good, 21, Err(NotInForce::Over)),
            (revoked.clone(), 14, Ok(())),
            (revoked, 15, Err(NotInForce::Over)),
            (used, 15, Err(NotInForce::UsedUp)),
            (Some(record(None)), 15, Err(NotInForce::NotGiven)),
            (None, 15, Err(NotInForce::None)),
        ] {
            let value = record.map(|record| record.to_wire());
            let verified = shown(key::grant(&access().id()), value, height);
            assert_eq!(in_force(&verified, &access()).map(|_| ()), expected, "at {height}");
        }
    }

    #[test]
    fn a_proof_of_something_else_is_none() {
        let record = GrantRecord { access: access(), given: Some(given()), asked: None };
        let other = Access { purpose: "spying".into(), ..access() };
        for (key, access) in [
            (key::grant(&access().id()), other.clone()),
            (key::grant(&other.id()), access()),
            (key::entity(&EntityId([1; 32])), access()),
            (key::grant(&other.id()), other),
        ] {
            let verified = shown(key, Some(record.to_wire()), 15);
            assert_eq!(in_force(&verified, &access), Err(NotInForce::OtherQuestion));
        }
    }
}
