//! Peers tell each other where they listen, each in its own signed word, and hand on what they heard.
//!
//! So a newcomer needs to know of one other only, and a peer that moves needs no vote. It decides nothing:
//! who may take part is the ledger's to say, a peer is its key wherever it is found, and of somebody who
//! is not among the validators no word is followed ([`Track::seek`](crate::wiring::Track::seek)). What was heard
//! of validators is kept on disk, and checked again when it is read.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    time::{Duration, SystemTime},
};

use althing_types::{
    LedgerId, PeerAddress, PeerAddresses, SignedAddress, SigningKey, Suite, Wire as _,
    limits::{PEER_ADDRESSES_MAX, VALIDATORS_MAX},
};
use bytes::Bytes;
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_runtime::{Clock, IoBufs, Metrics, Storage};
use futures::future::{Either, select};

use crate::{
    certificate::{peer_key, public_key},
    config::{Address, Config},
    kept::Kept,
    launch::Parts,
    seam::PeerKey,
    status::unix_ms,
};

/// How often this peer looks who came.
const LOOK: Duration = Duration::from_secs(1);
/// After how many looks a peer says again where it is: a message may have been lost.
const LOOKS_REPEAT: u64 = 60;
/// After how many looks everything is told to one peer more, each in its turn: what was handed on may have
/// been lost, or come too soon after an earlier word to count.
const LOOKS_SHARE: u64 = 10;
/// How long a peer must stay at an address for the next one to be heard.
const STAY_MIN: Duration = Duration::from_secs(2);
/// Peers whose addresses are remembered: those that validate, or have, or will.
const KNOWN_MAX: usize = 2 * VALIDATORS_MAX;

/// What this peer heard, and what it says of itself.
struct Book {
    ledger: LedgerId,
    me: PeerKey,
    key: Option<SigningKey>,
    own: Option<SignedAddress>,
    heard: BTreeMap<PeerKey, (SignedAddress, Address, SystemTime)>,
    /// Of whom it is kept on disk: those who validated when it was heard.
    lasting: BTreeSet<PeerKey>,
    /// Whether that is to be written anew.
    is_changed: bool,
}

/// What came of a message.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    /// To be handed on.
    news: Vec<SignedAddress>,
    /// Whether this peer must say anew where it is: others know a later word of it.
    is_outdated: bool,
}

impl Book {
    fn new(config: &Config, me: PeerKey, now_ms: u64) -> Self {
        let key = SigningKey::from_secret(Suite::Ed25519, *config.seed);
        let ledger = config.ledger;
        let mut book = Self::empty(ledger, me, key);
        if let Some(address) = &config.own_address {
            book.say(address.to_string(), now_ms);
        }
        book
    }

    fn empty(ledger: LedgerId, me: PeerKey, key: Option<SigningKey>) -> Self {
        let (heard, lasting) = (BTreeMap::new(), BTreeSet::new());
        Self { ledger, me, key, own: None, heard, lasting, is_changed: false }
    }

    /// Takes what an earlier run kept, as if others told it now, who may tell something newer at once.
    fn remember(&mut self, messages: &[Vec<u8>], seats: &BTreeSet<PeerKey>) {
        for message in messages {
            self.hear(message, SystemTime::UNIX_EPOCH, seats);
        }
        // Who validates follows from blocks that this peer may have yet to look at.
        self.lasting = self.heard.keys().copied().collect();
        self.is_changed = false;
    }

    /// What is to be kept, if that has changed.
    fn unkept(&mut self) -> Option<Vec<Bytes>> {
        let changed = std::mem::take(&mut self.is_changed);
        let lasting = self.heard.iter().filter(|(key, _)| self.lasting.contains(*key));
        changed.then(|| messages(&Vec::from_iter(lasting.map(|(_, (signed, ..))| signed.clone()))))
    }

    fn say(&mut self, address: String, number: u64) {
        let told = PeerAddress { ledger: self.ledger, key: self.me, number, address };
        self.own = self.key.as_ref().map(|key| told.sign(key));
    }

    /// Takes what a peer told. `seats` are the validators' keys.
    fn hear(&mut self, message: &[u8], now: SystemTime, seats: &BTreeSet<PeerKey>) -> Heard {
        let mut heard = Heard::default();
        let Ok(PeerAddresses(told)) = PeerAddresses::from_wire(message) else { return heard };
        let ledger = self.ledger;
        for one in told.into_iter().filter(|one| one.told.ledger == ledger) {
            if one.told.key == self.me {
                heard.is_outdated |= self.outdo(&one);
            } else if self.take(&one, now, seats) && seats.contains(&one.told.key) {
                // Keys cost nothing: who made up many would have every peer tell all others of each. Who
                // gets a seat says again where it is.
                self.lasting.insert(one.told.key);
                self.is_changed = true;
                heard.news.push(one);
            }
        }
        heard
    }

