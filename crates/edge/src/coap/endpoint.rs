use std::collections::{BTreeMap, VecDeque};

use althing_types::{blake3_digest, limits::PAYLOAD_BYTES_MAX};

use super::answer::{Answer, busy, not_served, refused};
use super::block::{Answers, Block, Received, Uploads};
use super::message::{Code, Kind, MESSAGE_BYTES_MAX, Message, option};
use super::observe::{ACK_TIMEOUT_MS, Observations, RETRANSMIT_MAX, Sent};
use super::{Content, FORMAT_JSON, FORMATS_TAKEN, Peer};
use crate::direct::{self, NotServed};
use crate::rejection::Rejection;
use crate::topic::{TOPIC_BYTES_MAX, TOPIC_LEVELS_MAX};

/// How long a message id is remembered, so that a repetition gets the same answer and has no second
/// effect, milliseconds (EXCHANGE_LIFETIME).
const EXCHANGE_MS: i64 = 247_000;
/// Most messages remembered; beyond, the oldest are forgotten.
const EXCHANGES_MAX: usize = 4096;
/// After which time a client is told that its answer comes separately, milliseconds.
const PATIENCE_MS: i64 = 1000;
/// Most requests under way.
const TICKETS_MAX: usize = 1024;
/// Most responses that wait to be acknowledged.
const RESPONSES_MAX: usize = 1024;
/// How many times the bytes of a request an unproven address may get back (RFC 9175 §2.4).
const AMPLIFICATION_MAX: usize = 3;
/// How long an echo proves an address, milliseconds.
const ECHO_MS_MAX: i64 = 60_000;
/// Bytes of the time and of the check in an echo.
const ECHO_TIME_BYTES: usize = 8;
const ECHO_CHECK_BYTES: usize = 8;
/// Block size of answers if the client names none: 2^(4 + 6) = 1024 bytes.
const EXPONENT: u8 = 6;
/// Longest direct request with its proofs, bytes: some twenty KiB of JSON where few peers agree.
const DIRECT_BYTES_MAX: usize = 128 * 1024;
/// Options that may be passed over: the path, what is handled, and what changes nothing here.
const UNDERSTOOD: [u16; 7] = [
    option::URI_HOST,
    option::URI_PORT,
    option::URI_PATH,
    option::URI_QUERY,
    option::ACCEPT,
    option::BLOCK1,
    option::BLOCK2,
];
/// A request that waits for an answer from inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What an endpoint needs to know.
#[derive(Debug, Clone)]
pub struct EndpointConfig {
    /// Drawn at the start: makes echoes that nobody can foresee.
    pub secret: [u8; 32],
    /// Longest body taken, bytes; at most [`PAYLOAD_BYTES_MAX`].
    pub body_bytes_max: usize,
}

/// What is to be done, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointOutput {
    /// Send a datagram.
    Send {
        /// To whom.
        peer: Peer,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Publish, if the peer may, and say with [`Endpoint::published`] what came of it.
    Publish {
        /// Names the answer.
        ticket: Ticket,
        /// Who publishes.
        peer: Peer,
        /// The path, which is the topic.
        topic: String,
        /// What it publishes.
        payload: Vec<u8>,
    },
    /// Serve a direct request, and say with [`Endpoint::served`] what came of it. Its signature says
    /// who asks.
    Direct {
        /// Names the answer.
        ticket: Ticket,
        /// The request and its proofs.
        body: Vec<u8>,
    },
    /// Read what a path stands for, if the peer may, and give it to [`Endpoint::read`].
    Read {
        /// Names the answer.
        ticket: Ticket,
        /// Who reads.
        peer: Peer,
        /// The path.
        topic: String,
    },
}

/// A request under way.
#[derive(Debug)]
struct Asked {
    peer: Peer,
    request: Message,
    since_ms: i64,
    /// Whether the client was told to wait for a separate response.
    is_separate: bool,
    /// Bytes of the request, for the bound on answers to unproven addresses.
    bytes: usize,
    topic: String,
}

