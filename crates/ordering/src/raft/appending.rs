//! What is appended to the log: what others ask for, once it is checked, and what this validator
//! proposes when it leads.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use althing_raft::{Base, Entry, Message, Refused};
use althing_types::Block;
use bytes::Bytes;
use commonware_codec::Decode as _;
use commonware_consensus::Viewable as _;
use commonware_cryptography::{certificate::Verifier as _, ed25519::PublicKey};
use commonware_p2p::Sender;
use commonware_runtime::{Clock, Metrics, Spawner, Storage};
use futures::FutureExt as _;
use rand_core_0_10::CryptoRng;

use super::{
    ballots::{Certified, holds},
    check::{Asker, Parent},
    group::{Asked, Group, GroupError},
    inputs::Inputs,
};
use crate::{block::Sealed, certificate::peer_key};

/// Blocks that a leader proposes beyond the newest certificate.
const UNCERTIFIED_MAX: u64 = 4;
/// Messages about the log that wait for the check of one before them.
const WAITING_MAX: usize = 64;

impl<E, S> Group<'_, E, S>
where
    E: Clock + CryptoRng + Metrics + Spawner + Storage,
    S: Sender<PublicKey = PublicKey>,
{
    /// A message of another node came.
    pub(super) fn hear(
        &mut self,
        inputs: &mut Inputs,
        from: &PublicKey,
        bytes: &Bytes,
    ) -> Result<(), GroupError> {
        let Some(index) = self.heard(from) else { return Ok(()) };
        let voters = self.electorate.keys.len() as u64;
        let Ok(message) = Message::decode(bytes, index as u64 + 1, self.me, voters) else {
            tracing::debug!("a message of the log that is none");
            return Ok(());
        };
        if !message.is_about_log() {
            return self.take(message);
        }
        if inputs.checking.is_some() {
            if message.term() <= self.checking_term {
                if self.waiting.len() < WAITING_MAX {
                    self.waiting.push_back(message);
                }
                return Ok(());
            }
            // What the leader of an earlier term wanted is over.
            inputs.checking = None;
            self.waiting.clear();
        }
        self.consider(inputs, message)
    }

    pub(super) fn next_waiting(&mut self, inputs: &mut Inputs) -> Result<(), GroupError> {
        while inputs.checking.is_none() {
            let Some(message) = self.waiting.pop_front() else { return Ok(()) };
            self.consider(inputs, message)?;
        }
        Ok(())
    }

    /// Takes a message about the log, once the application finds good what is to be appended.
    pub(super) fn consider(
        &mut self,
        inputs: &mut Inputs,
        message: Message,
    ) -> Result<(), GroupError> {
        if let Some(base) = message.base() {
            return self.consider_base(&base, message);
        }
        let (index, term) = message.previous();
        let committed = self.node.committed();
        let is_new = |entry: &Entry| {
            entry.index > committed
                && !self.node.has(entry.index, entry.term)
                && !entry.data.is_empty()
        };
        let fresh: Vec<Entry> = message.entries().filter(is_new).collect();
        if fresh.is_empty() || message.term() < self.node.term() || !self.node.has(index, term) {
            // Nothing will be appended.
            return self.take(message);
        }
        let limits = self.parts.limits();
        let blocks: Option<Vec<Sealed>> =
            fresh.iter().map(|entry| Sealed::of_wire(entry.data.clone(), limits)).collect();
        let Some(blocks) = blocks else {
            tracing::warn!(index, "refused an entry that is no block");
            return Ok(());
        };
        let before = fresh.first().map_or(index, |entry| entry.index.saturating_sub(1));
        let parent = self.parent(before);
        self.checking_term = message.term();
        inputs.checking = Some(self.asker().check(message, parent, blocks).boxed());
        Ok(())
    }

    /// The beginning of the log is not to be had; a certificate stands for it.
    pub(super) fn consider_base(
        &mut self,
        base: &Base,
        message: Message,
    ) -> Result<(), GroupError> {
        let config = self.electorate.scheme.certificate_codec_config();
        let certified =
            base.data.get(8..).and_then(|it| Certified::decode_cfg(it.to_vec(), &config).ok());
        match certified {
            Some(certified) if holds(&certified, &self.electorate.scheme, &mut self.context) => {
                if certified.view().get() > self.ballots.certified() {
                    self.settle(certified);
                }
                self.take(message)
            }
            _ => {
                tracing::warn!("refused a beginning of the log without a certificate");
                Ok(())
            }
        }
    }

    pub(super) fn take(&mut self, message: Message) -> Result<(), GroupError> {
        match self.node.receive(message) {
            Err(Refused::Unfit) => {
                tracing::debug!("a message of the log that does not fit");
                Ok(())
            }
            other => Ok(other?),
        }
    }

    pub(super) fn asker(&self) -> Asker<E> {
        Asker {
            clock: self.context.child("ask"),
            bridge: self.parts.bridge(self.marshal.clone(), &self.electorate),
            marshal: self.marshal.clone(),
            genesis: Arc::clone(&self.parts.config.genesis),
            electorate: Arc::clone(&self.electorate),
        }
    }

    /// The last block that stands not behind a place of the log.
    pub(super) fn parent(&self, index: u64) -> Parent {
        self.tail.up_to(index).map_or(Parent::At(self.base_height), Parent::Here)
    }

    /// Asks the application for a block, if this validator leads and all that is in the log is
    /// committed; forgets what it was asked for if that is not so any more.
    pub(super) fn begin_proposal(&mut self, inputs: &mut Inputs) {
        let now = Asked { term: self.node.term(), last: self.node.last().0 };
        if !self.node.leads() || inputs.proposing.is_some() && self.asked != now {
            inputs.proposing = None;
        }
        let is_free = inputs.proposing.is_none() && self.context.current() >= self.ask_at;
        if !is_free || !self.node.leads() || self.node.committed() != now.last {
            return;
        }
        let last = self.tail.up_to(now.last);
        let height = last.as_ref().map_or(self.base_height, |last| last.height());
        let view = last.map_or(0, |last| last.header().view);
        let ends = self.parts.epochs.last(self.electorate.epoch) == Some(height);
        if ends || view.saturating_sub(self.ballots.certified()) > UNCERTIFIED_MAX {
            return;
        }
        let acknowledged = self.parts.shared.acknowledged_height();
        let recent = self.tail.newest_first().map(|(_, block)| (block.height(), block));
        let recent: BTreeMap<u64, Arc<Block>> =
            recent.take_while(|(height, _)| *height > acknowledged).collect();
        let parent = self.parent(now.last);
        let me = peer_key(&self.parts.me);
        self.asked = now;
        inputs.proposing = Some(self.asker().propose(parent, recent, acknowledged, me).boxed());
    }

    /// The application made a block.
    pub(super) fn append(&mut self, sealed: Option<Sealed>, pause: Duration) {
        let now = Asked { term: self.node.term(), last: self.node.last().0 };
        let Some(sealed) = sealed else {
            self.ask_at = self.context.current() + pause;
            return;
        };
        if self.asked == now && !self.node.propose(sealed.block().wire()) {
            tracing::debug!("a block that could not be appended");
        }
    }
}
