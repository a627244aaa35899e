//! Fee rates of payments. Reference: `src/wallet/fees.cpp`.

use grs_interfaces::FeeReason;
use grs_policy::{FeeRate, is_dust};
use grs_primitives::{Amount, MutableTransaction};

use super::create::{CoinControl, Recipient};
use crate::error::{WalletError, WalletResult};
use crate::wallet::Wallet;

/// Text of a reason in RPC. Reference: `StringForFeeReason`.
pub(crate) fn reason_text(reason: FeeReason) -> &'static str {
    match reason {
        FeeReason::None => "None",
        FeeReason::HalfEstimate => "Half Target 60% Threshold",
        FeeReason::FullEstimate => "Target 85% Threshold",
        FeeReason::DoubleEstimate => "Double Target 95% Threshold",
        FeeReason::Conservative => "Conservative Double Target longer horizon",
        FeeReason::MempoolMin => "Mempool Min Fee",
        FeeReason::Fallback => "Fallback fee",
        FeeReason::Required => "Minimum Required Fee",
    }
}

/// Rates of a payment.
pub(super) struct Rates {
    pub(super) effective: FeeRate,
    pub(super) discard: FeeRate,
    pub(super) dust: FeeRate,
    pub(super) reason: FeeReason,
}

impl Wallet {
    /// The rate to pay, and where it comes from. Reference: `GetMinimumFeeRate`.
    pub(crate) fn minimum_fee_rate(&self, control: &CoinControl) -> WalletResult<(FeeRate, FeeReason)> {
        let mut reason = FeeReason::None;
        let mut rate = match control.fee_rate {
            Some(rate) if control.override_fee_rate => return Ok((rate, reason)),
            Some(rate) => rate,
            None => {
                let target = control.confirm_target.unwrap_or(self.options.confirm_target);
                let conservative =
                    control.conservative.unwrap_or(!control.signal_rbf.unwrap_or(self.options.signal_rbf));
                let estimate = self.chain.estimate_smart_fee(target, conservative)?;
                reason = estimate.reason;
                let mut rate = FeeRate::per_kvb(estimate.feerate.0);
                if rate.is_zero() {
                    rate = self.options.fallback_fee;
                    reason = FeeReason::Fallback;
                    if rate.is_zero() {
                        return Ok((rate, reason));
                    }
                }
                let least = FeeRate::per_kvb(self.chain.mempool_min_fee()?.0);
                if rate < least {
                    rate = least;
                    reason = FeeReason::MempoolMin;
                }
                rate
            }
        };
        let required = self.required_fee_rate()?;
        if required > rate {
            rate = required;
            reason = FeeReason::Required;
        }
        Ok((rate, reason))
    }

    /// The least rate that the wallet pays.
    pub(crate) fn required_fee_rate(&self) -> WalletResult<FeeRate> {
        Ok(self.options.min_fee.max(FeeRate::per_kvb(self.chain.relay_min_fee()?.0)))
    }

    fn discard_rate(&self) -> WalletResult<FeeRate> {
        let target = self.chain.estimate_max_blocks()?;
        let estimate = FeeRate::per_kvb(self.chain.estimate_smart_fee(target, false)?.feerate.0);
        let rate = match estimate.is_zero() {
            true => self.options.discard_rate,
            false => estimate.min(self.options.discard_rate),
        };
        Ok(rate.max(FeeRate::per_kvb(self.chain.relay_dust_fee()?.0)))
    }

    /// All rates that matter for a payment.
    pub(super) fn rates(&self, control: &CoinControl) -> WalletResult<Rates> {
        let discard = self.discard_rate()?;
        let (effective, reason) = self.minimum_fee_rate(control)?;
        if let Some(wanted) = control.fee_rate
            && effective > wanted
        {
            return Err(WalletError::text(format!(
                "Fee rate ({}) is lower than the minimum fee rate setting ({})",
                wanted.to_gro_per_vb(),
                effective.to_gro_per_vb()
            )));
        }
        if reason == FeeReason::Fallback && self.options.fallback_fee.is_zero() {
            return Err(WalletError::text(
                "Fee estimation failed. Fallbackfee is disabled. Wait a few blocks or enable -fallbackfee.",
            ));
        }
        Ok(Rates { effective, discard, dust: FeeRate::per_kvb(self.chain.relay_dust_fee()?.0), reason })
    }
}

/// Gives what is left over to the change, or takes the fee from the recipients who pay it. Returns the fee.
pub(super) fn settle_fee(
    tx: &mut MutableTransaction,
    selected: i64,
    needed: i64,
    change_position: Option<usize>,
    recipients: &[Recipient],
    dust: FeeRate,
) -> WalletResult<i64> {
    let out_sum = |tx: &MutableTransaction| tx.outputs.iter().map(|o| o.value.0).sum::<i64>();
    let mut fee = selected - out_sum(tx);
    let bug = |what: &str| WalletError::text(format!("Internal bug detected: {what}"));
    if fee < 0 {
        return Err(bug("Fee paid < 0"));
    }
    if let Some(n) = change_position
        && needed < fee
    {
        tx.outputs[n].value += Amount(fee - needed);
        fee = needed;
    }
    let payers = recipients.iter().filter(|r| r.subtract_fee).count() as i64;
    if payers > 0 {
        let reduce = needed - fee;
        let mut first = true;
        let places = (0..tx.outputs.len()).filter(|n| Some(*n) != change_position);
        let places: Vec<usize> = places.collect();
        for (n, recipient) in places.into_iter().zip(recipients) {
            if !recipient.subtract_fee {
                continue;
            }
            let out = &mut tx.outputs[n];
            out.value -= Amount(reduce / payers);
            if first {
                // The first one pays what does not divide.
                out.value -= Amount(reduce % payers);
                first = false;
            }
            if is_dust(out, dust) {
                return Err(WalletError::text(match out.value.0 {
                    ..0 => "The transaction amount is too small to pay the fee",
                    _ => "The transaction amount is too small to send after the fee has been deducted",
                }));
            }
        }
        fee = selected - out_sum(tx);
    }
    if needed > fee {
        return Err(bug("Fee needed > fee paid"));
    }
    Ok(fee)
}