#[derive(Debug)]
struct Exchange {
    at_ms: i64,
    /// What was answered; none while the request is under way.
    answer: Option<Vec<u8>>,
}

/// A separate response on its way.
#[derive(Debug)]
struct Response {
    bytes: Vec<u8>,
    due_ms: i64,
    tries: u32,
}

/// The server side of CoAP for any number of peers.
#[derive(Debug)]
pub struct Endpoint {
    config: EndpointConfig,
    exchanges: BTreeMap<(Peer, u16), Exchange>,
    /// The same by age.
    ages: VecDeque<(i64, Peer, u16)>,
    asked: BTreeMap<Ticket, Asked>,
    responses: BTreeMap<(Peer, u16), Response>,
    uploads: Uploads,
    answers: Answers,
    observations: Observations,
    next_ticket: u64,
    next_id: u16,
}

impl Endpoint {
    /// An endpoint that nobody has spoken to.
    #[must_use]
    pub fn new(config: EndpointConfig) -> Self {
        // Message ids begin somewhere that follows from the secret.
        let next_id = u16::from_be_bytes([config.secret[0], config.secret[1]]);
        Self {
            config,
            exchanges: BTreeMap::new(),
            ages: VecDeque::new(),
            asked: BTreeMap::new(),
            responses: BTreeMap::new(),
            uploads: Uploads::default(),
            answers: Answers::default(),
            observations: Observations::default(),
            next_ticket: 1,
            next_id,
        }
    }

    /// Takes a datagram.
    #[must_use]
    pub fn datagram(&mut self, now_ms: i64, peer: Peer, bytes: &[u8]) -> Vec<EndpointOutput> {
        let mut out = Vec::new();
        let Ok(message) = Message::decode(bytes) else { return out };
        match (message.kind, message.code) {
            (Kind::Acknowledgement, _) => self.on_acknowledged(now_ms, peer, message.id, &mut out),
            (Kind::Reset, _) => {
                self.responses.remove(&(peer, message.id));
                self.observations.reset(peer, message.id);
            }
            (kind, code) if code.is_request() => {
                self.on_request(now_ms, peer, kind, message, bytes.len(), &mut out);
            }
            // A ping, or a response to nothing we asked (RFC 7252 §4.2, §4.3).
            (Kind::Confirmable, _) => send(&mut out, peer, empty(Kind::Reset, message.id).encode()),
            (Kind::NonConfirmable, _) => {}
        }
        out
    }

    fn on_acknowledged(&mut self, now_ms: i64, peer: Peer, id: u16, out: &mut Vec<EndpointOutput>) {
        self.responses.remove(&(peer, id));
        let next = &mut self.next_id;
        let sent = self.observations.acknowledged(now_ms, peer, id, &mut || step(next));
        send_all(out, sent);
    }

    fn on_request(
        &mut self,
        now_ms: i64,
        peer: Peer,
        kind: Kind,
        request: Message,
        bytes: usize,
        out: &mut Vec<EndpointOutput>,
    ) {
        self.forget(now_ms);
        let key = (peer, request.id);
        if let Some(known) = self.exchanges.get(&key) {
            if let Some(answer) = known.answer.clone().filter(|_| kind == Kind::Confirmable) {
                send(out, peer, answer);
            }
            return;
        }
        self.exchanges.insert(key, Exchange { at_ms: now_ms, answer: None });
        self.ages.push_back((now_ms, peer, request.id));
        let asked = Asked {
            peer,
            since_ms: now_ms,
            is_separate: false,
            bytes,
            topic: topic(&request).unwrap_or_default(),
            request,
        };
        match self.judge(now_ms, &asked) {
            Ok(output) if self.asked.len() < TICKETS_MAX => {
                let ticket = Ticket(self.next_ticket);
                self.next_ticket += 1;
                out.push(match output {
                    Wanted::Publish(payload) => {
                        let topic = asked.topic.clone();
                        EndpointOutput::Publish { ticket, peer, topic, payload }
                    }
                    Wanted::Direct(body) => EndpointOutput::Direct { ticket, body },
                    Wanted::Read => {
                        EndpointOutput::Read { ticket, peer, topic: asked.topic.clone() }
                    }
                });
                self.asked.insert(ticket, asked);
            }
            Ok(_) => self.answer(now_ms, asked, busy(), out),
            Err(answer) => self.answer(now_ms, asked, answer, out),
        }
    }

