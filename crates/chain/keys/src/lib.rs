//! Keys: ECDSA with lax DER, Schnorr, ellswift, BIP32, message signing.
