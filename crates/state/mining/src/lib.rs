//! Block assembly and templates.
