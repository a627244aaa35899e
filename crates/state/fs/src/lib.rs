//! File environment trait: real, in memory, failing.
