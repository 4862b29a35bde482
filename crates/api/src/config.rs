use std::time::Duration;

/// Bounds of the interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Most requests under way; more are answered `busy`.
    pub requests_max: usize,
    /// Most event streams open.
    pub event_streams_max: usize,
    /// Most connections open; more wait to be accepted.
    pub connections_max: usize,
    /// How long a client may take to send the head of a request.
    pub head_timeout: Duration,
    /// How long a request may take, waiting for a transaction included.
    pub request_timeout: Duration,
    /// How long to let requests finish when the peer stops.
    pub drain_timeout: Duration,
    /// Origins whose pages may call the interface (CORS), such as `https://example.org`; none by
    /// default.
    pub origins: Vec<String>,
    /// Whether `POST /v1/transactions` is served.
    pub writes: bool,
}

impl Config {
    /// Bounds that suit a peer on a small machine.
    #[must_use]
    pub const fn standard() -> Self {
        Self {
            requests_max: 1024,
            event_streams_max: 256,
            connections_max: 2048,
            head_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(40),
            drain_timeout: Duration::from_secs(2),
            origins: Vec::new(),
            writes: true,
        }
    }
}
