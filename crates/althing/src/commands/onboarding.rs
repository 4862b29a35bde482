//! The part of `althing thing` by which things join, pass on, say how they are and are shut out.

use std::path::{Path, PathBuf};

use althing_client::{file, model::Outcome};
use althing_types::{
    Action, Claim, EntityKind, Inception, Join, Limit, Offer, OfferTo, Place, PublicKey,
    SigningKey, Status, Suite, VoucherId, claim_bytes, decimal, hash,
    limits::{ACTIONS_MAX, DESCRIPTION_BYTES_MAX, VOUCHER_DEVICES_MAX},
    merkle,
};
use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use rand::{RngCore as _, rngs::OsRng};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::final_at;
use crate::{
    lookup,
    output::Output,
    report::{NextStep as _, failed},
    session::{Explain as _, Remote, Session, SignArgs},
};

/// Bytes of a one-time code: more than can be guessed.
const CODE_BYTES: usize = 16;
/// Longest file that lists the devices of a voucher, bytes.
const DEVICES_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Decimal places of a coordinate.
const PLACE_SCALE: u8 = 7;

/// How things join and pass on.
#[derive(Debug, Subcommand)]
pub(crate) enum OnboardingCommand {
    /// Offers a thing to another owner, or to whoever holds a one-time code.
    Offer(OfferArgs),
    /// Becomes the owner of a thing that is offered.
    Accept(Accept),
    /// Narrows what a bound gateway may do, or lifts the limit.
    Limit(LimitArgs),
    /// Says how a thing is: online, firmware, place.
    Status(StatusArgs),
    /// Shuts a thing out: nothing it submits counts, and nothing is asked of it.
    Quarantine(QuarantineArgs),
    /// Takes back one's voice for the quarantine of a thing.
    Release(Release),
    /// Vouches for a batch of devices, for a maker.
    Vouch(Vouch),
    /// Shows a voucher.
    Voucher(ShowVoucher),
    /// Ends a voucher: no more devices join by it.
    RevokeVoucher(RevokeVoucher),
    /// Registers all devices of a voucher with their things.
    OnboardMany(OnboardMany),
}

