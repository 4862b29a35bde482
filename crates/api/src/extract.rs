//! Strict extractors: whatever does not fit becomes a problem that names it.

use std::str::FromStr;

use axum::{
    extract::{FromRequestParts, Path, Query, rejection::PathRejection},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::problem::{Answer, ApiError, Failure};

/// Parts of the path.
#[derive(Debug)]
pub(crate) struct Parsed<T>(pub(crate) T);

impl<T, S> FromRequestParts<S> for Parsed<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(rejection @ PathRejection::FailedToDeserializePathParams(_)) => {
                Err(ApiError::from(Failure::InvalidPath).because(&rejection.body_text()))
            }
            Err(_) => Err(Failure::InvalidPath.into()),
        }
    }
}

/// Parameters of the query string.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<T, S> FromRequestParts<S> for Params<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(rejection) => {
                Err(ApiError::from(Failure::InvalidQuery).because(&rejection.body_text()))
            }
        }
    }
}

/// Items of a page unless the client says how many.
const PAGE_ITEMS: usize = 50;

/// The number of items asked for, at most `max`.
pub(crate) fn limit(asked: Option<u32>, max: usize) -> Answer<usize> {
    let asked = asked.map_or(PAGE_ITEMS.min(max), |asked| asked as usize);
    if (1..=max).contains(&asked) {
        Ok(asked)
    } else {
        let reason = format!("1 to {max} expected");
        Err(ApiError::from(Failure::InvalidQuery).about("limit").because(&reason))
    }
}

/// A cursor that is a number.
pub(crate) fn numeric_cursor<T: FromStr>(after: Option<&str>) -> Answer<Option<T>> {
    let read = |text: &str| text.parse().map_err(|_| Failure::InvalidCursor.into());
    after.map(read).transpose()
}

/// Longest cursor that is a key, bytes.
const CURSOR_BYTES_MAX: usize = 256;

/// A cursor that is a key.
pub(crate) fn key_cursor(after: Option<&str>) -> Answer<Option<Vec<u8>>> {
    let read = |text: &str| {
        let short = text.len() <= 2 * CURSOR_BYTES_MAX;
        let key = hex::decode(text).ok().filter(|key| short && !key.is_empty());
        key.ok_or_else(|| Failure::InvalidCursor.into())
    };
    after.map(read).transpose()
}
