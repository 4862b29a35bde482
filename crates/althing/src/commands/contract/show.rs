//! Finding contracts and what happened to them.

use althing_client::model::{Contract, Page, query};
use clap::Args;

use super::{find, find_code};
use crate::{
    commands::{PageArgs, past_events, with_more},
    lookup,
    output::{Output, Table, fields},
    session::{Explain as _, Remote},
};

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those with exactly this name.
    #[arg(long)]
    name: Option<String>,
    /// Only those whose code serves this interface.
    #[arg(long)]
    interface: Option<String>,
    /// Only those that run this code: hex id, number or name.
    #[arg(long)]
    code: Option<String>,
    /// Only those that wait for this participant to decide: DID, hex id or name.
    #[arg(long, value_name = "ENTITY")]
    awaiting: Option<String>,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its name, DID or hex id.
    contract: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    /// Its name, DID or hex id.
    contract: String,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

impl List {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let code = match &self.code {
            Some(code) => Some(althing_client::model::Hex(find_code(&client, code).await?)),
            None => None,
        };
        let awaiting = match &self.awaiting {
            Some(entity) => Some(lookup::entity(&client, entity).await?.into()),
            None => None,
        };
        let query = query::Contracts {
            name: self.name,
            interface: self.interface,
            code,
            awaiting,
            after: self.page.after.clone(),
            limit: self.page.limit,
        };
        let page = client.contracts(&query).await.explain()?;
        output.show(&page, || table(&page))
    }
}

fn table(page: &Page<Contract>) -> String {
    let mut table = Table::new(&["name", "status", "interfaces", "creator", "id"]);
    for contract in &page.items {
        table.row([
            contract.name.clone(),
            contract.status.clone(),
            contract.interfaces.join(", "),
            contract.creator.to_string(),
            contract.id.to_string(),
        ]);
    }
    with_more(table.or("no such contract"), page.next.as_deref())
}

impl Show {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        let contract = find(&self.remote.client()?, &self.contract).await?;
        output.show(&contract, || text(&contract))
    }
}

fn text(contract: &Contract) -> String {
    let list = |ids: &[althing_client::model::DidText]| {
        ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    let callers =
        if contract.callers.is_empty() { "anyone".to_owned() } else { list(&contract.callers) };
    let mut text = fields(&[
        ("name", contract.name.clone()),
        ("id", contract.id.to_string()),
        ("status", contract.status.clone()),
        ("code", contract.code.to_string()),
        ("interfaces", contract.interfaces.join(", ")),
        ("creator", contract.creator.to_string()),
        ("administrator", contract.admin.as_ref().map_or("nobody".into(), ToString::to_string)),
        ("may call it", callers),
        ("made at block", contract.created_height.to_string()),
        ("changed at block", contract.changed_height.to_string()),
    ]);
    if let Some(proposal) = &contract.proposal {
        text.push_str(&fields(&[
            ("participants", list(&proposal.participants)),
            ("accepted by", list(&proposal.accepted)),
            ("declined by", list(&proposal.declined)),
            ("must accept", proposal.threshold.to_string()),
            ("until block", proposal.until_height.to_string()),
        ]));
    }
    text
}

impl History {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let contract = find(&client, &self.contract).await?.hex.0;
        let query = query::List { after: self.page.after.clone(), limit: self.page.limit };
        let page = client.contract_history(&contract, &query).await.explain()?;
        output.show(&page, || past_events(&page, "transaction", "nothing yet"))
    }
}
