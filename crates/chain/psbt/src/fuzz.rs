//! Targets for fuzzing.

use crate::{Psbt, analyze, extract};

/// Any bytes are read without a panic, and what was read stays the same through writing and reading.
pub fn fuzz_psbt(data: &[u8]) {
    let Ok(psbt) = Psbt::from_bytes(data) else { return };
    let bytes = psbt.to_bytes();
    // Final inputs lose what is of no more use when they are written, once.
    if let Ok(again) = Psbt::from_bytes(&bytes) {
        assert_eq!(again.to_bytes(), bytes);
    }
    analyze(&psbt);
    extract(&mut psbt.clone());
}

#[cfg(test)]
mod tests {
    use grs_descriptor::{ControlBlock, FlatSigningProvider, KeyOrigin, TapLeaf};
    use grs_keys::{ExtendedSecretKey, PublicKey, SecretKey, XOnlyPublicKey};
    use grs_primitives::{Amount, MutableTransaction, OutPoint, Script, TxIn, TxOut, TxRef};
    use grs_testkit::Rng;

    use super::*;
    use crate::{
        Proprietary, PsbtInput, PsbtOutput, SignError, SignInputOptions, combine, input_is_verified,
        precompute, sign_input, unsigned_inputs,
    };

    fn secret(n: u8) -> SecretKey {
        SecretKey::from_slice(&[n; 32], true).unwrap()
    }

    fn key(n: u8) -> PublicKey {
        secret(n).public_key()
    }

    fn origin(n: u8) -> KeyOrigin {
        KeyOrigin { fingerprint: [n; 4], path: vec![0x8000_0000 | u32::from(n), 7] }
    }

    fn pay_to_key_hash(n: u8) -> Script {
        let mut script = vec![0, 20];
        script.extend_from_slice(key(n).key_id().as_bytes());
        Script::from(script)
    }

    /// A transaction with two outputs to keys 1 and 2, and one that spends both.
    fn spending() -> (TxRef, Psbt) {
        let outputs = [1, 2].map(|n| TxOut::new(Amount(50_000), pay_to_key_hash(n))).to_vec();
        let funding = MutableTransaction { version: 2, inputs: vec![TxIn::default()], outputs, lock_time: 0 };
        let funding = TxRef::new(funding.into());
        let input = |vout| TxIn::new(OutPoint::new(funding.txid(), vout), 0xffff_fffd);
        let tx = MutableTransaction {
            version: 2,
            inputs: vec![input(0), input(1)],
            outputs: vec![TxOut::new(Amount(90_000), pay_to_key_hash(3))],
            lock_time: 0,
        };
        (funding, Psbt::new(tx))
    }

    /// Every field once.
    fn rich() -> Psbt {
        let (funding, mut psbt) = spending();
        let x_only = |n| key(n).x_only();
        let paths = [(x_only(4), ([[9; 32], [8; 32]].into(), origin(4)))];
        let participants = [(key(5), vec![key(6), key(7)])];
        psbt.inputs[0] = PsbtInput {
            non_witness_utxo: Some(funding.clone()),
            witness_utxo: Some(funding.outputs[0].clone()),
            redeem_script: Script::from(vec![0x51]),
            witness_script: Script::from(vec![0x52]),
            hd_keypaths: [(key(1), origin(1))].into(),
            ripemd160_preimages: [([1; 20], vec![1])].into(),
            sha256_preimages: [([2; 32], vec![2])].into(),
            hash160_preimages: [([3; 20], vec![3])].into(),
            hash256_preimages: [([4; 32], vec![4])].into(),
            tap_key_sig: vec![5; 64],
            tap_script_sigs: [((x_only(3), [6; 32]), vec![7; 65])].into(),
            tap_scripts: [((vec![0x51], 0xc0), [ControlBlock(vec![0xc0; 33])].into())].into(),
            tap_bip32_paths: paths.clone().into(),
            tap_internal_key: Some(x_only(4)),
            tap_merkle_root: Some([8; 32]),
            musig2_participants: participants.clone().into(),
            musig2_public_nonces: [((key(5), [0; 32]), [(key(6), vec![1; 66])].into())].into(),
            musig2_partial_sigs: [((key(5), [3; 32]), [(key(7), [2; 32])].into())].into(),
            unknown: [(vec![0x0f, 1], vec![1, 2])].into(),
            sighash_type: Some(1),
            ..PsbtInput::default()
        };
        psbt.inputs[1].final_script_sig = Script::from(vec![1, 2]);
        psbt.inputs[1].final_script_witness.0 = vec![vec![], vec![3]];
        let leaf = |script| TapLeaf { depth: 1, leaf_version: 0xc0, script };
        psbt.outputs[0] = PsbtOutput {
            redeem_script: Script::from(vec![0x53]),
            witness_script: Script::from(vec![0x54]),
            hd_keypaths: [(key(1), origin(2))].into(),
            tap_internal_key: Some(x_only(3)),
            tap_tree: vec![leaf(vec![0x51]), leaf(vec![0x52])],
            tap_bip32_paths: paths.into(),
            musig2_participants: participants.into(),
            unknown: [(vec![0x0f], vec![])].into(),
            proprietary: [(
                vec![0xfc, 1, 7, 5],
                Proprietary { identifier: vec![7], subtype: 5, value: vec![1] },
            )]
            .into(),
        };
        let master = ExtendedSecretKey::from_seed(&[1; 32]).unwrap().neuter();
        psbt.xpubs.insert(origin(9), [([4, 5, 6, 7], master)].into());
        psbt
    }

