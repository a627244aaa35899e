//! RPC errors and their numbers (reference: `rpc/protocol.h`).

use serde_json::{Map, Value};

/// Error numbers as clients know them.
pub mod code {
    /// The request is not a valid request object. HTTP 400 in the 1.x dialect.
    pub const INVALID_REQUEST: i32 = -32600;
    /// No such method. HTTP 404 in the 1.x dialect.
    pub const METHOD_NOT_FOUND: i32 = -32601;
    /// Invalid method parameters (reserved by JSON-RPC 2.0).
    pub const INVALID_PARAMS: i32 = -32602;
    /// Something is wrong inside the server, for instance a damaged data directory.
    pub const INTERNAL_ERROR: i32 = -32603;
    /// The body is not JSON.
    pub const PARSE_ERROR: i32 = -32700;
    /// Any failure without a number of its own; also wrong number of arguments.
    pub const MISC_ERROR: i32 = -1;
    /// Server is in safe mode (no longer raised).
    pub const FORBIDDEN_BY_SAFE_MODE: i32 = -2;
    /// A parameter has the wrong JSON type.
    pub const TYPE_ERROR: i32 = -3;
    /// Unspecified wallet problem.
    pub const WALLET_ERROR: i32 = -4;
    /// Invalid address or key.
    pub const INVALID_ADDRESS_OR_KEY: i32 = -5;
    /// Not enough funds.
    pub const WALLET_INSUFFICIENT_FUNDS: i32 = -6;
    /// Out of memory.
    pub const OUT_OF_MEMORY: i32 = -7;
    /// Invalid, missing or duplicate parameter.
    pub const INVALID_PARAMETER: i32 = -8;
    /// Not connected; also "Shutting down".
    pub const CLIENT_NOT_CONNECTED: i32 = -9;
    /// Initial download is running.
    pub const CLIENT_IN_INITIAL_DOWNLOAD: i32 = -10;
    /// Invalid label name.
    pub const WALLET_INVALID_LABEL_NAME: i32 = -11;
    /// Keypool ran out.
    pub const WALLET_KEYPOOL_RAN_OUT: i32 = -12;
    /// Passphrase needed first.
    pub const WALLET_UNLOCK_NEEDED: i32 = -13;
    /// Wrong passphrase.
    pub const WALLET_PASSPHRASE_INCORRECT: i32 = -14;
    /// Command does not fit the encryption state.
    pub const WALLET_WRONG_ENC_STATE: i32 = -15;
    /// Encrypting failed.
    pub const WALLET_ENCRYPTION_FAILED: i32 = -16;
    /// Wallet is already unlocked.
    pub const WALLET_ALREADY_UNLOCKED: i32 = -17;
    /// No such wallet.
    pub const WALLET_NOT_FOUND: i32 = -18;
    /// Several wallets are loaded and none was named.
    pub const WALLET_NOT_SPECIFIED: i32 = -19;
    /// Database error.
    pub const DATABASE_ERROR: i32 = -20;
    /// A raw structure could not be decoded.
    pub const DESERIALIZATION_ERROR: i32 = -22;
    /// Node was added before.
    pub const CLIENT_NODE_ALREADY_ADDED: i32 = -23;
    /// Node was not added before.
    pub const CLIENT_NODE_NOT_ADDED: i32 = -24;
    /// General failure when submitting a transaction or block.
    pub const VERIFY_ERROR: i32 = -25;
    /// Rejected by network rules.
    pub const VERIFY_REJECTED: i32 = -26;
    /// Transaction outputs are already in the coin set.
    pub const VERIFY_ALREADY_IN_UTXO_SET: i32 = -27;
    /// Server is warming up.
    pub const IN_WARMUP: i32 = -28;
    /// Node to disconnect is not connected.
    pub const CLIENT_NODE_NOT_CONNECTED: i32 = -29;
    /// Invalid IP or subnet.
    pub const CLIENT_INVALID_IP_OR_SUBNET: i32 = -30;
    /// No connection manager.
    pub const CLIENT_P2P_DISABLED: i32 = -31;
    /// Method is deprecated.
    pub const METHOD_DEPRECATED: i32 = -32;
    /// No mempool.
    pub const CLIENT_MEMPOOL_DISABLED: i32 = -33;
    /// Connection slots are used up.
    pub const CLIENT_NODE_CAPACITY_REACHED: i32 = -34;
    /// The wallet is loaded already.
    pub const WALLET_ALREADY_LOADED: i32 = -35;
    /// A wallet of this name exists already.
    pub const WALLET_ALREADY_EXISTS: i32 = -36;
    /// Same number as [`VERIFY_ERROR`].
    pub const TRANSACTION_ERROR: i32 = VERIFY_ERROR;
    /// Same number as [`VERIFY_REJECTED`].
    pub const TRANSACTION_REJECTED: i32 = VERIFY_REJECTED;
}

/// What a failed call answers.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct RpcError {
    /// One of [`code`].
    pub code: i32,
    /// Text for the user; programs match some of them.
    pub message: String,
    /// Additional data, absent in nearly all errors.
    pub data: Option<Value>,
}

impl RpcError {
    /// Error with a number of [`code`] and a text.
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// [`code::MISC_ERROR`].
    pub fn misc(message: impl Into<String>) -> Self {
        Self::new(code::MISC_ERROR, message)
    }

    /// [`code::TYPE_ERROR`].
    pub fn type_error(message: impl Into<String>) -> Self {
        Self::new(code::TYPE_ERROR, message)
    }

    /// [`code::INVALID_PARAMETER`].
    pub fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(code::INVALID_PARAMETER, message)
    }

    /// [`code::INVALID_ADDRESS_OR_KEY`].
    pub fn invalid_address_or_key(message: impl Into<String>) -> Self {
        Self::new(code::INVALID_ADDRESS_OR_KEY, message)
    }

    /// [`code::DESERIALIZATION_ERROR`].
    pub fn deserialization(message: impl Into<String>) -> Self {
        Self::new(code::DESERIALIZATION_ERROR, message)
    }

    /// [`code::INTERNAL_ERROR`].
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(code::INTERNAL_ERROR, message)
    }

    /// [`code::WALLET_ERROR`].
    pub fn wallet(message: impl Into<String>) -> Self {
        Self::new(code::WALLET_ERROR, message)
    }

    /// A broken promise of our own code, in the words the reference uses for it.
    pub fn bug(what: impl std::fmt::Display) -> Self {
        Self::misc(format!(
            "Internal bug detected: {what}\nPlease report this issue here: https://github.com/Groestlcoin/groestlcoin/issues\n"
        ))
    }

    /// Adds data.
    pub fn with_data(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }

    /// The error object of an answer.
    pub fn to_value(&self) -> Value {
        let mut object = Map::new();
        object.insert("code".into(), self.code.into());
        object.insert("message".into(), self.message.clone().into());
        if let Some(data) = &self.data {
            object.insert("data".into(), data.clone());
        }
        Value::Object(object)
    }

    /// Reads an error object, as a process gets it from another one.
    pub fn from_value(value: &Value) -> Self {
        Self {
            code: value
                .get("code")
                .and_then(Value::as_i64)
                .and_then(|c| c.try_into().ok())
                .unwrap_or(code::MISC_ERROR),
            message: value.get("message").and_then(Value::as_str).unwrap_or_default().to_owned(),
            data: value.get("data").cloned(),
        }
    }
}
