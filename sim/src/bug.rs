use althing_peer::Planted;

/// A bug of the kind that such software has had, for the simulator to show that it finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// In all peers.
    Peers(Planted),
    /// Gateways acknowledge what is on its way to disk.
    AcknowledgeEarly,
    /// Gateways take a flush for one of what came while it ran, too.
    AcknowledgeAhead,
    /// The relay between two ledgers has the keys of all validators of the one that is asked.
    KeysStolen,
}

impl Bug {
    pub(crate) const fn of_peers(self) -> Option<Planted> {
        match self {
            Self::Peers(planted) => Some(planted),
            Self::AcknowledgeEarly | Self::AcknowledgeAhead | Self::KeysStolen => None,
        }
    }
}
