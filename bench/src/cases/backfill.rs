//! What a backlog that drains does to readings that have just been taken.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use althing_client::{
    Events,
    model::{Event, Hex, query},
};
use althing_types::StreamId;
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{MissedTickBehavior, interval, sleep},
};

use super::{quantile, round};
use crate::{
    gateway::{Device, Gateway},
    network::{Network, PATIENCE, POLL},
    things::{Bound, bound},
};

const THINGS: usize = 50;
/// Readings of each thing that pile up.
const PILED: usize = 2_000;
/// Publishes of a device that are under way at once while they do.
const UNDER_WAY: usize = 20;
/// Things of which a reading comes now and then, also while the backlog drains, and how often.
const LIVE: usize = 8;
const EVERY: Duration = Duration::from_millis(50);
/// How long they come while nothing else does.
const ALONE: Duration = Duration::from_secs(20);

/// When each reading was published, by stream and number, until it is final; and how long those took.
#[derive(Default)]
struct Book {
    under_way: BTreeMap<(StreamId, u64), Instant>,
    took_ms: Vec<f64>,
    final_count: u64,
}

type Shared = Arc<Mutex<Book>>;

fn with<T>(book: &Shared, call: impl FnOnce(&mut Book) -> T) -> T {
    call(&mut book.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Readings pile up while the gateway is cut off, and drain while others come live: of the same
/// things, through the same gateway, process and peers.
pub(crate) async fn measure(program: &Path) -> Result<Value> {
    let mut network = Network::ready(program).await?;
    let bound = bound(&network, THINGS).await?;
    let book = Shared::default();
    let followed = query::Events { kind: Some("batch_accepted".into()), ..<_>::default() };
    let events = network.clients[0].events(&followed).await?;
    let watching = tokio::spawn(watch(events, Arc::clone(&book)));
    let gateway = Gateway::start(program, &network, &bound).await?;
    let mut next = vec![1; THINGS];
    all_final(&book, THINGS as u64).await?;

    let live = Live::start(&gateway, &bound, &next, &book);
    sleep(ALONE).await;
    live.stop(&mut next).await?;
    all_final(&book, next.iter().sum()).await?;
    let mut alone = with(&book, |book| std::mem::take(&mut book.took_ms));

    gateway.set_way(false);
    let started = Instant::now();
    pile_up(&gateway, &bound).await?;
    let accepted_s = started.elapsed().as_secs_f64();
    next.iter_mut().for_each(|next| *next += PILED as u64);
    gateway.set_way(true);
    // The gateway notices after a pause; what is measured begins with the first batch.
    let before = with(&book, |book| book.final_count);
    until(|| with(&book, |book| book.final_count) > before).await?;
    let (started, live) = (Instant::now(), Live::start(&gateway, &bound, &next, &book));
    let piled = (THINGS * PILED) as u64;
    until(|| with(&book, |book| book.final_count - before) >= piled).await?;
    let drain_s = started.elapsed().as_secs_f64();
    let mut draining = with(&book, |book| std::mem::take(&mut book.took_ms));
    live.stop(&mut next).await?;
    all_final(&book, next.iter().sum()).await?;
    let memory = gateway.memory()?;
    watching.abort();
    drop(gateway);
    network.stop()?;

    alone.sort_by(f64::total_cmp);
    draining.sort_by(f64::total_cmp);
    let (p99_alone, p99) = (quantile(&alone, 0.99), quantile(&draining, 0.99));
    Ok(json!({
        "bench": "backfill",
        "readings": piled,
        "accepted_per_s": round(piled as f64 / accepted_s),
        "drain_s": round(drain_s),
        "alone": alone.len(),
        "alone_p50_ms": round(quantile(&alone, 0.5)),
        "alone_p99_ms": round(p99_alone),
        "draining": draining.len(),
        "draining_p50_ms": round(quantile(&draining, 0.5)),
        "draining_p99_ms": round(p99),
        "p99_moved_percent": round((p99 / p99_alone - 1.0) * 100.0),
        "gateway_rss_mb": round(memory as f64 / 1e6),
    }))
}

/// Notes what is final, as the first peer tells it.
async fn watch(mut events: Events, book: Shared) -> Result<()> {
    while let Some(record) = events.next().await? {
        let Event::BatchAccepted { stream: Hex(stream), first_seq, count, .. } = record.event
        else {
            continue;
        };
        let now = Instant::now();
        with(&book, |book| {
            book.final_count += u64::from(count);
            for seq in first_seq..first_seq + u64::from(count) {
                if let Some(published) = book.under_way.remove(&(stream, seq)) {
                    book.took_ms.push((now - published).as_secs_f64() * 1e3);
                }
            }
        });
    }
    Ok(())
}

async fn all_final(book: &Shared, count: u64) -> Result<()> {
    until(|| with(book, |book| book.final_count) >= count).await
}

async fn until(is_so: impl Fn() -> bool) -> Result<()> {
    let started = Instant::now();
    while !is_so() {
        ensure!(started.elapsed() < PATIENCE * 5, "the gateway does not get on");
        sleep(POLL).await;
    }
    Ok(())
}

async fn pile_up(gateway: &Gateway, bound: &Bound) -> Result<()> {
    let mut devices = JoinSet::new();
    for name in bound.names.clone() {
        let address = gateway.address;
        devices.spawn(async move {
            let mut device = Device::connect(address, &format!("piling-{name}")).await?;
            for _ in 0..PILED / UNDER_WAY {
                device.publish(&name, &["21.5"; UNDER_WAY]).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(device) = devices.join_next().await {
        device??;
    }
    Ok(())
}

/// Devices that publish one reading after the other.
struct Live {
    is_over: Arc<AtomicBool>,
    devices: Vec<JoinHandle<Result<u64>>>,
}

impl Live {
    fn start(gateway: &Gateway, bound: &Bound, next: &[u64], book: &Shared) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let devices = (0..LIVE).map(|index| {
            let (name, stream) = (bound.names[index].clone(), bound.streams[index]);
            let (address, first, book) = (gateway.address, next[index], Arc::clone(book));
            let is_over = Arc::clone(&is_over);
            tokio::spawn(async move {
                let mut device = Device::connect(address, &format!("live-{name}")).await?;
                let mut pace = interval(EVERY);
                pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
                let mut seq = first;
                while !is_over.load(Ordering::Relaxed) {
                    pace.tick().await;
                    with(&book, |book| book.under_way.insert((stream, seq), Instant::now()));
                    device.publish(&name, &["22"]).await?;
                    seq += 1;
                }
                Ok(seq)
            })
        });
        let devices = devices.collect();
        Self { is_over, devices }
    }

    /// Ends them; `next` counts what each published.
    async fn stop(self, next: &mut [u64]) -> Result<()> {
        self.is_over.store(true, Ordering::Relaxed);
        for (device, next) in self.devices.into_iter().zip(next) {
            *next = device.await?.context("a live device")?;
        }
        Ok(())
    }
}
