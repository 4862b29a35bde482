//! A ledger of one validator, made without a network, and those who take its state over.

use althing_state::{Batch, Direction, Fault, MemoryStore, Read as _, Row, Space};
use althing_types::{Action, Digest, Header, StreamId, Transaction, TxId, ValidatorSet, Wire as _};
use bytes::Bytes;
use commonware_runtime::{Runner as _, deterministic};

use super::{
    landing::{Descriptions, Landing, Refused, Streams},
    offer::{Checked, Offer},
    serve::Server,
    tail::{Blocks, Group},
    *,
};
use crate::{
    Peer,
    origin::{Origin, THINGS, batch, description, payload},
    query::{
        Complaint, ContractFilter, EventPlace, QueryError, Question, ReadingFilter, ThingFilter,
    },
};

impl Origin {
    fn server(&self) -> Server {
        let query = Peer { core: Arc::clone(&self.core) }.query();
        Server::new(Arc::clone(&self.core), query)
    }
}

fn with(work: impl AsyncFnOnce(deterministic::Context)) {
    deterministic::Runner::default().start(|context| async move { work(context).await });
}

async fn offered(
    origin: &Origin,
    context: &deterministic::Context,
    server: &mut Server,
) -> Checked {
    let (item, bytes) = server.item(context, Item::Offer(0)).await.unwrap();
    let offer = Offer::check(&origin.genesis, &bytes).unwrap();
    assert_eq!(item, Item::Offer(offer.header.height));
    offer
}

/// Takes the state over; gives all that was asked for with the answers.
async fn transfer(
    origin: &Origin,
    context: &deterministic::Context,
    store: Arc<dyn Store>,
) -> Result<(Landing, Vec<(Item, Bytes)>), Refused> {
    let mut server = origin.server();
    let mut landing = Landing::new(offered(origin, context, &mut server).await, store);
    let mut items = Vec::new();
    while let Some(item) = landing.next() {
        let (_, bytes) = server.item(context, item).await.unwrap();
        landing.take(&bytes)?;
        items.push((item, bytes));
    }
    Ok((landing, items))
}

fn rows_of(store: &dyn Store, space: Space) -> Vec<Row> {
    store.scan(space, b"", None, Direction::Forward, 100_000).unwrap()
}

#[test]
fn a_state_that_was_taken_over_has_what_the_present_needs() {
    with(async |context| {
        let mut origin = Origin::grown();
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let (landing, items) = transfer(&origin, &context, Arc::clone(&store)).await.unwrap();
        let height = landing.height();
        let streams = items.iter().filter(|(item, _)| matches!(item, Item::Streams(..))).count();
        assert!(items.len() > streams + 1 && streams >= 1, "{items:?}");
        let (state, payloads) = landing.finish(&origin.genesis).unwrap();
        let original = origin.core.chain.state();
        assert_eq!(Some(state.root()), original.root_at(height));
        let pinned = original.pin(height).unwrap();
        assert_eq!(rows_of(&*store, Space::State), pinned.rows(b"", b"", 100_000).unwrap());
        assert_eq!(payloads.len(), THINGS / 2);
        // Lists of what there is now.
        let own = rows_of(&**original.store(), Space::Index);
        let derived = |(key, _): &Row| althing_ledger::index::is_derived(key) || key[0] == b'v';
        let own: Vec<Row> = own.into_iter().filter(derived).collect();
        assert!(own.len() > 4 * THINGS);
        assert_eq!(rows_of(&*store, Space::Index), own);
        let descriptions = rows_of(&**original.store(), Space::Descriptions);
        assert_eq!(rows_of(&*store, Space::Descriptions), descriptions);
        // All nodes and leaves are those that the original has.
        let nodes = rows_of(&*store, Space::Nodes);
        assert!(nodes.len() >= THINGS);
        for (key, value) in nodes {
            let original = original.store().get(Space::Nodes, &key).unwrap();
            assert_eq!(original, Some(value), "{}", hex::encode(key));
        }
        // It follows.
        let chain = Chain::of(state, &origin.core.chain).unwrap();
        let validators = |epoch| Some(ValidatorSet { epoch, ..chain.validators_since(epoch)? });
        let round = Action::SubmitBatch(batch(&origin, 4, 5));
        origin.block(vec![vec![round]]);
        origin.block(Vec::new());
        let (_, bytes) = origin.server().item(&context, Item::Blocks(height + 1)).await.unwrap();
        let parent = chain.done(height).unwrap().header;
        let group = Group::check(&origin.genesis, validators, &parent, &bytes).unwrap();
        for (block, _) in &group.0 {
            let all: Vec<Transaction> = block
                .transactions()
                .iter()
                .map(|wire| Transaction::decode(wire.clone()).unwrap())
                .collect();
            chain.apply(block, &all.iter().collect::<Vec<_>>(), Batch::default(), false).unwrap();
        }
        assert_eq!(chain.height(), origin.core.chain.height());
        assert_eq!(chain.state_root(), origin.core.chain.state_root());
    });
}

