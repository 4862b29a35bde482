//! The configuration file of a peer that runs, as its operators see and change it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
};

use althing_api::Controls;
use althing_client::model::{Difference, Takes};
use althing_peer::Peer;

use crate::{
    config::{Config, Document},
    logging,
};

/// Keys that are changed while the peer runs; of those that end in a dot, all that begin so.
const NOW: &[&str] = &[
    "log.filter",
    "peer.api.addresses.",
    "peer.api.body_timeout",
    "peer.api.event_streams_max",
    "peer.api.request_timeout",
    "peer.api.requests_max",
    "peer.api.writes",
    "peer.goals.",
    "peer.mempool.",
];
/// Keys that are changed on the machine of the peer only: who operates it, whose word it takes, and which files
/// are its own.
/// Whoever may apply a configuration must not be able to let others in, or to have other files read.
const MACHINE: &[&str] = &[
    "genesis",
    "peer.auditors",
    "peer.data",
    "peer.encryption_key",
    "peer.key",
    "peer.operators",
    "peer.passphrase_file",
    "peer.trust_validators",
    "peer.voting_key",
];

/// Values by key.
type Values = BTreeMap<String, String>;

/// A configuration file and the peer that was started with it.
#[derive(Debug)]
pub(crate) struct FileControls {
    path: PathBuf,
    /// What the peer runs with.
    in_force: Mutex<Values>,
    filter: logging::Filter,
    peer: OnceLock<Peer>,
}

impl FileControls {
    pub(crate) fn new(path: &Path, config: &Config, filter: logging::Filter) -> Self {
        let in_force = Mutex::new(config.document().peer_values());
        Self { path: path.to_owned(), in_force, filter, peer: OnceLock::new() }
    }

    /// The peer whose limits are changed; before it is known, none are.
    pub(crate) fn attach(&self, peer: Peer) {
        // It is attached once, where it starts.
        let _ = self.peer.set(peer);
    }

    fn on_disk(&self) -> Result<Document, String> {
        Document::load(&self.path).map_err(|error| format!("{error:#}"))
    }

    fn in_force(&self) -> std::sync::MutexGuard<'_, Values> {
        self.in_force.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The text as a configuration of this file, checked as at a start.
    fn read(&self, text: &str) -> Result<Config, String> {
        let name = self.path.display().to_string();
        let read = || {
            let document = Document::parse(&name, text)?;
            let config = Config::of(document, self.path.parent().unwrap_or(Path::new("")))?;
            config.peer()?;
            config.genesis_path()?;
            logging::check(config.log_filter())?;
            Ok::<Config, anyhow::Error>(config)
        };
        read().map_err(|error| format!("{error:#}"))
    }

    /// The text, and the gateway's part of the present file if it has none of its own: both may stand in
    /// one file.
    fn with_gateway(&self, text: &str, new: &Config) -> Result<String, String> {
        let gateway = self.on_disk()?.given("gateway");
        match gateway.filter(|_| new.document().given("gateway").is_none()) {
            None => Ok(text.to_owned()),
            Some(gateway) => {
                let part = toml::Table::from_iter([("gateway".to_owned(), gateway)]);
                let part = toml::to_string(&part).map_err(|error| error.to_string())?;
                Ok(format!("{}\n\n{part}", text.trim_end()))
            }
        }
    }

    fn write(&self, text: &str) -> std::io::Result<()> {
        let beside = self.path.with_extension("toml.new");
        let mut file = std::fs::File::create(&beside)?;
        file.set_permissions(std::fs::metadata(&self.path)?.permissions())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, &self.path)
    }
}

impl Controls for FileControls {
    fn text(&self) -> Result<String, String> {
        Ok(self.on_disk()?.peer_text())
    }

    fn waiting(&self) -> Result<Vec<Difference>, String> {
        Ok(differences(&self.in_force(), &self.on_disk()?.peer_values()))
    }

