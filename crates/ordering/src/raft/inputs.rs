//! What comes in at a validator's part in the log.

use std::{pin::pin, time::SystemTime};

use althing_raft::Message;
use bytes::Bytes;
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::Receiver as _;
use commonware_runtime::Clock;
use futures::{FutureExt as _, future::BoxFuture, select_biased};

use crate::{block::Sealed, lanes::LaneReceiver};

/// What comes in.
pub(super) struct Inputs {
    pub(super) messages: LaneReceiver,
    pub(super) papers: LaneReceiver,
    pub(super) checking: Option<BoxFuture<'static, (Message, bool)>>,
    pub(super) proposing: Option<BoxFuture<'static, Option<Sealed>>>,
}

pub(super) enum Happened {
    Tick,
    Message(PublicKey, Bytes),
    Paper(PublicKey, Bytes),
    Checked(Message, bool),
    Proposed(Option<Sealed>),
    Ended,
}

/// What a future gives that may not be there, and then never does.
async fn done<T>(slot: &mut Option<BoxFuture<'static, T>>) -> T {
    let Some(future) = slot else { return futures::future::pending().await };
    let value = future.await;
    *slot = None;
    value
}

impl Inputs {
    /// The next thing that happens. Nothing is lost if this is dropped.
    pub(super) async fn next(&mut self, clock: &impl Clock, tick_at: SystemTime) -> Happened {
        let Self { messages, papers, checking, proposing } = self;
        let mut tick = pin!(clock.sleep_until(tick_at).fuse());
        let mut paper = pin!(papers.recv().fuse());
        let mut message = pin!(messages.recv().fuse());
        let mut checked = pin!(done(checking).fuse());
        let mut proposed = pin!(done(proposing).fuse());
        // In this order, so that a flood of one kind does not keep the clock from being heard.
        select_biased! {
            () = tick => Happened::Tick,
            paper = paper => match paper {
                Ok((from, paper)) => Happened::Paper(from, paper.into()),
                Err(_) => Happened::Ended,
            },
            message = message => match message {
                Ok((from, message)) => Happened::Message(from, message.into()),
                Err(_) => Happened::Ended,
            },
            (message, good) = checked => Happened::Checked(message, good),
            sealed = proposed => Happened::Proposed(sealed),
        }
    }
}
