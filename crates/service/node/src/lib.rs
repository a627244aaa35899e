//! Start and stop order, node context, node RPC methods; implements Chain, Node, Mining.
