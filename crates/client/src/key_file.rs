//! Key files: one signing key, encrypted under a passphrase.
//!
//! The key is derived from the passphrase by Argon2id (RFC 9106) and encrypts the secret with
//! ChaCha20-Poly1305 (RFC 8439), authenticated together with everything else the file says. A file
//! is never overwritten and only its owner may read it; whose key it is may be added once, when that is
//! settled. An unencrypted form exists for networks on
//! one machine that are thrown away; it says so in the file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use althing_types::{PublicKey, SigningKey, Suite};
use argon2::Argon2;
use chacha20poly1305::{ChaCha20Poly1305, Key as CipherKey, KeyInit as _, aead::AeadInPlace as _};
use rand::{RngCore as _, rngs::OsRng};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    file,
    model::{DidText, Key},
};

/// Environment variable that holds the passphrase where nobody can type one.
pub const PASSPHRASE_VARIABLE: &str = "ALTHING_PASSPHRASE";
/// Longest key file read, bytes.
pub const KEY_FILE_BYTES_MAX: u64 = 16 * 1024;

/// Argon2id memory of new files, KiB, and passes over it: the second choice of RFC 9106 §4 with one
/// lane, a fifth of a second on a small computer.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
/// Most that reading a file may cost, whoever wrote it.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const PASSES_MAX: u32 = 16;
const VERSION: u8 = 1;
const TAG_BYTES: usize = 16;

/// A signing key and whose it is.
#[derive(Debug, Clone)]
pub struct StoredKey {
    /// The entity it is a key of, if it has one yet.
    pub entity: Option<DidText>,
    /// The key.
    pub key: SigningKey,
}

/// How a key file protects its key.
#[derive(Clone, Copy)]
pub enum Protection<'a> {
    /// Encrypted under this passphrase.
    Passphrase(&'a str),
    /// Not at all: for networks on one machine that are thrown away.
    None,
}

/// Why a key file cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is a file already; keys are never overwritten.
    #[error("there is a file at `{0}` already; a key file is never overwritten")]
    Exists(PathBuf),
    /// Writing failed.
    #[error("failed to write key file `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// What failed.
        #[source]
        source: io::Error,
    },
    /// Reading failed.
    #[error("failed to read key file `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// What failed.
        #[source]
        source: io::Error,
    },
    /// Not a key file.
    #[error("`{path}` is not a key file")]
    Form {
        /// The file.
        path: PathBuf,
        /// What does not fit, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// A field of the file is not what it must be.
    #[error("`{field}` in key file `{path}` is not valid")]
    Value {
        /// The file.
        path: PathBuf,
        /// The field.
        field: &'static str,
    },
    /// Another version of the form.
    #[error("key file `{path}` has version {version}; this program knows version {VERSION}")]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u8,
    },
    /// The file is encrypted and no passphrase was given.
    #[error("key file `{0}` is encrypted; give its passphrase in {PASSPHRASE_VARIABLE} or type it")]
    PassphraseNeeded(PathBuf),
    /// The passphrase is wrong, or the file was changed.
    #[error("the passphrase does not open key file `{0}`, or the file was changed")]
    PassphraseWrong(PathBuf),
    /// The passphrase is empty.
    #[error("the passphrase is empty")]
    PassphraseEmpty,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    version: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entity: Option<DidText>,
    key: Key,
    protection: ProtectionForm,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum ProtectionForm {
    #[serde(rename = "argon2id-chacha20poly1305")]
    Passphrase { memory_kib: u32, passes: u32, salt: String, nonce: String, ciphertext: String },
    #[serde(rename = "none-for-throwaway-networks-only")]
    None { secret: Zeroizing<String> },
}

/// The passphrase in [`PASSPHRASE_VARIABLE`], if it is set.
#[must_use]
pub fn passphrase_from_env() -> Option<Zeroizing<String>> {
    std::env::var(PASSPHRASE_VARIABLE).ok().map(Zeroizing::new)
}

