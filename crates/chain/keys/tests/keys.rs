//! Keys against known values of other implementations and of the reference.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use grs_encoding::{base58check_decode, base64_decode, hex_encode};
use grs_keys::fuzz::{fuzz_der_signature, fuzz_keys};
use grs_keys::{
    COMPRESSED_SIZE, EllSwift, ExtendedPublicKey, ExtendedSecretKey, HARDENED, KeyError, NUMS_H, PublicKey,
    SecretKey, TapTweak, check_low_s, musig2_aggregate, musig2_aggregate_signature, musig2_nonce,
    musig2_partial_sign, musig2_synthetic_xpub, recover_message, sign_message, verify_ecdsa, verify_message,
};
use grs_testkit::{hex, hex_bytes, json_file, json_lines, report, run_fuzz, text};
use proptest::prelude::*;

fn key(i: u8) -> SecretKey {
    SecretKey::from_slice(&[i; 32], true).unwrap()
}

#[test]
fn message_signature_vectors() {
    let Some(file) = json_file("real/message_signatures.json") else { return };
    let mut ran = 0;
    for case in ["independent", "reference"].iter().flat_map(|k| file[k].as_array().unwrap()) {
        let message = text(case, "message").as_bytes();
        let signature = base64_decode(text(case, "signature_base64")).unwrap();
        let address = base58check_decode(text(case, "address"), 21).unwrap();
        let id = grs_hashes::Hash160::from_slice(&address[1..]).unwrap();
        assert!(verify_message(&id, message, &signature), "{case}");
        assert!(!verify_message(&id, b"another message", &signature));
        if let Some(secret) = case["privkey_hex"].as_str() {
            let compressed = recover_message(message, &signature).unwrap().is_compressed();
            let key = SecretKey::from_slice(&hex_bytes(secret), compressed).unwrap();
            assert_eq!(sign_message(&key, message).to_vec(), signature, "{case}");
            let hash = grs_hashes::purpose::signed_message_hash(message);
            let shown = text(case, "message_hash");
            assert!(shown == hash.to_string() || shown == hex_encode(hash.as_bytes()));
        }
        ran += 1;
    }
    report("real/message_signatures", ran);
}

#[test]
fn wif_vectors() {
    let Some(file) = json_file("real/wif.json") else { return };
    let keys = file["keys"].as_array().unwrap();
    for case in keys {
        let payload = base58check_decode(text(case, "wif"), 34).unwrap();
        let prefix = case["version_byte"].as_u64().unwrap() as u8;
        let key = SecretKey::from_wif_payload(&payload, prefix).unwrap();
        assert_eq!(key.secret_bytes().to_vec(), hex(case, "privkey"));
        assert_eq!(key.is_compressed(), case["compressed"].as_bool().unwrap());
        assert_eq!(key.public_key().to_string(), text(case, "pubkey"));
        assert_eq!(*key.to_wif_payload(prefix), payload);
        assert_eq!(SecretKey::from_wif_payload(&payload, prefix ^ 1), Err(KeyError::Encoding));
    }
    report("real/wif", keys.len());
}

#[test]
fn extended_key_vectors() {
    let Some(file) = json_file("real/hd_keys.json") else { return };
    let mut ran = 0;
    let keys = file["extended_keys"].as_array().unwrap();
    let payload = |text: &str| -> ([u8; 4], [u8; 74]) {
        let bytes = base58check_decode(text, 78).unwrap();
        (bytes[..4].try_into().unwrap(), bytes[4..].try_into().unwrap())
    };
    for case in keys {
        let (version, body) = payload(text(case, "key"));
        assert_eq!(hex_encode(version), text(case, "version"));
        let fields = if version == [0x04, 0x88, 0xb2, 0x1e] || version == [0x04, 0x35, 0x87, 0xcf] {
            let k = ExtendedPublicKey::decode(&body).unwrap();
            assert_eq!(k.encode(), body);
            assert_eq!(k.public_key.to_string(), text(case, "key_data"));
            (k.depth, k.parent_fingerprint, k.child, k.chain_code)
        } else {
            let k = ExtendedSecretKey::decode(&body).unwrap();
            assert_eq!(*k.encode(), body);
            assert_eq!(format!("00{}", hex_encode(k.secret_key.secret_bytes())), text(case, "key_data"));
            (k.depth, k.parent_fingerprint, k.child, k.chain_code)
        };
        assert_eq!(u64::from(fields.0), case["depth"].as_u64().unwrap());
        assert_eq!(hex_encode(fields.1), text(case, "parent_fingerprint"));
        assert_eq!(u64::from(fields.2), case["child_number"].as_u64().unwrap());
        assert_eq!(hex_encode(fields.3), text(case, "chain_code"));
        ran += 1;
    }
    for case in file["mnemonic_keys"].as_array().unwrap() {
        let seed = mnemonic_seed(text(case, "mnemonic"));
        let derived = derive(&ExtendedSecretKey::from_seed(&seed).unwrap(), text(case, "path"));
        assert_eq!(*derived.encode(), payload(text(case, "xprv")).1);
        assert_eq!(derived.neuter().encode(), payload(text(case, "xpub")).1);
        ran += 1;
    }
    for case in file["mnemonic_addresses"].as_array().unwrap() {
        let seed = mnemonic_seed(text(case, "mnemonic"));
        let derived = derive(&ExtendedSecretKey::from_seed(&seed).unwrap(), text(case, "path"));
        assert_eq!(derived.secret_key.public_key().to_string(), text(case, "pubkey"));
        assert_eq!(hex_encode(derived.secret_key.secret_bytes()), text(case, "privkey"));
        ran += 1;
    }
    report("real/hd_keys", ran);
}

