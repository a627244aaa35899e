//! URIs for a window that is open already. Reference: `PaymentServer` in `src/qt/paymentserver.cpp`.
//!
//! A window listens at a socket in the network's data directory. A program that is started with URIs hands them over to it
//! and ends, so that a click on a link does not open a second window, whose node could not have the files.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use grs_gui_core::uri::looks_like_uri;

const FILE_NAME: &str = "gui.sock";
/// The answer of a window.
const TAKEN: &[u8] = b"ok\n";
/// Time for either side, which may be stopped.
const PATIENCE: Duration = Duration::from_secs(2);
/// All that one program hands over.
const MOST_BYTES: u64 = 64 * 1024;

/// Gets each URI, on any thread. It must not block.
pub type OnUri = Arc<dyn Fn(String) + Send + Sync>;

/// A window that takes URIs, until it is dropped.
pub struct UriListener {
    path: PathBuf,
    ended: Arc<AtomicBool>,
}

impl Drop for UriListener {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        // Wakes the thread. If nobody listens any more there is nothing to wake.
        let _ = UnixStream::connect(&self.path);
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether a window takes these URIs.
pub(crate) fn hand_over(net_data_dir: &Path, uris: &[String]) -> bool {
    let give = || -> io::Result<bool> {
        let mut stream = UnixStream::connect(net_data_dir.join(FILE_NAME))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(uris.join("\n").as_bytes())?;
        stream.shutdown(Shutdown::Write)?;
        let mut answer = [0; TAKEN.len()];
        stream.read_exact(&mut answer)?;
        Ok(answer == TAKEN)
    };
    give().unwrap_or(false)
}

/// The URIs that a program hands over; those that are none are left out.
fn take(stream: &mut UnixStream) -> io::Result<Vec<String>> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut text = String::new();
    Read::by_ref(stream).take(MOST_BYTES).read_to_string(&mut text)?;
    if text.len() as u64 == MOST_BYTES {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let uris = text.lines().filter(|line| looks_like_uri(line)).map(str::to_owned).collect();
    stream.write_all(TAKEN)?;
    Ok(uris)
}

/// Listens for URIs; `None` where another window does so already, or no socket can be made.
pub(crate) fn listen(net_data_dir: &Path, on_uri: OnUri) -> Option<UriListener> {
    let path = net_data_dir.join(FILE_NAME);
    if UnixStream::connect(&path).is_ok() {
        return None;
    }
    // Left behind by a window that was killed.
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).ok()?;
    let _ = std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600));
    let ended = Arc::new(AtomicBool::new(false));
    let stop = ended.clone();
    let body = move || {
        for stream in listener.incoming() {
            if stop.load(Ordering::Acquire) {
                return;
            }
            // A program that does not keep to the rules gets no answer, and opens a window of its own.
            if let Ok(uris) = stream.and_then(|mut stream| take(&mut stream)) {
                uris.into_iter().for_each(|uri| on_uri(uri));
            }
        }
    };
    std::thread::Builder::new().name("gui-uris".to_owned()).spawn(body).ok()?;
    Some(UriListener { path, ended })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    fn listener(dir: &Path) -> (Option<UriListener>, Receiver<String>) {
        let (tell, told) = channel();
        let tell = Mutex::new(tell);
        (listen(dir, Arc::new(move |uri| tell.lock().unwrap().send(uri).unwrap())), told)
    }

    fn uris(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|t| (*t).to_owned()).collect()
    }

    #[test]
    fn one_window_gets_the_uris() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!hand_over(dir.path(), &uris(&["groestlcoin:a"])));
        let (first, told) = listener(dir.path());
        assert!(first.is_some() && listener(dir.path()).0.is_none());
        let mode = std::fs::metadata(dir.path().join(FILE_NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(hand_over(dir.path(), &uris(&["groestlcoin:a", "no uri", "GROESTLCOIN:b?amount=1"])));
        let next = || told.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!((next(), next()), ("groestlcoin:a".to_owned(), "GROESTLCOIN:b?amount=1".to_owned()));
        // Nonsense, and far too much of it, ends with no answer and does no harm.
        for bytes in [vec![0xff; 10], vec![b'x'; MOST_BYTES as usize + 10]] {
            let mut stream = UnixStream::connect(dir.path().join(FILE_NAME)).unwrap();
            let _ = stream.write_all(&bytes);
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.read(&mut [0; 8]);
        }
        assert!(hand_over(dir.path(), &uris(&["groestlcoin:c"])));
        assert_eq!(next(), "groestlcoin:c");
        drop(first);
        assert!(!hand_over(dir.path(), &uris(&["groestlcoin:d"])));
        // The socket of a window that was killed is in nobody's way.
        drop(UnixListener::bind(dir.path().join(FILE_NAME)).unwrap());
        let (second, told) = listener(dir.path());
        assert!(second.is_some() && hand_over(dir.path(), &uris(&["groestlcoin:e"])));
        assert_eq!(told.recv_timeout(Duration::from_secs(20)).unwrap(), "groestlcoin:e");
    }
}
