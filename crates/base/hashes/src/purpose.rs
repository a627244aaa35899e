//! One function or hasher for each purpose. The table of purposes is `docs/hashes.md`; the tests of this
//! module hold each line of it against known values.

use bitcoin_hashes::{Hash as _, HashEngine, hash160, hmac, ripemd160, sha1, sha256, sha512};

use crate::types::{BlockHash, FilterHash, FilterHeader, Hash160, Hash256, MerkleRoot, Txid, Wtxid};

fn sha256_once(data: &[u8]) -> [u8; 32] {
    sha256::Hash::hash(data).to_byte_array()
}

fn sha256_twice(parts: &[&[u8]]) -> [u8; 32] {
    let mut engine = sha256::HashEngine::new();
    parts.iter().for_each(|p| engine.input(p));
    sha256_once(&sha256::Hash::from_engine(engine).to_byte_array())
}

/// A SHA-256 that is fed in pieces and taken once. The purposes below wrap it.
#[derive(Clone, Debug)]
pub struct Sha256Writer(sha256::HashEngine);

impl Default for Sha256Writer {
    fn default() -> Self {
        Self::new()
    }
}

impl Sha256Writer {
    /// Starts empty.
    pub fn new() -> Self {
        Sha256Writer(sha256::HashEngine::new())
    }
    /// Adds bytes.
    pub fn write(&mut self, data: &[u8]) -> &mut Self {
        self.0.input(data);
        self
    }
    /// The digest.
    pub fn finish(self) -> [u8; 32] {
        sha256::Hash::from_engine(self.0).to_byte_array()
    }
}

// --- Groestl ---

/// Block hash and proof of work of an 80-byte header: Groestl-512 twice, 32 bytes.
pub fn block_hash(header: &[u8; 80]) -> BlockHash {
    BlockHash::from_bytes(grs_groestl::hash_header(header))
}

/// Block hashes of many headers at once. Both slices must have one length.
pub fn block_hashes(headers: &[[u8; 80]], out: &mut [[u8; 32]]) {
    grs_groestl::hash_headers(headers, out);
}

/// Checksum of a version 1 P2P message's payload: Groestl-512 twice, 4 bytes.
pub fn wire_checksum(payload: &[u8]) -> [u8; 4] {
    let h = grs_groestl::groestl512d_256(payload);
    [h[0], h[1], h[2], h[3]]
}

/// What `OP_HASH256` pushes: Groestl-512 twice, 32 bytes.
pub fn op_hash256(data: &[u8]) -> [u8; 32] {
    grs_groestl::groestl512d_256(data)
}

/// Hash of a serialized public key whose first 16 bytes are the initialization vector of an encrypted wallet
/// key (reference: `CPubKey::GetHash`): Groestl-512 twice, 32 bytes.
pub fn public_key_hash(public_key: &[u8]) -> Hash256 {
    Hash256::from_bytes(grs_groestl::groestl512d_256(public_key))
}

// --- SHA-256 once ---

/// Hasher of transaction ids (serialization without witnesses): SHA-256 once.
#[derive(Clone, Debug, Default)]
pub struct TxidHasher(Sha256Writer);

impl TxidHasher {
    /// Starts empty.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds bytes of the serialization without witnesses.
    pub fn write(&mut self, data: &[u8]) {
        self.0.write(data);
    }
    /// The transaction id.
    pub fn finish(self) -> Txid {
        Txid::from_bytes(self.0.finish())
    }
}

/// Transaction id of a serialization without witnesses: SHA-256 once.
pub fn txid(serialized: &[u8]) -> Txid {
    Txid::from_bytes(sha256_once(serialized))
}

/// Witness transaction id of a full serialization: SHA-256 once.
pub fn wtxid(serialized: &[u8]) -> Wtxid {
    Wtxid::from_bytes(sha256_once(serialized))
}

/// Signature hash, legacy and BIP143, over the assembled preimage: SHA-256 once.
pub fn signature_hash(preimage: &[u8]) -> Hash256 {
    Hash256::from_bytes(sha256_once(preimage))
}

/// BIP143's and BIP341's hashes of prevouts, sequences, outputs, amounts and scripts: SHA-256 once.
pub fn signature_part_hash(data: &[u8]) -> [u8; 32] {
    sha256_once(data)
}

/// Hash of a signed message with its prefix ("GroestlCoin Signed Message:\n"): SHA-256 once.
/// `message` is the text alone.
pub fn signed_message_hash(message: &[u8]) -> Hash256 {
    const MAGIC: &[u8] = b"GroestlCoin Signed Message:\n";
    let mut data = Vec::with_capacity(MAGIC.len() + message.len() + 10);
    grs_encoding::write_var_bytes(&mut data, MAGIC);
    grs_encoding::write_var_bytes(&mut data, message);
    Hash256::from_bytes(sha256_once(&data))
}

