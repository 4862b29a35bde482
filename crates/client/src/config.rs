use std::time::Duration;

/// Where the peer is and how long to wait for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Address of the interface, such as `http://127.0.0.1:8080`.
    pub url: String,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long to wait for an answer. Waiting for a transaction is not counted.
    pub answer_timeout: Duration,
    /// Longest silence on an event stream, which peers break every
    /// [`EVENT_KEEP_ALIVE`](crate::model::EVENT_KEEP_ALIVE).
    pub event_silence_max: Duration,
}

impl Config {
    /// Waits that suit a network in reach: 2 s to connect, 10 s for an answer, 40 s of silence.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            connect_timeout: Duration::from_secs(2),
            answer_timeout: Duration::from_secs(10),
            event_silence_max: Duration::from_secs(40),
        }
    }
}
