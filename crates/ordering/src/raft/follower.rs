//! Following without a vote: certificates are all it takes, blocks are fetched.

use commonware_consensus::{Reporter as _, Viewable as _, simplex::types::Activity};
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{Receiver as _, Sender};
use commonware_runtime::Clock;
use rand_core_0_10::CryptoRng;

use super::ballots::{Ballots, Paper};
use crate::{handle::Marshal, launch::Parts, status::unix_ms, voting::Beginning};

/// Takes certificates until the connections end.
pub(super) async fn run<E, S>(
    mut context: E,
    parts: &Parts,
    mut marshal: Marshal,
    begun: Beginning<S>,
) where
    E: Clock + CryptoRng,
    S: Sender<PublicKey = PublicKey>,
{
    let Beginning { electorate, lane, .. } = begun;
    let (_, mut papers) = lane.certificates;
    let mut ballots = Ballots::new(electorate.clone(), 0);
    while let Ok((_, message)) = papers.recv().await {
        let Some(Paper::Certified(certified)) = Paper::decode(message.into(), &electorate.scheme)
        else {
            continue;
        };
        if ballots.is_news(&certified, &mut context) {
            let view = certified.view().get();
            parts.shared.view_ended((electorate.epoch, view), false, unix_ms(context.current()));
            ballots.settle(certified.clone());
            marshal.report(Activity::Finalization(certified));
        }
    }
}
