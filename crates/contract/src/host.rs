use std::fmt;

/// The host failed at something that is not the contract's fault, such as its disk. What it was, the
/// host knows; the call has no outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the host failed")
    }
}

impl std::error::Error for Broken {}

/// In which order a range of storage is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Ascending by key.
    Ascending,
    /// Descending by key.
    Descending,
}

/// A key of storage with its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// What a contract can reach: its own storage, addresses, and questions to the ledger.
///
/// Everything it gives must be a function of the state, or two machines would differ. Keys are the
/// contract's own; the host keeps those of contracts apart.
pub trait Host {
    /// The value at a key.
    ///
    /// # Errors
    /// [`Broken`].
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Broken>;

    /// Writes a value, or removes it.
    ///
    /// # Errors
    /// [`Broken`].
    fn set(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), Broken>;

    /// At most `limit` rows with `from <= key < to` in an order, and how many were looked at for
    /// them, which is paid for: what the contract has removed is looked at and gives no row.
    ///
    /// # Errors
    /// [`Broken`].
    fn range(
        &mut self,
        from: &[u8],
        to: Option<&[u8]>,
        order: Order,
        limit: usize,
    ) -> Result<(Vec<Row>, usize), Broken>;

    /// The binary form of an address, if the text is one.
    fn address(&self, text: &str) -> Option<[u8; crate::limits::ADDRESS_BYTES]>;

    /// The text of an address.
    fn address_text(&self, address: &[u8; crate::limits::ADDRESS_BYTES]) -> String;

    /// Answers a question, with at most `gas_limit` gas; gives the answer and the gas it took. No
    /// answer means that the gas ran out.
    ///
    /// # Errors
    /// [`Broken`].
    fn query(&mut self, request: &[u8], gas_limit: u64) -> Result<(Option<Vec<u8>>, u64), Broken>;

    /// A text of the contract for whoever tries it out; it reaches no receipt.
    fn debug(&mut self, _text: &str) {}
}

environmental::environmental!(current: trait @Host []);

/// Makes a host the one that the contract's imports reach while something runs. Contracts that
/// query each other nest.
pub(crate) fn with_host<R>(host: &mut dyn Host, run: impl FnOnce() -> R) -> R {
    current::using(host, run)
}

/// The host of the contract that runs.
pub(crate) fn host<R>(ask: impl FnOnce(&mut dyn Host) -> R) -> R {
    match current::with(|host| ask(host)) {
        Some(answer) => answer,
        None => unreachable!("imports are reached only while a contract runs"),
    }
}