    /// What a request wants from inside, or the answer to it.
    fn judge(&mut self, now_ms: i64, asked: &Asked) -> Result<Wanted, Answer> {
        let request = &asked.request;
        if asked.topic.is_empty() {
            return Err(Answer::text(Code::BAD_REQUEST, "the path is the topic: 1 to 32 levels"));
        }
        let unknown = |number: u16| number & 1 == 1 && !UNDERSTOOD.contains(&number);
        if request.options.iter().any(|(number, _)| unknown(*number)) {
            return Err(Answer::text(Code::BAD_OPTION, "an option that must be understood is not"));
        }
        match request.code {
            Code::GET => {
                self.must_be_proven(now_ms, asked, request.number(option::OBSERVE) == Some(0))?;
                Ok(Wanted::Read)
            }
            Code::POST if asked.topic == direct::PATH => self.direct(now_ms, asked),
            Code::POST => {
                let max = self.config.body_bytes_max.min(PAYLOAD_BYTES_MAX);
                self.upload(now_ms, asked, &FORMATS_TAKEN, max).map(Wanted::Publish)
            }
            _ => Err(Answer::text(Code::METHOD_NOT_ALLOWED, "GET, or POST of readings")),
        }
    }

    /// A direct request that is here whole, or more of the answer to the last.
    fn direct(&mut self, now_ms: i64, asked: &Asked) -> Result<Wanted, Answer> {
        // It counts once: that the answer could not be sent must not turn out afterwards.
        self.must_be_proven(now_ms, asked, true)?;
        let block = asked.request.option(option::BLOCK2).and_then(Block::decode);
        if block.is_some_and(|block| block.number > 0) && asked.request.payload.is_empty() {
            let last = self.answers.of(now_ms, asked.peer);
            let last = last.ok_or_else(|| Answer::text(Code::INCOMPLETE, "no answer is kept"))?;
            return Err(part(&asked.request, last, Code::CHANGED).0);
        }
        self.upload(now_ms, asked, &[FORMAT_JSON], DIRECT_BYTES_MAX).map(Wanted::Direct)
    }

    /// The whole body of a POST.
    fn upload(
        &mut self,
        now_ms: i64,
        asked: &Asked,
        formats: &[u16],
        max: usize,
    ) -> Result<Vec<u8>, Answer> {
        let request = &asked.request;
        let format = request.option(option::CONTENT_FORMAT).map(|_| {
            let number = request.number(option::CONTENT_FORMAT);
            number.and_then(|number| u16::try_from(number).ok())
        });
        if let Some(format) = format
            && !format.is_some_and(|format| formats.contains(&format))
        {
            let text = "readings as text, JSON, SenML or a signed pack; direct requests as JSON";
            return Err(Answer::text(Code::UNSUPPORTED_FORMAT, text));
        }
        let Some(value) = request.option(option::BLOCK1) else {
            return Ok(request.payload.clone());
        };
        let block = Block::decode(value)
            .ok_or_else(|| Answer::text(Code::BAD_OPTION, "a block of a reserved size"))?;
        // State for somebody who may not be there is what a flood of first blocks is after.
        self.must_be_proven(now_ms, asked, block.more)?;
        let tag = request.option(option::REQUEST_TAG).unwrap_or_default();
        let key = (asked.peer, [asked.topic.as_bytes(), &[0], tag].concat());
        let received = self.uploads.receive(now_ms, key, block, &request.payload, max);
        let echoed = |answer: Answer| answer.with_number(option::BLOCK1, block.encode());
        match received {
            Received::Whole(body) => Ok(body),
            Received::Continue => Err(echoed(Answer::empty(Code::CONTINUE))),
            Received::Incomplete => Err(Answer::text(Code::INCOMPLETE, "send it from block 0 on")),
            Received::TooLarge => {
                let answer = Answer::text(Code::TOO_LARGE, "send less at a time");
                Err(answer.with_number(option::SIZE1, u32::try_from(max).unwrap_or(u32::MAX)))
            }
        }
    }

