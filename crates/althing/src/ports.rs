//! Find ports that are free.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use crate::report::failed;

/// Ports of the loopback interface, held until their owners are about to bind them, so that no two
/// of them get the same.
#[derive(Debug, Default)]
pub(crate) struct Reservations(Vec<TcpListener>);

impl Reservations {
    /// Takes the preferred port, or any other if that is in use.
    pub(crate) fn prefer(&mut self, port: u16) -> anyhow::Result<SocketAddr> {
        self.bind(port).or_else(|_| self.bind(0)).map_err(|error| {
            failed(format!("no port of 127.0.0.1 is free: {error}"), "end other programs")
        })
    }

    /// Takes the port that somebody asked for by `flag`, or says that it is in use.
    pub(crate) fn insist(&mut self, port: u16, flag: &str) -> anyhow::Result<SocketAddr> {
        self.bind(port).map_err(|error| {
            failed(
                format!("port {port} of 127.0.0.1 cannot be used: {error}"),
                format!("give another one with {flag}, or leave it away to have a free one chosen"),
            )
        })
    }

    /// Gives all of them up, for their owners to bind.
    pub(crate) fn release(self) {}

    fn bind(&mut self, port: u16) -> std::io::Result<SocketAddr> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        self.0.push(listener);
        Ok(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_replaced_or_refused() {
        let mut reservations = Reservations::default();
        let first = reservations.prefer(0).unwrap();
        let second = reservations.prefer(first.port()).unwrap();
        assert_ne!(first.port(), second.port());
        let error = reservations.insist(first.port(), "--mqtt-port").unwrap_err().to_string();
        assert!(error.contains(&format!("port {} of 127.0.0.1", first.port())), "{error}");
    }
}
