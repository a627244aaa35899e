//! The question of the first start: where to keep everything, and how much of the chain.
//!
//! A thread looks at the directory while its name is typed, since a disk may take long to answer.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use grs_fs::{FileEnv, RealEnv};
use grs_params::Network;

use crate::field::Field;
use crate::texts::{Count, Text};

const GB: u64 = 1_000_000_000;
/// Year of the first block.
const FIRST_YEAR: u32 = 2014;
/// Less to spare than this, in GB, is scarce.
const SPARE_GB: u64 = 10;
/// Limits of the size of kept blocks, in GB, and what is offered first.
pub const PRUNE_GB: std::ops::RangeInclusive<u32> = 1..=99_999;
const DEFAULT_PRUNE_GB: u32 = 2;
/// Bytes of blocks and undo data in a day: 690 for each of the blocks, one a minute.
const BYTES_A_DAY: u64 = 690 * 24 * 60;

/// Sizes to expect of blocks and of the chain state, in GB. Reference: `m_assumed_blockchain_size` and
/// `m_assumed_chain_state_size`.
fn sizes(network: Network) -> (u64, u64) {
    match network {
        Network::Main => (6, 1),
        Network::Test => (3, 1),
        Network::Signet => (2, 1),
        Network::Testnet4 | Network::Regtest => (0, 0),
    }
}

/// What was found at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// Nothing; there is so much space in bytes.
    Nothing(u64),
    /// A directory.
    Directory(u64),
    /// Something else.
    Other,
    /// No directory can be made.
    Impossible,
}

fn look(path: &Path) -> Found {
    // What is not there has the space of the first directory above it that is.
    let Some(above) = path.ancestors().find(|p| p.exists()) else { return Found::Impossible };
    match RealEnv.free_space(above) {
        _ if !above.is_dir() => {
            if above == path {
                Found::Other
            } else {
                Found::Impossible
            }
        }
        Err(_) => Found::Impossible,
        Ok(free) if above == path => Found::Directory(free),
        Ok(free) => Found::Nothing(free),
    }
}

/// Looks at paths on a thread of its own.
#[derive(Debug)]
struct Looker {
    ask: Sender<PathBuf>,
    answer: Arc<Mutex<Option<(PathBuf, Found)>>>,
}

impl Looker {
    fn start(repaint: Arc<dyn Fn() + Send + Sync>) -> std::io::Result<Looker> {
        let (ask, asked) = channel::<PathBuf>();
        let answer = Arc::new(Mutex::new(None));
        let output = answer.clone();
        grs_sync::thread::spawn_quiet("gui-looker", move || {
            while let Ok(mut path) = asked.recv() {
                // Only what was typed last counts.
                while let Ok(newer) = asked.try_recv() {
                    path = newer;
                }
                let found = look(&path);
                *output.lock().unwrap_or_else(PoisonError::into_inner) = Some((path, found));
                repaint();
            }
        })?;
        Ok(Looker { ask, answer })
    }

    fn answer_for(&self, path: &Path) -> Option<Found> {
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        answer.as_ref().filter(|(asked, _)| asked == path).map(|(_, found)| *found)
    }
}

/// How bad the state of the space is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// Enough.
    Enough,
    /// Enough, but hardly more.
    Scarce,
    /// Too little. One may go on nevertheless.
    TooLittle,
}

/// What the user has chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstRunChoice {
    /// Directory, which exists now.
    pub data_dir: PathBuf,
    /// Limit of the blocks in MiB; 0: none. `None` if the command line decides.
    pub prune_mib: Option<u64>,
}

/// The page.
#[derive(Debug)]
pub struct FirstRun {
    /// Whether a directory other than the usual one is chosen.
    pub custom: bool,
    /// The other directory as typed.
    pub directory: Field,
    /// Why the directory could not be made.
    pub problem: Option<String>,
    default_dir: PathBuf,
    blocks_gb: u64,
    state_gb: u64,
    prune: bool,
    prune_gb: u32,
    prune_fixed: bool,
    prune_touched: bool,
    looker: Looker,
    looked_at: Option<PathBuf>,
    found: Option<Found>,
}

