//! Signing of all kinds of outputs, checked by the interpreter under the standard rules.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use grs_descriptor::{
    Descriptor, DummySignatureCreator, FlatSigningProvider, InputError, MessageError, MuSig2SecretNonces,
    SignatureData, TransactionSignatureCreator, encode_extended_secret_key, encode_secret_key,
    infer_descriptor, produce_signature, sign_message_text, sign_transaction, verify_message_text,
};
use grs_encoding::{decode_exact, encode_to_vec, hex_encode};
use grs_keys::{ExtendedSecretKey, SecretKey};
use grs_params::Network;
use grs_primitives::{Amount, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut, Witness};
use grs_script::sighash::{SIGHASH_ALL, SIGHASH_DEFAULT, SIGHASH_SINGLE};
use grs_script::{PrecomputedTxData, ScriptFlags, TransactionChecker, verify_script};
use grs_testkit::{hex, json_file, report, text};

const NET: Network = Network::Regtest;
/// BIP341's key without known secret.
const NUMS: &str = "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0";

fn key(n: u8) -> SecretKey {
    SecretKey::from_slice(&[n; 32], true).unwrap()
}

fn wif(n: u8) -> String {
    encode_secret_key(&key(n), NET).to_string()
}

fn public(n: u8) -> String {
    hex_encode(key(n).public_key().as_bytes())
}

/// Scripts of a descriptor and a provider with all that was in it.
fn expand(text: &str) -> (Descriptor, Vec<Script>, FlatSigningProvider) {
    let mut keys = FlatSigningProvider::new();
    let descriptor = Descriptor::parse(text, NET, &mut keys, false).unwrap().remove(0);
    let mut out = FlatSigningProvider::new();
    let scripts = descriptor.expand(0, &keys, &mut out, None).unwrap();
    descriptor.expand_private(0, &keys, &mut out);
    (descriptor, scripts, out)
}

/// A transaction that spends the outputs, and the outputs by outpoint.
fn spend(scripts: &[Script]) -> (MutableTransaction, BTreeMap<OutPoint, TxOut>) {
    let mut coins = BTreeMap::new();
    let mut inputs = Vec::new();
    for (i, script) in scripts.iter().enumerate() {
        let prevout = OutPoint::new(grs_hashes::Txid::from_bytes([7; 32]), i as u32);
        coins.insert(prevout, TxOut::new(Amount(50_000 + i as i64), script.clone()));
        inputs.push(TxIn::new(prevout, 10));
    }
    let outputs = vec![TxOut::new(Amount(1000), Script::from(vec![0x51]))];
    (MutableTransaction { version: 2, inputs, outputs, lock_time: 200 }, coins)
}

fn verify(tx: &MutableTransaction, coins: &BTreeMap<OutPoint, TxOut>) {
    let spent: Vec<TxOut> = tx.inputs.iter().map(|i| coins[&i.prevout].clone()).collect();
    let data = PrecomputedTxData::new(tx, spent.clone(), false);
    for (i, (input, coin)) in tx.inputs.iter().zip(&spent).enumerate() {
        let mut checker = TransactionChecker::new(tx, i, coin.value, Some(&data));
        let result = verify_script(
            &input.script_sig,
            &coin.script_pubkey,
            &input.witness,
            ScriptFlags::STANDARD,
            &mut checker,
        );
        assert_eq!(result, Ok(()), "input {i}");
    }
}

/// Weight of an unlocking script and witness without their fixed parts.
fn weight(script_sig: &Script, witness: &Witness) -> i64 {
    let stack: usize = if witness.is_empty() { 0 } else { witness.encoded_len() - 1 };
    4 * script_sig.len() as i64 + stack as i64
}

