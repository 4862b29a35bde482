//! What every request passes: how many at once, how long, from which height.

use althing_client::model::{HEIGHT_HEADER, MIN_HEIGHT_HEADER};
use althing_peer::query::PATIENCE;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::{
    problem::{Answer, ApiError, Failure},
    service::{Shared, within},
};

/// Answers are read anew each time, and are what they say they are.
const HEADERS: [(HeaderName, HeaderValue); 2] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

/// Refuses what is too much, and bounds the time of the rest.
pub(crate) async fn bounded(
    State(service): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match service.requests.try_acquire() {
        Ok(_permit) => {
            let work = at_height(&service, request, next);
            match within(service.config.request_timeout, Failure::Timeout, work).await {
                Ok(response) => response,
                Err(error) => error.into_response(),
            }
        }
        Err(_) => ApiError::from(Failure::Busy).into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// Waits for the height the client asks for, and says from which it got its answer.
async fn at_height(service: &Shared, request: Request, next: Next) -> Response {
    match min_height(request.headers()) {
        Ok(Some(height)) if height > service.query.height() => {
            if let Err(error) =
                within(PATIENCE, Failure::Behind, service.query.at_least(height)).await
            {
                return error.into_response();
            }
        }
        Ok(_) => {}
        Err(error) => return error.into_response(),
    }
    let height = service.query.height();
    let mut response = next.run(request).await;
    response.headers_mut().insert(HEIGHT_HEADER, HeaderValue::from(height));
    response
}

fn min_height(headers: &HeaderMap) -> Answer<Option<u64>> {
    let mut values = headers.get_all(MIN_HEIGHT_HEADER).iter();
    let wrong = || ApiError::from(Failure::InvalidHeader).about(MIN_HEIGHT_HEADER);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let text = value.to_str().map_err(|_| wrong())?;
            text.parse().map(Some).map_err(|_| wrong())
        }
        _ => Err(wrong()),
    }
}