/// Checksum of an undo record in `rev*.dat`, over previous block hash and undo data: SHA-256 once.
pub fn undo_checksum(previous_block: &BlockHash, undo: &[u8]) -> [u8; 32] {
    let mut w = Sha256Writer::new();
    w.write(previous_block.as_bytes()).write(undo);
    w.finish()
}

/// Checksum at the end of `peers.dat` and `anchors.dat`: SHA-256 once.
pub fn address_file_checksum(data: &[u8]) -> [u8; 32] {
    sha256_once(data)
}

/// The number that selects buckets of the address manager (reference: `HashWriter::GetCheapHash`): first
/// eight bytes of SHA-256 once.
pub fn address_bucket_hash(data: &[u8]) -> u64 {
    Hash256::from_bytes(sha256_once(data)).low_u64()
}

/// Version of an ASMap file: SHA-256 once.
pub fn asmap_version(data: &[u8]) -> Hash256 {
    Hash256::from_bytes(sha256_once(data))
}

/// Hasher of `hash_serialized_3`, the hash over the serialized UTXO set: SHA-256 once.
#[derive(Clone, Debug, Default)]
pub struct UtxoSetHasher(Sha256Writer);

impl UtxoSetHasher {
    /// Starts empty.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds a serialized coin.
    pub fn write(&mut self, data: &[u8]) {
        self.0.write(data);
    }
    /// The hash.
    pub fn finish(self) -> Hash256 {
        Hash256::from_bytes(self.0.finish())
    }
}

/// First four bytes are a signet's message start; over the challenge with its compact size: SHA-256 once.
pub fn signet_magic(challenge: &[u8]) -> [u8; 4] {
    let mut data = Vec::with_capacity(challenge.len() + 5);
    grs_encoding::write_var_bytes(&mut data, challenge);
    let h = sha256_once(&data);
    [h[0], h[1], h[2], h[3]]
}

/// Checksum of a wallet dump file: SHA-256 once.
pub fn wallet_dump_checksum(data: &[u8]) -> Hash256 {
    Hash256::from_bytes(sha256_once(data))
}

/// SipHash key of a compact block's short ids, over header and nonce: SHA-256 once (BIP152).
pub fn compact_block_key(header_and_nonce: &[u8]) -> [u8; 32] {
    sha256_once(header_and_nonce)
}

/// `OP_SHA256`, and the witness program of a version 0 script.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    sha256_once(data)
}

// --- SHA-256 twice ---

/// Inner node of a Merkle tree (transactions, witnesses, signet, partial trees): SHA-256 twice.
pub fn merkle_node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    sha256_twice(&[left, right])
}

/// Witness commitment over the witness root and the reserved value: SHA-256 twice.
pub fn witness_commitment(witness_root: &MerkleRoot, reserved: &[u8; 32]) -> [u8; 32] {
    sha256_twice(&[witness_root.as_bytes(), reserved])
}

/// Hash of a BIP158 filter: SHA-256 twice.
pub fn filter_hash(filter: &[u8]) -> FilterHash {
    FilterHash::from_bytes(sha256_twice(&[filter]))
}

/// BIP157 filter header: SHA-256 twice.
pub fn filter_header(filter: &FilterHash, previous: &FilterHeader) -> FilterHeader {
    FilterHeader::from_bytes(sha256_twice(&[filter.as_bytes(), previous.as_bytes()]))
}

/// Checksum inside wallet key records (`key`, `walletdescriptorkey`): SHA-256 twice.
pub fn wallet_key_checksum(data: &[u8]) -> [u8; 32] {
    sha256_twice(&[data])
}

// --- As in Bitcoin ---

/// RIPEMD-160 of SHA-256: key and script hashes, `OP_HASH160`.
pub fn hash160(data: &[u8]) -> Hash160 {
    Hash160::from_bytes(hash160::Hash::hash(data).to_byte_array())
}

/// `OP_RIPEMD160`.
pub fn ripemd160(data: &[u8]) -> [u8; 20] {
    ripemd160::Hash::hash(data).to_byte_array()
}

/// `OP_SHA1`.
pub fn sha1(data: &[u8]) -> [u8; 20] {
    sha1::Hash::hash(data).to_byte_array()
}

/// Hasher with a BIP340 tag already absorbed.
pub fn tagged_hasher(tag: &str) -> Sha256Writer {
    let tag = sha256_once(tag.as_bytes());
    let mut w = Sha256Writer::new();
    w.write(&tag).write(&tag);
    w
}

/// SHA-512 (wallet passphrases).
pub fn sha512(data: &[u8]) -> [u8; 64] {
    sha512::Hash::hash(data).to_byte_array()
}

/// HMAC-SHA512 (BIP32).
pub fn hmac_sha512(key: &[u8], data: &[u8]) -> [u8; 64] {
    let mut engine = hmac::HmacEngine::<sha512::HashEngine>::new(key);
    engine.input(data);
    *engine.finalize().as_byte_array()
}

/// HMAC-SHA256 (rpcauth).
pub fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut engine = hmac::HmacEngine::<sha256::HashEngine>::new(key);
    engine.input(data);
    *engine.finalize().as_byte_array()
}
