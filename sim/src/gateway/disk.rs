use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use althing_edge::journal;

/// The disk of a gateway's queue, which outlives its process; clones share it.
///
/// What is asked of it takes effect in order, and is durable after [`Disk::flush`]: the driver lets
/// time pass before that, so that a crash can come in between.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    durable: BTreeMap<u64, Vec<u8>>,
    newest: u64,
    pending: Vec<Write>,
}

#[derive(Debug)]
enum Write {
    Begin(u64, Vec<u8>),
    BeginWhole(u64, Vec<u8>),
    Append(u64, Vec<u8>),
    Remove(u64),
}

impl Disk {
    /// Everything asked for so far would survive a loss of power.
    pub(crate) fn flush(&self) {
        let mut inner = self.lock();
        for write in std::mem::take(&mut inner.pending) {
            inner.carry_out(write);
        }
    }

    /// The machine loses power: of what was not flushed the first part survives, chosen by `seed`;
    /// the write in the middle of which the power failed is torn, and its last byte may be wrong.
    pub(crate) fn crash(&self, seed: u64) {
        let mut inner = self.lock();
        let mut pending = std::mem::take(&mut inner.pending).into_iter();
        let whole = seed % (pending.len() as u64 + 1);
        for write in pending.by_ref().take(usize::try_from(whole).unwrap_or(0)) {
            inner.carry_out(write);
        }
        match pending.next() {
            Some(Write::Begin(number, bytes)) => {
                inner.carry_out(Write::Begin(number, torn(bytes, seed)));
            }
            Some(Write::Append(number, bytes)) => {
                inner.carry_out(Write::Append(number, torn(bytes, seed)));
            }
            Some(Write::BeginWhole(..) | Write::Remove(_)) | None => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn torn(mut bytes: Vec<u8>, seed: u64) -> Vec<u8> {
    let survives = (seed / 7) % (bytes.len() as u64 + 1);
    bytes.truncate(usize::try_from(survives).unwrap_or(0));
    if let Some(last) = bytes.last_mut().filter(|_| seed & 1 == 1) {
        *last ^= 0xff;
    }
    bytes
}

impl Inner {
    fn carry_out(&mut self, write: Write) {
        match write {
            Write::Begin(number, bytes) | Write::BeginWhole(number, bytes) => {
                self.durable.insert(number, bytes);
            }
            Write::Append(number, bytes) => self.durable.entry(number).or_default().extend(bytes),
            Write::Remove(number) => _ = self.durable.remove(&number),
        }
    }
}

impl journal::Disk for Disk {
    type Error = Infallible;

    fn numbers(&self) -> Result<Vec<u64>, Infallible> {
        Ok(self.lock().durable.keys().copied().collect())
    }

    fn read(&self, number: u64) -> Result<Vec<u8>, Infallible> {
        Ok(self.lock().durable.get(&number).cloned().unwrap_or_default())
    }

    fn begin(&mut self, number: u64, bytes: &[u8]) -> Result<(), Infallible> {
        let mut inner = self.lock();
        inner.newest = number;
        inner.pending.push(Write::Begin(number, bytes.to_vec()));
        Ok(())
    }

    fn begin_whole(&mut self, number: u64, bytes: &[u8]) -> Result<(), Infallible> {
        let mut inner = self.lock();
        inner.newest = number;
        inner.pending.push(Write::BeginWhole(number, bytes.to_vec()));
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        let mut inner = self.lock();
        let number = inner.newest;
        inner.pending.push(Write::Append(number, bytes.to_vec()));
        Ok(())
    }

    fn remove(&mut self, number: u64) -> Result<(), Infallible> {
        self.lock().pending.push(Write::Remove(number));
        Ok(())
    }
}
