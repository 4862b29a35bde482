//! Know the things that are bound to the gateway, as the ledger has them.

use std::{collections::BTreeSet, convert::Infallible, time::Duration};

use althing_client::{
    Client, Error,
    model::{Event, Thing, query},
};
use althing_gateway::{Handle, PeerUplink};
use althing_types::{EntityId, ThingId};
use tokio::time::sleep;

/// How much longer each pause is than the one before while no peer tells anything, and the longest:
/// short at first, since peers and gateway are often started together.
const PAUSE_STEP: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// What changes the things a gateway serves.
const EVENTS: &str = "bound,thing_updated";

/// Serves every thing that is or becomes bound to the gateway; goes on from peer to peer.
pub(super) async fn follow(gateway: &Handle, clients: &[Client], entity: EntityId) -> Infallible {
    let mut pause = PAUSE_STEP;
    loop {
        for client in clients {
            let mut follower = Follower { gateway, client, entity, served: BTreeSet::new() };
            if let Err(error) = follower.run().await {
                tracing::debug!(peer = client.url(), %error, "a peer does not tell of bindings");
            }
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
        // Events first, then the list, so that nothing falls between the two.
        let kind = Some(EVENTS.to_owned());
        let mut events = self.client.events(&query::Events { kind, ..<_>::default() }).await?;
        self.serve_bound().await?;
        while let Some(record) = events.next().await? {
            match record.event {
                Event::Bound { thing, gateway, .. } if gateway.entity_id() == self.entity => {
                    self.serve(thing.thing_id()).await?;
                }
                Event::ThingUpdated { thing, .. } if self.served.contains(&thing.thing_id()) => {
                    self.serve(thing.thing_id()).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn serve_bound(&mut self) -> Result<(), Ended> {
        let mut query = query::Things::default();
        loop {
            let page = self.client.things(&query).await?;
            for thing in page.items {
                if is_bound(&thing, &self.entity) {
                    self.serve(thing.hex.0).await?;
                }
            }
            query.after = page.next;
            if query.after.is_none() {
                return Ok(());
            }
        }
    }

    async fn serve(&mut self, thing: ThingId) -> Result<(), Ended> {
        let uplink = PeerUplink::new(self.client.clone(), self.entity, Duration::ZERO);
        let spec = uplink.thing(&thing).await?;
        tracing::info!(name = spec.name, "serving a thing");
        self.gateway.serve(spec).await?;
        self.served.insert(thing);
        Ok(())
    }
}

fn is_bound(thing: &Thing, gateway: &EntityId) -> bool {
    thing.active && thing.bindings.iter().any(|binding| binding.gateway.entity_id() == *gateway)
}
