//! The logger: masks, early buffer, outputs (reference: `BCLog::Logger`).

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use grs_sync::{Scheduler, clock, thread};

use crate::ratelimit::{RateLimiter, Status};
use crate::{Category, Level, format, parse_category};

/// Name of the log file in the network's data directory.
pub const DEFAULT_DEBUGLOGFILE: &str = "debug.log";

/// Bytes of lines kept before the log is opened.
const MAX_BUFFER: usize = 1_000_000;
/// What a buffered line costs besides its text.
const BUFFER_OVERHEAD: usize = 176;
/// What shrinking keeps of the log file; it happens when the file is a tenth longer.
const RECENT_HISTORY: u64 = 10_000_000;

/// A source line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// Source file.
    pub file: &'static str,
    /// Line in it.
    pub line: u32,
}

/// One line to log.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// Category, none for unconditional lines.
    pub category: Option<Category>,
    /// Severity.
    pub level: Level,
    /// Source line.
    pub source: Source,
    /// Function in it.
    pub function: &'a str,
    /// The text; a line feed at its end is optional.
    pub text: &'a str,
    /// Whether the line counts for the rate limit.
    pub rate_limit: bool,
}

/// How and where to log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// `-printtoconsole`.
    pub print_to_console: bool,
    /// Not `-nodebuglogfile`.
    pub print_to_file: bool,
    /// `-logtimestamps`.
    pub timestamps: bool,
    /// `-logtimemicros`.
    pub time_micros: bool,
    /// `-logthreadnames`.
    pub thread_names: bool,
    /// `-logsourcelocations`.
    pub source_locations: bool,
    /// `-loglevelalways`.
    pub always_print_category_level: bool,
    /// `-debuglogfile`, absolute.
    pub file_path: PathBuf,
}

impl LogOptions {
    const DEFAULT: Self = Self {
        print_to_console: false,
        print_to_file: false,
        timestamps: true,
        time_micros: false,
        thread_names: false,
        source_locations: false,
        always_print_category_level: false,
        file_path: PathBuf::new(),
    };
}

impl Default for LogOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Names a callback for its removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallbackId(u64);

type Callback = Arc<dyn Fn(&str) + Send + Sync>;

struct Buffered {
    category: Option<Category>,
    level: Level,
    source: Source,
    function: String,
    text: String,
    thread: Arc<str>,
    now: Duration,
    mock_time: Option<i64>,
}

impl Buffered {
    fn cost(&self) -> usize {
        self.text.len() + self.function.len() + BUFFER_OVERHEAD
    }
}

struct State {
    options: LogOptions,
    file: Option<File>,
    buffering: bool,
    buffer: VecDeque<Buffered>,
    buffer_cost: usize,
    discarded: usize,
    limiter: Option<RateLimiter>,
    callbacks: Vec<(u64, Callback)>,
    next_callback: u64,
    category_levels: BTreeMap<Category, Level>,
}

/// Writes lines to file, console and callbacks. There is one per process, [`crate::logger`].
pub struct Logger {
    /// Enabled categories.
    categories: AtomicU32,
    /// Global level, as a number of [`Level`].
    level: AtomicU8,
    /// Categories whose debug lines are logged: enabled and at a level that allows it.
    debug_mask: AtomicU32,
    /// The same for trace lines.
    trace_mask: AtomicU32,
    /// Whether any output wants lines.
    active: AtomicBool,
    reopen: AtomicBool,
    state: Mutex<State>,
}

impl Default for Logger {
    fn default() -> Self {
        Self::new()
    }
}

impl Logger {
    /// A logger that buffers until it is started.
    pub const fn new() -> Self {
        Self {
            categories: AtomicU32::new(0),
            level: AtomicU8::new(Level::Debug as u8),
            debug_mask: AtomicU32::new(0),
            trace_mask: AtomicU32::new(0),
            active: AtomicBool::new(true),
            reopen: AtomicBool::new(false),
            state: Mutex::new(State {
                options: LogOptions::DEFAULT,
                file: None,
                buffering: true,
                buffer: VecDeque::new(),
                buffer_cost: 0,
                discarded: 0,
                limiter: None,
                callbacks: Vec::new(),
                next_callback: 0,
                category_levels: BTreeMap::new(),
            }),
        }
    }

