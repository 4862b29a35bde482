//! `althing init`: choose how a network is deployed, and found it.
//!
//! The questions are those of Figure I.1 of ITU-T Y.4464: who takes part, and who trusts whom.

use std::{
    io::{BufRead, IsTerminal as _},
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
};

use althing_types::limits::EPOCH_BLOCKS_STANDARD;
use anyhow::Context as _;
use clap::Args;

use crate::{
    commands::network::{
        DeployName, MechanismName, ModeName, New, ReadsName, TokenArgs, TransactName,
    },
    output::Output,
    report::failed,
    secrets::ProtectionArgs,
};

/// Asks who takes part, chooses mode and agreement by the answers, and founds a network.
#[derive(Debug, Args)]
pub(crate) struct InitCommand {
    /// Folder for the network's files; must be empty or new.
    folder: PathBuf,

    /// Name of the network, part of every DID: 1 to 32 of a-z, 0-9 and -.
    #[arg(long)]
    name: String,

    /// Who may take part; not asked then.
    #[arg(long, value_enum)]
    mode: Option<ModeName>,

    /// How the peers agree; follows from the mode if left out.
    #[arg(long, value_enum)]
    agreement: Option<MechanismName>,

    /// How many peers; by default as few as stand the failure of one.
    #[arg(long)]
    peers: Option<usize>,

    /// Names of the organisations, separated by commas; by default one for each peer, and one for all
    /// of a private network.
    #[arg(long, value_delimiter = ',')]
    organisations: Vec<String>,

    /// Address that the peers listen on. Their ports follow from --port.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,

    /// Port of the first peer's interface; the port after it is for other peers, and each further
    /// peer begins ten higher.
    #[arg(long, default_value_t = 4464)]
    port: u16,

    /// Port of the gateway's MQTT listener.
    #[arg(long, default_value_t = 1883)]
    mqtt_port: u16,

    /// Ask nothing: what is not given is as in a consortium.
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    token: TokenArgs,

    #[command(flatten)]
    protection: ProtectionArgs,
}

/// What a network is to be, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Choice {
    mode: ModeName,
    agreement: MechanismName,
}

impl Choice {
    /// What a mode comes with, where nothing else is wanted.
    const fn of(mode: ModeName) -> Self {
        let agreement = match mode {
            ModeName::Private => MechanismName::Raft,
            ModeName::Public | ModeName::Consortium => MechanismName::Simplex,
        };
        Self { mode, agreement }
    }

    /// Who sends transactions: everybody in the open, members otherwise.
    const fn transact(self) -> TransactName {
        match self.mode {
            ModeName::Public => TransactName::Everybody,
            ModeName::Consortium | ModeName::Private => TransactName::Members,
        }
    }

    /// Who makes contracts; in a consortium nobody alone.
    const fn deploy(self) -> DeployName {
        match self.mode {
            ModeName::Public => DeployName::Everybody,
            ModeName::Consortium => DeployName::Approved,
            ModeName::Private => DeployName::Members,
        }
    }

    /// The fewest peers that stand the failure of one.
    const fn peers(self) -> usize {
        match self.agreement {
            MechanismName::Simplex => 4,
            MechanismName::Raft => 3,
        }
    }

    /// Why, in a few sentences.
    fn reasons(self) -> String {
        let mode = match self.mode {
            ModeName::Public => {
                "public: anybody is to take part with the same rights, so nobody is trusted. Whoever puts \
                 tokens behind a peer stands for a seat; the highest stakes get them, with equal votes. \
                 Everybody makes contracts."
            }
            ModeName::Consortium => {
                "consortium: several organisations run it, and none can run it alone. Members decide by \
                 vote who joins and whose peers agree on blocks; with four peers or more none may hold a third. \
                 A contract begins once enough of them approve it (`althing vote parameters` changes that)."
            }
            ModeName::Private => {
                "private: it is run by its owners and closed. Members decide who joins, one organisation \
                 may hold all seats, and nobody reads what no policy opens. Nobody else sends transactions or \
                 makes contracts."
            }
        };
        let agreement = match self.agreement {
            MechanismName::Simplex => {
                "simplex: with four peers one may fail or lie, with seven two. A proof stands on two thirds \
                 of the peers."
            }
            MechanismName::Raft => {
                "raft: with three peers one may fail, with five two; none may lie. It costs the least. A \
                 proof says that a majority of the owners' peers hold the block, and is worth as much as they are."
            }
        };
        format!("mode {mode}\nagreement {agreement}\n")
    }
}

