//! Measures the state on disk: `state_bench [keys]...`, one JSON object a line.
//!
//! Rows are as the ledger's: raw keys of 34 bytes, values of 150. Each block reads what it is about
//! to write, as the ledger does, and then commits it durably. The two are counted apart: `read_us`
//! and `update_us` are CPU time per row over all threads, those of the store included.

use std::{error::Error, fs, path::Path, sync::Arc, time::Instant};

use althing_state::{Batch, Read as _, State, Store, Writes};
use althing_storage::{FjallStore, Settings};
use althing_types::{LedgerId, Wire as _, hash};

type Outcome<T> = Result<T, Box<dyn Error>>;

const LEDGER: LedgerId = LedgerId([7; 32]);
const VALUE_BYTES: usize = 150;
/// Rows in a block while the state is filled.
const LOAD_ROWS: u64 = 10_000;
/// Name, rows in a block, blocks.
const UPDATES: &[(u64, u64)] = &[(1_000, 40), (4_000, 16)];
const PROOFS: u64 = 20_000;
/// What `main` measures when no sizes are given.
const SIZES: &[u64] = &[100_000, 1_000_000];

fn main() -> Outcome<()> {
    let given = std::env::args().skip(1).map(|text| text.parse()).collect::<Result<Vec<_>, _>>()?;
    for keys in if given.is_empty() { SIZES } else { &given } {
        measure(*keys)?;
    }
    Ok(())
}

fn measure(keys: u64) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let mut bench = Bench::load(folder.path(), keys)?;
    for (rows, blocks) in UPDATES {
        let mut random = Random(*rows);
        bench.blocks("update", *rows, *blocks, || random.below(keys))?;
    }
    for (rows, blocks) in UPDATES {
        let mut next = bench.keys;
        bench.blocks("insert", *rows, *blocks, || {
            next += 1;
            next - 1
        })?;
        bench.keys = next;
    }
    bench.prove()?;
    bench.reopen(folder.path())
}

struct Bench {
    state: State,
    /// Rows at the beginning: what the cases are told apart by.
    size: u64,
    keys: u64,
    random: Random,
}

impl Bench {
    fn load(folder: &Path, keys: u64) -> Outcome<Self> {
        let store: Arc<dyn Store> = Arc::new(FjallStore::open(folder, &Settings::MODEST)?);
        let mut random = Random(1);
        let state = State::found(store, &LEDGER, Writes::new(), |_| Batch::default())?;
        let (started, cpu) = (Instant::now(), cpu_us());
        for first in (0..keys).step_by(LOAD_ROWS as usize) {
            let block = (first..keys.min(first + LOAD_ROWS)).map(|row| random.write(row)).collect();
            state.commit(state.height() + 1, block, |_| Batch::default())?;
        }
        println!(
            r#"{{"bench":"state_load","keys":{keys},"seconds":{:.1},"cpu_us":{:.1},"trie_mb":{:.0},"rss_mb":{:.0}}}"#,
            started.elapsed().as_secs_f64(),
            (cpu_us() - cpu) / keys as f64,
            state.trie_bytes() as f64 / 1e6,
            rss_mb()?,
        );
        Ok(Self { state, size: keys, keys, random })
    }

    fn blocks(
        &mut self,
        case: &str,
        rows: u64,
        blocks: u64,
        mut pick: impl FnMut() -> u64,
    ) -> Outcome<()> {
        let (mut read_us, mut update_us, mut wall_ms) = (0.0, 0.0, Vec::new());
        let mut written = 0;
        for _ in 0..blocks {
            let block: Writes = (0..rows).map(|_| self.random.write(pick())).collect();
            let cpu = cpu_us();
            let view = self.state.view();
            for key in block.keys() {
                view.get(key)?;
            }
            read_us += cpu_us() - cpu;
            written += block.len();
            let (cpu, started) = (cpu_us(), Instant::now());
            self.state.commit(self.state.height() + 1, block, |_| Batch::default())?;
            wall_ms.push(started.elapsed().as_secs_f64() * 1e3);
            update_us += cpu_us() - cpu;
        }
        wall_ms.sort_by(f64::total_cmp);
        println!(
            r#"{{"bench":"state_{case}","keys":{},"rows":{rows},"update_us":{:.2},"read_us":{:.2},"block_ms_p50":{:.1},"block_ms_max":{:.1},"trie_mb":{:.0},"rss_mb":{:.0}}}"#,
            self.size,
            update_us / written as f64,
            read_us / written as f64,
            wall_ms[wall_ms.len() / 2],
            wall_ms[wall_ms.len() - 1],
            self.state.trie_bytes() as f64 / 1e6,
            rss_mb()?,
        );
        Ok(())
    }

