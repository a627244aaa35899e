/// Rules whose activation height is fixed (BIP90).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BuriedDeployment {
    /// BIP34: height in the coinbase.
    HeightInCoinbase,
    /// BIP65: `OP_CHECKLOCKTIMEVERIFY`.
    Cltv,
    /// BIP66: strict DER signatures.
    Dersig,
    /// BIP68, BIP112, BIP113: relative lock times.
    Csv,
    /// BIP141, BIP143, BIP147: segregated witness.
    Segwit,
}

impl BuriedDeployment {
    /// All, in the order of `getdeploymentinfo`.
    pub const ALL: [BuriedDeployment; 5] = [
        BuriedDeployment::HeightInCoinbase,
        BuriedDeployment::Dersig,
        BuriedDeployment::Cltv,
        BuriedDeployment::Csv,
        BuriedDeployment::Segwit,
    ];

    /// Name in RPC results.
    pub const fn name(self) -> &'static str {
        match self {
            BuriedDeployment::HeightInCoinbase => "bip34",
            BuriedDeployment::Cltv => "bip65",
            BuriedDeployment::Dersig => "bip66",
            BuriedDeployment::Csv => "csv",
            BuriedDeployment::Segwit => "segwit",
        }
    }

    /// The deployment that `-testactivationheight` calls by this name (reference: `GetBuriedDeployment`).
    pub fn from_option_name(name: &str) -> Option<BuriedDeployment> {
        match name {
            "segwit" => Some(BuriedDeployment::Segwit),
            "bip34" => Some(BuriedDeployment::HeightInCoinbase),
            "dersig" => Some(BuriedDeployment::Dersig),
            "cltv" => Some(BuriedDeployment::Cltv),
            "csv" => Some(BuriedDeployment::Csv),
            _ => None,
        }
    }
}

/// Rules activated by version bits (BIP9).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DeploymentPos {
    /// A deployment for tests.
    TestDummy,
    /// BIP340 to BIP342.
    Taproot,
}

/// Number of [`DeploymentPos`] values.
pub const DEPLOYMENT_COUNT: usize = 2;

impl DeploymentPos {
    /// All, in the reference's order.
    pub const ALL: [DeploymentPos; DEPLOYMENT_COUNT] = [DeploymentPos::TestDummy, DeploymentPos::Taproot];

    /// Name in RPC results and in `-vbparams`.
    pub const fn name(self) -> &'static str {
        match self {
            DeploymentPos::TestDummy => "testdummy",
            DeploymentPos::Taproot => "taproot",
        }
    }

    /// The deployment of this name.
    pub fn from_name(name: &str) -> Option<DeploymentPos> {
        DeploymentPos::ALL.into_iter().find(|d| d.name() == name)
    }

    /// Whether a miner may ignore the rule when it uses a template (`getblocktemplate`).
    pub const fn gbt_optional_rule(self) -> bool {
        true
    }

    /// Position in arrays of deployments.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Terms of one version bits deployment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bip9Deployment {
    /// Bit of the block version.
    pub bit: u8,
    /// Median time past from which blocks are counted, in seconds; or one of the special values.
    pub start_time: i64,
    /// Median time past at which the attempt fails, in seconds.
    pub timeout: i64,
    /// Least height of activation after lock-in.
    pub min_activation_height: i32,
    /// Blocks in which signals are counted together.
    pub period: u32,
    /// Signals per period that lock in.
    pub threshold: u32,
}

impl Bip9Deployment {
    /// Timeout that never comes.
    pub const NO_TIMEOUT: i64 = i64::MAX;
    /// Start time of a deployment that is active from the first block on.
    pub const ALWAYS_ACTIVE: i64 = -1;
    /// Start time of a deployment that never becomes active.
    pub const NEVER_ACTIVE: i64 = -2;

    /// The deployment's bit as a mask of the block version.
    pub const fn mask(&self) -> u32 {
        1 << (self.bit & 31)
    }

    /// False when it can never become active (reference: `DeploymentEnabled`).
    pub const fn is_enabled(&self) -> bool {
        self.start_time != Bip9Deployment::NEVER_ACTIVE
    }
}
