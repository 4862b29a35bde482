//! Proof bundles: CBOR that anyone checks offline against the genesis.

use althing_client::model::{StreamHex, TriggerHex, TxHex, query};
use althing_peer::query::{PATIENCE, Question, TransactionState};
use althing_proof::{Interval, key::KEY_BYTES_MAX};
use althing_types::{Right, StreamId, Transaction};
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use crate::{
    extract::{Params, Parsed},
    problem::{Answer, ApiError, Failure},
    reader::Reader,
    service::{Service, Shared, within},
};

const CBOR: HeaderValue = HeaderValue::from_static("application/cbor");

/// Prove a reading
///
/// The reading with who submitted it and by what right, its place in its stream, the stream's place
/// in the state, and the certificate of a block that commits to that state.
#[utoipa::path(
    get,
    path = "/v1/proofs/readings/{stream}/{seq}",
    tag = "proofs",
    params(
        ("stream" = StreamHex, Path, description = "The stream"),
        ("seq" = u64, Path, description = "Sequence number of the reading")
    ),
    responses((status = 200, description = "The bundle", body = Vec<u8>,
        content_type = "application/cbor"))
)]
pub(super) async fn reading(
    State(service): State<Shared>,
    reader: Reader,
    Parsed((stream, seq)): Parsed<(StreamHex, u64)>,
) -> Answer<Response> {
    bundle(&service, reader, Question::Reading { stream: *stream, seq }).await
}

/// Prove all readings of a range
///
/// Every reading of the range, and that there is no other. Payloads that this peer does not hold
/// are left out, which the bundle says.
#[utoipa::path(
    get,
    path = "/v1/proofs/ranges/{stream}",
    tag = "proofs",
    params(("stream" = StreamHex, Path, description = "The stream"), query::Range),
    responses((status = 200, description = "The bundle", body = Vec<u8>,
        content_type = "application/cbor"))
)]
pub(super) async fn range(
    State(service): State<Shared>,
    reader: Reader,
    Parsed(stream): Parsed<StreamHex>,
    Params(range): Params<query::Range>,
) -> Answer<Response> {
    bundle(&service, reader, Question::Range { stream: *stream, interval: interval(&range)? }).await
}

/// Prove an aggregate over a range
///
/// Count, minimum, maximum and sum of all readings of the range, and that none is left out. The
/// bundle stays small however long the range.
#[utoipa::path(
    get,
    path = "/v1/proofs/aggregates/{stream}",
    tag = "proofs",
    params(("stream" = StreamHex, Path, description = "The stream"), query::Range),
    responses((status = 200, description = "The bundle", body = Vec<u8>,
        content_type = "application/cbor"))
)]
pub(super) async fn aggregate(
    State(service): State<Shared>,
    reader: Reader,
    Parsed(stream): Parsed<StreamHex>,
    Params(range): Params<query::Range>,
) -> Answer<Response> {
    bundle(&service, reader, Question::Aggregate { stream: *stream, interval: interval(&range)? })
        .await
}

/// Prove what the state holds
///
/// The value at a raw key of the state, or that there is none. Raw keys are in the format
/// documentation.
#[utoipa::path(
    get,
    path = "/v1/proofs/state/{key}",
    tag = "proofs",
    params(("key" = String, Path, description = "Raw key of the state, hex")),
    responses((status = 200, description = "The bundle", body = Vec<u8>,
        content_type = "application/cbor"))
)]
pub(super) async fn state(
    State(service): State<Shared>,
    reader: Reader,
    Parsed(key): Parsed<String>,
) -> Answer<Response> {
    let short = key.len() <= 2 * KEY_BYTES_MAX;
    let key = hex::decode(key).ok().filter(|_| short);
    let wrong = || ApiError::from(Failure::InvalidPath).about("key");
    bundle(&service, reader, Question::State { key: key.ok_or_else(wrong)? }).await
}

/// Prove a receipt
///
/// A final transaction, its place in its block, and what came of it.
#[utoipa::path(
    get,
    path = "/v1/proofs/receipts/{id}",
    tag = "proofs",
    params(("id" = TxHex, Path, description = "Id of the transaction")),
    responses((status = 200, description = "The bundle", body = Vec<u8>,
        content_type = "application/cbor"))
)]
pub(super) async fn receipt(
    State(service): State<Shared>,
    reader: Reader,
    Parsed(id): Parsed<TxHex>,
) -> Answer<Response> {
    bundle(&service, reader, Question::Receipt { transaction: *id }).await
}

