//! What all requests share.

use std::{
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use althing_client::{
    Signer,
    model::{DidText, IdText},
};
use althing_peer::{
    Peer,
    query::{Lacking, Query},
};
use althing_proof::stream::StreamHead;
use althing_types::{ContractId, EntityId, Right, StreamId, ThingId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    Config,
    disk::Disk,
    gateways::Gateways,
    limits::ANSWER_BYTES_MAX,
    operate::{Missed, Operation},
    permit::Decisions,
    problem::{Answer, ApiError, Failure},
    purge::Withheld,
    reader::{Reader, Tokens},
    uses::Uses,
    webhooks::Webhooks,
};
use althing_client::Turns;

/// Most reads from disk at a time: enough to keep a disk busy, and few enough to leave the
/// processors to agreement.
const READS_MAX: usize = 8;

/// Most contracts run at a time for those who ask: each may take as long as a whole transaction, and
/// the processors are for agreement.
const RUNS_MAX: usize = 1;

/// A peer as the interface sees it.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) peer: Peer,
    pub(crate) query: Query,
    /// What may change while the peer runs is read anew at each request.
    config: RwLock<Arc<Config>>,
    /// Requests until their answers are sent.
    pub(crate) requests: Arc<Semaphore>,
    /// Bytes of large answers until they are sent.
    pub(crate) answer_bytes: Arc<Semaphore>,
    reads: Turns,
    /// Contracts run for those who ask.
    runs: Turns,
    pub(crate) event_streams: Arc<Semaphore>,
    pub(crate) tokens: Tokens,
    pub(crate) decisions: Decisions,
    pub(crate) uses: Uses,
    pub(crate) webhooks: Webhooks,
    pub(crate) disk: Disk,
    pub(crate) withheld: Withheld,
    pub(crate) operation: Operation,
    pub(crate) gateways: Gateways,
    /// Since when goals of the operator are missed.
    pub(crate) missed: Mutex<Missed>,
}

pub(crate) type Shared = Arc<Service>;

impl Service {
    pub(crate) fn new(
        peer: Peer,
        config: Config,
        recorder: Option<Arc<Signer>>,
        operation: Operation,
    ) -> Shared {
        Arc::new(Self {
            query: peer.query(),
            requests: Arc::new(Semaphore::new(config.requests_max)),
            answer_bytes: Arc::new(Semaphore::new(ANSWER_BYTES_MAX)),
            reads: Turns::new(READS_MAX),
            runs: Turns::new(RUNS_MAX),
            event_streams: Arc::new(Semaphore::new(config.event_streams_max)),
            tokens: Tokens::default(),
            decisions: Decisions::default(),
            uses: Uses::new(recorder.is_some()),
            webhooks: Webhooks::new(config.data.as_ref(), recorder, config.webhooks_private),
            disk: Disk::new(config.data.clone()),
            withheld: Withheld::default(),
            operation,
            gateways: Gateways::default(),
            missed: Mutex::default(),
            peer,
            config: RwLock::new(Arc::new(config)),
        })
    }

    /// The bounds that hold now.
    pub(crate) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts other bounds in force. Those that connections are accepted by, and the origins, stay as they
    /// were at the start.
    pub(crate) fn set_config(&self, new: Config) {
        let mut config = self.config.write().unwrap_or_else(PoisonError::into_inner);
        resize(&self.requests, config.requests_max, new.requests_max);
        resize(&self.event_streams, config.event_streams_max, new.event_streams_max);
        *config = Arc::new(new);
    }

    pub(crate) fn network(&self) -> &str {
        &self.peer.genesis().network
    }

    pub(crate) fn did(&self, entity: &EntityId) -> DidText {
        DidText::entity(self.network(), entity)
    }

    pub(crate) fn thing_did(&self, thing: &ThingId) -> DidText {
        DidText::thing(self.network(), thing)
    }

    pub(crate) fn contract_did(&self, contract: &ContractId) -> DidText {
        DidText::contract(self.network(), contract)
    }

    pub(crate) fn contract_id(&self, text: &IdText) -> Answer<ContractId> {
        self.id(text).map(ContractId)
    }

    /// The id in a path or parameter, if it is of this network.
    pub(crate) fn id(&self, text: &IdText) -> Answer<[u8; 32]> {
        match &text.network {
            Some(network) if network != self.network() => Err(Failure::WrongNetwork.into()),
            _ => Ok(text.id),
        }
    }

