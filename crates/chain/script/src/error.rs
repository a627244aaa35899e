/// Why a script fails. The display text is the reference's (`ScriptErrorString`), which nodes show in reject
/// reasons; [`ScriptError::name`] is the short name of test vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ScriptError {
    /// A check without the data it needs, or a checker that refuses everything.
    #[error("unknown error")]
    UnknownError,
    /// Empty stack or false on top at the end.
    #[error("Script evaluated without error but finished with a false/empty top stack element")]
    EvalFalse,
    /// `OP_RETURN` ran.
    #[error("OP_RETURN was encountered")]
    OpReturn,

    /// Script longer than 10,000 bytes.
    #[error("Script is too big")]
    ScriptSize,
    /// Element longer than 520 bytes.
    #[error("Push value size limit exceeded")]
    PushSize,
    /// More than 201 counted opcodes.
    #[error("Operation limit exceeded")]
    OpCount,
    /// More than 1,000 elements.
    #[error("Stack size limit exceeded")]
    StackSize,
    /// Number of signatures.
    #[error("Signature count negative or greater than pubkey count")]
    SigCount,
    /// Number of keys.
    #[error("Pubkey count negative or limit exceeded")]
    PubkeyCount,

    /// `OP_VERIFY`.
    #[error("Script failed an OP_VERIFY operation")]
    Verify,
    /// `OP_EQUALVERIFY`.
    #[error("Script failed an OP_EQUALVERIFY operation")]
    EqualVerify,
    /// `OP_CHECKMULTISIGVERIFY`.
    #[error("Script failed an OP_CHECKMULTISIGVERIFY operation")]
    CheckMultisigVerify,
    /// `OP_CHECKSIGVERIFY`.
    #[error("Script failed an OP_CHECKSIGVERIFY operation")]
    CheckSigVerify,
    /// `OP_NUMEQUALVERIFY`.
    #[error("Script failed an OP_NUMEQUALVERIFY operation")]
    NumEqualVerify,

    /// Unknown or cut opcode.
    #[error("Opcode missing or not understood")]
    BadOpcode,
    /// Disabled opcode, even when not executed.
    #[error("Attempted to use a disabled opcode")]
    DisabledOpcode,
    /// Too few elements.
    #[error("Operation not valid with the current stack size")]
    InvalidStackOperation,
    /// Too few elements on the alternative stack.
    #[error("Operation not valid with the current altstack size")]
    InvalidAltstackOperation,
    /// `OP_IF` without `OP_ENDIF` and the like.
    #[error("Invalid OP_IF construction")]
    UnbalancedConditional,

    /// Negative argument of a lock time check.
    #[error("Negative locktime")]
    NegativeLocktime,
    /// Lock time not reached.
    #[error("Locktime requirement not satisfied")]
    UnsatisfiedLocktime,

    /// Hash type of a signature.
    #[error("Signature hash type missing or not understood")]
    SigHashType,
    /// Signature not in strict DER.
    #[error("Non-canonical DER signature")]
    SigDer,
    /// Push or number not in its shortest form.
    #[error("Data push larger than necessary")]
    MinimalData,
    /// Unlocking script with other opcodes than pushes.
    #[error("Only push operators allowed in signatures")]
    SigPushOnly,
    /// S in the upper half.
    #[error("Non-canonical signature: S value is unnecessarily high")]
    SigHighS,
    /// Superfluous multisig argument not empty.
    #[error("Dummy CHECKMULTISIG argument must be zero")]
    SigNullDummy,
    /// Key in an unknown form.
    #[error("Public key is neither compressed or uncompressed")]
    PubkeyType,
    /// More than one element left.
    #[error("Stack size must be exactly one after execution")]
    CleanStack,
    /// Argument of `OP_IF` in a version 0 witness script.
    #[error("OP_IF/NOTIF argument must be minimal")]
    MinimalIf,
    /// Failing check with a signature that is not empty.
    #[error("Signature must be zero for failed CHECK(MULTI)SIG operation")]
    SigNullFail,

    /// Reserved NOP.
    #[error("NOPx reserved for soft-fork upgrades")]
    DiscourageUpgradableNops,
    /// Unknown witness version.
    #[error("Witness version reserved for soft-fork upgrades")]
    DiscourageUpgradableWitnessProgram,
    /// Unknown leaf version.
    #[error("Taproot version reserved for soft-fork upgrades")]
    DiscourageUpgradableTaprootVersion,
    /// `OP_SUCCESSx`.
    #[error("OP_SUCCESSx reserved for soft-fork upgrades")]
    DiscourageOpSuccess,
    /// Unknown key type in tapscript.
    #[error("Public key version reserved for soft-fork upgrades")]
    DiscourageUpgradablePubkeyType,

    /// Version 0 program that has neither 20 nor 32 bytes.
    #[error("Witness program has incorrect length")]
    WitnessProgramWrongLength,
    /// No witness.
    #[error("Witness program was passed an empty witness")]
    WitnessProgramWitnessEmpty,
    /// Witness does not fit the program.
    #[error("Witness program hash mismatch")]
    WitnessProgramMismatch,
    /// Unlocking script of a native program not empty.
    #[error("Witness requires empty scriptSig")]
    WitnessMalleated,
    /// Unlocking script of a nested program is not just the redeem script.
    #[error("Witness requires only-redeemscript scriptSig")]
    WitnessMalleatedP2sh,
    /// Witness on an output without program.
    #[error("Witness provided for non-witness script")]
    WitnessUnexpected,
    /// Key of a version 0 witness script not compressed.
    #[error("Using non-compressed keys in segwit")]
    WitnessPubkeyType,

    /// Schnorr signature neither 64 nor 65 bytes.
    #[error("Invalid Schnorr signature size")]
    SchnorrSigSize,
    /// Hash type of a Schnorr signature.
    #[error("Invalid Schnorr signature hash type")]
    SchnorrSigHashType,
    /// Schnorr signature does not verify.
    #[error("Invalid Schnorr signature")]
    SchnorrSig,
    /// Length of a control block.
    #[error("Invalid Taproot control block size")]
    TaprootWrongControlSize,
    /// Signature budget used up.
    #[error("Too much signature validation relative to witness weight")]
    TapscriptValidationWeight,
    /// `OP_CHECKMULTISIG` in tapscript.
    #[error("OP_CHECKMULTISIG(VERIFY) is not available in tapscript")]
    TapscriptCheckMultisig,
    /// Argument of `OP_IF` in tapscript.
    #[error("OP_IF/NOTIF argument must be minimal in tapscript")]
    TapscriptMinimalIf,
    /// Empty key in tapscript.
    #[error("Empty public key in tapscript")]
    TapscriptEmptyPubkey,

    /// `OP_CODESEPARATOR` before segwit.
    #[error("Using OP_CODESEPARATOR in non-witness script")]
    OpCodeSeparator,
    /// Signature inside the script code.
    #[error("Signature is found in scriptCode")]
    SigFindAndDelete,
    /// Number too long or not minimal.
    #[error("Script number overflowed or is non-minimally encoded")]
    ScriptNum,
}

