//! Fuzz targets.

use crate::config::parse_config;
use crate::{ArgsManager, options, settings};

/// Configuration file: no panic, and what is parsed can be looked up.
pub fn fuzz_config_file(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut sections = Vec::new();
    if let Ok(parsed) = parse_config(&text, "fuzz", &mut sections) {
        assert!(parsed.len() <= data.len() && sections.len() <= data.len());
    }
    let args = ArgsManager::new().declare(&options::cli());
    if args.write().read_config_text(&text, "fuzz", true).is_ok() {
        let _ = args.chain_type();
        for name in ["-rpcport", "-datadir", "-named", "-rpcwait"] {
            let _ = (args.get_int::<u16>(name, 0), args.get_bool(name, false), args.get_list(name));
            assert_eq!(args.is_set(name), args.get_opt_str(name).is_some());
        }
        let _ = (args.unrecognized_sections(), args.log_lines());
    }
}

/// settings.json: no panic; what is read is written and read again as it was.
pub fn fuzz_settings_file(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(read) = settings::parse_settings(&text, "fuzz") {
        let again = settings::parse_settings(&settings::render_settings(&read), "fuzz");
        assert_eq!(again, Ok(read));
    }
}

/// Command line, one argument a line: no panic.
pub fn fuzz_command_line(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let argv: Vec<&str> = text.split('\n').collect();
    let args = ArgsManager::new().declare(&options::wallet_tool());
    if args.parse_parameters(&argv).is_ok() {
        let _ = (args.get_command(), args.chain_type(), args.get_path("-datadir", "x"), args.help_message());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use grs_testkit::run_fuzz;

    fn corpus(texts: &[&str]) -> Vec<Vec<u8>> {
        texts.iter().map(|text| text.as_bytes().to_vec()).collect()
    }

    #[test]
    fn fuzz_targets() {
        let config = [
            "regtest=1\n[regtest]\nrpcport=1\nnonamed=1 # x\n[main]\ntest.rpcport=99999\nrpcpassword=1#2\n",
            "datadir=/a/../b\nincludeconf=x\n-x\nnoserver",
            "reindex",
        ];
        run_fuzz(fuzz_config_file, &corpus(&config), 1500);
        let settings = [
            "{\"wallet\": [\"a\", \"\\u00e4\"], \"prune\": 1.5e3, \"x\": {\"y\": null}}",
            "[]",
            "{\"a\":1,\"a\":2}",
        ];
        run_fuzz(fuzz_settings_file, &corpus(&settings), 3000);
        run_fuzz(
            fuzz_command_line,
            &corpus(&["-regtest\n--datadir=x/..\ninfo\n-foo", "-nowallet\n-chain=a.b"]),
            500,
        );
    }
}
