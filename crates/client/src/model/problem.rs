use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a request failed (RFC 9457, `application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Always `about:blank`: `code` tells problems apart.
    #[serde(rename = "type", default = "about_blank")]
    pub kind: String,
    /// The phrase of the HTTP status.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong, a stable code for programs, such as `bad_signature`.
    pub code: String,
    /// What went wrong, a sentence for people.
    pub detail: String,
    /// What to do next, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// The parameter or field it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

fn about_blank() -> String {
    "about:blank".into()
}

impl Problem {
    /// A problem from a sentence of the form `what is wrong; what to do next`.
    #[must_use]
    pub fn new(status: u16, title: &str, code: &str, sentence: &str) -> Self {
        let (detail, advice) = match sentence.split_once("; ") {
            Some((detail, advice)) => (format!("{detail}."), Some(capitalised(advice))),
            None => (sentence.to_owned(), None),
        };
        let (title, code) = (title.to_owned(), code.to_owned());
        Self { kind: about_blank(), title, status, code, detail, advice, field: None }
    }

    /// The same, about one parameter or field.
    #[must_use]
    pub fn about(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.detail, self.code)?;
        self.field.iter().try_for_each(|field| write!(f, " in `{field}`"))?;
        self.advice.iter().try_for_each(|advice| write!(f, " {advice}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_becomes_what_is_wrong_and_what_to_do() {
        let problem = Problem::new(409, "Conflict", "nonce_reused", "It was used; take the next.");
        assert_eq!(problem.detail, "It was used.");
        assert_eq!(problem.advice.as_deref(), Some("Take the next."));
        assert_eq!(problem.to_string(), "It was used. (nonce_reused) Take the next.");
        assert_eq!(Problem::new(404, "Not Found", "x", "None.").advice, None);
    }
}
