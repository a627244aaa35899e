//! Configuration files, settings.json and directories on disk.
#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::fs;
use std::path::{Path, PathBuf};

use grs_args::{ArgsManager, ChainType, ConfigStatus, init_config, options};
use serde_json::json;
use tempfile::TempDir;

struct Setup {
    _tmp: TempDir,
    dir: PathBuf,
}

impl Setup {
    fn new() -> Self {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().to_owned();
        Self { _tmp: tmp, dir }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn args(&self, more: &[&str]) -> ArgsManager {
        let args = ArgsManager::new().declare(&options::node(false));
        let dir = format!("-datadir={}", self.dir.display());
        args.parse_parameters(&[&[dir.as_str()], more].concat()).unwrap();
        args
    }

    fn read_error(&self, more: &[&str]) -> String {
        self.args(more).read_config_files(false).unwrap_err().to_string()
    }
}

#[test]
fn no_configuration_file_is_fine_unless_named() {
    let setup = Setup::new();
    let args = setup.args(&[]);
    args.read_config_files(false).unwrap();
    assert_eq!(args.config_file_path(), setup.dir.join("groestlcoin.conf"));
    let missing = setup.dir.join("no.conf");
    assert_eq!(
        setup.read_error(&["-conf=no.conf"]),
        format!("specified config file \"{}\" could not be opened.", missing.display())
    );
    let dir = setup.dir.display();
    assert_eq!(
        setup.read_error(&[&format!("-conf={dir}")]),
        format!("Config file \"{dir}\" is a directory.")
    );
    setup.write("groestlcoin.conf", "garbage");
    assert_eq!(setup.read_error(&[]), "parse error on line 1: garbage");
    let args = setup.args(&["-noconf"]);
    args.read_config_files(false).unwrap();
    assert_eq!(args.config_file_path(), Path::new(""));
}

#[test]
fn wrong_values_in_files() {
    let setup = Setup::new();
    setup.write("groestlcoin.conf", "conf=x");
    assert_eq!(
        setup.read_error(&[]),
        "conf cannot be set in the configuration file; use includeconf= if you want to include additional config files"
    );
    setup.write("groestlcoin.conf", "[main]\ndash_conf=1");
    assert_eq!(setup.read_error(&[]), "Invalid configuration value main.dash_conf");
    setup.args(&[]).read_config_files(true).unwrap();
    setup.write("groestlcoin.conf", "nodatadir=1");
    assert_eq!(setup.read_error(&[]), "Negating of -datadir is meaningless and therefore forbidden");
    // A value that the option needs is there, though empty.
    setup.write("groestlcoin.conf", "proxy=");
    assert_eq!(setup.args(&[]).read_config_files(false), Ok(()));
}

#[test]
fn includes() {
    let setup = Setup::new();
    let absolute = setup.write("sub/b.conf", "uacomment=b\nincludeconf=ignored.conf\n");
    setup.write("a.conf", "uacomment=a\n[regtest]\nuacomment=a-regtest\n");
    setup.write("c.conf", "uacomment=c\n");
    let text = format!(
        "regtest=1\nuacomment=main\nincludeconf=a.conf\nincludeconf={}\n[regtest]\nincludeconf=c.conf\n",
        absolute.display()
    );
    setup.write("groestlcoin.conf", &text);
    let args = setup.args(&[]);
    args.read_config_files(false).unwrap();
    args.select_config_network(ChainType::Regtest);
    // The network's includes come first; each file starts outside of sections.
    assert_eq!(args.get_list("-uacomment"), ["a-regtest", "main", "c", "a", "b"]);

    let args = setup.args(&["-noincludeconf"]);
    args.read_config_files(false).unwrap();
    args.select_config_network(ChainType::Regtest);
    assert_eq!(args.get_list("-uacomment"), ["main"]);

    setup.write("groestlcoin.conf", "includeconf=a.conf\nnoincludeconf=1\nincludeconf=c.conf\n");
    let args = setup.args(&[]);
    args.read_config_files(false).unwrap();
    assert_eq!(args.get_list("-uacomment"), ["c"]);

    setup.write("groestlcoin.conf", "noincludeconf=0\n");
    assert_eq!(setup.read_error(&[]), "JSON value of type bool is not of expected type string");
    setup.write("groestlcoin.conf", "includeconf=missing.conf\n");
    assert_eq!(setup.read_error(&[]), "Failed to include configuration file missing.conf");
    setup.write("groestlcoin.conf", "includeconf=sub\n");
    let sub = setup.dir.join("sub");
    assert_eq!(setup.read_error(&[]), format!("Included config file \"{}\" is a directory.", sub.display()));
    setup.write("groestlcoin.conf", "includeconf=a.conf\n");
    setup.write("a.conf", "\nfoo\n");
    assert_eq!(setup.read_error(&[]), "parse error on line 2: foo");
}

#[test]
fn directories() {
    let setup = Setup::new();
    let args = setup.args(&[]);
    assert_eq!(args.data_dir_base(), setup.dir);
    for chain in ChainType::ALL {
        args.select_config_network(chain);
        assert_eq!(args.data_dir_net(), setup.dir.join(chain.base_params().data_dir));
    }
    args.select_config_network(ChainType::Testnet);
    let blocks = args.blocks_dir_path().unwrap();
    assert_eq!(blocks, setup.dir.join("testnet3/blocks"));
    assert!(blocks.is_dir());
    let other = setup.dir.join("other");
    let args = setup.args(&[&format!("-blocksdir={}/", other.display())]);
    args.select_config_network(ChainType::Regtest);
    assert_eq!(args.blocks_dir_path(), None);
    fs::create_dir(&other).unwrap();
    assert_eq!(args.blocks_dir_path(), Some(other.join("regtest/blocks")));

    let args = ArgsManager::new().declare(&options::node(false));
    args.parse_parameters(&["-datadir=/no/such/dir"]).unwrap();
    assert_eq!(args.data_dir_base(), Path::new(""));
    let error = init_config(&args, None).unwrap_err();
    assert_eq!(error.message, "Specified data directory \"/no/such/dir\" does not exist.");
    setup.write("groestlcoin.conf", "datadir=/no/such/dir");
    let conf = format!("-conf={}", setup.dir.join("groestlcoin.conf").display());
    args.parse_parameters(&[conf]).unwrap();
    let error = init_config(&args, None).unwrap_err();
    assert_eq!(
        error.message,
        "Error reading configuration file: specified data directory \"/no/such/dir\" does not exist."
    );
}

const EMPTY_SETTINGS: &str = "{\n    \"_warning_\": \"This file is automatically generated and updated by Groestlcoin \
                              Core. Please do not edit this file while the node is running, as any changes might be \
                              ignored or overwritten.\"\n}\n";

#[test]
fn first_start_makes_directories_and_settings() {
    let setup = Setup::new();
    let args = setup.args(&["-regtest"]);
    init_config(&args, None).unwrap();
    assert_eq!(args.network(), Some(ChainType::Regtest));
    assert!(setup.dir.join("regtest/wallets").is_dir());
    // The base directory existed.
    assert!(!setup.dir.join("wallets").exists());
    let path = setup.dir.join("regtest/settings.json");
    assert_eq!(args.settings_path(), Some(path.clone()));
    assert_eq!(fs::read_to_string(&path).unwrap(), EMPTY_SETTINGS);
    assert!(!setup.dir.join("regtest/settings.json.tmp").exists());
    assert_eq!(
        init_config(&setup.args(&["-regtest", "-signet"]), None).unwrap_err().status,
        ConfigStatus::Failed
    );
}

#[test]
fn settings_are_kept_and_precede_the_configuration_file() {
    let setup = Setup::new();
    setup.write("groestlcoin.conf", "par=3\n[main]\nwallet=conf\ndbcache=5\n");
    setup.write(
        "settings.json",
        r#"{"par": 4, "wallet": ["a", "b"], "odd": null, "listen": false, "server": true}"#,
    );
    let args = setup.args(&["-dbcache=6", "-rpcuser=me"]);
    init_config(&args, None).unwrap();
    assert_eq!(args.get_int("-par", 0), 4);
    assert!(args.is_negated("-listen") && args.get_bool("-server", false));
    assert_eq!(args.get_list("-wallet"), ["a", "b", "conf"]);
    assert_eq!(args.get_persistent_setting("dbcache"), json!("5"));
    assert_eq!(args.get_persistent_setting("wallet"), json!(["a", "b"]));
    args.with_settings(|settings| settings.rw_settings.insert("wallet".into(), json!([])));
    args.write_settings_file(false).unwrap();
    args.write_settings_file(true).unwrap();
    let text = fs::read_to_string(setup.dir.join("settings.json")).unwrap();
    let expected = EMPTY_SETTINGS.replace(
        "overwritten.\"\n",
        "overwritten.\",\n    \"listen\": false,\n    \"odd\": null,\n    \"par\": 4,\n    \"server\": true,\n    \
         \"wallet\": [\n    ]\n",
    );
    assert_eq!(text, expected);
    assert_eq!(fs::read_to_string(setup.dir.join("settings.json.bak")).unwrap(), expected);
    // A later value of the command line does not end the list of settings.json, but a negation does.
    let args = setup.args(&["-nowallet"]);
    init_config(&args, None).unwrap();
    assert!(args.get_list("-wallet").is_empty());
}

#[test]
fn broken_settings() {
    let setup = Setup::new();
    let path = setup.dir.join("settings.json");
    let file = path.display();
    for (text, expected) in [
        (
            "invalid json",
            format!(
                "Settings file {file} does not contain valid JSON. This is probably caused by disk corruption or a \
                 crash, and can be fixed by removing the file, which will reset settings to default values."
            ),
        ),
        ("\"string\"", format!("Found non-object value \"string\" in settings file {file}")),
        ("[1, {}]", format!("Found non-object value [1,{{}}] in settings file {file}")),
        ("{\"key\": 1, \"key\": 2}", format!("Found duplicate key key in settings file {file}")),
    ] {
        setup.write("settings.json", text);
        let error = init_config(&setup.args(&[]), None).unwrap_err();
        assert_eq!(error.message, "Settings file could not be read");
        assert_eq!(error.user_text(), format!("Settings file could not be read:\n- {expected}"));
        assert_eq!((error.status, error.details), (ConfigStatus::Failed, vec![expected]));
    }
    let abort = |_: &str, _: &[String]| true;
    assert_eq!(init_config(&setup.args(&[]), Some(&abort)).unwrap_err().status, ConfigStatus::Aborted);
    // Not looked at.
    let args = setup.args(&["-nosettings"]);
    init_config(&args, None).unwrap();
    assert_eq!(args.settings_path(), None);
    assert!(args.write_settings_file(false).is_err());
    // Another file.
    setup.write("alt.json", "{\"key\": \"value\"}");
    let args = setup.args(&["-settings=alt.json"]);
    init_config(&args, None).unwrap();
    assert!(fs::read_to_string(setup.dir.join("alt.json")).unwrap().contains("\"key\": \"value\""));
    // The user goes on without: the file is replaced.
    init_config(&setup.args(&[]), Some(&|_, _| false)).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), EMPTY_SETTINGS);
    // Not writable.
    fs::remove_file(&path).unwrap();
    fs::create_dir(setup.dir.join("settings.json.tmp")).unwrap();
    let error = init_config(&setup.args(&[]), None).unwrap_err();
    assert_eq!(
        (error.status, error.message.as_str()),
        (ConfigStatus::FailedWrite, "Settings file could not be written")
    );
    assert_eq!(error.details, [format!("Error: Unable to open settings file {file}.tmp for writing")]);
}

