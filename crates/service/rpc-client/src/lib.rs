//! JSON-RPC client for the command line.
