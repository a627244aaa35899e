use std::sync::Arc;

use grs_primitives::{TxOut, TxRef};

use crate::{PrecomputedTxData, ScriptError, ScriptFlags, SignatureCache, TransactionChecker, verify_script};

/// Verification of one input, ready to run on any thread. Reference: `CScriptCheck`.
#[derive(Clone, Debug)]
pub struct ScriptCheck {
    tx: TxRef,
    input: usize,
    flags: ScriptFlags,
    data: Arc<PrecomputedTxData>,
    cache: Option<Arc<SignatureCache>>,
    store: bool,
}

impl ScriptCheck {
    /// A check of input number `input`. `data` must hold the spent outputs of all inputs. With `cache`, verified
    /// signatures are looked up there, and added if `store`.
    pub fn new(
        tx: TxRef,
        input: usize,
        flags: ScriptFlags,
        data: Arc<PrecomputedTxData>,
        cache: Option<Arc<SignatureCache>>,
        store: bool,
    ) -> ScriptCheck {
        ScriptCheck { tx, input, flags, data, cache, store }
    }

    /// The spent output, if the data hold it.
    pub fn spent(&self) -> Option<&TxOut> {
        self.data.spent_outputs().get(self.input)
    }

    /// Runs the scripts.
    pub fn run(&self) -> Result<(), ScriptError> {
        let (Some(spent), Some(input)) = (self.spent(), self.tx.inputs.get(self.input)) else {
            return Err(ScriptError::UnknownError);
        };
        let mut checker = TransactionChecker::new(&self.tx, self.input, spent.value, Some(&self.data));
        if let Some(cache) = &self.cache {
            checker = checker.with_cache(cache, self.store);
        }
        verify_script(&input.script_sig, &spent.script_pubkey, &input.witness, self.flags, &mut checker)
    }

    /// Which input it is, as the reference's debug message says: `input 0 of <txid> (wtxid <wtxid>), spending
    /// <txid>:<n>`.
    pub fn describe(&self) -> String {
        let prevout = self.tx.inputs.get(self.input).map(|i| i.prevout).unwrap_or_default();
        let (txid, wtxid) = (self.tx.txid(), self.tx.wtxid());
        format!("input {} of {txid} (wtxid {wtxid}), spending {prevout}", self.input)
    }
}
