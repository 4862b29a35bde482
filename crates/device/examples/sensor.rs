//! A device on the host: signs one reading, and writes the pack to standard output or posts it by
//! CoAP.
//!
//! ```text
//! sensor SECRET ENTITY LEDGER STREAM PROPERTY SCALE SEQ MANTISSA [ADDRESS PATH]
//! ```
//! The first four are 64 hex digits each. With an address, the pack goes there in a CoAP request.
#![allow(clippy::unwrap_used, reason = "an example ends by panicking")]

use std::io::Write as _;
use std::net::UdpSocket;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use althing_device::{Device, Outbox, PACK_BYTES_MAX, Reading, Stream, Value};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [secret, entity, ledger, stream, name, scale, seq, mantissa, to @ ..] = &arguments[..]
    else {
        eprintln!("sensor SECRET ENTITY LEDGER STREAM PROPERTY SCALE SEQ MANTISSA [ADDRESS PATH]");
        std::process::exit(2);
    };
    let device = Device::new(hex(secret), hex(entity), hex(ledger));
    let stream = Stream { id: hex(stream), name, scale: scale.parse().unwrap() };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let readings = [Reading { after_ms: 0, value: Value::Number(mantissa.parse().unwrap()) }];
    // A device would take the state from its flash, and write it there before the pack leaves.
    let mut outbox: Outbox<PACK_BYTES_MAX> = Outbox::new(seq.parse().unwrap(), None);
    let pack = outbox.push(&device, &stream, i64::try_from(now).ok(), &readings).unwrap();
    match to {
        [address, path] => post(address, path, pack),
        _ => std::io::stdout().write_all(pack).unwrap(),
    }
}

/// A confirmable CoAP POST, sent until it is answered.
fn post(address: &str, path: &str, pack: &[u8]) {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let mut message = vec![0x40, 0x02, 0x12, 0x34];
    for (index, level) in path.split('/').enumerate() {
        // Option 11, then the same again. Longer levels would need another form.
        let delta = if index == 0 { 0xb0 } else { 0 };
        message.push(delta | u8::try_from(level.len()).ok().filter(|len| *len <= 12).unwrap());
        message.extend_from_slice(level.as_bytes());
    }
    message.push(0xff);
    message.extend_from_slice(pack);
    let mut answer = [0; 1280];
    for _ in 0..4 {
        socket.send(&message).unwrap();
        if let Ok(len) = socket.recv(&mut answer)
            && len >= 4
        {
            println!("{}.{:02}", answer[1] >> 5, answer[1] & 0x1f);
            return;
        }
    }
    eprintln!("no answer from {address}");
    std::process::exit(1);
}

fn hex(text: &str) -> [u8; 32] {
    let digits = text.as_bytes().chunks(2);
    let bytes: Vec<u8> = digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    bytes.try_into().unwrap()
}