    pub(crate) fn entity_id(&self, text: &IdText) -> Answer<EntityId> {
        self.id(text).map(EntityId)
    }

    pub(crate) fn thing_id(&self, text: &IdText) -> Answer<ThingId> {
        self.id(text).map(ThingId)
    }

    /// Reads from disk, off the threads that serve connections.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Self) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let service = Arc::clone(self);
        match self.reads.work(move || read(&service)).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(%error, "a query ended without an answer");
                Err(Failure::Internal.into())
            }
        }
    }
}

/// How long payloads that other peers keep are waited for; what has not come by then is left out.
const GATHER_PATIENCE: Duration = Duration::from_secs(3);

impl Service {
    /// Reads batches of a stream for a reader who may; `read` gives the answer, and the positions of those
    /// whose payloads are not here. If other peers keep these, they are fetched and the answer is read
    /// again.
    pub(crate) async fn read_gathered<T: Send + 'static>(
        self: &Arc<Self>,
        reader: Reader,
        stream: StreamId,
        read: impl Fn(&Self, &StreamHead) -> Answer<(T, Vec<u64>)> + Clone + Send + 'static,
    ) -> Answer<T> {
        let (first, who) = (read.clone(), reader.clone());
        let look = move |service: &Self| {
            let head = service.query.stream_head(&stream)?;
            service.permit(&who, Right::Read, &Self::property_of(&head))?;
            first(service, &head)
        };
        let (answer, unavailable) = self.read(look).await?;
        if unavailable.is_empty() {
            return Ok(answer);
        }
        let find = move |service: &Self| Ok(service.query.lacking(&stream, &unavailable)?);
        if !self.gather(find).await? {
            return Ok(answer);
        }
        let look = move |service: &Self| {
            let head = service.query.stream_head(&stream)?;
            service.permit_on(&reader, Right::Read, &Self::property_of(&head))?;
            read(service, &head)
        };
        self.read(look).await.map(|(answer, _)| answer)
    }

    /// Fetches payloads that others keep; whether there were any.
    pub(crate) async fn gather(
        self: &Arc<Self>,
        find: impl FnOnce(&Self) -> Answer<Vec<Lacking>> + Send + 'static,
    ) -> Answer<bool> {
        let lacking = self.read(find).await?;
        if lacking.is_empty() {
            return Ok(false);
        }
        // What came in time is here; the rest is missing from the answer.
        let _ = tokio::time::timeout(GATHER_PATIENCE, self.query.gather(lacking)).await;
        Ok(true)
    }

    /// Runs contracts for somebody who asks, one after the other.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        run: impl FnOnce(&Self) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let turn = self.turn().await;
        let in_turn = move |service: &Self| {
            let _turn = turn;
            run(service)
        };
        self.read(in_turn).await
    }

    /// A turn among what takes long for somebody who asks, one after the other; it lasts until what is
    /// given is dropped.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        self.runs.wait().await
    }
}

/// Gives a semaphore other bounds; places that are taken are kept until they are given back.
fn resize(semaphore: &Arc<Semaphore>, from: usize, to: usize) {
    semaphore.add_permits(to.saturating_sub(from));
    let fewer = from.saturating_sub(to);
    let left = fewer - semaphore.forget_permits(fewer);
    if left > 0 {
        let semaphore = Arc::clone(semaphore);
        tokio::spawn(async move {
            for _ in 0..left {
                if let Ok(place) = semaphore.acquire().await {
                    place.forget();
                }
            }
        });
    }
}

/// Bounds the time of something, with the problem to answer when it is over.
pub(crate) async fn within<T>(
    time: Duration,
    late: Failure,
    work: impl Future<Output = T>,
) -> Result<T, ApiError> {
    tokio::time::timeout(time, work).await.map_err(|_| late.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn fewer_places_are_had_once_those_taken_are_given_back() {
        let semaphore = Arc::new(Semaphore::new(3));
        let taken: Vec<_> =
            (0..2).map(|_| Arc::clone(&semaphore).try_acquire_owned().unwrap()).collect();
        resize(&semaphore, 3, 1);
        assert_eq!(semaphore.available_permits(), 0);
        // The task that forgets what is given back waits for it from here on, before anybody else.
        tokio::task::yield_now().await;
        drop(taken);
        let place = semaphore.acquire().await.unwrap();
        assert_eq!(semaphore.available_permits(), 0);
        drop(place);
        resize(&semaphore, 1, 4);
        assert_eq!(semaphore.available_permits(), 4);
    }
}
