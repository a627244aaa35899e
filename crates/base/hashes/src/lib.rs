//! One hasher per purpose, hash newtypes, SipHash, MuHash.
