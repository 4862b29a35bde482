//! Who is served, and what is remembered of it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use althing_client::{
    Account,
    model::{Entity, Grant, Reading},
};
use althing_proof::grant::{Door, NotAdmitted, Presented, admit};
use althing_types::{
    Access, Did, EntityId, ReaderToken, StreamId, Wire as _, cosigned_bytes, hash,
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    Party,
    form::{Forecast, HOURS_MAX, PRICE, Question, Served, Use},
};

/// How old what is shown may be, milliseconds. What was revoked since, this service hears from its own
/// peer.
const AGE_MAX_MS: u64 = 60_000;
/// Most callers that are remembered at a time.
const CALLERS_MAX: usize = 10_000;
/// Most tokens that are remembered until they are over.
const TOKENS_MAX: usize = 100_000;
/// How many of the newest readings a forecast is made from.
const READINGS: u32 = 24;

/// Why somebody is not served.
#[derive(Debug)]
pub(crate) enum Refused {
    /// It may not: the sentence says why.
    NotAdmitted(String),
    /// It has no units left.
    NoCredit,
    /// The service cannot say now.
    Unavailable(String),
}

impl From<NotAdmitted> for Refused {
    fn from(why: NotAdmitted) -> Self {
        Self::NotAdmitted(why.to_string())
    }
}

fn unavailable(error: althing_client::Error) -> Refused {
    Refused::Unavailable(error.to_string())
}

/// What a caller was given and has perhaps not signed for.
#[derive(Debug, Clone)]
struct Owed {
    served: Served,
    /// Units that were taken from the caller before.
    used_before: u64,
    /// Last height at which it can be signed for.
    until_height: u64,
}

/// The service: it has the genesis, and asks its own peer for data and credit alone.
pub(crate) struct Desk {
    party: Party,
    account: Account,
    /// Who owns the service, and gives grants to call it.
    owner: EntityId,
    stream: StreamId,
    owed: Mutex<BTreeMap<EntityId, Owed>>,
    /// Digests of tokens that were shown, each with when it is over.
    tokens: Mutex<BTreeMap<[u8; 32], u64>>,
}

/// What the contract says of a caller.
#[derive(Debug, Deserialize)]
struct Credit {
    left: u64,
    used: u64,
}

impl Desk {
    pub(crate) fn new(party: Party, account: Account, owner: EntityId, stream: StreamId) -> Self {
        Self { party, account, owner, stream, owed: Mutex::default(), tokens: Mutex::default() }
    }

    /// Serves one question, if it may.
    pub(crate) async fn answer(&self, question: &Question) -> Result<Served, Refused> {
        let now_ms = now_ms();
        let access = self.admitted(question, now_ms)?;
        let caller = access.grantee;
        self.still(&access).await?;
        let (credit, height) = self.credit(&caller).await?;
        if let Some(owed) = self.owed_by(&caller, credit.used, height) {
            return Ok(owed);
        }
        if credit.left < PRICE {
            return Err(Refused::NoCredit);
        }
        let forecast = self.forecast(question.hours).await?;
        let Party { signer, contract, genesis, .. } = &self.party;
        let (service, grant) = (signer.entity, access.id());
        let used = Use { service, caller, contract: *contract, grant };
        // Its organisation or a tool may have signed as this entity meanwhile.
        self.account.refresh(&self.party.client).await.map_err(unavailable)?;
        let actions = used.actions(&genesis.network, &forecast, now_ms);
        let body = self.account.sign(actions).body().clone();
        let suite = signer.key.suite();
        let signed = cosigned_bytes(&signer.ledger, &body, service, suite);
        let served = Served {
            forecast,
            body: hex::encode(body.to_wire()),
            suite: suite.name().to_owned(),
            signature: hex::encode(signer.key.sign(&signed).0),
        };
        let until_height = body.expiry_height;
        let owed = Owed { served: served.clone(), used_before: credit.used, until_height };
        self.remember(caller, owed, height)?;
        Ok(served)
    }

    /// Who asks, if it may: checked offline.
    fn admitted(&self, question: &Question, now_ms: u64) -> Result<Access, Refused> {
        let hex = |text: &str| {
            hex::decode(text).map_err(|_| Refused::NotAdmitted("hex digits expected".to_owned()))
        };
        if !(1..=HOURS_MAX).contains(&question.hours) {
            return Err(Refused::NotAdmitted(format!("1 to {HOURS_MAX} hours can be had")));
        }
        let bytes = hex(&question.token)?;
        let token = ReaderToken::from_wire(&bytes)
            .map_err(|_| Refused::NotAdmitted("the token is malformed".to_owned()))?;
        let door = Door {
            genesis: &self.party.genesis,
            service: self.party.signer.entity,
            owner: self.owner,
            now_ms,
            age_max_ms: AGE_MAX_MS,
        };
        let (identity, grant) = (hex(&question.identity)?, hex(&question.grant)?);
        let presented = Presented { token: &token, identity: &identity, grant: &grant };
        let access = admit(&door, &presented)?;
        self.take_token(hash("", &[&bytes]), token.reader.until_ms, now_ms)?;
        Ok(access)
    }

