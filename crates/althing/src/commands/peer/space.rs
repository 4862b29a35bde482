//! A full disk, whatever it made fail.

use std::{
    fs::File,
    io::{self, ErrorKind, Write as _},
    path::Path,
};

use crate::report::with_next;

/// Written to find out whether there is space, bytes: a little more than a block's records take.
const PROBE_BYTES: usize = 256 * 1024;
/// File that is written and removed.
const PROBE: &str = ".space";

/// The same error, led by its likeliest reason if the disk of the data folder is full: the libraries
/// that write to it each have words of their own for that.
pub(super) fn explain(error: anyhow::Error, data: &Path) -> anyhow::Error {
    match probe(data) {
        Err(cause) if is_full(&cause) => with_next(
            error.context(format!("the disk of {} is full", data.display())),
            "free some space, then start the peer again: it lost nothing that it acknowledged, \
             and fetches what it missed",
        ),
        _ => error,
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

fn probe(folder: &Path) -> io::Result<()> {
    let path = folder.join(PROBE);
    let written = File::create(&path)
        .and_then(|mut file| file.write_all(&[1; PROBE_BYTES]).and_then(|()| file.sync_all()));
    // It may never have been there.
    let _ = std::fs::remove_file(path);
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::failed;

    #[test]
    fn a_disk_with_space_is_not_blamed() {
        let folder = tempfile::tempdir().unwrap();
        let error = || failed("it broke", "mend it");
        assert_eq!(format!("{:#}", explain(error(), folder.path())), "it broke");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
        assert_eq!(format!("{:#}", explain(error(), &folder.path().join("none"))), "it broke");
    }
}
