//! Uses that were served and are not on the ledger yet, on disk: a file each, so that what one says is
//! whole or not there.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use althing_edge::{DiskKey, SEAL_BYTES};
use althing_types::{DirectUse, Wire};

/// What comes before a use that is encrypted. Others begin with an array's head.
const SEALED: u8 = 1;
/// Ending of the name of a file whose use is still to be recorded, and of one that is kept so that its
/// request is served only once.
const OPEN: &str = "use";
const OVER: &str = "over";

/// A use on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Counts up by one from use to use.
    pub(super) number: u64,
    pub(super) used: DirectUse,
    pub(super) is_recorded: bool,
    /// Since when, as far as this run knows, milliseconds since 1970; not on disk.
    pub(super) recorded_ms: u64,
}

/// The folder.
#[derive(Debug, Clone)]
pub(super) struct Journal {
    folder: PathBuf,
    key: DiskKey,
}

impl Journal {
    /// Opens the folder, and reads what is in it, oldest first. What cannot be read is told and left.
    pub(super) fn open(folder: PathBuf, key: DiskKey) -> io::Result<(Self, Vec<Entry>)> {
        fs::create_dir_all(&folder)?;
        let mut found = Vec::new();
        for file in fs::read_dir(&folder)? {
            let path = file?.path();
            match read(&path, &key) {
                Some(entry) => found.push(entry),
                None => tracing::warn!(path = %path.display(), "this is no use that was served"),
            }
        }
        found.sort_by_key(|entry| entry.number);
        Ok((Self { folder, key }, found))
    }

    fn path(&self, number: u64, ending: &str) -> PathBuf {
        self.folder.join(format!("{number:020}.{ending}"))
    }

    /// Writes a use, in place of what was said of it before. It is durable afterwards.
    pub(super) fn write(&self, entry: &Entry) -> io::Result<()> {
        let path = self.path(entry.number, OPEN);
        let written = path.with_extension("new");
        let mut file = File::create(&written)?;
        let used = entry.used.to_wire();
        match self.key.writes() {
            Some(key) => {
                file.write_all(&[SEALED])?;
                file.write_all(&key.seal(&place(entry.number), &used))?;
            }
            None => file.write_all(&used)?,
        }
        file.sync_all()?;
        fs::rename(&written, &path)?;
        File::open(&self.folder)?.sync_all()
    }

    /// A use is on the ledger; its number is kept for as long as the request could be served.
    pub(super) fn recorded(&self, number: u64) -> io::Result<()> {
        fs::rename(self.path(number, OPEN), self.path(number, OVER))
    }

    /// Forgets a use.
    pub(super) fn forget(&self, number: u64) -> io::Result<()> {
        fs::remove_file(self.path(number, OVER))
    }

    /// Takes back a use that was not served.
    pub(super) fn take_back(&self, number: u64) {
        // If it was not written there is nothing to take back.
        let _ = fs::remove_file(self.path(number, OPEN));
    }
}

/// What an encrypted use is bound to.
fn place(number: u64) -> Vec<u8> {
    [&b"direct"[..], &number.to_be_bytes()].concat()
}

fn read(path: &Path, key: &DiskKey) -> Option<Entry> {
    let number = path.file_stem()?.to_str()?.parse().ok()?;
    let is_recorded = match path.extension()?.to_str()? {
        OPEN => false,
        OVER => true,
        _ => return None,
    };
    let bytes_max = (DirectUse::BYTES_MAX + 1 + SEAL_BYTES) as u64;
    let mut bytes = althing_client::file::read(path, bytes_max).ok()?;
    if let Some((&SEALED, sealed)) = bytes.split_first() {
        bytes = key.reads()?.open(&place(number), sealed)?;
    }
    let used = DirectUse::from_wire(&bytes).ok()?;
    Some(Entry { number, used, is_recorded, recorded_ms: 0 })
}

#[cfg(test)]
mod tests {
    use althing_types::{
        CommandState, DirectRequest, EntityId, GrantId, LedgerId, Operation, SigningKey, Suite,
        ThingId,
    };

    use super::*;

    fn entry(number: u64) -> Entry {
        let key = SigningKey::from_secret(Suite::Ed25519, [9; 32]).unwrap();
        let request = DirectRequest {
            ledger: LedgerId([1; 32]),
            gateway: EntityId([2; 32]),
            caller: EntityId([3; 32]),
            thing: ThingId([4; 32]),
            operation: Operation::Read { property: "level".into() },
            purpose: "care".into(),
            number,
            until_ms: 6,
        };
        let request = request.sign(&key);
        let (grant, state) = (GrantId([8; 32]), CommandState::Delivered);
        let used = DirectUse { request, grant, state, served_ms: 5, result: None };
        Entry { number, used, is_recorded: false, recorded_ms: 0 }
    }

    #[test]
    fn what_was_served_is_found_again_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Journal::open(folder.path().join("direct"), DiskKey::default()).unwrap();
        let (journal, found) = open();
        assert_eq!(found, []);
        let all: Vec<Entry> = (1..=3).map(entry).collect();
        all.iter().rev().for_each(|entry| journal.write(entry).unwrap());
        assert_eq!(open().1, all);
        // A torn file, and one that never was whole.
        let torn = journal.path(2, OPEN);
        let bytes = fs::read(&torn).unwrap();
        fs::write(&torn, &bytes[..bytes.len() - 1]).unwrap();
        fs::write(folder.path().join("direct/00000000000000000009.new"), &bytes).unwrap();
        journal.recorded(1).unwrap();
        let done = Entry { is_recorded: true, ..all[0].clone() };
        assert_eq!(open().1, [done, all[2].clone()]);
        journal.forget(1).unwrap();
        journal.take_back(3);
        assert_eq!(open().1, []);
    }

    #[test]
    fn an_encrypted_use_is_read_with_its_key_in_its_place_only() {
        use althing_edge::AtRest;
        let folder = tempfile::tempdir().unwrap();
        let open = |secret, seals| {
            let key = DiskKey::new(AtRest::derive(&[secret; 32]), seals);
            Journal::open(folder.path().join("direct"), key).unwrap()
        };
        let all: Vec<Entry> = (1..=2).map(entry).collect();
        open(1, false).0.write(&all[0]).unwrap();
        let (journal, found) = open(1, true);
        assert_eq!(found, all[..1], "what was there before");
        journal.write(&all[1]).unwrap();
        assert_eq!(open(1, false).1, all);
        assert_eq!(open(2, true).1, all[..1]);
        let bytes = fs::read(journal.path(2, OPEN)).unwrap();
        assert!(!bytes.windows(5).any(|window| window == b"level"));
        fs::rename(journal.path(2, OPEN), journal.path(3, OPEN)).unwrap();
        assert_eq!(open(1, true).1, all[..1]);
    }
}
