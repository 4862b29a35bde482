//! When a long-running command should end.

use std::io::Read as _;

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

/// Why a command was asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Ctrl-C, or the terminal went away.
    Interrupt,
    /// A service manager asked.
    Terminate,
    /// The process that started it is gone, or has no use for it any more.
    Parent,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "interrupted",
            Self::Terminate => "asked to terminate",
            Self::Parent => "the starting process is gone",
        })
    }
}

/// Waits for the first reason to end.
#[derive(Debug)]
pub(crate) struct Shutdown {
    interrupt: Signal,
    hangup: Signal,
    terminate: Signal,
    parent: Option<watch::Receiver<bool>>,
}

impl Shutdown {
    /// Listens from now on; must be called on a tokio runtime. With `with_parent`, the end of
    /// standard input is a reason too: the parent holds the other end, and when it dies, however it
    /// dies, the system closes it.
    pub(crate) fn listen(with_parent: bool) -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            parent: with_parent.then(watch_parent),
        })
    }

    /// Waits.
    pub(crate) async fn requested(&mut self) -> Reason {
        tokio::select! {
            _ = self.interrupt.recv() => Reason::Interrupt,
            _ = self.hangup.recv() => Reason::Interrupt,
            _ = self.terminate.recv() => Reason::Terminate,
            () = parent_gone(&mut self.parent) => Reason::Parent,
        }
    }
}

async fn parent_gone(parent: &mut Option<watch::Receiver<bool>>) {
    match parent {
        // An error means that the watching thread is gone, and with it standard input.
        Some(parent) => {
            let _ = parent.wait_for(|gone| *gone).await;
        }
        None => std::future::pending().await,
    }
}

/// A thread of its own: a read of standard input on the runtime's threads would keep the runtime
/// from ending.
fn watch_parent() -> watch::Receiver<bool> {
    let (gone, watcher) = watch::channel(false);
    std::thread::spawn(move || {
        let mut discarded = [0; 256];
        while std::io::stdin().lock().read(&mut discarded).is_ok_and(|len| len > 0) {}
        // Nobody listens any more only if the process is ending anyway.
        let _ = gone.send(true);
    });
    watcher
}
