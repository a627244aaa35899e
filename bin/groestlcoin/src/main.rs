//! Wrapper that runs the other programs.
//!
//! `groestlcoin node -regtest` becomes `groestlcoind -regtest`, or `groestlcoin-node -regtest` where an option needs
//! several processes. Programs are looked for where the wrapper is installed (reference: `bitcoin.cpp`).

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use grs_args::{ArgsManager, ChainType, Flags, Program};
use grs_rpc_client::version::{CLIENT_NAME, FULL_VERSION};

const HELP: &str = "\
Options:
  -m, --multiprocess     Use the programs made of several processes: groestlcoin-node, groestlcoin-gui.
  -M, --monolithic       Use the programs that are one process: groestlcoind, groestlcoin-qt (the default).
  -v, --version          Show the version
  -h, --help             Show this help with all commands

Commands:
  gui [ARGS]     Start the graphical program: 'groestlcoin-qt [ARGS]' or 'groestlcoin-gui [ARGS]'
  node [ARGS]    Start a node: 'groestlcoind [ARGS]' or 'groestlcoin-node [ARGS]'
  rpc [ARGS]     Ask a node: 'groestlcoin-cli -named [ARGS]'
  wallet [ARGS]  Work on a wallet file: 'groestlcoin-wallet [ARGS]'
  tx [ARGS]      Make or change a transaction: 'groestlcoin-tx [ARGS]'
  help           Show this help with all commands
";

const MORE_HELP: &str = "
Commands that few need:
  bench [ARGS]      'bench_groestlcoin [ARGS]': measure
  chainstate [ARGS] 'groestlcoin-chainstate [ARGS]': validate blocks
  test [ARGS]       'test_groestlcoin [ARGS]': unit tests
  test-gui [ARGS]   'test_groestlcoin-qt [ARGS]': unit tests of the graphical program
  util [ARGS]       'groestlcoin-util [ARGS]': small tools
";

/// What the user wants.
#[derive(Debug, Default, PartialEq)]
struct CommandLine {
    /// `-m` or `-M`.
    multiprocess: Option<bool>,
    version: bool,
    help: bool,
    command: Option<OsString>,
    args: Vec<OsString>,
}

/// Why nothing was run.
#[derive(Debug)]
struct Failure(String);

fn main() -> ExitCode {
    let mut words = std::env::args_os();
    let own_name = words.next().unwrap_or_else(|| "groestlcoin".into());
    match run(&own_name, words.collect()) {
        Ok(code) => code,
        Err(Failure(text)) => {
            let name = own_name.to_string_lossy();
            eprintln!("Error: {text}\nTry '{name} --help' for more information.");
            ExitCode::FAILURE
        }
    }
}

fn run(own_name: &OsStr, words: Vec<OsString>) -> Result<ExitCode, Failure> {
    let line = parse(words)?;
    if line.version {
        let text = Program::Daemon.version_text(FULL_VERSION);
        let licence = text.split_once('\n').map_or("", |(_, rest)| rest);
        print!("{CLIENT_NAME} version {FULL_VERSION}\n{licence}");
        return Ok(ExitCode::SUCCESS);
    }
    let Some(command) = line.command.as_ref().filter(|_| !line.help) else {
        let name = Path::new(own_name).file_name().unwrap_or(own_name).to_string_lossy();
        print!("Usage: {name} [OPTIONS] COMMAND...\n\n{HELP}");
        if line.help {
            print!("{MORE_HELP}");
            return Ok(ExitCode::SUCCESS);
        }
        println!("\nRun '{name} help' to see all commands.");
        return Ok(ExitCode::FAILURE);
    };
    let (program, first_args) = program(command, &line)?;
    let args: Vec<OsString> = first_args.iter().map(OsString::from).chain(line.args).collect();
    Err(exec(own_name, program, &args))
}

fn parse(words: Vec<OsString>) -> Result<CommandLine, Failure> {
    let mut line = CommandLine::default();
    for word in words {
        if line.command.is_some() {
            line.args.push(word);
            continue;
        }
        match word.to_string_lossy().as_ref() {
            "-m" | "--multiprocess" => line.multiprocess = Some(true),
            "-M" | "--monolithic" => line.multiprocess = Some(false),
            "-v" | "--version" => line.version = true,
            "-h" | "--help" | "help" => line.help = true,
            "" => {}
            option if option.starts_with('-') => return Err(Failure(format!("Unknown option: {option}"))),
            _ => line.command = Some(word),
        }
    }
    Ok(line)
}

