//! A stream that is given up when the other side takes nothing for too long.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// A stream whose writes fail once nothing was taken for a while. Nothing to write is no stall, so
/// a connection that waits for a request, or for an event, may be silent as long as it likes.
#[derive(Debug)]
pub(crate) struct Stalling<S> {
    stream: S,
    progress: Progress,
    /// Wakes the writer when its patience ends; made by the first write that must wait.
    clock: Option<Pin<Box<Sleep>>>,
}

impl<S> Stalling<S> {
    /// With this patience for each write.
    pub(crate) const fn new(stream: S, patience: Duration) -> Self {
        Self { stream, progress: Progress { patience, since: None }, clock: None }
    }

    fn watched<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let Some(deadline) = self.progress.note(written.is_ready(), Instant::now()) else {
            return written;
        };
        let clock = self.clock.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if clock.deadline() != deadline {
            clock.as_mut().reset(deadline);
        }
        match clock.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                let reason = "the client does not read what it asked for";
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, reason)))
            }
        }
    }
}

/// Since when nothing was taken.
#[derive(Debug)]
struct Progress {
    patience: Duration,
    since: Option<Instant>,
}

impl Progress {
    /// Notes whether a write was taken, and says when to give up if it was not.
    fn note(&mut self, taken: bool, now: Instant) -> Option<Instant> {
        if taken {
            self.since = None;
            return None;
        }
        Some(*self.since.get_or_insert(now) + self.patience)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stalling<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stalling<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.watched(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, bytes);
        this.watched(context, written)
    }

    /// Without it answers would be copied before they are sent, and counted as sent too early.
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(context);
        this.watched(context, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[test]
    fn patience_begins_anew_with_each_write_that_is_taken() {
        let begin = Instant::now();
        let at = |seconds: u64| begin + Duration::from_secs(seconds);
        let mut progress = Progress { patience: Duration::from_secs(30), since: None };
        for (seconds, taken, ends) in [
            (0, true, None),
            // Silence for an hour, as of a stream without events.
            (3600, true, None),
            (3601, false, Some(3631)),
            (3620, false, Some(3631)),
            // Slow, but alive.
            (3630, true, None),
            (3640, false, Some(3670)),
            (3669, true, None),
            (3670, false, Some(3700)),
            (3699, false, Some(3700)),
        ] {
            assert_eq!(progress.note(taken, at(seconds)), ends.map(at), "after {seconds} s");
        }
    }

    #[tokio::test]
    async fn what_nobody_reads_fails_and_what_is_read_does_not() {
        const PIPE_BYTES: usize = 16;
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        let mut near = Stalling::new(near, Duration::from_millis(10));
        let error = near.write_all(&[7; 2 * PIPE_BYTES]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(far);

        let (near, mut far) = tokio::io::duplex(PIPE_BYTES);
        let mut near = Stalling::new(near, Duration::from_secs(60));
        let writing = async { near.write_all(&[7; 100 * PIPE_BYTES]).await };
        let mut read = vec![0; 100 * PIPE_BYTES];
        let (written, read) = tokio::join!(writing, far.read_exact(&mut read));
        assert!(written.is_ok() && read.is_ok());
    }
}
