//! Direct requests: a grantee reaches a device behind this gateway at once, and the ledger hears of it
//! afterwards.
//!
//! ```text
//!  caller ── request, proofs ──> [ desk ] ── use, on disk ──> device ── answer ──> caller
//!                                                  └── recorded on the ledger when a peer is there
//! ```
//!
//! Who may is settled by [`althing_edge::direct`] from proofs that the caller brings; no peer is asked. A
//! use is on disk before the device hears of it, and again with what came of it before the caller does.
//! [`Direct::due`] gives what is to be recorded, in the order in which it was taken.

mod journal;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use althing_client::Turns;
use althing_client::model::{DirectAnswer, DirectAsked, DirectGateway, Hex};
use althing_edge::broker::{Message, Qos};
use althing_edge::courier::{read_answer, request, request_topic};
use althing_edge::direct::{Desk, NotServed, Session, prove};
use althing_edge::{DiskKey, StreamSpec, ThingSpec};
use althing_types::limits::DIRECT_USES_MAX;
use althing_types::{
    CommandState, Digest, DirectRequest, DirectUse, EntityId, Genesis, GrantId, Operation,
    Signature, SignedRequest, SigningKey, ThingId, TxId, Value, decimal, hash,
};
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use crate::door::Door;
use crate::driver::wall_ms;
use journal::{Entry, Journal};

/// Requests whose proofs are checked at a time: each takes a core.
const CHECKS_MAX: usize = 2;

/// Says why a thing cannot be asked for something, if it cannot: what needs its description.
pub type Objection = Arc<dyn Fn(&ThingId, &Operation) -> Option<String> + Send + Sync>;

/// What a gateway needs to serve direct requests.
#[derive(Clone)]
pub struct DirectConfig {
    /// The ledger whose proofs count.
    pub genesis: Genesis,
    /// Signs what came of a request.
    pub key: SigningKey,
    /// How old proofs may be: for so long a revocation may go unnoticed by a gateway that hears nothing.
    pub age_max: Duration,
    /// How long a device may take to answer.
    pub answer_timeout: Duration,
    /// Most uses that wait to be recorded; beyond, requests are refused.
    pub waiting_max: usize,
    /// What else a request must fit.
    pub objection: Objection,
}

impl std::fmt::Debug for DirectConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DirectConfig").field("age_max", &self.age_max).finish_non_exhaustive()
    }
}

/// What a caller is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The use, as it will be recorded.
    pub used: DirectUse,
    /// What the device or the gateway said.
    pub result: Vec<u8>,
    /// Of [`DirectUse::signed_bytes`], by the gateway.
    pub signature: Signature,
}

/// Serves direct requests.
#[derive(Debug)]
pub struct Direct {
    config: DirectConfig,
    gateway: EntityId,
    door: Door,
    journal: Journal,
    settled: Mutex<Settled>,
    /// Devices that were asked and have not answered, by the id that they were told.
    asked: Mutex<BTreeMap<TxId, Asked>>,
    checks: Turns,
    due: Notify,
}

#[derive(Debug)]
struct Settled {
    desk: Desk,
    /// In the order in which they were taken, with whether what came of it is known.
    uses: VecDeque<(Entry, bool)>,
    /// Of each grant the last that was recorded, kept so that none is served twice.
    over: BTreeMap<GrantId, Entry>,
    next: u64,
}

#[derive(Debug)]
struct Asked {
    thing: String,
    reply: oneshot::Sender<(CommandState, Vec<u8>)>,
}

/// What a device is to be told.
struct Errand {
    name: String,
    schema: Option<StreamSpec>,
}

impl Direct {
    /// Opens the folder of what is to be recorded, and takes up what an earlier run left there.
    pub(crate) fn open(
        config: DirectConfig,
        gateway: EntityId,
        (folder, key): (PathBuf, DiskKey),
        door: Door,
    ) -> std::io::Result<Self> {
        let (journal, found) = Journal::open(folder, key)?;
        let age_ms = u64::try_from(config.age_max.as_millis()).unwrap_or(u64::MAX);
        let mut desk = Desk::new(config.genesis.ledger(), gateway, age_ms);
        let next = found.last().map_or(0, |entry| entry.number) + 1;
        for entry in &found {
            let used = &entry.used;
            desk.remember(now_ms(), &used.request.request, used.grant, entry.is_recorded);
        }
        let (over, open): (Vec<Entry>, Vec<Entry>) =
            found.into_iter().partition(|entry| entry.is_recorded);
        let over = over.into_iter().map(|entry| Entry { recorded_ms: now_ms(), ..entry });
        let uses = open.into_iter().map(|entry| (entry, true)).collect();
        let settled = Mutex::new(Settled { desk, uses, over: BTreeMap::new(), next });
        let (asked, checks, due) = (Mutex::default(), Turns::new(CHECKS_MAX), Notify::new());
        due.notify_one();
        let direct = Self { config, gateway, door, journal, settled, asked, checks, due };
        over.for_each(|entry| direct.put_over(&mut direct.lock(), entry));
        Ok(direct)
    }

