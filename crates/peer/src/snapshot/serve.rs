//! Hands the state over to newcomers, from what this peer has executed.
//!
//! A state is pinned when somebody asks, which costs a walk over the upper part of the trie; nothing is
//! done for it while blocks are executed. Few are pinned at a time, and what answers are made from is
//! bounded, however many newcomers there are.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, SystemTime},
};

use althing_ordering::{Outbox, To};
use althing_proof::{
    certificate::{DESCENDANTS_MAX, Finalized},
    key,
    record::ThingRecord,
    stream::{LeafPath, StreamHead},
};
use althing_state::{PIECES, Pinned, Row, Space, Window};
use althing_types::{Digest, StreamId, ThingId, TxId};
use bytes::Bytes;
use commonware_runtime::{Clock, Metrics, Spawner};
use commonware_utils::channel::mpsc;

use super::{
    Request,
    landing::{Descriptions, ENTRIES_MAX, Latest, Pair, Pieces, Streams, Text},
    offer::{Offer, write_pieces},
    rate::Rates,
    tail::{Blocks, GROUP_MAX, Sent},
};
use crate::{
    config::Planted,
    core::Core,
    query::Query,
    verify::blocking,
    wire::{Fetch, Item, PART_BYTES_MAX, Part},
};

/// Most states pinned at a time.
const PINS_MAX: usize = 2;
/// A state that nobody asked for in so long makes room for another.
const PIN_IDLE: Duration = Duration::from_secs(10);
/// A state that nobody asked for in so long is let go, since what it keeps takes disk.
const PIN_FORGOTTEN: Duration = Duration::from_secs(300);
/// Most bytes of rows that are sorted into pieces at a time.
const WINDOW_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Bytes after which an item ends, if it can.
const ITEM_BYTES: usize = PART_BYTES_MAX;
/// How far behind the newest state one is looked for whose result its own epoch states: more than the
/// height of a block may be above that whose result it states.
const STATED_LOOKS_MAX: u64 = 64;
/// Items kept for those who fetch them in parts.
const ITEMS_KEPT: usize = 4;

/// A state that is handed out.
#[derive(Debug)]
struct Pin {
    pinned: Arc<Pinned>,
    /// What shows its root; none if it was pinned for somebody who has that from another peer.
    offer: Option<Bytes>,
    made: SystemTime,
    asked: SystemTime,
}

/// What is handed out, and answers that were made.
pub(super) struct Server {
    core: Arc<Core>,
    query: Query,
    pins: Vec<Pin>,
    window: Option<(u64, Arc<Window>)>,
    items: VecDeque<(Item, Bytes)>,
}

/// Answers requests, one after the other.
pub(crate) async fn run<E: Clock + Metrics + Spawner>(
    context: E,
    core: Arc<Core>,
    query: Query,
    mut requests: mpsc::Receiver<Request>,
    outbox: Outbox,
) {
    let mut server = Server::new(core, query);
    let mut rates = Rates::default();
    while let Some((peer, item, offset)) = requests.recv().await {
        let now = context.current();
        if !rates.allow(peer, now) {
            continue;
        }
        server.pins.retain(|pin| since(pin.asked, now) < PIN_FORGOTTEN);
        // Who follows on a state of others has nothing to hand out yet.
        if server.core.ahead().is_some() {
            continue;
        }
        let Some((item, bytes)) = server.item(&context, item).await else { continue };
        let Some(part) = part(item, &bytes, offset) else { continue };
        let _ = outbox.send(To::One(peer), Fetch::Part(part).encode());
    }
}

fn since(then: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(then).unwrap_or(Duration::ZERO)
}

fn part(item: Item, bytes: &Bytes, offset: u32) -> Option<Part> {
    let total = u32::try_from(bytes.len()).ok()?;
    let start = usize::try_from(offset).ok().filter(|start| *start <= bytes.len())?;
    let end = bytes.len().min(start + PART_BYTES_MAX);
    Some(Part { item, offset, total, bytes: bytes.slice(start..end) })
}

