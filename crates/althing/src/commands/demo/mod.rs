//! `althing demo`: four organisations agree on what real sensors say, on this machine.
//!
//! Nothing in it is staged: each peer and the gateway are processes of their own that run the same
//! program as in the field, sensors publish by MQTT through a client library that others wrote, and
//! the proof is checked by what `althing verify` uses.

mod cast;
mod feed;
mod narrator;
mod play;
mod register;
mod story;
mod summary;
mod tally;

use std::{path::PathBuf, time::Duration};

use althing_types::limits::VALIDATORS_MAX;
use clap::Args;

use crate::{
    folder::Folder,
    output::Output,
    replay::catalogue::{self, Sensor},
    report::failed,
    session::block_on,
    span,
};

/// Readings that a sensor may publish in a second.
const RATE_MAX: f64 = 1000.0;
/// Where the files of a demo are left for whoever wants to look at them.
const FOLDER: &str = "demo-data";

/// Runs peers of several organisations and a gateway, replays real sensor data, and shows the first
/// reading that a quorum agreed on, with a proof that anyone can check.
#[derive(Debug, Args)]
pub(crate) struct DemoCommand {
    /// How many peers, each of another organisation.
    #[arg(long, default_value_t = 4)]
    peers: usize,
    /// Folder with recordings to replay (*.csv with the columns timestamp,value) instead of those
    /// that the program brings along.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Readings that each sensor publishes in a second.
    #[arg(long, default_value_t = 20.0, value_name = "N", value_parser = parse_rate)]
    speed: f64,
    /// Say nothing but the summary at the end.
    #[arg(long)]
    headless: bool,
    /// End after this time, such as 30s; otherwise with Ctrl-C.
    #[arg(long = "for", value_name = "TIME", value_parser = span::parse)]
    duration: Option<Duration>,
    /// Folder for the network's files, which must be new or empty; otherwise demo-data, made anew
    /// each time (with --headless a temporary one).
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Port of the first peer's interface; the other peers' are ten apart. By default 4464, or any
    /// that is free.
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Port of the gateway's MQTT listener. By default 1883, or any that is free.
    #[arg(long, value_name = "PORT")]
    mqtt_port: Option<u16>,
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let wrong = || format!("`{text}` is no number above 0 and up to {RATE_MAX}");
    let rate: f64 = text.parse().map_err(|_| wrong())?;
    if rate > 0.0 && rate <= RATE_MAX { Ok(rate) } else { Err(wrong()) }
}

impl DemoCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        let sensors = self.sensors()?;
        if !(1..=VALIDATORS_MAX).contains(&self.peers) {
            return Err(failed(
                format!("a network has 1 to {VALIDATORS_MAX} peers, not {}", self.peers),
                "--peers 4",
            ));
        }
        let folder = self.folder()?;
        let told = narrator::Narrator::new(output, self.headless);
        block_on(play::play(&self, &sensors, &folder, told, output))
    }

    fn sensors(&self) -> anyhow::Result<Vec<Sensor>> {
        match &self.data {
            Some(folder) => catalogue::of_folder(folder),
            None => catalogue::built_in(),
        }
    }

    fn folder(&self) -> anyhow::Result<Folder> {
        match &self.dir {
            Some(path) => Folder::kept(path),
            None if self.headless => Folder::temporary("althing-demo"),
            None => Folder::shared(FOLDER.as_ref()),
        }
    }

    fn pause(&self) -> Duration {
        Duration::from_secs_f64(self.speed.recip())
    }
}
