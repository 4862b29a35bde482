use std::{collections::VecDeque, time::Duration};

use bytes::BytesMut;
use reqwest::Response;

use crate::{
    Error,
    model::{Cursor, EventRecord},
};

/// Longest event read, bytes.
const EVENT_BYTES_MAX: usize = 64 * 1024;

/// Events as they happen (Server-Sent Events).
///
/// When it ends with an error, ask again with [`cursor`](Self::cursor) as `after` to go on without
/// missing one.
#[derive(Debug)]
pub struct Events {
    answer: Response,
    url: String,
    parser: Parser,
    ready: VecDeque<EventRecord>,
    cursor: Option<Cursor>,
    silence_max: Duration,
}

impl Events {
    pub(crate) fn new(answer: Response, after: Option<Cursor>, silence_max: Duration) -> Self {
        let url = answer.url().to_string();
        let (parser, ready) = (Parser::default(), VecDeque::new());
        Self { answer, url, parser, ready, cursor: after, silence_max }
    }

    /// The last event returned, or where the stream began.
    #[must_use]
    pub const fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// The next event; `None` when the peer has ended the stream.
    ///
    /// # Errors
    /// [`Error`] if the connection broke or was silent for too long.
    pub async fn next(&mut self) -> Result<Option<EventRecord>, Error> {
        loop {
            if let Some(record) = self.ready.pop_front() {
                self.cursor = Some(record.cursor);
                return Ok(Some(record));
            }
            let Some(chunk) = self.chunk().await? else { return Ok(None) };
            for data in self.parser.push(&chunk).map_err(|what| self.wrong(what))? {
                let record = serde_json::from_str(&data);
                self.ready.push_back(record.map_err(|error| self.wrong(&error.to_string()))?);
            }
        }
    }

    async fn chunk(&mut self) -> Result<Option<bytes::Bytes>, Error> {
        match tokio::time::timeout(self.silence_max, self.answer.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(source)) => Err(Error::Request { url: self.url.clone(), source }),
            Err(_) => Err(Error::Timeout { url: self.url.clone(), after: self.silence_max }),
        }
    }

    fn wrong(&self, what: &str) -> Error {
        Error::Form { url: self.url.clone(), what: what.to_owned() }
    }
}

/// Cuts a byte stream into the data of its events (WHATWG HTML §9.2.6). Ids and names are not
/// needed: the data repeats them.
#[derive(Debug, Default)]
struct Parser {
    line: BytesMut,
    data: String,
}

impl Parser {
    fn push(&mut self, chunk: &[u8]) -> Result<Vec<String>, &'static str> {
        let mut events = Vec::new();
        for byte in chunk {
            match byte {
                b'\n' => {
                    let line = self.line.split();
                    let line = line.strip_suffix(b"\r").unwrap_or(&line);
                    let line = std::str::from_utf8(line).map_err(|_| "an event is not UTF-8")?;
                    events.extend(self.end_of_line(line));
                }
                byte => self.line.extend_from_slice(&[*byte]),
            }
            if self.line.len() + self.data.len() > EVENT_BYTES_MAX {
                return Err("an event is too long");
            }
        }
        Ok(events)
    }

    /// An event ends with an empty line.
    fn end_of_line(&mut self, line: &str) -> Option<String> {
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            return (!data.is_empty()).then_some(data);
        }
        if let Some(data) = line.strip_prefix("data:") {
            if !self.data.is_empty() {
                self.data.push('\n');
            }
            self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_cut_wherever_the_chunks_are() {
        let text =
            b": hello\n\nid: 1-0-0\nevent: bound\ndata: {\"a\":\ndata: 1}\n\ndata:x\r\n\r\n\n";
        let expected = vec!["{\"a\":\n1}".to_owned(), "x".to_owned()];
        for size in 1..text.len() {
            let mut parser = Parser::default();
            let found: Vec<String> =
                text.chunks(size).flat_map(|chunk| parser.push(chunk).unwrap()).collect();
            assert_eq!(found, expected, "chunks of {size}");
        }
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut parser = Parser::default();
        let chunk = [b'x'; 1024];
        assert!((0..100).any(|_| parser.push(&chunk).is_err()));
        assert!(Parser::default().push(b"data: \xff\n").is_err());
    }
}
