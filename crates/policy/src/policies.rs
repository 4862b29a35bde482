use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use althing_types::{EntityId, EntityKind, Resource, Right, hash};

use crate::{
    BadPolicy, parse,
    syntax::{Comparison, Effect, Expression, Name, Number, Scope, Statement, Text, Who},
};

/// Kind of who does not say who it is; its name is the same.
const NOBODY: &str = "nobody";

/// Who wants to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal {
    /// One that does not say who it is.
    Nobody,
    /// An entity of the ledger.
    Entity {
        /// Which.
        id: EntityId,
        /// What it is.
        kind: EntityKind,
        /// The organisation that owns it; none for an organisation.
        organisation: Option<EntityId>,
    },
}

/// What is to be decided.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who.
    pub principal: Principal,
    /// Wants to do what.
    pub right: Right,
    /// With what.
    pub resource: &'a Resource,
    /// Whose that is.
    pub owner: EntityId,
    /// What for; empty if nothing was said.
    pub purpose: &'a str,
    /// Height of the block it is decided in, or of the state that is read.
    pub height: u64,
    /// Ledger time, milliseconds since 1970.
    pub time_ms: u64,
    /// How often the grant was used before; 0 without one.
    pub used: u32,
}

/// What a policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A statement permits it and none forbids it; the position of the first that permits.
    Permitted(u32),
    /// A statement forbids it; the position of the first that does.
    Forbidden(u32),
    /// No statement is about it.
    Silent,
}

/// Most policies remembered; one takes some tens of KiB at most.
const KNOWN_MAX: usize = 256;

/// Policies read before, by the digest of their text.
static KNOWN: Mutex<BTreeMap<[u8; 32], Arc<Policies>>> = Mutex::new(BTreeMap::new());

/// The statements of one policy, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policies {
    pub(crate) statements: Vec<Statement>,
}

impl Policies {
    /// Reads a policy of at most [`POLICY_BYTES_MAX`](althing_types::limits::POLICY_BYTES_MAX) bytes.
    ///
    /// # Errors
    /// [`BadPolicy`] saying what is wrong.
    pub fn compile(text: &str) -> Result<Self, BadPolicy> {
        parse::statements(text).map(|statements| Self { statements })
    }

    /// The policy with a text, read once and remembered: that changes how long this takes and nothing
    /// else.
    ///
    /// # Errors
    /// [`BadPolicy`] if it is none.
    pub fn known(text: &str) -> Result<Arc<Self>, BadPolicy> {
        let digest = hash("althing/policy/1", &[text.as_bytes()]);
        let remembered = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(policies) = remembered().get(&digest) {
            return Ok(Arc::clone(policies));
        }
        let policies = Arc::new(Self::compile(text)?);
        let mut known = remembered();
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(digest, Arc::clone(&policies));
        Ok(policies)
    }

    /// Answers a question.
    #[must_use]
    pub fn decide(&self, question: &Question<'_>) -> Verdict {
        let asked = Asked::new(question);
        let first = |effect: Effect| {
            (0_u32..)
                .zip(&self.statements)
                .find(|(_, one)| one.effect == effect && asked.fits(one))
                .map(|(position, _)| position)
        };
        if let Some(position) = first(Effect::Forbid) {
            return Verdict::Forbidden(position);
        }
        first(Effect::Permit).map_or(Verdict::Silent, Verdict::Permitted)
    }
}

/// A question with the names of who asks and what it is about, and of all that they are part of.
struct Asked<'a> {
    question: &'a Question<'a>,
    kind: &'static str,
    principal: Vec<Name>,
    resource: Vec<Name>,
    makes_sense: bool,
}

impl<'a> Asked<'a> {
    fn new(question: &'a Question<'a>) -> Self {
        let (kind, principal) = match question.principal {
            Principal::Nobody => {
                (NOBODY, vec![Name::new(crate::syntax::Kind::Entity, NOBODY.to_owned())])
            }
            Principal::Entity { id, kind, organisation } => {
                let names = [id].into_iter().chain(organisation);
                (kind.name(), names.map(|id| Name::entity(&id)).collect())
            }
        };
        let resource = Name::of_resource(question.resource, &question.owner);
        let makes_sense = makes_sense(question.right, question.resource);
        Self { question, kind, principal, resource, makes_sense }
    }

    fn fits(&self, statement: &Statement) -> bool {
        let right = |rights: &Vec<Right>| rights.contains(&self.question.right);
        self.makes_sense
            && statement.rights.as_ref().is_none_or(right)
            && within(&self.principal, &statement.principal)
            && within(&self.resource, &statement.resource)
            && statement.conditions.iter().all(|one| self.holds(&one.expression) == one.holds)
    }

    fn holds(&self, expression: &Expression) -> bool {
        match expression {
            Expression::Constant(value) => *value,
            Expression::Not(inner) => !self.holds(inner),
            Expression::All(parts) => parts.iter().all(|part| self.holds(part)),
            Expression::Some(parts) => parts.iter().any(|part| self.holds(part)),
            Expression::Numbers(left, comparison, right) => {
                compare(self.number(*left), *comparison, self.number(*right))
            }
            Expression::Texts(left, equal, right) => {
                (self.text(left) == self.text(right)) == *equal
            }
            Expression::Named(Who::Principal, scope) => within(&self.principal, scope),
            Expression::Named(Who::Resource, scope) => within(&self.resource, scope),
        }
    }

    fn number(&self, number: Number) -> i64 {
        let of = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        match number {
            Number::Literal(value) => value,
            Number::Height => of(self.question.height),
            Number::TimeMs => of(self.question.time_ms),
            Number::Used => i64::from(self.question.used),
        }
    }

    fn text<'b>(&'b self, text: &'b Text) -> &'b str {
        match text {
            Text::Literal(value) => value,
            Text::Purpose => self.question.purpose,
            Text::PrincipalKind => self.kind,
        }
    }
}

/// Whether a right is about such a resource at all: a service is not read, a property not called.
/// Questions that make no sense are permitted by nothing.
fn makes_sense(right: Right, resource: &Resource) -> bool {
    match resource {
        Resource::Everything(_) => true,
        Resource::Thing(_) => right != Right::Call,
        Resource::Property { .. } => matches!(right, Right::Read | Right::Subscribe | Right::Write),
        Resource::ThingAction { .. } => right == Right::Invoke,
        Resource::Service(_) | Resource::Contract(_) => right == Right::Call,
    }
}

/// Whether a name, the first of those given, is or is part of what a scope says.
fn within(names: &[Name], scope: &Scope) -> bool {
    let is = |kind| names.first().is_some_and(|name| name.kind == kind);
    match scope {
        Scope::Any => true,
        Scope::Equal(name) => names.first() == Some(name),
        Scope::In(name) => names.contains(name),
        Scope::Is(kind) => is(*kind),
        Scope::IsIn(kind, name) => is(*kind) && names.contains(name),
    }
}

fn compare(left: i64, comparison: Comparison, right: i64) -> bool {
    match comparison {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::Less => left < right,
        Comparison::AtMost => left <= right,
        Comparison::More => left > right,
        Comparison::AtLeast => left >= right,
    }
}

#[cfg(test)]
mod tests;
