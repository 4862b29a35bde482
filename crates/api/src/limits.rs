//! What every request passes: how many at once, how long, from which height.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use althing_client::model::{HEIGHT_HEADER, MIN_HEIGHT_HEADER};
use althing_peer::query::PATIENCE;
use axum::{
    body::{Body, HttpBody},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    problem::{Answer, ApiError, Failure},
    service::{Shared, within},
};

/// Answers are read anew each time, and are what they say they are.
const HEADERS: [(HeaderName, HeaderValue); 2] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

/// Most bytes of large answers in memory until they are sent; a client that is slow to read should
/// ask for less.
pub(crate) const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Answers up to this are bounded by the number of requests alone, bytes, so that large ones that
/// nobody reads do not keep out transactions.
const SMALL_ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// Refuses what is too much, and bounds the time of the rest.
pub(crate) async fn bounded(
    State(service): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match Arc::clone(&service.requests).try_acquire_owned() {
        Ok(place) => {
            let work = at_height(&service, request, next);
            match within(service.config().request_timeout, Failure::Timeout, work).await {
                Ok(response) => until_sent(response, place, &service.answer_bytes),
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

/// Counts the request, and the bytes of its answer if they are many, until they are handed to the
/// system. An answer without a length is a stream of events, and counted as such.
fn until_sent(
    response: Response,
    request: OwnedSemaphorePermit,
    answer_bytes: &Arc<Semaphore>,
) -> Response {
    let Some(len) = response.body().size_hint().exact() else { return response };
    let bytes = match weight(len) {
        0 => None,
        weight => match Arc::clone(answer_bytes).try_acquire_many_owned(weight) {
            Ok(bytes) => Some(bytes),
            Err(_) => return ApiError::from(Failure::Busy).into_response(),
        },
    };
    let place = Arc::new(Place { _request: request, _bytes: bytes });
    response.map(|body| Body::new(Counted { body, place }))
}

/// What an answer takes of [`ANSWER_BYTES_MAX`]: never more than there is, so that the largest can
/// be sent too.
fn weight(len: u64) -> u32 {
    if len <= SMALL_ANSWER_BYTES_MAX {
        return 0;
    }
    u32::try_from(len.min(ANSWER_BYTES_MAX as u64)).unwrap_or(u32::MAX)
}

/// Given back when nothing of the answer is left here.
#[derive(Debug)]
struct Place {
    _request: OwnedSemaphorePermit,
    _bytes: Option<OwnedSemaphorePermit>,
}

/// A body whose every part keeps its place until it is sent: the server takes parts out of a body
/// long before the client takes them.
struct Counted {
    body: Body,
    place: Arc<Place>,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        let counted = |bytes| Part { bytes, _place: Arc::clone(&this.place) };
        let counted = |frame: Frame<Bytes>| frame.map_data(|b| Bytes::from_owner(counted(b)));
        Poll::Ready(frame.map(|frame| frame.map(counted)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A part of a body.
struct Part {
    bytes: Bytes,
    _place: Arc<Place>,
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
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

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use futures::StreamExt as _;

    use super::*;

    const MIB: usize = 1024 * 1024;

    fn answer(len: usize) -> Response {
        Response::new(Body::from(vec![7; len]))
    }

    /// Permits were given back when an answer was built, so whoever never read could have as much
    /// built as connections allow.
    #[tokio::test]
    async fn an_answer_keeps_its_place_until_all_of_it_is_sent() {
        for (len, taken) in [
            (0, 0),
            (1, 0),
            (64 * 1024, 0),
            (64 * 1024 + 1, 64 * 1024 + 1),
            (8 * MIB, 8 * MIB),
            (65 * MIB, ANSWER_BYTES_MAX),
        ] {
            let requests = Arc::new(Semaphore::new(1));
            let bytes = Arc::new(Semaphore::new(ANSWER_BYTES_MAX));
            let place = || Arc::clone(&requests).try_acquire_owned();
            let response = until_sent(answer(len), place().unwrap(), &bytes);
            assert_eq!(response.body().size_hint().exact(), Some(len as u64));
            assert_eq!(bytes.available_permits(), ANSWER_BYTES_MAX - taken, "{len}");
            assert!(place().is_err(), "{len}");
            // As the server does: all parts are taken, the body goes, the parts wait to be sent.
            let parts: Vec<_> = response.into_body().into_data_stream().collect().await;
            let sent: usize = parts.iter().map(|part| part.as_ref().unwrap().len()).sum();
            assert_eq!(sent, len);
            assert_eq!(bytes.available_permits(), ANSWER_BYTES_MAX - taken, "{len}");
            drop(parts);
            assert_eq!(bytes.available_permits(), ANSWER_BYTES_MAX, "{len}");
            assert!(place().is_ok(), "{len}");
        }
    }

    #[test]
    fn large_answers_that_nobody_reads_keep_out_large_ones_only() {
        let requests = Arc::new(Semaphore::new(100));
        let bytes = Arc::new(Semaphore::new(ANSWER_BYTES_MAX));
        let send = |len| {
            until_sent(answer(len), Arc::clone(&requests).try_acquire_owned().unwrap(), &bytes)
        };
        let unread: Vec<Response> = (0..8).map(|_| send(8 * MIB)).collect();
        assert!(unread.iter().all(|one| one.status() == StatusCode::OK));
        assert_eq!(send(MIB).status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(send(1000).status(), StatusCode::OK);
        drop(unread);
        assert_eq!(send(MIB).status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn a_stream_without_end_holds_no_place_of_a_request() {
        let requests = Arc::new(Semaphore::new(1));
        let bytes = Arc::new(Semaphore::new(ANSWER_BYTES_MAX));
        let endless = futures::stream::pending::<Result<Bytes, std::convert::Infallible>>();
        let place = Arc::clone(&requests).try_acquire_owned().unwrap();
        let response = until_sent(Response::new(Body::from_stream(endless)), place, &bytes);
        assert_eq!(requests.available_permits(), 1);
        drop(response);
    }
}
