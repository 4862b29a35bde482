//! Who operates: the token of a look or of one act, checked against the configuration and the newest
//! executed state.

use althing_client::{
    model::{MACHINE, OPERATE_PURPOSE},
    operating::{ACT_MS_MAX, MACHINE_ENTITY, act_purpose},
};
use althing_types::{EntityId, PublicKey, ReaderToken, hash, limits::READER_TOKEN_MS_MAX};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
};

use crate::{
    problem::{Answer, ApiError, Failure},
    reader::{now_ms, token_of},
    service::{Service, Shared, within},
};

/// Longest body of an act, bytes.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// Who operates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// Whoever can read the folder of the peer's data.
    Machine,
    /// An operator or auditor that the configuration names.
    Entity(EntityId),
}

/// Somebody who may look at what is for operators and auditors.
#[derive(Debug)]
pub(crate) struct Looks(pub(crate) By);

/// Somebody who may do this one act, and the body of the request.
#[derive(Debug)]
pub(crate) struct Acts {
    pub(crate) by: By,
    pub(crate) body: Bytes,
}

impl FromRequestParts<Shared> for Looks {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &Shared) -> Result<Self, ApiError> {
        let (bytes, token) = token_of(&parts.headers)?.ok_or(Failure::NotAnOperator)?;
        let look = move |service: &Service| {
            let by = service.signer_of(&token, READER_TOKEN_MS_MAX, &bytes)?;
            if token.reader.purpose != OPERATE_PURPOSE || !service.may_look(by) {
                return Err(Failure::NotAnOperator.into());
            }
            Ok(Self(by))
        };
        service.read(look).await
    }
}

impl FromRequest<Shared> for Acts {
    type Rejection = ApiError;

    async fn from_request(request: Request, service: &Shared) -> Result<Self, ApiError> {
        let (bytes, token) = token_of(request.headers())?.ok_or(Failure::NotAnOperator)?;
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let body = Bytes::from_request(request, &());
        let body = within(service.config().body_timeout, Failure::BodyTimeout, body).await?;
        let body = body.map_err(|_| Failure::BodyTooLarge)?;
        if body.len() > BODY_BYTES_MAX {
            return Err(Failure::BodyTooLarge.into());
        }
        let act = move |service: &Service| {
            let by = service.signer_of(&token, ACT_MS_MAX, &bytes)?;
            let purpose = &token.reader.purpose;
            if !purpose.starts_with(OPERATE_PURPOSE) || !service.may_act(by) {
                return Err(Failure::NotAnOperator.into());
            }
            let is_this = *purpose == act_purpose(method.as_str(), &path, &body);
            // Of what was signed: of a signature there may be a second form.
            let digest = hash("", &[&token.reader.signed_bytes()]);
            let used = &service.operation.0.used;
            if !is_this || !used.first_time(&digest, token.reader.until_ms, now_ms()) {
                return Err(Failure::TokenUsed.into());
            }
            Ok(Self { by, body })
        };
        service.read(act).await
    }
}

impl Service {
    /// Who signed a token that counts here and now, for no longer than it may.
    fn signer_of(&self, token: &ReaderToken, ms_max: u64, bytes: &[u8]) -> Answer<By> {
        let entity = token.reader.entity;
        let (by, key): (By, Option<PublicKey>) = if entity == MACHINE_ENTITY {
            (By::Machine, self.operation.0.machine.clone())
        } else {
            (By::Entity(entity), self.query.active_key(&entity)?)
        };
        let key = key.ok_or(Failure::BadToken)?;
        if !self.is_for_now(token, ms_max) || !self.tokens.are_good(bytes, token, &key) {
            return Err(Failure::BadToken.into());
        }
        Ok(by)
    }

    fn may_act(&self, by: By) -> bool {
        match by {
            By::Machine => true,
            By::Entity(entity) => self.config().operators.contains(&entity),
        }
    }

    fn may_look(&self, by: By) -> bool {
        let audits = |entity| self.config().auditors.contains(&entity);
        self.may_act(by) || matches!(by, By::Entity(entity) if audits(entity))
    }

    /// How an operator is called in logs.
    pub(crate) fn called(&self, by: By) -> String {
        match by {
            By::Machine => MACHINE.to_owned(),
            By::Entity(entity) => self.did(&entity).to_string(),
        }
    }
}
