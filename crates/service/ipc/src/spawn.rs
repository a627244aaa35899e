//! What a process does with the runtime: spawn, serve, listen, connect.

use std::ffi::OsString;
use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use grs_interfaces::{CallError, CallResult, Hello, Init};
use grs_mp::{Connection, EventLoop, Limits, Listener, LoopHandle, LoopOptions, Process, Session, Stats};
use grs_tls::TlsAcceptor;

use crate::address::{AddressError, IpcAddress, SocketFile, bind_unix, connect_unix};
use crate::by_hand::serve_init;
use crate::generated::InitProxy;
use crate::support::call_error;

/// How long callers wait for a process that this one has started, or that has connected to it, when it shows no sign of
/// life: it may have been stopped. Calls may take any time while it does.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// The IPC thread of this process.
pub struct Ipc {
    event_loop: EventLoop,
}

/// A child process and its first interface.
pub struct Child {
    /// The interface.
    pub init: Arc<InitProxy>,
    /// The process.
    pub process: Process,
}

/// A listening socket; dropping it stops listening and removes the file of a Unix socket.
pub struct Bound {
    listener: Listener,
    address: String,
    _file: Option<SocketFile>,
}

impl Bound {
    /// The address in use, as `-ipcconnect` takes it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Ends all connections that came through this socket.
    pub fn disconnect_all(&self) {
        self.listener.disconnect_all();
    }
}

impl Ipc {
    /// Starts the thread. `exe_name` is the program's name, such as `groestlcoin-node`.
    pub fn start(exe_name: &str) -> io::Result<Ipc> {
        Ok(Ipc { event_loop: EventLoop::start(LoopOptions::new(exe_name))? })
    }

    /// The runtime's handle.
    pub fn handle(&self) -> LoopHandle {
        self.event_loop.handle()
    }

    /// Starts `program` as a child process and greets it. The error names the cause, such as a missing program or a child
    /// that has died at once.
    pub fn spawn(&self, program: &Path, hello: &Hello) -> CallResult<Child> {
        spawn_child(&self.handle(), program, hello)
    }

    /// As [`Ipc::spawn`], with arguments for the program. If it ends at once, the error is what it wrote to its standard
    /// error.
    pub fn spawn_with(&self, program: &Path, more: &[OsString], hello: &Hello) -> CallResult<Child> {
        spawn_child_with(&self.handle(), program, more, hello)
    }

    /// Serves `init` on a connected stream, in a child process the one from [`crate::take_inherited_stream`].
    pub fn serve_stream(&self, stream: UnixStream, init: Arc<dyn Init>) -> CallResult<Connection> {
        Connection::serve(&self.handle(), stream, move |session| serve_init(session, init))
            .map_err(call_error)
    }

    /// Serves `init` on a stream and returns when the other side has gone: the main function of a child process.
    pub fn serve_until_closed(&self, stream: UnixStream, init: Arc<dyn Init>) -> CallResult<()> {
        let conn = self.serve_stream(stream, init)?;
        let (sender, receiver) = std::sync::mpsc::channel();
        conn.on_close(move |_| {
            let _ = sender.send(());
        });
        let _ = receiver.recv();
        Ok(())
    }

    /// Connects to a stream the other end of which is served.
    pub fn connect_stream(&self, stream: UnixStream) -> CallResult<InitProxy> {
        InitProxy::connect(&self.handle(), stream)
    }

    /// Connects to the process that listens at an address. Nothing is asked yet: what the other side thinks of this one
    /// shows in the first call. An I/O error keeps its kind, so that the caller can tell "nobody there".
    pub fn connect(&self, address: &IpcAddress) -> Result<InitProxy, AddressError> {
        let connected = match address {
            IpcAddress::Unix { path, default } => {
                InitProxy::connect(&self.handle(), connect_unix(path, *default)?)
            }
            IpcAddress::Tls { host, port, keys } => {
                keys.check()?;
                InitProxy::connect_tls(&self.handle(), host.clone(), *port, keys.clone())
            }
        };
        connected.map_err(|error| AddressError::Io(io::Error::other(error)))
    }

    /// Counts of what other processes do and have here.
    pub fn stats(&self) -> Stats {
        self.handle().stats()
    }

