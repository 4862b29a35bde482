use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use althing_types::{Transaction, TxId};
use bytes::{Bytes, BytesMut};
use reqwest::{RequestBuilder, Response, Url, header};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Config, Error, ReadingAs, Submission,
    model::{
        self, Admission, Admissions, HEIGHT_HEADER, Health, MIN_HEIGHT_HEADER, Outcome, Problem,
        WAIT_MAX, query,
    },
    operating::act_purpose,
    reading::Tokens,
    submission,
};

/// Longest answer read, bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A client of one peer's interface; clones share its connections.
///
/// A client reads its own writes: once a transaction is known to be final at a height, the peer is
/// asked to answer from that height or later.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    config: Arc<Config>,
    heights: Arc<Heights>,
    /// Who it reads as, if it says so.
    tokens: Option<Arc<Tokens>>,
}

#[derive(Debug, Default)]
struct Heights {
    /// The highest the peer has answered from.
    peer: AtomicU64,
    /// The highest at which a transaction of this client became final.
    own: AtomicU64,
}

impl Client {
    /// A client for a peer; nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Address`] if the address is not one of HTTP.
    pub fn new(config: Config) -> Result<Self, Error> {
        let wrong = || Error::Address(config.url.clone());
        let base = Url::parse(&config.url).map_err(|_| wrong())?;
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            return Err(wrong());
        }
        let http = reqwest::Client::builder()
            .connect_timeout(config.connect_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|source| Error::Request { url: config.url.clone(), source })?;
        Ok(Self { http, base, config: Arc::new(config), heights: Arc::default(), tokens: None })
    }

    /// A client of the same peer that says with each read who it is. Grants are held to what the peer
    /// says of itself: ask a peer that you know.
    #[must_use]
    pub fn reading_as(&self, who: ReadingAs) -> Self {
        Self { tokens: Some(Arc::new(Tokens::new(who))), ..self.clone() }
    }

    /// The request with a token, if this client says who it is.
    async fn authorised(&self, request: RequestBuilder) -> Result<RequestBuilder, Error> {
        Ok(match self.tokens().await?.and_then(Tokens::bearer) {
            Some(bearer) => request.header(header::AUTHORIZATION, bearer),
            None => request,
        })
    }

    /// Who this client says it is, once it knows which peer it asks.
    async fn tokens(&self) -> Result<Option<&Tokens>, Error> {
        let Some(tokens) = self.tokens.as_deref() else { return Ok(None) };
        if !tokens.knows_peer() {
            let (url, after) = (self.at("v1/status"), self.config.answer_timeout);
            let answer = self.http.get(url.clone()).timeout(after).send().await;
            let answer = self.check(answer, &url, after).await?;
            let status: model::Status = read_json(answer, &url).await?;
            tokens.learn(status.ledger.0, status.key.0.0);
        }
        Ok(Some(tokens))
    }

    /// Posts bytes as an act of an operator: with a token of this one request.
    pub(crate) async fn act(&self, path: &str, body: Vec<u8>) -> Result<Response, Error> {
        let url = self.at(path);
        let purpose = act_purpose("POST", &format!("/{path}"), &body);
        let bearer = self.tokens().await?.and_then(|tokens| tokens.once(purpose));
        let mut request = self.http.post(url.clone()).body(body);
        if let Some(bearer) = bearer {
            request = request.header(header::AUTHORIZATION, bearer);
        }
        self.send(request, &url, Duration::ZERO).await
    }

    /// Where the peer is.
    #[must_use]
    pub fn url(&self) -> &str {
        self.base.as_str()
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The highest height the peer has answered from; 0 before the first answer.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.heights.peer.load(Ordering::Relaxed)
    }

    /// From now on, reads from this height or later.
    pub fn read_from(&self, height: u64) {
        self.heights.own.fetch_max(height, Ordering::Relaxed);
    }

    /// Submits a transaction and its payloads; returns when it is admitted, before it is final.
    ///
    /// # Errors
    /// [`Error::Refused`] with the reason if it was not admitted.
    pub async fn submit(&self, submission: &Submission) -> Result<TxId, Error> {
        let admissions = self.submit_many(std::slice::from_ref(submission)).await?;
        admitted(admissions.into_iter().next(), self.url()).map(|admission| admission.id.0)
    }

    /// Submits transactions; says of each, in order, whether it was admitted.
    ///
    /// # Errors
    /// [`Error`] if the request as a whole failed.
    pub async fn submit_many(&self, submissions: &[Submission]) -> Result<Vec<Admission>, Error> {
        self.post(submissions, None).await
    }

    /// Submits a transaction and its payloads and waits until it is final.
    ///
    /// # Errors
    /// [`Error::Refused`] if it was not admitted; [`Error::Timeout`] if it is not final in time,
    /// which says nothing about what will become of it. A transaction that is final without effect
    /// is no error: see its receipt.
    pub async fn finalize(
        &self,
        submission: &Submission,
        timeout: Duration,
    ) -> Result<Outcome, Error> {
        let started = Instant::now();
        let admissions = self.post(std::slice::from_ref(submission), Some(timeout)).await?;
        let admission = admitted(admissions.into_iter().next(), self.url())?;
        match admission.outcome {
            Some(outcome) => Ok(outcome),
            None => self.wait(admission.id.0, timeout.saturating_sub(started.elapsed())).await,
        }
    }

    /// Submits transactions and waits until those admitted are final, or the time is up.
    ///
    /// # Errors
    /// [`Error`] if the request as a whole failed.
    pub async fn finalize_many(
        &self,
        submissions: &[Submission],
        timeout: Duration,
    ) -> Result<Vec<Admission>, Error> {
        self.post(submissions, Some(timeout)).await
    }

    /// Signs nothing, sends one signed transaction without payloads and waits until it is final.
    ///
    /// # Errors
    /// As [`finalize`](Self::finalize).
    pub async fn finalize_transaction(
        &self,
        transaction: &Transaction,
        timeout: Duration,
    ) -> Result<Outcome, Error> {
        self.finalize(&Submission::from(transaction), timeout).await
    }

    /// Waits until a transaction is final.
    ///
    /// # Errors
    /// [`Error::Refused`] if the peer does not know it; [`Error::Timeout`] if it is not final in
    /// time.
    pub async fn wait(&self, id: TxId, timeout: Duration) -> Result<Outcome, Error> {
        let path = format!("v1/transactions/{id}");
        let started = Instant::now();
        loop {
            let left = timeout.saturating_sub(started.elapsed());
            let query = waiting(left);
            let url = self.at(&path);
            let request = self.http.get(url.clone()).query(&query);
            let answer = self.send(request, &url, wait_of(&query)).await?;
            let transaction: model::Transaction = read_json(answer, &url).await?;
            if let Some(outcome) = transaction.outcome {
                self.read_from(outcome.height);
                return Ok(outcome);
            }
            if started.elapsed() >= timeout {
                return Err(Error::Timeout { url: url.into(), after: timeout });
            }
        }
    }

    async fn post(
        &self,
        submissions: &[Submission],
        wait: Option<Duration>,
    ) -> Result<Vec<Admission>, Error> {
        let query = wait.map(waiting).unwrap_or_default();
        let url = self.at("v1/transactions");
        let request = self
            .http
            .post(url.clone())
            .query(&query)
            .header(header::CONTENT_TYPE, submission::CBOR_MEDIA_TYPE)
            .body(submission::encode(submissions));
        let answer = self.send(request, &url, wait_of(&query)).await?;
        let admissions: Admissions = read_json(answer, &url).await?;
        let outcomes = admissions.transactions.iter().filter_map(|one| one.outcome.as_ref());
        outcomes.for_each(|outcome| self.read_from(outcome.height));
        Ok(admissions.transactions)
    }

    /// Posts JSON, in the name of whom this client reads as; the answer is JSON, or nothing is read of it.
    pub(crate) async fn post_json(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Response, Error> {
        let url = self.at(path);
        let request = self.authorised(self.http.post(url.clone()).json(body)).await?;
        self.send(request, &url, Duration::ZERO).await
    }

    pub(crate) async fn post_cbor<T: DeserializeOwned>(
        &self,
        path: &str,
        body: Vec<u8>,
    ) -> Result<T, Error> {
        self.post_cbor_with(path, &[(); 0], body).await
    }

    pub(crate) async fn post_cbor_with<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &(impl Serialize + ?Sized),
        body: Vec<u8>,
    ) -> Result<T, Error> {
        let url = self.at(path);
        let request = self
            .http
            .post(url.clone())
            .query(query)
            .header(header::CONTENT_TYPE, submission::CBOR_MEDIA_TYPE)
            .body(body);
        let answer = self.send(request, &url, Duration::ZERO).await?;
        read_json(answer, &url).await
    }

    pub(crate) fn at(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        url
    }

    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &impl Serialize,
    ) -> Result<T, Error> {
        self.get_at(self.at(path), query).await
    }

    pub(crate) async fn get_at<T: DeserializeOwned>(
        &self,
        url: Url,
        query: &impl Serialize,
    ) -> Result<T, Error> {
        let answer = self.get_answer(&url, query).await?;
        read_json(answer, &url).await
    }

    pub(crate) async fn get_bytes(
        &self,
        path: &str,
        query: &impl Serialize,
    ) -> Result<Bytes, Error> {
        let url = self.at(path);
        let answer = self.get_answer(&url, query).await?;
        read_bytes(answer, &url).await
    }

    async fn get_answer(&self, url: &Url, query: &impl Serialize) -> Result<Response, Error> {
        let request = self.authorised(self.http.get(url.clone()).query(query)).await?;
        self.send(request, url, Duration::ZERO).await
    }

    /// Opens an answer that goes on without end.
    pub(crate) async fn open(&self, path: &str, query: &impl Serialize) -> Result<Response, Error> {
        let url = self.at(path);
        let request = self.authorised(self.http.get(url.clone()).query(query)).await?;
        let after = self.config.answer_timeout;
        match tokio::time::timeout(after, request.send()).await {
            Ok(answer) => self.check(answer, &url, after).await,
            Err(_) => Err(Error::Timeout { url: url.into(), after }),
        }
    }

    /// Asks a question whose answer is JSON by sending canonical CBOR.
    pub(crate) async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: Vec<u8>,
    ) -> Result<T, Error> {
        let url = self.at(path);
        let request = self
            .http
            .post(url.clone())
            .header(header::CONTENT_TYPE, submission::CBOR_MEDIA_TYPE)
            .body(body);
        let answer = self.send(request, &url, Duration::ZERO).await?;
        read_json(answer, &url).await
    }

    async fn send(
        &self,
        request: RequestBuilder,
        url: &Url,
        wait: Duration,
    ) -> Result<Response, Error> {
        let after = self.config.answer_timeout + wait;
        let request = match self.heights.own.load(Ordering::Relaxed) {
            0 => request,
            height => request.header(MIN_HEIGHT_HEADER, height),
        };
        self.check(request.timeout(after).send().await, url, after).await
    }

    async fn check(
        &self,
        answer: reqwest::Result<Response>,
        url: &Url,
        after: Duration,
    ) -> Result<Response, Error> {
        let answer = self.note(answer.map_err(|source| failed(source, url, after))?);
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        match read_json::<Problem>(answer, url).await {
            Ok(problem) => Err(problem.into()),
            Err(Error::Form { .. }) => {
                let what = format!("status {status} without a problem; is this a peer?");
                Err(Error::Form { url: url.to_string(), what })
            }
            Err(other) => Err(other),
        }
    }

    /// Remembers the height an answer came from.
    fn note(&self, answer: Response) -> Response {
        let height = answer.headers().get(HEIGHT_HEADER);
        if let Some(height) = height.and_then(|value| value.to_str().ok()?.parse().ok()) {
            self.heights.peer.fetch_max(height, Ordering::Relaxed);
        }
        answer
    }

    /// Whether the peer can serve, and if not, why. A peer that is not well says so; that is no
    /// error.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn health(&self) -> Result<Health, Error> {
        let (url, after) = (self.at("v1/health"), self.config.answer_timeout);
        // Asked without a height: a peer that is behind is to say so here, not to wait.
        let answer = self.http.get(url.clone()).timeout(after).send().await;
        // The status of the answer is that of the peer.
        read_json(self.note(answer.map_err(|source| failed(source, &url, after))?), &url).await
    }
}