    /// An address without proof is asked to echo, if what it wants needs proof.
    fn must_be_proven(&self, now_ms: i64, asked: &Asked, is_needed: bool) -> Result<(), Answer> {
        if !is_needed || self.is_proven(now_ms, asked) {
            return Ok(());
        }
        Err(self.challenge(now_ms, asked.peer))
    }

    fn is_proven(&self, now_ms: i64, asked: &Asked) -> bool {
        let Some(echo) = asked.request.option(option::ECHO) else { return asked.peer.is_secure };
        let time = echo.first_chunk::<ECHO_TIME_BYTES>().map(|time| i64::from_be_bytes(*time));
        let is_fresh = |time: &i64| (0..=ECHO_MS_MAX).contains(&now_ms.saturating_sub(*time));
        asked.peer.is_secure
            || time.filter(is_fresh).is_some_and(|time| self.echo(time, asked.peer) == echo)
    }

    fn challenge(&self, now_ms: i64, peer: Peer) -> Answer {
        let answer = Answer::empty(Code::UNAUTHORIZED);
        answer.with(option::ECHO, self.echo(now_ms, peer))
    }

    fn echo(&self, time_ms: i64, peer: Peer) -> Vec<u8> {
        let time = time_ms.to_be_bytes();
        let address = peer.address.to_string();
        let covered = [&self.config.secret[..], &time, address.as_bytes()].concat();
        [&time[..], &blake3_digest(&covered)[..ECHO_CHECK_BYTES]].concat()
    }

    /// What came of a publish: its readings are durable, or refused. `None` if the peer may not.
    #[must_use]
    pub fn published(
        &mut self,
        now_ms: i64,
        ticket: Ticket,
        result: Option<Result<(), Rejection>>,
    ) -> Vec<EndpointOutput> {
        let mut out = Vec::new();
        let Some(asked) = self.asked.remove(&ticket) else { return out };
        let answer = match result {
            None => Answer::text(Code::FORBIDDEN, "this device may not publish here"),
            Some(Ok(())) => Answer::empty(Code::CHANGED),
            Some(Err(rejection)) => refused(&rejection),
        };
        let answer = echoed(&asked.request, answer);
        self.answer(now_ms, asked, answer, &mut out);
        out
    }

    /// What came of a direct request.
    #[must_use]
    pub fn served(
        &mut self,
        now_ms: i64,
        ticket: Ticket,
        result: Result<Content, NotServed>,
    ) -> Vec<EndpointOutput> {
        let mut out = Vec::new();
        let Some(asked) = self.asked.remove(&ticket) else { return out };
        let answer = match result {
            Err(why) => not_served(&why),
            Ok(content) => {
                let (answer, more) = part(&asked.request, &content, Code::CHANGED);
                if more {
                    self.answers.keep(now_ms, asked.peer, content);
                }
                answer
            }
        };
        let answer = echoed(&asked.request, answer);
        self.answer(now_ms, asked, answer, &mut out);
        out
    }

    /// What a path stands for now; `None` if there is nothing, or nothing for this peer.
    #[must_use]
    pub fn read(
        &mut self,
        now_ms: i64,
        ticket: Ticket,
        content: Option<Content>,
    ) -> Vec<EndpointOutput> {
        let mut out = Vec::new();
        let Some(asked) = self.asked.remove(&ticket) else { return out };
        let answer = match content {
            None => Answer::text(Code::NOT_FOUND, "nothing is known here"),
            Some(content) => self.representation(&asked, &content),
        };
        self.answer(now_ms, asked, answer, &mut out);
        out
    }

