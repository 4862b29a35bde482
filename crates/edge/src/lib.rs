//! Run the gateway as a machine: map, buffer, batch, sign, retry.
