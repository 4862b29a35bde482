//! Cuts a text into the tokens of Cedar that we read.

use crate::BadPolicy;

/// A token of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A word, such as `permit` or `context`.
    Word(String),
    /// A text in quotation marks, without them and with its escapes undone.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A sign, such as `==`.
    Sign(&'static str),
}

/// All signs, the longer of two that begin alike first.
const SIGNS: [&str; 20] = [
    "::", "==", "!=", "<=", ">=", "&&", "||", "(", ")", "[", "]", "{", "}", ",", ";", ".", "<",
    ">", "!", "@",
];

/// The tokens of a text with the byte that each begins at, at most `max`.
pub(crate) fn tokens(text: &str, max: usize) -> Result<Vec<(usize, Token)>, BadPolicy> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c == ' ' || c == '\n' {
            at += 1;
            continue;
        }
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let (token, bytes) = token(rest)
            .ok_or_else(|| BadPolicy::at(text, at, "a word, number or sign of Cedar"))?;
        if tokens.len() == max {
            return Err(BadPolicy::Bounds);
        }
        tokens.push((at, token));
        at += bytes;
    }
    Ok(tokens)
}

/// The token that a text begins with, and its length in bytes.
fn token(rest: &str) -> Option<(Token, usize)> {
    let first = rest.chars().next()?;
    if first == '"' {
        return quoted(rest);
    }
    if first.is_ascii_digit() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        return Some((Token::Number(rest[..end].parse().ok()?), end));
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if is_word(first) {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        return Some((Token::Word(rest[..end].to_owned()), end));
    }
    let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign))?;
    Some((Token::Sign(sign), sign.len()))
}

/// A text in quotation marks; of Cedar's escapes those for a quotation mark and a backslash.
fn quoted(rest: &str) -> Option<(Token, usize)> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((Token::Text(text), at + 1)),
            '\\' => text.push(chars.next().map(|(_, c)| c).filter(|c| matches!(c, '"' | '\\'))?),
            c if c.is_control() => return None,
            c => text.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut() {
        let words = |text| tokens(text, 16).map(|all| all.into_iter().map(|(_, t)| t).collect());
        let word = |text: &str| Token::Word(text.into());
        let text = |text: &str| Token::Text(text.into());
        for (input, expected) in [
            ("", Ok(vec![])),
            ("a // b == c\n d", Ok(vec![word("a"), word("d")])),
            ("A::\"x\\\"y\\\\\"", Ok(vec![word("A"), Token::Sign("::"), text("x\"y\\")])),
            ("a<=12", Ok(vec![word("a"), Token::Sign("<="), Token::Number(12)])),
            ("!!a", Ok(vec![Token::Sign("!"), Token::Sign("!"), word("a")])),
        ] {
            assert_eq!(words(input), expected, "{input}");
        }
        for wrong in ["\"", "\"\\n\"", "\"\n\"", "a\tb", "\r", "$", "9223372036854775808", "ä"] {
            assert!(matches!(tokens(wrong, 16), Err(BadPolicy::Syntax { .. })), "{wrong}");
        }
        assert_eq!(tokens("a a a", 2), Err(BadPolicy::Bounds));
    }
}
