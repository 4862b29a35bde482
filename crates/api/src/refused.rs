//! Says of a transaction that was refused at once by whose rule, where that is more than the code tells.

use althing_types::{Refusal, Transaction};
use bytes::Bytes;

use crate::{problem::ApiError, service::Service};

impl Service {
    /// The problem of a transaction that was refused at once. Where it lacks an owner's leave, it says by which
    /// policy; a contract that is called may lack it too, and then only the receipt can tell. Where it breaks a
    /// regulation, it says which.
    pub(crate) fn refused(&self, refusal: Refusal, transaction: &Bytes) -> ApiError {
        let by_whose_rule = match refusal {
            Refusal::AccessDenied
            | Refusal::NoPolicy
            | Refusal::NoGrant
            | Refusal::GrantExhausted
            | Refusal::NotPermitted => Self::lacks_leave,
            Refusal::RegulationBroken => Self::breaks_regulation,
            _ => return refusal.into(),
        };
        let transaction = Transaction::decode(transaction.clone()).ok();
        transaction
            .and_then(|transaction| by_whose_rule(self, refusal, &transaction))
            .unwrap_or_else(|| refusal.into())
    }

    fn lacks_leave(&self, refusal: Refusal, transaction: &Transaction) -> Option<ApiError> {
        let body = transaction.body();
        let (deed, decision) = self.query.lacks_leave(body.sender, &body.actions).ok()??;
        let sender = Some(body.sender);
        Some(self.denied(refusal, sender, deed.right, &deed.resource, &decision))
    }

    fn breaks_regulation(&self, refusal: Refusal, transaction: &Transaction) -> Option<ApiError> {
        let regulation = self.query.regulation_broken_by(transaction).ok()??;
        let (id, whose) = (&regulation.id, &regulation.jurisdiction);
        let said = format!("It is `{id}` ({whose}): {}", regulation.text);
        Some(ApiError::from(refusal).about(id).explained(&said))
    }
}
