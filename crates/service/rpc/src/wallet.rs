//! What node and wallet processes have to agree on about calls for a wallet: how a request names its wallet, and the
//! errors when it names none or an unknown one (reference: `GetWalletForJSONRPCRequest`).

use crate::error::{RpcError, code};

/// First part of the path that names a wallet.
const ENDPOINT: &str = "/wallet/";

/// Name of the wallet in a request's path, if there is one.
pub fn endpoint_wallet(uri: &str) -> Option<String> {
    uri.strip_prefix(ENDPOINT).map(percent_decode)
}

fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let digits = text.get(i + 1..i + 3).filter(|_| bytes[i] == b'%');
        match digits.and_then(|d| u8::from_str_radix(d, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                i += 3;
            }
            None => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The path names a wallet that is not loaded.
pub fn not_loaded() -> RpcError {
    RpcError::new(code::WALLET_NOT_FOUND, "Requested wallet does not exist or is not loaded")
}

/// The path names no wallet, and none is loaded.
pub fn none_loaded() -> RpcError {
    RpcError::new(
        code::WALLET_NOT_FOUND,
        "No wallet is loaded. Load a wallet using loadwallet or create a new one with createwallet. (Note: A default \
         wallet is no longer automatically created)",
    )
}

/// The path names no wallet, and several are loaded.
pub fn not_specified() -> RpcError {
    RpcError::new(
        code::WALLET_NOT_SPECIFIED,
        "Multiple wallets are loaded. Please select which wallet to use by requesting the RPC through the \
         /wallet/<walletname> URI path.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wallets_are_named_by_the_path() {
        assert_eq!(endpoint_wallet("/"), None);
        assert_eq!(endpoint_wallet("/wallet/"), Some(String::new()));
        assert_eq!(endpoint_wallet("/wallet/a%20b%2"), Some("a b%2".to_owned()));
        assert_eq!(endpoint_wallet("/wallet/%zz\u{e9}"), Some("%zz\u{e9}".to_owned()));
    }
}
