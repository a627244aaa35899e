//! The overlay while the chain is being caught up with.

use crate::format;
use crate::sync::{SyncPhase, phase};
use crate::texts::{Count, Text};
use crate::view::View;

/// Whether the overlay is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SyncOverlay {
    /// The user closed it; it stays closed until asked for.
    hidden: bool,
    /// The user asked for it.
    forced: bool,
}

impl SyncOverlay {
    /// Whether to show it. `now` in Unix seconds.
    pub fn visible(&self, view: &View, now: i64) -> bool {
        self.forced || !self.hidden && view.link.is_fresh() && behind(view, now)
    }

    /// The user closed it.
    pub fn hide(&mut self) {
        *self = SyncOverlay { hidden: true, forced: false };
    }

    /// The user asked for it, or wants it gone.
    pub fn toggle(&mut self, view: &View, now: i64) {
        match self.visible(view, now) {
            true => self.hide(),
            false => *self = SyncOverlay { hidden: false, forced: true },
        }
    }
}

/// The present phase; `None` before the node has answered.
pub fn sync_phase(view: &View, now: i64) -> Option<SyncPhase> {
    let node = view.node.as_ref()?;
    let spacing = view.info.as_ref().map_or(60, |info| info.block_spacing);
    Some(phase(&node.sync, node.connections.inbound + node.connections.outbound, spacing, now))
}

/// Whether the tip is old. A private test network that nobody mines on is not behind.
pub fn behind(view: &View, now: i64) -> bool {
    let regtest = view.network() == "regtest";
    let downloading =
        view.node.as_ref().is_some_and(|n| n.sync.blocks < n.sync.headers || n.sync.loading_blocks);
    sync_phase(view, now).is_some_and(|p| p != SyncPhase::UpToDate) && (!regtest || downloading)
}

/// A line: name and value.
pub type Line = (&'static str, String);

/// What the overlay shows.
pub fn lines(view: &View, now: i64) -> Vec<Line> {
    let Some(node) = &view.node else { return Vec::new() };
    let unknown = || Text::Unknown.s().to_owned();
    let left = node.sync.headers.saturating_sub(node.sync.blocks);
    let left = match sync_phase(view, now) {
        Some(SyncPhase::PresyncHeaders(share)) => {
            Text::SyncPresync.with(&[("percent", &format::percent(share))])
        }
        Some(SyncPhase::Headers(share)) => Text::SyncHeaders.with(&[("percent", &format::percent(share))]),
        Some(SyncPhase::Connecting) => unknown(),
        _ => format::number(u64::from(left)),
    };
    vec![
        (Text::SyncBlocksLeft.s(), left),
        (
            Text::SyncLastBlock.s(),
            if node.sync.tip_time > 0 { format::date_time(node.sync.tip_time) } else { unknown() },
        ),
        (Text::SyncProgress.s(), format::percent(node.sync.progress)),
        (
            Text::SyncPerHour.s(),
            view.sync_rate.per_hour.map_or_else(|| Text::Calculating.s().to_owned(), format::percent),
        ),
        (
            Text::SyncTimeLeft.s(),
            view.sync_rate.seconds_left.map_or_else(|| Text::Calculating.s().to_owned(), format::rough_span),
        ),
    ]
}

/// The synchronisation in one line.
pub fn status(view: &View, now: i64) -> String {
    let Some(node) = &view.node else { return Text::StatusConnecting.s().to_owned() };
    let height = || format::number(u64::from(node.sync.blocks));
    if !behind(view, now) {
        return Text::StatusUpToDate.with(&[("height", &height())]);
    }
    match sync_phase(view, now) {
        Some(SyncPhase::Connecting) => Text::StatusNoPeers.s().to_owned(),
        Some(SyncPhase::PresyncHeaders(share)) => {
            Text::StatusPresync.with(&[("percent", &format::percent(share))])
        }
        Some(SyncPhase::Headers(share)) => Text::StatusHeaders.with(&[("percent", &format::percent(share))]),
        Some(SyncPhase::Disk) => Text::StatusDisk.with(&[("height", &height())]),
        _ => Count::BlocksLeft.with(
            u64::from(node.sync.headers.saturating_sub(node.sync.blocks)),
            &[("behind", &format::rough_span(now - node.sync.tip_time))],
        ),
    }
}
