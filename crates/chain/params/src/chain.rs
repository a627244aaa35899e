use grs_encoding::hex_decode;
use grs_hashes::{BlockHash, Hash256, purpose};
use grs_primitives::Block;
use grs_uint::{CompactTarget, U256};

use crate::genesis::genesis_block;
use crate::seeds::{dns_seeds, fixed_seeds};
use crate::{Bip9Deployment, BuriedDeployment, DEPLOYMENT_COUNT, DeploymentPos, Network, ParamsOptions};

const DEFAULT_SIGNET_CHALLENGE: &str =
    "51210379156a07950b904a74e0d276e6d96bb61c4e0f89c9f69d3a5f75f161c9f8684051ae";

/// First bytes of messages, for signet with the default challenge.
pub(crate) const fn default_magic(network: Network) -> [u8; 4] {
    match network {
        Network::Main => [0xf9, 0xbe, 0xb4, 0xd4],
        Network::Test => [0x0b, 0x11, 0x09, 0x07],
        Network::Testnet4 => [0x1c, 0x16, 0x3f, 0x28],
        Network::Signet => [0x6f, 0x89, 0x2b, 0x8f],
        Network::Regtest => [0xfa, 0xbf, 0xb5, 0xda],
    }
}

/// Script rules of a block that breaks the usual ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScriptFlagException {
    /// No rule of the always active ones (P2SH, witness, taproot) holds.
    None,
    /// P2SH and witness rules hold, taproot rules do not.
    P2shWitness,
}

/// Version bytes of Base58Check texts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Base58Prefixes {
    /// Pay-to-public-key-hash addresses.
    pub pubkey_address: u8,
    /// Pay-to-script-hash addresses.
    pub script_address: u8,
    /// Private keys (WIF).
    pub secret_key: u8,
    /// Extended public keys.
    pub ext_public_key: [u8; 4],
    /// Extended private keys.
    pub ext_secret_key: [u8; 4],
}

/// A UTXO snapshot that may be loaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AssumeutxoData {
    /// Height of the base block.
    pub height: i32,
    /// Hash over the serialized UTXO set.
    pub hash_serialized: Hash256,
    /// Transactions in the chain up to the base block.
    pub chain_tx_count: u64,
    /// Base block.
    pub block_hash: BlockHash,
}

/// What the progress of verification is guessed from.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ChainTxData {
    /// Time at which the number was taken, in seconds.
    pub time: i64,
    /// Transactions up to then.
    pub tx_count: u64,
    /// Transactions per second after it.
    pub tx_rate: f64,
}

/// Memory bounds of the headers presync.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeadersSyncParams {
    /// Blocks between two commitments.
    pub commitment_period: usize,
    /// Headers held back until enough commitments behind them have been verified.
    pub redownload_buffer_size: usize,
}

/// The terms that validity depends on.
#[derive(Clone, Debug)]
pub struct ConsensusParams {
    /// Hash of the first block.
    pub genesis_hash: BlockHash,
    /// Blocks that break the usual script rules. No Groestlcoin block is among them: the entries are
    /// Bitcoin's, as in the reference.
    pub script_flag_exceptions: Vec<(BlockHash, ScriptFlagException)>,
    /// BIP34 activation.
    pub bip34_height: i32,
    /// The block at that height; zero when not known.
    pub bip34_hash: BlockHash,
    /// BIP65 activation.
    pub bip65_height: i32,
    /// BIP66 activation.
    pub bip66_height: i32,
    /// BIP68, BIP112 and BIP113 activation.
    pub csv_height: i32,
    /// BIP141 activation.
    pub segwit_height: i32,
    /// No warnings about unknown version bits below.
    pub min_bip9_warning_height: i32,
    /// Version bits deployments, by [`DeploymentPos::index`].
    pub deployments: [Bip9Deployment; DEPLOYMENT_COUNT],
    /// The largest target.
    pub pow_limit: U256,
    /// A block that comes late may have the largest target.
    pub pow_allow_min_difficulty_blocks: bool,
    /// Means "blocks are mined on demand" only; the difficulty rules do not look at it.
    pub pow_no_retargeting: bool,
    /// BIP94 timewarp rule; off everywhere.
    pub enforce_bip94: bool,
    /// Seconds between blocks. The difficulty rules use 60 whatever this says.
    pub pow_target_spacing: i64,
    /// Seconds of a difficulty period in the sense of [`ConsensusParams::difficulty_adjustment_interval`].
    pub pow_target_timespan: i64,
    /// Least work of a chain worth following.
    pub minimum_chain_work: U256,
    /// Scripts below this block are taken as valid; zero for none.
    pub default_assume_valid: BlockHash,
    /// Blocks carry a solution of the challenge (BIP325).
    pub signet_blocks: bool,
    /// Script that blocks of a signet satisfy.
    pub signet_challenge: Vec<u8>,
}

