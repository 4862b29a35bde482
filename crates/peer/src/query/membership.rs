//! The chain from the genesis to the validators of an epoch, for proofs.

use althing_proof::membership::{EPOCHS_MAX, EpochLink};

use super::{Query, QueryError};

impl Query {
    /// The links up to an epoch.
    ///
    /// # Errors
    /// [`QueryError::NotCertified`] if one cannot be made here, or there are too many.
    pub(super) async fn links(&self, epoch: u64) -> Result<Vec<EpochLink>, QueryError> {
        if epoch > EPOCHS_MAX as u64 {
            return Err(QueryError::NotCertified);
        }
        let mut links = self.links.lock().clone();
        for epoch in links.len() as u64..epoch {
            let parameters = &self.core.config.genesis.parameters;
            let last = parameters.epoch_end(epoch).ok_or(QueryError::NotCertified)?;
            let next = self.chain().validators(epoch + 1).await.ok_or(QueryError::NotCertified)?;
            links.push(EpochLink { last: self.certified(last).await?, next });
        }
        let mut known = self.links.lock();
        if links.len() > known.len() {
            known.clone_from(&links);
        }
        drop(known);
        links.truncate(epoch as usize);
        Ok(links)
    }
}
