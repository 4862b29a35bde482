use std::net::SocketAddr;

use crate::config::ConfigError;

/// Why ordering did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration contradicts itself.
    #[error("the configuration of ordering is not usable")]
    Config(#[from] ConfigError),
    /// Another process listens there.
    #[error("{address} is in use: stop the process that listens there, or choose another address")]
    AddressInUse {
        /// The listen address.
        address: SocketAddr,
    },
    /// The listen address cannot be bound.
    #[error("cannot listen on {address}")]
    Bind {
        /// The listen address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The block store on disk begins with another genesis.
    #[error(
        "the blocks under partition prefix `{partition}` belong to another ledger: \
         choose another data folder, or the genesis they were made with"
    )]
    OtherLedger {
        /// [`Config::partition`](crate::Config::partition).
        partition: String,
    },
    /// The block store on disk cannot be opened.
    #[error("cannot open the block store `{name}` under partition prefix `{partition}`")]
    Archive {
        /// Which of the stores.
        name: &'static str,
        /// [`Config::partition`](crate::Config::partition).
        partition: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The runtime stopped while ordering was starting.
    #[error("the runtime stopped before ordering had started")]
    Stopped,
}
