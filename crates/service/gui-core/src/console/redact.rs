//! Secrets are taken out of a line before it is shown or kept.

use super::parser::{Call, Step, parse};

/// Methods whose arguments hold passphrases or keys, as in the reference.
const SECRET: [&str; 8] = [
    "createwallet",
    "createwalletdescriptor",
    "migratewallet",
    "signmessagewithprivkey",
    "signrawtransactionwithkey",
    "walletpassphrase",
    "walletpassphrasechange",
    "encryptwallet",
];
const HIDDEN: &str = "(…)";

fn is_secret(method: &str) -> bool {
    SECRET.iter().any(|name| name.eq_ignore_ascii_case(method))
}

fn spans(call: &Call, out: &mut Vec<std::ops::Range<usize>>) {
    // `help encryptwallet` names the method and tells nothing.
    if is_secret(&call.method) {
        if !call.args.is_empty() {
            out.push(call.span.clone());
        }
        return;
    }
    for arg in &call.args {
        if let Step::Call(inner) = arg {
            spans(inner, out);
        }
    }
}

/// The line with secret arguments replaced. Of a line that is not well formed, all behind the name of such a method
/// goes.
pub fn redact(line: &str) -> String {
    let mut hidden = Vec::new();
    match parse(line) {
        Ok(call) => call.iter().for_each(|call| spans(call, &mut hidden)),
        Err(_) => {
            let lower = line.to_ascii_lowercase();
            let first = SECRET.iter().filter_map(|name| lower.find(name).map(|at| at + name.len())).min();
            // A name may have quotes in it.
            let bare: String = lower.chars().filter(|c| !"'\"\\".contains(*c)).collect();
            let quoted = SECRET.iter().any(|name| bare.contains(name)).then_some(0);
            hidden.extend(first.or(quoted).map(|at| at..line.len()));
        }
    }
    let mut out = line.to_owned();
    for span in hidden.into_iter().rev() {
        out.replace_range(span, HIDDEN);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_are_hidden() {
        for (line, shown) in [
            ("createwallet x true", "createwallet(…)"),
            ("WalletPassphrase abc", "WalletPassphrase(…)"),
            ("signmessagewithprivkey abc,def", "signmessagewithprivkey(…)"),
            ("signrawtransactionwithkey(abc)", "signrawtransactionwithkey(…)"),
            ("walletpassphrase(help())", "walletpassphrase(…)"),
            ("help(encryptwallet(abc, def))", "help(encryptwallet(…))"),
            ("echo(encryptwallet(a), encryptwallet(b)[x])", "echo(encryptwallet(…), encryptwallet(…)[x])"),
            ("help encryptwallet", "help encryptwallet"),
            ("encryptwallet", "encryptwallet"),
            ("getblock(getbestblockhash())[tx][0]", "getblock(getbestblockhash())[tx][0]"),
            // Not well formed, and still not shown.
            ("encryptwallet(abc", "encryptwallet(…)"),
            ("encryptwallet 'abc", "encryptwallet(…)"),
            ("x)encryptwallet abc", "x)encryptwallet(…)"),
            ("encrypt'wallet' abc 'x", "(…)"),
        ] {
            assert_eq!(redact(line), shown, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_part_of_a_secret_remains(before in "[a-z(, ]{0,10}", after in "[() ,'\"\\\\]{0,6}") {
            let line = format!("{before} walletpassphrase(HUNTER2{after}");
            let shown = redact(&line);
            prop_assert!(!shown.contains("HUNTER2"), "{line} -> {shown}");
        }
    }
}
