//! The thread that tells a window what has changed. It waits until the window has taken the last news, so that one that
//! stands still holds up nobody else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use grs_interfaces::gui::{NodePhase, NodeSnapshot, NodeSubscriber, NodeSubscription};
use grs_interfaces::{CallError, CallResult, Handler, HandlerFn};

use super::snapshot;
use crate::NodeContext;

/// Bounds of the time between two updates, in milliseconds.
const INTERVAL: std::ops::RangeInclusive<u32> = 50..=60_000;

/// Whether a window would see a difference. The time alone is none.
fn differs(old: &NodeSnapshot, new: &NodeSnapshot) -> bool {
    *old != NodeSnapshot { time_ms: old.time_ms, ..new.clone() }
}

pub(super) fn start(
    node: Weak<NodeContext>,
    wanted: NodeSubscription,
    subscriber: Arc<dyn NodeSubscriber>,
) -> CallResult<Arc<dyn Handler>> {
    let interval =
        Duration::from_millis(u64::from(wanted.interval_ms.clamp(*INTERVAL.start(), *INTERVAL.end())));
    let ended = Arc::new(AtomicBool::new(false));
    let flag = ended.clone();
    let body = move || {
        let mut sent: Option<NodeSnapshot> = None;
        while !flag.load(Ordering::Acquire) {
            // The node must not be kept alive while the window takes its time.
            let Some(now) = node.upgrade().map(|node| snapshot(&node, wanted.peers)) else { return };
            let last = now.phase == NodePhase::Stopping;
            if sent.as_ref().is_none_or(|old| differs(old, &now)) {
                if subscriber.update(now.clone()).is_err() {
                    return;
                }
                sent = Some(now);
            }
            if last {
                return;
            }
            std::thread::sleep(interval);
        }
    };
    grs_sync::thread::spawn_quiet("gui-node", body).map_err(|e| CallError::remote(e.to_string()))?;
    Ok(HandlerFn::new(move || ended.store(true, Ordering::Release)))
}
