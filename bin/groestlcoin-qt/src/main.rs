//! The window, with node and wallets in the same process.

use std::process::ExitCode;

use grs_args::Program;
use grs_gui::NativeScreen;
use grs_gui_start::{Flavour, drive};

fn main() -> ExitCode {
    // Files of the window are for its user alone, as those of the node are.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let flavour = Flavour::new(Program::Qt, grs_gui_local::launcher);
    drive(flavour, std::env::args_os().skip(1), &NativeScreen)
}
