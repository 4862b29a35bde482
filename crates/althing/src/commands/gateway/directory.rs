//! Know the things that are bound to the gateway, as the ledger has them.

use std::{collections::BTreeSet, convert::Infallible, time::Duration};

use althing_client::{
    Client, Error,
    model::{Binding, Event, Thing, query},
};
use althing_edge::ThingSpec;
use althing_gateway::{Handle, PeerUplink};
use althing_types::{EntityId, ThingId};
use tokio::time::sleep;

/// How much longer each pause is than the one before while no peer tells anything, and the longest:
/// short at first, since peers and gateway are often started together.
const PAUSE_STEP: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// What changes the things a gateway serves, and who may be connected to it.
const EVENTS: &str = "bound,unbound,thing_updated,thing_retired,thing_transferred,quarantine_changed,key_rotated,entity_revoked";

/// Serves every thing of these owners that is or becomes bound to the gateway, or of the gateway's
/// own owner if there are none; goes on from peer to peer.
pub(super) async fn follow(
    gateway: &Handle,
    clients: &[Client],
    entity: EntityId,
    owners: &[EntityId],
) -> Infallible {
    let mut pause = PAUSE_STEP;
    // A peer that is behind the one that told before would not know its newest bindings.
    let mut height = 0;
    loop {
        for client in clients {
            client.read_from(height);
            let owners = owners.iter().copied().collect();
            let served = BTreeSet::new();
            let mut follower = Follower { gateway, client, entity, owners, served };
            if let Err(error) = follower.run().await {
                tracing::debug!(peer = client.url(), %error, "a peer does not tell of bindings");
            }
            height = height.max(client.height());
            if !follower.served.is_empty() {
                pause = PAUSE_STEP;
            }
        }
        sleep(pause).await;
        pause = (pause + PAUSE_STEP).min(PAUSE_MAX);
    }
}

/// What one peer tells of the things bound to the gateway.
struct Follower<'a> {
    gateway: &'a Handle,
    client: &'a Client,
    entity: EntityId,
    owners: BTreeSet<EntityId>,
    served: BTreeSet<ThingId>,
}

/// Why a peer is not followed any more.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Peer(#[from] Error),
    #[error(transparent)]
    Thing(#[from] althing_gateway::UplinkError),
    #[error(transparent)]
    Gateway(#[from] althing_gateway::Stopped),
}

impl Follower<'_> {
    async fn run(&mut self) -> Result<(), Ended> {
        if self.owners.is_empty() {
            self.owners = own_owners(self.client, &self.entity).await?;
        }
        // Events first, then the list, so that nothing falls between the two.
        let kind = Some(EVENTS.to_owned());
        let mut events = self.client.events(&query::Events { kind, ..<_>::default() }).await?;
        let things = self.bound().await?;
        self.served.extend(things.iter().map(|thing| thing.id));
        self.gateway.serve_only(things).await?;
        self.dismiss_revoked().await?;
        while let Some(record) = events.next().await? {
            self.on_event(record.event).await?;
        }
        Ok(())
    }

    async fn on_event(&mut self, event: Event) -> Result<(), Ended> {
        match event {
            Event::Bound { thing, gateway, .. } if gateway.entity_id() == self.entity => {
                self.serve(&thing.thing_id()).await
            }
            Event::ThingUpdated { thing, .. } | Event::QuarantineChanged { thing, .. }
                if self.served.contains(&thing.thing_id()) =>
            {
                self.serve(&thing.thing_id()).await
            }
            Event::Unbound { thing, gateway } if gateway.entity_id() == self.entity => {
                self.serve_no_more(thing.thing_id()).await
            }
            // Its bindings have ended with its owner; the new one may have bound it already.
            Event::ThingTransferred { thing, .. } if self.served.contains(&thing.thing_id()) => {
                self.serve_no_more(thing.thing_id()).await?;
                self.serve(&thing.thing_id()).await
            }
            Event::ThingRetired { thing } if self.served.contains(&thing.thing_id()) => {
                self.serve_no_more(thing.thing_id()).await
            }
            Event::KeyRotated { entity, .. } | Event::EntityRevoked { entity } => {
                self.gateway.dismiss(entity.entity_id());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Entities may have been revoked while no peer told so.
    async fn dismiss_revoked(&self) -> Result<(), Ended> {
        for entity in self.gateway.entities() {
            if !self.client.entity(&entity).await?.active {
                self.gateway.dismiss(entity);
            }
        }
        Ok(())
    }

    /// All things to serve.
    async fn bound(&self) -> Result<Vec<ThingSpec>, Ended> {
        let (mut things, mut query) = (Vec::new(), query::Things::default());
        loop {
            let page = self.client.things(&query).await?;
            let height = self.client.height();
            for thing in page.items {
                if is_bound(&thing, &self.entity, height) && self.is_allowed(&thing) {
                    things.push(self.spec(&thing.hex.0).await?);
                }
            }
            query.after = page.next;
            if query.after.is_none() {
                return Ok(things);
            }
        }
    }

    async fn serve(&mut self, id: &ThingId) -> Result<(), Ended> {
        let thing = self.client.thing(id).await?;
        if is_bound(&thing, &self.entity, self.client.height()) && self.is_allowed(&thing) {
            self.gateway.serve(self.spec(id).await?).await?;
            self.served.insert(*id);
        }
        Ok(())
    }

    async fn serve_no_more(&mut self, thing: ThingId) -> Result<(), Ended> {
        if self.served.remove(&thing) {
            tracing::info!(%thing, "serving a thing no more: its binding ended");
            self.gateway.serve_no_more(thing).await?;
        }
        Ok(())
    }

    async fn spec(&self, thing: &ThingId) -> Result<ThingSpec, Ended> {
        let uplink = PeerUplink::new(self.client.clone(), self.entity, Duration::ZERO);
        let spec = uplink.thing(thing).await?;
        tracing::info!(name = spec.name, "serving a thing");
        Ok(spec)
    }

    fn is_allowed(&self, thing: &Thing) -> bool {
        let is_allowed = self.owners.contains(&thing.owner.entity_id());
        if !is_allowed {
            tracing::warn!(
                name = thing.name, owner = %thing.owner,
                "a thing is bound to this gateway and not served: add its owner to `owners` in \
                 [gateway] of the configuration, or have it unbound"
            );
        }
        is_allowed
    }
}

/// Whose things a gateway serves if its configuration names nobody: its organisation's, and its own.
pub(super) async fn own_owners(
    client: &Client,
    gateway: &EntityId,
) -> Result<BTreeSet<EntityId>, Error> {
    let own = client.entity(gateway).await?;
    Ok(own.owner.map(|owner| owner.entity_id()).into_iter().chain([*gateway]).collect())
}

/// Whether a thing is bound to a gateway for at least one more block.
pub(super) fn is_bound(thing: &Thing, gateway: &EntityId, height: u64) -> bool {
    let holds = |binding: &Binding| {
        binding.gateway.entity_id() == *gateway && binding.until_height > height
    };
    thing.active && thing.bindings.iter().any(holds)
}
