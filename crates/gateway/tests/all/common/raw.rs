//! A client that sends bytes as they are given, and sees bytes as they come.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;

/// Protocol levels.
pub(crate) const V3: u8 = 4;
pub(crate) const V5: u8 = 5;

/// A connection.
pub(crate) struct Raw {
    stream: TcpStream,
    level: u8,
}

/// What a CONNECT says beside the level.
#[derive(Clone, Copy)]
pub(crate) struct Hello<'h> {
    pub(crate) id: &'h str,
    pub(crate) is_clean: bool,
    pub(crate) keep_alive_s: u16,
    /// Of MQTT 5.
    pub(crate) properties: &'h [u8],
    /// Topic, payload, quality, retain, properties of MQTT 5.
    pub(crate) will: Option<(&'h str, &'h str, u8, bool, &'h [u8])>,
    pub(crate) user: Option<(&'h str, &'h str)>,
}

impl<'h> Hello<'h> {
    pub(crate) const fn new(id: &'h str) -> Self {
        Self { id, is_clean: true, keep_alive_s: 60, properties: &[], will: None, user: None }
    }
}

pub(crate) fn string(text: &str) -> Vec<u8> {
    [&u16::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat()
}

/// A packet of this first byte; bodies of tests are short.
pub(crate) fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let len = body.len();
    let (low, high) = (u8::try_from(len % 128).unwrap(), u8::try_from(len / 128).unwrap());
    let len = if high == 0 { vec![low] } else { vec![low | 0x80, high] };
    [&[first][..], &len, body].concat()
}

fn properties(level: u8, properties: &[u8]) -> Vec<u8> {
    match level {
        V5 => [&[u8::try_from(properties.len()).unwrap()], properties].concat(),
        _ => Vec::new(),
    }
}

fn connect(level: u8, hello: Hello<'_>) -> Vec<u8> {
    let mut flags = u8::from(hello.is_clean) << 1;
    let mut body = string("MQTT");
    let mut payload = string(hello.id);
    if let Some((topic, text, qos, retain, own)) = hello.will {
        flags |= 0x04 | qos << 3 | u8::from(retain) << 5;
        payload.extend(properties(level, own));
        payload.extend(string(topic));
        payload.extend(string(text));
    }
    if let Some((user, password)) = hello.user {
        flags |= 0xc0;
        payload.extend(string(user));
        payload.extend(string(password));
    }
    body.extend([level, flags]);
    body.extend(hello.keep_alive_s.to_be_bytes());
    body.extend(properties(level, hello.properties));
    packet(0x10, &[body, payload].concat())
}

impl Raw {
    /// Connects; the CONNACK comes along.
    pub(crate) async fn enter(address: SocketAddr, level: u8, hello: Hello<'_>) -> (Self, Vec<u8>) {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut raw = Self { stream, level };
        raw.send(&connect(level, hello)).await;
        let connack = raw.read().await.expect("a CONNACK");
        (raw, connack)
    }

    /// Connects, and is let in.
    pub(crate) async fn connect(address: SocketAddr, level: u8, hello: Hello<'_>) -> Self {
        let (raw, connack) = Self::enter(address, level, hello).await;
        assert_eq!((connack[0], connack[3]), (0x20, 0), "{connack:02x?}");
        raw
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next packet; none if the gateway closed.
    pub(crate) async fn read(&mut self) -> Option<Vec<u8>> {
        let read = async {
            let first = self.stream.read_u8().await.ok()?;
            let (mut len, mut bytes) = (0, vec![first]);
            for index in 0.. {
                let byte = self.stream.read_u8().await.ok()?;
                bytes.push(byte);
                len |= usize::from(byte & 0x7f) << (7 * index);
                if byte & 0x80 == 0 {
                    break;
                }
            }
            let head = bytes.len();
            bytes.resize(head + len, 0);
            self.stream.read_exact(&mut bytes[head..]).await.ok()?;
            Some(bytes)
        };
        timeout(PATIENCE, read).await.expect("nothing came")
    }

    /// The next packet is this one.
    pub(crate) async fn expect(&mut self, what: &str, expected: &[u8]) {
        let read = self.read().await;
        let read = read.unwrap_or_else(|| panic!("{what}: closed"));
        assert_eq!(read, expected, "{what}: {read:02x?} and not {expected:02x?}");
    }

    /// Nothing else was sent to the client before the answer to a ping.
    pub(crate) async fn expect_nothing(&mut self, what: &str) {
        self.send(&packet(0xc0, &[])).await;
        self.expect(what, &packet(0xd0, &[])).await;
    }

    /// Subscribes; the codes of the SUBACK.
    pub(crate) async fn subscribe(&mut self, filter: &str, options: u8, own: &[u8]) -> Vec<u8> {
        let body =
            [&[0, 9][..], &properties(self.level, own), &string(filter), &[options]].concat();
        self.send(&packet(0x82, &body)).await;
        let suback = self.read().await.expect("a SUBACK");
        assert_eq!(&suback[..4], [0x90, suback[1], 0, 9], "{suback:02x?}");
        suback[if self.level == V5 { 5 } else { 4 }..].to_vec()
    }

    /// Publishes, and waits until a message of QoS 1 or 2 is acknowledged.
    pub(crate) async fn publish(&mut self, topic: &str, text: &str, flags: u8, own: &[u8]) {
        self.send(&publish(self.level, topic, text, flags, 7, own)).await;
        match flags >> 1 & 3 {
            1 => self.expect("puback", &packet(0x40, &[0, 7])).await,
            2 => {
                self.expect("pubrec", &packet(0x50, &[0, 7])).await;
                self.send(&packet(0x62, &[0, 7])).await;
                self.expect("pubcomp", &packet(0x70, &[0, 7])).await;
            }
            _ => {}
        }
    }

    /// Goes without a word.
    pub(crate) fn break_off(self) {
        drop(self);
    }

    /// Says goodbye; the gateway closes.
    pub(crate) async fn goodbye(mut self) {
        self.send(&packet(0xe0, &[])).await;
        assert_eq!(self.read().await, None);
    }
}

/// A PUBLISH with these flags (duplicate, quality, retain).
pub(crate) fn publish(
    level: u8,
    topic: &str,
    text: &str,
    flags: u8,
    id: u16,
    own: &[u8],
) -> Vec<u8> {
    let id = if flags & 6 == 0 { Vec::new() } else { id.to_be_bytes().to_vec() };
    let body = [string(topic), id, properties(level, own), text.as_bytes().to_vec()].concat();
    packet(0x30 | flags, &body)
}