    /// What was revoked after the proofs were made: its own peer knows of it with the block that did it.
    async fn still(&self, access: &Access) -> Result<(), Refused> {
        let client = &self.party.client;
        let id = access.id();
        let (grant, caller) = tokio::try_join!(client.grant(&id), client.entity(&access.grantee))
            .map_err(unavailable)?;
        in_force(&grant, &caller)
    }

    /// Lets a token count once: whoever reads it on its way has nothing of it.
    fn take_token(&self, digest: [u8; 32], until_ms: u64, now_ms: u64) -> Result<(), Refused> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= TOKENS_MAX {
            tokens.retain(|_, until_ms| *until_ms >= now_ms);
        }
        if tokens.len() >= TOKENS_MAX {
            return Err(Refused::Unavailable("too many calls; try again in a minute".to_owned()));
        }
        match tokens.insert(digest, until_ms) {
            None => Ok(()),
            Some(_) => {
                Err(Refused::NotAdmitted("the token was shown before; make another".to_owned()))
            }
        }
    }

    /// What the contract says of a caller, and at which height.
    async fn credit(&self, caller: &EntityId) -> Result<(Credit, u64), Refused> {
        let account = Did::entity(&self.party.genesis.network, caller).to_string();
        let question = json!({ "credit": { "account": account } }).to_string();
        let (client, contract) = (&self.party.client, &self.party.contract);
        let answer = client.ask_contract(contract, &question).await.map_err(unavailable)?;
        let credit = answer.answer.as_deref().and_then(|text| serde_json::from_str(text).ok());
        credit
            .map(|credit| (credit, answer.height))
            .ok_or_else(|| Refused::Unavailable("the contract tells no credit".to_owned()))
    }

    /// What the caller was given and has not signed for; it can have that again.
    fn owed_by(&self, caller: &EntityId, used: u64, height: u64) -> Option<Served> {
        let mut all = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        let owed = all.get(caller)?;
        let over = owed.until_height <= height;
        if used > owed.used_before || over {
            all.remove(caller);
            return None;
        }
        Some(owed.served.clone())
    }

    fn remember(&self, caller: EntityId, owed: Owed, height: u64) -> Result<(), Refused> {
        let mut all = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= CALLERS_MAX {
            all.retain(|_, owed| owed.until_height > height);
        }
        if all.len() >= CALLERS_MAX {
            return Err(Refused::Unavailable("too many callers have not signed yet".to_owned()));
        }
        all.insert(caller, owed);
        Ok(())
    }

    /// Made from the ledger's data: each hour is as it was so many readings ago.
    async fn forecast(&self, hours: u32) -> Result<String, Refused> {
        let latest = self.party.client.latest(&self.stream, READINGS).await.map_err(unavailable)?;
        let up_to = latest.items.last().map(|reading| reading.seq);
        let up_to =
            up_to.ok_or_else(|| Refused::Unavailable("there is no reading yet".to_owned()))?;
        let forecast =
            Forecast { unit: latest.unit, values: repeated(&latest.items, hours), up_to };
        serde_json::to_string(&forecast).map_err(|error| Refused::Unavailable(error.to_string()))
    }
}

/// Whether a grant that was proven is in force still, for a caller that is still one.
fn in_force(grant: &Grant, caller: &Entity) -> Result<(), Refused> {
    let why = match grant.status.as_str() {
        _ if !caller.active => "the caller was revoked",
        "in_force" => return Ok(()),
        "revoked" => "the grant was revoked",
        "used_up" => "the grant was used as often as it allows",
        _ => "the grant is over",
    };
    Err(Refused::NotAdmitted(format!(
        "{why}; ask for another by `althing access request --right call --purpose {} --service ...`",
        grant.access.purpose
    )))
}

/// The readings once more, from the first, as often as it takes.
fn repeated(readings: &[Reading], hours: u32) -> Vec<String> {
    readings.iter().cycle().take(hours as usize).map(|reading| reading.value.clone()).collect()
}