/// Of the present it answers everything that it does not refuse; nothing is shown in part.
#[test]
fn a_newcomer_says_what_it_does_not_know_yet() {
    with(async |context| {
        let (mut origin, own) = (Origin::grown(), Origin::new());
        let (landing, _) = transfer(&origin, &context, empty()).await.unwrap();
        let (state, _) = landing.finish(&origin.genesis).unwrap();
        let base = state.height();
        own.core.go_ahead(Ahead::new(Chain::of(state, &own.core.chain).unwrap(), base));
        // Something new, with a payload that is here.
        origin.block(vec![vec![Action::SubmitBatch(batch(&origin, 6, 2))]]);
        (0..3).for_each(|_| origin.block(Vec::new()));
        let ahead = own.core.ahead().unwrap();
        let (_, bytes) = origin.server().item(&context, Item::Blocks(base + 1)).await.unwrap();
        for (block, certificate) in Group::for_chain(&own.core, &ahead.chain, &bytes).unwrap().0 {
            tail::execute(&own.core, ahead, block, certificate.as_ref()).unwrap();
        }
        let query = Peer { core: Arc::clone(&own.core) }.query();
        assert_eq!(query.height(), origin.core.chain.height());
        // Payloads of the latest batches are fetched by their digests.
        let latest = query.latest(&origin.stream(8), 1).unwrap();
        assert_eq!((latest.readings.len(), latest.unavailable), (0, vec![3, 2]));
        for (number, round) in [(8, 3), (6, 2)] {
            let bytes = Bytes::from(payload(number, round).to_wire());
            let digest = althing_types::blake3_digest(&bytes);
            assert!(!own.core.payloads.want(digest), "it is wanted already");
            own.core.payloads.keep(vec![(digest, bytes)]).unwrap();
            let stream = origin.stream(number);
            let latest = query.latest(&stream, 1).unwrap();
            let seq = 3 * round as u64 + 2;
            assert_eq!(latest.readings.iter().map(|one| one.seq).collect::<Vec<_>>(), [seq]);
            let more = query.latest(&stream, 100).unwrap();
            assert!(more.readings.len() == 3 && !more.unavailable.is_empty(), "{more:?}");
            let question = Question::Reading { stream, seq };
            let bundle = query.prepare(question).await.unwrap().bundle().unwrap();
            let proven = althing_proof::verify(&bundle, &origin.genesis);
            assert!(proven.is_ok(), "{proven:?}");
        }
        // What there is now is listed, and what is not complete is refused.
        let things = query.things(&ThingFilter::default(), None, 200).unwrap();
        assert_eq!(things.items.len(), THINGS);
        let text = query.description(&origin.thing(9), None).unwrap().1;
        assert_eq!(text, description(9));
        let owner = origin.genesis.organisations[0].inception.id();
        let early = ReadingFilter { seq: (0, 2), ..ReadingFilter::ALL };
        let start = EventPlace { height: 0, position: 0, event: 0 };
        for (what, refused) in [
            ("old readings", query.readings(&origin.stream(8), &early, 9).err()),
            ("history", query.history(&owner, None, 9).err()),
            ("contracts", query.contracts(&ContractFilter::default(), None, None, 9).err()),
            ("events", query.events(start).err()),
            ("receipts", query.receipts(base - 2).err()),
            ("block", query.block(base - 2).await.err()),
            ("transaction", query.transaction(&TxId([7; 32])).await.err()),
            ("old description", query.description(&origin.thing(9), Some(7)).err()),
        ] {
            let expected = matches!(refused, Some(QueryError::HistoryNotHere { from, have: 0 }) if from == base);
            assert!(expected, "{what}: {refused:?}");
        }
        let complaints = query.complaints(&query.standing(), 0);
        assert!(complaints.contains(&Complaint::Backfilling { from: base, have: 0 }));
        // When the own chain has caught up, it answers.
        ahead.end();
        assert_eq!(query.height(), 0);
        assert!(query.history(&owner, None, 9).is_ok());
    });
}