    #[test]
    fn every_field_survives() {
        let psbt = rich();
        let again = Psbt::from_base64(&psbt.to_base64()).unwrap();
        assert_eq!(again, psbt);
        assert_eq!(again.to_bytes(), psbt.to_bytes());
        // Anything twice is refused, and so is anything cut off.
        let bytes = psbt.to_bytes();
        for len in 0..bytes.len() {
            assert!(Psbt::from_bytes(&bytes[..len]).is_err(), "{len}");
        }
        let mut longer = bytes;
        longer.push(0);
        assert_eq!(Psbt::from_bytes(&longer), Err(crate::PsbtError::ExtraData));
    }

    #[test]
    fn bytes_may_be_anything() {
        let bytes = rich().to_bytes();
        let mut rng = Rng(11);
        let mut read = 0;
        for _ in 0..4_000 {
            let mut mutated = bytes.clone();
            for _ in 0..=rng.below(2) {
                let at = rng.below(mutated.len());
                mutated[at] = rng.below(256) as u8;
            }
            read += usize::from(Psbt::from_bytes(&mutated).is_ok());
            fuzz_psbt(&mutated);
        }
        assert!(read > 100, "only {read} were read");
    }

    #[test]
    fn two_signers_make_a_transaction() {
        let (funding, mut psbt) = spending();
        assert_eq!(
            sign_with(1, &mut psbt.clone(), 0, None),
            Err(SignError::MissingInputs),
            "nothing is known about the spent output"
        );
        for (input, utxo) in psbt.inputs.iter_mut().zip(&funding.outputs) {
            input.witness_utxo = Some(utxo.clone());
        }
        let (mut one, mut two) = (psbt.clone(), psbt.clone());
        assert_eq!(sign_with(1, &mut one, 0, None), Ok(()));
        assert_eq!(sign_with(1, &mut one, 1, None), Err(SignError::Incomplete));
        assert_eq!(sign_with(2, &mut two, 1, None), Ok(()));
        assert_eq!(sign_with(1, &mut one, 1, Some(0x81)), Err(SignError::Incomplete));
        assert_eq!(one.inputs[1].sighash_type, Some(0x81));
        assert_eq!(sign_with(1, &mut one, 1, None), Err(SignError::SighashMismatch));
        one.inputs[1].sighash_type = None;
        assert_eq!(analyze(&psbt).next.name(), "updater");
        assert_eq!(analyze(&psbt).fee, Some(Amount(10_000)));
        assert!(extract(&mut one.clone()).is_none());
        let mut both = combine(&[one, two]).unwrap();
        assert_eq!(analyze(&both).next.name(), "finalizer");
        assert!(analyze(&both).estimated.is_some());
        let tx = extract(&mut both).unwrap();
        assert!(tx.inputs.iter().all(|input| input.witness.0.len() == 2));
        assert_eq!(unsigned_inputs(&both), 0);
        let precomputed = precompute(&both);
        assert!((0..2).all(|n| input_is_verified(&both, n, Some(&precomputed))));
        assert_eq!(analyze(&both).next.name(), "extractor");
        // Another transaction does not mix with it.
        let other = Psbt::new(MutableTransaction { lock_time: 1, ..psbt.tx.clone() });
        assert!(combine(&[psbt, other]).is_none());
    }

    fn sign_with(n: u8, psbt: &mut Psbt, index: usize, sighash: Option<i32>) -> Result<(), SignError> {
        let mut provider = FlatSigningProvider::new();
        provider.add_key(secret(n));
        let precomputed = precompute(psbt);
        let options = SignInputOptions { precomputed: Some(&precomputed), sighash, finalize: false };
        sign_input(&provider, psbt, index, options, None)
    }

    #[test]
    fn texts_of_broken_ones() {
        let error = |bytes: &[u8]| Psbt::from_bytes(bytes).unwrap_err().to_string();
        assert_eq!(error(b"psbt"), "end of data: iostream error");
        assert_eq!(error(b"psbx\xff\x00"), "Invalid PSBT magic bytes");
        assert_eq!(error(b"psbt\xff\x00"), "No unsigned transaction was provided");
        assert_eq!(error(b"psbt\xff"), "Separator is missing at the end of the global map");
        assert_eq!(Psbt::from_base64("x").unwrap_err().to_string(), "invalid base64");
        assert!(XOnlyPublicKey::from_slice(&[0; 31]).is_none());
    }
}
