//! Direct requests beside the ledger: hear what changes who may, and record what was served.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use althing_client::{
    Account, Client, Error, Signer,
    model::{Event, query},
};
use althing_gateway::{Direct, Objection};
use althing_ledger::thing::input_problem;
use althing_types::{Action, DirectUse, Operation, Refusal, ThingId};
use tokio::time::sleep;

use super::submit::submit;

/// Pause before a peer that failed is asked again, or the next one.
const PAUSE: Duration = Duration::from_millis(500);
/// Pause before a record is tried again that the ledger refused for now.
const REFUSED_PAUSE: Duration = Duration::from_secs(10);
/// What changes who may reach a device.
const EVENTS: &str = "grant_revoked,access_policy_set,access_policy_removed,thing_transferred,\
                      key_rotated,entity_revoked,thing_updated";
/// Most descriptions remembered.
const DESCRIPTIONS_MAX: usize = 1024;

/// Descriptions of things, by which requests are checked before a device hears of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Descriptions(Arc<Mutex<BTreeMap<ThingId, Vec<u8>>>>);

impl Descriptions {
    /// Says what a description has against a request. What is not known yet is for the device to say.
    pub(super) fn objection(&self) -> Objection {
        let own = self.clone();
        Arc::new(move |thing, operation| {
            let known = own.0.lock().unwrap_or_else(PoisonError::into_inner);
            let description = known.get(thing)?;
            match operation {
                Operation::Invoke { action, input } => {
                    input_problem(description, action, input.as_ref().map(|input| input.as_slice()))
                }
                Operation::Write { property, .. } if is_read_only(description, property) => {
                    Some("the property cannot be written".to_owned())
                }
                Operation::Read { .. } | Operation::Write { .. } => None,
            }
        })
    }

    async fn fetch(&self, client: &Client, things: &BTreeSet<ThingId>) {
        for thing in things {
            self.fetch_one(client, thing).await;
        }
    }

    async fn fetch_one(&self, client: &Client, thing: &ThingId) {
        let Ok(text) = client.description(thing, None).await else { return };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < DESCRIPTIONS_MAX || known.contains_key(thing) {
            known.insert(*thing, text.to_vec());
        }
    }
}

fn is_read_only(description: &[u8], property: &str) -> bool {
    let described: Option<serde_json::Value> = serde_json::from_slice(description).ok();
    described.is_some_and(|described| described["properties"][property]["readOnly"] == true)
}

/// Keeps the gateway told for as long as it is polled, and goes on from peer to peer.
pub(super) async fn follow(
    direct: Option<&Arc<Direct>>,
    clients: &[Client],
    descriptions: &Descriptions,
) -> Infallible {
    let Some(direct) = direct else { return std::future::pending().await };
    loop {
        for client in clients {
            if let Err(error) = follow_one(direct, client, descriptions).await {
                tracing::debug!(peer = client.url(), %error, "a peer does not tell who may");
            }
            sleep(PAUSE).await;
        }
    }
}

