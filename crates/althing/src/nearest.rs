//! Find the name that somebody probably meant.

pub(crate) use althing_client::nearest::nearest;
