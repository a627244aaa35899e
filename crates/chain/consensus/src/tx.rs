//! Rules of single transactions. Reference: `src/consensus/tx_check.cpp`, `src/consensus/tx_verify.cpp`.

use grs_primitives::{Amount, OutPoint, Transaction, WITNESS_SCALE_FACTOR, money_range};

use crate::TxRule;

/// Largest weight of a block.
pub const MAX_BLOCK_WEIGHT: usize = 4_000_000;
/// Largest size of a block in bytes; for buffers only.
pub const MAX_BLOCK_SERIALIZED_SIZE: usize = 4_000_000;
/// Largest signature operation cost of a block.
pub const MAX_BLOCK_SIGOPS_COST: i64 = 80_000;
/// Blocks after which a coinbase may be spent.
pub const COINBASE_MATURITY: i32 = 120;
/// Least weight of a valid transaction.
pub const MIN_TRANSACTION_WEIGHT: usize = WITNESS_SCALE_FACTOR * 60;
/// Least weight of anything that decodes as a transaction.
pub const MIN_SERIALIZABLE_TRANSACTION_WEIGHT: usize = WITNESS_SCALE_FACTOR * 10;

/// An unspent output, borrowed from wherever it is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CoinRef<'a> {
    /// Amount.
    pub value: Amount,
    /// Locking script.
    pub script_pubkey: &'a [u8],
    /// Height of the block that created it.
    pub height: i32,
    /// Whether a coinbase created it.
    pub is_coinbase: bool,
}

/// The outputs that a transaction spends.
///
/// A slice with one coin per input is a view, so that a caller may look each of them up once and use them for
/// all rules.
pub trait CoinView {
    /// The output that input number `input` refers to as `outpoint`; none when it does not exist or is spent.
    fn coin(&self, input: usize, outpoint: &OutPoint) -> Option<CoinRef<'_>>;
}

impl CoinView for [CoinRef<'_>] {
    fn coin(&self, input: usize, _: &OutPoint) -> Option<CoinRef<'_>> {
        self.get(input).copied()
    }
}

impl CoinView for [Option<CoinRef<'_>>] {
    fn coin(&self, input: usize, _: &OutPoint) -> Option<CoinRef<'_>> {
        self.get(input).copied().flatten()
    }
}

/// Rules that need nothing but the transaction. Reference: `CheckTransaction`.
pub fn check_transaction(tx: &Transaction) -> Result<(), TxRule> {
    if tx.inputs.is_empty() {
        return Err(TxRule::NoInputs);
    }
    if tx.outputs.is_empty() {
        return Err(TxRule::NoOutputs);
    }
    if tx.base_size() * WITNESS_SCALE_FACTOR > MAX_BLOCK_WEIGHT {
        return Err(TxRule::Oversize);
    }
    let mut total = Amount::ZERO;
    for output in &tx.outputs {
        if output.value < Amount::ZERO {
            return Err(TxRule::NegativeOutput);
        }
        if output.value > Amount::MAX_MONEY {
            return Err(TxRule::OutputTooLarge);
        }
        total += output.value;
        if !money_range(total) {
            return Err(TxRule::OutputTotalTooLarge);
        }
    }
    if has_duplicate_inputs(tx) {
        return Err(TxRule::DuplicateInputs);
    }
    if tx.is_coinbase() {
        if !(2..=100).contains(&tx.inputs[0].script_sig.len()) {
            return Err(TxRule::CoinbaseScriptLength);
        }
    } else if tx.inputs.iter().any(|i| i.prevout.is_null()) {
        return Err(TxRule::NullPrevout);
    }
    Ok(())
}

fn has_duplicate_inputs(tx: &Transaction) -> bool {
    match &tx.inputs[..] {
        [_] => false,
        [a, b] => a.prevout == b.prevout,
        inputs => {
            let mut outpoints: Vec<&OutPoint> = inputs.iter().map(|i| &i.prevout).collect();
            outpoints.sort_unstable();
            outpoints.windows(2).any(|pair| pair[0] == pair[1])
        }
    }
}

/// Rules about the spent outputs, but for scripts and lock times: they exist, are mature, and are worth at least
/// the outputs. The result is the fee. [`check_transaction`] has to have passed; a coinbase has no inputs to
/// check. `spend_height` is the height of the block that holds the transaction. Reference: `CheckTxInputs`.
pub fn check_tx_inputs<V: CoinView + ?Sized>(
    tx: &Transaction,
    coins: &V,
    spend_height: i32,
) -> Result<Amount, TxRule> {
    let mut value_in = Amount::ZERO;
    let mut broken = None;
    for (i, input) in tx.inputs.iter().enumerate() {
        // A missing output outweighs whatever is wrong with an earlier one.
        let coin = coins.coin(i, &input.prevout).ok_or(TxRule::MissingInputs)?;
        if broken.is_some() {
            continue;
        }
        let depth = spend_height.saturating_sub(coin.height);
        if coin.is_coinbase && depth < COINBASE_MATURITY {
            broken = Some(TxRule::ImmatureCoinbase { depth });
            continue;
        }
        value_in += coin.value;
        if !money_range(coin.value) || !money_range(value_in) {
            broken = Some(TxRule::InputValuesOutOfRange);
        }
    }
    if let Some(rule) = broken {
        return Err(rule);
    }
    let value_out = tx.value_out().ok_or(TxRule::OutputTotalTooLarge)?;
    if value_in < value_out {
        return Err(TxRule::InputsBelowOutputs { value_in, value_out });
    }
    let fee = value_in - value_out;
    if money_range(fee) { Ok(fee) } else { Err(TxRule::FeeOutOfRange) }
}

