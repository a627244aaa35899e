//! Command lines and what comes of them.

use std::path::Path;
use std::sync::Arc;

use grs_args::Program;
use grs_gui_core::Theme;
use grs_gui_core::pages::first_run::FirstRunChoice;
use grs_gui_core::process::{IpcConnect, LaunchError, Launcher, OnLost};
use grs_interfaces::gui::Node;

use super::*;

/// There is no node.
struct Nobody;

impl Launcher for Nobody {
    fn join(&self, _: Option<&Path>, _: OnLost) -> Result<Arc<dyn Node>, LaunchError> {
        Err(LaunchError::NoneListens("nobody there".into()))
    }
    fn start(&self, _: OnLost) -> Result<Arc<dyn Node>, LaunchError> {
        Err(LaunchError::Failed("cannot be started".into()))
    }
    fn wait_ended(&self) {}
    fn detach(&self) {}
}

struct Setup(tempfile::TempDir);

impl Setup {
    fn new() -> Setup {
        Setup(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn begin(&self, program: Program, words: &[&str]) -> Step {
        let flavour = Flavour {
            program,
            launcher: |_| Ok(Arc::new(Nobody)),
            config_dir: self.path("config"),
            default_data_dir: self.path("default"),
        };
        begin(flavour, &words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>())
    }

    /// With `-regtest` and a data directory.
    fn open(&self, words: &[&str]) -> Box<Start> {
        let dir = self.path("data");
        std::fs::create_dir_all(&dir).unwrap();
        let named = format!("-datadir={}", dir.display());
        let words: Vec<&str> = ["-regtest", &named].into_iter().chain(words.iter().copied()).collect();
        opened(self.begin(Program::Gui, &words))
    }
}

fn opened(step: Step) -> Box<Start> {
    match step {
        Step::Open(start) => start,
        other => panic!("{other:?}"),
    }
}

fn failure(step: Step) -> String {
    match step {
        Step::Fail(text) => text,
        other => panic!("{other:?}"),
    }
}

fn printed(step: Step) -> String {
    match step {
        Step::Print(text) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn help_and_version_come_before_anything_else() {
    let setup = Setup::new();
    let help = printed(setup.begin(Program::Gui, &["-?", "-regtest"]));
    for part in
        ["groestlcoin-gui [options] [URI]", "-ipcconnect=", "-choosedatadir", "-ipcbind=", "-dbcache="]
    {
        assert!(help.contains(part), "{part}");
    }
    let help = printed(setup.begin(Program::Qt, &["-help"]));
    assert!(help.contains("groestlcoin-qt [options] [URI]") && help.contains("-min\n"), "{help}");
    assert!(!help.contains("-ipcconnect") && !help.contains("-ipcbind"));
    assert!(
        printed(setup.begin(Program::Qt, &["-version"]))
            .starts_with("Groestlcoin Core version v31.0.0 groestlcoin-qt\n")
    );
    // Nothing was made.
    assert_eq!(std::fs::read_dir(setup.0.path()).unwrap().count(), 0);
}

#[test]
fn wrong_command_lines_are_refused() {
    let setup = Setup::new();
    for (words, text) in [
        (&["-nosuch"][..], "Error parsing command line arguments: Invalid parameter -nosuch"),
        (
            &["word"],
            "Command line contains unexpected token 'word', see groestlcoin-gui -h for a list of options.",
        ),
        (&["groestlcoin:x", "-min"], "Options ('-min') cannot follow a BIP-21 payment URI"),
        (
            &["GROESTLCOIN:x", "word"],
            "Command line contains unexpected token 'word', see groestlcoin-gui -h for a list of options.",
        ),
        (
            &["-ipcconnect=smoke"],
            "Invalid -ipcconnect address 'smoke': it must be 'auto', 'unix' or 'unix:<path>'",
        ),
        (&["-datadir=/no/such"], "Specified data directory \"/no/such\" does not exist."),
    ] {
        assert_eq!(failure(setup.begin(Program::Gui, words)), text);
    }
    let text = failure(setup.begin(Program::Qt, &["word"]));
    assert!(text.contains("see groestlcoin-qt -h"), "{text}");
    assert!(failure(setup.begin(Program::Qt, &["-ipcconnect=unix"])).contains("Invalid parameter"));
    let text = failure(setup.begin(Program::Gui, &["-regtest", "-testnet"]));
    assert!(text.contains("combination"), "{text}");
    std::fs::create_dir(setup.path("data")).unwrap();
    std::fs::write(setup.path("data/groestlcoin.conf"), "-x=1\n").unwrap();
    let named = format!("-datadir={}", setup.path("data").display());
    let text = failure(setup.begin(Program::Gui, &[&named]));
    assert!(text.starts_with("Error reading configuration file: "), "{text}");
}

#[test]
fn options_reach_the_node_and_the_window() {
    let setup = Setup::new();
    let start = setup.open(&[
        "-min",
        "-nosplash",
        "--lang=de",
        "-uiplatform=other",
        "-ipcconnect=unix:a/b",
        "-dbcache=5",
        "-debug=ipc",
        "groestlcoin:one",
        "Groestlcoin:two?amount=1",
    ]);
    assert_eq!(start.connect, IpcConnect::Join(Some("a/b".into())));
    assert_eq!(start.uris, ["groestlcoin:one", "Groestlcoin:two?amount=1"]);
    assert!(start.minimized && !start.splash && start.notes.is_empty());
    assert_eq!(
        (start.plan.network, start.plan.net_data_dir.clone()),
        (Network::Regtest, setup.path("data/regtest"))
    );
    let named = format!("-datadir={}", setup.path("data").display());
    let expected = ["-regtest", &named, "-dbcache=5", "-debug=ipc", "-printtoconsole=0", "-server=0"];
    assert_eq!(start.plan.node_arguments, expected);
    let start = setup.open(&["-nosplash"]);
    assert!(!start.minimized && !start.splash);
    assert_eq!(
        (start.connect, setup.open(&["-noipcconnect"]).connect),
        (IpcConnect::Auto, IpcConnect::Start)
    );
    assert_eq!(setup.open(&["-ipcconnect"]).connect, IpcConnect::Join(None));
    // What the configuration says stays as it is, but the node must not leave this process.
    std::fs::write(
        setup.path("data/groestlcoin.conf"),
        "server=1\ndaemon=1\nipcconnect=unix\n[regtest]\nprinttoconsole=1\n",
    )
    .unwrap();
    let start = setup.open(&[]);
    assert_eq!(start.plan.node_arguments, ["-regtest", &named, "-daemon=0"]);
    assert_eq!(start.connect, IpcConnect::Join(None));
}

#[test]
fn settings_of_the_window_are_kept_and_forgotten() {
    let setup = Setup::new();
    let mut start = setup.open(&[]);
    assert!(setup.path("data/regtest/wallets").is_dir());
    start.settings.theme = Theme::Dark;
    start.store.save(&start.settings).unwrap();
    assert_eq!(setup.open(&[]).settings.theme, Theme::Dark);
    assert_eq!(setup.open(&["-resetguisettings"]).settings.theme, Theme::System);
    assert_eq!(setup.open(&[]).settings.theme, Theme::System);
    assert!(setup.path("data/regtest/gui.json.bak").exists());
    std::fs::write(setup.path("data/regtest/gui.json"), "{").unwrap();
    assert_eq!(setup.open(&[]).notes.len(), 1);
}

#[test]
fn the_first_run_asks_once() {
    let setup = Setup::new();
    let asked = |step| match step {
        Step::FirstRun(step) => step,
        other => panic!("{other:?}"),
    };
    let step = asked(setup.begin(Program::Gui, &["-regtest"]));
    let page = step.page(Arc::new(|| {})).unwrap();
    assert!(!page.custom && page.may_choose_prune());
    assert_eq!(page.default_dir(), setup.path("default"));
    // The user goes away, and nothing has been made.
    drop((page, step));
    assert_eq!(std::fs::read_dir(setup.0.path()).unwrap().count(), 0);

    let chosen = setup.path("chosen");
    std::fs::create_dir(&chosen).unwrap();
    let choice = FirstRunChoice { data_dir: chosen.clone(), prune_mib: Some(1907) };
    let start = opened(asked(setup.begin(Program::Gui, &["-regtest"])).accepted(choice.clone()));
    assert_eq!(start.plan.net_data_dir, chosen.join("regtest"));
    let named = format!("-datadir={}", chosen.display());
    assert_eq!(
        start.plan.node_arguments,
        [&named, "-regtest", "-prune=1907", "-printtoconsole=0", "-server=0"]
    );
    let settings = || std::fs::read_to_string(chosen.join("regtest/settings.json")).unwrap();
    assert!(settings().contains("\"prune\": \"1907\""), "{}", settings());

    // From now on it is known, unless it is asked for or gone.
    let start = opened(setup.begin(Program::Qt, &["-regtest"]));
    assert_eq!(start.plan.net_data_dir, chosen.join("regtest"));
    assert_eq!(start.plan.node_arguments, [&named, "-regtest", "-printtoconsole=0", "-server=0"]);
    for option in ["-choosedatadir", "-resetguisettings"] {
        let step = asked(setup.begin(Program::Gui, &["-regtest", option, "-prune=550"]));
        let page = step.page(Arc::new(|| {})).unwrap();
        assert!(page.custom && page.prune() && !page.may_choose_prune());
        assert_eq!(page.directory.text, chosen.display().to_string());
        let choice = FirstRunChoice { prune_mib: None, ..choice.clone() };
        let start = opened(step.accepted(choice));
        let prunes: Vec<_> = start.plan.node_arguments.iter().filter(|a| a.starts_with("-prune")).collect();
        assert_eq!(prunes, ["-prune=550"]);
    }
    // The same choice once more leaves the file alone; another one changes it.
    let before = settings().replace('{', "{ ");
    std::fs::write(chosen.join("regtest/settings.json"), &before).unwrap();
    let again = asked(setup.begin(Program::Gui, &["-regtest", "-choosedatadir"]));
    opened(again.accepted(choice.clone()));
    assert_eq!(settings(), before);
    let again = asked(setup.begin(Program::Gui, &["-regtest", "-choosedatadir"]));
    opened(again.accepted(FirstRunChoice { prune_mib: Some(0), ..choice }));
    assert!(settings().contains("\"prune\": \"0\""), "{}", settings());
    std::fs::remove_dir_all(&chosen).unwrap();
    asked(setup.begin(Program::Gui, &["-regtest"]));
    // A node that has to be running has its directory, and so has one that is named.
    let text = failure(setup.begin(Program::Gui, &["-regtest", "-ipcconnect=unix"]));
    assert!(text.contains("chosen\" does not exist"), "{text}");
    assert!(!chosen.exists());
    setup.open(&["-choosedatadir"]);
}

#[test]
fn settings_of_the_node_that_cannot_be_read_are_set_aside_if_the_user_wants() {
    let setup = Setup::new();
    setup.open(&[]);
    let file = setup.path("data/regtest/settings.json");
    std::fs::write(&file, "{ nonsense").unwrap();
    let named = format!("-datadir={}", setup.path("data").display());
    let Step::Reset(step) = setup.begin(Program::Gui, &["-regtest", &named]) else { panic!("no question") };
    assert!(step.text.contains("Settings file could not be read"), "{}", step.text);
    assert!(file.exists());
    opened(step.reset());
    assert!(!file.exists() && file.with_extension("json.bad").exists());
}

#[test]
fn a_program_whose_node_cannot_be_started_fails() {
    use grs_gui_core::{Backend, Command, Link};
    let setup = Setup::new();
    let start = setup.open(&[]);
    let session = start.session(Arc::new(|| {})).unwrap();
    let wait = |done: &dyn Fn(&View) -> bool| {
        let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while !done(&session.view()) {
            assert!(std::time::Instant::now() < end, "{:?}", session.view().link);
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    };
    wait(&|v| v.link == Link::Failed("cannot be started".into()));
    session.send(Command::Quit);
    wait(&|v| v.link == Link::Closed);
    assert_eq!(session.view().failure.as_deref(), Some("cannot be started"));
    let code = |view: &View| format!("{:?}", finish(view));
    assert_eq!(code(&session.view()), format!("{:?}", ExitCode::FAILURE));
    assert_eq!(code(&View::default()), format!("{:?}", ExitCode::SUCCESS));
}

#[test]
fn an_open_window_takes_the_uris_of_a_second_program() {
    let setup = Setup::new();
    let start = setup.open(&[]);
    let (tell, told) = std::sync::mpsc::channel();
    let tell = std::sync::Mutex::new(tell);
    let listener = start.listen_for_uris(Arc::new(move |uri| tell.lock().unwrap().send(uri).unwrap()));
    assert!(listener.is_some());
    let named = format!("-datadir={}", setup.path("data").display());
    let second = setup.begin(Program::Qt, &["-regtest", &named, "groestlcoin:x"]);
    assert!(matches!(second, Step::HandedOver), "{second:?}");
    assert_eq!(told.recv_timeout(std::time::Duration::from_secs(20)).unwrap(), "groestlcoin:x");
    // Without a URI, or on another network, it is a window of its own.
    setup.open(&[]);
    opened(setup.begin(Program::Gui, &["-signet", &named, "groestlcoin:x"]));
    drop(listener);
    assert_eq!(setup.open(&["groestlcoin:x"]).uris, ["groestlcoin:x"]);
}

/// A screen on which the user answers always the same.
#[derive(Default)]
struct Answers {
    yes: bool,
    no_display: bool,
    failure: Option<String>,
    log: std::cell::RefCell<Vec<String>>,
}

impl Answers {
    fn note(&self, what: &str) {
        self.log.borrow_mut().push(what.to_owned());
    }
}

impl Screen for Answers {
    fn error(&self, text: &str) {
        self.note(text);
    }
    fn reset(&self, _: &str) -> bool {
        self.note("reset?");
        self.yes
    }
    fn first_run(&self, step: &FirstRunStep) -> Result<Option<FirstRunChoice>, String> {
        self.note("where?");
        if self.no_display {
            return Err("no display".into());
        }
        let mut page = step.page(Arc::new(|| {})).unwrap();
        while !page.can_accept() {
            page.update();
            std::thread::yield_now();
        }
        Ok(if self.yes { page.accept() } else { None })
    }
    fn window(&self, start: Box<Start>) -> Result<Arc<View>, String> {
        self.note(&format!("window {}", start.uris.len()));
        if self.no_display {
            return Err("no display".into());
        }
        Ok(Arc::new(View { failure: self.failure.clone(), ..View::default() }))
    }
}

#[test]
fn exit_codes_are_the_references() {
    let setup = Setup::new();
    let run = |screen: &Answers, words: &[&str]| {
        let flavour = Flavour {
            program: Program::Gui,
            launcher: |_| Ok(Arc::new(Nobody)),
            config_dir: setup.path("config"),
            default_data_dir: setup.path("default"),
        };
        let code = drive(flavour, words.iter().map(Into::into), screen);
        (format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS), screen.log.take())
    };
    let no = Answers::default();
    let yes = Answers { yes: true, ..Answers::default() };
    let blind = Answers { no_display: true, ..Answers::default() };
    assert_eq!(run(&no, &["-version"]), (true, vec![]));
    assert_eq!(run(&no, &["-help"]), (true, vec![]));
    let (success, shown) = run(&no, &["-nosuch"]);
    assert!(!success && shown[0].contains("Invalid parameter -nosuch"), "{shown:?}");
    // The user who does not want to choose a directory ends the program in good order.
    assert_eq!(run(&no, &["-regtest"]), (true, vec!["where?".into()]));
    assert_eq!(run(&blind, &["-regtest"]), (false, vec!["where?".into()]));
    let window = |n: u32| format!("window {n}");
    assert_eq!(run(&yes, &["-regtest", "groestlcoin:a"]), (true, vec!["where?".into(), window(1)]));
    // The directory is there now.
    assert_eq!(run(&no, &["-regtest"]), (true, vec![window(0)]));
    assert_eq!(run(&blind, &["-regtest"]), (false, vec![window(0)]));
    let broken = Answers { failure: Some("no node".into()), ..Answers::default() };
    assert_eq!(run(&broken, &["-regtest"]), (false, vec![window(0)]));
    std::fs::write(setup.path("default/regtest/settings.json"), "{").unwrap();
    assert_eq!(run(&no, &["-regtest"]), (false, vec!["reset?".into()]));
    assert_eq!(run(&yes, &["-regtest"]), (true, vec!["reset?".into(), window(0)]));
}
