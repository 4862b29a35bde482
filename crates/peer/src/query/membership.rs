//! The chain from the genesis to the validators of an epoch, for proofs.

use althing_proof::membership::{EPOCHS_MAX, EpochLink};
use althing_state::Space;
use althing_types::ValidatorSet;
use commonware_utils::sync::Mutex;

use super::{Query, QueryError, decode};
use crate::{config::Planted, rows};

/// The newest chain that was asked for, and the epoch that it leads to: at first that of the genesis,
/// which needs no link. Nearly every proof needs this one.
#[derive(Debug, Default)]
pub(super) struct Links(Mutex<(u64, Vec<EpochLink>)>);

impl Query {
    /// The links up to an epoch: one for each change of validators.
    ///
    /// # Errors
    /// [`QueryError::NotCertified`] if one cannot be made here, or there are too many.
    pub(crate) async fn links(&self, epoch: u64) -> Result<Vec<EpochLink>, QueryError> {
        if self.core.config.has(Planted::ForgetChanges) {
            return Ok(Vec::new());
        }
        let (newest, known) = self.links.0.lock().clone();
        if newest == epoch {
            return Ok(known);
        }
        let missing = || QueryError::NotCertified;
        // Waits until they are decided, and so are all before them.
        let mut set = self.chain().settled_validators(epoch).await.ok_or_else(missing)?;
        let mut changes = Vec::new();
        while let Some(before) = set.epoch.checked_sub(1) {
            if changes.len() == EPOCHS_MAX {
                return Err(missing());
            }
            changes.push(set);
            set = self.chain().validators_since(before).ok_or_else(missing)?;
        }
        let mut links = Vec::with_capacity(changes.len());
        for next in changes.into_iter().rev() {
            let made = known.get(links.len()).filter(|made| made.next == next).cloned();
            links.push(match made {
                Some(made) => made,
                None => self.link(next).await?,
            });
        }
        let mut kept = self.links.0.lock();
        if epoch > kept.0 {
            *kept = (epoch, links.clone());
        }
        Ok(links)
    }

    async fn link(&self, next: ValidatorSet) -> Result<EpochLink, QueryError> {
        let epoch = next.epoch;
        if let Some(row) = self.stored(Space::Receipts, &rows::link(epoch))? {
            return decode(&rows::link(epoch), &row);
        }
        let parameters = &self.core.config.genesis.parameters;
        let last = parameters.epoch_end(epoch.saturating_sub(1)).ok_or(QueryError::NotCertified)?;
        Ok(EpochLink { last: self.certified(last).await?, next })
    }
}