impl FirstRun {
    /// The page for a network. `current` is the directory used so far, `prune` the value of `-prune` on the command line.
    /// `repaint` is called on any thread when there is something new to draw.
    pub fn new(
        network: Network,
        default_dir: PathBuf,
        current: PathBuf,
        prune: Option<i64>,
        repaint: Arc<dyn Fn() + Send + Sync>,
    ) -> std::io::Result<FirstRun> {
        let (blocks_gb, state_gb) = sizes(network);
        let mut page = FirstRun {
            custom: current != default_dir,
            directory: Field::new(current.display().to_string()),
            problem: None,
            default_dir,
            blocks_gb,
            state_gb,
            prune: prune.is_some_and(|n| n >= 1),
            prune_gb: DEFAULT_PRUNE_GB,
            prune_fixed: prune.is_some(),
            prune_touched: prune.is_some(),
            looker: Looker::start(repaint)?,
            looked_at: None,
            found: None,
        };
        page.update();
        Ok(page)
    }

    /// The usual directory.
    pub fn default_dir(&self) -> &Path {
        &self.default_dir
    }

    /// The chosen directory; the error is for the user.
    fn path(&self) -> Result<PathBuf, String> {
        let typed = self.directory.text.trim();
        match self.custom {
            false => Ok(self.default_dir.clone()),
            true if typed.is_empty() => Err(Text::FirstRunEmpty.s().to_owned()),
            true if !Path::new(typed).is_absolute() => Err(Text::FirstRunRelative.s().to_owned()),
            true => Ok(PathBuf::from(typed)),
        }
    }

    /// Takes in what was typed and what was found. Call it for each frame, before drawing.
    pub fn update(&mut self) {
        let path = self.path();
        let path = self.directory.judge(path);
        if path != self.looked_at {
            self.found = None;
            self.problem = None;
            if let Some(path) = &path {
                // The thread lives as long as this.
                let _ = self.looker.ask.send(path.clone());
            }
            self.looked_at = path;
        }
        if self.found.is_none()
            && let Some(found) = self.looked_at.as_deref().and_then(|path| self.looker.answer_for(path))
        {
            self.found = Some(found);
            if let (false, Some(free)) = (self.prune_touched, self.free()) {
                self.prune = free < (self.blocks_gb + self.state_gb + SPARE_GB) * GB;
            }
        }
    }

    fn free(&self) -> Option<u64> {
        match self.found? {
            Found::Nothing(free) | Found::Directory(free) => Some(free),
            Found::Other | Found::Impossible => None,
        }
    }

    /// Whether old blocks are to be deleted.
    pub fn prune(&self) -> bool {
        self.prune
    }

    /// Size of kept blocks in GB.
    pub fn prune_gb(&self) -> u32 {
        self.prune_gb
    }

    /// Whether the user may choose; otherwise the command line has.
    pub fn may_choose_prune(&self) -> bool {
        !self.prune_fixed
    }

    /// The user wants old blocks deleted, or not.
    pub fn set_prune(&mut self, on: bool) {
        if self.may_choose_prune() {
            self.prune = on;
            self.prune_touched = true;
        }
    }

    /// The user wants blocks of that size, in GB, kept.
    pub fn set_prune_gb(&mut self, gb: u32) {
        self.prune_gb = gb.clamp(*PRUNE_GB.start(), *PRUNE_GB.end());
    }

    /// What goes with the size: how old a backup may be.
    pub fn prune_suffix(&self) -> String {
        Count::BackupDays.n(u64::from(self.prune_gb) * GB / BYTES_A_DAY)
    }