    fn check(&self, text: &str) -> Result<Vec<Difference>, String> {
        let new = self.read(text)?.document().peer_values();
        let mut found = differences(&self.in_force(), &new);
        // What somebody has written into the file meanwhile and this would take back.
        for one in differences(&self.on_disk()?.peer_values(), &new) {
            if !found.iter().any(|other| other.key == one.key) {
                found.push(one);
            }
        }
        Ok(found)
    }

    fn apply(&self, text: &str) -> Result<(Vec<Difference>, althing_api::Config), String> {
        let found = self.check(text)?;
        let new = self.read(text)?;
        let settings = new.peer().map_err(|error| format!("{error:#}"))?;
        let text = self.with_gateway(text, &new)?;
        let name = self.path.display();
        self.write(&text).map_err(|error| format!("cannot write {name}: {error}"))?;
        let values = new.document().peer_values();
        let mut in_force = self.in_force();
        for one in found.iter().filter(|one| one.takes == Takes::Now) {
            match values.get(&one.key) {
                Some(value) => _ = in_force.insert(one.key.clone(), value.clone()),
                None => _ = in_force.remove(&one.key),
            }
        }
        drop(in_force);
        self.filter.set(new.log_filter());
        if let Some(peer) = self.peer.get() {
            peer.set_mempool_limits(settings.mempool);
        }
        Ok((found, settings.api))
    }
}

/// Each key whose values differ, in order.
fn differences(from: &Values, to: &Values) -> Vec<Difference> {
    let keys: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    let differ = keys.into_iter().filter(|key| from.get(*key) != to.get(*key));
    let difference = |key: &String| Difference {
        key: key.clone(),
        from: from.get(key).cloned(),
        to: to.get(key).cloned(),
        takes: takes(key),
    };
    differ.map(difference).collect()
}

