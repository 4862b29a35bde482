//! Direct requests: who may reach a device through the gateway now, by what was proven to it.
//!
//! A caller shows proofs of what the ledger has about itself, its grant and the owner's policies;
//! [`prove`] judges them as the ledger would, and asks nobody. What it finds holds for as long as the
//! proofs are recent enough: a [`Session`], which the [`Desk`] keeps, so that further requests need no
//! proofs. Whatever the gateway hears from the ledger meanwhile ([`Desk::heard`]) ends the sessions that
//! it is about, and older proofs count no more.

use std::collections::BTreeMap;

use althing_types::{
    DirectRequest, EntityId, GrantId, Operation, PublicKey, SignedRequest, ThingId,
    limits::DIRECT_LIFE_MS_MAX,
};

use crate::{StreamSpec, ThingSpec};

mod judge;
pub use judge::{PROOFS_MAX, prove};

/// Where gateways take direct requests, by HTTP and CoAP.
pub const PATH: &str = ".well-known/althing/direct";
/// Most sessions at a time.
pub const SESSIONS_MAX: usize = 4096;
/// Most entities that something newer was heard about.
const NEWER_MAX: usize = 16_384;
/// How long it may take from when something is final until the blocks state it, and clocks may differ,
/// milliseconds.
const STATED_MS: u64 = 10_000;
/// Most grants whose uses are counted.
const COUNTS_MAX: usize = 16_384;

/// Why a request is not served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotServed {
    /// The gateway serves none.
    #[error("this gateway serves no direct requests")]
    Off,
    /// It is none.
    #[error("a signed request and proofs expected, in hex (docs/formats/direct.md)")]
    Malformed,
    /// It is for another ledger or gateway.
    #[error("the request is for another ledger or gateway")]
    Elsewhere,
    /// Its time is over, or too far away.
    #[error(
        "the time of the request is over or more than a minute away; compare the clocks and sign another"
    )]
    Time,
    /// The gateway does not serve the thing.
    #[error("this gateway does not serve the thing")]
    UnknownThing,
    /// The ledger shuts the thing out.
    #[error("the thing is in quarantine")]
    Quarantined,
    /// The thing has no such property, or its form does not admit the value.
    #[error("{0}")]
    BadInput(String),
    /// There is no session for the request, and it brings no proofs.
    #[error(
        "no proofs were shown that are recent enough; fetch them and show them with the request"
    )]
    NoProofs,
    /// A proof proves nothing, or not enough was shown.
    #[error("what was shown is no proof: {0}")]
    BadProof(&'static str),
    /// A proof is of long ago, or the gateway knows that something has changed since.
    #[error("a proof is too old; fetch it again")]
    Stale,
    /// It is not signed by the caller's present key.
    #[error("the request is not signed by the present key of the caller")]
    Signature,
    /// The caller is not known, or does not count any more.
    #[error("the caller or its organisation was revoked, or is not registered")]
    Revoked,
    /// No policy of the owner permits it.
    #[error("no policy of the owner permits it; ask for access first")]
    NotPermitted,
    /// Each use of it is to be decided by consensus.
    #[error(
        "the owner wants a transaction for each use; send a command on the ledger instead: althing command"
    )]
    Strict,
    /// There is no grant in force.
    #[error("there is no grant in force for this; ask for access first")]
    NoGrant,
    /// The grant is used up.
    #[error("the grant is used up; ask for access again")]
    UsedUp,
    /// Another request came later, or this one came before.
    #[error("a request with this number or a greater one was served before; sign another")]
    Repeated,
    /// The gateway has as many sessions, or uses to record, as it can.
    #[error("the gateway cannot take more requests now; try again in a minute")]
    Busy,
}

