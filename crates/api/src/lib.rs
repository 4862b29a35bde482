//! Serve the HTTP interface, the only seam that clients meet.
//!
//! ```text
//!   request -> limits -> route -> extract (strict) -> peer -> convert -> JSON, CBOR or SSE
//!                                     |                  |
//!                                     +---- Problem <----+   application/problem+json, stable codes
//! ```
//!
//! Writes are signed transactions in COSE; reads are JSON, and proofs are CBOR bundles. Every input
//! is bounded and every refusal names a stable code and what to do next. This crate decides nothing:
//! crate `peer` answers, and this one puts it into the forms of [`althing_client::model`].
//!
//! Start reading at [`router`], then [`routes`].

mod config;
pub use config::Config;

mod offence;
mod own;
mod problem;
mod process;
mod purge;
pub use problem::Failure;

mod operate;
pub use operate::{ADVICE, Controls, Goals, LogKey, Operation};

mod disk;
mod extract;
mod gateways;
mod limits;
mod permit;
mod reader;
mod refused;
mod service;
mod uses;
mod webhooks;

mod convert;
pub mod routes;
pub use routes::{openapi, operated, router};

mod asyncapi;
pub use asyncapi::asyncapi;

mod origins;
mod stall;

mod serve;
pub use serve::{ServeError, listen, serve};