    fn lock(&self) -> MutexGuard<'_, Settled> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self) -> MutexGuard<'_, BTreeMap<TxId, Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ledger it is on, and who it is: what requests are made out to.
    #[must_use]
    pub fn identity(&self) -> (althing_types::LedgerId, EntityId) {
        (self.config.genesis.ledger(), self.gateway)
    }

    /// The same in the form that HTTP and CoAP share.
    pub(crate) fn identity_json(&self) -> String {
        let (ledger, gateway) = self.identity();
        let form = DirectGateway { ledger: Hex(ledger), gateway: Hex(gateway) };
        json(serde_json::to_string(&form))
    }

    /// What is served from now on.
    pub(crate) fn serve(&self, things: Vec<ThingSpec>) {
        self.lock().desk.serve(things);
    }

    /// Something about an entity, or about what it owns, changed in the block at this height: older
    /// proofs about it count no more.
    pub fn heard(&self, entity: EntityId, height: u64) {
        self.lock().desk.heard(entity, height);
    }

    /// The same about everybody: of what changed meanwhile nothing was heard.
    pub fn heard_of_all(&self, height: u64) {
        self.lock().desk.heard_of_all(height);
    }

    /// The things that are served.
    #[must_use]
    pub fn things(&self) -> BTreeSet<ThingId> {
        self.lock().desk.things().collect()
    }

    /// Serves a request with its proofs in the form that HTTP and CoAP share, and answers in that.
    pub(crate) async fn serve_json(self: &Arc<Self>, body: &[u8]) -> Result<String, NotServed> {
        let asked = serde_json::from_slice::<DirectAsked>(body).ok();
        let asked = asked.and_then(|asked| asked.read());
        let (signed, proofs) = asked.ok_or(NotServed::Malformed)?;
        let Served { used, result, signature } = self.serve_request(signed, proofs).await?;
        Ok(json(serde_json::to_string(&DirectAnswer::new(&used, &result, &signature))))
    }

    /// Serves a request, if it may be. Proofs are those of the keys that the caller must show
    /// (`althing_proof::grant::direct_keys`), or none where they were shown a moment ago.
    ///
    /// # Errors
    /// [`NotServed`] saying why not.
    pub async fn serve_request(
        self: &Arc<Self>,
        signed: SignedRequest,
        proofs: Vec<Vec<u8>>,
    ) -> Result<Served, NotServed> {
        // Here, not in the task below: a caller that breaks off is to wait for no place among the checks.
        let request = &signed.request;
        let owner = self.lock().desk.look(now_ms(), request)?;
        let session = if proofs.is_empty() {
            self.lock().desk.session(now_ms(), request)?
        } else {
            self.proven(owner, &signed, proofs).await?
        };
        if let Some(objection) = (self.config.objection)(&request.thing, &request.operation) {
            return Err(NotServed::BadInput(objection));
        }
        let own = self.clone();
        // A caller that breaks off from here on does not leave half a use behind.
        let task = tokio::spawn(async move { own.serve_whole(signed, session).await });
        task.await.unwrap_or(Err(NotServed::Busy))
    }

    async fn serve_whole(
        &self,
        signed: SignedRequest,
        session: Session,
    ) -> Result<Served, NotServed> {
        let (entry, errand) = self.take(signed.clone(), session)?;
        if let Err(error) = self.keep(&entry).await {
            tracing::error!(%error, "what is served directly cannot be kept; check the disk");
            self.take_back(&entry);
            return Err(NotServed::Busy);
        }
        let (state, result) = self.perform(&signed.request, &errand).await;
        Ok(self.settle(entry, state, result).await)
    }

