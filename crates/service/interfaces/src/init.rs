//! What a process offers to the one that connects to it.

use std::sync::Arc;

use crate::gui::Node;
use crate::{CallError, CallResult, Chain, Echo, EchoObject, GlobalArgs, Mining, Rpc, WalletLoader};

/// Major version of the project's own schemas; processes with unequal ones refuse each other.
pub const SCHEMA_MAJOR: u32 = 1;
/// Minor version of the project's own schemas; grows when methods or fields are added.
pub const SCHEMA_MINOR: u32 = 1;

/// Which part of the program a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// `groestlcoin-node`.
    Node,
    /// `groestlcoin-wallet`.
    Wallet,
    /// `groestlcoin-gui`.
    Gui,
    /// Anything else.
    Other,
}

/// Who a process is; the two sides exchange this in the first call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The role of the sender.
    pub role: Role,
    /// [`SCHEMA_MAJOR`] of the sender.
    pub schema_major: u32,
    /// [`SCHEMA_MINOR`] of the sender.
    pub schema_minor: u32,
    /// The program's version as users see it, such as `v31.0.0`.
    pub program_version: String,
    /// Name of the network: `main`, `test`, `testnet4`, `signet`, `regtest`. Empty while not known, as in a spawned
    /// child that gets its settings later.
    pub network: String,
    /// The data directory of the network, empty while not known.
    pub data_dir: String,
}

impl Hello {
    /// A greeting of this build for the given role; network and directory are filled in by the caller.
    pub fn new(role: Role, program_version: impl Into<String>) -> Self {
        Hello {
            role,
            schema_major: SCHEMA_MAJOR,
            schema_minor: SCHEMA_MINOR,
            program_version: program_version.into(),
            network: String::new(),
            data_dir: String::new(),
        }
    }

    /// Whether a process that says `self` may work with one that says `other`; the error is fit for the user.
    pub fn check(&self, other: &Hello) -> Result<(), String> {
        if self.schema_major != other.schema_major {
            return Err(format!(
                "Interface version mismatch: this process speaks {}.{} and the other one ({}) speaks {}.{}. Please use \
                 programs of the same release.",
                self.schema_major,
                self.schema_minor,
                other.program_version,
                other.schema_major,
                other.schema_minor
            ));
        }
        if !self.network.is_empty() && !other.network.is_empty() && self.network != other.network {
            return Err(format!(
                "Network mismatch: this process is on '{}' and the other one is on '{}'.",
                self.network, other.network
            ));
        }
        Ok(())
    }
}

/// The first interface of a connection: makes all others.
///
/// A method that a process does not provide answers an error.
pub trait Init: Send + Sync {
    /// Version and network hand-shake. Answers who this process is, or an error when the two cannot work together.
    fn hello(&self, hello: &Hello) -> CallResult<Hello>;

    /// Makes the test interface; every process has it.
    fn make_echo(&self) -> CallResult<Arc<dyn Echo>> {
        Ok(Arc::new(EchoObject))
    }

    /// Makes the mining interface, once the chain state is loaded; `None` if the node is shutting down.
    fn make_mining(&self) -> CallResult<Option<Arc<dyn Mining>>> {
        Err(CallError::remote("This process does not provide the mining interface."))
    }

    /// Makes the interface to the node that windows use.
    fn make_node(&self) -> CallResult<Arc<dyn Node>> {
        Err(CallError::remote("This process does not provide the node interface."))
    }

    /// Makes the interface to the node's RPC methods.
    fn make_rpc(&self) -> CallResult<Arc<dyn Rpc>> {
        Err(CallError::remote("This process does not provide the RPC interface."))
    }

    /// Makes the interface to the node's chain.
    fn make_chain(&self) -> CallResult<Arc<dyn Chain>> {
        Err(CallError::remote("This process does not provide the chain interface."))
    }

    /// Makes the wallet loader of this process, which works with `args` on `chain`.
    fn make_wallet_loader(
        &self,
        args: GlobalArgs,
        chain: Arc<dyn Chain>,
    ) -> CallResult<Arc<dyn WalletLoader>> {
        let _ = (args, chain);
        Err(CallError::remote("This process does not provide the wallet interface."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_fits_together_works_together() {
        let own = Hello { network: "regtest".into(), ..Hello::new(Role::Node, "v31.0.0") };
        let mut other = Hello::new(Role::Wallet, "v31.0.0");
        assert_eq!(own.check(&other), Ok(()));
        other.schema_minor += 1;
        assert_eq!(own.check(&other), Ok(()));
        other.network = "main".into();
        assert_eq!(
            own.check(&other),
            Err("Network mismatch: this process is on 'regtest' and the other one is on 'main'.".into())
        );
        other.schema_major += 1;
        assert!(own.check(&other).is_err_and(|text| text.contains("version mismatch")));
    }
}
