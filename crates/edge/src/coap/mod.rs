//! CoAP (RFC 7252) as a machine: requests with their retransmissions, blocks and observations in,
//! publishes and messages out.
//!
//! It decides and does not act: [`Endpoint`] takes datagrams with the time and gives back what is to
//! be sent and asked. Nothing an unproven address sends makes it answer with more than three times
//! as much (RFC 9175): such a client is asked to echo first.

mod answer;
mod block;
mod endpoint;
mod message;
mod observe;

use core::net::SocketAddr;

pub use block::Block;
pub use endpoint::{Endpoint, EndpointConfig, EndpointOutput, Ticket};
pub use message::{Code, Kind, MESSAGE_BYTES_MAX, Message, MessageError, option};

/// Where a datagram came from, and whether it was protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Whether it came through DTLS: the address is proven then.
    pub is_secure: bool,
}

/// What a representation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Its content format (RFC 7252 §12.3).
    pub format: u16,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// Plain text.
pub const FORMAT_TEXT: u16 = 0;
/// Links between resources (RFC 6690).
pub const FORMAT_LINKS: u16 = 40;
/// JSON.
pub const FORMAT_JSON: u16 = 50;
/// SenML in JSON.
pub const FORMAT_SENML_JSON: u16 = 110;
/// Forms of a payload that are taken: text, `cose-sign1`, octets, JSON, CBOR, SenML in both.
const FORMATS_TAKEN: [u16; 7] = [FORMAT_TEXT, 18, 42, FORMAT_JSON, 60, FORMAT_SENML_JSON, 112];

#[cfg(test)]
mod tests;