/// Prove a run of a trigger
///
/// That it ran in the block at a height, and what came of it.
#[utoipa::path(
    get,
    path = "/v1/proofs/runs/{trigger}/{height}",
    tag = "proofs",
    params(
        ("trigger" = TriggerHex, Path, description = "The trigger"),
        ("height" = u64, Path, description = "Height of the block"),
    ),
    responses((status = 200, description = "The bundle", body = Vec<u8>,
        content_type = "application/cbor"))
)]
pub(super) async fn run(
    State(service): State<Shared>,
    reader: Reader,
    Parsed((trigger, height)): Parsed<(TriggerHex, u64)>,
) -> Answer<Response> {
    bundle(&service, reader, Question::Run { trigger: *trigger, height }).await
}

async fn bundle(service: &Shared, reader: Reader, question: Question) -> Answer<Response> {
    let shown = shown(service, &question).await?;
    // Where each peer keeps all, there is nothing to fetch and nobody to wait for.
    if let Shown::Stream(stream) = shown
        && service.query.placement(&stream)?.is_some()
    {
        let (needed, reader) = (question.clone(), reader.clone());
        let find = move |service: &Service| {
            // Nobody has a peer fetch what it may not see.
            let head = service.query.stream_head(&stream)?;
            service.permit_on(&reader, Right::Read, &Service::property_of(&head))?;
            Ok(service.query.lacking_for(&needed)?)
        };
        service.gather(find).await?;
    }
    let prepared = service.query.prepare(question);
    let prepared = within(PATIENCE, Failure::ProofNotReady, prepared).await??;
    // Decided last: a block that ends the reader's right may have come while this waited.
    let make = move |service: &Service| {
        match &shown {
            Shown::Stream(stream) => service.permit_stream(&reader, stream)?,
            Shown::Key(key) => service.permit_key(&reader, key)?,
            Shown::Transaction(transaction) => service.permit_batches(&reader, transaction)?,
            Shown::Run => {}
        }
        Ok(prepared.bundle()?)
    };
    let bytes = service.read(make).await?;
    Ok(([(header::CONTENT_TYPE, CBOR)], bytes).into_response())
}

/// What a bundle shows that an owner may have a say about.
enum Shown {
    Stream(StreamId),
    Key(Vec<u8>),
    Transaction(Box<Transaction>),
    /// Whom its owner lets read a stream has no bearing on it: a run brings no readings.
    Run,
}

async fn shown(service: &Shared, question: &Question) -> Answer<Shown> {
    Ok(match question {
        Question::Reading { stream, .. }
        | Question::Range { stream, .. }
        | Question::Aggregate { stream, .. } => Shown::Stream(*stream),
        Question::State { key } => Shown::Key(key.clone()),
        Question::Run { .. } => Shown::Run,
        Question::Receipt { transaction } => match service.query.transaction(transaction).await? {
            TransactionState::Final { transaction, .. }
            | TransactionState::Waiting(transaction) => Shown::Transaction(Box::new(transaction)),
        },
    })
}

/// The interval asked for; none for the whole stream.
fn interval(range: &query::Range) -> Answer<Option<Interval>> {
    let by_time = range.from.is_some() || range.until.is_some();
    let by_seq = range.first_seq.is_some() || range.last_seq.is_some();
    let wrong = |reason| {
        let field = if by_time { "from" } else { "first_seq" };
        Err(ApiError::from(Failure::InvalidQuery).about(field).because(reason))
    };
    let (interval, ascends) = match (by_seq, by_time) {
        (false, false) => return Ok(None),
        (true, true) => return wrong("sequence numbers or times expected, not both"),
        (true, false) => {
            let (first, last) = (range.first_seq.unwrap_or(0), range.last_seq.unwrap_or(u64::MAX));
            (Interval::Seq { first, last }, first <= last)
        }
        (false, true) => {
            let first_ms = range.from.map_or(i64::MIN, |from| from.0);
            let last_ms = range.until.map_or(i64::MAX, |until| until.0);
            (Interval::Time { first_ms, last_ms }, first_ms <= last_ms)
        }
    };
    if ascends { Ok(Some(interval)) } else { wrong("it must not be above the end") }
}
