//! Methods about the passphrase. Reference: `src/wallet/rpc/encrypt.cpp`.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use grs_interfaces::SecureString;
use grs_rpc::{Arg, Method, Request, Res, RpcError, code};
use grs_sync::clock;
use serde_json::Value;

use super::{RpcResult, context, state_of, wallet_of};
use crate::flags;
use crate::wallet::Wallet;

/// Longest time to stay unlocked, seconds.
const MAX_SLEEP_TIME: i64 = 100_000_000;

pub(super) fn methods() -> Vec<Method> {
    vec![
        Method::new(
            "wallet",
            "encryptwallet",
            "Encrypts the wallet's keys with a passphrase for the first time.\n",
            encryptwallet,
        )
        .arg(Arg::str("passphrase", "The passphrase"))
        .result(Res::str("", "What to do next"))
        .example_cli("\"my passphrase\"")
        .example_rpc("\"my passphrase\""),
        Method::new(
            "wallet",
            "walletpassphrase",
            "Unlocks the wallet's keys for a time.\n",
            walletpassphrase,
        )
        .arg(Arg::str("passphrase", "The passphrase"))
        .arg(Arg::num("timeout", "Seconds to stay unlocked; at most 100000000"))
        .result(Res::null("", ""))
        .example_cli("\"my passphrase\" 60")
        .example_rpc("\"my passphrase\", 60"),
        Method::new("wallet", "walletpassphrasechange", "Changes the passphrase.\n", walletpassphrasechange)
            .arg(Arg::str("oldpassphrase", "The present passphrase"))
            .arg(Arg::str("newpassphrase", "The new passphrase"))
            .result(Res::null("", ""))
            .example_cli("\"old one\" \"new one\"")
            .example_rpc("\"old one\", \"new one\""),
        Method::new("wallet", "walletlock", "Locks the wallet's keys.\n", walletlock)
            .result(Res::null("", ""))
            .example(""),
    ]
}

fn ensure_encrypted(wallet: &Wallet, name: &str) -> Result<(), RpcError> {
    if state_of(wallet).is_encrypted() {
        return Ok(());
    }
    let text = format!("Error: running with an unencrypted wallet, but {name} was called.");
    Err(RpcError::new(code::WALLET_WRONG_ENC_STATE, text))
}

fn ensure_no_scan(wallet: &Wallet, action: &str) -> Result<(), RpcError> {
    if !wallet.scan.with_passphrase.load(Ordering::Acquire) {
        return Ok(());
    }
    Err(RpcError::wallet(format!(
        "Error: the wallet is currently being used to rescan the blockchain for related transactions. Please call \
         `abortrescan` before {action}."
    )))
}

fn secret(request: &Request<'_>, name: &str) -> Result<SecureString, RpcError> {
    Ok(SecureString::from(request.arg::<&str>(name)?))
}

fn ensure_not_empty(passphrase: &SecureString) -> Result<(), RpcError> {
    match passphrase.is_empty() {
        true => Err(RpcError::invalid_parameter("passphrase cannot be empty")),
        false => Ok(()),
    }
}

fn incorrect(passphrase: &SecureString, which: &str, advice: &str) -> RpcError {
    let text = if passphrase.as_bytes().contains(&0) {
        format!(
            "Error: The {which}wallet passphrase entered is incorrect. It contains a null character (ie - a zero byte). If \
             the {which}passphrase was set with a version of this software prior to 25.0, please try again with only the \
             characters up to — but not including — the first null character. {advice}"
        )
    } else {
        "Error: The wallet passphrase entered was incorrect.".to_owned()
    };
    RpcError::new(code::WALLET_PASSPHRASE_INCORRECT, text)
}

