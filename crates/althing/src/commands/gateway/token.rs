//! A short-lived token by which a device shows a gateway who it is.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use althing_client::model::IdText;
use althing_gateway::{TOKEN_LIFE_S_MAX, Token as Signed};
use althing_types::EntityId;
use clap::Args;

use crate::output::Output;
use crate::report::failed;
use crate::session::read_genesis;
use crate::{secrets, span};

/// Signs a token with a device's key: its password at a gateway, in place of one that is shared.
#[derive(Debug, Args)]
pub(crate) struct Token {
    /// Key file of the device, which says whose key it is.
    #[arg(long, env = "ALTHING_KEY", hide_env_values = true, value_name = "FILE")]
    key: PathBuf,

    #[command(flatten)]
    passphrase: secrets::PassphraseArgs,

    /// The gateway that the token is for: its id.
    #[arg(long, value_name = "ID")]
    gateway: IdText,

    /// The genesis of the ledger.
    #[arg(
        long,
        env = "ALTHING_GENESIS",
        hide_env_values = true,
        value_name = "FILE",
        default_value = "genesis.json"
    )]
    genesis: PathBuf,

    /// How long it is valid, a day at most.
    #[arg(long = "for", value_name = "TIME", default_value = "1h", value_parser = span::parse)]
    life: Duration,
}

impl Token {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        if self.life.as_secs() > TOKEN_LIFE_S_MAX {
            return Err(failed("a token is valid for a day at most", "--for 24h"));
        }
        let advice =
            "althing entity register --kind device --name NAME --entity-key FILE --key OWNER";
        let passphrase_file = self.passphrase.passphrase_file.as_deref();
        let (entity, key) = secrets::open_entity(&self.key, passphrase_file, advice)?;
        let genesis = read_genesis(&self.genesis)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let expires_s = now.saturating_add(self.life).as_secs();
        let gateway = EntityId(self.gateway.id);
        let token = Signed::sign(&key, &genesis.ledger(), entity, gateway, expires_s);
        let value = serde_json::json!({ "token": token.text(), "expires_s": expires_s });
        output.show(&value, || token.text())
    }
}