    /// What will be stored, in GB.
    fn needed_gb(&self) -> u64 {
        match self.prunes_really() {
            true => u64::from(self.prune_gb) + self.state_gb,
            false => self.blocks_gb + self.state_gb,
        }
    }

    fn prunes_really(&self) -> bool {
        self.prune && u64::from(self.prune_gb) <= self.blocks_gb
    }

    /// The paragraphs above the choice.
    pub fn paragraphs(&self) -> Vec<String> {
        let mut out = vec![
            Text::FirstRunWhere.s().to_owned(),
            Text::FirstRunDownload.with(&[("year", &FIRST_YEAR), ("size", &self.blocks_gb)]),
        ];
        if self.prune {
            out.push(Text::FirstRunPruneNote.s().to_owned());
        }
        out
    }

    /// What will be stored, in words.
    pub fn stored(&self) -> String {
        let text = if self.prunes_really() { Text::FirstRunStoredPruned } else { Text::FirstRunStoredFull };
        text.with(&[("size", &self.needed_gb())])
    }

    /// What was found at the directory, in words; an error keeps from going on. `None` while the field itself is wrong.
    pub fn finding(&self) -> Option<Result<&'static str, &'static str>> {
        self.looked_at.as_ref()?;
        Some(match self.found {
            None => Ok(Text::FirstRunChecking.s()),
            Some(Found::Nothing(_)) => Ok(Text::FirstRunNew.s()),
            Some(Found::Directory(_)) => Ok(Text::FirstRunExists.s()),
            Some(Found::Other) => Err(Text::FirstRunNoDirectory.s()),
            Some(Found::Impossible) => Err(Text::FirstRunImpossible.s()),
        })
    }

    /// The space that is left, in words.
    pub fn space(&self) -> Option<(Space, String)> {
        let free = self.free()?;
        let needed = self.needed_gb();
        let values: &[(&str, &dyn std::fmt::Display)] = &[("needed", &needed)];
        Some(if free < needed * GB {
            (Space::TooLittle, Count::SpaceFreeOfNeeded.with(free / GB, values))
        } else if free / GB - needed < SPARE_GB {
            (Space::Scarce, Count::SpaceFreeScarce.with(free / GB, values))
        } else {
            (Space::Enough, Count::SpaceFree.n(free / GB))
        })
    }

    /// Whether the user may go on.
    pub fn can_accept(&self) -> bool {
        self.free().is_some()
    }

