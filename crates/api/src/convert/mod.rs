//! The ledger's types in the forms of the interface, field by field.

mod transaction;

mod event;
pub(crate) use event::{About, place};

mod contract;
mod link;
mod secrecy;
mod service;
mod token;
pub(crate) use token::supply;
mod trigger;

mod entity;

mod governance;

mod history;
pub(crate) use history::shown;

mod onboarding;
pub(crate) use onboarding::degrees_e7;

mod thing;
pub(crate) use thing::Latest;

mod stream;
pub(crate) use stream::{aggregate, aggregates, gap, kind_text, reading, readings, tagged_total};

mod access;

mod block;

mod decimal;
