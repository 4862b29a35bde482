use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::PathBuf,
};

use althing_state::{Direction, Space, State, Store};
use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::Disk;
use crate::{
    config::Config,
    output::{Output, thousands},
    report::{NextStep as _, failed},
    session::read_genesis,
};

/// Rows read together.
const ROWS: usize = 1024;

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The peer's configuration.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
    /// File to write: JSON lines, the first with ledger, height and state root, then one for each
    /// key and value (hex). The root follows from keys and values alone.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Export {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        let config = Config::load(&self.config)?;
        let ledger = read_genesis(&config.genesis_path()?)?.ledger();
        let disk = Disk::open_existing(&config.peer()?)?;
        let state = State::open(disk.store.clone(), &ledger)
            .context("the state on disk cannot be used")
            .next_step(|| "althing peer check --config FILE".to_owned())?
            .ok_or_else(|| {
                failed("no ledger has been founded here yet", "althing peer run --config FILE")
            })?;
        let name = self.out.display().to_string();
        let file = File::create_new(&self.out)
            .with_context(|| format!("cannot write {name}"))
            .next_step(|| "give --out the path of a file that does not exist".to_owned())?;
        let mut file = BufWriter::new(file);
        let head = json!({
            "ledger": ledger.to_string(),
            "height": state.height(),
            "state_root": state.root().to_string(),
        });
        writeln!(file, "{head}")?;
        let rows = write_rows(&mut file, &*disk.store)?;
        file.flush().with_context(|| format!("cannot write {name}"))?;
        let value = json!({ "file": name, "rows": rows, "height": state.height() });
        output.show(&value, || {
            format!("wrote {name}: {} rows, state after block {}", thousands(rows), state.height())
        })
    }
}

fn write_rows(file: &mut impl std::io::Write, store: &dyn Store) -> anyhow::Result<u64> {
    let (mut from, mut count) = (Vec::new(), 0);
    loop {
        let rows = store.scan(Space::State, &from, None, Direction::Forward, ROWS)?;
        let Some((last, _)) = rows.last() else { return Ok(count) };
        from = [last.as_slice(), &[0]].concat();
        for (key, value) in &rows {
            let row = json!({ "key": hex::encode(key), "value": hex::encode(value) });
            writeln!(file, "{row}")?;
            count += 1;
        }
    }
}
