//! The socket that a parent process hands to its child: `-ipcfd <number>`.

#![allow(unsafe_code)]

use std::ffi::OsString;
use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

/// Whether the program was started by a parent: exactly two arguments, `-ipcfd` and a number. `args` are those of the
/// process with its name first. The error text is for the user.
pub fn inherited_fd_argument(args: &[OsString]) -> Option<Result<RawFd, String>> {
    let [_, option, number] = args else {
        return None;
    };
    if option != "-ipcfd" {
        return None;
    }
    let text = number.to_string_lossy();
    match text.parse::<RawFd>() {
        Ok(fd) if fd >= 0 => Some(Ok(fd)),
        _ => Some(Err(format!("Invalid -ipcfd number '{text}'"))),
    }
}

/// As [`inherited_fd_argument`], for a program that is given arguments of its own besides: `-ipcfd`, a number, and those,
/// which are answered too.
pub fn inherited_fd_with_arguments(args: &[OsString]) -> Option<(Result<RawFd, String>, &[OsString])> {
    if args.len() < 4 {
        return None;
    }
    Some((inherited_fd_argument(&args[..3])?, &args[3..]))
}

/// Takes over the inherited socket. To be called once, before the program opens anything.
///
/// The number is freed, standard input becomes `/dev/null` if it was the socket, and the stream will not be inherited
/// by further children.
pub fn take_inherited_stream(fd: RawFd) -> io::Result<UnixStream> {
    if fd < 0 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: the descriptor is only used for system calls that report an error if it is not open, and nothing else
    // in this process closes it meanwhile: it belongs to the parent's hand-over, and this is called before any other
    // code uses descriptors.
    let inherited = unsafe { BorrowedFd::borrow_raw(fd) };
    rustix::io::fcntl_getfd(inherited)?;
    if rustix::net::sockopt::socket_type(inherited)? != rustix::net::SocketType::STREAM {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a stream socket"));
    }
    let own = rustix::io::fcntl_dupfd_cloexec(inherited, 3)?;
    if fd == 0 {
        let null = std::fs::File::open("/dev/null")?;
        rustix::stdio::dup2_stdin(&null)?;
    } else if fd > 2 {
        // SAFETY: `fd` is open (checked above) and has no owner in this process, since it was inherited and this
        // function is called once.
        drop(unsafe { OwnedFd::from_raw_fd(fd) });
    }
    Ok(UnixStream::from(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(list: &[&str]) -> Vec<OsString> {
        list.iter().map(OsString::from).collect()
    }

    #[test]
    fn only_the_exact_form_counts() {
        assert_eq!(inherited_fd_argument(&args(&["x", "-ipcfd", "7"])), Some(Ok(7)));
        assert_eq!(inherited_fd_argument(&args(&["x", "-ipcfd", "7", "-regtest"])), None);
        assert_eq!(inherited_fd_argument(&args(&["x", "-regtest", "-ipcfd"])), None);
        assert_eq!(inherited_fd_argument(&args(&["x"])), None);
        assert_eq!(
            inherited_fd_argument(&args(&["x", "-ipcfd", "seven"])),
            Some(Err("Invalid -ipcfd number 'seven'".into()))
        );
    }

    #[test]
    fn closed_descriptors_and_files_are_refused() {
        assert!(take_inherited_stream(987_654).is_err());
        assert!(take_inherited_stream(-1).is_err());
    }
}
