use althing_client::model::{
    Account, AgreementKey, DidDocument, Entity, IdText, KeyVersion, Page, Past, PendingApproval,
    Policies,
    query::{self, List},
};
use althing_peer::query::{EntityFilter, Noun, PAGE_ITEMS_MAX, QueryError};
use althing_types::{EntityId, EntityKind, ThingId};
use axum::{Json, extract::State};

use crate::{
    convert::shown,
    extract::{Params, Parsed, key_cursor, limit, numeric_cursor},
    problem::{Answer, ApiError, Failure},
    service::{Service, Shared},
};

/// Ask where an account stands
///
/// What a sender needs to know before it signs: the next nonce, and the height that an expiry
/// counts from.
#[utoipa::path(
    get,
    path = "/v1/accounts/{id}",
    tag = "entities",
    params(("id" = IdText, Path, description = "The sender")),
    responses((status = 200, description = "The account", body = Account))
)]
pub(super) async fn account(
    State(service): State<Shared>,
    Parsed(id): Parsed<IdText>,
) -> Answer<Json<Account>> {
    let id = service.entity_id(&id)?;
    service.read(move |service| Ok(Json(service.account(&id, &service.query.account(&id)?)))).await
}

/// List entities
#[utoipa::path(
    get,
    path = "/v1/entities",
    tag = "entities",
    params(query::Entities),
    responses((status = 200, description = "Entities in a stable order", body = Page<Entity>))
)]
pub(super) async fn entities(
    State(service): State<Shared>,
    Params(asked): Params<query::Entities>,
) -> Answer<Json<Page<Entity>>> {
    let filter = EntityFilter {
        kind: asked.kind.as_deref().map(kind).transpose()?,
        owner: asked.owner.as_ref().map(|owner| service.entity_id(owner)).transpose()?,
        name: asked.name.map(|name| name.to_lowercase()),
    };
    let (after, limit) = (key_cursor(asked.after.as_deref())?, limit(asked.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.entities(&filter, after.as_deref(), limit)?;
        Ok(shown(&page, |(id, record)| service.entity(id, record)))
    };
    service.read(list).await
}

fn kind(name: &str) -> Answer<EntityKind> {
    let wrong = || ApiError::from(Failure::InvalidQuery).about("kind");
    EntityKind::from_name(name).ok_or_else(wrong)
}

/// Look an entity up
#[utoipa::path(
    get,
    path = "/v1/entities/{id}",
    tag = "entities",
    params(("id" = IdText, Path, description = "The entity")),
    responses((status = 200, description = "The entity", body = Entity))
)]
pub(super) async fn entity(
    State(service): State<Shared>,
    Parsed(id): Parsed<IdText>,
) -> Answer<Json<Entity>> {
    let id = service.entity_id(&id)?;
    service.read(move |service| Ok(Json(service.entity(&id, &service.query.entity(&id)?)))).await
}

/// List the keys of an entity
///
/// Every key it has had, oldest first: what it signed with one stays checkable.
#[utoipa::path(
    get,
    path = "/v1/entities/{id}/keys",
    tag = "entities",
    params(("id" = IdText, Path, description = "The entity"), List),
    responses((status = 200, description = "Its keys", body = Page<KeyVersion>))
)]
pub(super) async fn keys(
    State(service): State<Shared>,
    Parsed(id): Parsed<IdText>,
    Params(list): Params<List>,
) -> Answer<Json<Page<KeyVersion>>> {
    let id = service.entity_id(&id)?;
    let after = numeric_cursor(list.after.as_deref())?.unwrap_or(0);
    let limit = limit(list.limit, PAGE_ITEMS_MAX)?;
    let list = move |service: &Service| {
        let (keys, more) = service.query.keys(&id, after, limit)?;
        let next = keys.last().filter(|_| more).map(|key| key.version.to_string());
        Ok(Json(Page { items: keys.iter().map(Service::key_version).collect(), next }))
    };
    service.read(list).await
}

/// Get the agreement key of an entity
///
/// To it the keys of confidential streams are wrapped for the entity.
#[utoipa::path(
    get,
    path = "/v1/entities/{id}/agreement",
    tag = "entities",
    params(("id" = IdText, Path, description = "The entity")),
    responses((status = 200, description = "Its key, if it has said one", body = AgreementKey))
)]
pub(super) async fn agreement(
    State(service): State<Shared>,
    Parsed(id): Parsed<IdText>,
) -> Answer<Json<AgreementKey>> {
    let id = service.entity_id(&id)?;
    let look = move |service: &Service| {
        service.query.entity(&id)?;
        let key = service.query.agreement(&id)?.map(|said| hex::encode(said.key.0));
        Ok(Json(AgreementKey { entity: service.did(&id), key }))
    };
    service.read(look).await
}