impl ConsensusParams {
    /// Blocks per difficulty period; only templates, statistics and warnings use it.
    pub const fn difficulty_adjustment_interval(&self) -> i64 {
        self.pow_target_timespan / self.pow_target_spacing
    }

    /// Activation height of a buried deployment.
    pub const fn deployment_height(&self, deployment: BuriedDeployment) -> i32 {
        match deployment {
            BuriedDeployment::HeightInCoinbase => self.bip34_height,
            BuriedDeployment::Cltv => self.bip65_height,
            BuriedDeployment::Dersig => self.bip66_height,
            BuriedDeployment::Csv => self.csv_height,
            BuriedDeployment::Segwit => self.segwit_height,
        }
    }

    /// Whether a buried deployment's rules hold for the block at `height`.
    pub const fn is_active_at(&self, deployment: BuriedDeployment, height: i32) -> bool {
        height >= self.deployment_height(deployment)
    }

    /// Terms of a version bits deployment.
    pub const fn deployment(&self, deployment: DeploymentPos) -> &Bip9Deployment {
        &self.deployments[deployment.index()]
    }

    /// [`ConsensusParams::pow_limit`] in compact form.
    pub fn pow_limit_bits(&self) -> CompactTarget {
        CompactTarget::from_target(self.pow_limit)
    }
}

/// All that differs between networks.
#[derive(Clone, Debug)]
pub struct ChainParams {
    /// Which network.
    pub network: Network,
    /// Terms of validity.
    pub consensus: ConsensusParams,
    /// First bytes of each P2P message and of each record in block files.
    pub magic: [u8; 4],
    /// Default P2P port.
    pub default_port: u16,
    /// Height below which nothing is pruned.
    pub prune_after_height: u64,
    /// Expected size of the blocks, GB.
    pub assumed_blockchain_size: u64,
    /// Expected size of the chain state, GB.
    pub assumed_chain_state_size: u64,
    /// The first block.
    pub genesis: Block,
    /// Host names to look up for peers.
    pub dns_seeds: Vec<String>,
    /// Peers to start with when nothing else helps: BIP155 records (network id, address, port).
    pub fixed_seeds: Vec<u8>,
    /// Base58Check version bytes.
    pub base58: Base58Prefixes,
    /// Human-readable part of bech32 addresses.
    pub bech32_hrp: &'static str,
    /// Default of `-checkmempool` and `-checkblockindex`.
    pub default_consistency_checks: bool,
    /// Whether `setmocktime` is allowed.
    pub is_mockable: bool,
    /// Snapshots that may be loaded.
    pub assumeutxo: Vec<AssumeutxoData>,
    /// For the progress of verification.
    pub chain_tx_data: ChainTxData,
    /// For the headers presync.
    pub headers_sync: HeadersSyncParams,
}

fn u256(text: &str) -> U256 {
    U256::from_hex(text).expect("constants are valid")
}

fn hash(text: &str) -> BlockHash {
    text.parse().expect("constants are valid")
}

impl ChainParams {
    /// Terms of a network with its options.
    pub fn new(network: Network, options: &ParamsOptions) -> ChainParams {
        let mut params = ChainParams::common(network);
        match network {
            Network::Main => params.set_main(),
            Network::Test => params.set_test(),
            Network::Testnet4 => params.set_testnet4(),
            Network::Signet => params.set_signet(options),
            Network::Regtest => params.set_regtest(options),
        }
        params
    }

    /// Terms of a network without options.
    pub fn for_network(network: Network) -> ChainParams {
        ChainParams::new(network, &ParamsOptions::default())
    }