impl NotServed {
    /// A word for programs; its meaning never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Off => "no_direct",
            Self::Malformed => "malformed",
            Self::Elsewhere => "elsewhere",
            Self::Time => "time",
            Self::UnknownThing => "unknown_thing",
            Self::Quarantined => "quarantined",
            Self::BadInput(_) => "bad_input",
            Self::NoProofs => "no_proofs",
            Self::BadProof(_) => "bad_proof",
            Self::Stale => "stale",
            Self::Signature => "bad_signature",
            Self::Revoked => "revoked",
            Self::NotPermitted => "access_denied",
            Self::Strict => "strict",
            Self::NoGrant => "no_grant",
            Self::UsedUp => "grant_exhausted",
            Self::Repeated => "repeated",
            Self::Busy => "busy",
        }
    }
}

/// What proofs have shown about requests of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The grant that the requests rest on.
    pub grant: GrantId,
    /// Since when there is that grant: a later one of the same id counts anew.
    pub since_height: u64,
    /// How often it may be used; 0 for without limit.
    pub count_max: u32,
    /// How often it was used by what was proven.
    pub used: u32,
    /// The caller's present key.
    pub key: PublicKey,
    /// The organisation that the caller belongs to.
    pub organisation: Option<EntityId>,
    /// Lowest height of the states that the proofs are of.
    pub height: u64,
    /// Time of the oldest of the blocks that state them, milliseconds since 1970.
    pub time_ms: u64,
}

/// Uses of a grant here.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    /// Of which grant of this id, once that is known.
    since_height: Option<u64>,
    /// How many were served that no proof has told of yet.
    unrecorded: u32,
    /// How many there were before, by the first proof and those that were unrecorded then, and how many
    /// were served since.
    before: u32,
    served: u32,
    /// Greatest number of a request.
    number: u64,
    /// When it last changed: from `age_max_ms` on after that, proofs tell as much.
    changed_ms: u64,
    /// Only proofs from here on count: older ones may not tell of uses that an earlier run recorded.
    proofs_since_ms: u64,
}

/// What is settled about requests.
#[derive(Debug)]
pub struct Desk {
    gateway: EntityId,
    ledger: althing_types::LedgerId,
    age_max_ms: u64,
    things: BTreeMap<ThingId, ThingSpec>,
    /// By the narrowest access that a request asks for.
    sessions: BTreeMap<GrantId, (EntityId, Session)>,
    counts: BTreeMap<GrantId, Count>,
    /// Heights at which something about an entity, or what it owns, changed.
    newer: BTreeMap<EntityId, u64>,
    /// The same about everybody, once those are too many.
    newer_for_all: u64,
}

impl Desk {
    /// For a gateway that believes proofs for `age_max_ms` milliseconds.
    #[must_use]
    pub const fn new(ledger: althing_types::LedgerId, gateway: EntityId, age_max_ms: u64) -> Self {
        Self {
            gateway,
            ledger,
            age_max_ms,
            things: BTreeMap::new(),
            sessions: BTreeMap::new(),
            counts: BTreeMap::new(),
            newer: BTreeMap::new(),
            newer_for_all: 0,
        }
    }

    /// The things that are served from now on.
    pub fn serve(&mut self, things: Vec<ThingSpec>) {
        self.things = things.into_iter().map(|thing| (thing.id, thing)).collect();
    }

    /// The name of a thing that is served, as topics have it.
    #[must_use]
    pub fn name(&self, thing: &ThingId) -> Option<&str> {
        self.things.get(thing).map(|thing| thing.name.as_str())
    }

    /// A stream of a thing that is served.
    #[must_use]
    pub fn stream(&self, thing: &ThingId, property: &str) -> Option<&StreamSpec> {
        self.things.get(thing)?.streams.iter().find(|stream| stream.property == *property)
    }

    /// Something about an entity, or about what it owns, changed in the block at this height.
    pub fn heard(&mut self, entity: EntityId, height: u64) {
        if self.newer.len() >= NEWER_MAX && !self.newer.contains_key(&entity) {
            let all = std::mem::take(&mut self.newer).into_values().max().unwrap_or(0);
            self.newer_for_all = self.newer_for_all.max(all);
        }
        let known = self.newer.entry(entity).or_default();
        *known = (*known).max(height);
    }