    fn representation(&mut self, asked: &Asked, content: &Content) -> Answer {
        let request = &asked.request;
        let (answer, _) = part(request, content, Code::CONTENT);
        if answer.code != Code::CONTENT {
            return answer;
        }
        match request.number(option::OBSERVE) {
            Some(0) if self.observations.begin(asked.peer, request.token.clone(), &asked.topic) => {
                answer.with_number(option::OBSERVE, 1)
            }
            Some(1) => {
                self.observations.end(asked.peer, &request.token);
                answer
            }
            _ => answer,
        }
    }

    /// Tells the observers of a topic.
    #[must_use]
    pub fn notify(&mut self, now_ms: i64, topic: &str, content: &Content) -> Vec<EndpointOutput> {
        let mut out = Vec::new();
        let next = &mut self.next_id;
        let sent = self.observations.notify(now_ms, topic, content, &mut || step(next));
        send_all(&mut out, sent);
        out
    }

    /// A peer has gone, or has no right to anything any more.
    pub fn gone(&mut self, peer: Peer) {
        self.observations.end_all(peer);
        self.answers.forget(peer);
        self.responses.retain(|(of, _), _| *of != peer);
    }

    /// Does what is due.
    #[must_use]
    pub fn tick(&mut self, now_ms: i64) -> Vec<EndpointOutput> {
        let mut out = Vec::new();
        for asked in self.asked.values_mut() {
            let is_due = !asked.is_separate && asked.since_ms + PATIENCE_MS <= now_ms;
            if is_due && asked.request.kind == Kind::Confirmable {
                asked.is_separate = true;
                let bytes = empty(Kind::Acknowledgement, asked.request.id).encode();
                if let Some(exchange) = self.exchanges.get_mut(&(asked.peer, asked.request.id)) {
                    exchange.answer = Some(bytes.clone());
                }
                send(&mut out, asked.peer, bytes);
            }
        }
        self.responses.retain(|_, it| it.due_ms > now_ms || it.tries < RETRANSMIT_MAX);
        for ((peer, _), response) in &mut self.responses {
            if response.due_ms <= now_ms {
                response.tries += 1;
                response.due_ms = now_ms + (ACK_TIMEOUT_MS << response.tries);
                send(&mut out, *peer, response.bytes.clone());
            }
        }
        let sent = self.observations.tick(now_ms);
        send_all(&mut out, sent);
        self.forget(now_ms);
        out
    }

    /// When [`Endpoint::tick`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<i64> {
        let waits = |asked: &&Asked| !asked.is_separate && asked.request.kind == Kind::Confirmable;
        let patience = self.asked.values().filter(waits).map(|it| it.since_ms + PATIENCE_MS).min();
        let responses = self.responses.values().map(|it| it.due_ms).min();
        [patience, responses, self.observations.deadline()].into_iter().flatten().min()
    }

    /// How many observe each topic.
    #[must_use]
    pub fn observed(&self) -> BTreeMap<String, usize> {
        self.observations.topics()
    }

    /// Observations there are.
    #[must_use]
    pub fn observers(&self) -> usize {
        self.observations.len()
    }

    fn forget(&mut self, now_ms: i64) {
        let is_over = |at: i64| at + EXCHANGE_MS <= now_ms;
        while let Some((at, peer, id)) = self.ages.front().copied() {
            if !is_over(at) && self.exchanges.len() < EXCHANGES_MAX {
                return;
            }
            self.ages.pop_front();
            // The same id may have come back since.
            if self.exchanges.get(&(peer, id)).is_some_and(|exchange| exchange.at_ms == at) {
                self.exchanges.remove(&(peer, id));
            }
        }
    }

    fn answer(
        &mut self,
        now_ms: i64,
        asked: Asked,
        mut answer: Answer,
        out: &mut Vec<EndpointOutput>,
    ) {
        let (peer, request) = (asked.peer, &asked.request);
        let is_proven = self.is_proven(now_ms, &asked);
        let kind = match (request.kind, asked.is_separate) {
            (Kind::Confirmable, false) => Kind::Acknowledgement,
            (Kind::Confirmable, true) => Kind::Confirmable,
            _ => Kind::NonConfirmable,
        };
        let id = if kind == Kind::Acknowledgement { request.id } else { step(&mut self.next_id) };
        let mut bytes = answer.to_message(kind, id, request.token.clone()).encode();
        if !is_proven && bytes.len() > AMPLIFICATION_MAX * asked.bytes {
            self.observations.end(peer, &request.token);
            answer = if answer.code.0 < 0x80 {
                self.challenge(now_ms, peer)
            } else {
                Answer::empty(answer.code)
            };
            bytes = answer.to_message(kind, id, request.token.clone()).encode();
        }
        debug_assert!(bytes.len() <= MESSAGE_BYTES_MAX, "answers fit a datagram");
        if let Some(exchange) = self.exchanges.get_mut(&(peer, request.id))
            && kind == Kind::Acknowledgement
        {
            exchange.answer = Some(bytes.clone());
        }
        if kind == Kind::Confirmable && self.responses.len() < RESPONSES_MAX {
            let due_ms = now_ms + ACK_TIMEOUT_MS;
            let response = Response { bytes: bytes.clone(), due_ms, tries: 0 };
            self.responses.insert((peer, id), response);
        }
        send(out, peer, bytes);
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, usize, usize) {
        (self.exchanges.len(), self.uploads.bytes(), self.asked.len())
    }
}

