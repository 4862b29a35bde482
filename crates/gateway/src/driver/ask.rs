//! Questions to signer and peer, each a task that answers once.

use std::future::Future;

use althing_edge::{AttemptId, Input, Output};
use tokio::time::timeout;

use super::Driver;
use crate::uplink::{Signer, Uplink, UplinkError};

impl<U: Uplink, S: Signer> Driver<U, S> {
    pub(super) fn ask(&self, question: Output) {
        let (uplink, signer) = (self.uplink.clone(), self.signer.clone());
        match question {
            Output::AskAccount { attempt } => self.answer(attempt, async move {
                let state = uplink.account().await?;
                let (height, next_nonce) = (state.height, state.next_nonce);
                Ok(Input::Account { attempt, height, next_nonce })
            }),
            Output::AskHead { attempt, stream } => self.answer(attempt, async move {
                let (next_seq, sealing) = uplink.head(stream).await?;
                Ok(Input::Head { attempt, next_seq, sealing })
            }),
            Output::Locate { attempt, stream, seq } => self.answer(attempt, async move {
                let (batch, next_seq) = uplink.locate(stream, seq).await?;
                Ok(Input::Located { attempt, batch, next_seq })
            }),
            Output::Sign { attempt, body } => self.answer(attempt, async move {
                let signed = signer.sign(body).await;
                let transaction = signed.map_err(|error| UplinkError(Box::new(error)))?;
                Ok(Input::Signed { attempt, transaction })
            }),
            Output::Submit { attempt, transaction, payload } => {
                self.answer(attempt, async move {
                    let outcome = uplink.submit(transaction, payload).await?;
                    Ok(Input::Outcome { attempt, outcome })
                });
            }
            // The others are no questions.
            _ => {}
        }
    }

    fn answer(
        &self,
        attempt: AttemptId,
        question: impl Future<Output = Result<Input, UplinkError>> + Send + 'static,
    ) {
        let (answers, generation) = (self.answers.0.clone(), self.generation);
        let patience = self.config.answer_timeout;
        tokio::spawn(async move {
            let input = match timeout(patience, question).await {
                Ok(Ok(input)) => input,
                Ok(Err(error)) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::debug!(cause, "{error}");
                    Input::Failed { attempt }
                }
                Err(_) => Input::Failed { attempt },
            };
            // The driver has gone: nobody waits.
            let _ = answers.send((generation, input)).await;
        });
    }
}
