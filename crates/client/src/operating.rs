//! What an operator of a peer shows it: for a look, a token as readers have; for each act, a token that
//! is bound to this one request and counts once.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use althing_types::{EntityId, SigningKey, Suite, hash};

use crate::{file, model::OPERATE_PURPOSE};

/// Longest time for which a token of an act counts, milliseconds.
pub const ACT_MS_MAX: u64 = 60_000;
/// Name of the file in the folder of a peer's data whose key the command line on the machine shows. The
/// peer makes it anew at each start, and only its own account can read it.
pub const MACHINE_KEY_FILE: &str = "machine.key";
/// Longest such file, bytes.
const MACHINE_KEY_BYTES_MAX: u64 = 128;
/// Bytes of a request's digest in a purpose.
const DIGEST_BYTES: usize = 16;

/// Who the command line on the machine of a peer is.
pub const MACHINE_ENTITY: EntityId = EntityId([0; 32]);

/// The purpose of the token of one act: a digest of method, path and body.
#[must_use]
pub fn act_purpose(method: &str, path: &str, body: &[u8]) -> String {
    let head = format!("{method} {path}\n");
    let digest = hash("althing/act/1", &[head.as_bytes(), body]);
    format!("{OPERATE_PURPOSE}:{}", hex::encode(&digest[..DIGEST_BYTES]))
}

/// Where the key of the machine is in the folder of a peer's data.
#[must_use]
pub fn machine_key_file(data: &Path) -> PathBuf {
    data.join(MACHINE_KEY_FILE)
}

/// Reads the key of the machine of a peer that runs.
///
/// # Errors
/// If there is none, it cannot be read, or is not a key.
pub fn machine_key(data: &Path) -> io::Result<SigningKey> {
    let text = file::read_text(&machine_key_file(data), MACHINE_KEY_BYTES_MAX)?;
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "it is no key");
    let bytes = hex::decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
    SigningKey::from_secret(Suite::Ed25519, bytes.ok_or_else(wrong)?).ok_or_else(wrong)
}

/// Writes a key of the machine that only this account can read, in place of the one before.
///
/// # Errors
/// If it cannot be written.
pub fn write_machine_key(data: &Path, secret: &[u8; 32]) -> io::Result<()> {
    use std::{
        io::Write as _,
        os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    };
    let beside = machine_key_file(data).with_extension("key.new");
    let mut new = fs::OpenOptions::new();
    let mut new = new.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    // One that was left by a crash may have had other rights.
    new.set_permissions(fs::Permissions::from_mode(0o600))?;
    new.write_all(hex::encode(secret).as_bytes())?;
    new.sync_all()?;
    fs::rename(&beside, machine_key_file(data))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_key_of_the_machine_is_read_by_its_account_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(machine_key(folder.path()).unwrap_err().kind(), io::ErrorKind::NotFound);
        for secret in [[1; 32], [2; 32]] {
            write_machine_key(folder.path(), &secret).unwrap();
            assert_eq!(*machine_key(folder.path()).unwrap().secret(), secret);
        }
        let path = machine_key_file(folder.path());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "not a key").unwrap();
        assert_eq!(machine_key(folder.path()).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_purpose_is_of_one_request_and_fits_a_token() {
        let purposes = [
            act_purpose("POST", "/v1/operation/stop", b""),
            act_purpose("POST", "/v1/operation/stop", b"x"),
            act_purpose("POST", "/v1/operation/apply", b""),
            act_purpose("GET", "/v1/operation/stop", b""),
        ];
        for (index, one) in purposes.iter().enumerate() {
            assert!(one.len() <= althing_types::limits::NAME_BYTES_MAX);
            assert!(!purposes[index + 1..].contains(one));
        }
        // The other languages give the same.
        assert_eq!(purposes[0], "operate:77996292928e83a887e1dfee79074ac6");
    }
}
