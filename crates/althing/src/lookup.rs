//! Find entities, things and streams by what people call them.

use althing_client::{
    Client,
    model::{IdText, StreamHex, Thing, query},
};
use althing_types::{EntityId, StreamId, ThingId};

use crate::{report::failed, session::Explain as _};

/// Most candidates looked at to find a name.
const CANDIDATES_MAX: u32 = 100;

/// An entity by DID, hex id, or name.
pub(crate) async fn entity(client: &Client, text: &str) -> anyhow::Result<EntityId> {
    if let Ok(id) = text.parse::<IdText>() {
        return Ok(EntityId(id.id));
    }
    let query = query::Entities {
        name: Some(text.to_owned()),
        limit: Some(CANDIDATES_MAX),
        ..Default::default()
    };
    let page = client.entities(&query).await.explain()?;
    let found = page.items.into_iter().filter(|entity| entity.name == text);
    one("entity", "althing entity list", text, found.map(|entity| entity.hex.0))
}

/// A thing by DID, hex id, or name.
pub(crate) async fn thing(client: &Client, text: &str) -> anyhow::Result<Thing> {
    let id = match text.parse::<IdText>() {
        Ok(id) => ThingId(id.id),
        Err(_) => thing_named(client, text).await?,
    };
    client.thing(&id).await.explain()
}

async fn thing_named(client: &Client, name: &str) -> anyhow::Result<ThingId> {
    let query = query::Things {
        name: Some(name.to_owned()),
        limit: Some(CANDIDATES_MAX),
        ..Default::default()
    };
    let page = client.things(&query).await.explain()?;
    let found = page.items.into_iter().filter(|thing| thing.name == name);
    one("thing", "althing thing list", name, found.map(|thing| thing.hex.0))
}

/// A stream by hex id, or as `<thing>/<property>`.
pub(crate) async fn stream(client: &Client, text: &str) -> anyhow::Result<StreamId> {
    if let Ok(StreamHex { 0: id }) = text.parse::<StreamHex>() {
        return Ok(id);
    }
    let Some((name, property)) = text.rsplit_once('/') else {
        return Err(failed(
            format!("`{text}` is no stream: write <thing>/<property>, or its 64 hex digits"),
            "althing stream list",
        ));
    };
    let thing = thing(client, name).await?;
    match thing.properties.iter().find(|known| known.name == property) {
        Some(property) => Ok(property.stream.0),
        None => {
            let names = thing.properties.iter().map(|property| property.name.as_str());
            let next = match crate::nearest::nearest(property, names) {
                Some(near) => format!("did you mean {name}/{near}?"),
                None => format!("althing thing show {name}"),
            };
            Err(failed(format!("thing {name} has no property `{property}`"), next))
        }
    }
}

fn one<T: std::fmt::Display>(
    what: &str,
    list: &str,
    name: &str,
    mut found: impl Iterator<Item = T>,
) -> anyhow::Result<T> {
    match (found.next(), found.next()) {
        (Some(id), None) => Ok(id),
        (None, _) => Err(failed(format!("there is no {what} called `{name}`"), list)),
        (Some(first), Some(second)) => Err(failed(
            format!("several {what} names are `{name}`, such as {first} and {second}"),
            format!("give the id instead; {list}"),
        )),
    }
}
