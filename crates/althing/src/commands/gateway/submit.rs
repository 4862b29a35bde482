//! Submit what the gateway itself has to say, beside its batches.

use std::time::Duration;

use althing_client::{Account, Client, Error};
use althing_types::{Action, Refusal};

/// How long one transaction may take to be final.
const FINAL_PATIENCE: Duration = Duration::from_secs(20);
/// How often one is signed anew because the gateway's own batches took its nonce.
const ATTEMPTS: usize = 8;

/// Submits actions together and waits until they are final; gives the code if the ledger refuses them, at once or
/// in the receipt.
///
/// # Errors
/// [`Error`] if the peer did not take them: another one may.
pub(super) async fn submit(
    client: &Client,
    account: &Account,
    actions: &[Action],
) -> Result<Option<String>, Error> {
    let mut attempts = 0;
    loop {
        // The gateway's batches are numbered from the same account: where it stood at the start, or at the
        // transaction before, may be long out of the window. Answers used to be lost to that.
        account.refresh(client).await?;
        let transaction = account.sign(actions.to_vec());
        let refusal = match client.finalize_transaction(&transaction, FINAL_PATIENCE).await {
            Ok(outcome) => {
                account.saw(outcome.height);
                outcome.receipt.refusal.map(|refusal| refusal.code)
            }
            Err(error) => Some(of_the_ledger(&error).ok_or(error)?),
        };
        // A batch may have taken the nonce meanwhile.
        let is_taken = refusal.as_deref() == Some(Refusal::NonceReused.code());
        if !is_taken || attempts >= ATTEMPTS {
            return Ok(refusal);
        }
        attempts += 1;
    }
}

/// The code of an error that is a refusal of the ledger, which every peer would give.
fn of_the_ledger(error: &Error) -> Option<String> {
    let code = error.code()?;
    Refusal::ALL.iter().any(|refusal| refusal.code() == code).then(|| code.to_owned())
}
