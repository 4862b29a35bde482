//! Where a webhook may go. Whoever makes one chooses whom this peer calls, from inside its network: so
//! nothing that only that network can reach is called, unless the operator allows it.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use reqwest::Url;

/// Longest URL, bytes.
pub(crate) const URL_BYTES_MAX: usize = 1024;
/// How long a name may take to be resolved.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a URL is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Forbidden {
    #[error("it is no URL of at most {URL_BYTES_MAX} bytes")]
    Form,
    #[error("it is neither http nor https")]
    Scheme,
    #[error("a user name or password is part of it")]
    Credentials,
    #[error("it leads to an address that is not public, and this peer does not allow that")]
    Private,
    #[error("its name has no address")]
    Unresolved,
}

/// Reads a URL that may be called as far as its text tells. Every spelling of an IPv4 address that
/// browsers take (decimal, octal, hexadecimal, short) is one address here too.
pub(crate) fn read(text: &str, private: bool) -> Result<Url, Forbidden> {
    if text.len() > URL_BYTES_MAX {
        return Err(Forbidden::Form);
    }
    let url = Url::parse(text).map_err(|_| Forbidden::Form)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Forbidden::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Forbidden::Credentials);
    }
    match literal(&url) {
        Some(address) if !private && !is_public(address) => Err(Forbidden::Private),
        _ => Ok(url),
    }
}

/// The addresses that a URL leads to now, all of which may be called. The caller connects to these and
/// looks up nothing again: a name may resolve to something else a moment later.
pub(crate) async fn resolve(url: &Url, private: bool) -> Result<Vec<SocketAddr>, Forbidden> {
    let port = url.port_or_known_default().ok_or(Forbidden::Form)?;
    let found: Vec<SocketAddr> = match literal(url) {
        Some(address) => vec![SocketAddr::new(address, port)],
        None => {
            let host = url.host_str().ok_or(Forbidden::Form)?.to_owned();
            let looked_up = tokio::net::lookup_host((host, port));
            let found = tokio::time::timeout(RESOLVE_TIMEOUT, looked_up).await;
            found.ok().and_then(Result::ok).ok_or(Forbidden::Unresolved)?.collect()
        }
    };
    if found.is_empty() {
        return Err(Forbidden::Unresolved);
    }
    // One that is not public among them is reason enough for doubt.
    if !private && found.iter().any(|address| !is_public(address.ip())) {
        return Err(Forbidden::Private);
    }
    Ok(found)
}

/// The address, if the host is one and no name.
fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether an address is one of the public Internet: none of the special ones of the IANA registries
/// (RFC 6890), and none that carries such a one inside.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = matches!(
        (a, b, c),
        (0 | 10 | 127, ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224..=255, ..)
    );
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let inside = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // IPv4 in other dress: mapped, translated (RFC 6052), 6to4 (RFC 3056).
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            inside(high, low)
        }
        [0x2002, high, low, ..] => inside(high, low),
        // Protocol assignments, Teredo among them; documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x3fff, ..] => false,
        // All that is assigned to the public Internet.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Threat 32: a peer that calls for strangers must not reach what only its network can.
    #[test]
    fn no_spelling_of_an_inner_address_is_called() {
        for text in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://127.0.0.1:4464/v1/transactions",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://017700000001/",
            "http://127.0.0.1./",
            "http://0/",
            "http://0.0.0.0/",
            "http://10.0.0.1/",
            "http://10.255.255.255/",
            "http://100.64.0.1/",
            "http://169.254.169.254/latest/meta-data/",
            "http://0xa9fea9fe/",
            "http://2852039166/",
            "http://0251.0376.0251.0376/",
            "http://172.16.0.1/",
            "http://172.31.255.255/",
            "http://192.0.0.1/",
            "http://192.0.2.1/",
            "http://192.88.99.1/",
            "http://192.168.0.1/",
            "http://198.18.0.1/",
            "http://198.51.100.1/",
            "http://203.0.113.1/",
            "http://224.0.0.1/",
            "http://240.0.0.1/",
            "http://255.255.255.255/",
            "http://[::]/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[::ffff:169.254.169.254]/",
            "http://[::127.0.0.1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[64:ff9b:1::1]/",
            "http://[2002:7f00:1::]/",
            "http://[2002:a00:1::1]/",
            "http://[2001::1]/",
            "http://[2001:db8::1]/",
            "http://[3fff::1]/",
            "http://[100::1]/",
            "http://[fc00::1]/",
            "http://[fd00:ec2::254]/",
            "http://[fe80::1]/",
            "http://[fec0::1]/",
            "http://[ff02::1]/",
            "http://\u{ff11}\u{ff12}\u{ff17}.0.0.1/",
            "http://\u{2460}\u{2461}\u{2466}.0.0.1/",
        ] {
            let found = read(text, false);
            assert!(found.is_err(), "{text}: {found:?}");
        }
    }

    #[test]
    fn other_schemes_credentials_and_lengths_are_refused_whatever_is_allowed() {
        let long = format!("http://example.org/{}", "x".repeat(URL_BYTES_MAX));
        for (text, expected) in [
            ("file:///etc/passwd", Forbidden::Scheme),
            ("gopher://8.8.8.8/", Forbidden::Scheme),
            ("ftp://8.8.8.8/", Forbidden::Scheme),
            ("http://user@example.org/", Forbidden::Credentials),
            ("http://:secret@example.org/", Forbidden::Credentials),
            ("http://8.8.8.8@127.0.0.1/", Forbidden::Credentials),
            ("example.org", Forbidden::Form),
            ("http://", Forbidden::Form),
            ("", Forbidden::Form),
            (long.as_str(), Forbidden::Form),
        ] {
            assert_eq!(read(text, true).unwrap_err(), expected, "{text}");
            assert!(read(text, false).is_err());
        }
    }

    #[test]
    fn public_addresses_are_called_and_inner_ones_where_it_is_allowed() {
        for text in [
            "http://8.8.8.8/",
            "https://1.1.1.1:8443/hook?a=b",
            "http://172.32.0.1/",
            "http://100.128.0.1/",
            "http://[2606:4700:4700::1111]/",
            "http://[::ffff:8.8.8.8]/",
            "http://[64:ff9b::808:808]/",
            "http://[2002:808:808::1]/",
            "http://example.org/",
        ] {
            assert!(read(text, false).is_ok(), "{text}");
        }
        assert!(read("http://127.0.0.1:8080/", true).is_ok());
        assert!(read("http://[fd00::1]/", true).is_ok());
    }

    /// A name is judged by what it resolves to, at the moment of the call.
    #[tokio::test]
    async fn a_name_of_an_inner_address_is_refused_when_it_is_resolved() {
        let url = read("http://localhost:9/", false).unwrap();
        assert_eq!(resolve(&url, false).await, Err(Forbidden::Private));
        let allowed = resolve(&url, true).await.unwrap();
        assert!(allowed.iter().all(|address| address.port() == 9 && address.ip().is_loopback()));
        let nowhere = read("http://nowhere.invalid/", false).unwrap();
        assert_eq!(resolve(&nowhere, false).await, Err(Forbidden::Unresolved));
        let literal = read("http://8.8.8.8/", false).unwrap();
        assert_eq!(resolve(&literal, false).await, Ok(vec!["8.8.8.8:80".parse().unwrap()]));
    }
}
