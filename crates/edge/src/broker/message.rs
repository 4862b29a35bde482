use std::sync::Arc;

use crate::Principal;

/// How surely a message is to arrive (MQTT 5 §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Qos {
    /// Perhaps.
    AtMostOnce,
    /// Surely, perhaps more than once.
    AtLeastOnce,
    /// Surely and once.
    ExactlyOnce,
}

impl Qos {
    /// The quality of this number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }

    /// Its number, 0 to 2.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// A published message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its topic name.
    pub topic: String,
    /// Its payload.
    pub payload: Vec<u8>,
    /// The quality it was published with.
    pub qos: Qos,
    /// Whether later subscribers get it too.
    pub retain: bool,
    /// What goes along with it, in a form that only publisher and subscriber need to know.
    pub properties: Vec<u8>,
    /// When it is delivered no more, milliseconds since 1970; never if none.
    pub expires_ms: Option<i64>,
}

/// What a message costs in memory beside its bytes: keys, counts and pointers.
const MESSAGE_OVERHEAD_BYTES: usize = 128;

impl Message {
    /// Whether it is to be delivered no more.
    #[must_use]
    pub fn is_expired(&self, now: i64) -> bool {
        self.expires_ms.is_some_and(|expires| expires <= now)
    }

    /// What it counts against a bound, bytes.
    pub(super) fn cost(&self) -> usize {
        let bytes = self.topic.len().saturating_add(self.payload.len());
        bytes.saturating_add(self.properties.len()).saturating_add(MESSAGE_OVERHEAD_BYTES)
    }
}

/// A message with its publisher, shared by all who get it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Published {
    pub(super) message: Message,
    /// None is the gateway itself.
    pub(super) by: Option<Principal>,
}

/// A message on its way to one subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delivery {
    pub(super) published: Arc<Published>,
    pub(super) qos: Qos,
    pub(super) retain: bool,
    /// Identifiers of the subscriptions that it is for.
    pub(super) subscription_ids: Vec<u32>,
}
