//! The head of the log of operations on the ledger: from then on nobody changes what was before it
//! without it being seen, the peer's own administrator included.

use std::{sync::Arc, time::Duration};

use althing_types::{Action, Record};

use crate::{
    own::{Acted, Own},
    service::Shared,
};

/// What the records are called.
const KIND: &str = "althing.operations";

/// Puts the head on the ledger every so often, if it has changed, as a record of the peer's own: its
/// number (8 bytes, most significant first) and its digest.
pub(crate) async fn anchor(service: Shared, own: Arc<Own>, interval: Duration) {
    let mut told = 0;
    loop {
        tokio::time::sleep(interval).await;
        let (number, digest) = service.operation.operations().head();
        if number == told {
            continue;
        }
        let data = [number.to_be_bytes().as_slice(), &digest].concat();
        let record = Record { kind: KIND.to_owned(), data, notify: Vec::new(), link: None };
        match own.act(&service, Action::Record(record)).await {
            Acted::Final(0) => told = number,
            other => tracing::debug!(?other, "the head of the log is not on the ledger yet"),
        }
    }
}
