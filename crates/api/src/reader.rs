//! Who asks: the bearer token of a request, checked against the newest executed state.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use althing_types::{
    EntityId, PublicKey, ReaderToken, Wire as _, hash, limits::READER_TOKEN_MS_MAX,
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};

use crate::{
    problem::{Answer, ApiError, Failure},
    service::{Service, Shared},
};

/// Most tokens whose signatures are remembered.
const TOKENS_MAX: usize = 4_096;

/// Who asks, and what for.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reader {
    /// None if it does not say.
    pub(crate) entity: Option<EntityId>,
    /// Empty if it does not say.
    pub(crate) purpose: String,
}

/// Tokens whose signatures were found good, with the keys that they are good under.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<BTreeMap<[u8; 32], PublicKey>>);

impl Tokens {
    /// Whether a token is signed by a key, which is checked once.
    pub(crate) fn are_good(&self, bytes: &[u8], token: &ReaderToken, key: &PublicKey) -> bool {
        let digest = hash("", &[bytes]);
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known().get(&digest) == Some(key) {
            return true;
        }
        if !token.is_signed_by(key) {
            return false;
        }
        let mut known = known();
        if known.len() >= TOKENS_MAX {
            known.clear();
        }
        known.insert(digest, key.clone());
        true
    }
}

impl FromRequestParts<Shared> for Reader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &Shared) -> Result<Self, ApiError> {
        let Some((bytes, token)) = token_of(&parts.headers)? else { return Ok(Self::default()) };
        service.read(move |service| service.reader(&bytes, token)).await
    }
}

/// The bearer token of a request and its bytes, unchecked; none if it has none.
pub(crate) fn token_of(headers: &HeaderMap) -> Answer<Option<(Vec<u8>, ReaderToken)>> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
    let bytes = text
        .filter(|text| text.len() <= 2 * ReaderToken::BYTES_MAX)
        .and_then(|text| hex::decode(text).ok())
        .ok_or(Failure::BadToken)?;
    let token = ReaderToken::from_wire(&bytes).map_err(|_| Failure::BadToken)?;
    Ok(Some((bytes, token)))
}

impl Service {
    fn reader(&self, bytes: &[u8], token: ReaderToken) -> Answer<Reader> {
        let said = &token.reader;
        if !self.is_for_now(&token, READER_TOKEN_MS_MAX) {
            return Err(Failure::BadToken.into());
        }
        let key = self.query.active_key(&said.entity)?.ok_or(Failure::BadToken)?;
        if !self.tokens.are_good(bytes, &token, &key) {
            return Err(Failure::BadToken.into());
        }
        Ok(Reader { entity: Some(said.entity), purpose: token.reader.purpose })
    }

    /// Whether a token is for this peer and ledger, and counts now and for at most so long.
    pub(crate) fn is_for_now(&self, token: &ReaderToken, ms_max: u64) -> bool {
        let (said, now_ms) = (&token.reader, now_ms());
        let in_time = (now_ms..=now_ms.saturating_add(ms_max)).contains(&said.until_ms);
        said.ledger == self.peer.ledger() && said.peer == self.peer.key() && in_time
    }
}

/// The present time, milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}
