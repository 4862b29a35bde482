use std::{io::ErrorKind, path::PathBuf, sync::Arc};

use althing_peer::snapshot::Spare;
use althing_state::{Cause, Store, StoreError};
use althing_storage::{FjallStore, Settings};

use crate::config::PeerConfig;

/// Folder, in the data folder, of a state that is taken over from other peers.
const FOLDER: &str = "snapshot";

/// Where a state that is taken over lies until the peer has the whole history.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    settings: Settings,
}

impl Folder {
    pub(super) fn new(config: &PeerConfig) -> Self {
        Self { path: config.data.join(FOLDER), settings: config.store }
    }
}

impl Spare for Folder {
    fn is_used(&self) -> bool {
        self.path.exists()
    }

    fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        match FjallStore::open(&self.path, &self.settings) {
            Ok(store) => Ok(Arc::new(store)),
            Err(error) => {
                let attempt = "open the folder of a state that is taken over";
                Err(StoreError::Io { attempt, source: Cause::new(error) })
            }
        }
    }

    fn clear(&self) -> Result<(), StoreError> {
        match std::fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                let attempt = "remove the folder of a state that was taken over";
                Err(StoreError::Io { attempt, source: Cause::new(error) })
            }
            _ => Ok(()),
        }
    }
}
