//! Sits on the way between two peers, as a router does: sees every byte, and may change one.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// Takes connections at one address and goes on to another.
#[derive(Clone, Default)]
pub(crate) struct Forward {
    /// Whether what passes is remembered.
    keeps: bool,
    seen: Arc<Mutex<Vec<u8>>>,
    /// Bytes that passed, in both directions.
    count: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
    /// Whether the next bytes that pass are to be changed.
    tampers: Arc<AtomicBool>,
}

impl Forward {
    /// Listens until the process ends.
    pub(crate) fn start(at: SocketAddr, to: SocketAddr, keeps: bool) -> Self {
        let forward = Self { keeps, ..Self::default() };
        let listener = TcpListener::bind(at).unwrap();
        let own = forward.clone();
        thread::spawn(move || {
            for incoming in listener.incoming() {
                // Whoever is dialled may not be up yet; then the dialler finds the connection closed.
                let (Ok(incoming), Ok(outgoing)) = (incoming, TcpStream::connect(to)) else {
                    continue;
                };
                own.connections.fetch_add(1, Ordering::SeqCst);
                own.clone().pass(incoming.try_clone().unwrap(), outgoing.try_clone().unwrap());
                own.clone().pass(outgoing, incoming);
            }
        });
        forward
    }

    fn pass(self, mut from: TcpStream, mut to: TcpStream) {
        thread::spawn(move || {
            // As on a real way: nothing waits to be sent together.
            let _ = to.set_nodelay(true);
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                let bytes = &mut buffer[..count];
                self.count.fetch_add(count, Ordering::SeqCst);
                if self.keeps {
                    self.seen.lock().unwrap().extend_from_slice(bytes);
                }
                if self.tampers.swap(false, Ordering::SeqCst) {
                    bytes[count / 2] ^= 1;
                }
                if to.write_all(bytes).is_err() {
                    break;
                }
            }
            let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
        });
    }

    /// Changes one bit of what passes next.
    pub(crate) fn tamper(&self) {
        self.tampers.store(true, Ordering::SeqCst);
    }

    /// Whether the change was made.
    pub(crate) fn has_tampered(&self) -> bool {
        !self.tampers.load(Ordering::SeqCst)
    }

    /// Bytes that passed so far.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// How often this stands in what passed.
    pub(crate) fn occurs(&self, text: &[u8]) -> usize {
        let seen = self.seen.lock().unwrap();
        seen.windows(text.len()).filter(|window| *window == text).count()
    }
}
