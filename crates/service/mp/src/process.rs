//! Child processes that talk over an inherited socket.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::connection::Connection;
use crate::strand::lock;

#[derive(Default)]
struct State {
    status: Option<ExitStatus>,
    on_exit: Vec<Box<dyn FnOnce(ExitStatus) + Send>>,
}

struct Shared {
    name: String,
    pid: u32,
    state: Mutex<State>,
    cond: Condvar,
    words: Arc<Mutex<Vec<u8>>>,
}

/// Bytes of standard error that are kept.
const WORDS: usize = 4096;

/// Copies what the child writes, and keeps the end.
fn pass_on(mut pipe: impl Read, words: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 1024];
    while let Ok(n @ 1..) = pipe.read(&mut buffer) {
        // Nobody may be listening here either.
        let _ = io::stderr().write_all(&buffer[..n]);
        let mut words = lock(words);
        words.extend_from_slice(&buffer[..n]);
        let extra = words.len().saturating_sub(WORDS);
        words.drain(..extra);
    }
}

/// A child process.
#[derive(Clone)]
pub struct Process(Arc<Shared>);

/// Starts a program with the arguments `-ipcfd <number>` and answers this end of the socket.
///
/// The socket becomes the child's standard input. So its number is 0, it is the only descriptor that the child gets
/// besides standard output and error (all others are opened close-on-exec), and no other process that is started at the
/// same moment can inherit it.
pub fn spawn(program: &Path) -> io::Result<(Process, UnixStream)> {
    spawn_with(program, &[])
}

/// As [`spawn`], with further arguments. If there are any, what the child writes to its standard error goes to that of
/// this process, and the end of it is kept ([`Process::last_words`]).
pub fn spawn_with(program: &Path, more: &[OsString]) -> io::Result<(Process, UnixStream)> {
    let (own, childs) = UnixStream::pair()?;
    let mut command = Command::new(program);
    command.args(["-ipcfd", "0"]).args(more).stdin(Stdio::from(OwnedFd::from(childs)));
    if !more.is_empty() {
        command.stderr(Stdio::piped());
    }
    let mut child = command.spawn()?;
    let words = Arc::new(Mutex::new(Vec::new()));
    let reader = child.stderr.take().map(|pipe| {
        let words = words.clone();
        std::thread::Builder::new().name("ipc-stderr".to_owned()).spawn(move || pass_on(pipe, &words))
    });
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let pid = child.id();
    tracing::debug!(target: "ipc", "Process {name} pid {pid} launched");
    let process =
        Process(Arc::new(Shared { name, pid, state: Mutex::default(), cond: Condvar::new(), words }));
    let watched = process.clone();
    std::thread::Builder::new().name("ipc-wait".to_owned()).spawn(move || {
        // Fails only if somebody else waits for all children; the status is unknown then.
        let status = child.wait().unwrap_or_else(|_| ExitStatus::from_raw(-1));
        // Its last words are there before anyone hears of the end. A grandchild may keep the pipe open, though.
        let end = Instant::now() + Duration::from_millis(200);
        while reader.as_ref().is_some_and(|r| r.as_ref().is_ok_and(|r| !r.is_finished()))
            && Instant::now() < end
        {
            std::thread::sleep(Duration::from_millis(1));
        }
        watched.exited(status);
    })?;
    Ok((process, own))
}

impl Process {
    fn exited(&self, status: ExitStatus) {
        tracing::debug!(target: "ipc", "{}", self.describe(status));
        let callbacks = {
            let mut state = lock(&self.0.state);
            state.status = Some(status);
            std::mem::take(&mut state.on_exit)
        };
        self.0.cond.notify_all();
        for callback in callbacks {
            callback(status);
        }
    }

    fn describe(&self, status: ExitStatus) -> String {
        format!("Process {} pid {} exited with status {}", self.0.name, self.0.pid, status.into_raw())
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.0.pid
    }

    /// File name of the program.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The exit status, if it has ended.
    pub fn status(&self) -> Option<ExitStatus> {
        lock(&self.0.state).status
    }

    /// The end of what a child with arguments of its own has written to standard error.
    pub fn last_words(&self) -> String {
        String::from_utf8_lossy(&lock(&self.0.words)).trim().to_owned()
    }

    /// Waits for the end; `None` if it takes longer than the time limit.
    pub fn wait(&self, timeout: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + timeout;
        let mut state = lock(&self.0.state);
        loop {
            if let Some(status) = state.status {
                return Some(status);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            state = self.0.cond.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Runs a closure on the waiting thread when the process ends; at once if it has ended.
    pub fn on_exit(&self, run: impl FnOnce(ExitStatus) + Send + 'static) {
        let mut state = lock(&self.0.state);
        match state.status {
            None => state.on_exit.push(Box::new(run)),
            Some(status) => {
                drop(state);
                run(status);
            }
        }
    }

    /// Kills the process.
    pub fn kill(&self) -> io::Result<()> {
        self.signal(rustix::process::Signal::KILL)
    }

    /// Asks the process to end.
    pub fn terminate(&self) -> io::Result<()> {
        self.signal(rustix::process::Signal::TERM)
    }

    fn signal(&self, signal: rustix::process::Signal) -> io::Result<()> {
        if self.status().is_some() {
            return Ok(());
        }
        let pid = i32::try_from(self.0.pid).ok().and_then(rustix::process::Pid::from_raw);
        match pid {
            Some(pid) => Ok(rustix::process::kill_process(pid, signal)?),
            None => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    /// Makes the end of the process the cause of the connection's end: errors of calls name it.
    pub fn watch(&self, conn: &Connection) {
        conn.set_peer_name(format!("Process {} pid {}", self.0.name, self.0.pid));
        conn.expect_cause();
        let conn = conn.clone();
        let this = self.clone();
        self.on_exit(move |status| {
            conn.set_cause(format!("{}.", this.describe(status)));
            // The socket is closed with the process. If a process that it had started kept it, it still is of no use.
            conn.close();
        });
    }
}
