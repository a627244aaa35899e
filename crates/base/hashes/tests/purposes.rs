//! Each line of the table of purposes (`docs/hashes.md`) against known values: which hash serves which use is what
//! tells this coin from Bitcoin.
//!
//! Values come from `sha256("abc")` and its like, and from recorded data of real networks and of the reference.

#![allow(clippy::unwrap_used)]

use grs_hashes::purpose::*;
use grs_hashes::*;
use grs_testkit::{hex, hex_bytes, json_file, json_lines, report, text};

/// SHA-256 of "abc", once and twice.
const ABC_ONCE: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const ABC_TWICE: &str = "4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358";
/// Groestl-512 twice over "abc", first half.
const ABC_GROESTL: &str = "453d26f15b76bd4a4b2c3d21f8271404e2ffd9aad994f4d36a376d40a757af09";
/// 32 bytes of 1 and 32 bytes of 2, SHA-256 once and twice.
const PAIR_ONCE: &str = "f818afd37a6dc3bc92fb44731011277006db4efa6e9023cd7468c02335d22a4d";
const PAIR_TWICE: &str = "39ce20bede82c96b8908bec4a157b09c549b3db90b9b474bda9ae9b9030310b4";

fn array(text: &str) -> [u8; 32] {
    hex_bytes(text).try_into().unwrap()
}

// --- Groestl ---

#[test]
fn groestl_purposes() {
    let expected = array(ABC_GROESTL);
    assert_eq!(op_hash256(b"abc"), expected);
    assert_eq!(public_key_hash(b"abc").to_bytes(), expected);
    assert_eq!(wire_checksum(b"abc"), expected[..4]);
    assert_eq!(wire_checksum(b""), [0xfd, 0xfb, 0x14, 0xd3]);
    // The empty payload with its checksum, as Base58.
    let text = grs_encoding::base58check_encode(b"");
    assert_eq!(grs_encoding::base58_decode(&text, 4).unwrap(), [0xfd, 0xfb, 0x14, 0xd3]);
}

#[test]
fn groestl_vectors() {
    let Some(file) = json_file("real/groestl_double_truncated.json") else { return };
    let rows = file["vectors"].as_array().unwrap();
    for row in rows {
        let message = hex(row, "msg");
        assert_eq!(op_hash256(&message).to_vec(), hex(row, "groestl_hash256"));
        assert_eq!(wire_checksum(&message).to_vec(), hex(row, "checksum4"));
        if let Ok(header) = <[u8; 80]>::try_from(message.as_slice()) {
            assert_eq!(block_hash(&header).to_string(), text(row, "as_uint256_hex"));
        }
    }
    report("real/groestl_double_truncated", rows.len());
}

#[test]
fn block_hash_vectors() {
    let mut count = 0;
    for name in ["real/headers_main.json", "real/headers_test.json", "real/headers_misc.json"] {
        let Some(file) = json_file(name) else { return };
        let rows = file["headers"].as_array().unwrap();
        let headers: Vec<[u8; 80]> = rows.iter().map(|r| hex(r, "header").try_into().unwrap()).collect();
        let mut hashes = vec![[0; 32]; headers.len()];
        block_hashes(&headers, &mut hashes);
        for ((row, header), hash) in rows.iter().zip(&headers).zip(&hashes) {
            assert_eq!(BlockHash::from_bytes(*hash).to_string(), text(row, "hash"));
            if count % 16 == 0 {
                assert_eq!(block_hash(header).to_bytes(), *hash);
            }
            count += 1;
        }
    }
    report("real/headers", count);
}

#[test]
fn wire_checksum_vectors() {
    let Some(file) = json_file("derived/p2p_v1_messages.json") else { return };
    let rows = file["messages"].as_array().unwrap();
    for row in rows {
        assert_eq!(wire_checksum(&hex(row, "payload")).to_vec(), hex(row, "message")[20..24]);
    }
    report("derived/p2p_v1_messages", rows.len());
}

// --- SHA-256 once ---

#[test]
fn single_sha256_purposes() {
    let once = array(ABC_ONCE);
    assert_eq!(txid(b"abc").to_bytes(), once);
    assert_eq!(wtxid(b"abc").to_bytes(), once);
    let mut hasher = TxidHasher::new();
    hasher.write(b"a");
    hasher.write(b"bc");
    assert_eq!(hasher.finish().to_bytes(), once);
    assert_eq!(signature_hash(b"abc").to_bytes(), once);
    assert_eq!(signature_part_hash(b"abc"), once);
    assert_eq!(address_file_checksum(b"abc"), once);
    assert_eq!(address_bucket_hash(b"abc"), u64::from_le_bytes(once[..8].try_into().unwrap()));
    assert_eq!(asmap_version(b"abc").to_bytes(), once);
    assert_eq!(wallet_dump_checksum(b"abc").to_bytes(), once);
    assert_eq!(compact_block_key(b"abc"), once);
    assert_eq!(sha256(b"abc"), once);
    let mut hasher = UtxoSetHasher::new();
    hasher.write(b"ab");
    hasher.write(b"c");
    assert_eq!(hasher.finish().to_bytes(), once);
    assert_eq!(undo_checksum(&BlockHash::from_bytes([1; 32]), &[2; 32]), array(PAIR_ONCE));
}

