//! Passphrases and the keys they open.

use std::{
    io::{BufRead, IsTerminal as _, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use althing_client::{
    key_file::{self, PASSPHRASE_VARIABLE, Protection, StoredKey},
    model::DidText,
};
use althing_types::{EntityId, SigningKey};
use anyhow::Context as _;
use clap::Args;
use zeroize::Zeroizing;

use crate::report::{NextStep as _, failed};

/// Longest passphrase file read, bytes.
const PASSPHRASE_BYTES_MAX: u64 = 4096;

/// What to do where `--key` names a key that is nobody's yet.
pub(crate) const KEY_OF_ENTITY: &str = "--key names the key file of an entity that is registered";

/// Where the passphrase of a key file comes from.
#[derive(Debug, Clone, Args)]
pub(crate) struct PassphraseArgs {
    /// File whose first line is the passphrase of the key file. Without it: the environment
    /// variable ALTHING_PASSPHRASE, or the terminal.
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// Opens a key file, asking for its passphrase if it needs one.
pub(crate) fn open(path: &Path, passphrase_file: Option<&Path>) -> anyhow::Result<StoredKey> {
    let wrong = || "althing key new FILE makes a key file; --key names one".to_owned();
    let encrypted = key_file::needs_passphrase(path).next_step(wrong)?;
    let passphrase = if encrypted { Some(existing(path, passphrase_file)?) } else { None };
    key_file::read(path, passphrase.as_deref().map(String::as_str)).next_step(wrong)
}

/// Opens the key file of an entity that is registered, and says which; `advice` is what to do where the file
/// does not tell.
pub(crate) fn open_entity(
    path: &Path,
    passphrase_file: Option<&Path>,
    advice: &str,
) -> anyhow::Result<(EntityId, SigningKey)> {
    let stored = open(path, passphrase_file)?;
    let entity = stored.entity.ok_or_else(|| {
        failed(format!("{} does not say whose key it is", path.display()), advice)
    })?;
    Ok((entity.entity_id(), stored.key))
}

/// Adds to a key file whose key it is.
pub(crate) fn name(
    path: &Path,
    passphrase_file: Option<&Path>,
    entity: &DidText,
) -> anyhow::Result<()> {
    let wrong = || format!("see that {} can be written, and try again", path.display());
    let encrypted = key_file::needs_passphrase(path).next_step(wrong)?;
    let passphrase = if encrypted { Some(existing(path, passphrase_file)?) } else { None };
    key_file::name(path, passphrase.as_deref().map(String::as_str), entity.clone()).next_step(wrong)
}

/// How new key files are to be protected.
#[derive(Debug, Clone, Args)]
pub(crate) struct ProtectionArgs {
    #[command(flatten)]
    passphrase: PassphraseArgs,

    /// Do not encrypt the keys: only for networks on one machine that are thrown away.
    #[arg(long, conflicts_with = "passphrase_file")]
    insecure_keys: bool,
}

/// A passphrase for new key files, or the decision to have none.
pub(crate) enum NewProtection {
    /// Encrypted under it.
    Passphrase(Zeroizing<String>),
    /// Not encrypted.
    Insecure,
}

impl ProtectionArgs {
    /// As if typed.
    pub(crate) fn new(passphrase_file: Option<&Path>, insecure_keys: bool) -> Self {
        let passphrase = PassphraseArgs { passphrase_file: passphrase_file.map(Path::to_owned) };
        Self { passphrase, insecure_keys }
    }

    /// Finds the passphrase, or asks for it twice.
    pub(crate) fn choose(&self) -> anyhow::Result<NewProtection> {
        if self.insecure_keys {
            return Ok(NewProtection::Insecure);
        }
        let given = match given(self.passphrase.passphrase_file.as_deref())? {
            Some(passphrase) => passphrase,
            None => {
                let first = ask("New passphrase for the key files: ")?;
                if *ask("The same again: ")? != *first {
                    return Err(failed("the two passphrases differ", "try again"));
                }
                first
            }
        };
        if given.is_empty() {
            return Err(failed("the passphrase is empty", "choose one, or use --insecure-keys"));
        }
        Ok(NewProtection::Passphrase(given))
    }
}

impl NewProtection {
    /// As the key file wants it.
    pub(crate) fn as_protection(&self) -> Protection<'_> {
        match self {
            Self::Passphrase(passphrase) => Protection::Passphrase(passphrase),
            Self::Insecure => Protection::None,
        }
    }

    /// Whether each file takes a noticeable time to write.
    pub(crate) fn is_slow(&self) -> bool {
        matches!(self, Self::Passphrase(_))
    }
}

/// A new password of a device: from the file or the environment, or asked for twice.
pub(crate) fn new_password(file: Option<&Path>) -> anyhow::Result<Zeroizing<String>> {
    if let Some(password) = given(file)? {
        return Ok(password);
    }
    let first = ask("Password of the device: ")?;
    if *ask("The same again: ")? == *first {
        return Ok(first);
    }
    Err(failed("the two passwords differ", "try again"))
}

fn existing(path: &Path, file: Option<&Path>) -> anyhow::Result<Zeroizing<String>> {
    match given(file)? {
        Some(passphrase) => Ok(passphrase),
        None => ask(&format!("Passphrase of {}: ", path.display())),
    }
}

/// The passphrase from the file or the environment, if either has one.
fn given(file: Option<&Path>) -> anyhow::Result<Option<Zeroizing<String>>> {
    let Some(path) = file else { return Ok(key_file::passphrase_from_env()) };
    let name = path.display();
    let opened = std::fs::File::open(path);
    let mut text = Zeroizing::new(String::new());
    opened
        .and_then(|file| file.take(PASSPHRASE_BYTES_MAX).read_to_string(&mut text))
        .with_context(|| format!("cannot read the passphrase file {name}"))
        .next_step(|| "name a file whose first line is the passphrase".to_owned())?;
    Ok(Some(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())))
}

/// Asks on the terminal, without showing what is typed.
fn ask(prompt: &str) -> anyhow::Result<Zeroizing<String>> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(failed(
            "a passphrase is needed and there is no terminal to ask on",
            format!("give --passphrase-file FILE or set {PASSPHRASE_VARIABLE}"),
        ));
    }
    eprint!("{prompt}");
    std::io::stderr().flush()?;
    let hidden = Hidden::begin();
    let line = read_line(&mut stdin.lock());
    drop(hidden);
    eprintln!();
    line.context("cannot read from the terminal")?
        .ok_or_else(|| failed("interrupted", "the same command again"))
}