#[test]
fn every_kind_of_output_is_signed() {
    let x = |n: u8| public(n)[2..].to_owned();
    let cases = [
        format!("pk({})", wif(1)),
        format!("pkh({})", wif(1)),
        format!("wpkh({})", wif(1)),
        format!("sh(wpkh({}))", wif(1)),
        format!("combo({})", wif(1)),
        format!("multi(2,{},{},{})", wif(1), public(2), wif(3)),
        format!("sh(multi(2,{},{},{}))", wif(1), wif(2), public(3)),
        format!("sh(sortedmulti(1,{},{}))", wif(5), wif(4)),
        format!("wsh(pk({}))", wif(1)),
        format!("wsh(pkh({}))", wif(1)),
        format!("sh(pkh({}))", wif(1)),
        format!("wsh(multi(2,{},{}))", wif(1), wif(2)),
        format!("sh(wsh(sortedmulti(2,{},{})))", wif(1), wif(2)),
        format!("tr({})", wif(1)),
        format!("tr({},{{pk({}),pk({})}})", wif(1), x(2), x(3)),
        format!("tr({NUMS},pk({}))", wif(1)),
        format!("tr({NUMS},{{pk({}),{{pk({}),pkh({})}}}})", x(2), x(3), wif(4)),
        format!("tr({NUMS},multi_a(2,{},{},{}))", wif(1), x(2), wif(3)),
        format!("tr({NUMS},sortedmulti_a(1,{},{}))", wif(1), wif(2)),
        format!("tr({NUMS},and_v(v:pk({}),older(5)))", wif(1)),
        format!("rawtr({})", wif(1)),
        format!("wsh(or_d(pk({}),and_v(v:pkh({}),older(5))))", public(1), wif(2)),
        format!("wsh(and_v(v:pk({}),after(100)))", wif(1)),
        format!("wsh(thresh(2,pk({}),s:pk({}),s:pk({})))", wif(1), public(2), wif(3)),
        format!("wsh(andor(pk({}),older(6),pk({})))", wif(1), public(2)),
        format!("wsh(or_i(and_v(v:pkh({}),older(9)),pk({})))", wif(1), public(2)),
        format!("wsh(and_b(pk({}),a:multi(1,{},{})))", wif(1), wif(2), public(3)),
    ];
    for text in &cases {
        let (descriptor, scripts, provider) = expand(text);
        for hash_type in [SIGHASH_DEFAULT, SIGHASH_ALL, 0x81, 0x82, 0x83] {
            let (mut tx, coins) = spend(&scripts);
            tx.outputs.resize(scripts.len(), tx.outputs[0].clone());
            let errors = sign_transaction(&mut tx, &provider, &coins, hash_type);
            assert!(errors.is_empty(), "{text}: {errors:?}");
            verify(&tx, &coins);
            // Signing again changes nothing.
            let before = tx.clone();
            assert!(sign_transaction(&mut tx, &FlatSigningProvider::new(), &coins, hash_type).is_empty());
            assert_eq!(tx, before, "{text}");
            for (input, script) in tx.inputs.iter().zip(&scripts) {
                let real = weight(&input.script_sig, &input.witness);
                let mut dummy = SignatureData::default();
                assert!(produce_signature(&provider, &DummySignatureCreator::Maximum, script, &mut dummy));
                // A hash type takes a byte that the dummy Schnorr signatures do not have.
                let extra = if hash_type == SIGHASH_DEFAULT { 0 } else { 3 };
                let estimate = weight(&dummy.script_sig, &dummy.script_witness);
                // Estimates take Taproot's key path, as the reference's do.
                let key_path = input.witness.len() == 1 || !text.starts_with("tr(");
                // They sign with keys that no one has, too, and so take the cheapest branch.
                let one_way = key_path && !text.contains("or_") && !text.contains("andor");
                assert!(!one_way || real <= estimate + extra, "{text}: {real} > {estimate}");
                if let (Some(most), true) = (descriptor.max_satisfaction_weight(true), key_path) {
                    assert!(real <= most, "{text}: {real} > {most}");
                }
                let most = descriptor.max_satisfaction_elements();
                let elements = input.witness.len() as i64;
                assert!(!key_path || most.is_none_or(|most| elements <= most), "{text}");
            }
        }
        // Inference gives a descriptor for the same script.
        let inferred = infer_descriptor(&scripts[0], &provider, NET);
        assert!(inferred.is_solvable(), "{text}");
        let mut out = FlatSigningProvider::new();
        assert_eq!(inferred.expand(0, &provider, &mut out, None).unwrap()[0], scripts[0], "{text}");
    }
}

