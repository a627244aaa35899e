//! Slice reader and writer with bounded allocation, compact size, hex, Base58Check, bech32, base64.
