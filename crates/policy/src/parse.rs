//! Reads a policy. Every text that is read here is Cedar and means what it means there; what Cedar has
//! beside it is refused.

use althing_types::{
    Right,
    limits::{POLICY_BYTES_MAX, POLICY_DEPTH_MAX, POLICY_STATEMENTS_MAX, POLICY_TOKENS_MAX},
};

use crate::{
    syntax::{
        Comparison, Condition, Effect, Expression, Kind, Name, Number, Scope, Statement, Text, Who,
    },
    token::{Token, tokens},
};

/// Why a text is no policy. The reasons are for whoever wrote it; consensus sees that it is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPolicy {
    /// Too long, or nested too deeply.
    #[error(
        "it must have 1 to {POLICY_BYTES_MAX} bytes, at most {POLICY_TOKENS_MAX} words and signs, and brackets at most {POLICY_DEPTH_MAX} deep"
    )]
    Bounds,
    /// None, or more than [`POLICY_STATEMENTS_MAX`] statements.
    #[error("it must have 1 to {POLICY_STATEMENTS_MAX} statements")]
    Count,
    /// Something else was expected.
    #[error("line {line}: {expected} expected")]
    Syntax {
        /// In which line, from 1.
        line: u32,
        /// What should stand there.
        expected: &'static str,
    },
}

impl BadPolicy {
    /// Something else was expected at a byte of the text.
    pub(crate) fn at(text: &str, byte: usize, expected: &'static str) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let lines = before.bytes().filter(|byte| *byte == b'\n').count();
        Self::Syntax { line: u32::try_from(lines + 1).unwrap_or(u32::MAX), expected }
    }
}

/// The statements of a text.
pub(crate) fn statements(text: &str) -> Result<Vec<Statement>, BadPolicy> {
    if !(1..=POLICY_BYTES_MAX).contains(&text.len()) {
        return Err(BadPolicy::Bounds);
    }
    let tokens = tokens(text, POLICY_TOKENS_MAX)?;
    let mut parser = Parser { text, tokens: &tokens, next: 0, depth: 0 };
    let mut statements = Vec::new();
    while parser.peek().is_some() {
        if statements.len() == POLICY_STATEMENTS_MAX {
            return Err(BadPolicy::Count);
        }
        statements.push(parser.statement()?);
    }
    if statements.is_empty() { Err(BadPolicy::Count) } else { Ok(statements) }
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [(usize, Token)],
    next: usize,
    depth: usize,
}

/// One side of a comparison.
enum Operand {
    Bool(Expression),
    Number(Number),
    Text(Text),
    Who(Who),
}

