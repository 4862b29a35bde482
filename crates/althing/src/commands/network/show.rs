//! `althing network show`: what a network was founded as, and who takes part in it now.

use clap::Args;
use serde_json::json;

use super::participation;
use crate::{
    output::{Output, fields},
    session::{Explain as _, Remote, block_on},
};

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    remote: Remote,
}

impl Show {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            let client = self.remote.client()?;
            let network = client.network().await.explain()?;
            let governance = client.governance().await.explain()?;
            let (genesis, parameters) = (&network.genesis, &governance.parameters);
            let value = json!({
                "network": network.network,
                "ledger": network.ledger,
                "mode": genesis.mode,
                "mechanism": governance.mechanism,
                "members": governance.members.len(),
                "validators": governance.validators.len(),
                "parameters": parameters,
            });
            output.show(&value, || {
                let reads = serde_json::to_value(parameters.reads).unwrap_or_default();
                fields(&[
                    ("network", network.network.clone()),
                    ("ledger", network.ledger.to_string()),
                    ("founded", genesis.time.clone()),
                    ("mode", genesis.mode.clone()),
                    ("agreement", governance.mechanism.clone()),
                    ("members", governance.members.len().to_string()),
                    ("validators", governance.validators.len().to_string()),
                    ("take part", participation(parameters)),
                    ("read without a policy", reads.as_str().unwrap_or_default().to_owned()),
                    ("tokens", if parameters.fees.is_some() { "yes" } else { "no" }.to_owned()),
                ])
            })
        })
    }
}
