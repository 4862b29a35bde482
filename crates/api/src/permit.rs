//! Lets a reader at values or not, as the newest executed state says, and notes what it let at.

use std::sync::{Mutex, MutexGuard, PoisonError};

use althing_client::model::Hex;
use althing_ledger::access::{Decision, Reason, Remembered, Wanted};
use althing_policy::{Policies, explain};
use althing_proof::{key, stream::StreamHead};
use althing_types::{
    AccessMode, Action, EntityId, Refusal, Resource, Right, StreamId, ThingId, Transaction,
};
use axum::http::StatusCode;

use crate::{
    problem::{Answer, ApiError},
    reader::Reader,
    service::Service,
};

/// What is asked, as far as it makes a difference.
type Asked = (Reader, Right, Resource);

/// Decisions by the newest executed state.
#[derive(Debug, Default)]
pub(crate) struct Decisions(Mutex<Remembered<Asked>>);

impl Decisions {
    fn lock(&self) -> MutexGuard<'_, Remembered<Asked>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    /// Decides by the newest executed state; says at which height.
    pub(crate) fn decide(
        &self,
        reader: &Reader,
        right: Right,
        resource: &Resource,
    ) -> Answer<(u64, Decision)> {
        let height = self.query.height();
        let asked = (reader.clone(), right, resource.clone());
        if let Some(decision) = self.decisions.lock().get(height, &asked) {
            return Ok((height, decision.clone()));
        }
        let principal = reader.entity;
        let wanted = Wanted { principal, right, resource, purpose: &reader.purpose };
        let (height, decision) = self.query.decide_access(&wanted)?;
        self.decisions.lock().put(height, asked, decision.clone());
        Ok((height, decision))
    }

    /// Lets a reader go ahead, and notes that it did, if it may.
    pub(crate) fn permit(&self, reader: &Reader, right: Right, resource: &Resource) -> Answer<()> {
        self.note(&self.allowed(reader, right, resource)?)
    }

    /// Lets a reader go on with what it was let at, if it still may: that is no further use.
    pub(crate) fn permit_on(
        &self,
        reader: &Reader,
        right: Right,
        resource: &Resource,
    ) -> Answer<()> {
        self.allowed(reader, right, resource).map(drop)
    }

    fn allowed(&self, reader: &Reader, right: Right, resource: &Resource) -> Answer<Decision> {
        let (_, decision) = self.decide(reader, right, resource)?;
        match decision.reason.refusal() {
            None => Ok(decision),
            Some(refusal) => Err(self.denied(refusal, reader.entity, right, resource, &decision)),
        }
    }

    /// Why a reader may not; none if it may, and then it is noted that it did.
    pub(crate) fn permit_or_refuse(
        &self,
        reader: &Reader,
        right: Right,
        resource: &Resource,
    ) -> Answer<Option<Refusal>> {
        let (_, decision) = self.decide(reader, right, resource)?;
        let refusal = decision.reason.refusal();
        if refusal.is_none() {
            self.note(&decision)?;
        }
        Ok(refusal)
    }

    /// Why a reader may not; none if it may.
    pub(crate) fn refusal(
        &self,
        reader: &Reader,
        right: Right,
        resource: &Resource,
    ) -> Answer<Option<Refusal>> {
        self.decide(reader, right, resource).map(|(_, decision)| decision.reason.refusal())
    }

    /// Notes a use of the grant that a decision rests on. What cannot be noted is not served.
    fn note(&self, decision: &Decision) -> Answer<()> {
        let Some(grant) = decision.grant else { return Ok(()) };
        // In `strict` mode the use is on the ledger already.
        if decision.policy.as_ref().is_some_and(|policy| policy.mode == AccessMode::Strict) {
            return Ok(());
        }
        self.uses.note(grant, decision.uses_left)
    }

    /// The property that a stream is of.
    pub(crate) fn property_of(head: &StreamHead) -> Resource {
        Resource::Property { thing: head.thing, name: head.property.clone() }
    }

    /// Lets a reader at the values of a stream, if it may.
    pub(crate) fn permit_stream(&self, reader: &Reader, stream: &StreamId) -> Answer<()> {
        let head = self.query.stream_head(stream)?;
        self.permit(reader, Right::Read, &Self::property_of(&head))
    }

    /// Lets a reader be told of new values of a stream, if it may.
    pub(crate) fn permit_follow(&self, reader: &Reader, stream: &StreamId) -> Answer<()> {
        let head = self.query.stream_head(stream)?;
        self.permit(reader, Right::Subscribe, &Self::property_of(&head))
    }

    /// Whether it may, without noting that it was.
    pub(crate) fn may_follow(&self, reader: &Reader, stream: &StreamId) -> Answer<bool> {
        let head = self.query.stream_head(stream)?;
        let (_, decision) = self.decide(reader, Right::Subscribe, &Self::property_of(&head))?;
        Ok(decision.allows())
    }

    /// Whether a reader may see values of a property, without noting that it did: for answers that
    /// leave out what they may not show.
    pub(crate) fn may_see(&self, reader: &Reader, property: &Resource) -> Answer<bool> {
        let (_, decision) = self.decide(reader, Right::Read, property)?;
        // What rests on a grant is shown where each use is noted.
        Ok(decision.allows() && decision.grant.is_none())
    }

    /// Lets a reader at the description of a thing. Descriptions are how things are found, so they
    /// are shown unless a policy forbids it.
    pub(crate) fn permit_description(&self, reader: &Reader, thing: ThingId) -> Answer<()> {
        let resource = Resource::Thing(thing);
        let (_, decision) = self.decide(reader, Right::Describe, &resource)?;
        match (decision.reason, decision.reason.refusal()) {
            (Reason::Forbidden, Some(refusal)) => {
                Err(self.denied(refusal, reader.entity, Right::Describe, &resource, &decision))
            }
            _ => Ok(()),
        }
    }

