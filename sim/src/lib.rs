//! Run whole networks of peers from one seed.
