//! Options that apply to each wallet. Reference: `CWallet::LoadWalletArgs`.

use grs_args::ArgsManager;
use grs_descriptor::OutputType;
use grs_policy::FeeRate;
use grs_rpc::value::parse_fixed_point;

use crate::error::{WalletError, WalletResult};

const HIGH_TX_FEE_PER_KVB: i64 = 1_000_000;
const HIGH_APS_FEE: i64 = 10_000;
const HIGH_MAX_TX_FEE: i64 = 100 * HIGH_TX_FEE_PER_KVB;

/// Options of wallets. Amounts are in gro, rates per 1,000 virtual bytes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WalletOptions {
    pub(crate) address_type: OutputType,
    pub(crate) change_type: Option<OutputType>,
    pub(crate) min_fee: FeeRate,
    pub(crate) fallback_fee: FeeRate,
    pub(crate) discard_rate: FeeRate,
    pub(crate) consolidate_rate: FeeRate,
    pub(crate) max_tx_fee: i64,
    /// What avoiding partial spends may cost more; negative never to try.
    pub(crate) max_aps_fee: i64,
    pub(crate) avoid_partial_spends: bool,
    pub(crate) confirm_target: u32,
    pub(crate) spend_zero_conf_change: bool,
    pub(crate) signal_rbf: bool,
    pub(crate) keypool_size: u32,
    pub(crate) notify_command: String,
    pub(crate) broadcast: bool,
    pub(crate) reject_long_chains: bool,
    pub(crate) cross_chain: bool,
    pub(crate) unsafe_sync: bool,
}

impl WalletOptions {
    /// Reads the options; `relay_fee` is the node's least rate. Gives warnings too.
    pub(crate) fn read(args: &ArgsManager, relay_fee: i64) -> WalletResult<(WalletOptions, Vec<String>)> {
        let mut warnings = Vec::new();
        let kind = |option: &str, what: &str| -> WalletResult<Option<OutputType>> {
            let name = args.get_str(option, "");
            if name.is_empty() {
                return Ok(None);
            }
            match OutputType::from_name(&name) {
                Some(kind) => Ok(Some(kind)),
                None => Err(WalletError::text(format!("Unknown {what} type '{name}'"))),
            }
        };
        let amount = |option: &str| -> WalletResult<Option<i64>> {
            let Some(text) = args.get_opt_str(option) else { return Ok(None) };
            match parse_fixed_point(&text, 8).filter(|a| (0..=grs_primitives::MAX_MONEY).contains(a)) {
                Some(amount) => Ok(Some(amount)),
                None => Err(WalletError::text(format!("Invalid amount for {option}=<amount>: '{text}'"))),
            }
        };
        let mut high = |option: &str, value: i64, limit: i64, more: &str| {
            if value > limit {
                warnings.push(format!("{option} is set very high! {more}"));
            }
        };
        let address_type = kind("-addresstype", "address")?.unwrap_or(OutputType::Bech32);
        let change_type = kind("-changetype", "change")?;
        let min_fee = amount("-mintxfee")?.unwrap_or(1_000);
        high(
            "-mintxfee",
            min_fee,
            HIGH_TX_FEE_PER_KVB,
            "This is the minimum transaction fee you pay on every transaction.",
        );
        let max_aps_fee = match args.get_opt_str("-maxapsfee").as_deref() {
            Some("-1") => -1,
            _ => amount("-maxapsfee")?.unwrap_or(0),
        };
        high(
            "-maxapsfee",
            max_aps_fee,
            HIGH_APS_FEE,
            "This is the maximum transaction fee you pay (in addition to the normal fee) to prioritize partial spend \
             avoidance over regular coin selection.",
        );
        let fallback_fee = amount("-fallbackfee")?.unwrap_or(20_000);
        high(
            "-fallbackfee",
            fallback_fee,
            HIGH_TX_FEE_PER_KVB,
            "This is the transaction fee you may pay when fee estimates are not available.",
        );
        let discard = amount("-discardfee")?.unwrap_or(10_000);
        high(
            "-discardfee",
            discard,
            HIGH_TX_FEE_PER_KVB,
            "This is the transaction fee you may discard if change is smaller than dust at this level",
        );
        let max_tx_fee = amount("-maxtxfee")?.unwrap_or(10_000_000);
        high(
            "-maxtxfee",
            max_tx_fee,
            HIGH_MAX_TX_FEE,
            "Fees this large could be paid on a single transaction.",
        );
        if max_tx_fee < relay_fee {
            return Err(WalletError::text(format!(
                "Invalid amount for -maxtxfee=<amount>: '{}' (must be at least the minrelay fee of {} to prevent stuck \
                 transactions)",
                args.get_str("-maxtxfee", ""),
                FeeRate::per_kvb(relay_fee)
            )));
        }
        let consolidate = amount("-consolidatefeerate")?.unwrap_or(10_000);
        high(
            "-minrelaytxfee",
            relay_fee,
            HIGH_TX_FEE_PER_KVB,
            "The wallet will avoid paying less than the minimum relay fee.",
        );
        let keypool: i64 = args.get_int("-keypool", 1000);
        let options = WalletOptions {
            address_type,
            change_type,
            min_fee: FeeRate::per_kvb(min_fee),
            fallback_fee: FeeRate::per_kvb(fallback_fee),
            discard_rate: FeeRate::per_kvb(discard),
            consolidate_rate: FeeRate::per_kvb(consolidate),
            max_tx_fee,
            max_aps_fee,
            avoid_partial_spends: args.get_bool("-avoidpartialspends", false),
            confirm_target: args.get_int("-txconfirmtarget", 6_u32),
            spend_zero_conf_change: args.get_bool("-spendzeroconfchange", true),
            signal_rbf: args.get_bool("-walletrbf", true),
            keypool_size: u32::try_from(keypool.clamp(1, 1_000_000)).unwrap_or(1000),
            notify_command: args.get_str("-walletnotify", ""),
            broadcast: args.get_bool("-walletbroadcast", true),
            reject_long_chains: args.get_bool("-walletrejectlongchains", true),
            cross_chain: args.get_bool("-walletcrosschain", false),
            unsafe_sync: args.get_bool("-unsafesqlitesync", false),
        };
        Ok((options, warnings))
    }
}
