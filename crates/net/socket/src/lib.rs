//! Tokio edge: listening, connecting, proxies, DNS seeds.