    /// Proofs against an older root, as a header demands, of keys that are there and keys that are
    /// not.
    fn prove(&mut self) -> Outcome<()> {
        let height = self.state.height() - 2;
        let root = self.state.root_at(height).ok_or("the root of two blocks ago is kept")?;
        for (case, from) in [("present", 0), ("absent", u64::MAX / 2)] {
            let keys: Vec<_> =
                (0..PROOFS).map(|_| key(from + self.random.below(self.size))).collect();
            let cpu = cpu_us();
            let proven: Vec<_> =
                keys.iter().map(|key| self.state.prove(height, key)).collect::<Result<_, _>>()?;
            let prove_us = (cpu_us() - cpu) / PROOFS as f64;
            let cpu = cpu_us();
            let mut bytes = 0;
            for (key, proven) in keys.iter().zip(&proven) {
                let path = &proven.as_ref().ok_or("the height is kept")?.path;
                path.verify(&root, key)?;
                bytes += path.to_wire().len();
            }
            let verify_us = (cpu_us() - cpu) / PROOFS as f64;
            println!(
                r#"{{"bench":"state_prove","keys":{},"case":"{case}","prove_us":{prove_us:.2},"verify_us":{verify_us:.2},"bytes":{}}}"#,
                self.size,
                bytes as u64 / PROOFS,
            );
        }
        Ok(())
    }

    fn reopen(self, folder: &Path) -> Outcome<()> {
        let (height, root) = (self.state.height(), self.state.root());
        drop(self.state);
        let before = rss_mb()?;
        let started = Instant::now();
        let store: Arc<dyn Store> = Arc::new(FjallStore::open(folder, &Settings::MODEST)?);
        let store_s = started.elapsed().as_secs_f64();
        let state = State::open(store, &LEDGER)?.ok_or("a ledger is founded")?;
        let all_s = started.elapsed().as_secs_f64();
        if (state.height(), state.root()) != (height, root) {
            return Err("the state came back different".into());
        }
        println!(
            r#"{{"bench":"state_reopen","keys":{},"store_s":{store_s:.2},"all_s":{all_s:.2},"trie_mb":{:.0},"rss_before_mb":{before:.0},"rss_mb":{:.0}}}"#,
            self.size,
            state.trie_bytes() as f64 / 1e6,
            rss_mb()?,
        );
        Ok(())
    }
}

fn key(row: u64) -> Vec<u8> {
    [b"s/".as_slice(), &hash("state bench", &[&row.to_be_bytes()])].concat()
}

/// splitmix64: the same rows in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn write(&mut self, row: u64) -> (Vec<u8>, Option<Vec<u8>>) {
        let value = std::iter::repeat_with(|| self.next().to_be_bytes()).flatten();
        (key(row), Some(value.take(VALUE_BYTES).collect()))
    }
}

/// CPU time of all threads, microseconds.
fn cpu_us() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    tasks.map(|task| scheduled_us(&task.path().join("schedstat"))).sum()
}

fn scheduled_us(path: &Path) -> f64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e3
}

fn rss_mb() -> Outcome<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS line")?;
    Ok(line.split_whitespace().nth(1).ok_or("no figure")?.parse::<f64>()? / 1e3)
}
