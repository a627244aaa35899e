//! Words of the command line: URIs at its end, and what is passed on to a node.

use grs_args::{ArgsManager, Program, options};
use grs_gui_core::uri::looks_like_uri;

/// The URIs at the end of a command line.
///
/// # Errors
/// A word that is neither option nor URI, or an option behind a URI, as a text for the user.
pub(crate) fn uris(words: &[String], program: Program) -> Result<Vec<String>, String> {
    let mut uris = Vec::new();
    for word in words {
        if looks_like_uri(word) {
            uris.push(word.clone());
        } else if !word.starts_with('-') {
            return Err(format!(
                "Command line contains unexpected token '{word}', see {} -h for a list of options.",
                program.name()
            ));
        } else if !uris.is_empty() {
            return Err(format!("Options ('{word}') cannot follow a BIP-21 payment URI"));
        }
    }
    Ok(uris)
}

/// Whether an option is of the window only.
fn is_own(word: &str) -> bool {
    let name = word.trim_start_matches('-').split('=').next().unwrap_or_default();
    let own = |name: &str| {
        let mut all = options::GUI.iter().chain(options::IPC_CONNECT);
        all.any(|option| option.name.strip_prefix('-') == Some(name))
    };
    own(name) || name.strip_prefix("no").is_some_and(own)
}

/// The options for a node, out of those of the window. `args` has them with the configuration files.
pub(crate) fn for_node(words: &[String], args: &ArgsManager) -> Vec<String> {
    let is_uri = |word: &&String| looks_like_uri(word);
    let mut out: Vec<String> = words.iter().filter(|w| !is_uri(w) && !is_own(w)).cloned().collect();
    // With a window the console and the server are off unless asked for.
    for option in ["-printtoconsole", "-server"] {
        if !args.is_set(option) {
            out.push(format!("{option}=0"));
        }
    }
    // The window waits for the process that it has started, which must not go on as another one.
    for option in ["-daemon", "-daemonwait"] {
        if args.is_set(option) {
            out.push(format!("{option}=0"));
        }
    }
    out
}
