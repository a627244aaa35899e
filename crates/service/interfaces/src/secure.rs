//! Strings that must not stay in memory or reach a log.

use zeroize::Zeroizing;

/// A passphrase: wiped when dropped, not shown by `Debug`. Any bytes, since the reference does not insist on UTF-8.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SecureString(Zeroizing<Vec<u8>>);

impl SecureString {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        SecureString(Zeroizing::new(bytes))
    }

    /// The secret.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether the passphrase is empty, which mostly means that there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for SecureString {
    fn from(text: &str) -> Self {
        SecureString::new(text.as_bytes().to_vec())
    }
}

impl std::fmt::Debug for SecureString {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecureString(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{GlobalArgs, RpcRequest};

    #[test]
    fn debug_output_has_no_secrets() {
        let passphrase = SecureString::from("correct horse");
        let request = RpcRequest {
            method: "walletpassphrase".into(),
            params: "[\"correct horse\", 60]".into(),
            ..RpcRequest::default()
        };
        let args = GlobalArgs {
            forced_settings: BTreeMap::from([("rpcpassword".into(), "correct horse".into())]),
            ..GlobalArgs::default()
        };
        let shown = format!("{passphrase:?} {request:?} {args:?}");
        assert!(!shown.contains("horse"), "{shown}");
        assert!(shown.contains("walletpassphrase"));
    }
}