    /// Checks proofs beside everything else: it takes some milliseconds.
    async fn proven(
        &self,
        owner: EntityId,
        signed: &SignedRequest,
        proofs: Vec<Vec<u8>>,
    ) -> Result<Session, NotServed> {
        let (genesis, signed) = (self.config.genesis.clone(), signed.clone());
        let check = move || prove(&genesis, owner, &signed, &proofs);
        self.checks.work(check).await.unwrap_or(Err(NotServed::Busy))
    }

    /// Counts the use, which is under way from here on.
    fn take(&self, signed: SignedRequest, session: Session) -> Result<(Entry, Errand), NotServed> {
        let (mut settled, now) = (self.lock(), now_ms());
        if settled.uses.len() >= self.config.waiting_max {
            return Err(NotServed::Busy);
        }
        let grant = settled.desk.take(now, &signed, session)?;
        let request = &signed.request;
        let name = settled.desk.name(&request.thing).unwrap_or_default().to_owned();
        let schema = settled.desk.stream(&request.thing, request.operation.target()).cloned();
        let number = settled.next;
        settled.next += 1;
        let state = CommandState::Delivered;
        let used = DirectUse { request: signed, grant, state, served_ms: now, result: None };
        let entry = Entry { number, used, is_recorded: false, recorded_ms: 0 };
        settled.uses.push_back((entry.clone(), false));
        Ok((entry, Errand { name, schema }))
    }

    /// Keeps the number of a use that is recorded, in place of lower ones under its grant.
    fn put_over(&self, settled: &mut Settled, entry: Entry) {
        if let Some(before) = settled.over.insert(entry.used.grant, entry) {
            self.forget(&before);
        }
    }

    /// Forgets the numbers of requests whose time is over, and that proofs tell of.
    fn prune(&self, settled: &mut Settled, now: u64) {
        let memory_ms = settled.desk.memory_ms();
        settled.over.retain(|_, entry| {
            let is_kept = entry.recorded_ms.saturating_add(memory_ms) >= now;
            if !is_kept {
                self.forget(entry);
            }
            is_kept
        });
    }

    fn forget(&self, entry: &Entry) {
        if let Err(error) = self.journal.forget(entry.number) {
            tracing::debug!(%error, "a use that is over stays on the disk");
        }
    }

    fn take_back(&self, entry: &Entry) {
        self.journal.take_back(entry.number);
        let mut settled = self.lock();
        settled.desk.recorded(now_ms(), &entry.used.grant);
        settled.uses.retain(|(one, _)| one.number != entry.number);
    }

    async fn keep(&self, entry: &Entry) -> std::io::Result<()> {
        let (journal, entry) = (self.journal.clone(), entry.clone());
        let written = tokio::task::spawn_blocking(move || journal.write(&entry));
        written.await.unwrap_or_else(|_| Err(std::io::Error::other("the writer ended")))
    }

    /// Does what is asked, and gives what came of it.
    async fn perform(&self, request: &DirectRequest, errand: &Errand) -> (CommandState, Vec<u8>) {
        if let Operation::Read { property } = &request.operation {
            let taken = self.door.latest(&format!("althing/{}/{property}", errand.name)).await;
            return match taken {
                Some(senml) => (CommandState::Done, senml.into_bytes()),
                None => failed("nothing was taken of this property since the gateway started"),
            };
        }
        self.ask_device(request, errand).await
    }

    async fn ask_device(&self, asked: &DirectRequest, errand: &Errand) -> (CommandState, Vec<u8>) {
        let (id, thing) = (asked.id(), errand.name.clone());
        let value = json_value(&asked.operation, errand.schema.as_ref());
        let payload = request(&id, &asked.operation, value.as_deref());
        let (reply, answer) = oneshot::channel();
        self.asked().insert(id, Asked { thing, reply });
        let left = Duration::from_millis(asked.until_ms.saturating_sub(now_ms()));
        let patience = self.config.answer_timeout.min(left);
        // A device that sleeps does not do later what its caller was told to have come to nothing.
        let expires_ms = wall_ms().saturating_add(i64::try_from(patience.as_millis()).unwrap_or(0));
        let topic = request_topic(&errand.name);
        let message = Message {
            topic,
            payload,
            qos: Qos::AtLeastOnce,
            retain: false,
            properties: Vec::new(),
            expires_ms: Some(expires_ms),
        };
        let reached = self.door.tell(message);
        let answered = match reached.now + reached.queued {
            0 => Ok(Ok(failed("no device of this thing is connected"))),
            _ => timeout(patience, answer).await,
        };
        self.asked().remove(&id);
        match answered {
            Ok(Ok(answered)) => answered,
            _ => (CommandState::Delivered, b"the device has not answered in time".to_vec()),
        }
    }