#[cfg(test)]
mod tests {
    use grs_hashes::Txid;
    use grs_primitives::{MAX_MONEY, MutableTransaction, Script, TxIn, TxOut};

    use super::*;

    fn outpoint(n: u32) -> OutPoint {
        OutPoint::new(Txid::from_bytes([1; 32]), n)
    }

    fn tx(inputs: &[OutPoint], outputs: &[i64]) -> Transaction {
        Transaction::from(MutableTransaction {
            version: 1,
            inputs: inputs.iter().map(|o| TxIn::new(*o, 0)).collect(),
            outputs: outputs.iter().map(|v| TxOut::new(Amount(*v), Script::new())).collect(),
            lock_time: 0,
        })
    }

    #[test]
    fn context_free_rules() {
        let one = [outpoint(0)];
        assert_eq!(check_transaction(&tx(&one, &[0])), Ok(()));
        assert_eq!(check_transaction(&tx(&[], &[0])), Err(TxRule::NoInputs));
        assert_eq!(check_transaction(&tx(&one, &[])), Err(TxRule::NoOutputs));
        assert_eq!(check_transaction(&tx(&one, &[-1])), Err(TxRule::NegativeOutput));
        assert_eq!(check_transaction(&tx(&one, &[MAX_MONEY + 1])), Err(TxRule::OutputTooLarge));
        assert_eq!(check_transaction(&tx(&one, &[MAX_MONEY, 1])), Err(TxRule::OutputTotalTooLarge));
        assert_eq!(check_transaction(&tx(&one, &[MAX_MONEY])), Ok(()));
        for inputs in [[0, 0].as_slice(), &[0, 1, 0], &[3, 1, 2, 1]] {
            let inputs: Vec<OutPoint> = inputs.iter().map(|n| outpoint(*n)).collect();
            assert_eq!(check_transaction(&tx(&inputs, &[0])), Err(TxRule::DuplicateInputs));
        }
        assert_eq!(check_transaction(&tx(&[outpoint(0), OutPoint::NULL], &[0])), Err(TxRule::NullPrevout));
        for (len, ok) in [(1, false), (2, true), (100, true), (101, false)] {
            let mut coinbase = tx(&[OutPoint::NULL], &[0]).to_mutable();
            coinbase.inputs[0].script_sig = Script::from(vec![0; len]);
            let result = check_transaction(&Transaction::from(coinbase));
            assert_eq!(result, if ok { Ok(()) } else { Err(TxRule::CoinbaseScriptLength) });
        }
        let mut large = tx(&one, &[0]).to_mutable();
        let room = MAX_BLOCK_WEIGHT / 4 - large.base_size() - 4;
        large.outputs[0].script_pubkey = Script::from(vec![0; room]);
        assert_eq!(large.base_size() * 4, MAX_BLOCK_WEIGHT);
        assert_eq!(check_transaction(&Transaction::from(large.clone())), Ok(()));
        large.outputs[0].script_pubkey.bytes_mut().push(0);
        assert_eq!(check_transaction(&Transaction::from(large)), Err(TxRule::Oversize));
    }

    fn coin(value: i64, height: i32, is_coinbase: bool) -> Option<CoinRef<'static>> {
        Some(CoinRef { value: Amount(value), script_pubkey: &[], height, is_coinbase })
    }

    #[test]
    fn spent_outputs() {
        let two = tx(&[outpoint(0), outpoint(1)], &[10]);
        let check = |coins: [Option<CoinRef<'static>>; 2]| check_tx_inputs(&two, &coins[..], 200);
        assert_eq!(check([coin(7, 1, false), coin(5, 80, true)]), Ok(Amount(2)));
        assert_eq!(
            check([coin(7, 1, false), coin(5, 81, true)]),
            Err(TxRule::ImmatureCoinbase { depth: 119 })
        );
        assert_eq!(check([coin(7, 199, true), None]), Err(TxRule::MissingInputs));
        assert_eq!(check([coin(-1, 1, false), coin(5, 199, true)]), Err(TxRule::InputValuesOutOfRange));
        assert_eq!(check([coin(MAX_MONEY, 1, false), coin(1, 1, false)]), Err(TxRule::InputValuesOutOfRange));
        assert_eq!(
            check([coin(4, 1, false), coin(5, 1, false)]),
            Err(TxRule::InputsBelowOutputs { value_in: Amount(9), value_out: Amount(10) })
        );
    }
}
