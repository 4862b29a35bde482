//! `althing block`: final blocks and who signed them.

use althing_client::model::{Block, BlockSummary, Peers, query};
use clap::{Args, Subcommand};

use crate::{
    output::{Output, Table, fields, short},
    session::{Explain as _, Remote, block_on},
};

/// Shows blocks.
#[derive(Debug, Subcommand)]
pub(crate) enum BlockCommand {
    /// Lists blocks, the newest first.
    List(List),
    /// Shows one block: its transactions and who signed it.
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only blocks below this height.
    #[arg(long)]
    before: Option<u64>,
    /// At most so many.
    #[arg(long, default_value_t = 20)]
    limit: u32,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its height.
    height: u64,
    /// Go on after this transaction, as the end of the part before says.
    #[arg(long)]
    after: Option<String>,
    /// At most so many transactions.
    #[arg(long)]
    limit: Option<u32>,
    #[command(flatten)]
    remote: Remote,
}

impl BlockCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        match self {
            Self::List(list) => block_on(list.run(output)),
            Self::Show(show) => block_on(show.run(output)),
        }
    }
}

impl List {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let query = query::Blocks { before: self.before, limit: Some(self.limit) };
        let page = self.remote.client()?.blocks(&query).await.explain()?;
        output.show(&page, || {
            let mut table = Table::new(&["height", "time", "transactions", "state of", "root"]);
            for block in &page.items {
                table.row(row(block));
            }
            let next = page.next.as_ref().map(|next| format!("more: --before {next}"));
            format!("{}{}", table.or("no blocks"), next.unwrap_or_default())
        })
    }
}

fn row(block: &BlockSummary) -> [String; 5] {
    [
        block.height.to_string(),
        block.time.to_string(),
        block.transactions.to_string(),
        block.result.height.to_string(),
        short(&block.result.state_root.to_string()).to_owned(),
    ]
}

impl Show {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let query = query::List { after: self.after, limit: self.limit };
        let block = client.block(self.height, &query).await.explain()?;
        let peers = client.peers().await.explain()?;
        output.show(&block, || text(&block, &peers))
    }
}

fn text(block: &Block, peers: &Peers) -> String {
    let Block { summary, signers, transaction_ids, next } = block;
    let name = |key: &althing_client::model::KeyHex| {
        let peer = peers.items.iter().find(|peer| peer.key == *key);
        peer.map_or_else(|| key.to_string(), |p| format!("{} ({})", p.name, p.organisation_name))
    };
    let signers: Vec<String> = signers.iter().map(name).collect();
    let signers = match signers.is_empty() {
        true => "nobody by name: a later block's votes cover it".to_owned(),
        false => signers.join(", "),
    };
    let mut text = fields(&[
        ("height", summary.height.to_string()),
        ("digest", summary.digest.to_string()),
        ("parent", summary.parent.to_string()),
        ("time", summary.time.to_string()),
        ("proposed by", name(&summary.proposer)),
        ("signed by", signers),
        ("epoch, view", format!("{}, {}", summary.epoch, summary.view)),
        ("commits to", format!("the state after block {}", summary.result.height)),
        ("state root", summary.result.state_root.to_string()),
        ("transactions", summary.transactions.to_string()),
    ]);
    for id in transaction_ids {
        text.push_str(&format!("  {id}\n"));
    }
    super::with_more(text, next.as_deref())
}
