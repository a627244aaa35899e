//! Standardness, dust, fee rates.
