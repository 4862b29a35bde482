//! What contracts may import: the interface of CosmWasm, version 8.
//!
//! Every import has one shape: charge, read regions with their maximum lengths, ask the host, charge
//! for what came of it, write the answer. What a contract does wrong stops it; nothing here panics.

use cosmwasm_crypto as crypto;
use wasmparser::{FuncType, ValType};
use wasmtime::{Caller, Engine, Linker};

use crate::{
    Broken, Failure, Order, Row,
    crypto::{ed25519_batch, verdict},
    host::host,
    limits::{
        ADDRESS_BYTES, ADDRESS_BYTES_MAX, ANSWER_BYTES_MAX, BLS_MESSAGE_BYTES_MAX, BLS_POINTS_MAX,
        ITERATORS_MAX, KEY_BYTES_MAX, QUERY_BYTES_MAX, ROWS_AHEAD, SIGNATURES_MAX,
        SIGNED_BYTES_MAX, TEXT_BYTES_MAX, VALUE_BYTES_MAX,
    },
    price,
    region::{self, Pointer, sections, split},
    run::{Cursor, Guest},
};

const I32: ValType = ValType::I32;
const I64: ValType = ValType::I64;

/// Name, number of parameters (all 32-bit), and result.
const OFFERED: &[(&str, usize, Option<ValType>)] = &[
    ("abort", 1, None),
    ("addr_canonicalize", 2, Some(I32)),
    ("addr_humanize", 2, Some(I32)),
    ("addr_validate", 1, Some(I32)),
    ("bls12_381_aggregate_g1", 2, Some(I32)),
    ("bls12_381_aggregate_g2", 2, Some(I32)),
    ("bls12_381_hash_to_g1", 4, Some(I32)),
    ("bls12_381_hash_to_g2", 4, Some(I32)),
    ("bls12_381_pairing_equality", 4, Some(I32)),
    ("db_next", 1, Some(I32)),
    ("db_next_key", 1, Some(I32)),
    ("db_next_value", 1, Some(I32)),
    ("db_read", 1, Some(I32)),
    ("db_remove", 1, None),
    ("db_scan", 3, Some(I32)),
    ("db_write", 2, None),
    ("debug", 1, None),
    ("ed25519_batch_verify", 3, Some(I32)),
    ("ed25519_verify", 3, Some(I32)),
    ("query_chain", 1, Some(I32)),
    ("secp256k1_recover_pubkey", 3, Some(I64)),
    ("secp256k1_verify", 3, Some(I32)),
    ("secp256r1_recover_pubkey", 3, Some(I64)),
    ("secp256r1_verify", 3, Some(I32)),
];

/// Whether there is an import of this name and form.
pub(crate) fn offers(name: &str, form: &FuncType) -> bool {
    OFFERED.iter().any(|(offered, parameters, result)| {
        *offered == name
            && form.params().len() == *parameters
            && form.params().iter().all(|ty| *ty == I32)
            && form.results() == result.as_slice()
    })
}

type Result<T> = std::result::Result<T, Failure>;

/// The imports, to be linked to modules.
pub(crate) fn linker(engine: &Engine) -> Linker<Guest> {
    let mut linker = Linker::new(engine);
    match define(&mut linker) {
        Ok(()) => linker,
        Err(error) => unreachable!("each name is defined once: {error}"),
    }
}

fn define(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    macro_rules! imports {
        ($($name:literal($($argument:ident),*) $(-> $result:ty)? = $function:path;)*) => {
            $(linker.func_wrap("env", $name, |caller: Caller<'_, Guest>, $($argument: u32),*| {
                stopping(caller, |context| $function(context, $($argument),*))
            })?;)*
        };
    }
    imports! {
        "abort"(text) = abort;
        "addr_canonicalize"(from, to) = addr_canonicalize;
        "addr_humanize"(from, to) = addr_humanize;
        "addr_validate"(from) = addr_validate;
        "bls12_381_aggregate_g1"(points, out) = bls_aggregate_g1;
        "bls12_381_aggregate_g2"(points, out) = bls_aggregate_g2;
        "bls12_381_hash_to_g1"(function, message, domain, out) = bls_hash_to_g1;
        "bls12_381_hash_to_g2"(function, message, domain, out) = bls_hash_to_g2;
        "bls12_381_pairing_equality"(ps, qs, r, s) = bls_pairing_equality;
        "db_next"(iterator) = db_next;
        "db_next_key"(iterator) = db_next_key;
        "db_next_value"(iterator) = db_next_value;
        "db_read"(key) = db_read;
        "db_remove"(key) = db_remove;
        "db_scan"(from, to, order) = db_scan;
        "db_write"(key, value) = db_write;
        "debug"(text) = debug;
        "ed25519_batch_verify"(messages, signatures, keys) = ed25519_batch_verify;
        "ed25519_verify"(message, signature, key) = ed25519_verify;
        "query_chain"(request) = query_chain;
        "secp256k1_recover_pubkey"(digest, signature, parity) = secp256k1_recover;
        "secp256k1_verify"(digest, signature, key) = secp256k1_verify;
        "secp256r1_recover_pubkey"(digest, signature, parity) = secp256r1_recover;
        "secp256r1_verify"(digest, signature, key) = secp256r1_verify;
    }
    Ok(())
}

