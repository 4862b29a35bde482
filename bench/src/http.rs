//! The least that a reader needs of HTTP, so that the load costs less than what it loads.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

use anyhow::{Context as _, Result, ensure};

/// Longest answer read, bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A connection that stays open.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    line: String,
    body: Vec<u8>,
}

impl Connection {
    /// Connects to a port of this machine.
    pub(crate) fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        let stream = BufReader::with_capacity(64 * 1024, stream);
        Ok(Self { stream, line: String::new(), body: Vec::new() })
    }

    /// Asks for a path; the answer must be good.
    pub(crate) fn get(&mut self, path: &str) -> Result<&[u8]> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: althing\r\n\r\n");
        self.stream.get_mut().write_all(request.as_bytes())?;
        let status = self.read_line()?.to_owned();
        let mut length = None;
        loop {
            let line = self.read_line()?;
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse::<usize>().ok();
            }
        }
        let length = length.context("an answer of unknown length")?;
        ensure!(length <= ANSWER_BYTES_MAX, "an answer of {length} bytes");
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body)?;
        let text = || String::from_utf8_lossy(&self.body).into_owned();
        ensure!(status.starts_with("HTTP/1.1 200"), "{path}: {status}: {}", text());
        Ok(&self.body)
    }

    fn read_line(&mut self) -> Result<&str> {
        self.line.clear();
        ensure!(self.stream.read_line(&mut self.line)? > 0, "the peer closed the connection");
        Ok(self.line.trim_end())
    }
}
