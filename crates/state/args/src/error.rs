//! What may be wrong with arguments.

/// Wrong arguments. The texts are the reference's, because programs and tests match them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgsError {
    /// Unknown option, or one with a section.
    #[error("Invalid parameter {0}")]
    InvalidParameter(String),
    /// The first word that is no option is not a command of the program.
    #[error("Invalid command '{0}'")]
    InvalidCommand(String),
    /// A word where only options are allowed.
    #[error("Command line contains unexpected token '{0}', see groestlcoind -h for a list of options.")]
    UnexpectedToken(String),
    /// The option may not be negated.
    #[error("Negating of -{0} is meaningless and therefore forbidden")]
    NegationForbidden(String),
    /// The option needs a value.
    #[error("Can not set -{0} with no value. Please specify value with -{0}=value.")]
    ValueMissing(String),
    /// Only files include files. The value is in JSON.
    #[error("-includeconf cannot be used from commandline; -includeconf={0}")]
    IncludeConfOnCommandLine(String),
    /// More than one network.
    #[error("Invalid combination of -regtest, -signet, -testnet, -testnet4 and -chain. Can use at most one.")]
    ChainCombination,
    /// No network of this name.
    #[error("Unknown chain {0}.")]
    UnknownChain(String),
    /// The client takes one command given as an option.
    #[error("Only one of {0} may be specified.")]
    MultipleCommands(String),
    /// An option with leading dash in a file.
    #[error(
        "parse error on line {line}: {text}, options in configuration file must be specified without leading -"
    )]
    ConfigLeadingDash {
        /// Line number from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// A password that may have been cut off.
    #[error("parse error on line {0}, using # in rpcpassword can be ambiguous and should be avoided")]
    ConfigHashInPassword(usize),
    /// Neither section nor option.
    #[error("parse error on line {line}: {text}{}", negation_hint(.text))]
    ConfigParse {
        /// Line number from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// `conf=` in a file.
    #[error(
        "conf cannot be set in the configuration file; use includeconf= if you want to include additional config files"
    )]
    ConfInConfig,
    /// Unknown option in a file.
    #[error("Invalid configuration value {0}")]
    ConfigInvalidValue(String),
    /// The configuration file is a directory.
    #[error("Config file \"{0}\" is a directory.")]
    ConfigIsDirectory(String),
    /// `-conf` names a file that cannot be read.
    #[error("specified config file \"{0}\" could not be opened.")]
    ConfigNotOpened(String),
    /// An included file is a directory.
    #[error("Included config file \"{0}\" is a directory.")]
    IncludeIsDirectory(String),
    /// An included file cannot be read.
    #[error("Failed to include configuration file {0}")]
    IncludeFailed(String),
    /// `noincludeconf=0` in a file: true is no name. The text is that of the reference's JSON library.
    #[error("JSON value of type bool is not of expected type string")]
    IncludeNotText,
    /// `datadir=` in the file names no directory.
    #[error("specified data directory \"{0}\" does not exist.")]
    DataDirMissing(String),
}

fn negation_hint(text: &str) -> String {
    if text.starts_with("no") {
        format!(", if you intended to specify a negated option, use {text}=1 instead")
    } else {
        String::new()
    }
}