    /// After a restart with a clock that was set back, others know a later word than this peer's.
    fn outdo(&mut self, known: &SignedAddress) -> bool {
        let Some(own) = self.own.as_ref().map(|own| own.told.clone()) else { return false };
        if *known == self.own.clone().unwrap_or_else(|| known.clone())
            || known.told.number < own.number
            || !known.holds()
        {
            return false;
        }
        self.say(own.address, known.told.number.saturating_add(1));
        true
    }

    fn take(&mut self, one: &SignedAddress, now: SystemTime, seats: &BTreeSet<PeerKey>) -> bool {
        let key = one.told.key;
        if let Some((known, _, since)) = self.heard.get(&key) {
            let stayed = now.duration_since(*since).unwrap_or_default() >= STAY_MIN;
            if known.told.number >= one.told.number || !stayed {
                return false;
            }
        } else if self.heard.len() >= KNOWN_MAX && !self.make_room(seats) {
            return false;
        }
        let Ok(address) = one.told.address.parse::<Address>() else { return false };
        let is_true = one.holds();
        if is_true {
            self.heard.insert(key, (one.clone(), address, now));
        }
        is_true
    }

    /// Forgets somebody who does not validate.
    fn make_room(&mut self, seats: &BTreeSet<PeerKey>) -> bool {
        let other = self.heard.keys().find(|key| !seats.contains(*key)).copied();
        other.is_some_and(|key| {
            self.lasting.remove(&key);
            self.heard.remove(&key).is_some()
        })
    }

    /// Everything this peer can tell, in messages.
    fn all(&self) -> Vec<Bytes> {
        let heard = self.heard.values().map(|(signed, ..)| signed);
        let all: Vec<SignedAddress> = self.own.iter().chain(heard).cloned().collect();
        messages(&all)
    }

    fn addresses(&self) -> BTreeMap<PeerKey, Address> {
        self.heard.iter().map(|(key, (_, address, _))| (*key, address.clone())).collect()
    }
}

fn messages(told: &[SignedAddress]) -> Vec<Bytes> {
    let chunks = told.chunks(PEER_ADDRESSES_MAX);
    chunks.map(|chunk| PeerAddresses(chunk.to_vec()).to_wire().into()).collect()
}

impl Parts {
    /// Tells, listens and seeks until the connections end.
    pub(crate) async fn exchange_addresses<E, S, R>(self, context: E, channel: (S, R))
    where
        E: Clock + Metrics + Storage,
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
    {
        let (mut sender, mut receiver) = channel;
        let me = peer_key(&self.me);
        let mut book = Book::new(&self.config, me, unix_ms(context.current()));
        let partition = format!("{}-addresses", self.config.partition);
        let mut kept = Kept::open(context.child("kept"), partition).await;
        book.remember(&kept.messages(), &self.epochs.seats());
        let mut greeted: BTreeSet<PeerKey> = BTreeSet::new();
        let mut looks = 0_u64;
        let mut look_at = context.current();
        loop {
            let next = {
                let look = pin!(context.sleep_until(look_at));
                match select(pin!(receiver.recv()), look).await {
                    Either::Left((Ok(message), _)) => Some(message),
                    Either::Left((Err(_), _)) => return,
                    Either::Right(_) => None,
                }
            };
            let connected = self.presence.connected();
            match next {
                Some((from, message)) => {
                    let message = Bytes::from(message);
                    let heard = book.hear(&message, context.current(), &self.epochs.seats());
                    let from = peer_key(&from);
                    let others: Vec<PeerKey> =
                        connected.iter().filter(|key| **key != from).copied().collect();
                    post(&mut sender, &others, messages(&heard.news));
                    if heard.is_outdated {
                        let own: Vec<SignedAddress> = book.own.iter().cloned().collect();
                        post(&mut sender, &connected, messages(&own));
                    }
                    if !heard.news.is_empty() {
                        self.track.seek(looks, &book.addresses(), &connected);
                    }
                }
                None => {
                    let came: Vec<PeerKey> =
                        connected.iter().filter(|key| !greeted.contains(*key)).copied().collect();
                    let next = whose_turn(looks, &connected);
                    let told: BTreeSet<PeerKey> = came.into_iter().chain(next).collect();
                    if !told.is_empty() {
                        post(&mut sender, &Vec::from_iter(told), book.all());
                    }
                    greeted = connected.iter().copied().collect();
                    if looks.is_multiple_of(LOOKS_REPEAT) {
                        let own: Vec<SignedAddress> = book.own.iter().cloned().collect();
                        post(&mut sender, &connected, messages(&own));
                    }
                    self.track.seek(looks, &book.addresses(), &connected);
                    if let Some(messages) = book.unkept() {
                        kept.keep(messages).await;
                    }
                    looks += 1;
                    look_at = context.current() + LOOK;
                }
            }
        }
    }
}

