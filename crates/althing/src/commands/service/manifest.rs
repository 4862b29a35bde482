//! The manifest of a service as people write it, and as the ledger has it.

use std::path::{Path, PathBuf};

use althing_client::{Client, file};
use althing_types::{
    ContractId, Listing, Manifest, Need, Offered, Price, PriceRule, Right, Version,
    limits::SERVICE_SCHEMA_BYTES_MAX,
};
use anyhow::Context as _;
use serde::Deserialize;

use crate::{
    commands::contract,
    lookup,
    report::{NextStep as _, failed},
};

/// Longest manifest file, bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// A manifest file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    name: String,
    version: String,
    text: String,
    #[serde(default)]
    interfaces: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    /// Path of a JSON Schema, from the folder of the manifest.
    schema: Option<PathBuf>,
    purpose: String,
    listing: Option<String>,
    /// The contract that is the service, or that charges and records for it.
    contract: Option<String>,
    outside: Option<Outside>,
    #[serde(default)]
    needs: Vec<NeedDocument>,
    price: Option<PriceDocument>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outside {
    /// The entity that serves; whoever publishes it if not given.
    entity: Option<String>,
    endpoints: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct NeedDocument {
    right: String,
    what: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceDocument {
    #[serde(default)]
    text: String,
    amount: Option<u64>,
    currency: Option<String>,
    per: Option<String>,
}

/// Reads a manifest file, looks the names in it up, and says what does not fit.
pub(super) async fn read(
    client: &Client,
    path: &Path,
    publisher: althing_types::EntityId,
) -> anyhow::Result<Manifest> {
    let bytes = file::read(path, FILE_BYTES_MAX)
        .with_context(|| format!("cannot read the manifest {}", path.display()))
        .next_step(|| "docs/tutorials/a-service.md has one to begin with".to_owned())?;
    let text = String::from_utf8(bytes).context("the manifest is not UTF-8")?;
    let document: Document = toml::from_str(&text)
        .with_context(|| format!("{} is no manifest", path.display()))
        .next_step(|| "docs/tutorials/a-service.md has one to begin with".to_owned())?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let schema = match &document.schema {
        Some(schema) => {
            let path = folder.join(schema);
            let read = file::read(&path, SERVICE_SCHEMA_BYTES_MAX as u64);
            Some(read.with_context(|| format!("cannot read the schema {}", path.display()))?)
        }
        None => None,
    };
    let contract = match &document.contract {
        Some(name) => Some(ContractId(contract::find(client, name).await?.hex.0.0)),
        None => None,
    };
    let entity = match document.outside.as_ref().and_then(|outside| outside.entity.as_ref()) {
        Some(name) => lookup::entity(client, name).await?,
        None => publisher,
    };
    document.manifest(schema, contract, entity)
}

impl Document {
    fn manifest(
        self,
        schema: Option<Vec<u8>>,
        contract: Option<ContractId>,
        entity: althing_types::EntityId,
    ) -> anyhow::Result<Manifest> {
        let version = Version::parse(&self.version)
            .ok_or_else(|| wrong("version", &self.version, "three numbers such as 1.0.0"))?;
        let offered = match (self.outside, contract) {
            (Some(outside), contract) => {
                Offered::Outside { entity, endpoints: outside.endpoints, contract }
            }
            (None, Some(contract)) => Offered::Contract(contract),
            (None, None) => {
                return Err(failed(
                    "the manifest does not say where the service is performed",
                    "add `contract = \"NAME\"`, or a table [outside] with `endpoints`",
                ));
            }
        };
        let listing = match self.listing.as_deref() {
            None | Some("everyone") => Listing::Everyone,
            Some("callers") => Listing::Callers,
            Some(other) => return Err(wrong("listing", other, "everyone or callers")),
        };
        let need = |need: NeedDocument| {
            let right = Right::from_name(&need.right);
            let expected = "read, subscribe, write, invoke, describe or call";
            let right = right.ok_or_else(|| wrong("right", &need.right, expected))?;
            anyhow::Ok(Need { right, what: need.what })
        };
        let mut manifest = Manifest {
            name: self.name,
            version,
            text: self.text,
            interfaces: self.interfaces,
            tags: self.tags,
            schema: schema.map(Into::into),
            offered,
            purpose: self.purpose,
            needs: self.needs.into_iter().map(need).collect::<anyhow::Result<_>>()?,
            price: self.price.map_or_else(|| Ok(no_price()), PriceDocument::price)?,
            listing,
        };
        for names in [&mut manifest.interfaces, &mut manifest.tags] {
            names.sort_unstable();
            names.dedup();
        }
        if manifest.is_within_bounds() {
            Ok(manifest)
        } else {
            Err(failed(
                "a field of the manifest is too long, empty, or not a name or address",
                "docs/formats/services.md has the bounds of each",
            ))
        }
    }
}

impl PriceDocument {
    fn price(self) -> anyhow::Result<Price> {
        let rule = match (self.amount, self.currency, self.per) {
            (Some(amount), Some(currency), Some(per)) => Some(PriceRule { amount, currency, per }),
            (None, None, None) => None,
            _ => {
                return Err(failed(
                    "a price for programs has three parts",
                    "give `amount`, `currency` and `per`, or none of them",
                ));
            }
        };
        Ok(Price { text: self.text, rule })
    }
}

const fn no_price() -> Price {
    Price { text: String::new(), rule: None }
}

fn wrong(field: &str, given: &str, expected: &str) -> anyhow::Error {
    failed(format!("`{given}` is no {field}"), format!("write {expected}"))
}

#[cfg(test)]
mod tests {
    use althing_types::EntityId;

    use super::*;
    use crate::report::next_step_of;

    const OUTSIDE: &str = r#"
        name = "forecast"
        version = "1.0.0"
        text = "What it will be"
        tags = ["weather", "energy", "weather"]
        purpose = "forecast"
        [outside]
        endpoints = ["http://localhost:8080"]
        [price]
        amount = 1
        currency = "unit"
        per = "call"
        [[needs]]
        right = "read"
        what = "temperature"
    "#;

    fn manifest(text: &str, contract: Option<ContractId>) -> anyhow::Result<Manifest> {
        let document: Document = toml::from_str(text)?;
        document.manifest(None, contract, EntityId([7; 32]))
    }

    #[test]
    fn a_manifest_file_becomes_what_the_ledger_takes() {
        let manifest = manifest(OUTSIDE, None).unwrap();
        assert_eq!(manifest.tags, ["energy", "weather"]);
        assert_eq!(manifest.listing, Listing::Everyone);
        assert!(matches!(manifest.offered, Offered::Outside { entity: EntityId([7, ..]), .. }));
        assert_eq!(manifest.price.rule.unwrap().amount, 1);
    }

    #[test]
    fn what_is_wrong_with_a_manifest_is_said_with_what_to_write() {
        let contract = Some(ContractId([1; 32]));
        for (from, to, contract, expected) in [
            ("1.0.0", "1.0", None, "1.0.0"),
            ("per = \"call\"", "", None, "`per`"),
            ("right = \"read\"", "right = \"see\"", None, "subscribe"),
            ("purpose", "listing = \"some\"\npurpose", None, "callers"),
            ("http://localhost:8080", "localhost", None, "docs/formats"),
            ("name = \"forecast\"", "name = \"\"", contract, "docs/formats"),
        ] {
            let error = manifest(&OUTSIDE.replacen(from, to, 1), contract).unwrap_err();
            let next = next_step_of(&error).unwrap_or_default();
            assert!(next.contains(expected), "{from}: {error:#}: {next}");
        }
        let nowhere =
            OUTSIDE.replace("[outside]", "").replace("endpoints = [\"http://localhost:8080\"]", "");
        let error = manifest(&nowhere, None).unwrap_err();
        assert!(next_step_of(&error).unwrap_or_default().contains("[outside]"));
        assert!(manifest(&nowhere, contract).is_ok());
        assert!(manifest(&format!("colour = \"red\"\n{OUTSIDE}"), None).is_err());
    }
}