impl Server {
    pub(super) const fn new(core: Arc<Core>, query: Query) -> Self {
        Self { core, query, pins: Vec::new(), window: None, items: VecDeque::new() }
    }

    /// What was asked for; nothing if it is not here, or there is no room for it now.
    pub(super) async fn item<E: Clock + Metrics + Spawner>(
        &mut self,
        context: &E,
        item: Item,
    ) -> Option<(Item, Bytes)> {
        let now = context.current();
        if let Some((_, bytes)) = self.items.iter().find(|(kept, _)| *kept == item) {
            let bytes = bytes.clone();
            if let Some(pin) = height_of(&item).and_then(|height| self.pin_at(height)) {
                pin.asked = now;
            }
            return Some((item, bytes));
        }
        let (item, bytes) = match item {
            Item::Offer(0) => self.newest(now).await?,
            Item::Offer(height) => (item, self.pin_at(height)?.offer.clone()?),
            Item::Blocks(from) => (item, blocks(&self.query, from).await.into()),
            Item::Pieces(height, from) => {
                let pinned = self.pinned(height, now)?;
                (item, self.pieces(context, pinned, from.into()).await?)
            }
            Item::Streams(height, from) => {
                let (pinned, query) = (self.pinned(height, now)?, self.query.clone());
                let page = blocking(context, move || streams(&query, &pinned, from)).await??;
                (item, with_transactions(&self.query, page).await?.into())
            }
            Item::Descriptions(height, from) => {
                let (pinned, core) = (self.pinned(height, now)?, Arc::clone(&self.core));
                let texts = blocking(context, move || descriptions(&core, &pinned, from)).await??;
                (item, texts.into())
            }
        };
        // Blocks are asked for by one newcomer at a time and change as the ledger grows.
        if !matches!(item, Item::Blocks(_)) || bytes.len() > PART_BYTES_MAX {
            if self.items.len() == ITEMS_KEPT {
                self.items.pop_front();
            }
            self.items.push_back((item, bytes.clone()));
        }
        Some((item, bytes))
    }

    fn pin_at(&mut self, height: u64) -> Option<&mut Pin> {
        self.pins.iter_mut().find(|pin| pin.pinned.height() == height)
    }

    /// The state at a height: pinned already, or now if it is still kept. Peers that are asked for the
    /// same state soon after one another can so all hand it out.
    fn pinned(&mut self, height: u64, now: SystemTime) -> Option<Arc<Pinned>> {
        if let Some(pin) = self.pin_at(height) {
            pin.asked = now;
            return Some(Arc::clone(&pin.pinned));
        }
        self.make_room(now)?;
        let pinned = Arc::new(self.core.chain.state().pin(height)?);
        let pin = Pin { pinned: Arc::clone(&pinned), offer: None, made: now, asked: now };
        self.pins.push(pin);
        Some(pinned)
    }

    fn make_room(&mut self, now: SystemTime) -> Option<()> {
        if self.pins.len() < PINS_MAX {
            return Some(());
        }
        let idle = self.pins.iter().position(|pin| since(pin.asked, now) >= PIN_IDLE)?;
        let gone = self.pins.remove(idle).pinned.height();
        self.items.retain(|(item, _)| height_of(item) != Some(gone));
        self.window = self.window.take().filter(|(height, _)| *height != gone);
        Some(())
    }

