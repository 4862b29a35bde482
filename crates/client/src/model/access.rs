use serde::{Deserialize, Serialize};

use super::{DidText, GrantHex, Hex, Time};

/// What somebody may be let at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Resource {
    /// `everything` of an owner, a `thing`, a `property` or `action` of one, a `service` or a
    /// `contract`.
    pub kind: String,
    /// The owner, thing or service as a DID, or the contract in hex.
    pub id: String,
    /// Name of the property or action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Resource {
    /// The form of a resource, with ids as DIDs of a network.
    #[must_use]
    pub fn new(network: &str, resource: &althing_types::Resource) -> Self {
        use althing_types::Resource as R;
        let (kind, id, name) = match resource {
            R::Everything(owner) => {
                ("everything", DidText::entity(network, owner).to_string(), None)
            }
            R::Thing(thing) => ("thing", DidText::thing(network, thing).to_string(), None),
            R::Property { thing, name } => {
                ("property", DidText::thing(network, thing).to_string(), Some(name.clone()))
            }
            R::ThingAction { thing, name } => {
                ("action", DidText::thing(network, thing).to_string(), Some(name.clone()))
            }
            R::Service(service) => ("service", DidText::entity(network, service).to_string(), None),
            R::Contract(id) => ("contract", Hex(althing_types::Digest(*id)).to_string(), None),
        };
        Self { kind: kind.to_owned(), id, name }
    }
}

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{} {name} of {}", self.kind, self.id),
            None => write!(f, "{} {}", self.kind, self.id),
        }
    }
}

/// Who has access to what, from whom, for which purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Access {
    /// Id of the request and of the grant that it becomes.
    pub id: GrantHex,
    /// Who owns the resource.
    pub owner: DidText,
    /// Who has access, or asks for it.
    pub grantee: DidText,
    /// To what.
    pub resource: Resource,
    /// To do what, such as `read`.
    pub right: String,
    /// What for.
    pub purpose: String,
}

/// What an owner decided about a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AccessPolicy {
    /// Whose.
    pub owner: DidText,
    /// About what.
    pub resource: Resource,
    /// What is needed beside it: `open`, `grant` or `strict`.
    pub mode: String,
    /// The statements in Cedar.
    pub text: String,
    /// Each statement in words.
    pub words: Vec<String>,
    /// Who is asked about each request; nobody if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<DidText>,
    /// Blocks within which the answer must come.
    pub patience_blocks: u32,
    /// Blocks that a grant lasts at most.
    pub grant_blocks_max: u64,
    /// Its version; the first has version 1.
    pub version: u32,
    /// Height of the block that set it.
    pub since_height: u64,
}

/// A request, a grant, or a grant that is asked for again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Grant {
    /// Who, what and what for.
    #[serde(flatten)]
    pub access: Access,
    /// `asked`, `in_force`, `used_up`, `over`, `revoked` or `timed_out`.
    pub status: String,
    /// What was given, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Given>,
    /// What waits for an answer, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
}

/// A grant as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Given {
    /// Who gave it.
    pub by: DidText,
    /// Height of the block that gave it.
    pub since_height: u64,
    /// Last height at which it holds.
    pub until_height: u64,
    /// How often it can be used; 0 for without limit.
    pub count_max: u32,
    /// How often it was used, as far as that is recorded.
    pub used: u32,
    /// Height of the block that revoked it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<u64>,
}

/// A request that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Asked {
    /// Who is asked.
    pub entity: DidText,
    /// Height of the block that asked.
    pub since_height: u64,
    /// Last height at which the answer counts.
    pub answer_until_height: u64,
    /// Last height wanted.
    pub until_height: u64,
    /// How often, at most; 0 for without limit.
    pub count_max: u32,
}

/// Whether somebody may, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Decision {
    /// Whether.
    pub allowed: bool,
    /// Why, a stable word such as `no_grant`.
    pub reason: String,
    /// Why, in a sentence that says what to do next.
    pub detail: String,
    /// Height of the state that it was decided by.
    pub height: u64,
    /// The resource.
    pub resource: Resource,
    /// Whose that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<DidText>,
    /// The policy that decided, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyUsed>,
    /// The grant it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantHex>,
}

/// A policy that decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PolicyUsed {
    /// What it is about.
    pub resource: Resource,
    /// Its version.
    pub version: u32,
    /// What it needs besides.
    pub mode: String,
    /// Position of the statement that decided, from 1; absent if no statement is about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<u32>,
    /// The statement in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

/// Uses of a grant that were served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AccessUse {
    /// The grant.
    pub grant: GrantHex,
    /// How many.
    pub count: u32,
    /// When the first was.
    pub first: Time,
    /// When the last was.
    pub last: Time,
}
