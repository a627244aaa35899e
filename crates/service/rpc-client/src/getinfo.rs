//! `-getinfo`: a summary of node and wallet for people.

use std::io::IsTerminal;

use grs_args::ArgsManager;
use serde_json::{Map, Value};

use crate::call::{CliError, Handler, Plain, batch_replies, batch_text, call, result_reply};

const CALLS: [&str; 4] = ["getnetworkinfo", "getblockchaininfo", "getwalletinfo", "getbalances"];

/// Collects the parts of the summary.
pub(crate) struct GetInfo;

impl Handler for GetInfo {
    fn request(&self) -> Result<String, CliError> {
        Ok(batch_text(&CALLS))
    }

    fn reply(&self, reply: Value) -> Result<Value, CliError> {
        let mut replies = batch_replies(reply)?;
        replies.resize(CALLS.len(), Value::Null);
        // Wallet calls may fail: there need not be one.
        for reply in &replies[..2] {
            if !reply["error"].is_null() {
                return Ok(reply.clone());
            }
        }
        let [network, chain, wallet, balances] = [0, 1, 2, 3].map(|index| &replies[index]["result"]);
        let mut info = Map::new();
        let mut put = |key: &str, value: &Value| info.insert(key.to_owned(), value.clone());
        put("version", &network["version"]);
        for key in ["blocks", "headers", "verificationprogress", "difficulty", "chain"] {
            put(key, &chain[key]);
        }
        for key in [
            "timeoffset",
            "connections_in",
            "connections_out",
            "connections",
            "networks",
            "relayfee",
            "warnings",
        ] {
            put(key, &network[key]);
        }
        if !wallet.is_null() {
            put("has_wallet", &true.into());
            for key in ["keypoolsize", "walletname", "unlocked_until"] {
                put(key, &wallet[key]);
            }
        }
        if !balances.is_null() {
            put("balance", &balances["mine"]["trusted"]);
        }
        Ok(result_reply(Value::Object(info)))
    }
}

/// Balances of all wallets, when there are several.
pub(crate) fn wallet_balances(args: &ArgsManager) -> Result<Option<Vec<(String, Value)>>, CliError> {
    let wallets = call(args, &Plain::bare("listwallets"), None)?;
    let names = wallets["result"].as_array().cloned().unwrap_or_default();
    if !wallets["error"].is_null() || names.len() <= 1 {
        return Ok(None);
    }
    let mut balances = Vec::new();
    for name in names.iter().filter_map(Value::as_str) {
        let reply = call(args, &Plain::bare("getbalances"), Some(name))?;
        balances.push((name.to_owned(), reply["result"]["mine"]["trusted"].clone()));
    }
    Ok(Some(balances))
}

/// Escape codes of colours, empty without colours.
#[derive(Default)]
struct Colors {
    reset: &'static str,
    green: &'static str,
    blue: &'static str,
    yellow: &'static str,
    magenta: &'static str,
    cyan: &'static str,
}

impl Colors {
    fn from_args(args: &ArgsManager) -> Result<Self, CliError> {
        let on = match args.get_str("-color", "auto").as_str() {
            "always" => true,
            "never" => false,
            "auto" => std::io::stdout().is_terminal(),
            _ => {
                return Err(CliError::other(
                    "Invalid value for -color option. Valid values: always, auto, never.",
                ));
            }
        };
        Ok(if on {
            Self {
                reset: "\x1b[0m",
                green: "\x1b[32m",
                blue: "\x1b[34m",
                yellow: "\x1b[33m",
                magenta: "\x1b[35m",
                cyan: "\x1b[36m",
            }
        } else {
            Self::default()
        })
    }
}

/// Text of a value without quotes; lists are joined.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

/// A name that may be empty.
fn quoted_if_empty(name: &str) -> &str {
    if name.is_empty() { "\"\"" } else { name }
}

/// The summary as text.
pub(crate) fn text(
    args: &ArgsManager,
    info: &Value,
    balances: Option<&[(String, Value)]>,
) -> Result<String, CliError> {
    let colors = Colors::from_args(args)?;
    Ok(format_info(info, balances, &colors))
}

fn format_info(info: &Value, balances: Option<&[(String, Value)]>, c: &Colors) -> String {
    let get = |key: &str| plain(&info[key]);
    let reset = c.reset;
    let mut out = format!("{}Chain: {}{reset}\n", c.blue, get("chain"));
    out += &format!("Blocks: {}\n", get("blocks"));
    out += &format!("Headers: {}\n", get("headers"));
    let progress = info["verificationprogress"].as_f64().unwrap_or(0.0);
    let bar = if progress < 0.99 { progress_bar(progress) + " " } else { String::new() };
    out += &format!("Verification progress: {bar}{:.4}%\n", progress * 100.0);
    out += &format!("Difficulty: {}\n\n", get("difficulty"));
    out += &format!(
        "{}Network: in {}, out {}, total {}{reset}\n",
        c.green,
        get("connections_in"),
        get("connections_out"),
        get("connections")
    );
    out += &format!("Version: {}\n", get("version"));
    out += &format!("Time offset (s): {}\n", get("timeoffset"));
    out += &format!("Proxies: {}\n", proxies(&info["networks"]));
    out += &format!("Min tx relay fee rate (GRS/kvB): {}\n\n", get("relayfee"));
    if !info["has_wallet"].is_null() {
        let name = get("walletname");
        out += &format!("{}Wallet: {}{reset}\n", c.magenta, quoted_if_empty(&name));
        out += &format!("Keypool size: {}\n", get("keypoolsize"));
        if !info["unlocked_until"].is_null() {
            out += &format!("Unlocked until: {}\n", get("unlocked_until"));
        }
    }
    if !info["balance"].is_null() {
        out += &format!("{}Balance:{reset} {}\n\n", c.cyan, get("balance"));
    }
    if let Some(balances) = balances {
        out += &format!("{}Balances{reset}\n", c.cyan);
        let width = balances.iter().map(|(_, balance)| plain(balance).len()).max().unwrap_or(0).max(10);
        for (name, balance) in balances {
            out += &format!("{:>width$} {}\n", plain(balance), quoted_if_empty(name));
        }
        out += "\n";
    }
    let warnings = get("warnings");
    let warnings = if warnings.is_empty() { "(none)" } else { &warnings };
    out += &format!("{}Warnings:{reset} {warnings}", c.yellow);
    out
}