/// Runs an import, and notes why it stops the contract if it does.
fn stopping<T>(
    caller: Caller<'_, Guest>,
    import: impl FnOnce(&mut Context<'_>) -> Result<T>,
) -> wasmtime::Result<T> {
    let mut context = Context { caller, trap: None };
    let allowed = if context.caller.data().allocating { Err(Failure::Misused) } else { Ok(()) };
    allowed.and_then(|()| import(&mut context)).map_err(|failure| match context.trap.take() {
        // The contract's own allocator broke off; the engine knows how.
        Some(trap) => trap,
        None => {
            context.caller.data_mut().stop = Some(failure);
            wasmtime::Error::msg("stopped by an import")
        }
    })
}

/// The contract that called an import.
struct Context<'a> {
    caller: Caller<'a, Guest>,
    trap: Option<wasmtime::Error>,
}

impl Context<'_> {
    fn charge(&mut self, gas: u64) -> Result<()> {
        let left = self.caller.get_fuel().map_err(|_| Failure::Broken)?;
        let left = left.checked_sub(gas).ok_or(Failure::OutOfGas)?;
        self.caller.set_fuel(left).map_err(|_| Failure::Broken)
    }

    fn memory(&self) -> Result<wasmtime::Memory> {
        self.caller.data().memory.ok_or(Failure::Misused)
    }

    /// The bytes of a region; carrying them is paid for.
    fn read(&mut self, at: Pointer, max: usize) -> Result<Vec<u8>> {
        let memory = self.memory()?;
        let length = region::length(memory, &mut self.caller, at)?;
        if length > max {
            return Err(Failure::Misused);
        }
        self.charge(price::CARRY_BYTE * length as u64)?;
        Ok(region::read(memory, &mut self.caller, at, max)?)
    }

    /// Puts bytes into a region that the contract made.
    fn write(&mut self, at: Pointer, bytes: &[u8]) -> Result<()> {
        let memory = self.memory()?;
        self.charge(price::CARRY_BYTE * bytes.len() as u64)?;
        Ok(region::write(memory, &mut self.caller, at, bytes)?)
    }

    /// Hands bytes over in a region that the contract is asked to make.
    fn give(&mut self, bytes: &[u8]) -> Result<Pointer> {
        let allocate = self.caller.data().allocate.clone().ok_or(Failure::Misused)?;
        let size = u32::try_from(bytes.len()).map_err(|_| Failure::Misused)?;
        self.caller.data_mut().allocating = true;
        let allocated = allocate.call(&mut self.caller, size);
        self.caller.data_mut().allocating = false;
        match allocated {
            Ok(pointer) => {
                self.write(pointer, bytes)?;
                Ok(pointer)
            }
            Err(error) => {
                self.trap = Some(error);
                Err(Failure::Trapped)
            }
        }
    }

    fn may_write(&self) -> Result<()> {
        if self.caller.data().read_only { Err(Failure::Misused) } else { Ok(()) }
    }
}

impl From<Broken> for Failure {
    fn from(Broken: Broken) -> Self {
        Self::Broken
    }
}

fn db_read(context: &mut Context<'_>, key: Pointer) -> Result<Pointer> {
    context.charge(price::READ)?;
    let key = context.read(key, KEY_BYTES_MAX)?;
    let value = host(|host| host.get(&key))?;
    let bytes = key.len() + value.as_ref().map_or(0, Vec::len);
    context.charge(price::READ_BYTE * bytes as u64)?;
    value.map_or(Ok(0), |value| context.give(&value))
}

fn db_write(context: &mut Context<'_>, key: Pointer, value: Pointer) -> Result<()> {
    context.charge(price::WRITE)?;
    context.may_write()?;
    let key = context.read(key, KEY_BYTES_MAX)?;
    let value = context.read(value, VALUE_BYTES_MAX)?;
    context.charge(price::WRITE_BYTE * (key.len() + value.len()) as u64)?;
    Ok(host(|host| host.set(&key, Some(&value)))?)
}

