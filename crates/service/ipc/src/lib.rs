//! Client proxies and servers for the interface traits, spawning, sockets.
