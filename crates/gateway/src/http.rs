//! HTTP for devices: a POST of readings is answered once they are durable.
//!
//! ```text
//! POST /althing/pump/temperature    Authorization: Bearer TOKEN     21.5, JSON, SenML, signed pack
//! GET  /althing/pump/temperature                                    what was taken last
//! POST /.well-known/althing/direct                                  a signed request, and proofs
//! ```
//! The path is the topic, so that profiles work as with MQTT. A pack that the thing's device signed
//! needs no token: its signature says who it is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use althing_edge::broker::filter::is_topic_name;
use althing_edge::direct::{self, NotServed};
use althing_edge::{Rejection, is_cose_sign1};
use althing_types::blake3_digest;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::StartError;
use crate::coap::{Anonymous, Device, from, is_of, raised};
use crate::direct::Direct;
use crate::door::Door;
use crate::gateway::Handle;

/// Most headers of a request.
const HEADERS_MAX: usize = 32;
/// Longest direct request with its proofs, bytes of JSON.
const DIRECT_BODY_BYTES_MAX: usize = 1024 * 1024;
/// Longest topic, bytes.
const TOPIC_BYTES_MAX: usize = althing_edge::TOPIC_BYTES_MAX;
/// How long to wait after accepting failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// After which time a device should try again, seconds.
const RETRY_S: &str = "5";

/// What an HTTP listener needs.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Where to listen; port 0 lets the system choose. There is no TLS: listen where only devices
    /// are, or behind a proxy.
    pub listen: SocketAddr,
    /// Who may come with a token.
    pub devices: Vec<Device>,
    /// Who may come without.
    pub anonymous: Anonymous,
    /// Longest body, bytes.
    pub body_bytes_max: usize,
    /// Most connections; a further one is closed.
    pub connections_max: usize,
    /// How long the head of a request, and its body, may take each.
    pub read_timeout: Duration,
    /// How long a connection may last.
    pub connection_timeout: Duration,
}

