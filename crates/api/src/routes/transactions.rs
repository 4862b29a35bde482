use std::time::Duration;

use althing_client::{
    model::{
        Admission, Admissions, Hex, Transaction, TransactionStatus, TxHex, WAIT_MAX,
        query::{Wait, WaitFor},
    },
    submission::{self, CBOR_MEDIA_TYPE, COSE_MEDIA_TYPE, SubmissionError},
};
use althing_peer::{Lane, Placed, Submission};
use althing_types::{Refusal, TxId};
use axum::{
    Json,
    extract::{FromRequest as _, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::future::join_all;

use crate::{
    extract::{Params, Parsed},
    origins::Remote,
    problem::{Answer, ApiError, Failure},
    service::{Service, Shared, within},
};

/// How long a request waits for a transaction unless it says.
const WAIT: Duration = Duration::from_secs(10);

/// Submit transactions
///
/// `application/cose` is one transaction without payloads: it is answered 202, or with the problem
/// it was refused for. `application/cbor` is `[[transaction, [payload, ...]], ...]`, byte strings
/// all, with the payloads of each transaction's batches in order: the answer says of each, in order,
/// what became of it. Passing the checks is no promise of effect: the receipt says that, for which
/// `wait=finalized` waits.
#[utoipa::path(
    post,
    path = "/v1/transactions",
    tag = "transactions",
    params(Wait),
    request_body(content(
        (Vec<u8> = "application/cose"),
        (Vec<u8> = "application/cbor"),
    )),
    responses(
        (status = 200, description = "All that were admitted are final", body = Admissions),
        (status = 202, description = "Some are not final yet, or were refused", body = Admissions),
    )
)]
pub(super) async fn submit(
    State(service): State<Shared>,
    Params(wait): Params<Wait>,
    request: Request,
) -> Answer<Response> {
    if !service.config().writes {
        return Err(Failure::ReadOnly.into());
    }
    let patience = patience(&wait)?;
    let form = request.headers().get(header::CONTENT_TYPE).map(|value| value.as_bytes().to_vec());
    let single = match form.as_deref() {
        Some(form) if form == COSE_MEDIA_TYPE.as_bytes() => true,
        Some(form) if form == CBOR_MEDIA_TYPE.as_bytes() => false,
        _ => return Err(Failure::UnsupportedMediaType.into()),
    };
    let remote = request.extensions().get::<Remote>();
    let lane = remote.map_or(Lane::Local, |remote| Lane::Address(remote.0));
    let body = body(&service, request).await?;
    let submissions = submissions(body, single)?;
    let wires: Vec<Bytes> = submissions.iter().map(|one| one.transaction.clone()).collect();
    let verdicts = {
        let _counted = service.operation.submitting().ok_or(Failure::Stopping)?;
        service.peer.submit_from(lane, submissions).await
    };
    if single && let (Some(Err(refusal)), [wire]) = (verdicts.first(), &*wires) {
        return Err(service.refused(*refusal, wire));
    }
    let admissions = settle(&service, wires, verdicts, patience).await;
    let done = admissions.iter().all(|one| one.status == TransactionStatus::Finalized);
    let status = if done { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(Admissions { transactions: admissions })).into_response())
}

/// Look a transaction up
#[utoipa::path(
    get,
    path = "/v1/transactions/{id}",
    tag = "transactions",
    params(("id" = TxHex, Path, description = "Id of the transaction"), Wait),
    responses((status = 200, description = "The transaction", body = Transaction))
)]
pub(super) async fn transaction(
    State(service): State<Shared>,
    Parsed(id): Parsed<TxHex>,
    Params(wait): Params<Wait>,
) -> Answer<Json<Transaction>> {
    if let Some(patience) = patience(&wait)?
        && service.peer.is_waiting(&id)
    {
        let _ = tokio::time::timeout(patience, service.peer.wait(*id)).await;
    }
    let state = service.query.transaction(&id).await?;
    Ok(Json(service.transaction(state)))
}

fn patience(wait: &Wait) -> Answer<Option<Duration>> {
    let asked = match (wait.wait, wait.timeout_ms) {
        (None, None) => return Ok(None),
        (None, Some(_)) => {
            let error = ApiError::from(Failure::InvalidQuery).about("timeout_ms");
            return Err(error.because("only with wait=finalized"));
        }
        (Some(WaitFor::Finalized), asked) => asked.map_or(WAIT, Duration::from_millis),
    };
    if asked > WAIT_MAX {
        let reason = format!("at most {} expected", WAIT_MAX.as_millis());
        return Err(ApiError::from(Failure::InvalidQuery).about("timeout_ms").because(&reason));
    }
    Ok(Some(asked))
}

/// The body, if it comes in time: as long as it does not, the request takes a place.
async fn body(service: &Service, request: Request) -> Answer<Bytes> {
    let body = Bytes::from_request(request, &());
    let body = within(service.config().body_timeout, Failure::BodyTimeout, body).await?;
    body.map_err(|rejection| {
        let too_large = rejection.status() == StatusCode::PAYLOAD_TOO_LARGE;
        ApiError::from(if too_large { Failure::BodyTooLarge } else { Failure::InvalidBody })
    })
}

fn submissions(body: Bytes, single: bool) -> Answer<Vec<Submission>> {
    if single {
        return Ok(vec![Submission { transaction: body, payloads: Vec::new() }]);
    }
    let submissions = submission::decode(&body).map_err(|error| {
        let failure = match error {
            SubmissionError::TooLong => return ApiError::from(Refusal::TooLarge),
            SubmissionError::Count | SubmissionError::Malformed(_) => Failure::InvalidBody,
        };
        ApiError::from(failure).because(&error.to_string())
    })?;
    let convert = |one: submission::Submission| Submission {
        transaction: one.transaction,
        payloads: one.payloads,
    };
    Ok(submissions.into_iter().map(convert).collect())
}

/// Waits for all that were admitted together, as long as the patience lasts.
async fn settle(
    service: &Service,
    wires: Vec<Bytes>,
    verdicts: Vec<Result<TxId, Refusal>>,
    patience: Option<Duration>,
) -> Vec<Admission> {
    let deadline = patience.map(|patience| tokio::time::Instant::now() + patience);
    let settled = wires.into_iter().zip(verdicts).map(|(wire, verdict)| async move {
        let id = TxId::of(&wire);
        match (verdict, deadline) {
            (Err(refusal), _) => refused(id, service.refused(refusal, &wire)),
            (Ok(_), None) => waiting(id),
            (Ok(_), Some(deadline)) => {
                let placed = tokio::time::timeout_at(deadline, service.peer.wait(id)).await;
                match placed.ok().flatten() {
                    Some(placed) => finalized(service, id, placed),
                    None => waiting(id),
                }
            }
        }
    });
    join_all(settled).await
}

fn refused(id: TxId, error: ApiError) -> Admission {
    let problem = Some(error.problem());
    Admission { id: Hex(id), status: TransactionStatus::Refused, outcome: None, problem }
}

const fn waiting(id: TxId) -> Admission {
    Admission { id: Hex(id), status: TransactionStatus::Waiting, outcome: None, problem: None }
}

fn finalized(service: &Service, id: TxId, placed: Placed) -> Admission {
    let time_ms = service.query.block_head(placed.height).map_or(0, |head| head.header.time_ms);
    let outcome = Some(service.outcome(placed, time_ms));
    Admission { id: Hex(id), status: TransactionStatus::Finalized, outcome, problem: None }
}
