//! Cap'n Proto schemas and generated code.
//!
//! The schemas are in `schema/`. `init`, `echo`, `mining`, `common` and `rpc` are the reference's wire contract: ids,
//! names, ordinals and defaults must not change. `grs_init`, `handler`, `chain`, `wallet`, `node` and
//! `gui_wallet` are the project's own.
//! Building needs no schema compiler; after a change of a schema run `cargo run -p xtask -- schemas`, which also writes
//! `generated.sha256`.

pub use grs_mp_schema::proxy_capnp;

macro_rules! generated {
    ($($(#[$doc:meta])* $name:ident = $path:literal;)*) => {$(
        $(#[$doc])*
        #[path = $path]
        #[allow(missing_docs, clippy::all, clippy::unwrap_used, clippy::unimplemented, unused)]
        #[rustfmt::skip]
        pub mod $name;
    )*};
}

generated! {
    /// Notifications, blocks, mempool, fees, settings and RPC registration of a node.
    chain_capnp = "generated/chain_capnp.rs";
    /// Types shared by the reference's interfaces.
    common_capnp = "generated/common_capnp.rs";
    /// Test interface.
    echo_capnp = "generated/echo_capnp.rs";
    /// Wallets as a window sees them.
    gui_wallet_capnp = "generated/gui_wallet_capnp.rs";
    /// The project's own first interface.
    grs_init_capnp = "generated/grs_init_capnp.rs";
    /// Types shared by the project's own interfaces.
    handler_capnp = "generated/handler_capnp.rs";
    /// First interface of a connection.
    init_capnp = "generated/init_capnp.rs";
    /// Block templates.
    mining_capnp = "generated/mining_capnp.rs";
    /// The node as a window sees it.
    node_capnp = "generated/node_capnp.rs";
    /// RPC methods over IPC.
    rpc_capnp = "generated/rpc_capnp.rs";
    /// Wallet loader.
    wallet_capnp = "generated/wallet_capnp.rs";
}