    /// The newest state that is handed out, or a newer one if that is old.
    async fn newest(&mut self, now: SystemTime) -> Option<(Item, Bytes)> {
        let interval = self.core.config.sync.interval;
        let young = self.pins.iter_mut().filter(|pin| since(pin.made, now) < interval);
        let young = young.filter(|pin| pin.offer.is_some()).max_by_key(|pin| pin.made);
        if let Some(pin) = young {
            pin.asked = now;
            return Some((Item::Offer(pin.pinned.height()), pin.offer.clone()?));
        }
        let newest = self.query.newest_stated().await?;
        let mut found = None;
        for height in (newest.saturating_sub(STATED_LOOKS_MAX)..=newest).rev() {
            if let Some(block) = stating(&self.query, height).await {
                found = Some((height, block));
                break;
            }
        }
        let (height, block) = found?;
        let links = self.query.links(block.header.epoch).await.ok()?;
        let pinned = self.pinned(height, now)?;
        let offer = Offer { links, block, pieces: write_pieces(pinned.pieces()) };
        let offer = Bytes::from(offer.encode());
        let pin = self.pin_at(height)?;
        (pin.offer, pin.made) = (Some(offer.clone()), now);
        Some((Item::Offer(height), offer))
    }

    async fn pieces<E: Clock + Metrics + Spawner>(
        &mut self,
        context: &E,
        pinned: Arc<Pinned>,
        from: usize,
    ) -> Option<Bytes> {
        if from >= PIECES {
            return None;
        }
        let height = pinned.height();
        let window = match &self.window {
            Some((of, window)) if *of == height && holds(window, from) => Arc::clone(window),
            _ => {
                self.window = None;
                let window =
                    blocking(context, move || pinned.window(from, WINDOW_BYTES_MAX)).await?.ok()?;
                let window = Arc::new(window);
                self.window = Some((height, Arc::clone(&window)));
                window
            }
        };
        let lies = self.core.config.has(Planted::FalseState);
        Some(gather(&window, from, lies).into())
    }
}

fn height_of(item: &Item) -> Option<u64> {
    match item {
        Item::Offer(height)
        | Item::Pieces(height, _)
        | Item::Streams(height, _)
        | Item::Descriptions(height, _) => Some(*height),
        Item::Blocks(_) => None,
    }
}

fn holds(window: &Window, piece: usize) -> bool {
    (window.first..window.first + window.pieces.len()).contains(&piece)
}

/// Pieces of a window from one on, so many that the item does not get long.
pub(super) fn gather(window: &Window, from: usize, lies: bool) -> Vec<u8> {
    let (mut pieces, mut bytes) = (Vec::new(), 0);
    for rows in window.pieces.iter().skip(from - window.first) {
        let len: usize = rows.iter().map(|(key, value)| key.len() + value.len() + 8).sum();
        if bytes + len > ITEM_BYTES && !pieces.is_empty() {
            break;
        }
        bytes += len;
        let pair =
            |(key, value): &(Vec<u8>, Vec<u8>)| Pair { key: key.clone(), value: value.clone() };
        pieces.push(rows.iter().map(pair).collect::<Vec<_>>());
    }
    if let Some(last) = pieces.iter_mut().flatten().last().filter(|_| lies) {
        last.value.push(0);
    }
    minicbor::to_vec(Pieces { pieces }).unwrap_or_default()
}

/// A block with those behind it, up to one that has a certificate and does not come before the first
/// that states its result; nothing if its epoch ends before, since nobody signs for two epochs.
async fn stating(query: &Query, height: u64) -> Option<Finalized> {
    let header = query.block_head(height).ok()?.header;
    let (mut descendants, mut stated) = (Vec::new(), false);
    for above in (height + 1..).take(DESCENDANTS_MAX) {
        let next = query.block_head(above).ok()?.header;
        if next.epoch != header.epoch {
            return None;
        }
        stated |= next.result.height == height;
        descendants.push(next);
        if stated && let Some(certificate) = query.certificate(above).await {
            return Some(Finalized { header, certificate, descendants });
        }
    }
    None
}

/// Blocks from a height on, up to one with a certificate; nothing if there is none yet.
async fn blocks(query: &Query, from: u64) -> Vec<u8> {
    let (mut blocks, mut bytes, mut whole) = (Vec::new(), 0, 0);
    for height in (from..).take(GROUP_MAX) {
        let Ok((block, certificate)) = query.block(height).await else { break };
        bytes += block.wire().len();
        let ends_epoch = block.header().next_validators.is_some();
        let certified = certificate.is_some();
        blocks.push(Sent { wire: block.wire().to_vec(), certificate });
        if certified {
            whole = blocks.len();
            if bytes > ITEM_BYTES || ends_epoch {
                break;
            }
        }
        if bytes > Item::BYTES_MAX / 2 {
            break;
        }
    }
    blocks.truncate(whole);
    minicbor::to_vec(Blocks { blocks }).unwrap_or_default()
}