/// List the transactions of an entity
///
/// Those that it sent or that changed it, newest first.
#[utoipa::path(
    get,
    path = "/v1/entities/{id}/transactions",
    tag = "entities",
    params(("id" = IdText, Path, description = "The entity"), List),
    responses((status = 200, description = "The transactions", body = Page<Past>))
)]
pub(super) async fn history(
    State(service): State<Shared>,
    Parsed(id): Parsed<IdText>,
    Params(list): Params<List>,
) -> Answer<Json<Page<Past>>> {
    let id = service.entity_id(&id)?;
    let (after, limit) = (key_cursor(list.after.as_deref())?, limit(list.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.history(&id, after.as_deref(), limit)?;
        Ok(shown(&page, |past| service.past(past)))
    };
    service.read(list).await
}

/// List the records that notified an entity
///
/// Newest first. New ones come as events of type `recorded`.
#[utoipa::path(
    get,
    path = "/v1/entities/{id}/notifications",
    tag = "entities",
    params(("id" = IdText, Path, description = "The entity"), List),
    responses((status = 200, description = "The transactions that wrote them", body = Page<Past>))
)]
pub(super) async fn notifications(
    State(service): State<Shared>,
    Parsed(id): Parsed<IdText>,
    Params(list): Params<List>,
) -> Answer<Json<Page<Past>>> {
    let id = service.entity_id(&id)?;
    let (after, limit) = (key_cursor(list.after.as_deref())?, limit(list.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.notifications(&id, after.as_deref(), limit)?;
        Ok(shown(&page, |past| service.past(past)))
    };
    service.read(list).await
}

/// List what waits for approvals
///
/// Transactions that wait for the entity's approval, or that it sent and that wait.
#[utoipa::path(
    get,
    path = "/v1/entities/{id}/pending",
    tag = "entities",
    params(("id" = IdText, Path, description = "The entity"), List),
    responses((status = 200, description = "What waits", body = Page<PendingApproval>))
)]
pub(super) async fn pending(
    State(service): State<Shared>,
    Parsed(id): Parsed<IdText>,
    Params(list): Params<List>,
) -> Answer<Json<Page<PendingApproval>>> {
    let id = service.entity_id(&id)?;
    let (after, limit) = (key_cursor(list.after.as_deref())?, limit(list.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.pending(&id, after.as_deref(), limit)?;
        Ok(shown(&page, |(id, pending)| service.pending(id, pending)))
    };
    service.read(list).await
}

/// List the approval policies of an organisation
#[utoipa::path(
    get,
    path = "/v1/entities/{id}/policies",
    tag = "entities",
    params(("id" = IdText, Path, description = "The organisation")),
    responses((status = 200, description = "Its policies", body = Policies))
)]
pub(super) async fn policies(
    State(service): State<Shared>,
    Parsed(id): Parsed<IdText>,
) -> Answer<Json<Policies>> {
    let id = service.entity_id(&id)?;
    let list = move |service: &Service| {
        let policies = service.query.policies(&id)?;
        Ok(Json(Policies { items: policies.iter().map(|one| service.policy(one)).collect() }))
    };
    service.read(list).await
}

/// Resolve a DID
///
/// The DID document (W3C DID Core 1.0) of an entity, with its present key, or of a thing, with the
/// way to its description.
#[utoipa::path(
    get,
    path = "/v1/dids/{did}",
    tag = "entities",
    params(("did" = IdText, Path, description = "DID of an entity or thing")),
    responses((status = 200, description = "The document", body = DidDocument,
        content_type = "application/did"))
)]
pub(super) async fn resolve(
    State(service): State<Shared>,
    Parsed(did): Parsed<IdText>,
) -> Answer<([(axum::http::HeaderName, &'static str); 1], Json<DidDocument>)> {
    let id = service.id(&did)?;
    let document = service.read(move |service| service.document(id)).await?;
    Ok(([(axum::http::header::CONTENT_TYPE, "application/did")], Json(document)))
}

impl Service {
    fn document(&self, id: [u8; 32]) -> Answer<DidDocument> {
        let (entity, thing) = (EntityId(id), ThingId(id));
        match self.query.entity(&entity) {
            Err(QueryError::Unknown(Noun::Entity)) => {}
            record => return Ok(self.entity_document(&entity, &record?)),
        }
        match self.query.thing(&thing) {
            Err(QueryError::Unknown(Noun::Thing)) => Err(Failure::UnknownDid.into()),
            state => Ok(self.thing_document(&thing, &state?.record.owner)),
        }
    }
}