/// Whether a key file needs a passphrase.
///
/// # Errors
/// [`KeyFileError`] if it cannot be read.
pub fn needs_passphrase(path: &Path) -> Result<bool, KeyFileError> {
    Ok(matches!(load(path)?.protection, ProtectionForm::Passphrase { .. }))
}

/// Writes a new key file that only its owner can read.
///
/// # Errors
/// [`KeyFileError::Exists`] if there is a file of this name; others if writing fails.
pub fn write(
    path: &Path,
    stored: &StoredKey,
    protection: Protection<'_>,
) -> Result<(), KeyFileError> {
    let key = Key::from(&stored.key.public_key());
    let entity = stored.entity.clone();
    let protection = match protection {
        Protection::Passphrase(passphrase) => seal(stored, &key, passphrase)?,
        Protection::None => {
            ProtectionForm::None { secret: Zeroizing::new(hex::encode(stored.key.secret())) }
        }
    };
    let form = Form { version: VERSION, entity, key, protection };
    let text = Zeroizing::new(serde_json::to_string_pretty(&form).unwrap_or_default() + "\n");
    create(path, text.as_bytes()).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists(path.into()),
        _ => KeyFileError::Write { path: path.into(), source },
    })
}

/// Adds to a key file that does not say so whose key it is. The passphrase stays as it is.
///
/// # Errors
/// As [`read`]; [`KeyFileError::Exists`] if the file says it already; others if writing fails.
pub fn name(path: &Path, passphrase: Option<&str>, entity: DidText) -> Result<(), KeyFileError> {
    let mut stored = read(path, passphrase)?;
    if stored.entity.replace(entity).is_some() {
        return Err(KeyFileError::Exists(path.into()));
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // What a crash left; the file itself still has the key.
    let _ = fs::remove_file(&beside);
    write(&beside, &stored, passphrase.map_or(Protection::None, Protection::Passphrase))?;
    fs::rename(&beside, path).map_err(|source| {
        let _ = fs::remove_file(&beside);
        KeyFileError::Write { path: path.into(), source }
    })
}

/// Reads a key file.
///
/// # Errors
/// [`KeyFileError`] saying whether the passphrase is missing, is wrong, or the file is not sound.
pub fn read(path: &Path, passphrase: Option<&str>) -> Result<StoredKey, KeyFileError> {
    let form = load(path)?;
    let invalid = |field| KeyFileError::Value { path: path.into(), field };
    let suite = Suite::from_name(&form.key.suite).ok_or_else(|| invalid("suite"))?;
    let secret = match &form.protection {
        ProtectionForm::None { secret } => fixed(secret).ok_or_else(|| invalid("secret"))?,
        ProtectionForm::Passphrase { .. } => {
            let passphrase =
                passphrase.ok_or_else(|| KeyFileError::PassphraseNeeded(path.into()))?;
            open(path, &form, passphrase)?
        }
    };
    let key = SigningKey::from_secret(suite, *secret).ok_or_else(|| invalid("secret"))?;
    if Key::from(&key.public_key()) != form.key {
        return Err(invalid("public"));
    }
    Ok(StoredKey { entity: form.entity, key })
}

/// The public key in a key file, which needs no passphrase.
///
/// # Errors
/// [`KeyFileError`] if the file cannot be read or holds no valid key.
pub fn public_key(path: &Path) -> Result<(Option<DidText>, PublicKey), KeyFileError> {
    let form = load(path)?;
    let invalid = |field| KeyFileError::Value { path: path.into(), field };
    let suite = Suite::from_name(&form.key.suite).ok_or_else(|| invalid("suite"))?;
    let bytes = hex::decode(&form.key.public).map_err(|_| invalid("public"))?;
    let key = PublicKey { suite, bytes };
    if key.is_valid() { Ok((form.entity, key)) } else { Err(invalid("public")) }
}

fn load(path: &Path) -> Result<Form, KeyFileError> {
    let failed = |source| KeyFileError::Read { path: path.into(), source };
    let text = Zeroizing::new(file::read_text(path, KEY_FILE_BYTES_MAX).map_err(failed)?);
    let form: Form = serde_json::from_str(&text)
        .map_err(|source| KeyFileError::Form { path: path.into(), source })?;
    if form.version != VERSION {
        return Err(KeyFileError::Version { path: path.into(), version: form.version });
    }
    Ok(form)
}

/// What is authenticated beside the secret: that it is the secret of this key of this entity.
fn associated(entity: Option<&DidText>, key: &Key) -> Vec<u8> {
    let entity = entity.map(ToString::to_string).unwrap_or_default();
    format!("althing/key-file/1 {} {} {entity}", key.suite, key.public).into_bytes()
}

fn cipher(passphrase: &str, salt: &[u8], memory_kib: u32, passes: u32) -> Option<ChaCha20Poly1305> {
    let params = argon2::Params::new(memory_kib, passes, 1, Some(32)).ok()?;
    let argon = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut key = Zeroizing::new([0; 32]);
    argon.hash_password_into(passphrase.as_bytes(), salt, &mut key[..]).ok()?;
    Some(ChaCha20Poly1305::new(CipherKey::from_slice(&key[..])))
}

fn seal(stored: &StoredKey, key: &Key, passphrase: &str) -> Result<ProtectionForm, KeyFileError> {
    if passphrase.is_empty() {
        return Err(KeyFileError::PassphraseEmpty);
    }
    let (mut salt, mut nonce) = ([0; 16], [0; 12]);
    OsRng.fill_bytes(&mut salt);
    OsRng.fill_bytes(&mut nonce);
    let mut secret = stored.key.secret().to_vec();
    let associated = associated(stored.entity.as_ref(), key);
    let sealed = cipher(passphrase, &salt, MEMORY_KIB, PASSES)
        .and_then(|cipher| cipher.encrypt_in_place(&nonce.into(), &associated, &mut secret).ok());
    // Argon2 refuses only parameters and lengths that are not ours; the cipher only huge texts.
    assert!(sealed.is_some(), "the parameters of new key files are valid");
    Ok(ProtectionForm::Passphrase {
        memory_kib: MEMORY_KIB,
        passes: PASSES,
        salt: hex::encode(salt),
        nonce: hex::encode(nonce),
        ciphertext: hex::encode(secret),
    })
}

fn open(path: &Path, form: &Form, passphrase: &str) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
    let invalid = |field| KeyFileError::Value { path: path.into(), field };
    let ProtectionForm::Passphrase { memory_kib, passes, salt, nonce, ciphertext } =
        &form.protection
    else {
        return Err(invalid("protection"));
    };
    if *memory_kib > MEMORY_KIB_MAX || *passes > PASSES_MAX {
        return Err(invalid("memory_kib"));
    }
    let salt = fixed::<16>(salt).ok_or_else(|| invalid("salt"))?;
    let nonce = fixed::<12>(nonce).ok_or_else(|| invalid("nonce"))?;
    let sealed = fixed::<{ 32 + TAG_BYTES }>(ciphertext).ok_or_else(|| invalid("ciphertext"))?;
    let cipher =
        cipher(passphrase, &salt[..], *memory_kib, *passes).ok_or_else(|| invalid("memory_kib"))?;
    let mut secret = Zeroizing::new(sealed.to_vec());
    let associated = associated(form.entity.as_ref(), &form.key);
    cipher
        .decrypt_in_place(&(*nonce).into(), &associated, &mut *secret)
        .map_err(|_| KeyFileError::PassphraseWrong(path.into()))?;
    let mut bytes = Zeroizing::new([0; 32]);
    bytes.copy_from_slice(&secret[..32]);
    Ok(bytes)
}

