use wasmtime::{Memory, ResourceLimiter, Store, Trap, TypedFunc, error::Context as _};

use crate::{
    Host, Module, Order, Row,
    host::with_host,
    limits::{ANSWER_BYTES_MAX, MEMORY_PAGES_MAX, TABLE_ENTRIES_MAX},
    price,
    region::{self, Misused, Pointer},
};

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// With environment, sender and message, once, when it begins.
    Instantiate,
    /// With environment, sender and message.
    Execute,
    /// With environment and message, and for some modules who migrates it.
    Migrate,
    /// With environment and the outcome of a message that the contract sent.
    Reply,
    /// With environment and message, by the ledger itself.
    Sudo,
    /// With environment and message; changes nothing.
    Query,
}

impl Entry {
    /// All entry points, ascending.
    pub const ALL: &'static [Self] =
        &[Self::Instantiate, Self::Execute, Self::Migrate, Self::Reply, Self::Sudo, Self::Query];

    /// Name of the export.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instantiate => "instantiate",
            Self::Execute => "execute",
            Self::Migrate => "migrate",
            Self::Reply => "reply",
            Self::Sudo => "sudo",
            Self::Query => "query",
        }
    }
}

/// One call of an entry point.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Which entry point.
    pub entry: Entry,
    /// Its arguments, two or three, each JSON.
    pub arguments: &'a [&'a [u8]],
    /// Most gas it may use.
    pub gas_limit: u64,
}

/// Why a call gave no answer. The same on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The module has no such entry point.
    #[error("the module has no such entry point")]
    NoEntry,
    /// It needed more gas than it was given.
    #[error("out of gas")]
    OutOfGas,
    /// It broke off: a panic, a division by zero, memory out of bounds, a stack too deep.
    #[error("the contract broke off")]
    Trapped,
    /// It used the interface in a way that it must not: a region outside its memory, an argument too
    /// long, a write while it was asked a question.
    #[error("the contract misused the interface")]
    Misused,
    /// The host failed; nothing can be said.
    #[error("the host failed")]
    Broken,
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Gas it used, at most its limit.
    pub gas_used: u64,
    /// The answer, JSON as the contract wrote it, or why there is none.
    pub answer: Result<Vec<u8>, Failure>,
}

/// An iterator over storage.
#[derive(Debug)]
pub(crate) struct Cursor {
    /// Where the next row is at the earliest, or just beyond it if descending.
    pub(crate) from: Vec<u8>,
    pub(crate) to: Option<Vec<u8>>,
    pub(crate) order: Order,
    /// Rows read ahead, the next one last.
    pub(crate) ahead: Vec<Row>,
    /// Whether the host has no more.
    pub(crate) ended: bool,
}

/// What belongs to the contract that runs.
#[derive(Default)]
pub(crate) struct Guest {
    pub(crate) memory: Option<Memory>,
    pub(crate) allocate: Option<TypedFunc<u32, u32>>,
    pub(crate) iterators: Vec<Cursor>,
    pub(crate) read_only: bool,
    /// Whether an import waits for the contract's allocator, which must not call imports: they would
    /// nest on the processor's stack where nothing counts them.
    pub(crate) allocating: bool,
    /// Why an import stopped the contract.
    pub(crate) stop: Option<Failure>,
}

/// What the engine says of memory that its addresses do not reach; a test sees to it that it does.
const BEYOND_ADDRESSES: &str = "memory growth exceeds memory type's limits";

impl ResourceLimiter for Guest {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let own = maximum.is_none_or(|maximum| desired <= maximum);
        Ok(own && desired as u64 <= MEMORY_PAGES_MAX * 65_536)
    }

    /// The machine has no memory left. Another one has, so this one must not go on. It is also told of
    /// a contract that asks for more than 32 bits can address, before [`Self::memory_growing`] is:
    /// that contract gets no for an answer, on every machine.
    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        if error.to_string() == BEYOND_ADDRESSES {
            return Ok(());
        }
        self.stop = Some(Failure::Broken);
        Err(error)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let own = maximum.is_none_or(|maximum| desired <= maximum);
        Ok(own && desired as u64 <= TABLE_ENTRIES_MAX)
    }
}

