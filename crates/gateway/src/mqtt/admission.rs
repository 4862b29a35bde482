//! Who a client is: judged by what it shows with its CONNECT.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use althing_client::Turns;
use althing_edge::Principal;
use althing_types::{EntityId, LedgerId, PublicKey};
use argon2::{Argon2, PasswordHash, PasswordVerifier};
use futures::future::BoxFuture;
use tokio::time::Instant;

use super::codec::{Connect, reason};
use crate::config::{MqttAccess, MqttUser};
use crate::driver::wall_ms;
use crate::token::Token;
use crate::uplink::UplinkError;

/// How long a key that the ledger told is believed. A device whose key was revoked comes in no
/// longer than this afterwards.
const KEY_LIFE: Duration = Duration::from_secs(30);
/// Most keys remembered.
const KEYS_MAX: usize = 16_384;
/// Password checks at a time: each takes memory and a core by design.
const CHECKS_MAX: usize = 2;

/// What a client showed before its CONNECT: SHA-256 of its certificate, if it has one.
pub(crate) type Fingerprint = [u8; 32];

/// Asks the ledger for the key of an entity.
pub(crate) type AskKey = Arc<
    dyn Fn(EntityId) -> BoxFuture<'static, Result<Option<PublicKey>, UplinkError>> + Send + Sync,
>;

/// Judges clients.
pub(crate) struct Admission {
    access: MqttAccess,
    ledger: LedgerId,
    gateway: EntityId,
    ask_key: AskKey,
    keys: Mutex<BTreeMap<EntityId, (PublicKey, Instant)>>,
    checks: Turns,
}

impl Admission {
    pub(crate) fn new(
        access: MqttAccess,
        ledger: LedgerId,
        gateway: EntityId,
        ask_key: AskKey,
    ) -> Self {
        let (keys, checks) = (Mutex::default(), Turns::new(CHECKS_MAX));
        Self { access, ledger, gateway, ask_key, keys, checks }
    }

    /// Who the client is, or the reason why it is not let in.
    pub(crate) async fn judge(
        &self,
        connect: &Connect,
        certificate: Option<Fingerprint>,
    ) -> Result<Principal, u8> {
        if connect.has_authentication {
            return Err(reason::BAD_AUTHENTICATION_METHOD);
        }
        let by_certificate =
            certificate.and_then(|print| self.user(|user| user.certificate_sha256 == Some(print)));
        match (&connect.user, &connect.password, by_certificate) {
            (user, _, Some(known)) => {
                let is_same = user.as_ref().is_none_or(|user| *user == known.name);
                if is_same { Ok(principal(known)) } else { Err(reason::BAD_USER_OR_PASSWORD) }
            }
            (None, None, None) if self.access.is_anonymous_allowed => Ok(Principal::Anonymous),
            (_, Some(password), None) if Token::is_one(password) => {
                self.judge_token(password).await
            }
            (Some(user), Some(password), None) => self.judge_password(user, password).await,
            (None, None, None) => Err(reason::NOT_AUTHORIZED),
            _ => Err(reason::BAD_USER_OR_PASSWORD),
        }
    }

    fn user(&self, is_it: impl Fn(&MqttUser) -> bool) -> Option<&MqttUser> {
        self.access.users.iter().find(|user| is_it(user))
    }

    async fn judge_password(&self, name: &str, password: &[u8]) -> Result<Principal, u8> {
        let refused = Err(reason::BAD_USER_OR_PASSWORD);
        let known = self.user(|user| user.name == name).filter(|user| user.password_hash.is_some());
        // Somebody unknown takes as long as somebody known, so that names cannot be found out.
        let hash = known.or_else(|| self.user(|user| user.password_hash.is_some()));
        let Some(hash) = hash.and_then(|user| user.password_hash.clone()) else { return refused };
        let password = password.to_vec();
        let check = self.checks.work(move || is_password(&password, &hash));
        match (known, check.await) {
            (Some(user), Ok(true)) => Ok(principal(user)),
            _ => refused,
        }
    }

    async fn judge_token(&self, text: &[u8]) -> Result<Principal, u8> {
        let token = Token::read(text).ok_or(reason::BAD_USER_OR_PASSWORD)?;
        if !token.is_for(&self.gateway, wall_ms()) {
            return Err(reason::NOT_AUTHORIZED);
        }
        let key = self.key(token.entity).await.map_err(|error| {
            tracing::warn!(%error, "no peer tells the key of a device with a token");
            reason::SERVER_UNAVAILABLE
        })?;
        let is_signed = key.is_some_and(|key| token.is_signed_by(&self.ledger, &key));
        if is_signed { Ok(Principal::Entity(token.entity)) } else { Err(reason::NOT_AUTHORIZED) }
    }

    async fn key(&self, entity: EntityId) -> Result<Option<PublicKey>, UplinkError> {
        let now = Instant::now();
        let lock = || self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let known =
            lock().get(&entity).filter(|(_, until)| *until > now).map(|(key, _)| key.clone());
        if known.is_some() {
            return Ok(known);
        }
        let told = (self.ask_key)(entity).await?;
        if let Some(key) = &told {
            let mut keys = lock();
            if keys.len() >= KEYS_MAX {
                keys.retain(|_, (_, until)| *until > now);
            }
            if keys.len() < KEYS_MAX {
                keys.insert(entity, (key.clone(), now + KEY_LIFE));
            }
        }
        Ok(told)
    }
}

fn principal(user: &MqttUser) -> Principal {
    Principal::User(user.name.clone())
}

fn is_password(password: &[u8], hash: &str) -> bool {
    let parsed = PasswordHash::new(hash);
    parsed.is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
}
