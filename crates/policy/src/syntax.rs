//! What a policy is once it is read.

use althing_types::{EntityId, Resource, Right};

/// A sort of name. `Owner` stands for all things of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Entity,
    Owner,
    Thing,
    Property,
    ThingAction,
    Service,
    Contract,
}

impl Kind {
    pub(crate) const ALL: [(Self, &'static str); 7] = [
        (Self::Entity, "Entity"),
        (Self::Owner, "Owner"),
        (Self::Thing, "Thing"),
        (Self::Property, "Property"),
        (Self::ThingAction, "ThingAction"),
        (Self::Service, "Service"),
        (Self::Contract, "Contract"),
    ];

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == word).map(|(kind, _)| *kind)
    }

    pub(crate) fn word(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}

/// A name of somebody or something: an id in hex; of a part of a thing, `id/name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) kind: Kind,
    pub(crate) id: String,
}

impl Name {
    pub(crate) fn new(kind: Kind, id: String) -> Self {
        Self { kind, id }
    }

    pub(crate) fn entity(id: &EntityId) -> Self {
        Self::new(Kind::Entity, id.to_string())
    }

    /// A resource, and what it is part of.
    pub(crate) fn of_resource(resource: &Resource, owner: &EntityId) -> Vec<Self> {
        let all = Self::new(Kind::Owner, owner.to_string());
        let of_thing = |thing: &althing_types::ThingId| Self::new(Kind::Thing, thing.to_string());
        match resource {
            Resource::Everything(id) => vec![Self::new(Kind::Owner, id.to_string())],
            Resource::Thing(thing) => vec![of_thing(thing), all],
            Resource::Property { thing, name } => {
                vec![Self::new(Kind::Property, format!("{thing}/{name}")), of_thing(thing), all]
            }
            Resource::ThingAction { thing, name } => {
                vec![Self::new(Kind::ThingAction, format!("{thing}/{name}")), of_thing(thing), all]
            }
            Resource::Service(id) => vec![Self::new(Kind::Service, id.to_string()), all],
            Resource::Contract(id) => {
                let id = althing_types::Digest(*id).to_string();
                vec![Self::new(Kind::Contract, id), all]
            }
        }
    }
}

/// Whether a statement permits or forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Permit,
    Forbid,
}

/// Whom, or what, a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    Any,
    Equal(Name),
    In(Name),
    Is(Kind),
    IsIn(Kind, Name),
}

/// One statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) effect: Effect,
    pub(crate) principal: Scope,
    /// None for all.
    pub(crate) rights: Option<Vec<Right>>,
    pub(crate) resource: Scope,
    pub(crate) conditions: Vec<Condition>,
}

/// `when` it holds, or `unless` it does; with its text, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) holds: bool,
    pub(crate) expression: Expression,
    pub(crate) text: String,
}

/// Something that is true or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expression {
    Constant(bool),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Some(Vec<Expression>),
    /// One number compared with another.
    Numbers(Number, Comparison, Number),
    /// Two texts, equal or not.
    Texts(Text, bool, Text),
    /// Who, or what it is about.
    Named(Who, Scope),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    Literal(i64),
    Height,
    TimeMs,
    Used,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Text {
    Literal(String),
    Purpose,
    PrincipalKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Principal,
    Resource,
}
