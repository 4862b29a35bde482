//! Where a cheating validator's messages leave for the network.

use std::{sync::Arc, time::SystemTime};

use bytes::Bytes;
use commonware_actor::{Feedback, Unreliable};
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{CheckedSender, LimitedSender, Recipients};
use commonware_runtime::IoBufs;

use crate::{
    behaviour::{Later, Liar, Outgoing, Part},
    reach::Reach,
};

/// What a channel carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Votes,
    Certificates,
    Blocks,
    /// Questions about missed blocks, and answers to them.
    Answers,
    /// Questions about missed certificates of an epoch, and answers to them.
    EpochAnswers,
    /// Questions about payloads, and answers to them.
    Payloads,
    Other,
}

impl Kind {
    /// The number of the epoch that the message begins with, if it does, and the rest.
    fn split(self, mut message: Bytes) -> (Bytes, Bytes) {
        let len = match self {
            // As a variable-length integer: all bytes but the last have their highest bit set.
            Self::Votes | Self::Certificates | Self::EpochAnswers => {
                message.iter().position(|byte| byte & 0x80 == 0).map_or(0, |last| last + 1)
            }
            Self::Blocks | Self::Answers | Self::Payloads | Self::Other => 0,
        };
        (message.split_to(len), message)
    }
}

fn prefixed(epoch: &Bytes, outgoing: Vec<Outgoing>) -> Vec<Outgoing> {
    let prefix = |(part, message): Outgoing| (part, [&epoch[..], &message[..]].concat().into());
    outgoing.into_iter().map(prefix).collect()
}

/// A sender that hands messages to a [`Liar`] first, if there is one.
#[derive(Debug, Clone)]
pub(crate) struct Tap<S> {
    inner: S,
    kind: Kind,
    liar: Option<Arc<Liar>>,
    reach: Option<Reach>,
}

impl<S> Tap<S> {
    pub(crate) fn new(inner: S, kind: Kind, liar: Option<Arc<Liar>>) -> Self {
        let liar = liar.filter(|_| kind != Kind::Other);
        Self { inner, kind, liar, reach: None }
    }

    /// One that carries nothing, and answers whom it would reach: the simulated network itself names
    /// everybody, whether there is a way or not.
    pub(crate) fn looking(inner: S, reach: Reach) -> Self {
        Self { inner, kind: Kind::Other, liar: None, reach: Some(reach) }
    }
}

impl<S: LimitedSender<PublicKey = PublicKey>> LimitedSender for Tap<S> {
    type PublicKey = PublicKey;
    type Checked<'a>
        = Checked<'a, S>
    where
        Self: 'a;

    fn check(&mut self, to: Recipients<PublicKey>) -> Result<Checked<'_, S>, SystemTime> {
        if let Some(reach) = &self.reach {
            let mut to = self.inner.check(to)?.recipients();
            to.retain(|peer| reach.is_near(peer));
            return Ok(Checked::Looking { to });
        }
        let Some(liar) = &self.liar else {
            return Ok(Checked::Honest(self.inner.check(to)?));
        };
        // What is to be said to whom is not known yet, so the quota is checked when it is.
        let to = self.inner.check(to)?.recipients();
        Ok(Checked::Lying { sender: &mut self.inner, kind: self.kind, liar: Arc::clone(liar), to })
    }
}

/// A message's recipients, checked against the quota.
pub(crate) enum Checked<'a, S: LimitedSender<PublicKey = PublicKey> + 'a> {
    Honest(S::Checked<'a>),
    Looking { to: Vec<PublicKey> },
    Lying { sender: &'a mut S, kind: Kind, liar: Arc<Liar>, to: Vec<PublicKey> },
}

impl<S: LimitedSender<PublicKey = PublicKey>> CheckedSender for Checked<'_, S> {
    type PublicKey = PublicKey;

    fn recipients(&self) -> Vec<PublicKey> {
        match self {
            Self::Honest(inner) => inner.recipients(),
            Self::Looking { to } | Self::Lying { to, .. } => to.clone(),
        }
    }

    fn send(self, message: impl Into<IoBufs> + Send, priority: bool) -> Unreliable<Feedback> {
        match self {
            Self::Honest(inner) => inner.send(message, priority),
            Self::Looking { .. } => Unreliable::new(Feedback::Ok),
            Self::Lying { sender, kind, liar, to } => {
                let message = Bytes::from(message.into().coalesce());
                let (epoch, message) = kind.split(message);
                let again = epoch.clone();
                let outgoing = match kind {
                    Kind::Votes => {
                        let later = later(sender.clone(), to.clone(), priority);
                        liar.votes(message, Box::new(move |it| later(prefixed(&again, it))))
                    }
                    Kind::Certificates => liar.certificates(message),
                    Kind::Blocks => liar.blocks(message),
                    Kind::Answers | Kind::EpochAnswers => liar.answers(message),
                    Kind::Payloads => liar.payloads(message),
                    Kind::Other => vec![(Part::All, message)],
                };
                deliver(sender, &to, prefixed(&epoch, outgoing), priority);
                Unreliable::new(Feedback::Ok)
            }
        }
    }
}

fn later<S: LimitedSender<PublicKey = PublicKey>>(
    mut sender: S,
    to: Vec<PublicKey>,
    priority: bool,
) -> Later {
    Box::new(move |outgoing| deliver(&mut sender, &to, outgoing, priority))
}

fn deliver<S: LimitedSender<PublicKey = PublicKey>>(
    sender: &mut S,
    to: &[PublicKey],
    outgoing: Vec<Outgoing>,
    priority: bool,
) {
    let (first, second) = to.split_at(to.len().div_ceil(2));
    for (part, message) in outgoing {
        let to = match part {
            Part::All => to,
            Part::First => first,
            Part::Second => second,
        };
        if let Ok(checked) = sender.check(Recipients::Some(to.to_vec())) {
            let _ = checked.send(message, priority);
        }
    }
}