    /// Heights of the snapshots that may be loaded.
    pub fn available_snapshot_heights(&self) -> Vec<i32> {
        self.assumeutxo.iter().map(|a| a.height).collect()
    }

    /// The snapshot at a height.
    pub fn assumeutxo_for_height(&self, height: i32) -> Option<&AssumeutxoData> {
        self.assumeutxo.iter().find(|a| a.height == height)
    }

    /// The snapshot whose base is this block.
    pub fn assumeutxo_for_block_hash(&self, block_hash: &BlockHash) -> Option<&AssumeutxoData> {
        self.assumeutxo.iter().find(|a| a.block_hash == *block_hash)
    }

    /// True for all but the main network.
    pub fn is_test_chain(&self) -> bool {
        self.network.is_test_chain()
    }

    /// Whether blocks can be mined on demand.
    pub fn mine_blocks_on_demand(&self) -> bool {
        self.consensus.pow_no_retargeting
    }

    /// What most test networks share; the setters below change the rest.
    fn common(network: Network) -> ChainParams {
        let main = matches!(network, Network::Main);
        let deployment = |bit, start_time, timeout| Bip9Deployment {
            bit,
            start_time,
            timeout,
            min_activation_height: 0,
            period: 2016,
            threshold: if matches!(network, Network::Main | Network::Signet) { 1815 } else { 1512 },
        };
        let genesis = genesis_block(network);
        ChainParams {
            network,
            consensus: ConsensusParams {
                genesis_hash: genesis.hash(),
                script_flag_exceptions: Vec::new(),
                bip34_height: 1,
                bip34_hash: BlockHash::ZERO,
                bip65_height: 1,
                bip66_height: 1,
                csv_height: 1,
                segwit_height: 1,
                min_bip9_warning_height: 0,
                deployments: [
                    deployment(28, Bip9Deployment::NEVER_ACTIVE, Bip9Deployment::NO_TIMEOUT),
                    deployment(2, Bip9Deployment::ALWAYS_ACTIVE, Bip9Deployment::NO_TIMEOUT),
                ],
                pow_limit: !U256::ZERO >> 24,
                pow_allow_min_difficulty_blocks: false,
                pow_no_retargeting: false,
                enforce_bip94: false,
                pow_target_spacing: 60,
                pow_target_timespan: 14 * 24 * 60 * 60,
                minimum_chain_work: U256::ZERO,
                default_assume_valid: BlockHash::ZERO,
                signet_blocks: false,
                signet_challenge: Vec::new(),
            },
            magic: default_magic(network),
            default_port: network.p2p_port(),
            prune_after_height: 10_000_000,
            assumed_blockchain_size: 0,
            assumed_chain_state_size: 0,
            genesis,
            dns_seeds: dns_seeds(network).iter().map(|s| (*s).to_owned()).collect(),
            fixed_seeds: fixed_seeds(network),
            base58: Base58Prefixes {
                pubkey_address: if main { 36 } else { 111 },
                script_address: if main { 5 } else { 196 },
                secret_key: if main { 128 } else { 239 },
                ext_public_key: if main { [0x04, 0x88, 0xb2, 0x1e] } else { [0x04, 0x35, 0x87, 0xcf] },
                ext_secret_key: if main { [0x04, 0x88, 0xad, 0xe4] } else { [0x04, 0x35, 0x83, 0x94] },
            },
            bech32_hrp: network.bech32_hrp(),
            default_consistency_checks: false,
            is_mockable: false,
            assumeutxo: Vec::new(),
            chain_tx_data: ChainTxData { time: 0, tx_count: 0, tx_rate: 0.0 },
            headers_sync: HeadersSyncParams { commitment_period: 588, redownload_buffer_size: 10508 },
        }
    }

    /// 15 December 2020 to 31 December 2021.
    fn set_taproot_times(&mut self) {
        let taproot = &mut self.consensus.deployments[DeploymentPos::Taproot.index()];
        taproot.start_time = 1_607_990_401;
        taproot.timeout = 1_640_908_799;
    }

