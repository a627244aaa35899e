//! Rules of arguments: precedence, negation, sections, networks, getters.
#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::path::{Path, PathBuf};

use grs_args::{
    ArgsError, ArgsManager, ChainType, Flags, OptionSpec, OptionsCategory, check_no_words, options,
};

const fn option(name: &'static str, flags: Flags) -> OptionSpec {
    OptionSpec::new(OptionsCategory::Options, flags, name, "", "")
}

/// Options of every kind, besides those that choose files and networks.
fn manager() -> ArgsManager {
    ArgsManager::new().declare(options::CHAIN).declare(&[
        option("-a", Flags::ANY),
        option("-b", Flags::ANY),
        option("-list", Flags::ANY),
        option("-net", Flags::NETWORK_ONLY),
        option("-positive", Flags::NO_NEGATION),
        option("-valued", Flags::NO_ELISION),
        option("-secret", Flags::SENSITIVE),
        option("-conf", Flags::ANY),
        option("-datadir", Flags::NO_NEGATION),
        option("-settings", Flags::ANY),
        option("-includeconf", Flags::ANY),
    ])
}

fn parsed(argv: &[&str]) -> ArgsManager {
    let args = manager();
    args.parse_parameters(argv).unwrap();
    args
}

fn error(argv: &[&str]) -> String {
    manager().parse_parameters(argv).unwrap_err().to_string()
}

/// Command line and configuration file; the network the options ask for is selected.
fn with_config(argv: &[&str], config: &str) -> ArgsManager {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.conf");
    std::fs::write(&path, config).unwrap();
    let conf = format!("-conf={}", path.display());
    let args = parsed(&[argv, &[conf.as_str()]].concat());
    args.read_config_files(false).unwrap();
    args.select_config_network(args.chain_type().unwrap());
    args
}

#[test]
fn forms_of_an_option() {
    let args = parsed(&["-a", "--b=x=y", "-list="]);
    assert_eq!(args.get_opt_str("-a"), Some(String::new()));
    assert!(args.get_bool("-a", false));
    assert_eq!(args.get_str("-b", ""), "x=y");
    assert!(args.is_set("-list") && !args.is_negated("-list"));
    assert!(!args.is_set("-net"));
    assert_eq!(args.get_str("-net", "default"), "default");
}

#[test]
fn errors_of_the_command_line() {
    assert_eq!(error(&["-a", "-foo=1"]), "Invalid parameter -foo=1");
    assert_eq!(error(&["--foo"]), "Invalid parameter --foo");
    assert_eq!(error(&["-test.a=1"]), "Invalid parameter -test.a=1");
    assert_eq!(error(&["---a"]), "Invalid parameter ---a");
    assert_eq!(error(&["-nopositive"]), "Negating of -positive is meaningless and therefore forbidden");
    assert_eq!(
        error(&["-valued"]),
        "Can not set -valued with no value. Please specify value with -valued=value."
    );
    assert_eq!(
        error(&["-includeconf=a\"b"]),
        "-includeconf cannot be used from commandline; -includeconf=\"a\\\"b\""
    );
    parsed(&["-noincludeconf"]);
    parsed(&["-novalued", "-valued="]);
    // What follows a lone dash is not looked at.
    parsed(&["-", "-foo"]);
}

#[test]
fn words_where_only_options_are_allowed() {
    assert_eq!(check_no_words(&["-a", "--b"]), Ok(()));
    assert_eq!(
        check_no_words(&["-a", "b=1"]).unwrap_err().to_string(),
        "Command line contains unexpected token 'b=1', see groestlcoind -h for a list of options."
    );
}

#[test]
fn the_last_value_of_the_command_line_wins() {
    let args = parsed(&["-a=1", "-a=2", "-list=1", "-list=2"]);
    assert_eq!(args.get_int("-a", 0), 2);
    assert_eq!(args.get_list("-list"), ["1", "2"]);
    assert_eq!(args.get_str("-list", ""), "2");
}

#[test]
fn negation_clears_what_came_before() {
    let args = parsed(&["-list=1", "-nolist", "-list=2", "-list=3"]);
    assert_eq!(args.get_list("-list"), ["2", "3"]);
    assert!(!args.is_negated("-list"));
    let args = parsed(&["-list=1", "-nolist"]);
    assert!(args.is_negated("-list") && args.is_set("-list"));
    assert_eq!(args.get_list("-list"), Vec::<String>::new());
    assert_eq!(args.get_str("-list", "x"), "0");
    assert_eq!(args.get_opt_bool("-list"), Some(false));
    assert_eq!(args.get_int("-list", 7), 0);
    // Double negation.
    let args = parsed(&["-nolist=0", "-noa=1", "-nob=foo"]);
    assert_eq!(args.get_str("-list", ""), "1");
    assert!(args.get_bool("-list", false) && args.is_negated("-a"));
    // "foo" is no number, so it is false and -nob=foo sets b.
    assert!(args.get_bool("-b", false));
    // -a=0 is a value, not a negation.
    assert!(!parsed(&["-a=0"]).is_negated("-a"));
}