/// BIP39 with an empty passphrase: PBKDF2 with HMAC-SHA512, one block.
fn mnemonic_seed(mnemonic: &str) -> [u8; 64] {
    use grs_hashes::purpose::hmac_sha512;
    let mut u = hmac_sha512(mnemonic.as_bytes(), b"mnemonic\0\0\0\x01");
    let mut out = u;
    for _ in 1..2048 {
        u = hmac_sha512(mnemonic.as_bytes(), &u);
        out.iter_mut().zip(u).for_each(|(o, b)| *o ^= b);
    }
    out
}

fn derive(master: &ExtendedSecretKey, path: &str) -> ExtendedSecretKey {
    path.split('/').skip(1).fold(master.clone(), |k, step| {
        let (n, hardened) = step.strip_suffix(['\'', 'h']).map_or((step, 0), |n| (n, HARDENED));
        let child = n.parse::<u32>().unwrap() | hardened;
        let next = k.derive(child).unwrap();
        assert_eq!(next.parent_fingerprint, k.fingerprint());
        if hardened == 0 {
            assert_eq!(k.neuter().derive(child).unwrap(), next.neuter());
        } else {
            assert_eq!(k.neuter().derive(child), Err(KeyError::Derivation));
        }
        next
    })
}

/// The reference's own texts of extended keys and WIF for five networks.
#[test]
fn reference_key_text_vectors() {
    let Some(lines) = json_lines("oracle/addresses.jsonl") else { return };
    let mut ran = 0;
    for case in &lines {
        match text(case, "kind") {
            "wif" if case["key"].is_string() => {
                let payload = base58check_decode(text(case, "wif"), 34).unwrap();
                let key = SecretKey::from_wif_payload(&payload, payload[0]).unwrap();
                assert_eq!(hex_encode(key.secret_bytes()), text(case, "key"));
                assert_eq!(key.is_compressed(), case["compressed"].as_bool().unwrap());
            }
            "ext" if case["xprv"].is_string() && case["xpub"].is_string() => {
                let private = base58check_decode(text(case, "xprv"), 78).unwrap();
                let public = base58check_decode(text(case, "xpub"), 78).unwrap();
                let k = ExtendedSecretKey::decode(private[4..].try_into().unwrap()).unwrap();
                assert_eq!(k.neuter().encode()[..], public[4..]);
                assert_eq!(u64::from(k.child), case["child"].as_u64().unwrap());
            }
            _ => continue,
        }
        ran += 1;
    }
    report("oracle/addresses (keys)", ran);
}

/// BIP340's first vectors (the BIP's own file).
#[test]
fn schnorr_known_values() {
    let mut secret = [0; 32];
    secret[31] = 3;
    let key = SecretKey::from_slice(&secret, true).unwrap();
    assert_eq!(
        key.public_key().x_only().to_string(),
        "f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
    );
    let signature = key.sign_schnorr(&[0; 32], TapTweak::None, &[0; 32]).unwrap();
    assert_eq!(
        hex_encode(signature),
        "e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca8215\
         25f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0"
    );
    assert!(key.public_key().x_only().verify_schnorr(&[0; 32], &signature));
    assert!(!key.public_key().x_only().verify_schnorr(&[1; 32], &signature));
    // Tweaked signatures belong to the tweaked key.
    for (tweak, root) in [(TapTweak::KeyOnly, None), (TapTweak::MerkleRoot(&[4; 32]), Some(&[4; 32]))] {
        let signature = key.sign_schnorr(&[9; 32], tweak, &[1; 32]).unwrap();
        let (output_key, odd) = key.public_key().x_only().tap_tweak(root).unwrap();
        assert!(output_key.verify_schnorr(&[9; 32], &signature));
        assert!(!key.public_key().x_only().verify_schnorr(&[9; 32], &signature));
        if let Some(root) = root {
            assert!(output_key.check_tap_tweak(&key.public_key().x_only(), root, odd));
        }
    }
    assert!(NUMS_H.is_fully_valid());
}