#[derive(Debug, Args)]
pub(crate) struct OfferArgs {
    /// Its name, DID or hex id.
    thing: String,
    /// The new owner: DID, hex id or name.
    #[arg(long, conflicts_with_all = ["code", "withdraw"], required_unless_present_any = ["code", "withdraw"])]
    to: Option<String>,
    /// Make a one-time code; whoever types it becomes the owner.
    #[arg(long, conflicts_with = "withdraw")]
    code: bool,
    /// Withdraw the offer.
    #[arg(long)]
    withdraw: bool,
    /// For so many blocks from now.
    #[arg(long, default_value_t = 1_000_000)]
    blocks: u64,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Accept {
    /// Its name, DID or hex id.
    thing: String,
    /// The one-time code that came with it.
    #[arg(long)]
    code: Option<String>,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LimitArgs {
    /// Its name, DID or hex id.
    thing: String,
    /// The bound gateway or device: DID, hex id or name.
    #[arg(long)]
    gateway: String,
    /// A property whose readings it may submit; several times for several.
    #[arg(long = "property", value_name = "PROPERTY")]
    properties: Vec<String>,
    /// It may carry commands, too.
    #[arg(long)]
    commands: bool,
    /// Lift the limit.
    #[arg(long, conflicts_with_all = ["properties", "commands"])]
    lift: bool,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Its name, DID or hex id.
    thing: String,
    /// Whether it can be reached.
    #[arg(long)]
    online: Option<bool>,
    /// Version of its firmware.
    #[arg(long)]
    firmware: Option<String>,
    /// Where it is: degrees north and east, such as 48.1372,11.5755.
    #[arg(long, value_parser = parse_place, allow_hyphen_values = true)]
    place: Option<Place>,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct QuarantineArgs {
    /// Its name, DID or hex id.
    thing: String,
    /// Why, in a few words.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Release {
    /// Its name, DID or hex id.
    thing: String,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Vouch {
    /// File that lists the devices: a JSON array of {"name", "suite", "key"}.
    #[arg(long, value_name = "FILE")]
    devices: PathBuf,
    /// File with the W3C Thing Description 1.1 of each of them.
    #[arg(long, value_name = "FILE")]
    description: PathBuf,
    /// The organisation that owns them: DID, hex id or name.
    #[arg(long)]
    owner: String,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ShowVoucher {
    /// Its id, 64 hex digits.
    #[arg(value_parser = parse_voucher)]
    voucher: VoucherId,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct RevokeVoucher {
    /// Its id, 64 hex digits.
    #[arg(value_parser = parse_voucher)]
    voucher: VoucherId,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct OnboardMany {
    /// The voucher, 64 hex digits.
    #[arg(long, value_parser = parse_voucher)]
    voucher: VoucherId,
    /// The maker's list of the devices.
    #[arg(long, value_name = "FILE")]
    devices: PathBuf,
    #[command(flatten)]
    sign: SignArgs,
}

fn parse_voucher(text: &str) -> Result<VoucherId, String> {
    VoucherId::from_hex(text).ok_or_else(|| "64 hex digits expected".to_owned())
}

fn parse_place(text: &str) -> Result<Place, String> {
    let wrong = || "degrees north and east expected, such as 48.1372,11.5755".to_owned();
    let (north, east) = text.split_once(',').ok_or_else(wrong)?;
    let degrees = |text: &str| decimal::parse(text.trim(), PLACE_SCALE, true).map_err(|_| wrong());
    let place = Place { latitude_e7: degrees(north)?, longitude_e7: degrees(east)? };
    if place.is_valid() { Ok(place) } else { Err(wrong()) }
}

impl OnboardingCommand {
    pub(crate) async fn run(self, output: Output) -> anyhow::Result<()> {
        match self {
            Self::Offer(offer) => offer.run(output).await,
            Self::Accept(accept) => accept.run(output).await,
            Self::Limit(limit) => limit.run(output).await,
            Self::Status(status) => status.run(output).await,
            Self::Quarantine(args) => {
                speak(output, &args.sign, &args.thing, Some(args.reason)).await
            }
            Self::Release(args) => speak(output, &args.sign, &args.thing, None).await,
            Self::Vouch(vouch) => vouch.run(output).await,
            Self::Voucher(show) => show.run(output).await,
            Self::RevokeVoucher(revoke) => revoke.run(output).await,
            Self::OnboardMany(many) => many.run(output).await,
        }
    }
}

impl OfferArgs {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let thing = lookup::thing(&session.client, &self.thing).await?;
        let until_height = session.client.height().saturating_add(self.blocks);
        let code = self.code.then(new_code);
        let to = match (&self.to, &code) {
            (Some(to), _) => Some(OfferTo::Entity(lookup::entity(&session.client, to).await?)),
            (None, Some(code)) => Some(OfferTo::Code(key_of(code)?.public_key())),
            (None, None) => None,
        };
        let offer = to.map(|to| Offer { to, until_height });
        let withdrawn = offer.is_none();
        let action = Action::OfferThing { thing: thing.hex.0, offer };
        let outcome = session.perform(vec![action]).await?;
        let value = json!({ "thing": thing.id, "code": code, "outcome": outcome });
        output.show(&value, || {
            let what = if withdrawn { "not offered any more" } else { "offered" };
            let code = code.as_ref().map_or(String::new(), |code| {
                format!(
                    "\ncode: {code}\nwhoever types it owns the thing: \
                     althing thing accept {} --code {code}",
                    thing.id
                )
            });
            format!("{}: {what}{code}\n{}", thing.name, final_at(&outcome))
        })
    }
}

/// A one-time code, for a label or a QR picture.
fn new_code() -> String {
    let mut bytes = [0; CODE_BYTES];
    OsRng.fill_bytes(&mut bytes);
    let digits = hex::encode_upper(bytes);
    let groups: Vec<&str> = (0..digits.len()).step_by(4).map(|at| &digits[at..at + 4]).collect();
    groups.join("-")
}

/// The key behind a code. Case and dashes are for people.
fn key_of(code: &str) -> anyhow::Result<SigningKey> {
    let digits: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    let bytes = hex::decode(digits).ok().filter(|bytes| bytes.len() == CODE_BYTES);
    let bytes = bytes.ok_or_else(|| {
        failed("this is no code", "type the 32 hex digits as they stand on the label")
    })?;
    let secret = hash("althing/code/1", &[&bytes]);
    SigningKey::from_secret(Suite::Ed25519, secret).context("the code makes no key")
}

impl Accept {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let thing = lookup::thing(&session.client, &self.thing).await?;
        let claim = match &self.code {
            None => None,
            Some(code) => {
                let key = key_of(code)?;
                let bytes = claim_bytes(&session.ledger(), &thing.hex.0, &session.entity());
                Some(Claim { key: key.public_key(), signature: key.sign(&bytes) })
            }
        };
        let action = Action::AcceptThing { thing: thing.hex.0, claim };
        let outcome = session.perform(vec![action]).await?;
        output.show(&outcome, || format!("{} is yours\n{}", thing.name, final_at(&outcome)))
    }
}

impl LimitArgs {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let thing = lookup::thing(&session.client, &self.thing).await?.hex.0;
        let gateway = lookup::entity(&session.client, &self.gateway).await?;
        let mut properties = self.properties;
        properties.sort();
        properties.dedup();
        let limit = (!self.lift).then_some(Limit { properties, commands: self.commands });
        let outcome = session.perform(vec![Action::LimitBinding { thing, gateway, limit }]).await?;
        let what = if self.lift { "lifted the limit" } else { "limited the binding" };
        output.show(&outcome, || {
            format!("{what} of {} to {}\n{}", self.gateway, self.thing, final_at(&outcome))
        })
    }
}

impl StatusArgs {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let status = Status { online: self.online, firmware: self.firmware, place: self.place };
        ensure!(status.is_within_bounds(), "say something: --online, --firmware or --place");
        let session = self.sign.session().await?;
        let thing = lookup::thing(&session.client, &self.thing).await?.hex.0;
        let outcome = session.perform(vec![Action::ReportStatus { thing, status }]).await?;
        output.show(&outcome, || format!("said of {}\n{}", self.thing, final_at(&outcome)))
    }
}

async fn speak(
    output: Output,
    sign: &SignArgs,
    thing: &str,
    reason: Option<String>,
) -> anyhow::Result<()> {
    let session = sign.session().await?;
    let id = lookup::thing(&session.client, thing).await?.hex.0;
    let outcome = session.perform(vec![Action::Quarantine { thing: id, reason }]).await?;
    let quarantined = session.client.thing(&id).await.explain()?.quarantined;
    let value = json!({ "quarantined": quarantined, "outcome": outcome });
    output.show(&value, || {
        let now = if quarantined { "is in quarantine" } else { "is not in quarantine" };
        format!("{thing} {now}\n{}", final_at(&outcome))
    })
}

/// A device in a maker's list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    name: String,
    suite: String,
    key: String,
}

/// The devices of a maker's list, in its order.
fn devices(path: &Path) -> anyhow::Result<Vec<Inception>> {
    let text = file::read(path, DEVICES_BYTES_MAX)
        .with_context(|| format!("cannot read the list of devices {}", path.display()))
        .next_step(|| "give --devices a JSON array of {\"name\", \"suite\", \"key\"}".to_owned())?;
    let listed: Vec<Listed> = serde_json::from_slice(&text)
        .with_context(|| format!("{} is no list of devices", path.display()))?;
    let most = VOUCHER_DEVICES_MAX as usize;
    ensure!(!listed.is_empty() && listed.len() <= most, "a voucher is about 1 to {most} devices");
    listed.into_iter().map(inception).collect()
}

fn inception(listed: Listed) -> anyhow::Result<Inception> {
    let suite =
        [Suite::Ed25519, Suite::P256].into_iter().find(|suite| suite.name() == listed.suite);
    let suite = suite.with_context(|| format!("{}: suite is ed25519 or p256", listed.name))?;
    let bytes = hex::decode(&listed.key).with_context(|| format!("{}: key is hex", listed.name))?;
    let key = PublicKey { suite, bytes };
    ensure!(key.is_valid(), "{}: this is no key", listed.name);
    Ok(Inception { kind: EntityKind::Device, name: listed.name, key })
}

impl Vouch {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let devices = devices(&self.devices)?;
        let description = file::read(&self.description, DESCRIPTION_BYTES_MAX as u64)
            .with_context(|| format!("cannot read {}", self.description.display()))?;
        let session = self.sign.session().await?;
        let owner = lookup::entity(&session.client, &self.owner).await?;
        let leaves: Vec<[u8; 32]> = devices.iter().map(Inception::leaf).collect();
        let count = u32::try_from(devices.len()).context("too many devices")?;
        let root = merkle::root(&leaves);
        let voucher = althing_types::Voucher { owner, root, count, description };
        let id = voucher.id(&session.entity());
        let outcome = session.perform(vec![Action::IssueVoucher(voucher)]).await?;
        let value = json!({ "voucher": id.to_string(), "count": count, "outcome": outcome });
        output.show(&value, || {
            format!("vouched for {count} devices: voucher {id}\n{}", final_at(&outcome))
        })
    }
}

impl ShowVoucher {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let voucher = self.remote.client()?.voucher(&self.voucher).await.explain()?;
        output.show(&voucher, || {
            crate::output::fields(&[
                ("id", voucher.id.to_string()),
                ("maker", voucher.maker.to_string()),
                ("owner", voucher.owner.to_string()),
                ("devices", voucher.count.to_string()),
                ("active", if voucher.active { "yes".into() } else { "no, revoked".into() }),
            ])
        })
    }
}

