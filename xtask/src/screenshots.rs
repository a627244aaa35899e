//! Pictures of every page of the window, for the documentation. They are drawn by an example of `grs-gui`: its toolkit is
//! no dependency of this program.

use std::process::Command;

/// Where the pictures are kept, from the top of the project.
const DIRECTORY: &str = "docs/images";

/// Draws the pictures anew; those of some pages if `names` has any.
pub fn run(names: &[String]) -> Result<(), String> {
    let status = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()))
        .args(["run", "--locked", "-p", "grs-gui", "--example", "screenshots", "--", DIRECTORY])
        .args(names)
        .status()
        .map_err(|e| format!("cargo does not start: {e}"))?;
    if status.success() { Ok(()) } else { Err("no pictures".to_owned()) }
}
