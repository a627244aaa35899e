//! The program `groestlcoin-cli` (reference: `groestlcoin-cli.cpp`).

use std::io::Write;

use grs_args::{ArgsManager, ChainType, Program, check_data_dir_option, options, write_json};
use serde_json::{Value, json};

use crate::call::{CliError, Handler, Plain, call, request_text, result_reply, type_name, wallet_name};
use crate::console::{end_line, read_line, read_secret};
use crate::convert::{Params, named, positional};
use crate::getinfo::{self, GetInfo};
use crate::netinfo::{NetInfo, network_index, routable_networks};
use crate::netinfo_help;
use crate::version::FULL_VERSION;

const WALLET_NOT_SPECIFIED: i64 = -19;
const FAILURE: i32 = 1;
const DEFAULT_BLOCKS: &str = "1";

/// Runs the program with the words after its name; gives the exit code.
pub fn run(words: &[String]) -> i32 {
    let args = ArgsManager::new().declare(options::HELP).declare(options::CLI).declare(options::CHAIN);
    match init(&args, words) {
        Ok(None) => {}
        Ok(Some(code)) => return code,
        Err(text) => {
            eprintln!("{text}");
            return FAILURE;
        }
    }
    // Options end at the first word that is none; what follows belongs to the command.
    let first = words.iter().position(|w| !w.starts_with('-')).unwrap_or(words.len());
    let (text, code) = match command(&args, words[first..].to_vec()) {
        Ok(Output::Text(text)) => (text, 0),
        Ok(Output::Error { text, code }) => (text, code),
        Err(error) => (format!("error: {error}"), FAILURE),
    };
    if !text.is_empty() {
        if code == 0 {
            show(&format!("{text}\n"));
        } else {
            eprintln!("{text}");
        }
    }
    code
}