/// A running HTTP listener; dropping it ends it.
#[derive(Debug)]
pub struct Http {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Http {
    /// Listens, for a gateway that runs.
    ///
    /// # Errors
    /// [`StartError::Listen`].
    pub async fn start(config: HttpConfig, gateway: &Handle) -> Result<Self, StartError> {
        let address = config.listen;
        let listen = |source| StartError::Listen { address, source };
        let socket = TcpListener::bind(address).await.map_err(listen)?;
        let address = socket.local_addr().map_err(listen)?;
        let (door, direct) = (gateway.door().clone(), gateway.direct().cloned());
        let served = Arc::new(Serving { door, direct, config });
        tracing::info!(%address, "gateway listens for HTTP");
        Ok(Self { address, task: tokio::spawn(served.run(socket)) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Serving {
    door: Door,
    direct: Option<Arc<Direct>>,
    config: HttpConfig,
}

impl Serving {
    async fn run(self: Arc<Self>, socket: TcpListener) {
        let free = Arc::new(Semaphore::new(self.config.connections_max));
        let mut stopping = self.door.stopping();
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = raised(&mut stopping) => return,
                Some(_) = connections.join_next() => {}
                accepted = socket.accept() => match accepted {
                    Ok((stream, address)) => if let Ok(permit) = free.clone().try_acquire_owned() {
                        let served = self.clone();
                        connections.spawn(async move {
                            served.serve(stream, address).await;
                            drop(permit);
                        });
                    },
                    Err(error) => {
                        tracing::warn!(%error, "failed to accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, address: SocketAddr) {
        let lasting = self.config.connection_timeout;
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(self.config.read_timeout)
            .max_headers(HEADERS_MAX);
        let service = service_fn(move |request| {
            let served = self.clone();
            async move { Ok::<_, std::convert::Infallible>(served.answer(request, address).await) }
        });
        // A client that breaks off, or stays too long, is no concern of the others.
        let _ = timeout(lasting, builder.serve_connection(TokioIo::new(stream), service)).await;
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        address: SocketAddr,
    ) -> Response<Full<Bytes>> {
        if request.uri().path().strip_prefix('/') == Some(direct::PATH) {
            return self.direct(request).await;
        }
        let topic = request.uri().path().trim_start_matches('/').to_owned();
        if !is_topic_name(&topic) || topic.len() > TOPIC_BYTES_MAX || topic.contains('%') {
            let detail = "the path is the topic, plain and without wildcards";
            return problem(StatusCode::NOT_FOUND, "no_topic", detail);
        }
        let device = match self.device(&request) {
            Ok(device) => device,
            Err(()) => {
                return problem(StatusCode::UNAUTHORIZED, "token", "this token is not known");
            }
        };
        if request.method() == Method::GET {
            return self.latest(device, &topic).await;
        }
        if request.method() != Method::POST {
            let detail = "GET what was taken last, or POST readings";
            return problem(StatusCode::METHOD_NOT_ALLOWED, "method", detail);
        }
        let body = Limited::new(request.into_body(), self.config.body_bytes_max).collect();
        let payload = match timeout(self.config.read_timeout, body).await {
            Ok(Ok(body)) => body.to_bytes().to_vec(),
            Ok(Err(_)) => {
                let detail = "the body is too long or broken off; send fewer readings at a time";
                return problem(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail);
            }
            Err(_) => {
                let detail = "the body took too long";
                return problem(StatusCode::REQUEST_TIMEOUT, "timeout", detail);
            }
        };
        let anonymous = match self.config.anonymous {
            // What cannot be signed is told to bring a token.
            Anonymous::Signed if !is_cose_sign1(&payload) => Anonymous::Nobody,
            anonymous => anonymous,
        };
        let Some(from) = from(device, anonymous, &topic, || format!("http:{address}")) else {
            return forbidden(device);
        };
        match self.door.publish(from, topic, payload).await {
            Ok(()) => status(StatusCode::NO_CONTENT),
            Err(rejection) => refused(&rejection),
        }
    }

    /// Serves a direct request, or says to whom requests are to be made out.
    async fn direct(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let Some(direct) = &self.direct else {
            return not_served(&NotServed::Off);
        };
        if request.method() == Method::GET {
            return json(direct.identity_json());
        }
        if request.method() != Method::POST {
            let detail = "GET who the gateway is, or POST a request";
            return problem(StatusCode::METHOD_NOT_ALLOWED, "method", detail);
        }
        let body = Limited::new(request.into_body(), DIRECT_BODY_BYTES_MAX).collect();
        let Ok(Ok(body)) = timeout(self.config.read_timeout, body).await else {
            let detail = "the body is too long, too slow or broken off";
            return problem(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail);
        };
        match direct.serve_json(&body.to_bytes()).await {
            Ok(answer) => json(answer),
            Err(why) => not_served(&why),
        }
    }

    async fn latest(&self, device: Option<&Device>, topic: &str) -> Response<Full<Bytes>> {
        let may = match device {
            Some(device) => is_of(&device.topics, topic),
            None => self.config.anonymous == Anonymous::Anybody,
        };
        if !may {
            return forbidden(device);
        }
        match self.door.latest(topic).await {
            Some(senml) => with_body(StatusCode::OK, "application/senml+json", senml),
            None => problem(StatusCode::NOT_FOUND, "nothing", "nothing was taken here yet"),
        }
    }

    /// The device whose token a request bears; none without a token.
    fn device(&self, request: &Request<Incoming>) -> Result<Option<&Device>, ()> {
        let Some(value) = request.headers().get(AUTHORIZATION) else { return Ok(None) };
        let token = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer ")).ok_or(())?;
        // Digests are compared, so that the time it takes tells nothing of the token.
        let given = blake3_digest(token.as_bytes());
        let is_it = |device: &&Device| blake3_digest(&device.secret) == given;
        self.config.devices.iter().find(is_it).map(Some).ok_or(())
    }
}

fn json(text: String) -> Response<Full<Bytes>> {
    with_body(StatusCode::OK, "application/json", text)
}

fn not_served(why: &NotServed) -> Response<Full<Bytes>> {
    let code = match why {
        NotServed::NoProofs | NotServed::Stale => StatusCode::UNAUTHORIZED,
        NotServed::Malformed => StatusCode::BAD_REQUEST,
        NotServed::Off | NotServed::UnknownThing => StatusCode::NOT_FOUND,
        NotServed::Repeated => StatusCode::CONFLICT,
        NotServed::Busy => StatusCode::SERVICE_UNAVAILABLE,
        NotServed::Elsewhere
        | NotServed::Time
        | NotServed::BadInput(_)
        | NotServed::BadProof(_) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::FORBIDDEN,
    };
    let mut answer = problem(code, why.code(), &why.to_string());
    if code == StatusCode::SERVICE_UNAVAILABLE {
        answer.headers_mut().insert(RETRY_AFTER, hyper::header::HeaderValue::from_static(RETRY_S));
    }
    answer
}

fn forbidden(device: Option<&Device>) -> Response<Full<Bytes>> {
    match device {
        Some(_) => problem(StatusCode::FORBIDDEN, "topic", "this device may not use this topic"),
        None => problem(StatusCode::UNAUTHORIZED, "token", "send Authorization: Bearer TOKEN"),
    }
}

fn refused(rejection: &Rejection) -> Response<Full<Bytes>> {
    let code = match rejection {
        rejection if rejection.is_temporary() => StatusCode::SERVICE_UNAVAILABLE,
        Rejection::NoProfile { .. }
        | Rejection::UnknownThing { .. }
        | Rejection::UnknownProperty { .. } => StatusCode::NOT_FOUND,
        Rejection::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Rejection::Malformed { .. } => StatusCode::BAD_REQUEST,
        Rejection::Sequence { .. } => StatusCode::CONFLICT,
        Rejection::BindingEnded { .. }
        | Rejection::ShutOut { .. }
        | Rejection::Unsigned { .. }
        | Rejection::NotSigning { .. }
        | Rejection::BadSignature { .. } => StatusCode::FORBIDDEN,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let mut answer = problem(code, rejection.code(), &rejection.to_string());
    if code == StatusCode::SERVICE_UNAVAILABLE {
        answer.headers_mut().insert(RETRY_AFTER, hyper::header::HeaderValue::from_static(RETRY_S));
    }
    answer
}

/// A refusal in the form of RFC 9457.
fn problem(status: StatusCode, code: &str, detail: &str) -> Response<Full<Bytes>> {
    let title = status.canonical_reason().unwrap_or_default();
    let body = serde_json::json!({
        "title": title, "status": status.as_u16(), "code": code, "detail": detail,
    });
    with_body(status, "application/problem+json", body.to_string())
}

fn with_body(code: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = code;
    answer.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    answer
}

fn status(code: StatusCode) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::new()));
    *answer.status_mut() = code;
    answer
}