#[test]
fn an_ignored_configuration_file_is_an_error() {
    let setup = Setup::new();
    let used = setup.write("used/my.conf", "");
    setup.write("groestlcoin.conf", "");
    let conf = format!("-conf={}", used.display());
    let error = init_config(&setup.args(&[&conf]), None).unwrap_err();
    let dir = setup.dir.display();
    assert_eq!(
        error.message,
        format!(
            "Data directory \"{dir}\" contains a \"groestlcoin.conf\" file which is ignored, because a different \
             configuration file \"{}\" from command line argument \"{conf}\" is being used instead. Possible ways to \
             address this would be to:\n- Delete or rename the \"groestlcoin.conf\" file in data directory \
             \"{dir}\".\n- Change datadir= or conf= options to specify one configuration file, not two, and use \
             includeconf= to include any other configuration files.\n- Set allowignoredconf=1 option to treat this \
             condition as a warning, not an error.",
            used.display()
        )
    );
    init_config(&setup.args(&[&conf, "-allowignoredconf"]), None).unwrap();
    init_config(&setup.args(&["-noconf"]), None).unwrap();
    init_config(&setup.args(&[&format!("-conf={dir}/./groestlcoin.conf")]), None).unwrap();
}

#[test]
fn a_data_directory_that_is_taken_away_stays_the_answer() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let args = ArgsManager::new().declare(&options::node(false));
    args.parse_parameters(&[format!("-datadir={}", data.display())]).unwrap();
    assert_eq!(args.data_dir_base(), PathBuf::new());
    std::fs::create_dir(&data).unwrap();
    assert_eq!(args.data_dir_base(), data);
    std::fs::remove_dir(&data).unwrap();
    assert_eq!(args.data_dir_base(), data);
}
