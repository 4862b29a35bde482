use std::time::Duration;

use crate::model::Problem;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is not one of HTTP.
    #[error("`{0}` is not an address such as http://127.0.0.1:8080")]
    Address(String),
    /// No connection.
    #[error("failed to connect to {url}; is the peer running, and is this its address?")]
    Connect {
        /// Address of the peer.
        url: String,
        /// What failed.
        #[source]
        source: reqwest::Error,
    },
    /// The connection broke, or the request could not be sent.
    #[error("the request to {url} failed")]
    Request {
        /// What was asked for.
        url: String,
        /// What failed.
        #[source]
        source: reqwest::Error,
    },
    /// No answer in time.
    #[error("no answer from {url} within {after:?}")]
    Timeout {
        /// What was asked for.
        url: String,
        /// How long was waited.
        after: Duration,
    },
    /// The peer refused, and said why.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// The answer is not of the form it should have.
    #[error("the answer from {url} is not of the expected form: {what}")]
    Form {
        /// What was asked for.
        url: String,
        /// What does not fit.
        what: String,
    },
}

impl Error {
    /// The problem that the peer stated, if it answered with one.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            _ => None,
        }
    }

    /// The stable code of the problem, such as `nonce_reused`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.problem().map(|problem| problem.code.as_str())
    }

    /// Whether the same request can succeed later, at this peer or another. A transaction can be
    /// sent again without fear: its id and nonce admit it once.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Request { .. } | Self::Timeout { .. } => true,
            Self::Refused(problem) => matches!(problem.status, 408 | 429 | 503 | 504 | 507),
            Self::Address(_) | Self::Form { .. } => false,
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}
