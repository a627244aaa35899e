//! Properties: parsing never panics, and the rules hold against a plain model.
#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use grs_args::{ArgsManager, Flags, OptionSpec, OptionsCategory, atoi, options};
use proptest::prelude::*;

fn manager() -> ArgsManager {
    let option = |name| OptionSpec::new(OptionsCategory::Options, Flags::ANY, name, "", "");
    ArgsManager::new().declare(&[option("-x"), option("-y")])
}

#[derive(Clone, Debug)]
enum Given {
    Value(u8),
    Negated,
}

fn given() -> impl Strategy<Value = Vec<Given>> {
    prop::collection::vec(prop_oneof![any::<u8>().prop_map(Given::Value), Just(Given::Negated)], 0..8)
}

proptest! {
    #[test]
    fn parsing_never_panics(argv in prop::collection::vec("(-|--|)(no|)(x|y|regtest|datadir|[a-z.=]{0,4})(=.{0,6}|)", 0..6)) {
        let args = ArgsManager::new().declare(&options::node(true));
        let _ = args.parse_parameters(&argv);
        let _ = (args.chain_type(), args.get_command(), args.get_path("-datadir", ""), args.help_requested());
    }

    #[test]
    fn last_value_wins_and_negation_clears(list in given()) {
        let argv: Vec<String> = list.iter().map(|given| match given {
            Given::Value(n) => format!("-x={n}"),
            Given::Negated => "-nox".into(),
        }).collect();
        let args = manager();
        args.parse_parameters(&argv).unwrap();
        let mut expected = Vec::new();
        for given in &list {
            match given {
                Given::Value(n) => expected.push(n.to_string()),
                Given::Negated => expected.clear(),
            }
        }
        prop_assert_eq!(args.is_set("-x"), !list.is_empty());
        prop_assert_eq!(args.is_negated("-x"), matches!(list.last(), Some(Given::Negated)));
        let last = expected.last().cloned().unwrap_or_else(|| if list.is_empty() { "none".into() } else { "0".into() });
        prop_assert_eq!(args.get_str("-x", "none"), last);
        prop_assert_eq!(args.get_list("-x"), expected);
        prop_assert!(!args.is_set("-y"));
    }

    #[test]
    fn numbers_are_read_back(n in any::<i64>(), text in "[ \t]{0,2}", tail in "([a-z ].*)?") {
        prop_assert_eq!(atoi::<i64>(&format!("{text}{n}{tail}")), n);
        prop_assert_eq!(atoi::<u64>(&n.to_string()), n.max(0) as u64);
        prop_assert_eq!(atoi::<i16>(&n.to_string()), n.clamp(-32768, 32767) as i16);
    }
}
