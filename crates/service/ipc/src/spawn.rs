//! What a process does with the runtime: spawn, serve, listen, connect.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use grs_interfaces::{CallError, CallResult, Hello, Init};
use grs_mp::{Connection, EventLoop, Limits, Listener, LoopHandle, LoopOptions, Process};

use crate::address::{AddressError, IpcAddress, SocketFile};
use crate::by_hand::serve_init;
use crate::generated::InitProxy;
use crate::support::call_error;

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

/// A listening socket; dropping it stops listening and removes the file.
pub struct Bound {
    listener: Listener,
    _file: SocketFile,
}

impl Bound {
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
        let stream = address.connect()?;
        InitProxy::connect(&self.handle(), stream).map_err(|error| AddressError::Io(io::Error::other(error)))
    }

    /// Listens at an address and serves `init` to each client.
    pub fn bind(&self, address: &IpcAddress, init: Arc<dyn Init>) -> Result<Bound, AddressError> {
        let (listener, file) = address.bind()?.into_parts();
        let listener = listener.ok_or(AddressError::InUse)?;
        let listener = Listener::start(&self.handle(), listener, Limits::default(), move |session| {
            serve_init(session, init.clone())
        })
        .map_err(|error| AddressError::Io(io::Error::other(error)))?;
        Ok(Bound { listener, _file: file })
    }
}

/// [`Ipc::spawn`] for a holder of the handle.
pub(crate) fn spawn_child(home: &LoopHandle, program: &Path, hello: &Hello) -> CallResult<Child> {
    let (process, stream) = grs_mp::spawn(program)
        .map_err(|error| CallError::remote(format!("Cannot start {}: {error}", program.display())))?;
    let init = InitProxy::connect(home, stream)?;
    process.watch(init.connection());
    let greeted = init.hello(hello).and_then(|answer| hello.check(&answer).map_err(CallError::Remote));
    if let Err(error) = greeted {
        // A child that does not understand us is of no use. It ends by itself when the socket closes.
        init.connection().close();
        if process.wait(Duration::from_secs(2)).is_none() {
            let _ = process.kill();
        }
        return Err(error);
    }
    Ok(Child { init: Arc::new(init), process })
}

/// Path of a program that belongs to this one: in the same directory as the running executable.
pub fn sibling_program(name: &str) -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().ok_or_else(|| io::Error::other("the program has no directory"))?;
    Ok(folder.join(name))
}