#[test]
fn the_first_value_of_a_file_wins_and_the_command_line_precedes_it() {
    let args = with_config(&["-b=cli"], "a=1\na=2\nb=file\nlist=1\nlist=2\n");
    assert_eq!(args.get_str("-a", ""), "1");
    assert_eq!(args.get_str("-b", ""), "cli");
    assert_eq!(args.get_list("-list"), ["1", "2"]);
    assert_eq!(args.get_list("-b"), ["cli", "file"]);
    // In files, too, a negation clears what came before.
    let args = with_config(&[], "a=1\nnoa=1\na=3\nnolist=1\n");
    assert_eq!(args.get_str("-a", ""), "3");
    assert!(args.is_negated("-list"));
}

#[test]
fn negation_on_the_command_line_and_files() {
    let args = with_config(&["-nolist"], "list=1\n");
    assert_eq!(args.get_list("-list"), Vec::<String>::new());
    // A later value brings those of the file back.
    let args = with_config(&["-list=0", "-nolist", "-list=2"], "list=1\n");
    assert_eq!(args.get_list("-list"), ["2", "1"]);
}

#[test]
fn sections() {
    let config = "a=default\nnet=default\nlist=d\n[test]\na=test\nnet=test\nlist=t\n[main]\na=main\n";
    let args = with_config(&["-testnet"], config);
    assert_eq!(args.get_str("-a", ""), "test");
    assert_eq!(args.get_list("-list"), ["t", "d"]);
    assert_eq!(args.get_list("-net"), ["test"]);
    assert!(args.section_only_errors().is_empty());
    let args = with_config(&[], config);
    assert_eq!(args.get_str("-a", ""), "main");
    assert_eq!(args.get_str("-net", ""), "default");
    let args = with_config(&["-regtest"], config);
    assert_eq!(args.get_str("-a", ""), "default");
    assert!(!args.is_set("-net"));
    assert_eq!(
        args.section_only_errors(),
        ["Config setting for -net only applied on regtest network when in [regtest] section."]
    );
    let args = with_config(&["-regtest", "-net=cli"], config);
    assert!(args.section_only_errors().is_empty());
    // A dot in a key outside of sections names the section.
    let args = with_config(&["-regtest"], "regtest.a=dotted\n");
    assert_eq!(args.get_str("-a", ""), "dotted");
    // Negation in the default section counts even where values do not.
    let args = with_config(&["-regtest"], "nonet=1\n");
    assert!(args.is_negated("-net"));
    assert!(args.section_only_errors().is_empty());
}

#[test]
fn unknown_sections_are_told() {
    let args = with_config(&[], "testnot.a=1\n[testnet]\n[test]\nb=2\n");
    let warnings = args.section_warnings();
    assert_eq!(warnings.len(), 2);
    assert!(warnings[0].ends_with("x.conf:1 Section [testnot] is not recognized."), "{warnings:?}");
    assert!(warnings[1].ends_with("x.conf:2 Section [testnet] is not recognized."), "{warnings:?}");
}

#[test]
fn choice_of_the_network() {
    let chain = |argv: &[&str]| parsed(argv).chain_type();
    assert_eq!(chain(&[]), Ok(ChainType::Main));
    for (arg, expected) in [
        ("-regtest", ChainType::Regtest),
        ("-testnet", ChainType::Testnet),
        ("-testnet4=1", ChainType::Testnet4),
        ("-signet", ChainType::Signet),
        ("-chain=main", ChainType::Main),
        ("-chain=test", ChainType::Testnet),
        ("-chain=testnet4", ChainType::Testnet4),
        ("-chain=signet", ChainType::Signet),
        ("-chain=regtest", ChainType::Regtest),
        ("-regtest=0", ChainType::Main),
        ("-noregtest", ChainType::Main),
    ] {
        assert_eq!(chain(&[arg]), Ok(expected), "{arg}");
    }
    assert_eq!(chain(&["-chain=x"]), Err(ArgsError::UnknownChain("x".into())));
    assert_eq!(ArgsError::UnknownChain("x".into()).to_string(), "Unknown chain x.");
    for argv in [["-regtest", "-testnet"], ["-signet", "-chain=signet"], ["-testnet", "-testnet4"]] {
        assert_eq!(
            chain(&argv).unwrap_err().to_string(),
            "Invalid combination of -regtest, -signet, -testnet, -testnet4 and -chain. Can use at most one."
        );
    }
    assert_eq!(chain(&["-regtest", "-notestnet"]), Ok(ChainType::Regtest));
    // A negation on the command line does not undo the file, and in files the last value wins here.
    assert_eq!(with_config(&["-noregtest"], "regtest=1\n").network(), Some(ChainType::Regtest));
    assert_eq!(with_config(&[], "regtest=1\nregtest=0\n").network(), Some(ChainType::Main));
    assert_eq!(with_config(&["-testnet=0"], "testnet=1\n").network(), Some(ChainType::Main));
}