/// Proxies in the order in which they first appear, each with its networks.
fn proxies(networks: &Value) -> String {
    let mut proxies: Vec<(String, Vec<String>)> = Vec::new();
    for network in networks.as_array().into_iter().flatten() {
        let (proxy, name) = (plain(&network["proxy"]), plain(&network["name"]));
        if proxy.is_empty() {
            continue;
        }
        match proxies.iter_mut().find(|(known, _)| *known == proxy) {
            Some((_, names)) => names.push(name),
            None => proxies.push((proxy, vec![name])),
        }
    }
    if proxies.is_empty() {
        return "n/a".to_owned();
    }
    let texts: Vec<String> =
        proxies.iter().map(|(proxy, names)| format!("{proxy} ({})", names.join(", "))).collect();
    texts.join(", ")
}

/// A bar of twenty steps.
fn progress_bar(progress: f64) -> String {
    const STEP: f64 = 0.05;
    if !(0.0..=1.0).contains(&progress) {
        return String::new();
    }
    // Counted like this, and not by one division, the steps come out as users know them.
    let steps = |part: f64| (0..).take_while(|step| f64::from(*step) < part / STEP).count();
    "\u{2592}".repeat(steps(progress)) + &"\u{2591}".repeat(steps(1.0 - progress))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn replies() -> Vec<Value> {
        let network = json!({"version": 310000, "timeoffset": 0, "connections_in": 1, "connections_out": 2,
            "connections": 3, "relayfee": 0.00001, "warnings": [], "networks": [
            {"name": "ipv4", "proxy": "127.0.0.1:9050"}, {"name": "i2p", "proxy": "127.0.0.1:7656"},
            {"name": "ipv6", "proxy": "127.0.0.1:9050"}, {"name": "cjdns", "proxy": ""}]});
        let chain = json!({"blocks": 5, "headers": 6, "verificationprogress": 0.5, "difficulty": 1, "chain": "regtest"});
        vec![
            json!({"id": 1, "result": chain}),
            json!({"id": 0, "result": network}),
            json!({"id": 2, "error": {"code": -18}}),
            json!({"id": 3, "error": {"code": -18}}),
        ]
    }

    #[test]
    fn summary_without_wallet() {
        let reply = GetInfo.reply(Value::Array(replies())).unwrap();
        let text = format_info(&reply["result"], None, &Colors::default());
        let bar = "\u{2592}".repeat(10) + &"\u{2591}".repeat(10);
        let expected = format!(
            "Chain: regtest\nBlocks: 5\nHeaders: 6\nVerification progress: {bar} 50.0000%\nDifficulty: 1\n\n\
             Network: in 1, out 2, total 3\nVersion: 310000\nTime offset (s): 0\n\
             Proxies: 127.0.0.1:9050 (ipv4, ipv6), 127.0.0.1:7656 (i2p)\n\
             Min tx relay fee rate (GRS/kvB): 0.00001\n\nWarnings: (none)"
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn summary_with_wallets() {
        let mut replies = replies();
        replies[2] = json!({"id": 2, "result": {"keypoolsize": 9, "walletname": "", "unlocked_until": 7}});
        replies[3] = json!({"id": 3, "result": {"mine": {"trusted": 1.5}}});
        let reply = GetInfo.reply(Value::Array(replies)).unwrap();
        let balances = [("a".to_owned(), json!(1.5)), (String::new(), json!(12345678.25))];
        let text = format_info(&reply["result"], Some(&balances), &Colors::default());
        assert!(
            text.contains("\nWallet: \"\"\nKeypool size: 9\nUnlocked until: 7\nBalance: 1.5\n\n"),
            "{text}"
        );
        assert!(text.contains("\nBalances\n        1.5 a\n12345678.25 \"\"\n\nWarnings: (none)"), "{text}");
    }

    #[test]
    fn failures_are_passed_on() {
        let mut bad = replies();
        bad[0] = json!({"id": 1, "error": {"code": -28}});
        assert_eq!(GetInfo.reply(Value::Array(bad)).unwrap()["error"]["code"], -28);
        for (reply, text) in [
            (json!({}), "Batch must be an array"),
            (json!([1]), "Batch member must be an object"),
            (json!([{"id": 1}]), "Batch member id is larger than batch size"),
        ] {
            assert_eq!(GetInfo.reply(reply), Err(CliError::other(text)));
        }
    }
}
