//! Code on the ledger.

use std::path::{Path, PathBuf};

use althing_client::{
    file,
    model::{Code, Outcome, Page, query},
};
use althing_contract::inspect;
use althing_types::{
    Action, CodeId, CodeMeta,
    limits::{CODE_BYTES_MAX, CODE_PART_BYTES_MAX},
};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;

use super::find_code;
use crate::{
    commands::{PageArgs, final_at, with_more, write_new},
    output::{Output, Table, fields},
    report::{NextStep as _, failed},
    session::{Explain as _, Remote, Session, SignArgs},
};

#[derive(Debug, Args)]
pub(crate) struct Store {
    /// The WebAssembly module.
    module: PathBuf,
    /// A name for it; the file's without ending if none is given.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    about: About,
    #[command(flatten)]
    sign: SignArgs,
}

/// What is said of code when it is stored.
#[derive(Debug, Args)]
pub(super) struct About {
    /// Where its source is and how it was built, for whoever wants to build it again.
    #[arg(long, default_value = "")]
    source: String,
    /// An interface it serves, such as cw20; may be repeated.
    #[arg(long = "interface", value_name = "NAME")]
    interfaces: Vec<String>,
}

impl About {
    /// With the name of the module's file.
    pub(super) fn meta(&self, module: &Path) -> CodeMeta {
        let mut interfaces = self.interfaces.clone();
        interfaces.sort();
        interfaces.dedup();
        let stem = module.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        CodeMeta { name: stem.unwrap_or_default(), source: self.source.clone(), interfaces }
    }
}

/// Shows code that is stored, fetches or removes it.
#[derive(Debug, Subcommand)]
pub(crate) enum CodeCommand {
    /// Lists code that is stored.
    List(List),
    /// Shows code.
    Show(Show),
    /// Fetches a module and checks that it is the one its id names.
    Fetch(Fetch),
    /// Removes code that no contract runs.
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its hex id, number or name.
    code: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Fetch {
    /// Its hex id, number or name.
    code: String,
    /// File to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Its hex id, number or name.
    code: String,
    #[command(flatten)]
    sign: SignArgs,
}

/// Reads a module from a file.
pub(super) fn read_module(path: &Path) -> anyhow::Result<Vec<u8>> {
    file::read(path, CODE_BYTES_MAX as u64)
        .with_context(|| format!("cannot read the module {}", path.display()))
        .next_step(|| {
            format!("give a WebAssembly module of at most {CODE_BYTES_MAX} bytes; `althing contract build` makes one")
        })
}

/// A module from a file, if it may run here.
pub(super) fn runnable(path: &Path) -> anyhow::Result<Vec<u8>> {
    let module = read_module(path)?;
    match inspect(&module) {
        Ok(_) => Ok(module),
        Err(reason) => Err(failed(
            format!("{} may not run here: {reason}", path.display()),
            "althing contract build builds a contract as it must be",
        )),
    }
}

/// Uploads a module and stores it; none if it is stored already.
pub(super) async fn store(
    session: &Session,
    module: &[u8],
    meta: CodeMeta,
) -> anyhow::Result<Option<Outcome>> {
    let code = CodeId::of(module);
    if session.client.code(&code).await.is_ok() {
        return Ok(None);
    }
    let parts = module.chunks(CODE_PART_BYTES_MAX);
    let count = parts.len() as u16;
    for (part, bytes) in (0..).zip(parts) {
        let bytes = bytes.to_vec();
        session.perform(vec![Action::UploadCode { code, part, bytes }]).await?;
    }
    session.perform(vec![Action::StoreCode { code, parts: count, meta }]).await.map(Some)
}

impl Store {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        let module = runnable(&self.module)?;
        let code = CodeId::of(&module);
        let session = self.sign.session().await?;
        let mut meta = self.about.meta(&self.module);
        meta.name = self.name.clone().unwrap_or(meta.name);
        let outcome = store(&session, &module, meta).await?;
        let value = json!({ "code": code.to_string(), "outcome": outcome });
        output.show(&value, || match &outcome {
            None => format!("{code} is stored already"),
            Some(outcome) => format!("stored {code}\n{}", final_at(outcome)),
        })
    }
}

impl CodeCommand {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        match self {
            Self::List(list) => {
                let client = list.remote.client()?;
                let query = query::List { after: list.page.after.clone(), limit: list.page.limit };
                let page = client.codes(&query).await.explain()?;
                output.show(&page, || table(&page))
            }
            Self::Show(show) => {
                let client = show.remote.client()?;
                let id = find_code(&client, &show.code).await?;
                let code = client.code(&id).await.explain()?;
                output.show(&code, || text(&code))
            }
            Self::Fetch(fetch) => fetch.run(output).await,
            Self::Remove(remove) => {
                let session = remove.sign.session().await?;
                let code = find_code(&session.client, &remove.code).await?;
                let outcome = session.perform(vec![Action::RemoveCode { code }]).await?;
                output.show(&outcome, || format!("removed {code}\n{}", final_at(&outcome)))
            }
        }
    }
}

impl Fetch {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let id = find_code(&client, &self.code).await?;
        let module = client.module(&id).await.explain()?;
        if CodeId::of(&module) != id {
            return Err(failed(
                "the peer gave another module than the one asked for".to_owned(),
                "ask another peer with --peer",
            ));
        }
        write_new(&self.out, &module)?;
        let value = json!({ "code": id.to_string(), "bytes": module.len() });
        output.show(&value, || format!("wrote {} bytes, SHA-256 {id}", module.len()))
    }
}

fn table(page: &Page<Code>) -> String {
    let mut table = Table::new(&["number", "name", "interfaces", "bytes", "contracts", "id"]);
    for code in &page.items {
        table.row([
            code.number.to_string(),
            code.name.clone(),
            code.interfaces.join(", "),
            code.bytes.to_string(),
            code.contracts.to_string(),
            code.id.to_string(),
        ]);
    }
    with_more(table.or("no code is stored"), page.next.as_deref())
}

fn text(code: &Code) -> String {
    fields(&[
        ("name", code.name.clone()),
        ("id", code.id.to_string()),
        ("number", code.number.to_string()),
        ("source", code.source.clone()),
        ("interfaces", code.interfaces.join(", ")),
        ("bytes", code.bytes.to_string()),
        ("owner", code.owner.to_string()),
        ("stored by", code.creator.to_string()),
        ("stored at block", code.stored_height.to_string()),
        ("ready from", code.ready.to_string()),
        ("contracts", code.contracts.to_string()),
    ])
}