fn walletpassphrase(request: &Request<'_>) -> RpcResult {
    let wallet = wallet_of(request)?;
    let passphrase = secret(request, "passphrase")?;
    ensure_encrypted(&wallet, "walletpassphrase")?;
    let timeout: i64 = request.arg("timeout")?;
    if timeout < 0 {
        return Err(RpcError::invalid_parameter("Timeout cannot be negative."));
    }
    let timeout = timeout.min(MAX_SLEEP_TIME);
    ensure_not_empty(&passphrase)?;
    {
        let _relock = wallet.relock.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = state_of(&wallet);
        if !state.unlock(passphrase.as_bytes())? {
            let advice =
                "If this is successful, please set a new passphrase to avoid this issue in the future.";
            return Err(incorrect(&passphrase, "", advice));
        }
        state.top_up_all(None)?;
    }
    wallet.relock_time.store(clock::now_secs() + timeout, Ordering::Release);
    let round = wallet.relock_round.fetch_add(1, Ordering::AcqRel) + 1;
    let weak = wallet.downgrade();
    context(request)?.scheduler.schedule_from_now(Duration::from_secs(timeout as u64), move || {
        let Some(wallet) = weak.upgrade() else { return };
        let _relock = wallet.relock.lock().unwrap_or_else(PoisonError::into_inner);
        // A later call has its own timer.
        if wallet.relock_round.load(Ordering::Acquire) == round {
            state_of(&wallet).lock();
            wallet.relock_time.store(0, Ordering::Release);
        }
    });
    Ok(Value::Null)
}

fn walletpassphrasechange(request: &Request<'_>) -> RpcResult {
    let wallet = wallet_of(request)?;
    ensure_encrypted(&wallet, "walletpassphrasechange")?;
    ensure_no_scan(&wallet, "changing the passphrase")?;
    let old = secret(request, "oldpassphrase")?;
    let new = secret(request, "newpassphrase")?;
    if old.is_empty() || new.is_empty() {
        return Err(RpcError::invalid_parameter("passphrase cannot be empty"));
    }
    let _relock = wallet.relock.lock().unwrap_or_else(PoisonError::into_inner);
    if !state_of(&wallet).change_passphrase(old.as_bytes(), new.as_bytes())? {
        return Err(incorrect(&old, "old ", ""));
    }
    Ok(Value::Null)
}

fn walletlock(request: &Request<'_>) -> RpcResult {
    let wallet = wallet_of(request)?;
    ensure_encrypted(&wallet, "walletlock")?;
    ensure_no_scan(&wallet, "locking the wallet")?;
    let _relock = wallet.relock.lock().unwrap_or_else(PoisonError::into_inner);
    state_of(&wallet).lock();
    wallet.relock_time.store(0, Ordering::Release);
    wallet.relock_round.fetch_add(1, Ordering::AcqRel);
    Ok(Value::Null)
}

fn encryptwallet(request: &Request<'_>) -> RpcResult {
    let wallet = wallet_of(request)?;
    {
        let state = state_of(&wallet);
        if state.has_flag(flags::DISABLE_PRIVATE_KEYS) {
            return Err(RpcError::new(
                code::WALLET_ENCRYPTION_FAILED,
                "Error: wallet does not contain private keys, nothing to encrypt.",
            ));
        }
        if state.is_encrypted() {
            return Err(RpcError::new(
                code::WALLET_WRONG_ENC_STATE,
                "Error: running with an encrypted wallet, but encryptwallet was called.",
            ));
        }
    }
    ensure_no_scan(&wallet, "encrypting the wallet")?;
    let passphrase = secret(request, "passphrase")?;
    ensure_not_empty(&passphrase)?;
    let _relock = wallet.relock.lock().unwrap_or_else(PoisonError::into_inner);
    let encrypted = state_of(&wallet).encrypt(passphrase.as_bytes(), clock::now_secs());
    encrypted
        .map_err(|_| RpcError::new(code::WALLET_ENCRYPTION_FAILED, "Error: Failed to encrypt the wallet."))?;
    Ok("wallet encrypted; The keypool has been flushed and a new HD seed was generated. You need to make a new backup with \
        the backupwallet RPC."
        .into())
}