fn db_remove(context: &mut Context<'_>, key: Pointer) -> Result<()> {
    context.charge(price::WRITE)?;
    context.may_write()?;
    let key = context.read(key, KEY_BYTES_MAX)?;
    context.charge(price::WRITE_BYTE * key.len() as u64)?;
    Ok(host(|host| host.set(&key, None))?)
}

fn db_scan(context: &mut Context<'_>, from: Pointer, to: Pointer, order: u32) -> Result<u32> {
    context.charge(price::SCAN)?;
    let from = if from == 0 { Vec::new() } else { context.read(from, KEY_BYTES_MAX)? };
    let to = if to == 0 { None } else { Some(context.read(to, KEY_BYTES_MAX)?) };
    let order = match order {
        1 => Order::Ascending,
        2 => Order::Descending,
        _ => return Err(Failure::Misused),
    };
    let iterators = &mut context.caller.data_mut().iterators;
    if iterators.len() >= ITERATORS_MAX {
        return Err(Failure::Misused);
    }
    iterators.push(Cursor { from, to, order, ahead: Vec::new(), ended: false });
    Ok(iterators.len() as u32)
}

/// The next row of an iterator.
fn step(context: &mut Context<'_>, iterator: u32) -> Result<Option<Row>> {
    context.charge(price::NEXT)?;
    let index = (iterator as usize).checked_sub(1).ok_or(Failure::Misused)?;
    let iterator = context.caller.data_mut().iterators.get_mut(index).ok_or(Failure::Misused)?;
    let hidden = if iterator.ahead.is_empty() && !iterator.ended { refill(iterator)? } else { 0 };
    let row = iterator.ahead.pop();
    context.charge(price::NEXT * hidden as u64)?;
    if let Some((key, value)) = &row {
        context.charge(price::READ_BYTE * (key.len() + value.len()) as u64)?;
    }
    Ok(row)
}

/// Reads ahead; says how many rows were looked at in vain. Rows that the contract writes meanwhile
/// within those read ahead are not seen, on no machine.
fn refill(iterator: &mut Cursor) -> Result<usize> {
    let Cursor { from, to, order, ahead, ended } = iterator;
    let (mut rows, looked_at) = host(|host| host.range(from, to.as_deref(), *order, ROWS_AHEAD))?;
    *ended = rows.len() < ROWS_AHEAD;
    if let Some((last, _)) = rows.last() {
        match order {
            Order::Ascending => {
                from.clone_from(last);
                from.push(0);
            }
            Order::Descending => *to = Some(last.clone()),
        }
    }
    let hidden = looked_at.saturating_sub(rows.len());
    rows.reverse();
    *ahead = rows;
    Ok(hidden)
}

fn db_next(context: &mut Context<'_>, iterator: u32) -> Result<Pointer> {
    let (key, value) = step(context, iterator)?.unwrap_or_default();
    context.give(&sections(&[&key, &value]))
}

fn db_next_key(context: &mut Context<'_>, iterator: u32) -> Result<Pointer> {
    step(context, iterator)?.map_or(Ok(0), |(key, _)| context.give(&key))
}

fn db_next_value(context: &mut Context<'_>, iterator: u32) -> Result<Pointer> {
    step(context, iterator)?.map_or(Ok(0), |(_, value)| context.give(&value))
}

/// Why a text is no address, for the contract to read.
const NO_ADDRESS: &[u8] = b"not an address of this ledger";

fn address(context: &mut Context<'_>, from: Pointer) -> Result<Option<[u8; ADDRESS_BYTES]>> {
    context.charge(price::ADDRESS)?;
    let text = context.read(from, ADDRESS_BYTES_MAX)?;
    let text = String::from_utf8(text).ok();
    Ok(text.and_then(|text| host(|host| host.address(&text))))
}

fn addr_validate(context: &mut Context<'_>, from: Pointer) -> Result<Pointer> {
    match address(context, from)? {
        Some(_) => Ok(0),
        None => context.give(NO_ADDRESS),
    }
}

fn addr_canonicalize(context: &mut Context<'_>, from: Pointer, to: Pointer) -> Result<Pointer> {
    match address(context, from)? {
        Some(address) => context.write(to, &address).map(|()| 0),
        None => context.give(NO_ADDRESS),
    }
}