/// Asks on a terminal, or wherever answers come from.
struct Asker<'a> {
    answers: &'a mut dyn BufRead,
    prompt: &'a mut dyn std::io::Write,
}

impl Asker<'_> {
    /// Yes or no; an empty line takes what is suggested.
    fn ask(&mut self, question: &str, suggested: bool) -> anyhow::Result<bool> {
        let choices = if suggested { "[Y/n]" } else { "[y/N]" };
        loop {
            write!(self.prompt, "{question} {choices} ")?;
            self.prompt.flush()?;
            let mut line = String::new();
            if self.answers.read_line(&mut line).context("cannot read the answer")? == 0 {
                return Err(failed("there is no answer", "answer y or n, or give --mode"));
            }
            match line.trim().to_ascii_lowercase().as_str() {
                "" => return Ok(suggested),
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => writeln!(self.prompt, "y or n, please")?,
            }
        }
    }

    /// The choice that follows from who takes part and who trusts whom.
    fn choose(&mut self) -> anyhow::Result<Choice> {
        if self.ask("May anybody take part, without being let in?", false)? {
            return Ok(Choice::of(ModeName::Public));
        }
        let question =
            "Do several organisations run peers, of which none is to have the last word?";
        if self.ask(question, true)? {
            return Ok(Choice::of(ModeName::Consortium));
        }
        let question = "Must it be right even if one of your own peers is taken over and lies?";
        let agreement = match self.ask(question, false)? {
            true => MechanismName::Simplex,
            false => MechanismName::Raft,
        };
        Ok(Choice { mode: ModeName::Private, agreement })
    }
}

