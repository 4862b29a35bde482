//! Carry the dashboard's files and serve them beside the interface.
//!
//! ```text
//!   request -> a file of dashboard/dist?      -> the file, cached by its name or its tag
//!           -> a page that a browser asks for -> index.html, which shows what the address names
//!           -> anything else                  -> the interface, as if the dashboard were not there
//! ```
//!
//! The files are those that `npm run build` wrote to `dashboard/dist`; they are part of the program, each
//! large one a second time as gzip, which is what browsers are sent. This
//! crate knows no peer: what the pages show they ask of the interface, like every client. Browsers
//! are told to run no script and to reach no address but this peer's own.
//!
//! Start reading at [`serve`].

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::Response,
};

/// A file of the dashboard.
#[derive(Debug)]
struct File {
    /// Path of its URL.
    path: &'static str,
    /// Its entity tag, quotes included: weak, for it stands for both forms of the file.
    tag: &'static str,
    bytes: &'static [u8],
    /// The same as gzip, if that is worth it.
    gzip: Option<&'static [u8]>,
}

/// The files, as the build found them.
const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The page that every address of the dashboard begins with.
const INDEX: &str = "/index.html";
/// Files below have a digest of their content in their name: they never change.
const IMMUTABLE: &str = "/assets/";
/// What the interface answers, whatever the client accepts.
const INTERFACE: &[&str] = &["/v1", "/metrics", "/openapi.json"];

/// Scripts and styles from this peer only, none inline; nothing else from anywhere; requests to this
/// peer only; no frame around it; no text that becomes markup (trusted types).
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'",
);

/// Headers of all files.
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// Serves the dashboard beside an interface, whose paths stay what they are.
pub fn serve(interface: Router) -> Router {
    interface.layer(middleware::from_fn(answer))
}

async fn answer(request: Request, next: Next) -> Response {
    match file_for(request.method(), request.uri().path(), request.headers()) {
        Some(file) => respond(file, request.method(), request.headers()),
        None => next.run(request).await,
    }
}

/// The file that answers a request, if one does.
fn file_for(method: &Method, path: &str, headers: &HeaderMap) -> Option<&'static File> {
    if method != Method::GET && method != Method::HEAD {
        return None;
    }
    let named = FILES.iter().find(|file| file.path == path);
    named.or_else(|| {
        // A program that asks for `/` gets what it always got; a browser asks for a page.
        let is_page = !is_interface(path) && !path.starts_with(IMMUTABLE) && wants_page(headers);
        is_page.then(|| FILES.iter().find(|file| file.path == INDEX)).flatten()
    })
}

fn is_interface(path: &str) -> bool {
    INTERFACE.iter().any(|prefix| {
        path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

fn wants_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter();
    accepted.filter_map(|value| value.to_str().ok()).any(|value| value.contains("text/html"))
}

fn respond(file: &'static File, method: &Method, headers: &HeaderMap) -> Response {
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    let is_known = known
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.split(',').any(|tag| opaque(tag) == opaque(file.tag)));
    let gzip = file.gzip.filter(|_| takes_gzip(headers));
    let bytes = gzip.unwrap_or(file.bytes);
    let body = match method {
        _ if is_known => Body::empty(),
        &Method::HEAD => Body::empty(),
        _ => Body::from(bytes),
    };
    let mut response = Response::new(body);
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let told = response.headers_mut();
    told.extend(HEADERS);
    told.insert(header::ETAG, HeaderValue::from_static(file.tag));
    told.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching(file.path)));
    told.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(file.path)));
    if file.gzip.is_some() {
        told.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if gzip.is_some() && !is_known {
        told.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if method == Method::HEAD && !is_known {
        told.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    }
    response
}

/// A tag without the mark that says it is weak.
fn opaque(tag: &str) -> &str {
    tag.trim().trim_start_matches("W/")
}

/// Whether a client takes gzip: it names it, and not with the quality zero (RFC 9110, 12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter();
    accepted.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        name.trim().eq_ignore_ascii_case("gzip") && weight.parse::<f32>().is_ok_and(|q| q > 0.0)
    })
}

fn caching(path: &str) -> &'static str {
    if path.starts_with(IMMUTABLE) { "public, max-age=31536000, immutable" } else { "no-cache" }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
