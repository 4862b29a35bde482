//! Name the nouns of the ledger and encode them in one canonical way.
