//! What is committed is signed, and what others signed is collected.

use althing_raft::Entry;
use bytes::Bytes;
use commonware_consensus::{
    Reporter as _, Viewable as _,
    simplex::types::{Activity, Proposal},
    types::{Epoch, Round, View},
};
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{Recipients, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::{Clock, Metrics, Spawner, Storage};
use rand_core_0_10::CryptoRng;

use super::{
    ballots::{Certified, Paper, Signed},
    group::Group,
};
use crate::{
    block::engine_digest,
    certificate::{peer_key, public_key},
    status::unix_ms,
};

impl<E, S> Group<'_, E, S>
where
    E: Clock + CryptoRng + Metrics + Spawner + Storage,
    S: Sender<PublicKey = PublicKey>,
{
    /// A majority holds the block: it is handed to those who deliver it, and signed.
    pub(super) fn committed(&mut self, entry: &Entry) {
        let Some(sealed) = self.tail.at(entry.index).cloned() else { return };
        let block = sealed.block();
        let header = block.header();
        if block.height() <= self.parts.shared.acknowledged_height() {
            return;
        }
        let (epoch, view) = (Epoch::new(header.epoch), View::new(header.view));
        let round = Round::new(epoch, view);
        let parent_view = View::new(header.parent_view);
        let proposal = Proposal::new(round, parent_view, engine_digest(&block.digest()));
        // Who follows without a vote has no log; the leader sends the block along.
        let followers = self.parts.config.followers.iter().filter(|_| self.node.leads());
        let followers = followers.filter_map(|key| public_key(key).ok()).collect();
        self.marshal.prepared(round, sealed.digested(), Recipients::Some(followers));
        let Some(signed) = Signed::sign(&*self.electorate.scheme, proposal) else { return };
        self.newest = Some(signed.clone());
        self.tell(Recipients::All, &Paper::Signed(signed.clone()));
        self.collect(signed);
    }

    pub(super) fn tell(&mut self, to: Recipients<PublicKey>, paper: &Paper) {
        let _ = self.papers.send(to, paper.encode(), false);
    }

    pub(super) fn collect(&mut self, signed: Signed) {
        if let Some(certified) = self.ballots.add(signed) {
            if self.node.leads() {
                self.tell(Recipients::All, &Paper::Certified(certified.clone()));
            }
            self.settle(certified);
        }
    }

    pub(super) fn settle(&mut self, certified: Certified) {
        let view = certified.view().get();
        let now = self.now_ms();
        self.parts.shared.view_ended((self.electorate.epoch, view), false, now);
        self.ballots.settle(certified.clone());
        self.marshal.report(Activity::Finalization(certified));
    }

    pub(super) fn now_ms(&self) -> u64 {
        unix_ms(self.context.current())
    }

    /// Where a validator stands in their list, which was heard just now; others have no say here.
    pub(super) fn heard(&self, from: &PublicKey) -> Option<usize> {
        let index = self.electorate.keys.binary_search(&peer_key(from)).ok()?;
        self.parts.shared.heard(index, self.electorate.epoch, self.now_ms());
        Some(index)
    }

    /// A signature or a certificate came.
    pub(super) fn read(&mut self, from: &PublicKey, bytes: Bytes) {
        if self.heard(from).is_none() {
            return;
        }
        match Paper::decode(bytes, &self.electorate.scheme) {
            Some(Paper::Signed(signed)) => {
                if signed.view().get() <= self.ballots.certified() {
                    // It missed the certificate.
                    if let Some(latest) = self.ballots.latest().cloned() {
                        self.tell(Recipients::One(from.clone()), &Paper::Certified(latest));
                    }
                } else if self.ballots.is_wanted(&signed, from)
                    && signed.verify(&mut self.context, &*self.electorate.scheme, &Sequential)
                {
                    self.collect(signed);
                }
            }
            Some(Paper::Certified(certified)) => {
                if self.ballots.is_news(&certified, &mut self.context) {
                    self.settle(certified);
                }
            }
            None => tracing::debug!("a paper that is none"),
        }
    }
}
