//! The banner above the pages and the line below them.

use crate::format;
use crate::pages::sync_overlay;
use crate::texts::{Count, Text};
use crate::view::{Link, PendingState, View, WalletLink};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// The user should do or know something.
    Warning,
    /// Something does not work.
    Error,
}

/// A message above the pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Banner {
    /// How bad.
    pub severity: Severity,
    /// For the user.
    pub text: String,
    /// Whether trying again now makes sense ([`crate::view::Command::RetryNow`]).
    pub retry: bool,
}

fn banner(severity: Severity, text: String) -> Banner {
    Banner { severity, text, retry: false }
}

/// Messages to show now, the worst first. `now` in Unix seconds.
pub fn banners(view: &View, now: i64) -> Vec<Banner> {
    let mut out = Vec::new();
    match &view.link {
        Link::Connecting | Link::Running | Link::Closed => {}
        Link::Lost { cause, next_try, .. } => out.push(Banner {
            retry: true,
            ..banner(
                Severity::Error,
                Text::NodeLost
                    .with(&[("cause", cause), ("span", &format::rough_span((next_try - now).max(0)))]),
            )
        }),
        Link::Reconnecting { attempt } => {
            out.push(banner(Severity::Warning, Text::NodeReconnecting.with(&[("attempt", attempt)])));
        }
        Link::Stopping => out.push(banner(Severity::Info, view.ownership.quit_text().to_owned())),
        Link::Failed(text) => out.push(banner(Severity::Error, text.clone())),
    }
    let silent = |text: Text, since: i64| {
        let span = format::rough_span((now - since).max(0));
        banner(Severity::Warning, text.with(&[("span", &span)]))
    };
    match (view.node_silent_since, view.wallet_silent_since) {
        (Some(since), _) => out.push(silent(Text::NodeSilent, since)),
        (None, Some(since)) => out.push(silent(Text::WalletSilent, since)),
        (None, None) => {}
    }
    if let (Link::Running, WalletLink::Lost { cause }) = (&view.link, &view.wallet_link) {
        out.push(banner(Severity::Error, Text::WalletLost.with(&[("cause", cause)])));
    }
    for pending in view.pending_sends.iter() {
        if let PendingState::Unknown(cause) = &pending.state {
            let text = Text::SendUnknownBanner.with(&[
                ("time", &format::date_time(pending.time)),
                ("wallet", &wallet_title(&pending.wallet)),
                ("cause", cause),
            ]);
            out.push(banner(Severity::Error, text));
        }
    }
    if let Some(node) = &view.node {
        out.extend(node.warnings.iter().map(|w| banner(Severity::Warning, w.clone())));
        if !node.network_active && view.link.is_fresh() {
            out.push(banner(Severity::Warning, Text::NetworkOff.s().to_owned()));
        }
    }
    out
}

/// Whether data on the pages is old and has to be marked so.
pub fn stale(view: &View) -> Option<&'static str> {
    match (&view.link, &view.wallet_link) {
        (Link::Running | Link::Connecting, _) if view.node_silent_since.is_some() => {
            Some(Text::StaleNodeSilent.s())
        }
        (Link::Running, WalletLink::Running) if view.wallet_silent_since.is_some() => {
            Some(Text::StaleWalletSilent.s())
        }
        (Link::Running, WalletLink::Lost { .. }) => Some(Text::StaleWallet.s()),
        (Link::Running | Link::Connecting, _) => None,
        _ if view.node.is_some() => Some(Text::StaleNode.s()),
        _ => None,
    }
}

/// The line below the pages.
pub fn line(view: &View, now: i64) -> String {
    match &view.link {
        Link::Connecting => match view.node.as_ref().map(|n| n.init_message.as_str()) {
            Some(message) if !message.is_empty() => message.to_owned(),
            _ => Text::StatusConnecting.s().to_owned(),
        },
        Link::Lost { .. } => Text::StatusLost.s().to_owned(),
        Link::Reconnecting { .. } => Text::StatusReconnecting.s().to_owned(),
        Link::Stopping => Text::StatusStopping.s().to_owned(),
        Link::Closed => Text::StatusClosed.s().to_owned(),
        Link::Failed(_) => Text::StatusFailed.s().to_owned(),
        Link::Running => sync_overlay::status(view, now),
    }
}

/// Number of connections in words.
pub fn connections(view: &View) -> String {
    match &view.node {
        Some(node) if node.network_active => {
            Count::Connections.n(u64::from(node.connections.inbound) + u64::from(node.connections.outbound))
        }
        Some(_) => Text::NetworkOff.s().to_owned(),
        None => Text::None.s().to_owned(),
    }
}

/// Name of a wallet for users.
pub fn wallet_title(name: &str) -> String {
    if name.is_empty() { Text::DefaultWallet.s().to_owned() } else { name.to_owned() }
}

/// Title of the window.
pub fn window_title(view: &View) -> String {
    let mut parts = vec![Text::ProgramName.s().to_owned()];
    if let Some(name) = view.wallet_name() {
        parts.push(wallet_title(name));
    }
    if let Some(network) =
        grs_params::Network::from_name(view.network()).filter(|n| *n != grs_params::Network::Main)
    {
        parts.push(crate::validate::network_name(network).to_owned());
    }
    parts.join(" – ")
}