/// Prints a result. A reader that has gone (`| head`) has what it wanted.
fn show(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Reads options and configuration file. An exit code, if there is nothing more to do.
fn init(args: &ArgsManager, words: &[String]) -> Result<Option<i32>, String> {
    args.parse_parameters(words).map_err(|e| format!("Error parsing command line arguments: {e}"))?;
    let version = args.get_bool("-version", false);
    if words.is_empty() || args.help_requested() || version {
        let program = Program::Cli;
        let text =
            if version { program.version_text(FULL_VERSION) } else { program.help_text(FULL_VERSION, args) };
        show(&text);
        if words.is_empty() {
            return Err("Error: too few parameters".to_owned());
        }
        return Ok(Some(0));
    }
    if !check_data_dir_option(args) {
        let dir = args.get_str("-datadir", "");
        return Err(format!("Error: Specified data directory \"{dir}\" does not exist."));
    }
    args.read_config_files(true).map_err(|e| format!("Error reading configuration file: {e}"))?;
    let network = args.chain_type().map_err(|e| format!("Error: {e}"))?;
    args.select_config_network(network);
    Ok(None)
}

/// What the program prints, and where.
enum Output {
    /// To standard output; nothing when empty.
    Text(String),
    /// To standard error.
    Error { text: String, code: i32 },
}

fn command(args: &ArgsManager, mut words: Vec<String>) -> Result<Output, CliError> {
    read_stdin(args, &mut words)?;
    args.check_multiple_cli_args().map_err(|e| CliError::other(e.to_string()))?;
    let given = |name: &str| args.get_bool(name, false);
    let wallet = wallet_name(args);
    let handler: Box<dyn Handler> = if given("-getinfo") {
        if !words.is_empty() {
            return Err(CliError::other("-getinfo takes no arguments"));
        }
        Box::new(GetInfo)
    } else if given("-netinfo") {
        if words.first().is_some_and(|word| word == "h" || word == "help") {
            return Ok(Output::Text(netinfo_help::HELP.to_owned()));
        }
        let chain = match args.network() {
            None | Some(ChainType::Main) => String::new(),
            Some(ChainType::Testnet) => " testnet".to_owned(),
            Some(other) => format!(" {other}"),
        };
        Box::new(NetInfo::new(&words, chain)?)
    } else if given("-generate") {
        let address = call(args, &Plain::bare("getnewaddress"), wallet.as_deref())?;
        if !address["error"].is_null() {
            return error_output(&address["error"]);
        }
        Box::new(Generate::new(address["result"].as_str().unwrap_or_default(), words)?)
    } else if given("-addrinfo") {
        if !words.is_empty() {
            return Err(CliError::other("-addrinfo takes no arguments"));
        }
        Box::new(AddrInfo)
    } else {
        if words.is_empty() {
            return Err(CliError::other("too few parameters (need at least command)"));
        }
        let method = words.remove(0);
        let convert = if given("-named") { named } else { positional };
        let params = convert(&method, &words);
        Box::new(Plain { method, params })
    };
    let reply = call(args, handler.as_ref(), wallet.as_deref())?;
    if !reply["error"].is_null() {
        return error_output(&reply["error"]);
    }
    let result = &reply["result"];
    if given("-getinfo") {
        let balances = if wallet.is_none() { getinfo::wallet_balances(args)? } else { None };
        return getinfo::text(args, result, balances.as_deref()).map(Output::Text);
    }
    Ok(Output::Text(match result {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => write_json(other, 2),
    }))
}

/// Takes password, passphrase and arguments from standard input, as asked.
fn read_stdin(args: &ArgsManager, words: &mut Vec<String>) -> Result<(), CliError> {
    let missing =
        |option: &str| CliError::other(format!("{option} specified but failed to read from standard input"));
    if args.get_bool("-stdinrpcpass", false) {
        let password = read_secret("RPC password").ok_or_else(|| missing("-stdinrpcpass"))?;
        args.force_set("-rpcpassword", &password);
    }
    if args.get_bool("-stdinwalletpassphrase", false) {
        if !words.first().is_some_and(|word| word.starts_with("walletpassphrase")) {
            return Err(CliError::other(
                "-stdinwalletpassphrase is only applicable for walletpassphrase(change)",
            ));
        }
        let passphrase = read_secret("Wallet passphrase").ok_or_else(|| missing("-stdinwalletpassphrase"))?;
        words.insert(1, passphrase);
    }
    if args.get_bool("-stdin", false) {
        words.extend(std::iter::from_fn(read_line));
        end_line();
    }
    Ok(())
}

/// Text and exit code for the error of a call.
fn error_output(error: &Value) -> Result<Output, CliError> {
    let code = &error["code"];
    let mut text = String::new();
    if error.is_object() {
        if !code.is_null() {
            let code = code.as_str().map_or_else(|| code.to_string(), str::to_owned);
            text = format!("error code: {code}\n");
        }
        if let Some(message) = error["message"].as_str() {
            text += &format!("error message:\n{message}");
        }
        if code.as_i64() == Some(WALLET_NOT_SPECIFIED) {
            text += " Or for the CLI, specify the \"-rpcwallet=<walletname>\" option before the command (run \
                     \"groestlcoin-cli -h\" for help or \"groestlcoin-cli listwallets\" to see which wallets are \
                     currently loaded).";
        }
    }
    match code {
        Value::Number(number) => {
            let code = number.as_i64().and_then(|code| i32::try_from(code.unsigned_abs()).ok());
            let code = code.ok_or_else(|| CliError::other("JSON integer out of range"))?;
            Ok(Output::Error { text, code })
        }
        other => {
            let ty = type_name(other);
            Err(CliError::other(format!("JSON value of type {ty} is not of expected type number")))
        }
    }
}

/// `-generate`: mines to a new address.
struct Generate {
    address: String,
    request: String,
}

impl Generate {
    fn new(address: &str, mut words: Vec<String>) -> Result<Self, CliError> {
        if words.len() > 2 {
            return Err(CliError::other("too many arguments (maximum 2 for nblocks and maxtries)"));
        }
        match words.first().map(String::as_str) {
            None => words.push(DEFAULT_BLOCKS.to_owned()),
            Some("0") => {
                return Err(CliError::other(format!(
                    "the first argument (number of blocks to generate, default: {DEFAULT_BLOCKS}) must be an integer \
                     value greater than zero"
                )));
            }
            Some(_) => {}
        }
        words.insert(1, address.to_owned());
        let params = positional("generatetoaddress", &words)?;
        let request = request_text("generatetoaddress", &params, 1);
        Ok(Self { address: address.to_owned(), request })
    }
}

impl Handler for Generate {
    fn request(&self) -> Result<String, CliError> {
        Ok(self.request.clone())
    }

    fn reply(&self, reply: Value) -> Result<Value, CliError> {
        Ok(result_reply(json!({ "address": self.address, "blocks": reply["result"] })))
    }
}

/// `-addrinfo`: addresses that the node knows, by network.
struct AddrInfo;

impl Handler for AddrInfo {
    fn request(&self) -> Result<String, CliError> {
        Ok(request_text("getnodeaddresses", &Params::Array(vec![0.into()]), 1))
    }

    fn reply(&self, reply: Value) -> Result<Value, CliError> {
        if !reply["error"].is_null() {
            return Ok(reply);
        }
        let nodes = reply["result"].as_array().map(Vec::as_slice).unwrap_or_default();
        if nodes.first().is_some_and(|node| node["network"].is_null()) {
            return Err(CliError::other("-addrinfo requires groestlcoind server to be running v22.0 and up"));
        }
        let mut counts = [0u64; 8];
        for index in nodes.iter().filter_map(|node| network_index(node["network"].as_str()?)) {
            counts[index] += 1;
        }
        let mut known = serde_json::Map::new();
        let mut total = 0;
        for (index, name) in routable_networks() {
            known.insert(name.to_owned(), counts[index].into());
            total += counts[index];
        }
        known.insert("total".to_owned(), total.into());
        Ok(result_reply(json!({ "addresses_known": known })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_code_and_text() {
        let output = |error: Value| match error_output(&error) {
            Ok(Output::Error { text, code }) => (text, code),
            Ok(Output::Text(_)) => unreachable!("errors are no results"),
            Err(error) => (error.to_string(), FAILURE),
        };
        assert_eq!(
            output(json!({"code": -8, "message": "no"})),
            ("error code: -8\nerror message:\nno".to_owned(), 8)
        );
        let (text, code) = output(json!({"code": -19, "message": "Several wallets."}));
        assert_eq!(code, 19);
        assert!(
            text.starts_with("error code: -19\nerror message:\nSeveral wallets. Or for the CLI, specify the")
        );
        assert_eq!(
            output(json!(1)),
            ("JSON value of type null is not of expected type number".to_owned(), 1)
        );
    }

    #[test]
    fn generate_checks_its_words() {
        let request = |words: &[&str]| {
            let words = words.iter().map(|s| (*s).to_owned()).collect();
            Generate::new("addr", words).map(|g| g.request).map_err(|e| e.to_string())
        };
        assert!(request(&[]).unwrap().contains("\"params\":[1,\"addr\"]"));
        assert!(request(&["3", "7"]).unwrap().contains("\"params\":[3,\"addr\",7]"));
        assert_eq!(request(&["foo"]), Err("Error parsing JSON: foo".to_owned()));
        assert!(request(&["0"]).unwrap_err().ends_with("must be an integer value greater than zero"));
        assert!(request(&["1", "2", "3"]).is_err());
    }

    #[test]
    fn addresses_are_counted() {
        let nodes = json!({"result": [{"network": "ipv4"}, {"network": "onion"}, {"network": "ipv4"}, {"network": "?"}]});
        let reply = AddrInfo.reply(nodes).unwrap();
        let expected = json!({"ipv4": 2, "ipv6": 0, "onion": 1, "i2p": 0, "cjdns": 0, "total": 3});
        assert_eq!(reply["result"]["addresses_known"], expected);
    }
}