async fn follow_one(
    direct: &Direct,
    client: &Client,
    descriptions: &Descriptions,
) -> Result<(), Error> {
    let kind = Some(EVENTS.to_owned());
    let mut events = client.events(&query::Events { kind, ..<_>::default() }).await?;
    descriptions.fetch(client, &direct.things()).await;
    // What was not heard while nobody told is in no proof older than the present state.
    let height = client.status().await?.height;
    direct.heard_of_all(height.saturating_sub(1));
    while let Some(record) = events.next().await? {
        let heard = |entity: &althing_client::model::DidText| {
            direct.heard(entity.entity_id(), record.height);
        };
        match &record.event {
            Event::GrantRevoked { access, .. } => heard(&access.owner),
            Event::AccessPolicySet { owner, .. } | Event::AccessPolicyRemoved { owner, .. } => {
                heard(owner);
            }
            Event::ThingTransferred { from, to, .. } => {
                heard(from);
                heard(to);
            }
            Event::KeyRotated { entity, .. } | Event::EntityRevoked { entity } => heard(entity),
            Event::ThingUpdated { thing, .. } => {
                descriptions.fetch_one(client, &thing.thing_id()).await;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Records what was served for as long as it is polled.
pub(super) async fn record(
    direct: Option<&Arc<Direct>>,
    clients: &[Client],
    signer: &Signer,
) -> Infallible {
    let Some(direct) = direct else { return std::future::pending().await };
    loop {
        let due = direct.due().await;
        for client in clients {
            match record_by(direct, client, signer, &due).await {
                Ok(()) => break,
                Err(error) => {
                    tracing::debug!(peer = client.url(), %error, "a peer records no direct use");
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Why the ledger never takes a use: whatever else it refuses, such as a record that the gateway cannot pay
/// for, it may take later.
const FOR_EVER: [Refusal; 7] = [
    Refusal::AlreadyExists,
    Refusal::NoGrant,
    Refusal::NotPermitted,
    Refusal::UnknownThing,
    Refusal::UnknownEntity,
    Refusal::BadSignature,
    Refusal::BadPossession,
];

/// Records uses together; if the ledger refuses that, each by itself, so that one does not keep back the
/// others.
async fn record_by(
    direct: &Direct,
    client: &Client,
    signer: &Signer,
    due: &[(u64, DirectUse)],
) -> Result<(), Error> {
    let account = Account::open(client, signer.clone()).await?;
    let uses: Vec<DirectUse> = due.iter().map(|(_, used)| used.clone()).collect();
    match submit(client, &account, &[Action::RecordDirect { uses }]).await? {
        None => {
            let numbers: Vec<u64> = due.iter().map(|(number, _)| *number).collect();
            direct.recorded(&numbers);
            return Ok(());
        }
        Some(refusal) if !is_for_ever(&refusal) => return later(&refusal).await,
        Some(_) => {}
    }
    for (number, used) in due {
        let alone = Action::RecordDirect { uses: vec![used.clone()] };
        if let Some(refusal) = submit(client, &account, &[alone]).await? {
            if !is_for_ever(&refusal) {
                return later(&refusal).await;
            }
            let id = used.request.request.id();
            tracing::warn!(%id, code = refusal, "the ledger does not take a direct use");
        }
        direct.recorded(&[*number]);
    }
    Ok(())
}

fn is_for_ever(code: &str) -> bool {
    FOR_EVER.iter().any(|refusal| refusal.code() == code)
}

/// Leaves what is due for another time. Another peer would refuse it too.
async fn later(code: &str) -> Result<(), Error> {
    tracing::warn!(code, "the ledger takes no record of direct uses now");
    sleep(REFUSED_PAUSE).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_description_does_not_offer_is_objected_to() {
        let thing = ThingId([1; 32]);
        let description = serde_json::json!({
            "properties": { "target": {}, "level": { "readOnly": true } },
            "actions": { "open": { "input": { "type": "integer", "maximum": 5 } } },
        });
        let descriptions = Descriptions::default();
        descriptions.0.lock().unwrap().insert(thing, description.to_string().into_bytes());
        let objection = descriptions.objection();
        let write = |property: &str| Operation::Write {
            property: property.into(),
            value: althing_types::Value::Bool(true),
        };
        let invoke = |action: &str, input: &str| Operation::Invoke {
            action: action.into(),
            input: Some(input.as_bytes().to_vec().into()),
        };
        for (operation, is_fine) in [
            (write("target"), true),
            (write("level"), false),
            (invoke("open", "5"), true),
            (invoke("open", "6"), false),
            (invoke("close", "5"), false),
            (Operation::Read { property: "level".into() }, true),
        ] {
            assert_eq!(objection(&thing, &operation).is_none(), is_fine, "{operation:?}");
        }
        assert_eq!(objection(&ThingId([2; 32]), &write("level")), None, "not known");
    }
}