/// What the terminal sends for Ctrl-C while a passphrase is typed.
const INTERRUPT: u8 = 3;

/// A line without its end; none if it was interrupted.
fn read_line(input: &mut impl BufRead) -> std::io::Result<Option<Zeroizing<String>>> {
    let mut line = Zeroizing::new(Vec::new());
    while let Some(&byte) = input.fill_buf()?.first() {
        input.consume(1);
        match byte {
            INTERRUPT => return Ok(None),
            b'\n' => break,
            byte if line.len() < PASSPHRASE_BYTES_MAX as usize => line.push(byte),
            _ => return Err(std::io::Error::other("the passphrase is too long")),
        }
    }
    let text = std::str::from_utf8(&line)
        .map_err(|_| std::io::Error::other("the passphrase is not UTF-8"))?;
    Ok(Some(Zeroizing::new(text.trim_end_matches('\r').to_owned())))
}

/// The terminal does not echo while this lives.
///
/// Nor does it turn Ctrl-C, Ctrl-\ or Ctrl-Z into signals, which would end or stop this program
/// and leave the shell without echo: Ctrl-C ends the line instead, and [`read_line`] sees it.
struct Hidden {
    /// How the terminal was set, as `stty` writes it.
    before: Option<String>,
}

impl Hidden {
    fn begin() -> Self {
        let before = stty(&["-g"]).map(|text| text.trim().to_owned());
        if before.is_some() {
            stty(&["-echo", "-isig", "eol", "^C"]);
        }
        Self { before }
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            stty(&[before]);
        }
    }
}

/// What `stty` says. Where there is none, what is typed is visible; that is no reason to fail.
fn stty(settings: &[&str]) -> Option<String> {
    let output = Command::new("stty").args(settings).stdin(Stdio::inherit()).output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ctrl-C used to end the program at once and leave the terminal without echo.
    #[test]
    fn a_line_ends_with_its_end_and_ctrl_c_gives_none() {
        let too_long = vec![b'x'; PASSPHRASE_BYTES_MAX as usize + 1];
        for (typed, expected) in [
            (&b"secret\n"[..], Some(Some("secret"))),
            (b"secret\r\nrest", Some(Some("secret"))),
            (b"end of input", Some(Some("end of input"))),
            (b" spaces count \n", Some(Some(" spaces count "))),
            (b"\n", Some(Some(""))),
            (b"", Some(Some(""))),
            (b"sec\x03", Some(None)),
            (b"\x03\n", Some(None)),
            (b"\xff\n", None),
            (&too_long, None),
        ] {
            let found = read_line(&mut &*typed).ok();
            let found = found.as_ref().map(|line| line.as_deref().map(String::as_str));
            assert_eq!(found, expected, "{:?}", String::from_utf8_lossy(typed));
        }
    }
}