pub(crate) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use althing_client::{Client, Config, Signer};
    use althing_types::{
        ContractId, EntityKind, Genesis, Inception, Mechanism, Mode, Organisation, Parameters,
        PeerSeat, SigningKey, Suite,
    };

    use super::*;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_secret(Suite::Ed25519, [seed; 32]).unwrap()
    }

    fn desk() -> Desk {
        let inception = |kind, name: &str, seed| Inception {
            kind,
            name: name.to_owned(),
            key: key(seed).public_key(),
        };
        let organisation = inception(EntityKind::Organisation, "A", 1);
        let owner = organisation.id();
        let peer = PeerSeat {
            inception: inception(EntityKind::Peer, "peer", 2),
            organisation: owner,
            key: key(3).public_key().bytes.try_into().unwrap(),
        };
        let genesis = Genesis {
            version: 1,
            network: "test".into(),
            time_ms: 1_700_000_000_000,
            mode: Mode::Private,
            mechanism: Mechanism::Simplex,
            parameters: Parameters::standard(),
            organisations: vec![Organisation { inception: organisation }],
            peers: vec![peer],
            token: None,
        };
        let signer = Signer { ledger: genesis.ledger(), entity: EntityId([7; 32]), key: key(7) };
        let account = Account::new(signer.clone(), 0, 0);
        let client = Client::new(Config::new("http://127.0.0.1:1")).unwrap();
        let (contract, purpose) = (ContractId([5; 32]), "forecast".to_owned());
        let party = Party { genesis, signer, client, contract, purpose };
        Desk::new(party, account, owner, StreamId([6; 32]))
    }

    fn served(number: u32) -> Served {
        Served {
            forecast: number.to_string(),
            body: String::new(),
            suite: String::new(),
            signature: String::new(),
        }
    }

    #[test]
    fn a_token_counts_once_until_it_is_over() {
        let desk = desk();
        assert!(desk.take_token([1; 32], 100, 50).is_ok());
        assert!(matches!(desk.take_token([1; 32], 100, 60), Err(Refused::NotAdmitted(_))));
        assert!(desk.take_token([2; 32], 100, 60).is_ok());
    }

    /// Who does not sign would be served for nothing, again and again.
    #[test]
    fn who_has_not_signed_gets_the_same_again_until_it_has() {
        let desk = desk();
        let caller = EntityId([8; 32]);
        assert_eq!(desk.owed_by(&caller, 3, 10), None);
        let owed = Owed { served: served(1), used_before: 3, until_height: 100 };
        desk.remember(caller, owed.clone(), 10).unwrap();
        assert_eq!(desk.owed_by(&caller, 3, 99), Some(served(1)));
        assert_eq!(desk.owed_by(&EntityId([9; 32]), 3, 99), None);
        assert_eq!(desk.owed_by(&caller, 4, 99), None, "it has signed");
        desk.remember(caller, owed, 10).unwrap();
        assert_eq!(desk.owed_by(&caller, 3, 100), None, "it can be signed for no more");
    }

    /// What was shown proves what was: this is what is.
    #[test]
    fn what_was_revoked_after_its_proof_lets_in_no_longer() {
        let did = Did::entity("test", &EntityId([8; 32])).to_string();
        let grant = |status: &str| -> Grant {
            serde_json::from_value(json!({
                "id": "00".repeat(32), "owner": did, "grantee": did,
                "resource": { "kind": "service", "id": did },
                "right": "call", "purpose": "forecast", "status": status,
            }))
            .unwrap()
        };
        let caller = |active: bool| -> Entity {
            serde_json::from_value(json!({
                "id": did, "hex": "08".repeat(32), "kind": "service", "name": "C", "active": active,
                "key": { "suite": "ed25519", "public": "00" }, "key_version": 1, "registered": 1,
            }))
            .unwrap()
        };
        assert!(in_force(&grant("in_force"), &caller(true)).is_ok());
        for (status, active, expected) in [
            ("in_force", false, "the caller was revoked"),
            ("revoked", true, "the grant was revoked"),
            ("used_up", true, "as often as it allows"),
            ("over", true, "is over"),
            ("timed_out", true, "is over"),
        ] {
            let refused = in_force(&grant(status), &caller(active)).unwrap_err();
            let Refused::NotAdmitted(why) = refused else { panic!("{refused:?}") };
            assert!(why.contains(expected) && why.contains("--purpose forecast"), "{why}");
        }
    }

    #[test]
    fn what_is_malformed_is_refused_before_anything_is_asked() {
        let desk = desk();
        let question = |token: &str, hours| Question {
            token: token.into(),
            identity: String::new(),
            grant: String::new(),
            hours,
        };
        for wrong in [
            question("xyz", 1),
            question("", 1),
            question("80", 1),
            question("80", 0),
            question("80", 49),
        ] {
            assert!(matches!(desk.admitted(&wrong, 0), Err(Refused::NotAdmitted(_))), "{wrong:?}");
        }
    }
}