/// What a request wants from inside.
enum Wanted {
    Publish(Vec<u8>),
    Direct(Vec<u8>),
    Read,
}

/// The part of a representation that a request is for, and whether more follows.
fn part(request: &Message, content: &Content, code: Code) -> (Answer, bool) {
    let wanted = request.option(option::BLOCK2).map(Block::decode);
    let first = Block { number: 0, more: false, exponent: EXPONENT };
    let Some(block) = wanted.unwrap_or(Some(first)) else {
        return (Answer::text(Code::BAD_OPTION, "a block of a reserved size"), false);
    };
    let Some((part, more)) = block.of(&content.body) else {
        return (Answer::text(Code::BAD_OPTION, "behind the last block"), false);
    };
    let mut answer = Answer::empty(code).with_number(option::CONTENT_FORMAT, content.format.into());
    answer.payload = part.to_vec();
    if more || block.number > 0 {
        // So that a client notices when the value changes between two blocks.
        answer = answer.with(option::ETAG, blake3_digest(&content.body)[..8].to_vec());
    }
    if more || wanted.is_some() {
        answer = answer.with_number(option::BLOCK2, Block { more, ..block }.encode());
    }
    (answer, more)
}

/// The answer to the last block of an upload names that.
fn echoed(request: &Message, answer: Answer) -> Answer {
    match request.number(option::BLOCK1) {
        Some(block) => answer.with_number(option::BLOCK1, block),
        None => answer,
    }
}

/// The topic that a path stands for; none if it is none.
fn topic(request: &Message) -> Option<String> {
    let levels = request.options.iter().filter(|(number, _)| *number == option::URI_PATH);
    let levels: Vec<&str> =
        levels.map(|(_, level)| std::str::from_utf8(level).ok()).collect::<Option<_>>()?;
    let is_level = |level: &&str| !level.is_empty() && !level.contains(['/', '+', '#', '\0']);
    let topic = levels.join("/");
    let fits = (1..=TOPIC_LEVELS_MAX).contains(&levels.len()) && topic.len() <= TOPIC_BYTES_MAX;
    (fits && levels.iter().all(is_level)).then_some(topic)
}

const fn empty(kind: Kind, id: u16) -> Message {
    Message {
        kind,
        code: Code::EMPTY,
        id,
        token: Vec::new(),
        options: Vec::new(),
        payload: Vec::new(),
    }
}

const fn step(id: &mut u16) -> u16 {
    *id = id.wrapping_add(1);
    *id
}

fn send(out: &mut Vec<EndpointOutput>, peer: Peer, bytes: Vec<u8>) {
    out.push(EndpointOutput::Send { peer, bytes });
}

fn send_all(out: &mut Vec<EndpointOutput>, sent: Vec<Sent>) {
    out.extend(sent.into_iter().map(|(peer, bytes)| EndpointOutput::Send { peer, bytes }));
}