/// Name of the program that a command stands for, and arguments to begin with.
fn program(command: &OsStr, line: &CommandLine) -> Result<(&'static str, &'static [&'static str]), Failure> {
    let either = |multi, mono| if use_multiprocess(line) { multi } else { mono };
    Ok(match command.to_string_lossy().as_ref() {
        "gui" => (either("groestlcoin-gui", "groestlcoin-qt"), &[]),
        "node" => (either("groestlcoin-node", "groestlcoind"), &[]),
        // A new interface need not be like the old one: names are understood without asking.
        "rpc" => ("groestlcoin-cli", &["-named"]),
        "wallet" => ("groestlcoin-wallet", &[]),
        "tx" => ("groestlcoin-tx", &[]),
        "bench" => ("bench_groestlcoin", &[]),
        "chainstate" => ("groestlcoin-chainstate", &[]),
        "test" => ("test_groestlcoin", &[]),
        "test-gui" => ("test_groestlcoin-qt", &[]),
        "util" => ("groestlcoin-util", &[]),
        other => return Err(Failure(format!("Unrecognized command: '{other}'"))),
    })
}

/// Unless told, several processes are used when an option about them is set, in the arguments or the configuration.
fn use_multiprocess(line: &CommandLine) -> bool {
    if let Some(chosen) = line.multiprocess {
        return chosen;
    }
    let args = ArgsManager::new();
    args.set_default_flags(Some(Flags::ANY));
    let words: Vec<_> = line.args.iter().map(|word| word.to_string_lossy()).collect();
    if let Err(error) = args.parse_parameters(&words) {
        eprintln!("Warning: failed to parse subcommand command line options: {error}");
    }
    if let Err(error) = args.read_config_files(true) {
        eprintln!("Warning: failed to parse subcommand config: {error}");
    }
    // A network that does not exist is the program's to complain about.
    args.select_config_network(args.chain_type().unwrap_or(ChainType::Main));
    ["-ipcbind", "-ipcconnect", "-ipcfd"].iter().any(|option| args.is_set(option))
}

/// Becomes the program. Returns only with an error.
fn exec(own_name: &OsStr, program: &str, args: &[OsString]) -> Failure {
    // Called by a path, this is likely a build of its own, and a program of the system would be a surprise.
    let search_system = Path::new(own_name).parent().is_none_or(|dir| dir.as_os_str().is_empty());
    let mut candidates = Vec::new();
    if let Some(dir) = own_dir(own_name) {
        if dir.file_name() == Some(OsStr::new("bin"))
            && let Some(prefix) = dir.parent()
        {
            candidates.push(prefix.join("libexec").join(program));
        }
        candidates.push(dir.join(program));
    }
    if search_system {
        candidates.push(PathBuf::from(program));
    }
    let mut failure = Failure(format!("no place to look for '{program}'"));
    for candidate in candidates {
        let error = Command::new(&candidate).args(args).exec();
        failure =
            Failure(format!("execvp failed to execute '{}': {}", candidate.display(), plain_message(&error)));
        if error.kind() != io::ErrorKind::NotFound {
            break;
        }
    }
    failure
}

/// Text of a system error without its number.
fn plain_message(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// Directory of the wrapper itself, links resolved.
fn own_dir(own_name: &OsStr) -> Option<PathBuf> {
    let mut path = PathBuf::from(own_name);
    // A bare name was found by the shell on the search path.
    if path.parent().is_none_or(|dir| dir.as_os_str().is_empty()) {
        let search = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&search).map(|dir| dir.join(own_name)).find(|file| file.is_file());
        path = found.unwrap_or(path);
    }
    let path = std::fs::canonicalize(&path).unwrap_or(path);
    path.parent().map(Path::to_owned).filter(|dir| !dir.as_os_str().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[&str]) -> Vec<OsString> {
        list.iter().map(OsString::from).collect()
    }

    fn program_of(list: &[&str]) -> Result<String, String> {
        let line = parse(words(list)).map_err(|f| f.0)?;
        let command = line.command.clone().unwrap();
        program(&command, &line).map(|p| p.0.to_owned()).map_err(|f| f.0)
    }

    #[test]
    fn words_are_parsed() {
        let line = parse(words(&["-m", "", "node", "-M", "help"])).unwrap();
        assert_eq!(line.multiprocess, Some(true));
        assert_eq!(line.command, Some("node".into()));
        assert_eq!(line.args, words(&["-M", "help"]));
        assert!(parse(words(&["help"])).unwrap().help);
        assert!(parse(words(&["--version"])).unwrap().version);
        assert_eq!(parse(words(&["-x"])).unwrap_err().0, "Unknown option: -x");
    }

    #[test]
    fn commands_become_programs() {
        let dir = tempfile::tempdir().unwrap();
        let datadir = format!("-datadir={}", dir.path().display());
        let datadir = datadir.as_str();
        for (list, expected) in [
            (&["node", datadir][..], "groestlcoind"),
            (&["-M", "node", datadir, "-ipcbind=unix"], "groestlcoind"),
            (&["-m", "node", datadir], "groestlcoin-node"),
            (&["node", datadir, "-ipcbind=unix"], "groestlcoin-node"),
            (&["node", datadir, "-noipcbind"], "groestlcoin-node"),
            (&["gui", datadir], "groestlcoin-qt"),
            (&["gui", datadir, "-ipcconnect=unix"], "groestlcoin-gui"),
            (&["rpc"], "groestlcoin-cli"),
            (&["tx"], "groestlcoin-tx"),
            (&["util"], "groestlcoin-util"),
        ] {
            assert_eq!(program_of(list).as_deref(), Ok(expected), "{list:?}");
        }
        assert_eq!(program_of(&["x"]), Err("Unrecognized command: 'x'".to_owned()));
        std::fs::write(dir.path().join("groestlcoin.conf"), "[regtest]\nipcbind=unix\n").unwrap();
        assert_eq!(program_of(&["node", datadir]).as_deref(), Ok("groestlcoind"));
        assert_eq!(program_of(&["node", datadir, "-regtest"]).as_deref(), Ok("groestlcoin-node"));
    }
}
