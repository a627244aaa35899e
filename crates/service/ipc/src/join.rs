//! Joining a running node.

use std::sync::Arc;

use grs_interfaces::{CallError, Hello, Init};

use crate::address::{AddressError, IpcAddress};
use crate::generated::InitProxy;
use crate::spawn::Ipc;

/// Why a node cannot be joined. The texts are for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// Nobody listens at the address.
    #[error("{0}")]
    NotThere(String),
    /// Somebody listens, but will not work with this process, or does not understand it.
    #[error("{0}")]
    Refused(String),
    /// The connection ended during the hand-shake.
    #[error("{0}")]
    Lost(String),
}

/// A node that has been joined.
pub struct Joined {
    /// Its first interface.
    pub init: Arc<InitProxy>,
    /// Who it is.
    pub node: Hello,
}

impl Ipc {
    /// Connects to the node at `address` and shakes hands. `own` says who this process is; its network goes into the
    /// hint about how to start a node. `connected` gets the connection before anything is waited for, so that another
    /// thread can close it to give up.
    pub fn join(
        &self,
        address: &IpcAddress,
        own: &Hello,
        connected: impl FnOnce(&grs_mp::Connection),
    ) -> Result<Joined, JoinError> {
        let init = self.connect(address).map_err(|e| {
            JoinError::NotThere(format!(
                "Cannot connect to a node at {address}: {}. Probably groestlcoin-node is not running, or not listening \
                 there. Start it with: groestlcoin-node -chain={} -ipcbind={}",
                reason(&e),
                own.network,
                match address {
                    IpcAddress::Unix { default: true, .. } => "unix".to_owned(),
                    other => other.to_string(),
                },
            ))
        })?;
        let lost =
            |e: CallError| JoinError::Lost(format!("Lost the node at {address} in the hand-shake. {e}"));
        connected(init.connection());
        let node = match init.hello(own) {
            Ok(node) => node,
            Err(CallError::Remote(text)) if text.to_lowercase().contains("not implemented") => {
                return Err(JoinError::Refused(format!(
                    "The program at {address} does not know the hand-shake: it is no groestlcoin-node of this project."
                )));
            }
            Err(CallError::Remote(text)) => {
                return Err(JoinError::Refused(format!("The node at {address} refuses. {text}")));
            }
            Err(e) => return Err(lost(e)),
        };
        own.check(&node)
            .map_err(|text| JoinError::Refused(format!("The node at {address} does not fit. {text}")))?;
        Ok(Joined { init: Arc::new(init), node })
    }
}

/// The reason in words.
fn reason(error: &AddressError) -> String {
    let kind = match error {
        AddressError::Io(error) => error.kind(),
        _ => return error.to_string(),
    };
    match kind {
        std::io::ErrorKind::NotFound => "there is no such socket".to_owned(),
        std::io::ErrorKind::ConnectionRefused => "nobody listens".to_owned(),
        _ => error.to_string(),
    }
}