    /// The same about everybody.
    pub fn heard_of_all(&mut self, height: u64) {
        self.newer_for_all = self.newer_for_all.max(height);
    }

    /// The things that are served.
    pub fn things(&self) -> impl Iterator<Item = ThingId> + '_ {
        self.things.keys().copied()
    }

    /// Counts a use that an earlier run of the gateway served and that is perhaps not recorded yet.
    pub fn remember(
        &mut self,
        now_ms: u64,
        request: &DirectRequest,
        grant: GrantId,
        is_recorded: bool,
    ) {
        let count = self.counts.entry(grant).or_default();
        count.number = count.number.max(request.number);
        count.changed_ms = now_ms;
        if is_recorded {
            count.proofs_since_ms = now_ms.saturating_add(STATED_MS);
        } else {
            count.unrecorded = count.unrecorded.saturating_add(1);
        }
    }

    /// A use is on the ledger, or never will be.
    pub fn recorded(&mut self, now_ms: u64, grant: &GrantId) {
        if let Some(count) = self.counts.get_mut(grant) {
            count.unrecorded = count.unrecorded.saturating_sub(1);
            count.changed_ms = now_ms;
        }
    }

    /// For how long what was recorded is to be remembered, milliseconds: until no proof counts any more
    /// that does not tell of it.
    #[must_use]
    pub const fn memory_ms(&self) -> u64 {
        self.age_max_ms.saturating_add(STATED_MS).saturating_add(DIRECT_LIFE_MS_MAX)
    }

    /// Looks at a request before anything is proven: whether it could be served at all. Gives the owner
    /// of the thing.
    ///
    /// # Errors
    /// [`NotServed`] saying why not.
    pub fn look(&self, now_ms: u64, request: &DirectRequest) -> Result<EntityId, NotServed> {
        if request.ledger != self.ledger || request.gateway != self.gateway {
            return Err(NotServed::Elsewhere);
        }
        let latest_ms = now_ms.saturating_add(DIRECT_LIFE_MS_MAX);
        if request.until_ms < now_ms || request.until_ms > latest_ms {
            return Err(NotServed::Time);
        }
        let thing = self.things.get(&request.thing).ok_or(NotServed::UnknownThing)?;
        if thing.is_shut_out {
            return Err(NotServed::Quarantined);
        }
        fits(thing, &request.operation)?;
        Ok(thing.owner)
    }

    /// The session of a request, if there is one that still counts.
    ///
    /// # Errors
    /// [`NotServed::NoProofs`] or [`NotServed::Stale`]: proofs are to be shown.
    pub fn session(&self, now_ms: u64, request: &DirectRequest) -> Result<Session, NotServed> {
        let owner = self.owner(request)?;
        let asked = narrowest(request, owner).ok_or(NotServed::NoProofs)?;
        let (caller, session) = self.sessions.get(&asked).ok_or(NotServed::NoProofs)?;
        if *caller != request.caller {
            return Err(NotServed::NoProofs);
        }
        self.is_recent(now_ms, owner, *caller, session)?;
        Ok(session.clone())
    }

    fn owner(&self, request: &DirectRequest) -> Result<EntityId, NotServed> {
        self.things.get(&request.thing).map(|thing| thing.owner).ok_or(NotServed::UnknownThing)
    }

    fn is_recent(
        &self,
        now_ms: u64,
        owner: EntityId,
        caller: EntityId,
        session: &Session,
    ) -> Result<(), NotServed> {
        let about = [Some(owner), Some(caller), session.organisation];
        let newest = about.iter().flatten().filter_map(|entity| self.newer.get(entity)).max();
        let newest = newest.copied().unwrap_or(0).max(self.newer_for_all);
        let is_old = session.time_ms.saturating_add(self.age_max_ms) < now_ms;
        if is_old || session.height < newest { Err(NotServed::Stale) } else { Ok(()) }
    }

    /// Takes a request on that a session allows: it counts as a use from here on. The session is
    /// remembered.
    ///
    /// # Errors
    /// [`NotServed`] saying why not.
    pub fn take(
        &mut self,
        now_ms: u64,
        signed: &SignedRequest,
        session: Session,
    ) -> Result<GrantId, NotServed> {
        let request = &signed.request;
        // What was true when the proofs were begun to be checked may not be any more.
        let owner = self.look(now_ms, request)?;
        self.is_recent(now_ms, owner, request.caller, &session)?;
        if !signed.is_signed_by(&session.key) {
            return Err(NotServed::Signature);
        }
        let grant = session.grant;
        let count = self.counted(now_ms, request, &session)?;
        self.keep(now_ms, request, owner, session)?;
        self.counts.insert(grant, count);
        Ok(grant)
    }

    /// The count of a grant once a request is served.
    fn counted(
        &mut self,
        now_ms: u64,
        request: &DirectRequest,
        session: &Session,
    ) -> Result<Count, NotServed> {
        let known = self.counts.get(&session.grant).copied();
        if known.is_none() && self.counts.len() >= COUNTS_MAX {
            let memory_ms = self.memory_ms();
            self.counts.retain(|_, count| {
                count.unrecorded > 0 || count.changed_ms.saturating_add(memory_ms) >= now_ms
            });
            if self.counts.len() >= COUNTS_MAX {
                return Err(NotServed::Busy);
            }
        }
        let mut count = known.unwrap_or_default();
        // Proofs of a grant that was given anew since would count the uses from the start.
        let is_before = count.since_height.is_some_and(|since| session.since_height < since);
        if is_before || session.time_ms < count.proofs_since_ms {
            return Err(NotServed::Stale);
        }
        if count.since_height != Some(session.since_height) {
            count.since_height = Some(session.since_height);
            // What is still to be recorded will be counted against the grant as it is then.
            count.before = session.used.saturating_add(count.unrecorded);
            count.served = 0;
        }
        if request.number <= count.number {
            return Err(NotServed::Repeated);
        }
        let by_ledger = session.used.saturating_add(count.unrecorded);
        let used = by_ledger.max(count.before.saturating_add(count.served));
        if session.count_max > 0 && used >= session.count_max {
            return Err(NotServed::UsedUp);
        }
        (count.number, count.changed_ms) = (request.number, now_ms);
        count.served = count.served.saturating_add(1);
        count.unrecorded = count.unrecorded.saturating_add(1);
        Ok(count)
    }

    fn keep(
        &mut self,
        now_ms: u64,
        request: &DirectRequest,
        owner: EntityId,
        session: Session,
    ) -> Result<(), NotServed> {
        let asked = narrowest(request, owner).ok_or(NotServed::NoProofs)?;
        if self.sessions.len() >= SESSIONS_MAX && !self.sessions.contains_key(&asked) {
            let age = self.age_max_ms;
            self.sessions.retain(|_, (_, one)| one.time_ms.saturating_add(age) >= now_ms);
            if self.sessions.len() >= SESSIONS_MAX {
                return Err(NotServed::Busy);
            }
        }
        self.sessions.insert(asked, (request.caller, session));
        Ok(())
    }
}

fn narrowest(request: &DirectRequest, owner: EntityId) -> Option<GrantId> {
    request.accesses(owner).next().map(|access| access.id())
}

/// Whether the thing has what is asked for, as far as the gateway knows.
fn fits(thing: &ThingSpec, operation: &Operation) -> Result<(), NotServed> {
    let stream = |property: &str| -> Result<&StreamSpec, NotServed> {
        let found = thing.streams.iter().find(|stream| stream.property == *property);
        found.ok_or_else(|| NotServed::BadInput("the thing has no such property".to_owned()))
    };
    match operation {
        Operation::Read { property } => stream(property).map(|_| ()),
        Operation::Write { property, value } if !stream(property)?.schema.admits(value) => {
            Err(NotServed::BadInput("the property does not admit this value".to_owned()))
        }
        Operation::Write { .. } | Operation::Invoke { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests;
