//! The partially signed transactions of the reference's functional tests. Most stem from Bitcoin: a whole previous
//! transaction in them has another id here, so what depends on that id is told apart.

use grs_psbt::{Psbt, PsbtError};
use serde_json::Value;

/// What a vector with a whole previous transaction from Bitcoin comes to.
const OTHER_TXID: PsbtError = PsbtError::Format("Non-witness UTXO does not match outpoint hash");

fn texts<'a>(file: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    file[list].as_array().into_iter().flatten()
}

#[test]
fn psbt_vectors() {
    let name = "core/functional/rpc_psbt.json";
    let Some(file) = grs_testkit::json_file(name) else { return };
    let mut cases = 0;
    for vector in texts(&file, "invalid") {
        assert!(Psbt::from_base64(vector.as_str().unwrap()).is_err(), "{vector}");
        cases += 1;
    }
    for vector in texts(&file, "invalid_with_msg") {
        let error = Psbt::from_base64(vector[0].as_str().unwrap()).unwrap_err();
        let expected = vector[1].as_str().unwrap();
        assert!(error.to_string().contains(expected) || error == OTHER_TXID, "{error}: {expected}: {vector}");
        cases += 1;
    }
    let mut read = 0;
    for vector in texts(&file, "valid") {
        let text = vector.as_str().unwrap();
        match Psbt::from_base64(text) {
            Ok(psbt) => {
                assert_eq!(Psbt::from_bytes(&psbt.to_bytes()).unwrap(), psbt);
                read += 1;
            }
            Err(error) => assert_eq!(error, OTHER_TXID, "{text}"),
        }
        cases += 1;
    }
    assert!(read > 10, "only {read} of the valid ones were read");
    grs_testkit::report(name, cases);
}
