//! Policies in words.

use althing_types::Right;

use crate::{
    Policies,
    syntax::{Condition, Effect, Expression, Name, Scope, Statement, Text},
};

/// Each statement of a policy in plain words, in order. `name` knows what people call an entity, by
/// its id in hex.
#[must_use]
pub fn explain(policies: &Policies, name: impl Fn(&str) -> Option<String>) -> Vec<String> {
    policies.statements.iter().map(|statement| sentence(statement, &name)).collect()
}

fn sentence(statement: &Statement, name: &impl Fn(&str) -> Option<String>) -> String {
    let who = who(&statement.principal, name);
    let (may, what) = match (statement.effect, statement.rights.as_deref()) {
        (Effect::Permit, None) => ("may", "do anything".to_owned()),
        (Effect::Permit, Some(rights)) => ("may", listed(rights)),
        (Effect::Forbid, None) => ("may never", "do anything".to_owned()),
        (Effect::Forbid, Some(rights)) => ("may never", listed(rights)),
    };
    let on = on(&statement.resource);
    let conditions: String = statement.conditions.iter().map(condition).collect();
    format!("{who} {may} {what}{on}{conditions}")
}

fn who(scope: &Scope, name: &impl Fn(&str) -> Option<String>) -> String {
    let called = |one: &Name| name(&one.id).unwrap_or_else(|| one.id.clone());
    match scope {
        Scope::Any | Scope::Is(_) => "everybody".to_owned(),
        Scope::Equal(one) => called(one),
        Scope::In(one) | Scope::IsIn(_, one) => format!("{} and all that it owns", called(one)),
    }
}

fn listed(rights: &[Right]) -> String {
    match rights {
        [] => "do nothing".to_owned(),
        [only] => only.name().to_owned(),
        [rest @ .., last] => {
            let rest: Vec<&str> = rest.iter().map(|right| right.name()).collect();
            format!("{} and {}", rest.join(", "), last.name())
        }
    }
}

fn on(scope: &Scope) -> String {
    let called = |name: &Name| format!("{} {}", name.kind.word(), name.id);
    match scope {
        Scope::Any => String::new(),
        Scope::Is(kind) => format!(", of {} only", kind.word()),
        Scope::Equal(name) => format!(", of {} only", called(name)),
        Scope::In(name) | Scope::IsIn(_, name) => {
            format!(", of {} and its parts only", called(name))
        }
    }
}

/// The usual conditions in words, others as they were written.
fn condition(condition: &Condition) -> String {
    match (&condition.expression, condition.holds) {
        (Expression::Texts(Text::Purpose, true, Text::Literal(purpose)), true) => {
            format!(", for the purpose \"{purpose}\"")
        }
        (Expression::Texts(Text::PrincipalKind, true, Text::Literal(kind)), true) => {
            format!(", if it is of kind \"{kind}\"")
        }
        (_, holds) => {
            let text: Vec<&str> = condition.text.split_whitespace().collect();
            format!(", {} {}", if holds { "when" } else { "unless" }, text.join(" "))
        }
    }
}