impl InitCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        let choice = self.choice()?;
        if !output.json {
            eprintln!("{}", choice.reasons());
        }
        self.into_new(choice).run(output)
    }

    fn choice(&self) -> anyhow::Result<Choice> {
        let chosen = match self.mode {
            Some(mode) => Choice::of(mode),
            None if self.yes => Choice::of(ModeName::Consortium),
            None if std::io::stdin().is_terminal() => {
                let (mut answers, mut prompt) = (std::io::stdin().lock(), std::io::stderr());
                Asker { answers: &mut answers, prompt: &mut prompt }.choose()?
            }
            None => {
                let next = "give --mode public, consortium or private, or --yes";
                return Err(failed("there is no terminal to ask on", next));
            }
        };
        Ok(Choice { agreement: self.agreement.unwrap_or(chosen.agreement), ..chosen })
    }

    fn into_new(self, choice: Choice) -> New {
        let organisations = match choice.mode {
            ModeName::Private if self.organisations.is_empty() => vec![self.name.clone()],
            _ => self.organisations,
        };
        New {
            folder: self.folder,
            name: self.name,
            peers: self.peers.unwrap_or(choice.peers()),
            organisations,
            mode: choice.mode,
            agreement: choice.agreement,
            // Whoever closes a ledger closes it to readers too, until a policy opens it.
            reads: match choice.mode {
                ModeName::Private => ReadsName::Policy,
                ModeName::Public | ModeName::Consortium => ReadsName::Open,
            },
            transact: Some(choice.transact()),
            deploy: Some(choice.deploy()),
            host: self.host,
            port: self.port,
            mqtt_port: self.mqtt_port,
            epoch_blocks: EPOCH_BLOCKS_STANDARD,
            token: match choice.mode {
                ModeName::Public => self.token.for_public(),
                ModeName::Consortium | ModeName::Private => self.token,
            },
            protection: self.protection,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(lines: &str) -> anyhow::Result<Choice> {
        let (mut answers, mut prompt) = (lines.as_bytes(), Vec::new());
        Asker { answers: &mut answers, prompt: &mut prompt }.choose()
    }

    /// Figure I.1 as a table.
    #[test]
    fn the_answers_choose_mode_and_agreement() {
        let private = |agreement| Choice { mode: ModeName::Private, agreement };
        for (lines, expected) in [
            ("y\n", Choice::of(ModeName::Public)),
            ("n\ny\n", Choice::of(ModeName::Consortium)),
            ("\n\n", Choice::of(ModeName::Consortium)),
            ("no\nNO\nn\n", private(MechanismName::Raft)),
            ("n\nn\n\n", private(MechanismName::Raft)),
            ("n\nn\nyes\n", private(MechanismName::Simplex)),
            ("perhaps\nn\nmaybe\nn\nn\n", private(MechanismName::Raft)),
        ] {
            let found = answered(lines).unwrap();
            assert_eq!(found, expected, "{lines:?}");
            assert!(found.reasons().contains("mode ") && found.reasons().contains("agreement "));
        }
        for lines in ["", "n\n", "n\nn\n"] {
            assert!(answered(lines).is_err(), "{lines:?}");
        }
    }

    /// Table I.1 as far as a genesis decides it: who agrees, how many must, who may hold how much, and
    /// who reads without permission.
    #[test]
    fn each_mode_founds_what_table_i_1_says() {
        use althing_types::{Mechanism, Reads};
        for (mode, one_may_own_all, mechanism, reads) in [
            (ModeName::Public, true, Mechanism::Simplex, Reads::Open),
            (ModeName::Consortium, false, Mechanism::Simplex, Reads::Open),
            (ModeName::Private, true, Mechanism::Raft, Reads::Policy),
        ] {
            for alone in [false, true] {
                let choice = Choice::of(mode);
                let organisations = match alone {
                    true => vec!["one".to_owned()],
                    false => (0..4).map(|index| format!("org {index}")).collect(),
                };
                let command = InitCommand {
                    folder: PathBuf::new(),
                    name: "table".to_owned(),
                    mode: Some(mode),
                    agreement: None,
                    peers: Some(4),
                    organisations,
                    host: IpAddr::V4(Ipv4Addr::LOCALHOST),
                    port: 4464,
                    mqtt_port: 1883,
                    yes: true,
                    token: TokenArgs::default(),
                    protection: ProtectionArgs::new(None, true),
                };
                assert_eq!(command.choice().unwrap(), choice);
                let new = command.into_new(choice);
                let founded = crate::founding::found(&new.plan().unwrap());
                assert_eq!(founded.is_ok(), !alone || one_may_own_all, "{mode:?} alone: {alone}");
                let Ok(founded) = founded else { continue };
                let genesis = new.token.add(founded.genesis).unwrap();
                // Everybody has a wallet in a public ledger, and seats follow from stakes there.
                let open = mode == ModeName::Public;
                assert_eq!(
                    (genesis.token.is_some(), genesis.parameters.stake.is_some()),
                    (open, open)
                );
                assert_eq!((genesis.mechanism, genesis.parameters.reads), (mechanism, reads));
                let said = althing_types::Participation::of(mode.into());
                assert_eq!(genesis.parameters.participation, Some(said), "{mode:?}");
                // All peers of the genesis have a vote, and as many must sign as the mechanism says.
                assert_eq!(genesis.validators().validators.len(), 4);
                assert_eq!(genesis.mechanism.quorum(4), 3);
            }
        }
    }

    #[test]
    fn as_few_peers_as_stand_the_failure_of_one() {
        for (mode, peers) in
            [(ModeName::Public, 4), (ModeName::Consortium, 4), (ModeName::Private, 3)]
        {
            let choice = Choice::of(mode);
            assert_eq!(choice.peers(), peers);
            let quorum = althing_types::Mechanism::from(choice.agreement).quorum(peers);
            assert_eq!(quorum, peers - 1, "{mode:?}");
        }
    }
}