/// Whatever byte of an answer is changed, it is refused, and the right one is still taken after it.
#[test]
fn every_flipped_byte_is_refused() {
    with(async |context| {
        let origin = Origin::grown();
        let mut server = origin.server();
        let (_, bytes) = server.item(&context, Item::Offer(0)).await.unwrap();
        let taken = flips(&bytes, bytes.len() / 3_000 + 1, |flipped| {
            Offer::check(&origin.genesis, flipped).is_ok()
        });
        assert!(taken.is_empty(), "offer: bytes {taken:?}");
        let mut landing = Landing::new(offered(&origin, &context, &mut server).await, empty());
        while let Some(item) = landing.next() {
            let (_, bytes) = server.item(&context, item).await.unwrap();
            let step = bytes.len() / 3_000 + 1;
            let taken = flips(&bytes, step, |flipped| {
                let taken = landing.take(flipped);
                assert!(taken.is_ok() || matches!(taken, Err(Refused::Lie(_))), "{taken:?}");
                taken.is_ok()
            });
            assert!(taken.is_empty(), "{item:?}: bytes {taken:?}");
            assert_eq!(landing.next(), Some(item));
            landing.take(&bytes).unwrap();
        }
        let (state, _) = landing.finish(&origin.genesis).unwrap();
        let parent = origin.core.chain.done(state.height()).unwrap().header;
        let from = Item::Blocks(state.height() + 1);
        let (_, bytes) = server.item(&context, from).await.unwrap();
        let validators = |epoch| Some(ValidatorSet { epoch, ..origin.genesis.validators() });
        let taken = flips(&bytes, 1, |flipped| {
            Group::check(&origin.genesis, validators, &parent, flipped).is_ok()
        });
        assert!(taken.is_empty(), "blocks: bytes {taken:?}");
    });
}

/// Positions, each so many behind the one before, at which a changed byte is taken.
fn flips(bytes: &[u8], step: usize, mut takes: impl FnMut(&[u8]) -> bool) -> Vec<usize> {
    let mut taken = Vec::new();
    for position in (0..bytes.len()).step_by(step) {
        let mut flipped = bytes.to_vec();
        flipped[position] ^= 1;
        if takes(&flipped) {
            taken.push(position);
        }
    }
    taken
}

fn empty() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

/// What is true and not what was asked for is refused as well.
#[test]
fn what_is_left_out_added_or_swapped_is_refused() {
    with(async |context| {
        let origin = Origin::grown();
        let (_, items) = transfer(&origin, &context, empty()).await.unwrap();
        let mut server = origin.server();
        let mut landing = Landing::new(offered(&origin, &context, &mut server).await, empty());
        for (item, bytes) in items {
            let mut others: Vec<(&str, Vec<u8>)> = vec![("nothing", Vec::new())];
            match item {
                Item::Streams(..) => {
                    let good: Streams = minicbor::decode(&bytes).unwrap();
                    let mut changed = |what, change: &dyn Fn(&mut Streams)| {
                        let mut page = good.clone();
                        change(&mut page);
                        others.push((what, minicbor::to_vec(page).unwrap()));
                    };
                    changed("one left out", &|page| drop(page.streams.remove(3)));
                    changed("one twice", &|page| page.streams.insert(3, page.streams[3].clone()));
                    changed("two swapped", &|page| page.streams.swap(3, 4));
                    changed("another's batch", &|page| {
                        page.streams[3].leaf = page.streams[4].leaf.clone();
                    });
                    changed("an earlier batch", &|page| page.streams[3].path.index ^= 1);
                    changed("no transaction", &|page| page.transactions.clear());
                    changed("no end", &|page| page.next = Some(StreamId([0; 32])));
                    changed("an early end", &|page| page.next = Some(page.streams[9].stream));
                    changed("all left out", &|page| page.streams.clear());
                }
                Item::Descriptions(..) => {
                    let good: Descriptions = minicbor::decode(&bytes).unwrap();
                    let mut changed = |what, change: &dyn Fn(&mut Descriptions)| {
                        let mut page = good.clone();
                        change(&mut page);
                        others.push((what, minicbor::to_vec(page).unwrap()));
                    };
                    changed("one left out", &|page| drop(page.texts.remove(3)));
                    changed("two swapped", &|page| page.texts.swap(3, 4));
                    changed("one added", &|page| page.texts.push(page.texts[0].clone()));
                }
                _ => others.push(("no pieces", vec![0x81, 0x80])),
            }
            for (what, bytes) in others {
                let taken = landing.take(&bytes);
                assert!(matches!(taken, Err(Refused::Lie(_))), "{item:?}, {what}: {taken:?}");
            }
            landing.take(&bytes).unwrap();
        }
        // Blocks: not those that follow, or without the certificate at their end.
        let chain = &origin.core.chain;
        let header = |height| chain.done(height).unwrap().header;
        let (_, bytes) = server.item(&context, Item::Blocks(5)).await.unwrap();
        let good: Blocks = minicbor::decode(&bytes).unwrap();
        let validators = |epoch| Some(ValidatorSet { epoch, ..origin.genesis.validators() });
        let check = |parent: &Header, blocks: &Blocks| {
            let bytes = minicbor::to_vec(blocks).unwrap();
            Group::check(&origin.genesis, validators, parent, &bytes).is_ok()
        };
        assert!(check(&header(4), &good) && !check(&header(5), &good));
        let mut bare = good.clone();
        bare.blocks.last_mut().unwrap().certificate = None;
        assert!(!check(&header(4), &bare));
        let mut gap = good;
        gap.blocks.remove(1);
        assert!(!check(&header(4), &gap));
    });
}

