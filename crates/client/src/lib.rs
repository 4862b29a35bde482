//! Call the HTTP interface, keep keys, sign.
