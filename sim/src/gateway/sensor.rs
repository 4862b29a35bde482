use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use althing_types::StreamId;
use commonware_runtime::{Clock as _, deterministic::Context};
use rand_chacha::{ChaCha20Rng, rand_core::RngCore as _};

use super::Site;
use crate::{Book, founding::PROPERTIES};

/// What the sensors of one thing are at. They outlive the gateway they publish to; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sensors(Arc<State>);

#[derive(Debug, Default)]
struct State {
    last: AtomicI64,
    silent: AtomicBool,
}

/// A publish, and the readings that it carries.
pub(super) struct Publish {
    pub(super) topic: String,
    pub(super) payload: String,
    pub(super) readings: Vec<(StreamId, i64)>,
}

impl Sensors {
    /// From now on nothing is published.
    pub(crate) fn fall_silent(&self) {
        self.0.silent.store(true, Ordering::Relaxed);
    }

    /// Publishes a few times and waits, for as long as the gateway is up. No value comes twice, and
    /// each is higher than the last, so that the ledger shows by itself whether something was
    /// doubled, lost or exchanged.
    pub(super) async fn run(
        &self,
        context: Context,
        site: Arc<Site>,
        mut dice: ChaCha20Rng,
        publish: impl Fn(Publish),
    ) {
        loop {
            let pause = Duration::from_millis(20 + dice.next_u64() % 200);
            context.sleep(site.tempo.stretch(pause, 5000)).await;
            if self.0.silent.load(Ordering::Relaxed) {
                return;
            }
            for _ in 0..1 + dice.next_u64() % 4 {
                let value = self.0.last.fetch_add(1, Ordering::Relaxed) + 1;
                let next = make(&site, value, &mut dice);
                note(&site.book, &next);
                publish(next);
            }
        }
    }
}

fn note(book: &Book, publish: &Publish) {
    for (stream, value) in &publish.readings {
        book.published(*stream, *value);
    }
}

/// One property in plain text or JSON, or both in a pack.
fn make(site: &Site, value: i64, dice: &mut ChaCha20Rng) -> Publish {
    let account = site.founding.gateway(site.index);
    let (name, decimal) = (&account.name, format!("{}.{:02}", value / 100, value % 100));
    let drawn = dice.next_u64();
    let property = (drawn / 4) as usize % PROPERTIES.len();
    let single = vec![(account.streams[property], value)];
    let topic = format!("althing/{name}/{}", PROPERTIES[property]);
    match drawn % 4 {
        0 => {
            let records =
                PROPERTIES.map(|property| format!(r#"{{"n":"{property}","v":{decimal}}}"#));
            let readings = account.streams.iter().map(|stream| (*stream, value)).collect();
            let payload = format!("[{}]", records.join(","));
            Publish { topic: format!("althing/{name}"), payload, readings }
        }
        1 => Publish { topic, payload: format!(r#"{{"value":{decimal}}}"#), readings: single },
        _ => Publish { topic, payload: decimal, readings: single },
    }
}
