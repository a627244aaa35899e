//! What the chain state tells the node, and the commands that users want run. Reference:
//! `src/node/kernel_notifications.cpp`.

use std::sync::{Arc, Weak};

use grs_chainstate::{BlockId, ChainWarning, Notifications, SynchronizationState};
use grs_log::{error, info, warn};

use crate::NodeContext;
use crate::init::init_error;

/// Notifications into a node context.
pub(crate) struct NodeNotifications {
    node: Weak<NodeContext>,
    stop_at_height: u32,
    block_notify: Option<String>,
    alert_notify: Option<String>,
}

impl NodeNotifications {
    pub(crate) fn new(node: &Arc<NodeContext>) -> Arc<NodeNotifications> {
        let command = |option| node.args.get_opt_str(option).filter(|c| !c.is_empty());
        Arc::new(NodeNotifications {
            node: Arc::downgrade(node),
            stop_at_height: node.args.get_int("-stopatheight", 0_i64).clamp(0, i64::from(u32::MAX)) as u32,
            block_notify: command("-blocknotify"),
            alert_notify: command("-alertnotify"),
        })
    }
}

/// Runs a user's command in the shell and does not wait for it.
pub(crate) fn run_detached(command: String) {
    let started = grs_sync::thread::spawn_quiet("notify", move || run_command(&command));
    if let Err(e) = started {
        error!("Cannot start a thread for a notification command: {e}");
    }
}

/// Runs a user's command in the shell.
pub(crate) fn run_command(command: &str) {
    if command.is_empty() {
        return;
    }
    match std::process::Command::new("/bin/sh").arg("-c").arg(command).status() {
        Ok(status) if status.success() => {}
        Ok(status) => warn!("runCommand error: system({command}) returned {}", status.code().unwrap_or(-1)),
        Err(e) => warn!("runCommand error: system({command}) failed: {e}"),
    }
}

/// Keeps only characters that mean nothing to a shell between single quotes.
fn shell_safe(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || " .,;-_/:?@()".contains(*c)).collect()
}

impl NodeNotifications {
    fn alert(&self, message: &str) {
        if let Some(command) = &self.alert_notify {
            run_detached(command.replace("%s", &format!("'{}'", shell_safe(message))));
        }
    }
}

impl Notifications for NodeNotifications {
    fn block_tip(&self, state: SynchronizationState, tip: BlockId, _progress: f64) -> bool {
        let Some(node) = self.node.upgrade() else { return true };
        let Ok(chainman) = node.chainman() else { return false };
        let (hash, height) = (chainman.index().hash(tip), chainman.index().height(tip));
        node.tip.set(hash, height);
        if state == SynchronizationState::PostInit
            && let Some(command) = &self.block_notify
        {
            run_detached(command.replace("%s", &hash.to_string()));
        }
        if self.stop_at_height > 0 && height >= self.stop_at_height {
            node.request_shutdown();
            return true;
        }
        false
    }

    fn header_tip(&self, _state: SynchronizationState, height: i64, _time: i64, presync: bool) {
        if let Some(node) = self.node.upgrade() {
            node.gui.set_presync(if presync { height } else { -1 });
        }
    }

    fn progress(&self, title: &str, percent: i32) {
        if !title.is_empty() {
            info!("{title} [{percent}%]");
        }
        if let Some(node) = self.node.upgrade() {
            node.gui.set_progress(title, percent);
        }
    }

    fn warning_set(&self, warning: ChainWarning, message: &str) {
        let Some(node) = self.node.upgrade() else { return };
        if !node.warnings().iter().any(|w| w == message) {
            node.set_warning(warning_id(warning), message);
            self.alert(message);
        }
    }

    fn warning_unset(&self, warning: ChainWarning) {
        if let Some(node) = self.node.upgrade() {
            node.unset_warning(warning_id(warning));
        }
    }

    fn flush_error(&self, message: &str) {
        self.fatal_error(message);
    }

    fn fatal_error(&self, message: &str) {
        let Some(node) = self.node.upgrade() else { return };
        node.set_warning("fatal-internal-error", message);
        error!("*** {message}");
        init_error(&format!("A fatal internal error occurred, see debug.log for details: {message}"));
        node.fail();
        node.request_shutdown();
    }
}

fn warning_id(warning: ChainWarning) -> &'static str {
    match warning {
        ChainWarning::UnknownNewRulesActivated => "unknown-new-rules-activated",
        ChainWarning::LargeWorkInvalidChain => "large-work-invalid-chain",
    }
}