/// Calls an entry point of a module in an instance of its own. What it changes of the host stays
/// changed whatever comes of the call; dropping that is the caller's to do.
#[must_use]
pub fn run(module: &Module, host: &mut dyn Host, call: &Call<'_>) -> Done {
    let carried: usize = call.arguments.iter().map(|argument| argument.len()).sum();
    let entering = price::ENTER + price::CARRY_BYTE * carried as u64;
    if !module.has(call.entry) {
        return Done { gas_used: 0, answer: Err(Failure::NoEntry) };
    }
    let Some(fuel) = call.gas_limit.checked_sub(entering) else {
        return Done { gas_used: call.gas_limit, answer: Err(Failure::OutOfGas) };
    };
    let guest = Guest { read_only: call.entry == Entry::Query, ..Guest::default() };
    let mut store = Store::new(module.instance.module().engine(), guest);
    store.limiter(|guest| guest);
    let answer = with_host(host, || {
        store.set_fuel(fuel)?;
        enter(module, &mut store, call)
    });
    let left = store.get_fuel().unwrap_or(0);
    let answer = answer.map_err(|error| failure(&store, &error));
    let left = if answer == Err(Failure::OutOfGas) { 0 } else { left };
    Done { gas_used: call.gas_limit - left.min(fuel), answer }
}

fn failure(store: &Store<Guest>, error: &wasmtime::Error) -> Failure {
    if let Some(stop) = store.data().stop {
        return stop;
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Failure::OutOfGas,
        Some(_) => Failure::Trapped,
        // Not the module's doing: it was inspected and linked before.
        None => Failure::Broken,
    }
}

fn enter(module: &Module, store: &mut Store<Guest>, call: &Call<'_>) -> wasmtime::Result<Vec<u8>> {
    let instance = module.instance.instantiate(&mut *store)?;
    let memory = instance.get_memory(&mut *store, "memory").context("memory")?;
    let allocate = instance.get_typed_func::<u32, u32>(&mut *store, "allocate")?;
    store.data_mut().memory = Some(memory);
    store.data_mut().allocate = Some(allocate.clone());
    let mut pointers: Vec<Pointer> = Vec::with_capacity(3);
    for argument in call.arguments {
        let pointer = allocate.call(&mut *store, argument.len() as u32)?;
        if region::write(memory, &mut *store, pointer, argument).is_err() {
            return misused(store);
        }
        pointers.push(pointer);
    }
    let name = call.entry.name();
    let pointer = match pointers[..] {
        [a, b] => {
            let entry = instance.get_typed_func::<(u32, u32), u32>(&mut *store, name)?;
            entry.call(&mut *store, (a, b))?
        }
        [a, b, c] => {
            let entry = instance.get_typed_func::<(u32, u32, u32), u32>(&mut *store, name)?;
            entry.call(&mut *store, (a, b, c))?
        }
        _ => return misused(store),
    };
    let answer = region::read(memory, &mut *store, pointer, ANSWER_BYTES_MAX);
    let Ok(answer) = answer else { return misused(store) };
    let cost = price::CARRY_BYTE * answer.len() as u64;
    match store.get_fuel()?.checked_sub(cost) {
        Some(left) => store.set_fuel(left)?,
        None => {
            store.data_mut().stop = Some(Failure::OutOfGas);
            return Err(wasmtime::Error::msg("out of gas"));
        }
    }
    Ok(answer)
}

fn misused<T>(store: &mut Store<Guest>) -> wasmtime::Result<T> {
    store.data_mut().stop = Some(Failure::Misused);
    Err(wasmtime::Error::msg("misused"))
}

impl From<Misused> for Failure {
    fn from(Misused: Misused) -> Self {
        Self::Misused
    }
}
