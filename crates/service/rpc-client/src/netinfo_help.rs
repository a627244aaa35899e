//! Text of `-netinfo help`.

/// The text.
pub(crate) const HELP: &str = r#"-netinfo (level [outonly]) | help

Shows the connections of a node in tables for people; the form may change with any release.
The data comes from getpeerinfo and getnetworkinfo. Words after the second are ignored.

Arguments:
1. level (integer 0-4, optional, default 0)  What to show before the counts; 5 to 255 mean 4.
     0 - nothing: counts by network, of block relay and manual peers, and our own addresses
     1 - a line for each peer, without address and version
     2 - as 1, with address
     3 - as 1, with version
     4 - as 1, with both
2. outonly ("outonly" or "o", optional)  Only lines of outgoing connections; needs a level of 1 or more.

help ("help" or "h")  This text.

Columns of the list of peers, which is sorted by direction and shortest ping:

  Column   Meaning
  ------   -------
  <->      "in": the peer connected to us; "out": we connected to the peer
  type     full:   relays everything (the usual kind)
           block:  relays blocks only, no transactions or addresses
           manual: asked for by addnode, -addnode or -connect
           feeler: short, to see whether an address answers
           addr:   short, to ask for addresses
           priv:   short, to send out a transaction of our own
  net      ipv4, ipv6, onion, i2p, cjdns, or npr (not publicly routable)
  serv     Services of the peer:
           n - NETWORK: has the whole chain
           b - BLOOM: filters by bloom filters (BIP 111)
           w - WITNESS: has witness data
           c - COMPACT_FILTERS: has block filters (BIPs 157 and 158)
           l - NETWORK_LIMITED: has the last 288 blocks
           2 - P2P_V2: speaks the encrypted transport (BIP 324)
           u - a service that is not known here
  v        Version of the transport protocol of this connection
  mping    Shortest ping, milliseconds
  ping     Last ping, milliseconds
  send     Seconds since we last sent something
  recv     Seconds since we last received something
  txn      Minutes since the peer last gave us a new transaction that we accepted
           "*" - no transactions go to this peer
  blk      Minutes since the peer last gave us a new block that passed first checks
  hb       High bandwidth relay of compact blocks (BIP 152)
           "." - we chose the peer; "*" - the peer chose us
  addrp    Addresses taken from the peer
           "." - no addresses go to this peer
  addrl    Addresses dropped because there were too many
  age      Minutes since the connection was made
  asmap    Autonomous system of the peer (only with -asmap)
  id       Number of the connection since the node started
  address  Address and port
  version  Protocol version and name of the peer's software

Examples:

> groestlcoin-cli -netinfo
> groestlcoin-cli -netinfo 1
> groestlcoin-cli -netinfo 4 outonly

As a display that stays up to date:
> watch --interval 1 --no-title groestlcoin-cli -netinfo 4
"#;
