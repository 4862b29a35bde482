use althing_types::Refusal;

/// Why a publish is not taken; nothing of it is kept. Each says what to do next.
///
/// Text from the device is cut to [`QUOTED_CHARS_MAX`] characters before it is quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No profile's pattern fits the topic.
    #[error(
        "no profile fits topic `{topic}`; publish to althing/<thing>/<property>, or add a profile with a pattern for it to the gateway's configuration"
    )]
    NoProfile {
        /// The topic.
        topic: String,
    },
    /// The topic or payload names no thing, or one that this gateway does not serve.
    #[error(
        "this gateway serves no thing `{thing}`; register it and bind it to this gateway, which serves it then"
    )]
    UnknownThing {
        /// The name; empty if none was given.
        thing: String,
    },
    /// The client may not publish to the topic.
    #[error(
        "this client may not publish to `{topic}`; whoever runs the gateway gives rights in [gateway.mqtt] of its configuration"
    )]
    NotAllowed {
        /// The topic.
        topic: String,
    },
    /// The thing was bound to this gateway until a height that the ledger has reached.
    #[error(
        "the binding of thing `{thing}` to this gateway has ended; its owner must renew it: althing thing bind"
    )]
    BindingEnded {
        /// The thing.
        thing: String,
    },
    /// The ledger shuts the thing out.
    #[error(
        "thing `{thing}` is in quarantine: its owner, or enough others, say that it is not itself; once it is mended they let it in again: althing thing release"
    )]
    ShutOut {
        /// The thing.
        thing: String,
    },
    /// The thing has no such property.
    #[error("thing `{thing}` has no property `{property}`; see its Thing Description")]
    UnknownProperty {
        /// The thing.
        thing: String,
        /// The name; empty if none was given.
        property: String,
    },
    /// The payload is not of the form that the profile expects.
    #[error("payload of topic `{topic}`: {detail}")]
    Malformed {
        /// The topic.
        topic: String,
        /// What is wrong, and where.
        detail: String,
    },
    /// The payload is longer than [`Limits::payload_bytes_max`](crate::Limits).
    #[error("payload of {len} bytes, but at most {max} are taken; send fewer readings at a time")]
    TooLarge {
        /// Bytes given.
        len: usize,
        /// Bytes taken.
        max: usize,
    },
    /// A value is not of the property's type, range or quantum.
    #[error("property `{property}`: {detail}; see the Thing Description")]
    SchemaMismatch {
        /// The property.
        property: String,
        /// What does not fit.
        detail: String,
    },
    /// The payload states another unit than the Thing Description.
    #[error(
        "property `{property}` is in `{expected}`, the payload says `{given}`; convert on the device"
    )]
    UnitMismatch {
        /// The property.
        property: String,
        /// Unit of the description.
        expected: String,
        /// Unit of the payload.
        given: String,
    },
    /// The claimed time is before 1970 or too far ahead of the gateway's clock.
    #[error(
        "the claimed time is {} s from the gateway's clock, too far; set the device's clock, or send no time",
        claimed_ms.abs_diff(*received_ms) / 1000
    )]
    TimeOutOfRange {
        /// Time in the payload, milliseconds since 1970.
        claimed_ms: i64,
        /// The gateway's time.
        received_ms: i64,
    },
    /// The queue is full: back-pressure, nothing is dropped.
    #[error(
        "the gateway holds as many unfinalized readings as it may ({what}); check its connection to the peer, then publish again"
    )]
    QueueFull {
        /// Which bound was reached.
        what: &'static str,
    },
    /// The gateway has never heard from a peer where this stream stands.
    #[error(
        "the gateway does not know yet where stream of `{thing}`/`{property}` stands on the ledger; it needs to reach a peer once, then publish again"
    )]
    StreamNotReady {
        /// The thing.
        thing: String,
        /// The property.
        property: String,
    },
    /// The ledger refuses the readings of the stream that wait already, and would refuse this one.
    #[error(
        "the ledger refuses the readings of `{thing}`/`{property}` that wait already: {refusal} Then publish again"
    )]
    Held {
        /// The thing.
        thing: String,
        /// The property.
        property: String,
        /// Why.
        refusal: Refusal,
    },
    /// The owner wants the signature of the thing's device under its readings.
    #[error(
        "readings of `{thing}` count only in packs that its device signed; publish those, as the device made them"
    )]
    Unsigned {
        /// The thing.
        thing: String,
    },
    /// A pack with a signature that nobody asks for.
    #[error(
        "thing `{thing}` has no device that signs its readings; its owner binds the device to it and describes it with \"althing:signing\": \"device\""
    )]
    NotSigning {
        /// The thing.
        thing: String,
    },
    /// The signature of a pack is not that of the thing's device.
    #[error(
        "the pack is not signed by the device of `{thing}` under its present key, for this ledger and stream"
    )]
    BadSignature {
        /// The thing.
        thing: String,
    },
    /// The numbers of a pack were used before, or are too far ahead.
    #[error(
        "the pack begins with number {first_seq}, the stream goes on at {next_seq}: what was sent with lower numbers has arrived, and new readings need numbers from there on"
    )]
    Sequence {
        /// First number of the pack.
        first_seq: u64,
        /// Next number of the stream.
        next_seq: u64,
    },
    /// The gateway is shutting down, or its disk does not take writes.
    #[error("the gateway takes no readings now: {reason}")]
    Unavailable {
        /// Why.
        reason: &'static str,
    },
}

/// Most characters of a device's text in a message.
pub const QUOTED_CHARS_MAX: usize = 64;

/// Text from a device, cut for a message.
pub(crate) fn quote(text: &str) -> String {
    text.chars().take(QUOTED_CHARS_MAX).collect()
}

impl Rejection {
    /// The client may not publish to a topic.
    #[must_use]
    pub fn not_allowed(topic: &str) -> Self {
        Self::NotAllowed { topic: quote(topic) }
    }

    /// Whether the same publish can be taken later: it is not the device's fault.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::QueueFull { .. }
                | Self::StreamNotReady { .. }
                | Self::Held { .. }
                | Self::Unavailable { .. }
        )
    }

    /// The stable code, one of the ledger's where the reason is the same.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoProfile { .. } => "no_profile",
            Self::UnknownThing { .. } => "unknown_thing",
            Self::NotAllowed { .. } => "not_allowed",
            Self::BindingEnded { .. } => "binding_expired",
            Self::ShutOut { .. } => "quarantined",
            Self::UnknownProperty { .. } => "unknown_stream",
            Self::Malformed { .. } => "malformed",
            Self::TooLarge { .. } => "too_large",
            Self::SchemaMismatch { .. } => "schema_mismatch",
            Self::UnitMismatch { .. } => "unit_mismatch",
            Self::TimeOutOfRange { .. } => "time_out_of_range",
            Self::QueueFull { .. } => "queue_full",
            Self::StreamNotReady { .. } => "not_ready",
            Self::Held { .. } => "held",
            Self::Unavailable { .. } => "unavailable",
            Self::Unsigned { .. } => "unsigned",
            Self::NotSigning { .. } => "not_signing",
            Self::BadSignature { .. } => "device_signature",
            Self::Sequence { .. } => "sequence",
        }
    }
}
