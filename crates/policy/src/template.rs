use althing_types::{EntityId, EntityKind, Right, limits::NAME_BYTES_MAX};

/// A usual policy, so that nobody needs to write Cedar. What it is about is the resource that it is
/// set for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Template {
    /// Everybody, also who does not say who it is.
    Everyone {
        /// What they may do.
        rights: Vec<Right>,
    },
    /// An organisation and all that it owns.
    Organisation {
        /// Which.
        organisation: EntityId,
        /// What they may do.
        rights: Vec<Right>,
        /// Only for this, if it is given.
        purpose: Option<String>,
    },
    /// One entity, such as a service that commands a device.
    Entity {
        /// Which.
        entity: EntityId,
        /// What it may do.
        rights: Vec<Right>,
        /// Only for this, if it is given.
        purpose: Option<String>,
    },
    /// All entities of a kind, such as auditors.
    Kind {
        /// Which.
        kind: EntityKind,
        /// What they may do.
        rights: Vec<Right>,
        /// Only for this, if it is given.
        purpose: Option<String>,
    },
    /// Forbids an entity, and an organisation with all that it owns, everything; this wins over all
    /// that permits.
    Deny {
        /// Which.
        entity: EntityId,
    },
}

/// Why a template cannot be filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// No right is named.
    #[error("name at least one right, such as read")]
    NoRight,
    /// The purpose is no name.
    #[error("a purpose has 1 to {NAME_BYTES_MAX} bytes and no control characters")]
    Purpose,
}

impl Template {
    /// Names of the templates, with a sentence for each.
    pub const ALL: [(&'static str, &'static str); 5] = [
        ("everyone", "Let everybody read, or whatever the rights say."),
        (
            "organisation",
            "Let an organisation and all that it owns; for a purpose, if one is given.",
        ),
        ("entity", "Let one service, person, gateway or device; for a purpose, if one is given."),
        ("kind", "Let all entities of a kind, such as auditors; for a purpose, if one is given."),
        ("deny", "Forbid an entity everything, whatever else permits it."),
    ];

    /// The statement in Cedar.
    ///
    /// # Errors
    /// [`TemplateError`] if no right is named or the purpose is no name.
    pub fn statement(&self) -> Result<String, TemplateError> {
        let (principal, rights, condition) = match self {
            Self::Everyone { rights } => ("principal".to_owned(), rights, None),
            Self::Organisation { organisation, rights, purpose } => {
                let principal = format!("principal in Entity::\"{organisation}\"");
                (principal, rights, for_purpose(purpose.as_deref())?)
            }
            Self::Entity { entity, rights, purpose } => {
                let principal = format!("principal == Entity::\"{entity}\"");
                (principal, rights, for_purpose(purpose.as_deref())?)
            }
            Self::Kind { kind, rights, purpose } => {
                let kind = format!("principal.kind == \"{}\"", kind.name());
                let purpose = for_purpose(purpose.as_deref())?;
                let both = purpose.map_or(kind.clone(), |purpose| format!("{kind} && {purpose}"));
                ("principal".to_owned(), rights, Some(both))
            }
            Self::Deny { entity } => {
                return Ok(format!(
                    "forbid (principal in Entity::\"{entity}\", action, resource);"
                ));
            }
        };
        let action = actions(rights)?;
        let when = condition.map_or_else(String::new, |text| format!("\nwhen {{ {text} }}"));
        Ok(format!("permit ({principal}, {action}, resource){when};"))
    }
}

fn actions(rights: &[Right]) -> Result<String, TemplateError> {
    if rights.is_empty() {
        return Err(TemplateError::NoRight);
    }
    let names: Vec<String> =
        rights.iter().map(|right| format!("Action::\"{}\"", right.name())).collect();
    Ok(format!("action in [{}]", names.join(", ")))
}

fn for_purpose(purpose: Option<&str>) -> Result<Option<String>, TemplateError> {
    let Some(purpose) = purpose else { return Ok(None) };
    let short = (1..=NAME_BYTES_MAX).contains(&purpose.len());
    if !short || purpose.chars().any(char::is_control) {
        return Err(TemplateError::Purpose);
    }
    let quoted = purpose.replace('\\', "\\\\").replace('"', "\\\"");
    Ok(Some(format!("context.purpose == \"{quoted}\"")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Policies, explain};

    #[test]
    fn every_template_is_a_policy_and_is_explained() {
        let (entity, rights) = (EntityId([0xab; 32]), vec![Right::Read, Right::Subscribe]);
        let purpose = Some("what \"for\" \\ else".to_owned());
        let (organisation, kind) = (entity, EntityKind::Auditor);
        for (template, expected) in [
            (Template::Everyone { rights: rights.clone() }, "everybody may read and subscribe"),
            (
                Template::Organisation {
                    organisation,
                    rights: rights.clone(),
                    purpose: Some("billing".into()),
                },
                "and all that it owns may read and subscribe, for the purpose \"billing\"",
            ),
            (Template::Entity { entity, rights: vec![Right::Invoke], purpose: None }, "may invoke"),
            (Template::Entity { entity, rights: rights.clone(), purpose }, "may read"),
            (Template::Kind { kind, rights, purpose: None }, "if it is of kind \"auditor\""),
            (Template::Deny { entity }, "may never do anything"),
        ] {
            let text = template.statement().unwrap();
            let policies = Policies::compile(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
            let words = explain(&policies, |_| None);
            assert_eq!(words.len(), 1);
            assert!(words[0].contains(expected), "{words:?} {expected}");
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        let none = Template::Everyone { rights: Vec::new() };
        assert_eq!(none.statement(), Err(TemplateError::NoRight));
        let odd = Template::Entity {
            entity: EntityId([1; 32]),
            rights: vec![Right::Read],
            purpose: Some("a\nb".into()),
        };
        assert_eq!(odd.statement(), Err(TemplateError::Purpose));
    }
}