/// To whom everything is told at this look, if to anybody.
fn whose_turn(looks: u64, connected: &[PeerKey]) -> Option<PeerKey> {
    if !looks.is_multiple_of(LOOKS_SHARE) {
        return None;
    }
    let turn = usize::try_from(looks / LOOKS_SHARE).unwrap_or_default();
    connected.get(turn.checked_rem(connected.len())?).copied()
}

fn post<S>(sender: &mut S, to: &[PeerKey], messages: Vec<Bytes>)
where
    S: Sender<PublicKey = PublicKey>,
{
    let to: Vec<PublicKey> = to.iter().filter_map(|key| public_key(key).ok()).collect();
    if to.is_empty() {
        return;
    }
    for message in messages {
        // Who misses one is told again when it next connects, or within a minute by its author.
        let _ = sender.send(Recipients::Some(to.clone()), IoBufs::from(message), false);
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use commonware_runtime::{Runner as _, Supervisor as _, deterministic};

    use super::*;

    const LEDGER: LedgerId = LedgerId([7; 32]);

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_secret(Suite::Ed25519, [seed; 32]).unwrap()
    }

    fn public(seed: u8) -> PeerKey {
        key(seed).public_key().bytes.try_into().unwrap()
    }

    fn told(seed: u8, number: u64, address: &str) -> SignedAddress {
        let address = address.to_owned();
        PeerAddress { ledger: LEDGER, key: public(seed), number, address }.sign(&key(seed))
    }

    fn book(own: Option<&str>) -> Book {
        let (me, key) = (public(1), Some(key(1)));
        let mut book = Book::empty(LEDGER, me, key);
        if let Some(own) = own {
            book.say(own.to_owned(), 100);
        }
        book
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn message(told: &[SignedAddress]) -> Vec<u8> {
        PeerAddresses(told.to_vec()).to_wire()
    }

    #[test]
    fn the_latest_word_of_a_peer_counts_and_nobody_elses_about_it() {
        let mut book = book(None);
        let seats = BTreeSet::from([public(2), public(3)]);
        let mut hear = |seconds, one: SignedAddress| {
            let heard = book.hear(&message(std::slice::from_ref(&one)), at(seconds), &seats);
            assert!(heard.news.iter().all(|news| *news == one) && !heard.is_outdated);
            (!heard.news.is_empty(), book.addresses().get(&public(2)).map(Address::to_string))
        };
        let first = Some("10.0.0.2:1".to_owned());
        assert_eq!(hear(0, told(2, 5, "10.0.0.2:1")), (true, first.clone()));
        assert_eq!(hear(9, told(2, 5, "10.0.0.2:2")), (false, first.clone()), "the same number");
        assert_eq!(hear(9, told(2, 4, "10.0.0.2:2")), (false, first.clone()), "an earlier word");
        assert_eq!(hear(1, told(2, 6, "10.0.0.2:2")), (false, first.clone()), "too soon");
        assert_eq!(hear(9, told(2, 6, "0.0.0.0:2")), (false, first.clone()), "nobody's");
        let mut forged = told(3, 6, "10.0.0.9:9");
        forged.told.key = public(2);
        assert_eq!(hear(9, forged), (false, first.clone()), "another's signature");
        let mut elsewhere = told(2, 6, "10.0.0.2:2");
        elsewhere.told.ledger = LedgerId([8; 32]);
        assert_eq!(hear(9, elsewhere), (false, first), "of another ledger");
        let moved = Some("peer.example.org:7".to_owned());
        assert_eq!(hear(9, told(2, 6, "peer.example.org:7")), (true, moved));
        assert_eq!(book.hear(b"\x80\x01", at(10), &seats), Heard::default());
    }

    /// A peer that moves twice within a moment, or whose word is lost on the way, would stay unknown where
    /// nobody is connected to it.
    #[test]
    fn everything_is_told_again_to_each_in_its_turn() {
        let connected = [public(2), public(3), public(4)];
        let turns: Vec<PeerKey> =
            (0..6 * LOOKS_SHARE).filter_map(|looks| whose_turn(looks, &connected)).collect();
        assert_eq!(turns, [connected, connected].concat());
        assert_eq!(whose_turn(0, &[]), None);

        let (mut book, seats) = (book(None), BTreeSet::from([public(2)]));
        let mut hear = |seconds, one: &SignedAddress| {
            book.hear(&message(std::slice::from_ref(one)), at(seconds), &seats);
            book.addresses().get(&public(2)).map(Address::to_string)
        };
        let moved = told(2, 6, "10.0.0.2:2");
        assert_eq!(hear(0, &told(2, 5, "10.0.0.2:1")).unwrap(), "10.0.0.2:1");
        assert_eq!(hear(1, &moved).unwrap(), "10.0.0.2:1", "too soon");
        assert_eq!(hear(11, &moved).unwrap(), "10.0.0.2:2");
    }

    /// Once a peer that came back knew the addresses of its configuration only.
    #[test]
    fn what_was_heard_of_validators_survives_a_restart_and_is_checked_again() {
        let seats = BTreeSet::from([public(2), public(3)]);
        let mut first = book(None);
        assert_eq!(first.unkept(), None, "nothing was heard");
        let words = [told(2, 5, "10.0.0.2:1"), told(3, 5, "10.0.0.3:1"), told(4, 5, "10.0.0.4:1")];
        first.hear(&message(&words), at(0), &seats);
        let kept = first.unkept().unwrap();
        assert_eq!(first.unkept(), None, "it is written once");
        let partition = || "it-addresses".to_owned();
        let messages = deterministic::Runner::default().start(|context| async move {
            let mut disk = Kept::open(context.child("first"), partition()).await;
            assert!(disk.messages().is_empty());
            disk.keep(kept).await;
            drop(disk);
            Kept::open(context.child("second"), partition()).await.messages()
        });
        let mut again = book(None);
        // It does not know yet that the third validates.
        again.remember(&messages, &BTreeSet::from([public(2)]));
        let found: Vec<PeerKey> = again.addresses().into_keys().collect();
        assert_eq!(found, Vec::from_iter(seats.clone()), "and not of whom nobody follows");
        assert_eq!(again.unkept(), None);
        // The very next word counts, and is kept with what was there.
        again.hear(&message(&[told(2, 6, "10.0.0.2:2")]), at(9), &seats);
        assert_eq!(again.addresses()[&public(2)].to_string(), "10.0.0.2:2");
        let kept = again.unkept().unwrap();
        assert_eq!(PeerAddresses::from_wire(&kept[0]).unwrap().0.len(), 2);

        let mut damaged = messages.clone();
        let last = damaged[0].len() - 1;
        damaged[0][last] ^= 1;
        let mut other = book(None);
        other.remember(&damaged, &seats);
        assert_eq!(other.addresses().len(), 1, "nobody signed the other");
    }

    #[test]
    fn a_peer_whose_clock_was_set_back_outdoes_its_own_earlier_word() {
        let mut own = book(Some("10.0.0.1:1"));
        let seats = BTreeSet::new();
        let said = own.own.clone().unwrap();
        assert_eq!(own.hear(&message(&[said]), at(1), &seats), Heard::default(), "its own");
        let earlier = told(1, 900, "10.0.0.1:9");
        assert!(own.hear(&message(&[earlier]), at(1), &seats).is_outdated);
        let own = own.own.unwrap();
        assert!(own.holds());
        assert_eq!((own.told.number, own.told.address.as_str()), (901, "10.0.0.1:1"));
    }

    #[test]
    fn many_who_do_not_validate_take_no_room_from_those_who_do() {
        let mut book = book(None);
        let seats = BTreeSet::from([public(2)]);
        assert_eq!(book.hear(&message(&[told(2, 1, "h:1")]), at(0), &seats).news.len(), 1);
        for number in 0..KNOWN_MAX as u64 + 40 {
            let secret = althing_types::blake3_digest(&number.to_be_bytes());
            let key = SigningKey::from_secret(Suite::Ed25519, secret).unwrap();
            let public = key.public_key().bytes.try_into().unwrap();
            let address = "h:1".to_owned();
            let one = PeerAddress { ledger: LEDGER, key: public, number: 1, address }.sign(&key);
            let heard = book.hear(&message(&[one]), at(0), &seats);
            assert_eq!(heard.news, [], "nor are others told of them");
        }
        assert_eq!(book.heard.len(), KNOWN_MAX);
        assert!(book.heard.contains_key(&public(2)));
        let messages = book.all();
        assert_eq!(messages.len(), KNOWN_MAX.div_ceil(PEER_ADDRESSES_MAX));
    }
}
