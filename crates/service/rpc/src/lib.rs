//! JSON-RPC engine: method descriptions, dispatch, help, auth, HTTP.
