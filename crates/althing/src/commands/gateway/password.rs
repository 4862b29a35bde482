//! From a password to what may stand in a configuration.

use std::path::PathBuf;

use argon2::password_hash::{PasswordHasher as _, SaltString, rand_core::OsRng};
use argon2::{Algorithm, Argon2, Params, Version};
use clap::Args;

use crate::output::Output;
use crate::report::failed;
use crate::secrets;

/// Memory of one check, KiB, and passes over it: the least that OWASP recommends for many clients
/// at a time (19 MiB, 2 passes).
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
/// Shortest password, bytes.
const PASSWORD_BYTES_MIN: usize = 8;

/// Makes the hash of a device's password, for `users` of [gateway.mqtt] in the configuration.
#[derive(Debug, Args)]
pub(crate) struct Password {
    /// File whose first line is the password. Without it: the environment variable
    /// ALTHING_PASSPHRASE, or the terminal.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Password {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        let password = secrets::new_password(self.file.as_deref())?;
        if password.len() < PASSWORD_BYTES_MIN {
            return Err(failed(
                format!("a password has at least {PASSWORD_BYTES_MIN} bytes"),
                "head -c 18 /dev/urandom | base64 > password.txt",
            ));
        }
        let hash = hash(password.as_bytes())?;
        output.show(&serde_json::json!({ "password": hash }), || hash.clone())
    }
}

/// What may stand in a configuration in place of a password.
pub(crate) fn hash(password: &[u8]) -> anyhow::Result<String> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(anyhow::Error::msg)?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let salt = SaltString::generate(&mut OsRng);
    let hash = argon.hash_password(password, &salt).map_err(anyhow::Error::msg)?;
    Ok(hash.to_string())
}