    /// Hears what a device publishes; whether it was the answer to a direct request.
    pub(crate) fn hears(&self, topic: &str, payload: &[u8]) -> bool {
        // Most of the time nothing is waited for, and this is asked of every reading.
        if self.asked().is_empty() {
            return false;
        }
        let Ok((thing, report)) = read_answer(topic, payload) else { return false };
        let mut asked = self.asked();
        if asked.get(&report.command).is_none_or(|asked| asked.thing != thing) {
            return false;
        }
        if report.state.is_last()
            && let Some(asked) = asked.remove(&report.command)
        {
            let result = report.result.map(|result| result.to_vec()).unwrap_or_default();
            // Whoever asked may have stopped waiting.
            let _ = asked.reply.send((report.state, result));
        }
        true
    }

    /// Writes down what came of a use, and signs it.
    async fn settle(&self, mut entry: Entry, state: CommandState, result: Vec<u8>) -> Served {
        let said = (state != CommandState::Delivered).then(|| Digest(hash("", &[&result])));
        (entry.used.state, entry.used.result) = (state, said);
        if let Err(error) = self.keep(&entry).await {
            // It stays there as delivered, which is true.
            tracing::error!(%error, "what came of a direct request cannot be kept");
        }
        let used = entry.used.clone();
        {
            let mut settled = self.lock();
            let number = entry.number;
            if let Some(own) = settled.uses.iter_mut().find(|(one, _)| one.number == number) {
                *own = (entry, true);
            }
        }
        self.due.notify_one();
        let signature = self.config.key.sign(&used.signed_bytes());
        Served { used, result, signature }
    }

    /// What is to be recorded next, with the numbers to say so by; waits until there is something.
    pub async fn due(&self) -> Vec<(u64, DirectUse)> {
        loop {
            let waiting: Vec<_> = {
                let settled = self.lock();
                let done = settled.uses.iter().take_while(|(_, is_settled)| *is_settled);
                done.take(DIRECT_USES_MAX)
                    .map(|(entry, _)| (entry.number, entry.used.clone()))
                    .collect()
            };
            if !waiting.is_empty() {
                return waiting;
            }
            self.due.notified().await;
        }
    }

    /// How many uses are not on the ledger yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lock().uses.len()
    }

    /// These uses are on the ledger, or never will be.
    pub fn recorded(&self, numbers: &[u64]) {
        let (mut settled, now) = (self.lock(), now_ms());
        for number in numbers {
            let Some(at) = settled.uses.iter().position(|(one, _)| one.number == *number) else {
                continue;
            };
            let Some((mut entry, _)) = settled.uses.remove(at) else { continue };
            settled.desk.recorded(now, &entry.used.grant);
            if let Err(error) = self.journal.recorded(entry.number) {
                // It is recorded once more after a restart, which the ledger refuses.
                tracing::debug!(%error, "that a use is recorded cannot be written down");
            }
            (entry.is_recorded, entry.recorded_ms) = (true, now);
            self.put_over(&mut settled, entry);
        }
        self.prune(&mut settled, now);
    }
}

fn json(text: serde_json::Result<String>) -> String {
    // The forms have nothing that JSON has not.
    text.unwrap_or_default()
}

fn failed(why: &str) -> (CommandState, Vec<u8>) {
    (CommandState::Failed, why.as_bytes().to_vec())
}

/// The value of a write as JSON text, for the device.
fn json_value(operation: &Operation, stream: Option<&StreamSpec>) -> Option<String> {
    let Operation::Write { value, .. } = operation else { return None };
    Some(match value {
        Value::Number(mantissa) => {
            decimal::to_text(*mantissa, stream.map_or(0, |stream| stream.schema.scale))
        }
        Value::Bool(value) => value.to_string(),
        Value::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
        Value::Bytes(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("\"{digits}\"")
        }
    })
}

fn now_ms() -> u64 {
    u64::try_from(wall_ms()).unwrap_or(0)
}
