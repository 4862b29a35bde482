//! MQTT 3.1.1 and 5, server side.
//!
//! ```text
//!  listener ── carrier (TLS, WebSocket) ── connection ── codec
//!                                             │
//!                     admission (who is it)   ├── driver (readings), routes (what is none)
//!                                             └── hub ── broker of `althing-edge`, store on disk
//! ```

mod listener;
pub(crate) use listener::{Carrier, Counters, Listener, Shared};

mod connection;
pub(crate) use connection::Surroundings;

mod incoming;
mod outgoing;

pub(crate) mod codec;
mod frame;

mod admission;
pub(crate) use admission::Admission;

mod hub;
pub(crate) use hub::{Errands, Hub};

mod store;
pub(crate) use store::Store;
pub use store::StoreError;

mod routes;
pub use routes::Routed;
pub(crate) use routes::Routes;

mod addresses;
pub(crate) use addresses::Addresses;

pub(crate) mod tls;
pub use tls::TlsError;

mod websocket;

/// Whether bytes are a CONNECT and then packets that its client may send; for tests with bytes from
/// anywhere.
#[must_use]
pub fn is_mqtt(bytes: &[u8]) -> bool {
    const BYTES_MAX: u32 = 1 << 16;
    let Ok(Some(len)) = codec::first_packet(bytes, BYTES_MAX) else { return false };
    let (first, mut rest) = bytes.split_at(len);
    let Ok(connect) = codec::Connect::read(first) else { return false };
    while let Ok(Some(len)) = frame::next_packet(rest, BYTES_MAX) {
        let (packet, after) = rest.split_at(len);
        if codec::read(connect.level, packet).is_err() {
            return false;
        }
        rest = after;
    }
    rest.is_empty()
}