#[test]
fn values_set_by_the_program() {
    let args = parsed(&["-a=1"]);
    assert!(!args.soft_set("-a", "2") && args.soft_set("-b", "2"));
    assert!(args.soft_set_bool("-net", false) && !args.soft_set_bool("-net", true));
    assert_eq!((args.get_int("-a", 0), args.get_int("-b", 0)), (1, 2));
    assert_eq!(args.get_str("-net", ""), "0");
    args.force_set("-a", "9");
    assert_eq!(args.get_str("-a", ""), "9");
    assert_eq!(args.get_list("-a"), ["9"]);
    assert!(args.get_persistent_setting("a").is_null());
    // Parsing again forgets the command line, not forced values.
    args.parse_parameters(&["-b=3"]).unwrap();
    assert_eq!((args.get_int("-a", 0), args.get_int("-b", 0)), (9, 2));
}

#[test]
fn getters() {
    let args = parsed(&["-a=300", "-b=-5", "-list=/x/../y/", "-net=true"]);
    assert_eq!(args.get_int::<u8>("-a", 0), 255);
    assert_eq!(args.get_int::<i64>("-b", 0), -5);
    assert_eq!(args.get_opt_int::<u16>("-b"), Some(0));
    assert_eq!(args.get_opt_int::<u16>("-valued"), None);
    assert!(!args.get_bool("-net", true));
    assert_eq!(args.get_path("-list", ""), Path::new("/y"));
    assert_eq!(args.get_path("-valued", "a/../b"), Path::new("a/../b"));
    assert_eq!(parsed(&["-noa"]).get_path("-a", "x"), PathBuf::new());
    assert_eq!(parsed(&["-a="]).get_path("-a", "x"), Path::new("x"));
}

#[test]
fn commands() {
    let args = parsed(&["-a", "word=1", "-b", "c=2"]);
    let command = args.get_command().unwrap();
    assert_eq!((command.command.as_str(), command.args.len()), ("", 3));
    assert_eq!(command.args, ["word", "-b", "c=2"]);
    assert!(!args.is_set("-b"));
    assert_eq!(parsed(&["-a"]).get_command(), None);

    let tool = ArgsManager::new().declare(&options::wallet_tool());
    tool.parse_parameters(&["-wallet=w", "info", "-x"]).unwrap();
    let command = tool.get_command().unwrap();
    assert_eq!((command.command.as_str(), command.args), ("info", vec!["-x".to_owned()]));
    let tool = ArgsManager::new().declare(&options::wallet_tool());
    assert_eq!(tool.parse_parameters(&["foo=1"]).unwrap_err().to_string(), "Invalid command 'foo=1'");
    // An option is no command.
    assert_eq!(tool.parse_parameters(&["datadir"]).unwrap_err().to_string(), "Invalid command 'datadir'");

    let cli = ArgsManager::new().declare(&options::cli());
    cli.parse_parameters(&["-getinfo"]).unwrap();
    assert_eq!(cli.check_multiple_cli_args(), Ok(()));
    cli.parse_parameters(&["-netinfo", "-getinfo"]).unwrap();
    let error = cli.check_multiple_cli_args().unwrap_err().to_string();
    assert_eq!(error, "Only one of -getinfo, -netinfo may be specified.");
}

#[test]
fn unknown_options_with_default_flags() {
    let args = manager();
    args.set_default_flags(Some(Flags::ANY));
    args.parse_parameters(&["-whatever=1"]).unwrap();
    assert_eq!(args.get_int("-whatever", 0), 1);
    args.set_default_flags(None);
    assert_eq!(args.flags("-whatever"), None);
    assert!(args.flags("-secret").unwrap().has(Flags::SENSITIVE));
}

#[test]
fn shared_between_threads() {
    let args = std::sync::Arc::new(parsed(&["-a=1"]));
    std::thread::scope(|scope| {
        for n in 0..4 {
            let args = std::sync::Arc::clone(&args);
            scope.spawn(move || {
                for _ in 0..100 {
                    args.force_set("-b", &n.to_string());
                    assert!(args.get_int("-b", 9) < 4 && args.get_bool("-a", false));
                }
            });
        }
    });
}

#[test]
#[should_panic(expected = "option -a is declared twice")]
fn options_are_declared_once() {
    let _ = manager().declare(&[option("-a", Flags::ANY)]);
}