    /// Whether a line of this category and level is logged.
    #[inline]
    pub fn will_log(&self, category: Category, level: Level) -> bool {
        level >= Level::Info || self.will_log_debug(category, level)
    }

    #[inline]
    pub(crate) fn will_log_debug(&self, category: Category, level: Level) -> bool {
        let mask = if level == Level::Trace { &self.trace_mask } else { &self.debug_mask };
        mask.load(Ordering::Relaxed) & category.mask() != 0
    }

    /// Whether the category is enabled, whatever its level.
    pub fn category_enabled(&self, category: Category) -> bool {
        self.categories.load(Ordering::Relaxed) & category.mask() != 0
    }

    /// All categories and whether they are enabled, in alphabetical order (RPC `logging`).
    pub fn categories(&self) -> Vec<(&'static str, bool)> {
        Category::ALL.iter().map(|&c| (c.name(), self.category_enabled(c))).collect()
    }

    /// Enables a category by name; empty, `1` and `all` are all. `false` if there is none of this name.
    pub fn enable_category(&self, name: &str) -> bool {
        let Some(mask) = parse_category(name) else { return false };
        self.categories.fetch_or(mask, Ordering::Relaxed);
        self.update_masks(&self.lock());
        true
    }

    /// Disables a category by name, as [`Self::enable_category`].
    pub fn disable_category(&self, name: &str) -> bool {
        let Some(mask) = parse_category(name) else { return false };
        self.categories.fetch_and(!mask, Ordering::Relaxed);
        self.update_masks(&self.lock());
        true
    }

    /// Sets the level of enabled categories; `false` if users may not select it.
    pub fn set_level(&self, name: &str) -> bool {
        let Some(level) = Level::from_user(name) else { return false };
        self.level.store(level as u8, Ordering::Relaxed);
        self.update_masks(&self.lock());
        true
    }

    /// Sets the level of one category; `false` if there is no such category or level.
    pub fn set_category_level(&self, category: &str, level: &str) -> bool {
        let (Some(mask), Some(level)) = (parse_category(category), Level::from_user(level)) else {
            return false;
        };
        let mut state = self.lock();
        // The reference stores a level for "all" under a flag that no line has: it has no effect.
        if mask.count_ones() == 1
            && let Some(category) = Category::from_name(category)
        {
            state.category_levels.insert(category, level);
        }
        self.update_masks(&state);
        true
    }

    /// Whether nothing is enabled; then the log file is shrunk at start by default.
    pub fn default_shrink_debug_file(&self) -> bool {
        self.categories.load(Ordering::Relaxed) == 0
    }

    /// Sets outputs and format. Before [`Self::start`].
    pub fn set_options(&self, options: LogOptions) {
        let mut state = self.lock();
        state.options = options;
        self.update_active(&state);
    }

    /// The outputs and format.
    pub fn options(&self) -> LogOptions {
        self.lock().options.clone()
    }

    /// Adds a receiver of formatted lines, line feed included. It must not log.
    pub fn add_callback(&self, callback: impl Fn(&str) + Send + Sync + 'static) -> CallbackId {
        let mut state = self.lock();
        let id = state.next_callback;
        state.next_callback += 1;
        state.callbacks.push((id, Arc::new(callback)));
        self.update_active(&state);
        CallbackId(id)
    }

    /// Removes a receiver.
    pub fn remove_callback(&self, id: CallbackId) {
        let mut state = self.lock();
        state.callbacks.retain(|(other, _)| *other != id.0);
        self.update_active(&state);
    }