#[test]
fn lax_der_and_low_s() {
    let (k, hash) = (key(5), [8; 32]);
    let public = k.public_key();
    let der = k.sign(&hash, true);
    assert!(der.len() <= 70 && public.verify(&hash, &der) && check_low_s(&der));
    assert!(!public.verify(&[0; 32], &der));
    let (r, s) = (der[4..4 + usize::from(der[3])].to_vec(), der[6 + usize::from(der[3])..].to_vec());
    // Padded numbers, long length descriptors, wrong total length, garbage behind: all parse.
    let padded = |n: &[u8]| [&[2, 0x82, 0, n.len() as u8 + 2, 0, 0][..], n].concat();
    let lax = [&[0x30, 0x81, 0x01][..], &padded(&r), &padded(&s), b"garbage"].concat();
    assert!(public.verify(&hash, &lax) && check_low_s(&lax));
    // The high S half verifies as well but is not low.
    let order = hex_bytes("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    let mut high = vec![0; 32];
    let mut borrow = 0_i16;
    for i in (0..32).rev() {
        let s_byte = i16::from(if i + s.len() >= 32 { s[i + s.len() - 32] } else { 0 });
        let d = i16::from(order[i]) - s_byte - borrow;
        borrow = i16::from(d < 0);
        high[i] = d.rem_euclid(256) as u8;
    }
    let high = [&[0x30, 0][..], &[2, r.len() as u8], &r, &[2, 32], &high].concat();
    assert!(public.verify(&hash, &high) && !check_low_s(&high));
    // Numbers out of range parse to a signature that never verifies.
    let over = [&[0x30, 0, 2, 33, 1][..], &[0; 32], &[2, 1, 1]].concat();
    assert!(!public.verify(&hash, &over) && check_low_s(&over));
    for bad in
        [&[][..], &[0x30], &[0x31, 0], &[0x30, 0, 2, 5, 1], &[0x30, 0x85, 1], &[0x30, 0, 2, 0x84, 1, 1, 1, 1]]
    {
        assert!(!check_low_s(bad) && !public.verify(&hash, bad));
    }
}

#[test]
fn public_key_forms() {
    let uncompressed = SecretKey::from_slice(&[6; 32], false).unwrap().public_key();
    let compressed = key(6).public_key();
    assert_eq!(uncompressed.compress(), Some(compressed));
    assert_eq!(compressed.decompress(), Some(uncompressed));
    assert_eq!(compressed.as_bytes().len(), COMPRESSED_SIZE);
    // The hybrid form has the parity in its first byte, and it must be right.
    let der = key(6).sign(&[1; 32], true);
    let mut hybrid = uncompressed.as_bytes().to_vec();
    hybrid[0] = 6 | (hybrid[64] & 1);
    assert!(verify_ecdsa(&hybrid, &[1; 32], &der));
    hybrid[0] ^= 1;
    assert!(!verify_ecdsa(&hybrid, &[1; 32], &der));
    assert!(PublicKey::from_slice(&hybrid).is_ok_and(|k| !k.is_fully_valid()));
    for bad in [&[][..], &[2; 32], &[4; 33], &[5; 33], &[2; 65]] {
        assert_eq!(PublicKey::from_slice(bad), Err(KeyError::PublicKeySize));
    }
    assert_eq!(compressed.x_only().public_keys().iter().filter(|k| **k == compressed).count(), 1);
    let other = key(7).public_key();
    assert_eq!(musig2_aggregate(&[]), None);
    assert_ne!(musig2_aggregate(&[compressed, other]), musig2_aggregate(&[other, compressed]));
}

/// Two of two: with a BIP32 step and a Taproot tweak, as wallets sign.
#[test]
fn musig2_signatures() {
    let secrets = [key(21), key(22)];
    let participants: Vec<PublicKey> = secrets.iter().map(SecretKey::public_key).collect();
    let aggregate = musig2_aggregate(&participants).unwrap();
    let (child, step) = musig2_synthetic_xpub(aggregate).derive_with_tweak(3).unwrap();
    let taproot = child.public_key.x_only().tap_tweak_hash(None);
    let (output_key, _) = child.public_key.x_only().tap_tweak(None).unwrap();
    let tweaks = [(step, false), (taproot, true)];
    let hash = [0x5a; 32];
    let nonce =
        |i: usize| musig2_nonce(&secrets[i], &hash, &aggregate, &participants, [i as u8 + 1; 32]).unwrap();
    let (first, second) = (nonce(0), nonce(1));
    let nonces: BTreeMap<_, _> = [(participants[0], first.1), (participants[1], second.1)].into();
    let sign =
        |i: usize, n| musig2_partial_sign(&secrets[i], &hash, &aggregate, &participants, &nonces, n, &tweaks);
    let parts: BTreeMap<_, _> =
        [(participants[0], sign(0, first.0).unwrap()), (participants[1], sign(1, second.0).unwrap())].into();
    let finish = |parts: &BTreeMap<_, _>| {
        musig2_aggregate_signature(&hash, &aggregate, &participants, &nonces, parts, &tweaks)
    };
    assert!(output_key.verify_schnorr(&hash, &finish(&parts).unwrap()));
    let mut wrong = parts.clone();
    wrong.insert(participants[0], parts[&participants[1]]);
    assert_eq!(finish(&wrong), None);
    // A nonce serves its owner only; zeros are not random.
    assert_eq!(sign(0, nonce(1).0), None);
    assert!(musig2_nonce(&secrets[0], &hash, &aggregate, &participants, [0; 32]).is_none());
    assert!(musig2_nonce(&secrets[0], &hash, &participants[0], &participants, [1; 32]).is_none());
    assert_eq!(format!("{:?}", nonce(0).0), "MuSig2SecretNonce(..)");
}

#[test]
fn secrets_do_not_show() {
    let master = ExtendedSecretKey::from_seed(&[1; 16]).unwrap();
    assert_eq!(format!("{:?} {:?}", key(1), master), "SecretKey(..) ExtendedSecretKey(..)");
    assert_eq!(SecretKey::from_slice(&[0; 32], true), Err(KeyError::SecretKeyRange));
    assert_eq!(SecretKey::from_slice(&[0xff; 32], true), Err(KeyError::SecretKeyRange));
    let mut calls = 0;
    let made = SecretKey::generate(true, |b| {
        calls += 1;
        *b = if calls == 1 { [0xff; 32] } else { [3; 32] };
    });
    assert_eq!((made, calls), (key(3), 2));
}

#[test]
fn private_keys_in_der() {
    for compressed in [true, false] {
        let k = SecretKey::from_slice(&[0x21; 32], compressed).unwrap();
        let der = k.to_der();
        assert_eq!(der.len(), if compressed { 214 } else { 279 });
        assert_eq!(SecretKey::from_der(&der, &k.public_key(), false), Ok(k.clone()));
        assert_eq!(SecretKey::from_der(&der, &key(9).public_key(), false), Err(KeyError::Encoding));
        assert!(SecretKey::from_der(&der[..40], &k.public_key(), true).is_err());
        // SHA-256 of the reference's form of this key.
        let wanted = if compressed {
            "23d601ca403edd05b79a089b7c569e95eff11264212f98407e7cb1789edb92fe"
        } else {
            "1116c7b98495732b681ec09ebd45741c2194f6e38508736992188ba070a3f363"
        };
        assert_eq!(hex_encode(grs_hashes::purpose::sha256(&der)), wanted);
    }
}

#[test]
fn ellswift_key_exchange() {
    let (a, b) = (key(11), key(12));
    let (ea, eb) = (EllSwift::create(&a, &[1; 32]), EllSwift::create(&b, &[2; 32]));
    assert_eq!((ea.decode(), eb.decode()), (a.public_key(), b.public_key()));
    assert_ne!(ea, EllSwift::create(&a, &[3; 32]));
    let sa = EllSwift::bip324_secret(&a, &eb, &ea, true);
    let sb = EllSwift::bip324_secret(&b, &ea, &eb, false);
    assert_eq!(sa, sb);
    assert_ne!(sa, EllSwift::bip324_secret(&a, &eb, &ea, false));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn signatures_verify_and_recover(secret in any::<[u8; 32]>(), hash in any::<[u8; 32]>(), compressed: bool) {
        let Ok(k) = SecretKey::from_slice(&secret, compressed) else { return Ok(()) };
        let public = k.public_key();
        for der in [k.sign(&hash, true), k.sign(&hash, false), k.sign_with_counter(&hash, 7)] {
            prop_assert!(public.verify(&hash, &der) && check_low_s(&der));
        }
        prop_assert_eq!(PublicKey::recover_compact(&hash, &k.sign_compact(&hash)), Some(public));
    }
}

#[test]
fn fuzz_targets() {
    let der = key(1).sign(&[7; 32], true);
    run_fuzz(fuzz_der_signature, &[vec![], der], 3000);
    let master = ExtendedSecretKey::from_seed(&[1; 16]).unwrap();
    let corpus = vec![
        key(2).public_key().as_bytes().to_vec(),
        SecretKey::from_slice(&[2; 32], false).unwrap().public_key().as_bytes().to_vec(),
        master.encode().to_vec(),
        master.neuter().derive(1).unwrap().encode().to_vec(),
        key(3).sign_compact(&[9; 32]).to_vec(),
        key(3).to_der().to_vec(),
        key(3).to_wif_payload(128).to_vec(),
    ];
    run_fuzz(fuzz_keys, &corpus, 1000);
}
