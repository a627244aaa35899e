use grs_encoding::{decode_exact, encode_to_vec, hex_encode};
use grs_hashes::BlockHash;
use grs_primitives::{Amount, MutableTransaction, Script, TxIn, TxOut, TxRef};
use proptest::prelude::*;

use super::*;

fn sample_tx() -> TxRef {
    let tx = MutableTransaction {
        version: 2,
        inputs: vec![TxIn::new(OutPoint::new(Txid::from_bytes([3; 32]), 1), 0xffff_fffd)],
        outputs: vec![TxOut::new(Amount(5), Script::from(vec![0x51]))],
        lock_time: 7,
    };
    TxRef::new(tx.into())
}

#[test]
fn keys_have_the_reference_layout() {
    assert_eq!(hex_encode(RecordKey::new("flags").bytes()), "05666c616773");
    let txid = Txid::from_bytes([9; 32]);
    assert_eq!(hex_encode(tx_key(&txid).bytes()), format!("027478{}", "09".repeat(32)));
    let key = RecordKey::new(name::NAME).text("abc");
    assert_eq!(read_text(&mut key_rest(key.bytes(), name::NAME)).unwrap(), "abc");
}

#[test]
fn states_come_back() {
    let block = BlockHash::from_bytes([7; 32]);
    for state in [
        TxState::Confirmed { block, height: -1, position: 3 },
        TxState::BlockConflicted { block, height: -1 },
        TxState::Inactive { abandoned: true },
        TxState::Inactive { abandoned: false },
        TxState::Unrecognized { block, index: -5 },
        TxState::Unrecognized { block: BlockHash::ZERO, index: 4 },
    ] {
        let (hash, index) = state.serialized();
        assert_eq!(TxState::from_serialized(hash, index), state);
    }
    let (hash, index) = TxState::InMempool.serialized();
    assert_eq!(TxState::from_serialized(hash, index), TxState::Inactive { abandoned: false });
}

#[test]
fn secret_keys_come_back_and_damage_is_seen() {
    let key = SecretKey::generate(true, |b| b.fill(5));
    let public_key = key.public_key();
    let mut value = encode_key(&key, &public_key).to_vec();
    assert_eq!(value.len(), 1 + 214 + 32);
    assert_eq!(decode_key(&value, &public_key), Ok(key));
    value[20] ^= 1;
    assert_eq!(decode_key(&value, &public_key), Err(KeyRecordError::Checksum));
    assert_eq!(decode_key(&value[..50], &public_key), Err(KeyRecordError::Encoding));
}

proptest! {
    #[test]
    fn transactions_come_back(
        values in prop::collection::btree_map("[a-z]{1,8}x", ".{0,12}", 0..4),
        form in prop::collection::vec((".{0,6}", ".{0,6}"), 0..3),
        received in any::<u32>(), smart in any::<u32>(), order in -1i64..1000, abandoned in any::<bool>(),
    ) {
        let mut wtx = WalletTx::new(sample_tx(), TxState::Inactive { abandoned });
        wtx.values = values;
        wtx.order_form = form;
        wtx.time_received = received;
        wtx.time_smart = smart;
        wtx.order_pos = order;
        let bytes = encode_to_vec(&wtx);
        prop_assert_eq!(decode_exact::<WalletTx>(&bytes).unwrap(), wtx);
    }

    #[test]
    fn descriptors_and_master_keys_come_back(
        text in ".{0,40}", time in any::<u64>(), next in any::<i32>(), start in any::<i32>(), end in any::<i32>(),
        salt in prop::collection::vec(any::<u8>(), 0..20), rounds in any::<u32>(),
    ) {
        let record =
            DescriptorRecord { text, creation_time: time, next_index: next, range_start: start, range_end: end };
        prop_assert_eq!(decode_exact::<DescriptorRecord>(&encode_to_vec(&record)).unwrap(), record);
        let key = MasterKey { salt, rounds, ..MasterKey::default() };
        prop_assert_eq!(decode_exact::<MasterKey>(&encode_to_vec(&key)).unwrap(), key);
    }
}
