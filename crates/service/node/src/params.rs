//! Network parameters from options.

use grs_args::{ArgsManager, ChainType};
use grs_log::info;
use grs_params::{ChainParams, Network, ParamsOptions, RegtestOptions, SignetOptions};

/// The network that a chain type names.
pub fn network(chain: ChainType) -> Network {
    match chain {
        ChainType::Main => Network::Main,
        ChainType::Testnet => Network::Test,
        ChainType::Testnet4 => Network::Testnet4,
        ChainType::Signet => Network::Signet,
        ChainType::Regtest => Network::Regtest,
    }
}

/// Parameters of the network that the options choose, changed as they say. An error is text for the user.
pub fn from_args(args: &ArgsManager) -> Result<ChainParams, String> {
    let network = network(args.chain_type().map_err(|e| e.to_string())?);
    let mut options = ParamsOptions::default();
    match network {
        Network::Signet => {
            options.signet =
                SignetOptions::parse(&args.get_list("-signetchallenge"), &args.get_list("-signetseednode"))
                    .map_err(|e| e.to_string())?;
        }
        Network::Regtest => {
            options.regtest = RegtestOptions::parse(
                &args.get_list("-testactivationheight"),
                &args.get_list("-vbparams"),
                args.get_bool("-fastprune", false),
            )
            .map_err(|e| e.to_string())?;
        }
        _ => {}
    }
    options.log_lines(network).iter().for_each(|line| info!("{line}"));
    Ok(ChainParams::new(network, &options))
}
