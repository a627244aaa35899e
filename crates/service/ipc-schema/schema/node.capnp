@0x91202547681e4ce3;
# The node as a window sees it.

using Gui = import "gui_wallet.capnp";
using Handlers = import "handler.capnp";
using Generator = import "/generator.capnp";
using Proxy = import "/mp/proxy.capnp";

interface Node $Generator.trait("Node") {
  info @0 (context :Proxy.Context) -> (result :NodeInfo);
  snapshot @1 (context :Proxy.Context) -> (result :NodeSnapshot);
  subscribe @2 (context :Proxy.Context, wanted :NodeSubscription, subscriber :NodeSubscriber) -> (result :Handlers.Handler);
  executeRpc @3 (context :Proxy.Context, method :Text, arguments :Text, wallet :Text) -> (result :RpcResult) $Generator.secret;
  # A null wallet leaves the choice to the node.
  rpcMethods @4 (context :Proxy.Context) -> (result :List(Text));
  disconnectPeer @5 (context :Proxy.Context, id :Int64) -> (result :Bool);
  banPeer @6 (context :Proxy.Context, id :Int64, seconds :Int64) -> (result :Bool);
  unban @7 (context :Proxy.Context, subnet :Text) -> (result :Bool);
  bans @8 (context :Proxy.Context) -> (result :List(BanEntry));
  setNetworkActive @9 (context :Proxy.Context, active :Bool) -> ();
  requestShutdown @10 (context :Proxy.Context) -> ();
  wallets @11 (context :Proxy.Context) -> (result :Gui.Wallets);
  # Null if there are no wallets.
}

interface NodeSubscriber $Generator.trait("NodeSubscriber") {
  update @0 (context :Proxy.Context, snapshot :NodeSnapshot) -> ();
}

struct NodeSubscription {
  intervalMs @0 :UInt32;
  peers @1 :Bool;
}

struct RpcResult {
  union {
    result @0 :Text;
    error :group {
      code @1 :Int32;
      message @2 :Text;
    }
  }
}

struct NodeInfo {
  clientName @0 :Text;
  version @1 :Text;
  userAgent @2 :Text;
  network @3 :Text;
  dataDir @4 :Text;
  blocksDir @5 :Text;
  debugLog @6 :Text;
  startTime @7 :Int64;
  processId @8 :UInt32;
  blockSpacing @9 :UInt32;
  walletEnabled @10 :Bool;
  pruned @11 :Bool;
}

enum NodePhase { starting @0; running @1; stopping @2; }

struct WalletProcessState {
  union {
    none @0 :Void;
    starting @1 :Void;
    running @2 :UInt64;
    # Number of the process.
    lost @3 :Text;
    # Why.
  }
}

struct ProgressMessage {
  title @0 :Text;
  percent @1 :UInt8;
  hasPercent @2 :Bool;
}

struct SyncSnapshot {
  blocks @0 :UInt32;
  headers @1 :UInt32;
  bestBlock @2 :Data;
  tipTime @3 :Int64;
  headerTime @4 :Int64;
  progress @5 :Float64;
  initialDownload @6 :Bool;
  presyncHeaders @7 :UInt32;
  hasPresyncHeaders @8 :Bool;
  loadingBlocks @9 :Bool;
}

struct NodeSnapshot {
  timeMs @0 :Int64;
  phase @1 :NodePhase;
  initMessage @2 :Text;
  progress @3 :ProgressMessage;
  # Null if there is no work in progress.
  sync @4 :SyncSnapshot;
  networkActive @5 :Bool;
  inbound @6 :UInt32;
  outbound @7 :UInt32;
  received @8 :UInt64;
  sent @9 :UInt64;
  mempoolTransactions @10 :UInt64;
  mempoolUsage @11 :UInt64;
  mempoolMaxUsage @12 :UInt64;
  warnings @13 :List(Text);
  localAddresses @14 :List(Text);
  walletProcess @15 :WalletProcessState;
  peers @16 :List(PeerSnapshot);
  hasPeers @17 :Bool;
  bansVersion @18 :UInt64;
}

enum PeerDirection { inbound @0; outbound @1; }

struct PeerSnapshot {
  id @0 :Int64;
  address @1 :Text;
  localAddress @2 :Text;
  direction @3 :PeerDirection;
  connectionType @4 :Text;
  network @5 :Text;
  permissions @6 :List(Text);
  transport @7 :Text;
  sessionId @8 :Text;
  version @9 :UInt32;
  userAgent @10 :Text;
  services @11 :List(Text);
  relayTransactions @12 :Bool;
  highBandwidthTo @13 :Bool;
  highBandwidthFrom @14 :Bool;
  syncedHeaders @15 :Int64;
  syncedBlocks @16 :Int64;
  connected @17 :Int64;
  lastBlock @18 :Int64;
  lastTransaction @19 :Int64;
  lastSend @20 :Int64;
  lastReceive @21 :Int64;
  bytesSent @22 :UInt64;
  bytesReceived @23 :UInt64;
  pingUs @24 :UInt64;
  hasPingUs @25 :Bool;
  minPingUs @26 :UInt64;
  hasMinPingUs @27 :Bool;
  pingWaitUs @28 :UInt64;
  hasPingWaitUs @29 :Bool;
  timeOffset @30 :Int64;
  mappedAs @31 :UInt32;
  addressRelay @32 :Bool;
  addressesProcessed @33 :UInt64;
  addressesRateLimited @34 :UInt64;
}

struct BanEntry {
  subnet @0 :Text;
  created @1 :Int64;
  until @2 :Int64;
}
