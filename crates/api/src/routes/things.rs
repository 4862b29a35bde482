use althing_client::model::{IdText, Page, Property, Thing, query};
use althing_peer::query::{Bounds, Circle, PAGE_ITEMS_MAX, ThingFilter};
use althing_types::{Place, Resource, Right, StreamId};
use axum::{
    Json,
    extract::State,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};

use crate::{
    convert::{Latest, degrees_e7},
    extract::{Params, Parsed, key_cursor, limit},
    problem::{Answer, ApiError, Failure},
    reader::Reader,
    service::{Service, Shared},
};

/// Media type of Thing Descriptions (W3C WoT Thing Description 1.1).
const DESCRIPTION_MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/td+json");
/// Header with the SHA-256 of a description, as the ledger knows it.
const DIGEST_HEADER: HeaderName = HeaderName::from_static("althing-digest");

/// List things
///
/// The latest values are left out; ask for a thing to get them.
#[utoipa::path(
    get,
    path = "/v1/things",
    tag = "things",
    params(query::Things),
    responses((status = 200, description = "Things in a stable order", body = Page<Thing>))
)]
pub(super) async fn things(
    State(service): State<Shared>,
    Params(asked): Params<query::Things>,
) -> Answer<Json<Page<Thing>>> {
    let filter = ThingFilter {
        owner: asked.owner.as_ref().map(|owner| service.entity_id(owner)).transpose()?,
        name: asked.name.map(|name| name.to_lowercase()),
        kind: asked.kind,
        tag: asked.tag,
        property: asked.property,
        online: asked.online,
        within: asked.within.as_deref().map(bounds).transpose()?,
        near: asked.near.as_deref().map(circle).transpose()?,
    };
    let (after, limit) = (key_cursor(asked.after.as_deref())?, limit(asked.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.things(&filter, after.as_deref(), limit)?;
        let things = page.items.iter().map(|state| service.thing(state, Latest::Without));
        let items = things.collect::<Answer<_>>()?;
        Ok(Json(Page { items, next: page.next.map(hex::encode) }))
    };
    service.read(list).await
}

/// A box on the earth from its four edges in text.
fn bounds(text: &str) -> Answer<Bounds> {
    let edges: Option<Vec<i64>> = text.split(',').map(degrees_e7).collect();
    let corners = match edges.as_deref() {
        Some(&[south, west, north, east]) => Some((
            Place { latitude_e7: south, longitude_e7: west },
            Place { latitude_e7: north, longitude_e7: east },
        )),
        _ => None,
    };
    match corners {
        Some((south_west, north_east)) if south_west.is_valid() && north_east.is_valid() => {
            Ok(Bounds { south_west, north_east })
        }
        _ => {
            let reason = "south,west,north,east in degrees expected, such as 48.0,11.3,48.3,11.8";
            Err(ApiError::from(Failure::InvalidQuery).about("within").because(reason))
        }
    }
}

/// A circle on the earth from its centre and radius in text.
fn circle(text: &str) -> Answer<Circle> {
    let parts: Option<Vec<i64>> = text.split(',').map(degrees_e7).collect();
    let circle = match parts.as_deref() {
        Some(&[latitude_e7, longitude_e7, radius]) => {
            let centre = Place { latitude_e7, longitude_e7 };
            u32::try_from(radius).ok().map(|radius_e7| Circle { centre, radius_e7 })
        }
        _ => None,
    };
    circle.filter(|circle| circle.centre.is_valid()).ok_or_else(|| {
        let reason = "latitude,longitude,distance in degrees expected, such as 48.1,11.5,0.2";
        ApiError::from(Failure::InvalidQuery).about("near").because(reason)
    })
}

/// Look a thing up
#[utoipa::path(
    get,
    path = "/v1/things/{id}",
    tag = "things",
    params(("id" = IdText, Path, description = "The thing")),
    responses((status = 200, description = "The thing", body = Thing))
)]
pub(super) async fn thing(
    State(service): State<Shared>,
    reader: Reader,
    Parsed(id): Parsed<IdText>,
) -> Answer<Json<Thing>> {
    let id = service.thing_id(&id)?;
    let look = move |service: &Service| {
        let mut thing = service.thing(&service.query.thing(&id)?, Latest::With)?;
        for property in &mut thing.properties {
            let resource = Resource::Property { thing: id, name: property.name.clone() };
            if !service.may_see(&reader, &resource)? {
                property.latest = None;
            }
        }
        Ok(Json(thing))
    };
    service.read(look).await
}

/// Get the Thing Description of a thing
///
/// Byte for byte as its owner registered it, so that its SHA-256 is the one on the ledger.
#[utoipa::path(
    get,
    path = "/v1/things/{id}/description",
    tag = "things",
    params(("id" = IdText, Path, description = "The thing"), query::Description),
    responses((status = 200, description = "W3C WoT Thing Description 1.1", body = Object,
        content_type = "application/td+json",
        headers(("althing-digest" = String, description = "SHA-256 of the description, hex"))))
)]
pub(super) async fn description(
    State(service): State<Shared>,
    reader: Reader,
    Parsed(id): Parsed<IdText>,
    Params(asked): Params<query::Description>,
) -> Answer<Response> {
    let id = service.thing_id(&id)?;
    let look = move |service: &Service| {
        service.permit_description(&reader, id)?;
        Ok(service.query.description(&id, asked.version)?)
    };
    let (digest, text) = service.read(look).await?;
    let digest = digest.to_string();
    Ok(([(header::CONTENT_TYPE, DESCRIPTION_MEDIA_TYPE)], [(DIGEST_HEADER, digest)], text)
        .into_response())
}

/// Read a property of a thing
///
/// Its stream and its latest reading.
#[utoipa::path(
    get,
    path = "/v1/things/{id}/properties/{name}",
    tag = "things",
    params(
        ("id" = IdText, Path, description = "The thing"),
        ("name" = String, Path, description = "The property")
    ),
    responses((status = 200, description = "The property", body = Property))
)]
pub(super) async fn property(
    State(service): State<Shared>,
    reader: Reader,
    Parsed((id, name)): Parsed<(IdText, String)>,
) -> Answer<Json<Property>> {
    let thing = service.thing_id(&id)?;
    let stream = StreamId::derive(&thing, &name);
    let look = move |service: &Service| {
        service.query.stream_head(&stream)?;
        service.permit(&reader, Right::Read, &Resource::Property { thing, name })?;
        service.property(&stream, Latest::With).map(Json)
    };
    service.read(look).await
}
