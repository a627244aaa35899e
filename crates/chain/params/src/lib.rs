//! Networks: genesis blocks, deployments, subsidy, seeds, address prefixes.
//!
//! [`ChainParams`] holds all that differs between networks. It is built once at start, from the network and the
//! few options that change it ([`ParamsOptions`]), and then only read.
//! Reference: `src/kernel/chainparams.cpp`, `src/chainparams.cpp`, `src/chainparamsbase.cpp`.

mod chain;
mod deployments;
mod genesis;
mod network;
mod options;
mod seeds;
mod subsidy;

pub use chain::{
    AssumeutxoData, Base58Prefixes, ChainParams, ChainTxData, ConsensusParams, HeadersSyncParams,
    ScriptFlagException,
};
pub use deployments::{Bip9Deployment, BuriedDeployment, DEPLOYMENT_COUNT, DeploymentPos};
pub use network::{Network, UnknownNetwork};
pub use options::{ParamsError, ParamsOptions, RegtestOptions, SignetOptions, VersionBitsParameters};
pub use subsidy::{FIRST_MINIMUM_SUBSIDY_HEIGHT, block_subsidy};
