//! All short combinations of values, negations, sections and networks, in the order in which the reference's own
//! tests (`util_ArgsMerge`, `util_ChainMerge`) list them. The hash of all results is the reference's.

use std::fmt::Write as _;

use bitcoin_hashes::sha256d;

use crate::{ArgsManager, ChainType, Flags, OptionSpec, OptionsCategory};

/// Every sequence of up to `N` symbols of 1 to `max` without equal neighbours; 0 ends a sequence. The first symbol
/// changes fastest.
fn sequences<const N: usize>(max: u8) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut current = [0u8; N];
    loop {
        let used: Vec<u8> = current.iter().copied().take_while(|&symbol| symbol != 0).collect();
        if used.windows(2).all(|pair| pair[0] != pair[1]) {
            out.push(used);
        }
        let mut carry = true;
        for symbol in &mut current {
            carry = *symbol == max;
            *symbol = if carry { 1 } else { *symbol + 1 };
            if !carry {
                break;
            }
        }
        if carry {
            return out;
        }
    }
}

const SET: u8 = 1;
const NEGATE: u8 = 2;
const SECTION_SET: u8 = 3;
const SECTION_NEGATE: u8 = 4;

fn values(actions: &[u8], section: &str, name: &str, prefix: char) -> Vec<String> {
    let mut out = Vec::new();
    let mut suffix = 0;
    for &action in actions {
        let section = if action >= SECTION_SET { format!("{section}.") } else { String::new() };
        if matches!(action, SET | SECTION_SET) {
            for _ in 0..2 {
                suffix += 1;
                out.push(format!("{section}{name}={prefix}{suffix}"));
            }
        } else {
            out.push(format!("{section}no{name}=1"));
        }
    }
    out
}

fn manager(names: &[&'static str], flags: Flags, argv: &[String], conf: &str) -> ArgsManager {
    let option = |&name: &&'static str| OptionSpec::new(OptionsCategory::Options, flags, name, "", "");
    let args = ArgsManager::new().declare(&names.iter().map(option).collect::<Vec<_>>());
    args.parse_parameters(argv).unwrap();
    args.write().read_config_text(conf, "filepath", false).unwrap();
    args
}

#[test]
fn args_merge_as_in_the_reference() {
    let networks = [ChainType::Main, ChainType::Testnet, ChainType::Testnet4, ChainType::Signet];
    let bools = [false, true];
    let mut out = String::new();
    let mut add = |arg_actions: &[u8],
                   conf_actions: &[u8],
                   soft: bool,
                   force: bool,
                   section: ChainType,
                   network: ChainType,
                   net_specific: bool| {
        let _ = write!(out, "net={network}");
        let (key, flags) =
            if net_specific { ("-wallet", Flags::NETWORK_ONLY) } else { ("-server", Flags::ANY) };
        let argv: Vec<_> =
            values(arg_actions, section.name(), &key[1..], 'a').iter().map(|v| format!("-{v}")).collect();
        let conf = values(conf_actions, section.name(), &key[1..], 'c');
        for text in argv.iter().chain(&conf) {
            let _ = write!(out, " {text}");
        }
        let args = manager(&[key], flags, &argv, &conf.join("\n"));
        args.select_config_network(network);
        if soft {
            out += " soft";
            args.soft_set(key, "soft1");
            args.soft_set(key, "soft2");
        }
        if force {
            out += " force";
            args.force_set(key, "force1");
            args.force_set(key, "force2");
        }
        out += " || ";
        let list = args.get_list(key);
        if !args.is_set(key) {
            out += "unset";
            assert_eq!((args.get_str(key, "default").as_str(), list.len()), ("default", 0));
        } else if args.is_negated(key) {
            out += "negated";
            assert_eq!((args.get_str(key, "default").as_str(), list.len()), ("0", 0));
        } else {
            let _ = write!(out, "{} |", args.get_str(key, "default"));
            list.iter().for_each(|value| out.extend([" ", value]));
        }
        let ignored = args.unsuitable_section_only_args();
        if !ignored.is_empty() {
            out += " | ignored";
            ignored.iter().for_each(|arg| out.extend([" ", arg]));
        }
        out.push('\n');
    };
    let confs = sequences::<3>(SECTION_NEGATE);
    for arg_actions in sequences::<3>(NEGATE) {
        for conf_actions in &confs {
            for (soft, force) in [(false, false), (false, true), (true, false), (true, true)] {
                for section in networks {
                    for network in networks {
                        for net_specific in bools {
                            add(&arg_actions, conf_actions, soft, force, section, network, net_specific);
                        }
                    }
                }
            }
        }
    }
    assert!(out.lines().count() > 40_000);
    assert_eq!(hash(&out), "f1ee5ab094cc43d16a6086fa7f2c10389e0f99902616b31bbf29189972ad1473");
}

#[test]
fn chain_choice_as_in_the_reference() {
    let options = ["testnet4=1", "testnet4=0", "notestnet4=1", "regtest=1", "regtest=0", "noregtest=1"];
    let text =
        |actions: &[u8]| -> Vec<&str> { actions.iter().map(|&a| options[usize::from(a) - 1]).collect() };
    let mut out = String::new();
    for arg_actions in sequences::<2>(6) {
        for conf_actions in sequences::<2>(6) {
            let argv: Vec<_> = text(&arg_actions).iter().map(|option| format!("-{option}")).collect();
            let conf = text(&conf_actions);
            argv.iter().for_each(|option| out.extend([" ", option]));
            conf.iter().for_each(|option| out.extend([" ", option]));
            let args = manager(&["-regtest", "-testnet4"], Flags::ANY, &argv, &conf.join("\n"));
            let chain = args.chain_type_string().unwrap_or_else(|error| format!("error: {error}"));
            let _ = writeln!(out, " || {chain}");
        }
    }
    assert_eq!(hash(&out), "c0e33aab0c74e040ddcee9edad59e8148d8e1cacb3cccd9ea1a1f485cb6bad21");
}

fn hash(text: &str) -> String {
    sha256d::hash(text.as_bytes()).to_byte_array().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
