//! Observations (RFC 7641): who is told of which topic, one confirmable message at a time.

use std::collections::{BTreeMap, VecDeque};

use super::{Code, Content, Kind, Message, Peer, option};

/// Most observations; a further one is answered as a plain request.
const OBSERVATIONS_MAX: usize = 4096;
/// Most observations of one peer.
const OBSERVATIONS_OF_PEER_MAX: usize = 64;
/// Most messages that wait for one observer; one that is slower loses its observation, and asks
/// again.
const WAITING_MAX: usize = 16;
/// First time-out of a confirmable message, milliseconds (ACK_TIMEOUT with the middle of its random
/// factor), and how often it doubles (MAX_RETRANSMIT).
pub(super) const ACK_TIMEOUT_MS: i64 = 2500;
pub(super) const RETRANSMIT_MAX: u32 = 4;

type Key = (Peer, Vec<u8>);

#[derive(Debug)]
struct Observation {
    topic: String,
    sequence: u32,
    waiting: VecDeque<Content>,
    under_way: Option<UnderWay>,
}

#[derive(Debug)]
struct UnderWay {
    id: u16,
    bytes: Vec<u8>,
    due_ms: i64,
    tries: u32,
}

/// All observations.
#[derive(Debug, Default)]
pub(super) struct Observations(BTreeMap<Key, Observation>);

/// A message to a peer.
pub(super) type Sent = (Peer, Vec<u8>);

impl Observations {
    /// Begins an observation, or begins it anew; false if there are as many as may be.
    pub(super) fn begin(&mut self, peer: Peer, token: Vec<u8>, topic: &str) -> bool {
        let own = self.0.keys().filter(|(of, _)| *of == peer).count();
        let is_new = !self.0.contains_key(&(peer, token.clone()));
        if is_new && (own >= OBSERVATIONS_OF_PEER_MAX || self.0.len() >= OBSERVATIONS_MAX) {
            return false;
        }
        let topic = topic.to_owned();
        let observation =
            Observation { topic, sequence: 1, waiting: VecDeque::new(), under_way: None };
        self.0.insert((peer, token), observation);
        true
    }

    /// Ends an observation.
    pub(super) fn end(&mut self, peer: Peer, token: &[u8]) {
        self.0.remove(&(peer, token.to_vec()));
    }

    /// Ends all observations of a peer.
    pub(super) fn end_all(&mut self, peer: Peer) {
        self.0.retain(|(of, _), _| *of != peer);
    }

    /// How many observe each topic.
    pub(super) fn topics(&self) -> BTreeMap<String, usize> {
        let mut topics = BTreeMap::new();
        for observation in self.0.values() {
            *topics.entry(observation.topic.clone()).or_default() += 1;
        }
        topics
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells the observers of a topic. Those who are too slow are observers no more.
    pub(super) fn notify(
        &mut self,
        now_ms: i64,
        topic: &str,
        content: &Content,
        next_id: &mut impl FnMut() -> u16,
    ) -> Vec<Sent> {
        let concerned = |observation: &Observation| observation.topic == topic;
        self.0.retain(|_, observation| {
            !concerned(observation) || observation.waiting.len() < WAITING_MAX
        });
        let mut sent = Vec::new();
        for ((peer, token), observation) in &mut self.0 {
            if concerned(observation) {
                observation.waiting.push_back(content.clone());
                sent.extend(observation.advance(now_ms, *peer, token, next_id));
            }
        }
        sent
    }

    /// A message was acknowledged: the observer's next one goes out. True if it was one of these.
    pub(super) fn acknowledged(
        &mut self,
        now_ms: i64,
        peer: Peer,
        id: u16,
        next_id: &mut impl FnMut() -> u16,
    ) -> Vec<Sent> {
        let mut sent = Vec::new();
        for ((of, token), observation) in &mut self.0 {
            let is_it = |under_way: &mut UnderWay| *of == peer && under_way.id == id;
            if observation.under_way.take_if(is_it).is_some() {
                sent.extend(observation.advance(now_ms, *of, token, next_id));
            }
        }
        sent
    }

    /// A peer does not know the message: it observes no more.
    pub(super) fn reset(&mut self, peer: Peer, id: u16) {
        let is_it = |observation: &Observation| {
            observation.under_way.as_ref().is_some_and(|under_way| under_way.id == id)
        };
        self.0.retain(|(of, _), observation| *of != peer || !is_it(observation));
    }

    /// Sends again what was not acknowledged in time; who does not answer observes no more.
    pub(super) fn tick(&mut self, now_ms: i64) -> Vec<Sent> {
        let is_lost =
            |under_way: &UnderWay| under_way.due_ms <= now_ms && under_way.tries >= RETRANSMIT_MAX;
        self.0.retain(|_, observation| !observation.under_way.as_ref().is_some_and(is_lost));
        let mut sent = Vec::new();
        for ((peer, _), observation) in &mut self.0 {
            if let Some(under_way) = observation.under_way.as_mut().filter(|it| it.due_ms <= now_ms)
            {
                under_way.tries += 1;
                under_way.due_ms = now_ms + (ACK_TIMEOUT_MS << under_way.tries);
                sent.push((*peer, under_way.bytes.clone()));
            }
        }
        sent
    }

    /// When [`Observations::tick`] is due.
    pub(super) fn deadline(&self) -> Option<i64> {
        self.0.values().filter_map(|it| it.under_way.as_ref()).map(|it| it.due_ms).min()
    }
}

impl Observation {
    /// Sends the next message if none is under way.
    fn advance(
        &mut self,
        now_ms: i64,
        peer: Peer,
        token: &[u8],
        next_id: &mut impl FnMut() -> u16,
    ) -> Option<Sent> {
        if self.under_way.is_some() {
            return None;
        }
        let Content { format, body } = self.waiting.pop_front()?;
        self.sequence = (self.sequence + 1) & 0x00ff_ffff;
        let message = Message {
            kind: Kind::Confirmable,
            code: Code::CONTENT,
            id: next_id(),
            token: token.to_vec(),
            options: Vec::new(),
            payload: body,
        };
        let message = message
            .with_number(option::OBSERVE, self.sequence)
            .with_number(option::CONTENT_FORMAT, format.into());
        let bytes = message.encode();
        let due_ms = now_ms + ACK_TIMEOUT_MS;
        self.under_way = Some(UnderWay { id: message.id, bytes: bytes.clone(), due_ms, tries: 0 });
        Some((peer, bytes))
    }
}