    /// Opens the log file and writes what was buffered.
    ///
    /// # Errors
    /// If the file cannot be opened; buffering goes on then.
    pub fn start(&self) -> io::Result<()> {
        let mut state = self.lock();
        if !state.buffering {
            return Ok(());
        }
        if state.options.print_to_file {
            let mut file = open_append(&state.options.file_path)?;
            // Sets this run apart from the last one.
            let _ = file.write_all(b"\n\n\n\n\n");
            state.file = Some(file);
        }
        state.buffering = false;
        if state.discarded > 0 {
            let text = format!("Early logging buffer overflowed, {} log lines discarded.\n", state.discarded);
            let source = Source { file: file!(), line: line!() };
            let record = Record {
                category: None,
                level: Level::Info,
                source,
                function: "start",
                text: &text,
                rate_limit: false,
            };
            self.write_record(&mut state, &record);
        }
        for line in std::mem::take(&mut state.buffer) {
            let text = format_line(&state.options, &line);
            write_line(&mut state, &text, true);
        }
        state.buffer_cost = 0;
        self.update_active(&state);
        Ok(())
    }

    /// Drops what is buffered and logs nothing (programs that keep no log).
    pub fn disable(&self) {
        let mut state = self.lock();
        state.options.print_to_file = false;
        state.options.print_to_console = false;
        state.buffering = false;
        state.buffer.clear();
        state.buffer_cost = 0;
        self.update_active(&state);
    }

    /// Asks for the file to be opened anew before the next line (SIGHUP, after log rotation).
    pub fn request_reopen(&self) {
        self.reopen.store(true, Ordering::Relaxed);
    }

    /// Cuts the log file down to its end if it is long. Before [`Self::start`].
    ///
    /// # Errors
    /// If the file exists and cannot be read or written.
    pub fn shrink_debug_file(&self) -> io::Result<()> {
        let path = self.lock().options.file_path.clone();
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        // Special files may have no size.
        let size = file.metadata().map_or(0, |meta| meta.len());
        if size <= RECENT_HISTORY / 10 * 11 {
            return Ok(());
        }
        file.seek(SeekFrom::End(-(RECENT_HISTORY as i64)))?;
        let mut tail = Vec::with_capacity(RECENT_HISTORY as usize);
        file.take(RECENT_HISTORY).read_to_end(&mut tail)?;
        std::fs::write(&path, tail)
    }

    /// Limits what each source line may write to disk, and lets the scheduler begin the windows.
    pub fn start_rate_limit(&'static self, scheduler: &Scheduler, max_bytes: u64, window: Duration) {
        self.set_rate_limit(Some((max_bytes, window)));
        scheduler.schedule_every(window, || self.reset_rate_limit());
    }

    /// Sets or removes the limit: bytes in a window.
    pub fn set_rate_limit(&self, limit: Option<(u64, Duration)>) {
        self.lock().limiter = limit.map(|(bytes, window)| RateLimiter::new(bytes, window));
    }

    /// Begins a new window and says what the last one dropped.
    pub fn reset_rate_limit(&self) {
        let mut state = self.lock();
        let Some(limiter) = &mut state.limiter else { return };
        let window = limiter.window.as_secs();
        for dropped in limiter.reset() {
            let text = format!(
                "Restarting logging from {}:{} ({}): {} bytes were dropped during the last {window}s.",
                dropped.source.file, dropped.source.line, dropped.function, dropped.bytes
            );
            self.write_internal(&mut state, Level::Warning, line!(), "reset_rate_limit", &text);
        }
    }

    /// Logs a line without asking whether its category is enabled. The macros are the usual way.
    pub fn log(&self, record: &Record<'_>) {
        if self.active.load(Ordering::Relaxed) {
            self.write_record(&mut self.lock(), record);
        }
    }

    fn write_internal(&self, state: &mut State, level: Level, line: u32, function: &str, text: &str) {
        let source = Source { file: file!(), line };
        let record = Record { category: None, level, source, function, text, rate_limit: false };
        self.write_record(state, &record);
    }