    /// Lets a reader at a transaction as it is: the heads of batches say what their values amount to.
    pub(crate) fn permit_batches(&self, reader: &Reader, transaction: &Transaction) -> Answer<()> {
        let batches = transaction.body().actions.iter().filter_map(|action| match action {
            Action::SubmitBatch(batch) => Some(batch.stream),
            _ => None,
        });
        let mut streams: Vec<StreamId> = batches.collect();
        streams.sort_unstable();
        streams.dedup();
        streams.iter().try_for_each(|stream| self.permit_stream(reader, stream))
    }

    /// Lets a reader at what the state holds at a key: the head of a stream says what its values
    /// amount to.
    pub(crate) fn permit_key(&self, reader: &Reader, raw_key: &[u8]) -> Answer<()> {
        let Some(id) = raw_key.strip_prefix(b"s/").and_then(|id| id.try_into().ok()) else {
            return Ok(());
        };
        let stream = StreamId(id);
        debug_assert_eq!(key::stream(&stream), raw_key);
        match self.query.stream_head(&stream) {
            Ok(head) => self.permit(reader, Right::Read, &Self::property_of(&head)),
            // That there is no such stream is no secret.
            Err(_) => Ok(()),
        }
    }

    /// The problem that says why not, by which policy, and what to do.
    pub(crate) fn denied(
        &self,
        refusal: Refusal,
        entity: Option<EntityId>,
        right: Right,
        resource: &Resource,
        decision: &Decision,
    ) -> ApiError {
        let mut sentence = self.why(decision);
        let form = self.resource(resource);
        let named = form.name.as_ref().map(|name| format!(" --{} {name:?}", form.kind));
        let what = match &named {
            Some(named) => format!("--thing {}{named}", form.id),
            None => format!("--{} {}", form.kind, form.id),
        };
        let right = right.name();
        let advice = match (entity, decision.reason) {
            (None, _) => {
                "Say who you are: --as KEYFILE --for PURPOSE; a program sends a token of its key."
                    .to_owned()
            }
            (_, Reason::NoGrant | Reason::Exhausted) => {
                format!(
                    "althing access request {what} --right {right} --purpose NAME --key KEYFILE"
                )
            }
            (_, Reason::NotUsed) => "althing access use GRANT --key KEYFILE".to_owned(),
            _ => format!("althing access explain {what} --right {right} --entity ID"),
        };
        if let Some(owner) = &decision.owner {
            sentence.push_str(&format!(" The owner is {}.", self.did(owner)));
        }
        ApiError::denied(StatusCode::FORBIDDEN, refusal.code(), sentence, advice)
    }

    /// Why somebody may or may not, in a sentence with the policy that decided.
    pub(crate) fn why(&self, decision: &Decision) -> String {
        let reason = reason_text(decision.reason);
        match &decision.policy {
            None => format!("{reason}."),
            Some(used) => {
                let about = self.resource(&used.resource);
                let statement = used.statement.map(|at| format!(", statement {}", at + 1));
                let statement = statement.unwrap_or_default();
                format!("{reason} (policy about {about}, version {}{statement}).", used.version)
            }
        }
    }

    /// The statement that decided, in words.
    pub(crate) fn statement_in_words(
        &self,
        owner: &EntityId,
        decision: &Decision,
    ) -> Option<String> {
        let used = decision.policy.as_ref()?;
        let record = self.query.access_policy(owner, &used.resource).ok()??;
        self.words(&record.policy.text).into_iter().nth(used.statement? as usize)
    }

    /// Each statement of a policy in words.
    pub(crate) fn words(&self, text: &str) -> Vec<String> {
        let Ok(policies) = Policies::known(text) else { return Vec::new() };
        let name = |id: &str| {
            let id = EntityId::from_hex(id)?;
            let record = self.query.entity(&id).ok()?;
            Some(format!("{} ({})", record.inception.name, Hex(id)))
        };
        explain(&policies, name)
    }
}

/// Stable word of a reason.
pub(crate) const fn reason_code(reason: Reason) -> &'static str {
    match reason {
        Reason::Holder => "holder",
        Reason::OpenLedger => "open_ledger",
        Reason::Permitted => "permitted",
        Reason::Granted => "granted",
        Reason::NoPolicy => "no_policy",
        Reason::Forbidden => "forbidden",
        Reason::NotPermitted => "not_permitted",
        Reason::NoGrant => "no_grant",
        Reason::Exhausted => "exhausted",
        Reason::NotUsed => "not_used",
        Reason::UnknownPrincipal => "unknown_principal",
        Reason::UnknownResource => "unknown_resource",
    }
}

const fn reason_text(reason: Reason) -> &'static str {
    match reason {
        Reason::Holder => "It is the owner's, or has the thing in its hands",
        Reason::OpenLedger => "The owner has no policy about it, and this ledger is open",
        Reason::Permitted => "The owner's policy permits it",
        Reason::Granted => "The owner's policy permits it, and there is a grant in force",
        Reason::NoPolicy => "The owner has no policy that permits it",
        Reason::Forbidden => "The owner's policy forbids it",
        Reason::NotPermitted => "No statement of the owner's policy permits it",
        Reason::NoGrant => {
            "The owner's policy would permit it, but there is no grant in force for this purpose"
        }
        Reason::Exhausted => "The grant is used up",
        Reason::NotUsed => "Each access is a transaction here, and none came just before",
        Reason::UnknownPrincipal => "The entity is not registered, or was revoked",
        Reason::UnknownResource => "The ledger knows no such resource",
    }
}