fn fixed<const N: usize>(text: &str) -> Option<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    hex::decode_to_slice(text, &mut bytes[..]).ok()?;
    Some(bytes)
}

/// Writes a file that was not there, durable before this returns, or leaves none behind.
fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written?;
    // The name must be durable too: a key that is lost after use cannot be made again.
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(suite: Suite) -> StoredKey {
        let key = SigningKey::from_secret(suite, [7; 32]).unwrap();
        let did = "did:althing:demo:US517G5965aydkZ46HS38QLi7UQiSojurfbQfKCELFx";
        StoredKey { entity: Some(serde_json::from_str(&format!("\"{did}\"")).unwrap()), key }
    }

    #[test]
    fn a_key_survives_its_file_and_the_file_is_private_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        for (name, suite, protection, passphrase) in [
            ("a", Suite::Ed25519, Protection::Passphrase("correct horse"), Some("correct horse")),
            ("b", Suite::P256, Protection::None, None),
        ] {
            let path = folder.path().join(name);
            let stored = stored(suite);
            write(&path, &stored, protection).unwrap();
            let text = fs::read_to_string(&path).unwrap();
            assert_eq!(text.contains(&hex::encode(stored.key.secret())), passphrase.is_none());
            assert_eq!(needs_passphrase(&path).unwrap(), passphrase.is_some());
            let back = read(&path, passphrase).unwrap();
            assert_eq!((back.key.secret(), &back.entity), (stored.key.secret(), &stored.entity));
            assert_eq!(
                public_key(&path).unwrap(),
                (stored.entity.clone(), stored.key.public_key())
            );
            let again = write(&path, &stored, protection);
            assert!(matches!(again, Err(KeyFileError::Exists(_))));
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            }
        }
    }

    #[test]
    fn a_file_is_told_once_whose_key_it_is() {
        let folder = tempfile::tempdir().unwrap();
        for (file, protection, passphrase) in
            [("a", Protection::Passphrase("right"), Some("right")), ("b", Protection::None, None)]
        {
            let path = folder.path().join(file);
            let before = stored(Suite::P256);
            let nameless = StoredKey { entity: None, key: before.key.clone() };
            write(&path, &nameless, protection).unwrap();
            let entity = before.entity.unwrap();
            name(&path, passphrase, entity.clone()).unwrap();
            let after = read(&path, passphrase).unwrap();
            assert_eq!(after.entity, Some(entity.clone()));
            assert_eq!(after.key.public_key(), before.key.public_key());
            assert_eq!(needs_passphrase(&path).unwrap(), passphrase.is_some());
            assert!(matches!(name(&path, passphrase, entity), Err(KeyFileError::Exists(_))));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_wrong_passphrase_and_a_changed_file_do_not_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write(&path, &stored(Suite::Ed25519), Protection::Passphrase("right")).unwrap();
        assert!(matches!(read(&path, None), Err(KeyFileError::PassphraseNeeded(_))));
        assert!(matches!(read(&path, Some("wrong")), Err(KeyFileError::PassphraseWrong(_))));
        let text = fs::read_to_string(&path).unwrap();
        for (from, to, expected) in [
            (
                "US517G5965aydkZ46HS38QLi7UQiSojurfbQfKCELFx",
                "8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeR",
                "does not open",
            ),
            ("\"memory_kib\": 65536", "\"memory_kib\": 4294967295", "`memory_kib`"),
            ("\"memory_kib\": 65536", "\"memory_kib\": 0", "`memory_kib`"),
            ("\"ed25519\"", "\"p256\"", "does not open"),
            ("\"ed25519\"", "\"rot13\"", "`suite`"),
            ("\"version\": 1", "\"version\": 2", "version 2"),
            ("\"salt\": \"", "\"salt\": \"00", "`salt`"),
            ("\"version\"", "\"colour\": 1, \"version\"", "not a key file"),
        ] {
            assert!(text.contains(from), "{from}");
            let other = folder.path().join("other");
            fs::write(&other, text.replacen(from, to, 1)).unwrap();
            let error = read(&other, Some("right")).unwrap_err().to_string();
            assert!(error.contains(expected), "{from} -> {to}: {error}");
        }
        let empty =
            write(&folder.path().join("x"), &stored(Suite::P256), Protection::Passphrase(""));
        assert!(matches!(empty, Err(KeyFileError::PassphraseEmpty)));
    }
}
