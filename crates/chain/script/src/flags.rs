use std::fmt;
use std::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, Not};

/// Script verification flags, a set of bits. All are meant to be soft forks: more flags accept fewer scripts.
/// Reference: `script_verify_flags` in `src/script/interpreter.h`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ScriptFlags(u64);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:expr;)*) => {
        impl ScriptFlags {
            $($(#[$doc])* pub const $name: ScriptFlags = ScriptFlags(1 << $bit);)*
            /// Names and flags, by bit.
            pub const NAMED: &'static [(&'static str, ScriptFlags)] = &[$((stringify!($name), ScriptFlags::$name),)*];
        }
    };
}

flags! {
    /// Evaluate P2SH redeem scripts (BIP16).
    P2SH = 0;
    /// Signatures in strict DER with defined hash type, keys compressed or uncompressed.
    STRICTENC = 1;
    /// Signatures in strict DER (BIP66).
    DERSIG = 2;
    /// S in the lower half of the order.
    LOW_S = 3;
    /// `OP_CHECKMULTISIG`'s superfluous argument must be empty (BIP147).
    NULLDUMMY = 4;
    /// Only pushes in unlocking scripts.
    SIGPUSHONLY = 5;
    /// Shortest pushes and numbers only.
    MINIMALDATA = 6;
    /// Executed NOPs that are reserved for upgrades fail.
    DISCOURAGE_UPGRADABLE_NOPS = 7;
    /// Exactly one element may remain; needs [`ScriptFlags::P2SH`] and [`ScriptFlags::WITNESS`].
    CLEANSTACK = 8;
    /// `OP_CHECKLOCKTIMEVERIFY` (BIP65).
    CHECKLOCKTIMEVERIFY = 9;
    /// `OP_CHECKSEQUENCEVERIFY` (BIP112).
    CHECKSEQUENCEVERIFY = 10;
    /// Segregated witness (BIP141); needs [`ScriptFlags::P2SH`].
    WITNESS = 11;
    /// Unknown witness versions fail.
    DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM = 12;
    /// Version 0 witness scripts: the argument of `OP_IF` is empty or exactly 1.
    MINIMALIF = 13;
    /// Failing signature checks must have empty signatures.
    NULLFAIL = 14;
    /// Version 0 witness scripts: compressed keys only.
    WITNESS_PUBKEYTYPE = 15;
    /// No `OP_CODESEPARATOR` and no signature inside the script code before segwit.
    CONST_SCRIPTCODE = 16;
    /// Taproot and tapscript (BIP341, BIP342).
    TAPROOT = 17;
    /// Unknown Taproot leaf versions fail.
    DISCOURAGE_UPGRADABLE_TAPROOT_VERSION = 18;
    /// `OP_SUCCESSx` fails.
    DISCOURAGE_OP_SUCCESS = 19;
    /// Unknown key types in tapscript fail.
    DISCOURAGE_UPGRADABLE_PUBKEYTYPE = 20;
}

impl ScriptFlags {
    /// No flag.
    pub const NONE: ScriptFlags = ScriptFlags(0);
    /// Every flag.
    pub const ALL: ScriptFlags = ScriptFlags((1 << 21) - 1);
    /// What every new transaction must satisfy, and all blocks since long. Reference: `MANDATORY_SCRIPT_VERIFY_FLAGS`.
    pub const MANDATORY: ScriptFlags = ScriptFlags(
        Self::P2SH.0
            | Self::DERSIG.0
            | Self::NULLDUMMY.0
            | Self::CHECKLOCKTIMEVERIFY.0
            | Self::CHECKSEQUENCEVERIFY.0
            | Self::WITNESS.0
            | Self::TAPROOT.0,
    );
    /// What relay demands. Reference: `STANDARD_SCRIPT_VERIFY_FLAGS`.
    pub const STANDARD: ScriptFlags = ScriptFlags(Self::ALL.0 & !Self::SIGPUSHONLY.0);
    /// The part of [`ScriptFlags::STANDARD`] that is not mandatory.
    pub const STANDARD_NOT_MANDATORY: ScriptFlags = ScriptFlags(Self::STANDARD.0 & !Self::MANDATORY.0);

    /// From a bit mask; unknown bits are kept.
    pub const fn from_bits(bits: u64) -> ScriptFlags {
        ScriptFlags(bits)
    }

    /// The bit mask.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// True when any flag of `other` is set.
    #[inline]
    pub const fn has(self, other: ScriptFlags) -> bool {
        self.0 & other.0 != 0
    }

    /// True without any flag.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The flag of a name such as `CLEANSTACK`.
    pub fn from_name(name: &str) -> Option<ScriptFlags> {
        Self::NAMED.iter().find(|(n, _)| *n == name).map(|(_, f)| *f)
    }

    /// Flags of names joined by commas; an empty text and `NONE` are no flags.
    pub fn from_names(names: &str) -> Option<ScriptFlags> {
        names
            .split(',')
            .filter(|n| !n.is_empty() && *n != "NONE")
            .try_fold(ScriptFlags::NONE, |acc, n| Some(acc | ScriptFlags::from_name(n)?))
    }

    /// Names of the set flags in alphabetical order; unknown bits as one hexadecimal number.
    /// Reference: `GetScriptFlagNames`.
    pub fn names(self) -> Vec<String> {
        let mut out: Vec<String> =
            Self::NAMED.iter().filter(|(_, f)| self.has(*f)).map(|(n, _)| (*n).to_owned()).collect();
        out.sort_unstable();
        let rest = self.0 & !Self::ALL.0;
        if rest != 0 {
            out.push(format!("0x{rest:08x}"));
        }
        out
    }
}

impl BitOr for ScriptFlags {
    type Output = ScriptFlags;
    fn bitor(self, other: ScriptFlags) -> ScriptFlags {
        ScriptFlags(self.0 | other.0)
    }
}

impl BitAnd for ScriptFlags {
    type Output = ScriptFlags;
    fn bitand(self, other: ScriptFlags) -> ScriptFlags {
        ScriptFlags(self.0 & other.0)
    }
}

impl Not for ScriptFlags {
    type Output = ScriptFlags;
    fn not(self) -> ScriptFlags {
        ScriptFlags(!self.0)
    }
}

impl BitOrAssign for ScriptFlags {
    fn bitor_assign(&mut self, other: ScriptFlags) {
        self.0 |= other.0;
    }
}

impl BitAndAssign for ScriptFlags {
    fn bitand_assign(&mut self, other: ScriptFlags) {
        self.0 &= other.0;
    }
}

impl fmt::Debug for ScriptFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScriptFlags({})", self.names().join(","))
    }
}
