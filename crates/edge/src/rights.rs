//! Who a client is, and what it may publish and receive.

use althing_types::EntityId;

/// Who a client is, as its credentials showed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// Somebody who showed nothing.
    Anonymous,
    /// A user of the gateway's configuration, by name.
    User(String),
    /// An entity of the ledger, by a token that its key signed.
    Entity(EntityId),
}
