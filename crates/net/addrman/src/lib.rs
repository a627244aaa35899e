//! Network addresses and groups, address manager, bans, anchors.