fn takes(key: &str) -> Takes {
    let is_now =
        NOW.iter().any(|known| key == *known || known.ends_with('.') && key.starts_with(*known));
    if is_now {
        Takes::Now
    } else if MACHINE.contains(&key) {
        Takes::Machine
    } else {
        Takes::Restart
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::REFERENCE;

    fn controls(folder: &Path, text: &str) -> FileControls {
        let path = folder.join("config.toml");
        std::fs::write(&path, text).unwrap();
        let config = Config::load(&path).unwrap();
        FileControls::new(&path, &config, logging::Filter::none())
    }

    fn short(found: &[Difference]) -> Vec<(&str, Option<&str>, Takes)> {
        found.iter().map(|one| (one.key.as_str(), one.to.as_deref(), one.takes)).collect()
    }

    #[test]
    fn what_changes_and_when_is_told_and_nothing_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let controls = controls(folder.path(), "");
        assert_eq!(controls.check(REFERENCE).unwrap(), []);
        let text = "[log]\nfilter = \"warn\"\n[peer]\noperators = [\"x\"]\nworker_threads = 3\n\
                    [peer.mempool]\nbytes_max = 9\n[peer.api.addresses]\n\"b\" = \"http://b\"\n\
                    [gateway]\npeers = [\"http://127.0.0.1:9\"]";
        let text = text.replace("\"x\"", &format!("\"{}\"", "11".repeat(32)));
        let found = controls.check(&text).unwrap();
        let operators = format!("[\"{}\"]", "11".repeat(32));
        assert_eq!(
            short(&found),
            [
                ("log.filter", Some("\"warn\""), Takes::Now),
                ("peer.api.addresses.b", Some("\"http://b\""), Takes::Now),
                ("peer.mempool.bytes_max", Some("9"), Takes::Now),
                ("peer.operators", Some(operators.as_str()), Takes::Machine),
                ("peer.worker_threads", Some("3"), Takes::Restart),
            ]
        );
        for (wrong, expected) in [
            ("[log]\nfilter = \"althing=nonsense\"", "`filter` in [log] is not valid"),
            ("[peer]\nrole = \"chief\"", "line 2: `peer.role`"),
            ("[peer]\noperators = [\"me\"]", "`peer.operators`"),
            ("peer", "line 1"),
        ] {
            let problem = controls.check(wrong).unwrap_err();
            assert!(problem.contains(expected), "{problem}");
            assert!(controls.apply(wrong).is_err());
        }
        assert_eq!(std::fs::read_to_string(folder.path().join("config.toml")).unwrap(), "");
        assert_eq!(controls.waiting().unwrap(), []);
    }

    #[test]
    fn what_is_applied_is_in_the_file_and_the_rest_waits_for_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let gateway = "[gateway]\npeers = [\"http://127.0.0.1:9\"]\n";
        let controls = controls(folder.path(), gateway);
        let text = "[peer]\nworker_threads = 3\n[peer.api]\nwrites = false\n";
        let (found, config) = controls.apply(text).unwrap();
        assert_eq!(found.len(), 2);
        assert!(!config.writes);
        let written = std::fs::read_to_string(folder.path().join("config.toml")).unwrap();
        assert!(written.starts_with(text.trim_end()) && written.contains("http://127.0.0.1:9"));
        let config = Config::load(&folder.path().join("config.toml")).unwrap();
        assert_eq!(config.gateway().unwrap().peers, ["http://127.0.0.1:9"]);
        let waiting = controls.waiting().unwrap();
        assert_eq!(short(&waiting), [("peer.worker_threads", Some("3"), Takes::Restart)]);
        // As it is shown it can be applied again, and nothing differs.
        let shown = controls.text().unwrap();
        assert!(!shown.contains("gateway") && shown.contains("worker_threads = 3"));
        let (again, _) = controls.apply(&shown).unwrap();
        assert_eq!(short(&again), short(&waiting));
    }

    #[test]
    fn goals_change_while_the_peer_runs() {
        let folder = tempfile::tempdir().unwrap();
        let controls = controls(folder.path(), "");
        let text = "[peer.goals]\ncommit_p99 = \"2s\"\ndisk_free = \"20GB\"\nbehind_blocks = 8\n";
        let (found, config) = controls.apply(text).unwrap();
        assert!(found.len() == 3 && found.iter().all(|one| one.takes == Takes::Now), "{found:?}");
        let expected = althing_api::Goals {
            commit_p99: Some(std::time::Duration::from_secs(2)),
            behind_blocks: Some(8),
            disk_free_bytes: Some(20_000_000_000),
            ..althing_api::Goals::NONE
        };
        assert_eq!(config.goals, expected);
        assert_eq!(controls.waiting().unwrap(), []);
        let problem = controls.apply("[peer.goals]\ndisk_free = \"20\"").unwrap_err();
        assert!(problem.contains("peer.goals.disk_free"), "{problem}");
        // Whose word it takes is said on its machine only.
        let found = controls.check("[peer]\ntrust_validators = true").unwrap();
        let trust = found.iter().find(|one| one.key == "peer.trust_validators").unwrap();
        assert_eq!(trust.takes, Takes::Machine);
    }

    /// Somebody on the machine lets an operator go; the operator's own request must not take that back.
    #[test]
    fn what_was_written_into_the_file_meanwhile_is_a_difference_too() {
        let folder = tempfile::tempdir().unwrap();
        let named = format!("[peer]\noperators = [\"{}\"]\n", "11".repeat(32));
        let controls = controls(folder.path(), &named);
        std::fs::write(folder.path().join("config.toml"), "").unwrap();
        let found = controls.check(&named).unwrap();
        assert_eq!(found.iter().map(|one| one.takes).collect::<Vec<_>>(), [Takes::Machine]);
    }

    #[test]
    fn each_key_that_is_named_here_is_one() {
        let known = Document::parse("a.toml", "").unwrap().peer_values();
        for key in NOW.iter().chain(MACHINE) {
            let is_one = known.keys().any(|one| one == key || one.starts_with(*key));
            assert!(is_one || *key == "peer.api.addresses.", "{key}");
        }
    }
}