    /// Listens at an address and serves `init` to each client.
    pub fn bind(&self, address: &IpcAddress, init: Arc<dyn Init>) -> Result<Bound, AddressError> {
        self.bind_within(address, init, Limits::default())
    }

    /// [`Ipc::bind`] with limits of the program's choice.
    pub fn bind_within(
        &self,
        address: &IpcAddress,
        init: Arc<dyn Init>,
        limits: Limits,
    ) -> Result<Bound, AddressError> {
        let bootstrap = move |session: &Rc<Session>| {
            session.connection().set_patience(PATIENCE);
            serve_init(session, init.clone())
        };
        let failed = |error: grs_mp::Error| AddressError::Io(io::Error::other(error));
        match address {
            IpcAddress::Unix { path, default } => {
                let (socket, file) = bind_unix(path, *default)?;
                let listener = Listener::start(&self.handle(), socket, limits, bootstrap).map_err(failed)?;
                Ok(Bound { listener, address: address.to_string(), _file: Some(file) })
            }
            IpcAddress::Tls { host, keys, port } => {
                keys.check()?;
                let socket = TcpListener::bind((host.as_str(), *port))?;
                let address = format!("tls:{}", socket.local_addr()?);
                let keys = keys.clone();
                let open = move || TlsAcceptor::new(socket, keys);
                let listener =
                    Listener::start_over(&self.handle(), open, limits, bootstrap).map_err(failed)?;
                Ok(Bound { listener, address, _file: None })
            }
        }
    }
}

/// [`Ipc::spawn`] for a holder of the handle.
pub(crate) fn spawn_child(home: &LoopHandle, program: &Path, hello: &Hello) -> CallResult<Child> {
    spawn_child_with(home, program, &[], hello)
}

fn spawn_child_with(
    home: &LoopHandle,
    program: &Path,
    more: &[OsString],
    hello: &Hello,
) -> CallResult<Child> {
    let (process, stream) = grs_mp::spawn_with(program, more)
        .map_err(|error| CallError::remote(format!("Cannot start {}: {error}", program.display())))?;
    let init = InitProxy::connect(home, stream)?;
    process.watch(init.connection());
    init.connection().set_patience(PATIENCE);
    let greeted = init.hello(hello).and_then(|answer| hello.check(&answer).map_err(CallError::Remote));
    if let Err(error) = greeted {
        // A child that does not understand us is of no use. It ends by itself when the socket closes.
        init.connection().close();
        if process.wait(Duration::from_secs(2)).is_none() {
            let _ = process.kill();
        }
        let words = process.last_words();
        if !words.is_empty() {
            return Err(CallError::remote(words));
        }
        return Err(error);
    }
    Ok(Child { init: Arc::new(init), process })
}

/// Path of a program that belongs to this one: in the directory of the running executable or, if that is the `libexec`
/// of an installation, in the `bin` beside it.
pub fn sibling_program(name: &str) -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().ok_or_else(|| io::Error::other("the program has no directory"))?;
    Ok(program_near(folder, name))
}

fn program_near(folder: &Path, name: &str) -> PathBuf {
    let beside = folder.join(name);
    if folder.file_name().is_some_and(|own| own == "libexec") && !beside.exists() {
        let installed = folder.with_file_name("bin").join(name);
        if installed.exists() {
            return installed;
        }
    }
    beside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_recognise_silence() {
        assert_eq!(grs_interfaces::SILENCE, grs_mp::SILENCE);
    }

    #[test]
    fn programs_are_found_in_an_installation() {
        let dir = tempfile::tempdir().unwrap();
        let (bin, libexec) = (dir.path().join("bin"), dir.path().join("libexec"));
        for folder in [&bin, &libexec] {
            std::fs::create_dir(folder).unwrap();
        }
        // Nowhere: the error will name the place beside.
        assert_eq!(program_near(&libexec, "w"), libexec.join("w"));
        std::fs::write(bin.join("w"), "").unwrap();
        assert_eq!(program_near(&libexec, "w"), bin.join("w"));
        assert_eq!(program_near(&bin, "w"), bin.join("w"));
        std::fs::write(libexec.join("w"), "").unwrap();
        assert_eq!(program_near(&libexec, "w"), libexec.join("w"));
    }
}