impl RevokeVoucher {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let action = Action::RevokeVoucher { voucher: self.voucher };
        let outcome = session.perform(vec![action]).await?;
        output.show(&outcome, || format!("revoked {}\n{}", self.voucher, final_at(&outcome)))
    }
}

impl OnboardMany {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let devices = devices(&self.devices)?;
        let session = self.sign.session().await?;
        let mut last: Option<Outcome> = None;
        let joins = joins(self.voucher, &devices);
        for (done, some) in joins.chunks(ACTIONS_MAX).enumerate() {
            last = Some(join_some(&session, some).await.with_context(|| {
                format!("{} of {} devices have joined", done * ACTIONS_MAX, devices.len())
            })?);
        }
        let value = json!({ "joined": devices.len(), "last": last });
        output.show(&value, || format!("{} devices have joined", devices.len()))
    }
}

/// The action for each device.
fn joins(voucher: VoucherId, devices: &[Inception]) -> Vec<Action> {
    let leaves: Vec<[u8; 32]> = devices.iter().map(Inception::leaf).collect();
    (0..)
        .zip(devices.iter().zip(merkle::paths(&leaves)))
        .map(|(index, (inception, path))| {
            Action::JoinByVoucher(Join { voucher, index, inception: inception.clone(), path })
        })
        .collect()
}