fn admitted(admission: Option<Admission>, url: &str) -> Result<Admission, Error> {
    let form = |what: &str| Error::Form { url: url.to_owned(), what: what.to_owned() };
    let admission = admission.ok_or_else(|| form("no transaction in the answer"))?;
    match admission.problem {
        Some(problem) => Err(problem.into()),
        None => Ok(admission),
    }
}

fn waiting(timeout: Duration) -> query::Wait {
    let timeout_ms = u64::try_from(timeout.min(WAIT_MAX).as_millis()).ok();
    query::Wait { wait: Some(query::WaitFor::Finalized), timeout_ms }
}

fn wait_of(query: &query::Wait) -> Duration {
    Duration::from_millis(query.timeout_ms.unwrap_or(0))
}

fn failed(source: reqwest::Error, url: &Url, after: Duration) -> Error {
    let url = url.to_string();
    if source.is_connect() {
        Error::Connect { url, source }
    } else if source.is_timeout() {
        Error::Timeout { url, after }
    } else {
        Error::Request { url, source }
    }
}

pub(crate) async fn read_json<T: DeserializeOwned>(
    answer: Response,
    url: &Url,
) -> Result<T, Error> {
    let body = read_bytes(answer, url).await?;
    serde_json::from_slice(&body)
        .map_err(|error| Error::Form { url: url.to_string(), what: error.to_string() })
}

async fn read_bytes(mut answer: Response, url: &Url) -> Result<Bytes, Error> {
    let mut body = BytesMut::new();
    let broken = |source| Error::Request { url: url.to_string(), source };
    while let Some(chunk) = answer.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            let what = format!("more than {ANSWER_BYTES_MAX} bytes");
            return Err(Error::Form { url: url.to_string(), what });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