type Parsed<T> = Result<T, BadPolicy>;

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    /// Byte at which the next token begins.
    fn place(&self) -> usize {
        self.tokens.get(self.next).map_or(self.text.len(), |(at, _)| *at)
    }

    fn wrong<T>(&self, expected: &'static str) -> Parsed<T> {
        Err(BadPolicy::at(self.text, self.place(), expected))
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(next)) if *next == sign);
        self.next += usize::from(found);
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(next)) if next == word);
        self.next += usize::from(found);
        found
    }

    fn sign(&mut self, sign: &'static str) -> Parsed<()> {
        if self.take_sign(sign) { Ok(()) } else { self.wrong(sign) }
    }

    fn word(&mut self, word: &'static str) -> Parsed<()> {
        if self.take_word(word) { Ok(()) } else { self.wrong(word) }
    }

    /// The next word, whatever it is.
    fn any_word(&mut self, expected: &'static str) -> Parsed<String> {
        match self.peek() {
            Some(Token::Word(word)) => {
                let word = word.clone();
                self.next += 1;
                Ok(word)
            }
            _ => self.wrong(expected),
        }
    }

    fn quoted(&mut self) -> Parsed<String> {
        match self.peek() {
            Some(Token::Text(text)) => {
                let text = text.clone();
                self.next += 1;
                Ok(text)
            }
            _ => self.wrong("a text in quotation marks"),
        }
    }

    fn statement(&mut self) -> Parsed<Statement> {
        while self.take_sign("@") {
            self.annotation()?;
        }
        let effect = if self.take_word("permit") {
            Effect::Permit
        } else if self.take_word("forbid") {
            Effect::Forbid
        } else {
            return self.wrong("permit or forbid");
        };
        self.sign("(")?;
        self.word("principal")?;
        let principal = self.scope(&[Kind::Entity])?;
        self.sign(",")?;
        self.word("action")?;
        let rights = self.rights()?;
        self.sign(",")?;
        self.word("resource")?;
        let resource = self.scope(RESOURCES)?;
        self.sign(")")?;
        let mut conditions = Vec::new();
        while !self.take_sign(";") {
            conditions.push(self.condition()?);
        }
        Ok(Statement { effect, principal, rights, resource, conditions })
    }

    /// A note for people, such as `@id("share")`.
    fn annotation(&mut self) -> Parsed<()> {
        self.any_word("a word")?;
        self.sign("(")?;
        self.quoted()?;
        self.sign(")")
    }

    /// What follows a variable in the head or in a condition, if anything does.
    fn scope(&mut self, kinds: &[Kind]) -> Parsed<Scope> {
        if self.take_sign("==") {
            return self.name(kinds).map(Scope::Equal);
        }
        if self.take_word("in") {
            return self.name(kinds).map(Scope::In);
        }
        if !self.take_word("is") {
            return Ok(Scope::Any);
        }
        let kind = self.kind(kinds)?;
        if self.take_word("in") {
            return self.name(kinds).map(|name| Scope::IsIn(kind, name));
        }
        Ok(Scope::Is(kind))
    }

    fn kind(&mut self, kinds: &[Kind]) -> Parsed<Kind> {
        let expected = "Entity for a principal; Owner, Thing, Property, ThingAction, Service or Contract for a resource";
        let kind = match self.peek() {
            Some(Token::Word(word)) => Kind::from_word(word).filter(|kind| kinds.contains(kind)),
            _ => None,
        };
        let Some(kind) = kind else { return self.wrong(expected) };
        self.next += 1;
        Ok(kind)
    }

    fn name(&mut self, kinds: &[Kind]) -> Parsed<Name> {
        let kind = self.kind(kinds)?;
        self.sign("::")?;
        Ok(Name::new(kind, self.quoted()?))
    }

    fn rights(&mut self) -> Parsed<Option<Vec<Right>>> {
        if self.take_sign("==") {
            return Ok(Some(vec![self.right()?]));
        }
        if !self.take_word("in") {
            return Ok(None);
        }
        if !self.take_sign("[") {
            return Ok(Some(vec![self.right()?]));
        }
        let mut rights = vec![self.right()?];
        while self.take_sign(",") {
            rights.push(self.right()?);
        }
        self.sign("]")?;
        Ok(Some(rights))
    }

    fn right(&mut self) -> Parsed<Right> {
        self.word("Action")?;
        self.sign("::")?;
        let right = match self.peek() {
            Some(Token::Text(text)) => Right::from_name(text),
            _ => None,
        };
        let expected = "\"read\", \"subscribe\", \"write\", \"invoke\", \"describe\" or \"call\"";
        let Some(right) = right else { return self.wrong(expected) };
        self.next += 1;
        Ok(right)
    }

    fn condition(&mut self) -> Parsed<Condition> {
        let holds = if self.take_word("when") {
            true
        } else if self.take_word("unless") {
            false
        } else {
            return self.wrong("when, unless or ;");
        };
        self.sign("{")?;
        let begin = self.place();
        let expression = self.either()?;
        let text = self.text.get(begin..self.place()).unwrap_or_default().trim().to_owned();
        self.sign("}")?;
        Ok(Condition { holds, expression, text })
    }

    fn either(&mut self) -> Parsed<Expression> {
        if self.depth == POLICY_DEPTH_MAX {
            return Err(BadPolicy::Bounds);
        }
        self.depth += 1;
        let mut parts = vec![self.both()?];
        while self.take_sign("||") {
            parts.push(self.both()?);
        }
        self.depth -= 1;
        Ok(single(parts, Expression::Some))
    }

    fn both(&mut self) -> Parsed<Expression> {
        let mut parts = vec![self.comparison()?];
        while self.take_sign("&&") {
            parts.push(self.comparison()?);
        }
        Ok(single(parts, Expression::All))
    }

    fn comparison(&mut self) -> Parsed<Expression> {
        let mut negated = false;
        while self.take_sign("!") {
            negated = !negated;
        }
        let begin = self.next;
        let expression = match self.operand()? {
            Operand::Bool(expression) => expression,
            // In Cedar `!` binds closer than a comparison, and only what is true or not has one.
            _ if negated => {
                self.next = begin;
                return self.wrong("a bracket after !");
            }
            Operand::Number(left) => self.numbers(left)?,
            Operand::Text(left) => self.texts(left)?,
            Operand::Who(who) => self.named(who)?,
        };
        Ok(if negated { Expression::Not(Box::new(expression)) } else { expression })
    }

    fn numbers(&mut self, left: Number) -> Parsed<Expression> {
        let Some(comparison) = self.compared() else {
            return self.wrong("a comparison, such as <");
        };
        match self.operand()? {
            Operand::Number(right) => Ok(Expression::Numbers(left, comparison, right)),
            _ => self.wrong("a comparison of two numbers"),
        }
    }

    fn texts(&mut self, left: Text) -> Parsed<Expression> {
        let equal = match self.compared() {
            Some(Comparison::Equal) => true,
            Some(Comparison::NotEqual) => false,
            _ => return self.wrong("== or !="),
        };
        match self.operand()? {
            Operand::Text(right) => Ok(Expression::Texts(left, equal, right)),
            _ => self.wrong("a comparison of two texts"),
        }
    }

    fn named(&mut self, who: Who) -> Parsed<Expression> {
        let kinds: &[Kind] = match who {
            Who::Principal => &[Kind::Entity],
            Who::Resource => RESOURCES,
        };
        if self.take_sign("!=") {
            let scope = Scope::Equal(self.name(kinds)?);
            return Ok(Expression::Not(Box::new(Expression::Named(who, scope))));
        }
        match self.scope(kinds)? {
            Scope::Any => self.wrong("==, !=, in or is"),
            scope => Ok(Expression::Named(who, scope)),
        }
    }

    fn compared(&mut self) -> Option<Comparison> {
        let Some(Token::Sign(sign)) = self.peek() else { return None };
        let comparison = match *sign {
            "==" => Comparison::Equal,
            "!=" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::AtMost,
            ">" => Comparison::More,
            ">=" => Comparison::AtLeast,
            _ => return None,
        };
        self.next += 1;
        Some(comparison)
    }

    fn operand(&mut self) -> Parsed<Operand> {
        if self.take_sign("(") {
            let inner = self.either()?;
            self.sign(")")?;
            return Ok(Operand::Bool(inner));
        }
        match self.peek() {
            Some(Token::Number(number)) => {
                let number = *number;
                self.next += 1;
                Ok(Operand::Number(Number::Literal(number)))
            }
            Some(Token::Text(_)) => Ok(Operand::Text(Text::Literal(self.quoted()?))),
            Some(Token::Word(_)) => self.variable(),
            _ => self.wrong("true, false, a number, a text, context, principal or resource"),
        }
    }

    fn variable(&mut self) -> Parsed<Operand> {
        let place = self.next;
        match self.any_word("a word")?.as_str() {
            "true" => Ok(Operand::Bool(Expression::Constant(true))),
            "false" => Ok(Operand::Bool(Expression::Constant(false))),
            "context" => self.circumstance(),
            "resource" => Ok(Operand::Who(Who::Resource)),
            "principal" if self.take_sign(".") => {
                self.word("kind")?;
                Ok(Operand::Text(Text::PrincipalKind))
            }
            "principal" => Ok(Operand::Who(Who::Principal)),
            _ => {
                self.next = place;
                self.wrong("true, false, a number, a text, context, principal or resource")
            }
        }
    }

    fn circumstance(&mut self) -> Parsed<Operand> {
        self.sign(".")?;
        let place = self.next;
        match self.any_word("purpose, height, time_ms or used")?.as_str() {
            "purpose" => Ok(Operand::Text(Text::Purpose)),
            "height" => Ok(Operand::Number(Number::Height)),
            "time_ms" => Ok(Operand::Number(Number::TimeMs)),
            "used" => Ok(Operand::Number(Number::Used)),
            _ => {
                self.next = place;
                self.wrong("purpose, height, time_ms or used")
            }
        }
    }
}

/// What a resource can be.
const RESOURCES: &[Kind] =
    &[Kind::Owner, Kind::Thing, Kind::Property, Kind::ThingAction, Kind::Service, Kind::Contract];

/// One part stands for itself.
fn single(mut parts: Vec<Expression>, several: fn(Vec<Expression>) -> Expression) -> Expression {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => several(parts.into_iter().chain(last).collect()),
    }
}

#[cfg(test)]
mod tests;