    fn set_main(&mut self) {
        self.set_taproot_times();
        let c = &mut self.consensus;
        c.script_flag_exceptions = vec![
            (
                hash("00000000000002dc756eebf4f49723ed8d30cc28a5f108eb94b1ba88ac4f9c22"),
                ScriptFlagException::None,
            ),
            (
                hash("0000000000000000000f14c35b2d841e986ab5441de8c585d5ffe55ea1e395ad"),
                ScriptFlagException::P2shWitness,
            ),
        ];
        c.bip34_height = 800_000;
        c.bip34_hash = hash("0000000007f3f37410d5f7e71a07bf09bb802d5af6726fc891f0248ad857708c");
        c.bip65_height = 2_464_000;
        c.bip66_height = 800_000;
        c.csv_height = 1_439_424;
        c.segwit_height = 1_439_424;
        c.min_bip9_warning_height = 2_466_016;
        c.pow_limit = !U256::ZERO >> 20;
        c.minimum_chain_work = u256("0000000000000000000000000000000000000000000001fb282e680efe15e73e");
        c.default_assume_valid = hash("00000000000012d90cb55b1e1dd8c2ad3dfd01377339bcd3d5ff36f07365c5d9");
        self.assumed_blockchain_size = 6;
        self.assumed_chain_state_size = 1;
        self.chain_tx_data =
            ChainTxData { time: 1_775_399_323, tx_count: 7_604_946, tx_rate: 0.017_339_474_397_182_34 };
    }

    fn set_test(&mut self) {
        self.set_taproot_times();
        let c = &mut self.consensus;
        c.script_flag_exceptions = vec![(
            hash("00000000dd30457c001f4095d208cc1296b0eed002427aa599874af7a432b105"),
            ScriptFlagException::None,
        )];
        c.bip34_height = 286;
        c.bip34_hash = hash("0000004b7778ba253a75b716c55b2c6609b5fb97691b3260978f9ce4a633106d");
        c.bip65_height = 982_000;
        c.bip66_height = 286;
        c.csv_height = 6_048;
        c.segwit_height = 6_048;
        c.min_bip9_warning_height = 984_016;
        c.pow_allow_min_difficulty_blocks = true;
        c.minimum_chain_work = u256("0000000000000000000000000000000000000000000000000000603c29fc6dfe");
        c.default_assume_valid = hash("000000e75261a2e116d21333cf28c11e66711b7dd8d439b9ca19f69de565982c");
        self.prune_after_height = 1_000_000;
        self.assumed_blockchain_size = 3;
        self.assumed_chain_state_size = 1;
        self.chain_tx_data =
            ChainTxData { time: 1_775_399_168, tx_count: 4_472_009, tx_rate: 0.010_467_736_532_781_14 };
    }

    fn set_testnet4(&mut self) {
        self.consensus.pow_allow_min_difficulty_blocks = true;
        self.prune_after_height = 1000;
        // The reference's list holds one entry without values.
        self.assumeutxo = vec![AssumeutxoData {
            height: 0,
            hash_serialized: Hash256::ZERO,
            chain_tx_count: 0,
            block_hash: BlockHash::ZERO,
        }];
    }

    fn set_signet(&mut self, options: &ParamsOptions) {
        let c = &mut self.consensus;
        c.signet_blocks = true;
        c.pow_limit = u256("00000377ae000000000000000000000000000000000000000000000000000000");
        if let Some(challenge) = &options.signet.challenge {
            c.signet_challenge = challenge.clone();
            self.dns_seeds.clear();
            self.fixed_seeds.clear();
        } else {
            c.signet_challenge = hex_decode(DEFAULT_SIGNET_CHALLENGE).expect("constants are valid");
            c.minimum_chain_work = u256("00000000000000000000000000000000000000000000000000000a597666af14");
            c.default_assume_valid = hash("0000001e31e60bd02a5914ef28ca8bd752c75794b37d6efe49b4d8433f0d09f7");
            self.assumed_blockchain_size = 2;
            self.assumed_chain_state_size = 1;
            self.chain_tx_data =
                ChainTxData { time: 1_775_375_415, tx_count: 2_245_015, tx_rate: 0.015_972_422_614_080_38 };
        }
        if let Some(seeds) = &options.signet.seeds {
            self.dns_seeds.clone_from(seeds);
        }
        self.magic = purpose::signet_magic(&self.consensus.signet_challenge);
    }

