//! Entry points for fuzzing: any bytes may stand in a wallet file.

use grs_encoding::{Decode, Reader, decode_exact, encode_to_vec};
use grs_keys::SecretKey;

use crate::records::{
    DescriptorRecord, MasterKey, WalletTx, decode_extended_key, decode_key, key_rest, name, read_public_key,
    read_text,
};

/// Values of all records. What can be read comes back from its own encoding.
pub fn fuzz_records(data: &[u8]) {
    if let Ok(wtx) = WalletTx::decode(&mut Reader::new(data)) {
        let again: WalletTx = decode_exact(&encode_to_vec(&wtx)).expect("an encoded transaction decodes");
        assert_eq!(again.txid(), wtx.txid());
        assert_eq!(again.state.serialized(), wtx.state.serialized());
        assert_eq!(again.values, wtx.values);
    }
    if let Ok(record) = decode_exact::<DescriptorRecord>(data) {
        assert_eq!(decode_exact(&encode_to_vec(&record)), Ok(record));
    }
    if let Ok(record) = decode_exact::<MasterKey>(data) {
        assert_eq!(encode_to_vec(&record), data);
    }
    let _ = decode_extended_key(data);
    let key = SecretKey::generate(true, |bytes| bytes.fill(1)).public_key();
    let _ = decode_key(data, &key);
}

/// Keys of records.
pub fn fuzz_record_keys(data: &[u8]) {
    for kind in [name::NAME, name::TX, name::DESCRIPTOR_KEY] {
        let mut reader = key_rest(data, kind);
        let _ = read_text(&mut reader);
        let _ = read_public_key(&mut reader);
    }
}

/// Decrypting with a wrong passphrase or a damaged record.
pub fn fuzz_decrypt(data: &[u8]) {
    let _ = crate::crypt::decrypt(&[7; 32], &[9; 16], data);
}

#[cfg(test)]
mod tests {
    use grs_primitives::{Amount, MutableTransaction, OutPoint, Script, TxIn, TxOut, TxRef};

    use super::*;
    use crate::records::{TxState, encode_key};

    fn corpus() -> Vec<Vec<u8>> {
        let tx = MutableTransaction {
            version: 2,
            inputs: vec![TxIn::new(OutPoint::NULL, 1)],
            outputs: vec![TxOut::new(Amount(5), Script::from(vec![0x51]))],
            lock_time: 0,
        };
        let mut wtx = WalletTx::new(TxRef::new(tx.into()), TxState::Inactive { abandoned: false });
        wtx.values.insert("comment".into(), "x".into());
        wtx.order_pos = 3;
        let record = DescriptorRecord {
            text: "raw(51)#abcdefgh".into(),
            creation_time: 1,
            next_index: 0,
            range_start: 0,
            range_end: 1,
        };
        let key = SecretKey::generate(true, |bytes| bytes.fill(1));
        vec![
            encode_to_vec(&wtx),
            encode_to_vec(&record),
            encode_to_vec(&MasterKey { salt: vec![1; 8], encrypted: vec![2; 48], ..MasterKey::default() }),
            encode_key(&key, &key.public_key()).to_vec(),
            vec![0; 64],
        ]
    }

    #[test]
    fn damaged_records_are_refused_without_panic() {
        let mut seed = 1_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed >> 33
        };
        for sample in corpus() {
            for _ in 0..2000 {
                let mut data = sample.clone();
                for _ in 0..1 + next() % 3 {
                    let at = (next() as usize) % data.len();
                    data[at] = next() as u8;
                }
                data.truncate(1 + (next() as usize) % data.len());
                fuzz_records(&data);
                fuzz_record_keys(&data);
                fuzz_decrypt(&data);
            }
            fuzz_records(&sample);
        }
    }
}