impl ScriptError {
    /// The short name, as test vectors use it.
    pub const fn name(self) -> &'static str {
        use ScriptError as E;
        match self {
            E::UnknownError => "UNKNOWN_ERROR",
            E::EvalFalse => "EVAL_FALSE",
            E::OpReturn => "OP_RETURN",
            E::ScriptSize => "SCRIPT_SIZE",
            E::PushSize => "PUSH_SIZE",
            E::OpCount => "OP_COUNT",
            E::StackSize => "STACK_SIZE",
            E::SigCount => "SIG_COUNT",
            E::PubkeyCount => "PUBKEY_COUNT",
            E::Verify => "VERIFY",
            E::EqualVerify => "EQUALVERIFY",
            E::CheckMultisigVerify => "CHECKMULTISIGVERIFY",
            E::CheckSigVerify => "CHECKSIGVERIFY",
            E::NumEqualVerify => "NUMEQUALVERIFY",
            E::BadOpcode => "BAD_OPCODE",
            E::DisabledOpcode => "DISABLED_OPCODE",
            E::InvalidStackOperation => "INVALID_STACK_OPERATION",
            E::InvalidAltstackOperation => "INVALID_ALTSTACK_OPERATION",
            E::UnbalancedConditional => "UNBALANCED_CONDITIONAL",
            E::NegativeLocktime => "NEGATIVE_LOCKTIME",
            E::UnsatisfiedLocktime => "UNSATISFIED_LOCKTIME",
            E::SigHashType => "SIG_HASHTYPE",
            E::SigDer => "SIG_DER",
            E::MinimalData => "MINIMALDATA",
            E::SigPushOnly => "SIG_PUSHONLY",
            E::SigHighS => "SIG_HIGH_S",
            E::SigNullDummy => "SIG_NULLDUMMY",
            E::PubkeyType => "PUBKEYTYPE",
            E::CleanStack => "CLEANSTACK",
            E::MinimalIf => "MINIMALIF",
            E::SigNullFail => "NULLFAIL",
            E::DiscourageUpgradableNops => "DISCOURAGE_UPGRADABLE_NOPS",
            E::DiscourageUpgradableWitnessProgram => "DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM",
            E::DiscourageUpgradableTaprootVersion => "DISCOURAGE_UPGRADABLE_TAPROOT_VERSION",
            E::DiscourageOpSuccess => "DISCOURAGE_OP_SUCCESS",
            E::DiscourageUpgradablePubkeyType => "DISCOURAGE_UPGRADABLE_PUBKEYTYPE",
            E::WitnessProgramWrongLength => "WITNESS_PROGRAM_WRONG_LENGTH",
            E::WitnessProgramWitnessEmpty => "WITNESS_PROGRAM_WITNESS_EMPTY",
            E::WitnessProgramMismatch => "WITNESS_PROGRAM_MISMATCH",
            E::WitnessMalleated => "WITNESS_MALLEATED",
            E::WitnessMalleatedP2sh => "WITNESS_MALLEATED_P2SH",
            E::WitnessUnexpected => "WITNESS_UNEXPECTED",
            E::WitnessPubkeyType => "WITNESS_PUBKEYTYPE",
            E::SchnorrSigSize => "SCHNORR_SIG_SIZE",
            E::SchnorrSigHashType => "SCHNORR_SIG_HASHTYPE",
            E::SchnorrSig => "SCHNORR_SIG",
            E::TaprootWrongControlSize => "TAPROOT_WRONG_CONTROL_SIZE",
            E::TapscriptValidationWeight => "TAPSCRIPT_VALIDATION_WEIGHT",
            E::TapscriptCheckMultisig => "TAPSCRIPT_CHECKMULTISIG",
            E::TapscriptMinimalIf => "TAPSCRIPT_MINIMALIF",
            E::TapscriptEmptyPubkey => "TAPSCRIPT_EMPTY_PUBKEY",
            E::OpCodeSeparator => "OP_CODESEPARATOR",
            E::SigFindAndDelete => "SIG_FINDANDDELETE",
            E::ScriptNum => "SCRIPTNUM",
        }
    }
}
