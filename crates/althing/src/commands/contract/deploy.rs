//! `althing contract deploy`: from a module to a contract that runs it, as often as one likes.

use std::path::PathBuf;

use althing_client::model::DidText;
use althing_types::{Action, CodeId, ContractId, Terms};
use clap::Args;
use serde_json::json;

use super::{
    call::GAS,
    code::{self, About},
    message,
};
use crate::{
    commands::final_at,
    output::Output,
    report::failed,
    session::{Explain as _, SignArgs},
};

#[derive(Debug, Args)]
pub(crate) struct Deploy {
    /// The WebAssembly module.
    module: PathBuf,
    /// The first message of the contract: JSON, or @FILE.
    message: String,
    /// A name for it, unique among those that the signing entity made.
    #[arg(long)]
    name: String,
    /// If the contract is there with other code: the message by which it is given this code, JSON or @FILE.
    #[arg(long, value_name = "MESSAGE")]
    migrate: Option<String>,
    #[command(flatten)]
    about: About,
    /// Most gas its beginning, or the change of its code, may use.
    #[arg(long, default_value_t = GAS)]
    gas: u64,
    #[command(flatten)]
    sign: SignArgs,
}

impl Deploy {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        let first = message(&self.message)?;
        let migrate = self.migrate.as_deref().map(message).transpose()?;
        let module = code::runnable(&self.module)?;
        let code = CodeId::of(&module);
        let session = self.sign.session().await?;
        let contract = ContractId::derive(&session.entity(), &self.name);
        let runs = match session.client.contract(&contract).await {
            Ok(found) if found.status == "terminated" => {
                let next = "give another --name: one that has ended does not begin again";
                return Err(failed(format!("{} has ended", self.name), next));
            }
            Ok(found) => Some(found.code.0),
            Err(error) if error.code() == Some("unknown_contract") => None,
            Err(error) => return Err(error).explain(),
        };
        let (done, outcome) = match (runs, migrate) {
            (Some(runs), _) if runs == code => ("runs this code already", None),
            (Some(runs), None) => {
                return Err(failed(
                    format!("{} runs other code: {runs}", self.name),
                    "--migrate MESSAGE gives it this one, if that has an entry point for it",
                ));
            }
            (Some(_), Some(message)) => {
                code::store(&session, &module, self.about.meta(&self.module)).await?;
                let change = Action::Migrate { contract, code, message, gas_limit: self.gas };
                ("runs this code now", Some(session.perform(vec![change]).await?))
            }
            (None, _) => {
                code::store(&session, &module, self.about.meta(&self.module)).await?;
                let terms = Terms { admin: Some(session.entity()), ..Terms::default() };
                let (name, gas_limit) = (self.name.clone(), self.gas);
                let make = Action::Instantiate {
                    code,
                    name,
                    terms,
                    message: first,
                    gas_limit,
                    funds: None,
                };
                ("is made", Some(session.perform(vec![make]).await?))
            }
        };
        let did = DidText::contract(&session.network, &contract);
        let value = json!({ "id": did, "code": code.to_string(), "outcome": outcome });
        output.show(&value, || {
            let at = outcome.as_ref().map(|outcome| format!("\n{}", final_at(outcome)));
            format!("{} {done}: {did}{}", self.name, at.unwrap_or_default())
        })
    }
}
