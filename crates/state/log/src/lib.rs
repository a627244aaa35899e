//! Log categories, debug.log in the reference's format, rate limits.