#[test]
fn preimages_and_malleability() {
    let preimage = vec![9; 32];
    let hash256 = grs_hashes::purpose::op_hash256(&preimage);
    let sha256 = grs_hashes::purpose::sha256(&preimage);
    let text = format!(
        "wsh(and_v(v:hash256({}),and_v(v:sha256({}),pk({}))))",
        hex_encode(hash256),
        hex_encode(sha256),
        wif(1)
    );
    let (_, scripts, provider) = expand(&text);
    let (mut tx, coins) = spend(&scripts);
    let coin = coins.values().next().unwrap();
    let mut data = SignatureData::default();
    let precomputed = PrecomputedTxData::new(&tx, vec![coin.clone()], true);
    let creator = TransactionSignatureCreator::new(&tx, 0, coin.value, Some(&precomputed), SIGHASH_ALL);
    assert!(!produce_signature(&provider, &creator, &scripts[0], &mut data));
    data.sha256_preimages.insert(sha256.to_vec(), preimage.clone());
    assert!(!produce_signature(&provider, &creator, &scripts[0], &mut data));
    data.hash256_preimages.insert(hash256.to_vec(), preimage);
    assert!(produce_signature(&provider, &creator, &scripts[0], &mut data));
    data.update_input(&mut tx.inputs[0]);
    verify(&tx, &coins);
}

#[test]
fn partial_signatures_add_up() {
    for text in [
        format!("sh(multi(2,{},{}))", public(1), public(2)),
        format!("wsh(multi(2,{},{}))", public(1), public(2)),
        format!("multi(2,{},{})", public(1), public(2)),
    ] {
        let (_, scripts, public_provider) = expand(&text);
        let (mut tx, coins) = spend(&scripts);
        let provider = |n: u8| {
            let mut provider = public_provider.clone();
            provider.add_key(key(n));
            provider
        };
        let errors = sign_transaction(&mut tx, &provider(2), &coins, SIGHASH_ALL);
        assert_eq!(
            errors[&0].to_string(),
            "CHECK(MULTI)SIG failing with non-zero signature (possibly need more signatures)",
            "{text}"
        );
        // The second signer needs no scripts: they are in the input.
        let mut second = FlatSigningProvider::new();
        second.add_key(key(1));
        let second = if text.starts_with("wsh") { provider(1) } else { second };
        assert!(sign_transaction(&mut tx, &second, &coins, SIGHASH_ALL).is_empty(), "{text}");
        verify(&tx, &coins);
    }
}

#[test]
fn input_errors_are_told() {
    let (_, scripts, _) = expand(&format!("pkh({})", public(1)));
    let (mut tx, coins) = spend(&scripts);
    let nobody = FlatSigningProvider::new();
    let errors = sign_transaction(&mut tx, &nobody, &coins, SIGHASH_ALL);
    assert_eq!(errors[&0], InputError::MissingKey);
    let errors = sign_transaction(&mut tx, &nobody, &BTreeMap::new(), SIGHASH_ALL);
    assert_eq!(errors[&0].to_string(), "Input not found or already spent");

    let (_, scripts, provider) = expand(&format!("wpkh({})", wif(1)));
    let (mut tx, mut coins) = spend(&scripts);
    coins.values_mut().for_each(|coin| coin.value = Amount::MAX_MONEY);
    let errors = sign_transaction(&mut tx, &provider, &coins, SIGHASH_ALL);
    assert_eq!(errors[&0].to_string(), "Missing amount");
    // SIGHASH_SINGLE without matching output is not signed.
    let (mut tx, coins) = spend(&[scripts[0].clone(), scripts[0].clone()]);
    let errors = sign_transaction(&mut tx, &provider, &coins, SIGHASH_SINGLE);
    assert_eq!(errors.keys().collect::<Vec<_>>(), [&1]);
    assert!(tx.inputs[1].witness.is_empty());
}