    fn set_regtest(&mut self, options: &ParamsOptions) {
        let options = &options.regtest;
        let c = &mut self.consensus;
        c.segwit_height = 0;
        c.pow_limit = !U256::ZERO >> 8;
        c.pow_target_spacing = 1;
        c.pow_allow_min_difficulty_blocks = true;
        c.pow_no_retargeting = true;
        for deployment in &mut c.deployments {
            deployment.period = 144;
            deployment.threshold = 108;
        }
        c.deployments[DeploymentPos::TestDummy.index()].start_time = 0;
        for (deployment, height) in &options.activation_heights {
            let slot = match deployment {
                BuriedDeployment::HeightInCoinbase => &mut c.bip34_height,
                BuriedDeployment::Cltv => &mut c.bip65_height,
                BuriedDeployment::Dersig => &mut c.bip66_height,
                BuriedDeployment::Csv => &mut c.csv_height,
                BuriedDeployment::Segwit => &mut c.segwit_height,
            };
            *slot = *height;
        }
        for terms in &options.version_bits {
            let deployment = &mut c.deployments[terms.deployment.index()];
            deployment.start_time = terms.start_time;
            deployment.timeout = terms.timeout;
            deployment.min_activation_height = terms.min_activation_height;
        }
        if options.fastprune {
            self.prune_after_height = 100;
        }
        self.default_consistency_checks = true;
        self.is_mockable = true;
        self.chain_tx_data.tx_rate = 0.001;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RegtestOptions, SignetOptions};

    #[test]
    fn compact_limits_and_magics() {
        for (network, bits) in [
            (Network::Main, 0x1e0f_ffff),
            (Network::Test, 0x1e00_ffff),
            (Network::Testnet4, 0x1e00_ffff),
            (Network::Signet, 0x1e03_77ae),
            (Network::Regtest, 0x2000_ffff),
        ] {
            let params = ChainParams::for_network(network);
            assert_eq!(params.consensus.pow_limit_bits(), CompactTarget(bits), "{network}");
            assert_eq!(params.magic, default_magic(network), "{network}");
            assert_eq!(Network::from_magic(params.magic), Some(network));
            assert_eq!(Network::from_name(network.name()), Some(network));
            assert_eq!(params.consensus.genesis_hash, params.genesis.header.header().compute_hash());
        }
        assert_eq!(
            ChainParams::for_network(Network::Regtest).consensus.pow_limit.to_string(),
            "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        );
    }

    #[test]
    fn custom_signet_has_nothing_of_the_default_one() {
        let options = ParamsOptions {
            signet: SignetOptions { challenge: Some(vec![0x51]), seeds: Some(vec!["a:1".into()]) },
            ..ParamsOptions::default()
        };
        let params = ChainParams::new(Network::Signet, &options);
        assert_eq!(params.magic, purpose::signet_magic(&[0x51]));
        assert!(params.consensus.minimum_chain_work.is_zero());
        assert!(params.fixed_seeds.is_empty());
        assert_eq!(params.dns_seeds, ["a:1"]);
        assert_eq!(Network::from_magic(params.magic), None);
    }

    #[test]
    fn regtest_options_apply() {
        let regtest = RegtestOptions::parse(
            &["segwit@7".into(), "segwit@8".into(), "cltv@5".into()],
            &["taproot:1:2:3".into()],
            true,
        )
        .unwrap();
        let params =
            ChainParams::new(Network::Regtest, &ParamsOptions { regtest, ..ParamsOptions::default() });
        assert_eq!(params.consensus.segwit_height, 8);
        assert!(!params.consensus.is_active_at(BuriedDeployment::Cltv, 4));
        assert!(params.consensus.is_active_at(BuriedDeployment::Cltv, 5));
        assert_eq!(params.prune_after_height, 100);
        let taproot = params.consensus.deployment(DeploymentPos::Taproot);
        assert_eq!((taproot.start_time, taproot.timeout, taproot.min_activation_height), (1, 2, 3));
        assert_eq!((taproot.period, taproot.threshold, taproot.mask()), (144, 108, 4));
    }
}