fn addr_humanize(context: &mut Context<'_>, from: Pointer, to: Pointer) -> Result<Pointer> {
    context.charge(price::ADDRESS)?;
    let bytes = context.read(from, ADDRESS_BYTES_MAX)?;
    match <[u8; ADDRESS_BYTES]>::try_from(bytes) {
        Ok(address) => {
            let text = host(|host| host.address_text(&address));
            context.write(to, text.as_bytes()).map(|()| 0)
        }
        Err(_) => context.give(NO_ADDRESS),
    }
}

fn secp256k1_verify(
    context: &mut Context<'_>,
    digest: Pointer,
    signature: Pointer,
    key: Pointer,
) -> Result<u32> {
    context.charge(price::SECP256K1_VERIFY)?;
    let (digest, signature) = (context.read(digest, 32)?, context.read(signature, 64)?);
    let key = context.read(key, 65)?;
    Ok(verdict(crypto::secp256k1_verify(&digest, &signature, &key)))
}

fn secp256r1_verify(
    context: &mut Context<'_>,
    digest: Pointer,
    signature: Pointer,
    key: Pointer,
) -> Result<u32> {
    context.charge(price::SECP256R1_VERIFY)?;
    let (digest, signature) = (context.read(digest, 32)?, context.read(signature, 64)?);
    let key = context.read(key, 65)?;
    Ok(verdict(crypto::secp256r1_verify(&digest, &signature, &key)))
}

/// A pointer to the key, or the number of an error in the upper half.
fn recovered(context: &mut Context<'_>, key: crypto::CryptoResult<Vec<u8>>) -> Result<u64> {
    match key {
        Ok(key) => context.give(&key).map(u64::from),
        Err(error) => Ok(u64::from(error.code()) << 32),
    }
}

/// Error number of CosmWasm for a parity that is none.
const INVALID_PARITY: u64 = 6 << 32;

fn secp256k1_recover(
    context: &mut Context<'_>,
    digest: Pointer,
    signature: Pointer,
    parity: u32,
) -> Result<u64> {
    context.charge(price::SECP256K1_RECOVER)?;
    let (digest, signature) = (context.read(digest, 32)?, context.read(signature, 64)?);
    let Ok(parity) = u8::try_from(parity) else { return Ok(INVALID_PARITY) };
    recovered(context, crypto::secp256k1_recover_pubkey(&digest, &signature, parity))
}

fn secp256r1_recover(
    context: &mut Context<'_>,
    digest: Pointer,
    signature: Pointer,
    parity: u32,
) -> Result<u64> {
    context.charge(price::SECP256R1_RECOVER)?;
    let (digest, signature) = (context.read(digest, 32)?, context.read(signature, 64)?);
    let Ok(parity) = u8::try_from(parity) else { return Ok(INVALID_PARITY) };
    recovered(context, crypto::secp256r1_recover_pubkey(&digest, &signature, parity))
}

fn ed25519_verify(
    context: &mut Context<'_>,
    message: Pointer,
    signature: Pointer,
    key: Pointer,
) -> Result<u32> {
    context.charge(price::ED25519_VERIFY)?;
    let message = context.read(message, SIGNED_BYTES_MAX)?;
    context.charge(price::SIGNED_BYTE * message.len() as u64)?;
    let (signature, key) = (context.read(signature, 64)?, context.read(key, 32)?);
    Ok(verdict(crypto::ed25519_verify(&message, &signature, &key)))
}

fn ed25519_batch_verify(
    context: &mut Context<'_>,
    messages: Pointer,
    signatures: Pointer,
    keys: Pointer,
) -> Result<u32> {
    let messages = context.read(messages, (SIGNED_BYTES_MAX + 4) * SIGNATURES_MAX)?;
    let signatures = context.read(signatures, (64 + 4) * SIGNATURES_MAX)?;
    let keys = context.read(keys, (32 + 4) * SIGNATURES_MAX)?;
    let (messages, signatures, keys) = (split(&messages)?, split(&signatures)?, split(&keys)?);
    if messages.len().max(signatures.len()).max(keys.len()) > SIGNATURES_MAX {
        return Err(Failure::Misused);
    }
    context.charge(price::ED25519_VERIFY * (1 + signatures.len()) as u64)?;
    // One message may be hashed once for each signature.
    let each = if messages.len() == 1 { signatures.len() } else { 1 };
    let hashed: usize = messages.iter().map(|message| message.len() * each).sum();
    context.charge(price::SIGNED_BYTE * hashed as u64)?;
    Ok(ed25519_batch(&messages, &signatures, &keys))
}

const G1_BYTES: usize = 48;
const G2_BYTES: usize = 96;

