//! What contracts and the ledger tell each other, in the JSON of CosmWasm.
//!
//! Contracts pay for the bytes they read, so the bytes must be the same everywhere. Objects are
//! written with their keys in the order of the alphabet, which is what `serde_json` makes of them
//! whether or not another crate of the same build has it keep the order of insertion.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

/// Bytes, base64 in JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Binary(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Binary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

/// The answer of an entry point.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer<T> {
    Ok(T),
    /// In words that reach no receipt.
    Error(String),
}

/// What a contract wants done after a call.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Response {
    #[serde(default)]
    pub(super) messages: Vec<SubMessage>,
    #[serde(default)]
    pub(super) attributes: Vec<Attribute>,
    #[serde(default)]
    pub(super) events: Vec<Told>,
    #[serde(default)]
    pub(super) data: Option<Binary>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Attribute {
    pub(super) key: String,
    pub(super) value: String,
}

/// An event as a contract tells it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Told {
    #[serde(rename = "type")]
    pub(super) name: String,
    #[serde(default)]
    pub(super) attributes: Vec<Attribute>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReplyOn {
    Always,
    Error,
    Success,
    Never,
}

#[derive(Debug, Deserialize)]
pub(super) struct SubMessage {
    #[serde(default)]
    pub(super) id: u64,
    #[serde(default)]
    pub(super) payload: Binary,
    /// Looked at only when its turn comes.
    pub(super) msg: Value,
    #[serde(default)]
    pub(super) gas_limit: Option<u64>,
    pub(super) reply_on: ReplyOn,
}

/// What came of a message, for whoever sent it.
pub(super) fn reply(
    message: &SubMessage,
    gas_used: u64,
    outcome: &Result<(Option<Vec<u8>>, Vec<Value>), u16>,
) -> Vec<u8> {
    let result = match outcome {
        Ok((data, events)) => json!({ "ok": {
            "data": data.as_ref().map(|data| STANDARD.encode(data)),
            "events": events,
            "msg_responses": [],
        }}),
        // A number as in receipts: a text would have to be the same on every peer for ever.
        Err(code) => json!({ "error": format!("codespace: althing, code: {code}") }),
    };
    let reply = json!({
        "gas_used": gas_used,
        "id": message.id,
        "payload": STANDARD.encode(&message.payload.0),
        "result": result,
    });
    reply.to_string().into_bytes()
}

/// Data of a called contract as the protobuf message that libraries of contracts expect: for a new
/// contract its address in field 1 and the data in field 2, otherwise the data in field 1.
pub(super) fn wrapped(address: Option<&str>, data: Option<Vec<u8>>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut field = |number: u8, bytes: &[u8]| {
        out.push(number << 3 | 2);
        let mut length = bytes.len();
        while length >= 0x80 {
            out.push(length as u8 | 0x80);
            length >>= 7;
        }
        out.push(length as u8);
        out.extend_from_slice(bytes);
    };
    match (address, data) {
        (Some(address), data) => {
            field(1, address.as_bytes());
            if let Some(data) = data.filter(|data| !data.is_empty()) {
                field(2, &data);
            }
        }
        (None, Some(data)) => field(1, &data),
        (None, None) => return None,
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_wrapped_as_libraries_expect() {
        assert_eq!(wrapped(None, None), None);
        assert_eq!(wrapped(None, Some(b"ab".to_vec())), Some(b"\x0a\x02ab".to_vec()));
        assert_eq!(wrapped(Some("x"), None), Some(b"\x0a\x01x".to_vec()));
        assert_eq!(wrapped(Some("x"), Some(b"y".to_vec())), Some(b"\x0a\x01x\x12\x01y".to_vec()));
        let long = wrapped(None, Some(vec![7; 300]));
        assert_eq!(long.as_deref().map(|bytes| &bytes[..3]), Some(b"\x0a\xac\x02".as_slice()));
    }
}
