//! Run one BoT peer: admit, agree, execute, store, answer.