#[test]
fn signet_magic_of_the_default_challenge() {
    let challenge = "51210379156a07950b904a74e0d276e6d96bb61c4e0f89c9f69d3a5f75f161c9f8684051ae";
    assert_eq!(signet_magic(&hex_bytes(challenge)), [0x6f, 0x89, 0x2b, 0x8f]);
}

#[test]
fn signed_message_vectors() {
    let Some(file) = json_file("real/message_signatures.json") else { return };
    let rows = file["reference"].as_array().unwrap();
    for row in rows {
        let hash = signed_message_hash(text(row, "message").as_bytes());
        // Printed in memory order.
        assert_eq!(hash.as_bytes().to_vec(), hex(row, "message_hash"));
    }
    report("real/message_signatures", rows.len());
}

#[test]
fn undo_checksum_vectors() {
    let Some(cases) = json_lines("oracle/compressed_scripts_coins_undo.jsonl.gz") else { return };
    let mut count = 0;
    for case in cases.iter().filter(|c| c["kind"] == "block_undo") {
        let prev: BlockHash = text(case, "prev_block_hash").parse().unwrap();
        let checksum = undo_checksum(&prev, &hex(case, "hex"));
        // The file prints this hash in memory order.
        assert_eq!(grs_encoding::hex_encode(checksum), text(case, "checksum"));
        count += 1;
    }
    report("oracle/compressed_scripts_coins_undo: undo checksums", count);
}

// --- SHA-256 twice ---

#[test]
fn double_sha256_purposes() {
    let pair = array(PAIR_TWICE);
    assert_eq!(merkle_node(&[1; 32], &[2; 32]), pair);
    assert_eq!(witness_commitment(&MerkleRoot::from_bytes([1; 32]), &[2; 32]), pair);
    let header = filter_header(&FilterHash::from_bytes([1; 32]), &FilterHeader::from_bytes([2; 32]));
    assert_eq!(header.to_bytes(), pair);
    assert_eq!(filter_hash(b"abc").to_bytes(), array(ABC_TWICE));
    assert_eq!(wallet_key_checksum(b"abc"), array(ABC_TWICE));
}

#[test]
fn filter_header_vectors() {
    let Some(file) = json_file("reference_regtest/rpc_results.json") else { return };
    let rows = file["blockfilters"].as_array().unwrap();
    let (mut count, mut previous) = (0, (-1, FilterHeader::ZERO));
    for row in rows {
        let (height, header) = (row["height"].as_i64().unwrap(), text(row, "header"));
        // Only consecutive rows can be linked.
        if height == previous.0 + 1 {
            let found = filter_header(&filter_hash(&hex(row, "filter")), &previous.1);
            assert_eq!(found.to_string(), header, "height {height}");
            count += 1;
        }
        previous = (height, header.parse().unwrap());
    }
    report("reference_regtest/rpc_results: filter headers", count);
}

// --- As in Bitcoin ---

#[test]
fn unchanged_purposes() {
    assert_eq!(hash160(b"abc").to_string(), "bb1be98c142444d7a56aa3981c3942a978e4dc33");
    assert_eq!(hex_bytes("8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"), ripemd160(b"abc"));
    assert_eq!(hex_bytes("a9993e364706816aba3e25717850c26c9cd0d89d"), sha1(b"abc"));
    let mut tagged = tagged_hasher("TapLeaf");
    tagged.write(b"abc");
    assert_eq!(tagged.finish(), array("83a56308a9c56f467e8df293da5ae5fdbc85b871952a83c4bf0575ee948ec230"));
    // An element is hashed once into the product, and so is the result.
    let mut product = MuHash3072::new();
    product.insert(b"abc").remove(b"abc");
    assert_eq!(
        product.finalize().to_string(),
        "dd5ad2a105c2d29495f577245c357409002329b9f4d6182c0af3dc2f462555c8",
    );
    // SipHash-2-4 of the bytes 0 to 7 under the key 0 to 15.
    let mut sip = SipHasher24::new(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
    sip.write(&[0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(sip.finish(), 0x93f5_f579_9a93_2462);
}

#[test]
fn signature_hash_parts_vectors() {
    let Some(cases) = json_lines("oracle/sighash_bip143.jsonl.gz") else { return };
    let mut count = 0;
    for case in &cases {
        // Version, inputs without segwit flag: enough to find the outpoints of a transaction without witnesses.
        let tx = hex(case, "tx");
        let mut reader = grs_encoding::Reader::new(&tx);
        reader.u32_le().unwrap();
        let inputs = reader.compact_size().unwrap();
        if inputs == 0 {
            continue;
        }
        let (mut outpoints, mut sequences) = (Vec::new(), Vec::new());
        for _ in 0..inputs {
            outpoints.extend_from_slice(reader.bytes(36).unwrap());
            reader.var_bytes().unwrap();
            sequences.extend_from_slice(reader.bytes(4).unwrap());
        }
        assert_eq!(signature_part_hash(&outpoints).to_vec(), hex(case, "hash_prevouts"));
        assert_eq!(signature_part_hash(&sequences).to_vec(), hex(case, "hash_sequence"));
        count += 1;
    }
    report("oracle/sighash_bip143: inner hashes", count);
}
