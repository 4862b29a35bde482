//! Reach a device at once at the gateway before it, under a grant, without waiting for a block.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use althing_proof::grant::direct_keys;
use althing_types::{
    DirectRequest, DirectUse, EntityId, Operation, SignedRequest, ThingId, hash,
    limits::DIRECT_LIFE_MS_MAX,
};
use tokio::time::sleep;

use crate::{
    Client, Config, Error, Signer,
    model::{DirectAnswer, DirectAsked, DirectGateway},
};

/// Where a gateway takes direct requests.
const PATH: &str = ".well-known/althing/direct";
/// How long a request may be served, milliseconds: half of what is allowed, for clocks differ.
const LIFE_MS: u64 = DIRECT_LIFE_MS_MAX / 2;
/// How long to go on fetching proofs where what was just granted is not in them yet.
const PATIENCE: Duration = Duration::from_secs(15);
/// Pause before proofs are fetched anew.
const PAUSE: Duration = Duration::from_millis(200);

/// A caller of the devices behind one gateway.
#[derive(Debug)]
pub struct Direct {
    gateway: Client,
    identity: DirectGateway,
    /// Its own peer, which proves what the gateway wants shown.
    peer: Client,
    signer: Signer,
    purpose: String,
    last: AtomicU64,
    is_known: AtomicBool,
}

impl Direct {
    /// Asks the gateway at an address who it is. `peer` proves who the caller is and what it was granted;
    /// a purpose is that of the grant.
    ///
    /// # Errors
    /// [`Error`] if the gateway does not answer, serves nothing directly, or is on another ledger.
    pub async fn open(
        url: &str,
        peer: &Client,
        signer: Signer,
        purpose: &str,
    ) -> Result<Self, Error> {
        let gateway = Client::new(Config::new(url))?;
        let identity: DirectGateway = gateway.get(PATH, &[(); 0]).await?;
        if identity.ledger.0 != signer.ledger {
            return Err(form(url, "the gateway is on another ledger"));
        }
        let (peer, purpose) = (peer.clone(), purpose.to_owned());
        let (last, is_known) = (AtomicU64::new(0), AtomicBool::new(false));
        Ok(Self { gateway, identity, peer, signer, purpose, last, is_known })
    }

    /// The gateway.
    #[must_use]
    pub fn gateway(&self) -> EntityId {
        self.identity.gateway.0
    }

    /// Asks a thing for something, and gives what came of it and what the gateway signed of that. Proofs are
    /// shown if the gateway wants some.
    ///
    /// # Errors
    /// [`Error::Refused`] with the gateway's reason; [`Error`] if gateway or peer do not answer, or the
    /// gateway's signature does not hold.
    pub async fn ask(
        &self,
        thing: &ThingId,
        operation: Operation,
    ) -> Result<(DirectAnswer, DirectUse), Error> {
        let begin = Instant::now();
        loop {
            let request = self.request(thing, operation.clone());
            let (proofs, is_granted) = match self.is_known.load(Ordering::Relaxed) {
                true => (Vec::new(), false),
                false => self.proofs(&request.request).await?,
            };
            match self.send(&request, &proofs).await {
                Ok(answer) => {
                    self.is_known.store(true, Ordering::Relaxed);
                    return self.checked(&request, answer).await;
                }
                Err(error) => {
                    let had_proofs = !proofs.is_empty();
                    self.is_known.store(false, Ordering::Relaxed);
                    // What was granted a moment ago is in no state that a block states yet.
                    let may_pass = match error.code() {
                        Some("stale") => true,
                        Some("no_grant" | "access_denied") => is_granted,
                        _ => false,
                    };
                    let again = !had_proofs || (may_pass && begin.elapsed() < PATIENCE);
                    if !again || error.code().is_none() {
                        return Err(error);
                    }
                    if had_proofs {
                        sleep(PAUSE).await;
                    }
                }
            }
        }
    }

    fn request(&self, thing: &ThingId, operation: Operation) -> SignedRequest {
        let now = now_ms();
        let before = self.last.fetch_max(now, Ordering::Relaxed);
        let number = if before < now { now } else { self.last.fetch_add(1, Ordering::Relaxed) + 1 };
        let request = DirectRequest {
            ledger: self.signer.ledger,
            gateway: self.gateway(),
            caller: self.signer.entity,
            thing: *thing,
            operation,
            purpose: self.purpose.clone(),
            number,
            until_ms: now.saturating_add(LIFE_MS),
        };
        request.sign(&self.signer.key)
    }

    async fn send(
        &self,
        request: &SignedRequest,
        proofs: &[Vec<u8>],
    ) -> Result<DirectAnswer, Error> {
        let answer = self.gateway.post_json(PATH, &DirectAsked::new(request, proofs)).await?;
        crate::client::read_json(answer, &self.gateway.at(PATH)).await
    }

    /// Proofs of what the state has about the caller, the policies and the grant, and whether the peer
    /// knows of one that is in force.
    async fn proofs(&self, request: &DirectRequest) -> Result<(Vec<Vec<u8>>, bool), Error> {
        let owner = self.peer.thing(&request.thing).await?.owner.entity_id();
        let own = self.peer.entity(&request.caller).await?;
        let organisation = own.owner.map(|owner| owner.entity_id());
        let (mut keys, grants) = direct_keys(request, &owner, organisation.as_ref());
        let mut is_granted = false;
        for (access, key) in request.accesses(owner).zip(grants) {
            match self.peer.grant(&access.id()).await {
                Ok(grant) => {
                    keys.push(key);
                    is_granted |= grant.status == "in_force";
                }
                Err(error) if error.code() == Some("unknown_grant") => {}
                Err(error) => return Err(error),
            }
        }
        let mut proofs = Vec::with_capacity(keys.len());
        for key in keys {
            proofs.push(self.proof(&key).await?);
        }
        Ok((proofs, is_granted))
    }

    /// What is proven is what a later block states: that may not be there yet.
    async fn proof(&self, key: &[u8]) -> Result<Vec<u8>, Error> {
        let begin = Instant::now();
        loop {
            match self.peer.prove_state(key).await {
                Ok(bundle) => return Ok(bundle.to_vec()),
                Err(_) if begin.elapsed() < PATIENCE => sleep(PAUSE).await,
                Err(error) => return Err(error),
            }
        }
    }

    /// The answer, if the gateway has signed it and it is about this request.
    async fn checked(
        &self,
        request: &SignedRequest,
        answer: DirectAnswer,
    ) -> Result<(DirectAnswer, DirectUse), Error> {
        let wrong = |what: &str| form(self.gateway.url(), what);
        let (used, signature) = answer.read().ok_or_else(|| wrong("the use is malformed"))?;
        let gateway = self.peer.entity(&self.gateway()).await?;
        let key = gateway.key.to_public_key().ok_or_else(|| wrong("the gateway's key"))?;
        let is_signed = key.verify(&used.signed_bytes(), &signature);
        let is_said =
            used.result.is_none_or(|digest| digest.0 == hash("", &[answer.result.as_bytes()]));
        if used.request != *request || !is_signed || !is_said || used.state.name() != answer.state {
            return Err(wrong("it is not signed by the gateway, or is about something else"));
        }
        Ok((answer, used))
    }
}

fn form(url: &str, what: &str) -> Error {
    Error::Form { url: url.to_owned(), what: what.to_owned() }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
