//! Flags of a wallet. Those above bit 31 must be known to open it. Reference: `WalletFlags`.

/// Coins on addresses that were spent from are kept apart.
pub const AVOID_REUSE: u64 = 1 << 0;
/// Key metadata has origins.
pub const KEY_ORIGIN_METADATA: u64 = 1 << 1;
/// Descriptor caches hold the key at the last hardened step.
pub const LAST_HARDENED_XPUB_CACHED: u64 = 1 << 2;
/// No secret keys.
pub const DISABLE_PRIVATE_KEYS: u64 = 1 << 32;
/// Made without descriptors.
pub const BLANK_WALLET: u64 = 1 << 33;
/// Made of descriptors. All wallets are.
pub const DESCRIPTORS: u64 = 1 << 34;
/// Another program signs.
pub const EXTERNAL_SIGNER: u64 = 1 << 35;

/// Flags that are known.
pub const KNOWN: u64 = AVOID_REUSE
    | KEY_ORIGIN_METADATA
    | LAST_HARDENED_XPUB_CACHED
    | DISABLE_PRIVATE_KEYS
    | BLANK_WALLET
    | DESCRIPTORS
    | EXTERNAL_SIGNER;

/// Flags that the user may change.
pub const MUTABLE: u64 = AVOID_REUSE;

/// Names in RPC results, by flag.
pub const NAMES: [(u64, &str); 7] = [
    (AVOID_REUSE, "avoid_reuse"),
    (BLANK_WALLET, "blank"),
    (KEY_ORIGIN_METADATA, "key_origin_metadata"),
    (LAST_HARDENED_XPUB_CACHED, "last_hardened_xpub_cached"),
    (DISABLE_PRIVATE_KEYS, "disable_private_keys"),
    (DESCRIPTORS, "descriptor_wallet"),
    (EXTERNAL_SIGNER, "external_signer"),
];
