//! What somebody may be let at, as typed.

use althing_client::Client;
use althing_types::{EntityId, Resource, Right};
use clap::Args;

use crate::{lookup, nearest::nearest, report::failed};

/// Which resource.
#[derive(Debug, Clone, Args)]
pub(crate) struct ResourceArgs {
    /// A thing: name, DID or hex id.
    #[arg(long)]
    thing: Option<String>,
    /// One property of it.
    #[arg(long, requires = "thing", conflicts_with = "action")]
    property: Option<String>,
    /// One action of it.
    #[arg(long, requires = "thing")]
    action: Option<String>,
    /// All things of this owner: name, DID or hex id.
    #[arg(long, value_name = "OWNER", conflicts_with = "thing")]
    everything: Option<String>,
    /// A service: name, DID or hex id.
    #[arg(long, conflicts_with_all = ["thing", "everything"])]
    service: Option<String>,
    /// A contract: its 64 hex digits.
    #[arg(long, conflicts_with_all = ["thing", "everything", "service"])]
    contract: Option<String>,
}

impl ResourceArgs {
    /// The thing as typed, if it is about one.
    pub(crate) fn thing(&self) -> Option<&str> {
        self.thing.as_deref()
    }

    /// The resource, looked up by name.
    pub(crate) async fn resource(&self, client: &Client) -> anyhow::Result<Resource> {
        if let Some(name) = &self.thing {
            let thing = lookup::thing(client, name).await?.hex.0;
            return Ok(match (self.property.clone(), self.action.clone()) {
                (Some(name), _) => Resource::Property { thing, name },
                (None, Some(name)) => Resource::ThingAction { thing, name },
                (None, None) => Resource::Thing(thing),
            });
        }
        if let Some(owner) = &self.everything {
            return Ok(Resource::Everything(lookup::entity(client, owner).await?));
        }
        if let Some(service) = &self.service {
            return Ok(Resource::Service(lookup::entity(client, service).await?));
        }
        let contract = self.contract.as_deref().and_then(EntityId::from_hex);
        contract.map(|id| Resource::Contract(id.0)).ok_or_else(|| {
            failed("say what it is about", "--thing NAME [--property NAME | --action NAME], --everything OWNER, --service NAME or --contract HEX")
        })
    }
}

/// A right as typed.
pub(crate) fn parse_right(text: &str) -> Result<Right, String> {
    let names = || Right::ALL.iter().map(|(_, name)| *name);
    Right::from_name(text).ok_or_else(|| match nearest(text, names()) {
        Some(near) => format!("no such right; did you mean `{near}`?"),
        None => format!("no such right; it is one of {}", names().collect::<Vec<_>>().join(", ")),
    })
}