/// At whichever flush the power goes, there is a whole state or none, and it can be taken over anew.
#[test]
fn a_crash_at_any_flush_leaves_a_whole_state_or_none() {
    with(async |context| {
        let origin = Origin::grown();
        let root = origin.core.chain.state_root();
        let (mut whole, mut none) = (0, 0);
        for commit in 1.. {
            for (fault, lost) in [(Fault::Fail, 0), (Fault::AfterWrite, 0), (Fault::AfterWrite, 1)]
            {
                let store = Arc::new(MemoryStore::new());
                store.fail_at(commit, fault);
                let as_dyn = || Arc::clone(&store) as Arc<dyn Store>;
                let landed = transfer(&origin, &context, as_dyn()).await;
                let failed = match landed {
                    Ok((landing, _)) => landing.finish(&origin.genesis).is_err(),
                    Err(_) => true,
                };
                store.crash(lost);
                match Chain::taken_over(as_dyn(), &origin.core.chain).unwrap() {
                    Some((chain, base)) => {
                        whole += 1;
                        assert_eq!((base, chain.height()), (chain.height(), base));
                        assert_eq!(
                            Some(chain.state_root()),
                            origin.core.chain.state().root_at(base)
                        );
                    }
                    None => none += 1,
                }
                if !failed {
                    assert!(whole >= 2 && none > 6, "{whole} {none}");
                    assert_ne!(root, Digest::default());
                    return;
                }
            }
        }
    });
}

#[test]
fn what_is_not_there_is_not_handed_out_and_little_is_pinned() {
    with(async |context| {
        let mut origin = Origin::grown();
        let mut server = origin.server();
        let height = offered(&origin, &context, &mut server).await.header.height;
        for item in [
            Item::Offer(height + 1),
            Item::Pieces(height, 4096),
            Item::Pieces(height + 500, 0),
            Item::Streams(u64::MAX, [0; 32]),
        ] {
            assert!(server.item(&context, item).await.is_none(), "{item:?}");
        }
        // Another state is pinned for whoever asks for it, a third is not as long as both are wanted.
        assert!(server.item(&context, Item::Pieces(height - 1, 0)).await.is_some());
        assert!(server.item(&context, Item::Pieces(height - 2, 0)).await.is_none());
        // However many blocks come, the state stays as it was.
        let before = server.item(&context, Item::Pieces(height, 0)).await.unwrap();
        (0..100).for_each(|_| origin.block(Vec::new()));
        assert!(origin.core.chain.view().get(b"none").unwrap().is_none());
        let mut landing = Landing::new(offered(&origin, &context, &mut server).await, empty());
        assert_eq!(landing.height(), height);
        landing.take(&before.1).unwrap();
    });
}
