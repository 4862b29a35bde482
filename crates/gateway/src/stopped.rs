//! The queue of a gateway that does not run, for its operator.

use std::collections::BTreeMap;

use althing_edge::journal::{Identity, Job};
use althing_edge::{Machine, Numbered, PersistId, Record, StreamSpec, ThingSpec};
use althing_types::StreamId;

use crate::config::Config;
use crate::gateway::StartError;
use crate::queue::{self, Queue, QueueError};

/// The queue of a gateway that does not run; it does not start as long as this is open.
#[derive(Debug)]
pub struct StoppedQueue {
    queue: Queue,
    things: Vec<ThingSpec>,
    waiting: BTreeMap<StreamId, Vec<Numbered>>,
}

impl StoppedQueue {
    /// Opens the queue of the gateway with this configuration, and reads what waits in it.
    ///
    /// # Errors
    /// [`StartError`], such as when the gateway runs.
    pub fn open(config: &Config) -> Result<Self, StartError> {
        config.check()?;
        let identity = Identity { ledger: config.edge.ledger, gateway: config.edge.gateway };
        let (queue, recovered) = queue::open(&config.queue, identity, 0)?;
        let things = queue::read_things(&config.queue.directory, &identity);
        let machine = Machine::recover(config.edge.clone(), recovered.records)?;
        let mut waiting: BTreeMap<StreamId, Vec<Numbered>> = BTreeMap::new();
        for record in machine.snapshot() {
            let Record::Readings(readings) = record else { continue };
            for numbered in readings {
                waiting.entry(numbered.stream).or_default().push(numbered);
            }
        }
        Ok(Self { queue, things, waiting })
    }

    /// The readings that are not known to be final, by stream.
    #[must_use]
    pub const fn waiting(&self) -> &BTreeMap<StreamId, Vec<Numbered>> {
        &self.waiting
    }

    /// Thing and property of a stream, if its thing was served when the gateway ended.
    #[must_use]
    pub fn of_stream(&self, stream: &StreamId) -> Option<(&ThingSpec, &StreamSpec)> {
        let all =
            self.things.iter().flat_map(|thing| thing.streams.iter().map(move |s| (thing, s)));
        all.into_iter().find(|(_, spec)| spec.id == *stream)
    }

    /// Takes all readings of a stream out of the queue, for good: the caller keeps them. Their
    /// numbers become a gap on the ledger.
    ///
    /// # Errors
    /// [`QueueError`]; then they are still there, or not any more.
    pub fn remove(&mut self, stream: &StreamId) -> Result<(), QueueError> {
        let Some(last) = self.waiting.get(stream).and_then(|readings| readings.last()) else {
            return Ok(());
        };
        let before_seq = last.seq.saturating_add(1);
        let retired = Record::Retired { stream: *stream, before_seq };
        self.queue.work(Job::Append(vec![(PersistId(1), retired)]))?;
        self.waiting.remove(stream);
        Ok(())
    }
}