    /// Makes the directory, with one for wallets if it is new. On failure [`FirstRun::problem`] says why.
    pub fn accept(&mut self) -> Option<FirstRunChoice> {
        self.directory.touch();
        self.update();
        let data_dir = self.looked_at.clone().filter(|_| self.can_accept())?;
        let wanted = if data_dir.exists() { data_dir.clone() } else { data_dir.join("wallets") };
        if let Err(problem) = std::fs::create_dir_all(&wanted) {
            let dir = data_dir.display();
            self.problem = Some(Text::FirstRunNotMade.with(&[("dir", &dir), ("problem", &problem)]));
            return None;
        }
        let mib = if self.prune { u64::from(self.prune_gb) * GB / 1024 / 1024 } else { 0 };
        Some(FirstRunChoice { data_dir, prune_mib: (!self.prune_fixed).then_some(mib) })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn page(network: Network, dir: &Path, prune: Option<i64>) -> FirstRun {
        let default = dir.join("default");
        FirstRun::new(network, default.clone(), default, prune, Arc::new(|| {})).unwrap()
    }

    fn settle(page: &mut FirstRun) {
        let end = Instant::now() + Duration::from_secs(20);
        while page.found.is_none() {
            assert!(Instant::now() < end, "no answer");
            std::thread::sleep(Duration::from_millis(2));
            page.update();
        }
    }

    #[test]
    fn a_directory_is_chosen_and_made() {
        let dir = tempfile::tempdir().unwrap();
        let mut page = page(Network::Main, dir.path(), None);
        settle(&mut page);
        assert!(!page.custom && page.can_accept());
        assert_eq!(page.finding(), Some(Ok(Text::FirstRunNew.s())));
        assert!(page.paragraphs()[1].contains("2014") && page.paragraphs()[1].contains("6 GB"));
        // Another one, as it is typed.
        page.custom = true;
        page.directory.text.clear();
        page.update();
        assert!(!page.can_accept() && page.finding().is_none());
        assert_eq!(page.accept(), None);
        assert_eq!(page.directory.error.as_deref(), Some(Text::FirstRunEmpty.s()));
        page.directory.text = "here/below".into();
        page.update();
        assert_eq!(page.directory.error.as_deref(), Some(Text::FirstRunRelative.s()));
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        for (path, finding) in [
            (dir.path().to_owned(), Ok(Text::FirstRunExists.s())),
            (file.clone(), Err(Text::FirstRunNoDirectory.s())),
            (file.join("below"), Err(Text::FirstRunImpossible.s())),
            (dir.path().join("a/b"), Ok(Text::FirstRunNew.s())),
        ] {
            page.directory.text = path.display().to_string();
            page.update();
            settle(&mut page);
            assert_eq!(page.finding(), Some(finding), "{}", path.display());
            assert_eq!(page.can_accept(), finding.is_ok());
            assert_eq!(page.space().is_some(), finding.is_ok());
        }
        // It became impossible since.
        std::fs::write(dir.path().join("a"), "").unwrap();
        assert_eq!(page.accept(), None);
        assert!(page.problem.as_ref().unwrap().contains("a/b"), "{:?}", page.problem);
        std::fs::remove_file(dir.path().join("a")).unwrap();
        let choice = page.accept().unwrap();
        assert_eq!(choice.data_dir, dir.path().join("a/b"));
        assert!(dir.path().join("a/b/wallets").is_dir());
    }

    #[test]
    fn pruning_is_offered_where_space_is_scarce() {
        let dir = tempfile::tempdir().unwrap();
        let mut page = page(Network::Main, dir.path(), None);
        settle(&mut page);
        let mut with = |free_gb: u64, touched: bool| {
            page.prune_touched = touched;
            page.found = None;
            *page.looker.answer.lock().unwrap() =
                Some((page.looked_at.clone().unwrap(), Found::Nothing(free_gb * GB)));
            page.update();
            (page.prune(), page.space().unwrap().0)
        };
        assert_eq!(with(100, false), (false, Space::Enough));
        assert_eq!(with(16, false), (true, Space::Enough));
        assert_eq!(with(12, false), (true, Space::Scarce));
        assert_eq!(with(2, false), (true, Space::TooLittle));
        assert_eq!(with(100, true), (true, Space::Enough));
        assert!(page.stored().starts_with("About 3 GB"), "{}", page.stored());
        assert!(page.prune_suffix().contains("2012 days"), "{}", page.prune_suffix());
        page.set_prune_gb(0);
        assert_eq!(page.accept().unwrap().prune_mib, Some(953));
        // A limit above the size of the chain is none.
        page.set_prune_gb(500);
        assert!(page.stored().starts_with("At least 7 GB"), "{}", page.stored());
        page.set_prune(false);
        assert_eq!(page.accept().unwrap().prune_mib, Some(0));
        assert_eq!(page.paragraphs().len(), 2);
    }

    #[test]
    fn the_command_line_decides_about_pruning() {
        let dir = tempfile::tempdir().unwrap();
        for (value, prunes) in [(0, false), (1, true), (600, true)] {
            let mut page = page(Network::Regtest, dir.path(), Some(value));
            settle(&mut page);
            page.set_prune(!prunes);
            assert_eq!((page.prune(), page.may_choose_prune()), (prunes, false));
            assert_eq!(page.accept().unwrap().prune_mib, None);
        }
    }
}