/// Both rounds and the aggregation, on key path, script path and with derivation.
#[test]
fn musig2_signs_in_rounds() {
    let xprv = |n: u8| {
        let key = ExtendedSecretKey::from_seed(&[n; 32]).unwrap();
        encode_extended_secret_key(&key, NET).to_string()
    };
    for text in [
        format!("tr(musig({},{}))", wif(1), wif(2)),
        format!("rawtr(musig({},{}))", wif(1), wif(2)),
        format!("tr({NUMS},pk(musig({},{},{})))", wif(1), wif(2), wif(3)),
        format!("tr(musig({},{})/3/*,pk({}))", xprv(1), xprv(2), public(9)),
        format!("tr({NUMS},pk(musig({}/0/*,{}/1/*)))", xprv(1), xprv(2)),
    ] {
        let (_, scripts, mut provider) = expand(&text);
        provider.secret_nonces = Some(MuSig2SecretNonces::new());
        let (mut tx, coins) = spend(&scripts);
        let coin = coins.values().next().unwrap();
        let precomputed = PrecomputedTxData::new(&tx, vec![coin.clone()], true);
        let creator =
            TransactionSignatureCreator::new(&tx, 0, coin.value, Some(&precomputed), SIGHASH_DEFAULT);
        let mut data = SignatureData::default();
        assert!(!produce_signature(&provider, &creator, &scripts[0], &mut data), "{text}");
        let nonces: usize = data.musig2_public_nonces.values().map(BTreeMap::len).sum();
        assert!(nonces >= 2, "{text}");
        assert!(data.musig2_partial_signatures.is_empty());
        assert!(!produce_signature(&provider, &creator, &scripts[0], &mut data), "{text}");
        assert!(!data.musig2_partial_signatures.is_empty(), "{text}");
        assert!(produce_signature(&provider, &creator, &scripts[0], &mut data), "{text}");
        data.update_input(&mut tx.inputs[0]);
        verify(&tx, &coins);
    }
}

#[test]
fn messages_are_signed_and_verified() {
    let address = grs_descriptor::Destination::pubkey_hash(&key(1).public_key()).encode(NET);
    let signature = sign_message_text(&key(1), "hello");
    assert_eq!(verify_message_text(&address, &signature, "hello", NET), Ok(()));
    assert!(verify_message_text(&address, &signature, "hallo", NET).is_err());
    let other = grs_descriptor::Destination::pubkey_hash(&key(2).public_key()).encode(NET);
    let verdict = verify_message_text(&other, &signature, "hello", NET);
    assert_eq!(verdict, Err(MessageError::NotSigned));
    let verdict = verify_message_text("x", &signature, "hello", NET);
    assert_eq!(verdict, Err(MessageError::InvalidAddress));
    let verdict = verify_message_text(&address, "!", "hello", NET);
    assert_eq!(verdict, Err(MessageError::MalformedSignature));
    let segwit = grs_descriptor::Destination::witness_key_hash(&key(1).public_key()).encode(NET);
    let verdict = verify_message_text(&segwit, &signature, "hello", NET);
    assert_eq!(verdict, Err(MessageError::AddressNoKey));
}

#[test]
fn secrets_stay_out_of_debug() {
    let (descriptor, _, provider) = expand(&format!("wpkh({})", wif(1)));
    let secret = hex_encode(key(1).secret_bytes());
    let shown = format!("{descriptor:?} {provider:?}");
    assert!(!shown.contains(&secret) && !shown.contains(&wif(1)));
}

/// The reference's signatures are deterministic, so ours have to be the same bytes.
#[test]
fn regtest_transaction_vectors() {
    let Some(file) = json_file("reference_regtest/transactions.json") else { return };
    let mut provider = FlatSigningProvider::new();
    for row in file["private_keys_hex"].as_array().unwrap() {
        let bytes = grs_testkit::hex_bytes(row.as_str().unwrap());
        provider.add_key(SecretKey::from_slice(&bytes, true).unwrap());
    }
    for row in file["descriptors"].as_array().unwrap() {
        let (_, _, known) = expand(text(row, "descriptor"));
        provider.merge(known);
    }
    let prevouts = file["prevouts"].as_array().unwrap();
    let mut coins = BTreeMap::new();
    for row in prevouts {
        let outpoint =
            OutPoint::new(text(row, "txid").parse().unwrap(), row["vout"].as_u64().unwrap() as u32);
        let value = Amount((row["amount"].as_f64().unwrap() * 1e8).round() as i64);
        coins.insert(outpoint, TxOut::new(value, Script::from(hex(row, "scriptPubKey"))));
    }
    let wanted = hex(&file, "tx2");
    let mut tx = decode_exact::<Transaction>(&wanted).unwrap().to_mutable();
    // The hash locks stay as they are: no descriptor has them.
    for input in &mut tx.inputs[..6] {
        input.script_sig = Script::new();
        input.witness = Witness::new();
    }
    let errors = sign_transaction(&mut tx, &provider, &coins, SIGHASH_DEFAULT);
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(hex_encode(encode_to_vec(&tx)), hex_encode(&wanted));
    report("reference_regtest/transactions", prevouts.len());
}
