use axum::{Router, body::to_bytes, routing::get};
use tower::ServiceExt as _;

use super::*;

/// What a browser says it accepts when a person follows a link.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn router() -> Router {
    let interface = Router::new()
        .route("/", get(|| async { "interface" }))
        .route("/v1/status", get(|| async { "interface" }))
        .fallback(|| async { (StatusCode::NOT_FOUND, "interface") });
    serve(interface)
}

async fn ask(method: &str, path: &str, headers: &[(&str, &str)]) -> (Response, String) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    let response = router().oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.expect("a body");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (Response::from_parts(parts, Body::empty()), text)
}

fn told(response: &Response, name: &str) -> String {
    response.headers().get(name).map_or("", |value| value.to_str().expect("text")).to_owned()
}

#[tokio::test]
async fn browsers_get_pages_and_programs_the_interface() {
    let table = [
        ("/", BROWSER, "page"),
        ("/things/did:althing:demo:x", BROWSER, "page"),
        ("/no/such/page", BROWSER, "page"),
        ("/v1x", BROWSER, "page"),
        ("/", "*/*", "interface"),
        ("/", "application/json", "interface"),
        ("/v1/status", BROWSER, "interface"),
        ("/v1/unknown", BROWSER, "interface"),
        ("/v1", BROWSER, "interface"),
        ("/metrics", BROWSER, "interface"),
        ("/openapi.json", BROWSER, "interface"),
        ("/assets/gone-12345678.js", BROWSER, "interface"),
        ("/things", "application/json", "interface"),
    ];
    for (path, accept, expected) in table {
        let (_, body) = ask("GET", path, &[("accept", accept)]).await;
        let found = if body.contains("<div id=\"app\">") { "page" } else { body.as_str() };
        assert_eq!(found, expected, "{path} for {accept}");
    }
    let (response, _) = ask("POST", "/", &[("accept", BROWSER)]).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn every_file_has_its_type_and_the_policy() {
    assert!(FILES.iter().any(|file| file.path == INDEX));
    for file in FILES {
        let (response, body) = ask("GET", file.path, &[]).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(body.len(), String::from_utf8_lossy(file.bytes).len(), "{}", file.path);
        assert_ne!(told(&response, "content-type"), "application/octet-stream", "{}", file.path);
        assert_eq!(told(&response, "x-content-type-options"), "nosniff");
        let policy = told(&response, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"));
        assert!(!policy.contains("unsafe"));
    }
}

#[tokio::test]
async fn what_is_known_is_not_sent_again() {
    for file in FILES {
        let immutable = told(&ask("GET", file.path, &[]).await.0, "cache-control");
        assert_eq!(immutable.contains("immutable"), file.path.starts_with("/assets/"));
        let strong = format!("{}, \"other\"", file.tag.trim_start_matches("W/"));
        for known in [file.tag, strong.as_str()] {
            let (response, body) = ask("GET", file.path, &[("if-none-match", known)]).await;
            assert_eq!((response.status(), body.len()), (StatusCode::NOT_MODIFIED, 0));
        }
        let (response, body) = ask("HEAD", file.path, &[("if-none-match", "\"old\"")]).await;
        assert_eq!((response.status(), body.len()), (StatusCode::OK, 0));
        assert_eq!(told(&response, "content-length"), file.bytes.len().to_string());
    }
}

/// Scripts, styles and pictures come as gzip to who takes it, and as they are to who does not.
#[tokio::test]
async fn what_is_large_comes_compressed_to_who_takes_it() {
    let table = [
        ("gzip", true),
        ("br, GZIP;q=0.5", true),
        ("deflate, gzip ; q=1", true),
        ("gzip;q=0", false),
        ("gzip;q=none", false),
        ("x-gzip, br", false),
        ("", false),
    ];
    for file in FILES {
        assert_eq!(file.gzip.is_some(), file.path.starts_with(IMMUTABLE), "{}", file.path);
        for (accepted, takes) in table {
            let (response, _) = ask("HEAD", file.path, &[("accept-encoding", accepted)]).await;
            let gzip = file.gzip.filter(|_| takes);
            assert_eq!(told(&response, "content-encoding") == "gzip", gzip.is_some());
            let sent = gzip.unwrap_or(file.bytes).len().to_string();
            assert_eq!(told(&response, "content-length"), sent, "{} for {accepted}", file.path);
            assert_eq!(told(&response, "vary") == "accept-encoding", file.gzip.is_some());
        }
        if let Some(gzip) = file.gzip {
            assert!(gzip.starts_with(&[0x1f, 0x8b]) && gzip.len() < file.bytes.len());
            // The last four bytes say how long it is unpacked: it is not another build's.
            let length = u32::try_from(file.bytes.len()).expect("a small file").to_le_bytes();
            assert!(gzip.ends_with(&length), "{}", file.path);
        }
    }
}

/// The page may name no script, style or address that the policy would refuse.
#[test]
fn the_page_has_nothing_inline() {
    let index = FILES.iter().find(|file| file.path == INDEX).expect("a page");
    let text = String::from_utf8_lossy(index.bytes);
    assert!(!text.contains("<style") && !text.contains(" style=") && !text.contains(" onload="));
    for script in text.split("<script").skip(1) {
        assert!(script.split('>').next().is_some_and(|tag| tag.contains(" src=\"/assets/")));
    }
}
