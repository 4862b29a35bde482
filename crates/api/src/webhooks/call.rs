//! One call of a webhook: signed, to an address that was looked at, without following anything.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use althing_client::{
    Signer,
    model::{DidText, EventRecord},
};
use althing_types::Suite;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Client, header, redirect};
use sha2::{Digest as _, Sha256};

use super::guard;

/// How long a call may take, from connecting to the head of the answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// What is signed of a request (RFC 9421), in order.
const COVERED: &str =
    r#"("@method" "@target-uri" "content-digest" "althing-webhook" "althing-cursor")"#;

/// Calls in the name of a peer.
pub(super) struct Caller {
    did: DidText,
    signer: Arc<Signer>,
    private: bool,
}

impl Caller {
    pub(super) const fn new(did: DidText, signer: Arc<Signer>, private: bool) -> Self {
        Self { did, signer, private }
    }

    /// Posts an event; the answer must be a 2xx. The same event may be posted twice, under the same
    /// cursor: an answer may be lost.
    pub(super) async fn call(
        &self,
        url: &str,
        id: &str,
        record: &EventRecord,
    ) -> Result<(), String> {
        let url = guard::read(url, self.private).map_err(|why| why.to_string())?;
        let addresses = guard::resolve(&url, self.private).await.map_err(|why| why.to_string())?;
        let host = url.host_str().unwrap_or_default();
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(CALL_TIMEOUT)
            .pool_max_idle_per_host(0)
            .resolve_to_addrs(host, &addresses)
            .build()
            .map_err(|_| "no client could be made".to_owned())?;
        let body = serde_json::to_vec(record).map_err(|_| "no event".to_owned())?;
        let (digest, cursor) = (content_digest(&body), record.cursor.to_string());
        let parameters = self.parameters();
        let signature = self.signature(url.as_str(), &digest, id, &cursor, &parameters);
        let request = client
            .post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header("content-digest", digest)
            .header("althing-webhook", id)
            .header("althing-cursor", cursor)
            .header("signature-input", format!("althing={parameters}"))
            .header("signature", format!("althing=:{signature}:"))
            .body(body);
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(format!("answered {}", answer.status().as_u16())),
            Err(error) if error.is_timeout() => Err("gave no answer in time".to_owned()),
            Err(_) => Err("could not be reached".to_owned()),
        }
    }

    fn parameters(&self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let algorithm = match self.signer.key.suite() {
            Suite::Ed25519 => "ed25519",
            Suite::P256 => "ecdsa-p256-sha256",
        };
        format!("{COVERED};created={now};keyid=\"{}\";alg=\"{algorithm}\"", self.did)
    }

    fn signature(
        &self,
        url: &str,
        digest: &str,
        id: &str,
        cursor: &str,
        parameters: &str,
    ) -> String {
        let base = format!(
            "\"@method\": POST\n\"@target-uri\": {url}\n\"content-digest\": {digest}\n\
             \"althing-webhook\": {id}\n\"althing-cursor\": {cursor}\n\
             \"@signature-params\": {parameters}"
        );
        STANDARD.encode(self.signer.key.sign(base.as_bytes()).0)
    }
}

/// The digest of a body (RFC 9530).
fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)))
}