fn points(context: &mut Context<'_>, at: Pointer, bytes: usize) -> Result<Vec<u8>> {
    let points = context.read(at, bytes * BLS_POINTS_MAX)?;
    context.charge(price::BLS_POINT * (1 + points.len() / bytes) as u64)?;
    Ok(points)
}

fn bls_aggregate_g1(context: &mut Context<'_>, at: Pointer, out: Pointer) -> Result<u32> {
    let points = points(context, at, G1_BYTES)?;
    match crypto::bls12_381_aggregate_g1(&points) {
        Ok(point) => context.write(out, &point).map(|()| 0),
        Err(error) => Ok(error.code()),
    }
}

fn bls_aggregate_g2(context: &mut Context<'_>, at: Pointer, out: Pointer) -> Result<u32> {
    let points = points(context, at, G2_BYTES)?;
    match crypto::bls12_381_aggregate_g2(&points) {
        Ok(point) => context.write(out, &point).map(|()| 0),
        Err(error) => Ok(error.code()),
    }
}

fn bls_pairing_equality(
    context: &mut Context<'_>,
    ps: Pointer,
    qs: Pointer,
    r: Pointer,
    s: Pointer,
) -> Result<u32> {
    let (ps, qs) = (points(context, ps, G1_BYTES)?, points(context, qs, G2_BYTES)?);
    let (r, s) = (context.read(r, G1_BYTES)?, context.read(s, G2_BYTES)?);
    let pairings = 1 + (ps.len() / G1_BYTES).max(qs.len() / G2_BYTES);
    context.charge(price::BLS_PAIRING * pairings as u64)?;
    Ok(verdict(crypto::bls12_381_pairing_equality(&ps, &qs, &r, &s)))
}

/// Function, message and domain of a hash to a point.
type Hashed = (std::result::Result<crypto::HashFunction, u32>, Vec<u8>, Vec<u8>);

fn hashed(
    context: &mut Context<'_>,
    function: u32,
    message: Pointer,
    domain: Pointer,
) -> Result<Hashed> {
    context.charge(price::BLS_HASH)?;
    let message = context.read(message, BLS_MESSAGE_BYTES_MAX)?;
    let domain = context.read(domain, BLS_MESSAGE_BYTES_MAX)?;
    context.charge(price::SIGNED_BYTE * (message.len() + domain.len()) as u64)?;
    let function = crypto::HashFunction::from_u32(function).map_err(|error| error.code());
    Ok((function, message, domain))
}

fn bls_hash_to_g1(
    context: &mut Context<'_>,
    function: u32,
    message: Pointer,
    domain: Pointer,
    out: Pointer,
) -> Result<u32> {
    match hashed(context, function, message, domain)? {
        (Ok(function), message, domain) => {
            let point = crypto::bls12_381_hash_to_g1(function, &message, &domain);
            context.write(out, &point).map(|()| 0)
        }
        (Err(code), ..) => Ok(code),
    }
}

fn bls_hash_to_g2(
    context: &mut Context<'_>,
    function: u32,
    message: Pointer,
    domain: Pointer,
    out: Pointer,
) -> Result<u32> {
    match hashed(context, function, message, domain)? {
        (Ok(function), message, domain) => {
            let point = crypto::bls12_381_hash_to_g2(function, &message, &domain);
            context.write(out, &point).map(|()| 0)
        }
        (Err(code), ..) => Ok(code),
    }
}

fn query_chain(context: &mut Context<'_>, request: Pointer) -> Result<Pointer> {
    context.charge(price::QUERY)?;
    let request = context.read(request, QUERY_BYTES_MAX)?;
    let left = context.caller.get_fuel().map_err(|_| Failure::Broken)?;
    let (answer, gas) = host(|host| host.query(&request, left))?;
    context.charge(gas)?;
    match answer {
        Some(answer) if answer.len() <= ANSWER_BYTES_MAX => context.give(&answer),
        Some(_) => Err(Failure::Misused),
        None => Err(Failure::OutOfGas),
    }
}

fn text(context: &mut Context<'_>, at: Pointer) -> Result<()> {
    context.charge(price::DEBUG)?;
    let text = context.read(at, TEXT_BYTES_MAX)?;
    host(|host| host.debug(&String::from_utf8_lossy(&text)));
    Ok(())
}

fn debug(context: &mut Context<'_>, at: Pointer) -> Result<()> {
    text(context, at)
}

/// A panic of the contract. Its text is for whoever tries it out.
fn abort(context: &mut Context<'_>, at: Pointer) -> Result<()> {
    text(context, at)?;
    Err(Failure::Trapped)
}