async fn join_some(session: &Session, some: &[Action]) -> anyhow::Result<Outcome> {
    session.perform(some.to_vec()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = new_code();
        assert_eq!(code.len(), 39);
        let key = key_of(&code).unwrap().public_key();
        let typed = code.to_lowercase().replace('-', " ");
        assert_eq!(key_of(&typed).unwrap().public_key(), key);
        assert!(key_of("").is_err() && key_of(&code[..30]).is_err() && key_of("zz").is_err());
        assert_ne!(key_of(&new_code()).unwrap().public_key(), key);
    }

    #[test]
    fn a_place_is_read_as_people_write_it() {
        let place = |latitude_e7, longitude_e7| Place { latitude_e7, longitude_e7 };
        for (text, expected) in [
            ("48.1372,11.5755", Some(place(481_372_000, 115_755_000))),
            ("-33.86, 151.2", Some(place(-338_600_000, 1_512_000_000))),
            ("91,0", None),
            ("48.1372", None),
            ("north,east", None),
        ] {
            assert_eq!(parse_place(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn every_device_of_a_list_has_a_path_to_the_root() {
        let device = |seed: u8| Inception {
            kind: EntityKind::Device,
            name: format!("meter-{seed}"),
            key: SigningKey::from_secret(Suite::Ed25519, [seed; 32]).unwrap().public_key(),
        };
        let devices: Vec<Inception> = (1..=7).map(device).collect();
        let leaves: Vec<[u8; 32]> = devices.iter().map(Inception::leaf).collect();
        let root = merkle::root(&leaves);
        for action in joins(VoucherId([0; 32]), &devices) {
            match action {
                Action::JoinByVoucher(join) => assert!(join.is_in(&root, 7), "{}", join.index),
                other => panic!("{other:?}"),
            }
        }
    }
}
