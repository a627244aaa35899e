use grs_primitives::{TxIn, WITNESS_SCALE_FACTOR};

/// Weight, raised so that every unit of signature operation cost takes `bytes_per_sigop` at least.
/// Reference: `GetSigOpsAdjustedWeight`.
pub fn sigops_adjusted_weight(weight: usize, sigop_cost: u32, bytes_per_sigop: u32) -> i64 {
    (weight as i64).max(i64::from(sigop_cost) * i64::from(bytes_per_sigop))
}

/// Virtual bytes with signature operations considered. Reference: `GetVirtualTransactionSize`.
pub fn virtual_size(weight: usize, sigop_cost: u32, bytes_per_sigop: u32) -> i64 {
    const SCALE: i64 = WITNESS_SCALE_FACTOR as i64;
    (sigops_adjusted_weight(weight, sigop_cost, bytes_per_sigop) + SCALE - 1) / SCALE
}

/// Weight of one input with its witness. Reference: `GetTransactionInputWeight`.
pub fn input_weight(input: &TxIn) -> usize {
    (40 + input.script_sig.encoded_len()) * WITNESS_SCALE_FACTOR + input.witness.encoded_len()
}