    fn write_record(&self, state: &mut State, record: &Record<'_>) {
        let line = Buffered {
            category: record.category,
            level: record.level,
            source: record.source,
            function: record.function.to_owned(),
            text: format::escape_message(record.text),
            thread: thread::current_name(),
            now: clock::system_now(),
            mock_time: clock::mock_time(),
        };
        if state.buffering {
            state.buffer_cost += line.cost();
            state.buffer.push_back(line);
            while state.buffer_cost > MAX_BUFFER {
                let Some(oldest) = state.buffer.pop_front() else { break };
                state.buffer_cost -= oldest.cost();
                state.discarded += 1;
            }
            return;
        }
        let mut text = format_line(&state.options, &line);
        let mut to_file = true;
        if record.rate_limit
            && let Some(limiter) = &mut state.limiter
        {
            match limiter.consume(record.source, record.function, text.len() as u64) {
                Status::Unsuppressed => {}
                Status::StillSuppressed => to_file = false,
                Status::NewlySuppressed => {
                    let notice = format!(
                        "Excessive logging detected from {}:{} ({}): >{} bytes logged during the last time \
                         window of {}s. Suppressing logging to disk from this source location until time \
                         window resets. Console logging unaffected. Last log entry.",
                        record.source.file,
                        record.source.line,
                        record.function,
                        limiter.max_bytes,
                        limiter.window.as_secs()
                    );
                    self.write_internal(state, Level::Warning, line!(), "log", &notice);
                }
            }
        }
        // Marks that lines are missing.
        if state.limiter.as_ref().is_some_and(RateLimiter::suppressing) {
            text.insert_str(0, "[*] ");
        }
        if self.reopen.swap(false, Ordering::Relaxed)
            && state.file.is_some()
            && let Ok(file) = open_append(&state.options.file_path)
        {
            state.file = Some(file);
        }
        write_line(state, &text, to_file);
    }

    fn update_masks(&self, state: &State) {
        let enabled = self.categories.load(Ordering::Relaxed);
        let global = self.level.load(Ordering::Relaxed);
        let mask_for = |wanted: Level| {
            Category::ALL
                .iter()
                .filter(|&c| {
                    let level = state.category_levels.get(c).map_or(global, |&level| level as u8);
                    wanted as u8 >= level
                })
                .fold(0, |mask, c| mask | c.mask())
                & enabled
        };
        self.debug_mask.store(mask_for(Level::Debug), Ordering::Relaxed);
        self.trace_mask.store(mask_for(Level::Trace), Ordering::Relaxed);
    }

    fn update_active(&self, state: &State) {
        let options = &state.options;
        let any = state.buffering
            || options.print_to_console
            || options.print_to_file
            || !state.callbacks.is_empty();
        self.active.store(any, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open_append(path: &PathBuf) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

fn format_line(options: &LogOptions, line: &Buffered) -> String {
    let mut out = String::with_capacity(line.text.len() + 64);
    if options.timestamps {
        format::push_timestamp(&mut out, line.now, options.time_micros, line.mock_time);
    }
    if options.thread_names {
        let name = if line.thread.is_empty() { "unknown" } else { &*line.thread };
        let _ = write!(out, "[{name}] ");
    }
    if options.source_locations {
        let _ = write!(out, "[{}:{}] [{}] ", line.source.file, line.source.line, line.function);
    }
    format::push_prefix(&mut out, line.category, line.level, options.always_print_category_level);
    out.push_str(&line.text);
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

/// One write per output: lines of several processes that share a file do not mix.
fn write_line(state: &mut State, text: &str, to_file: bool) {
    if state.options.print_to_console {
        let mut stdout = io::stdout().lock();
        let _ = stdout.write_all(text.as_bytes());
        let _ = stdout.flush();
    }
    for (_, callback) in &state.callbacks {
        callback(text);
    }
    if to_file && let Some(file) = &mut state.file {
        let _ = file.write_all(text.as_bytes());
    }
}