/// The latest batches of the streams from an id on, with where to go on; without transactions.
fn streams(query: &Query, pinned: &Pinned, from: [u8; 32]) -> Option<Streams> {
    let key = |id: &[u8; 32]| key::stream(&StreamId(*id));
    let (rows, next) = page(pinned, key, from, STREAMS_READ)?;
    let next = next.map(StreamId);
    let mut page = Streams { next, streams: Vec::new(), transactions: Vec::new() };
    for (key, value) in &rows {
        let stream = StreamId(*key.last_chunk()?);
        let head: StreamHead = minicbor::decode(value).ok()?;
        let Some(last) = head.peaks.leaves().checked_sub(1) else { continue };
        let node = |level, index| query.node_if_there(&stream, level, index).ok().flatten();
        let path = LeafPath::collect(&head.peaks, last, node)?;
        let leaf = query.leaf(&stream, last).ok()?.leaf;
        page.streams.push(Latest { stream, leaf, path });
    }
    Some(page)
}

/// Rows whose keys are a prefix with an id, from one on, and the id of the first that is left out.
fn page(
    pinned: &Pinned,
    key: impl Fn(&[u8; 32]) -> Vec<u8>,
    from: [u8; 32],
    limit: usize,
) -> Option<(Vec<Row>, Option<[u8; 32]>)> {
    let first = key(&from);
    let mut rows = pinned.rows(&first[..first.len() - 32], &first, limit + 1).ok()?;
    let next = rows.get(limit).and_then(|(key, _)| key.last_chunk().copied());
    rows.truncate(limit);
    Some((rows, next))
}

/// Streams read for one item.
const STREAMS_READ: usize = 512;
const _: () = assert!(STREAMS_READ <= ENTRIES_MAX && THINGS_READ <= ENTRIES_MAX);
/// Things read for one item; a description has 64 KiB at most.
const THINGS_READ: usize = 128;

/// Adds the transactions that the batches came with.
async fn with_transactions(query: &Query, mut page: Streams) -> Option<Vec<u8>> {
    let mut wires: BTreeMap<TxId, Vec<u8>> = BTreeMap::new();
    let mut bytes = 0;
    let mut cut = None;
    for (at, Latest { leaf, .. }) in page.streams.iter().enumerate() {
        if wires.contains_key(&leaf.transaction) {
            continue;
        }
        let (_, wire) = query.wire_of(&leaf.transaction).await.ok()??;
        if bytes + wire.len() > Item::BYTES_MAX / 4 && at > 0 {
            cut = Some(at);
            break;
        }
        bytes += wire.len();
        wires.insert(leaf.transaction, wire);
    }
    if let Some(at) = cut {
        page.next = page.streams.get(at).map(|first| first.stream);
        page.streams.truncate(at);
    }
    page.transactions = wires.into_values().map(Text).collect();
    Some(minicbor::to_vec(page).unwrap_or_default())
}

fn descriptions(core: &Core, pinned: &Pinned, from: [u8; 32]) -> Option<Vec<u8>> {
    let (rows, next) = page(pinned, |id| key::thing(&ThingId(*id)), from, THINGS_READ)?;
    let mut page = Descriptions { next: next.map(Digest), texts: Vec::new() };
    for (_, value) in &rows {
        let thing: ThingRecord = minicbor::decode(value).ok()?;
        let store = core.chain.state().store();
        let text = store.get(Space::Descriptions, &thing.description_digest.0).ok()??;
        page.texts.push(Text(text));
    }
    Some(minicbor::to_vec(page).unwrap_or_default())
}
