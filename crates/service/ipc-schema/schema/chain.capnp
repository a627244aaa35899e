@0x8247b6f5398c868d;
# The node's chain for wallets. A method without a context is short and answered on the IPC thread.
#
# Hashes are 32 bytes in memory order; lists of hashes and of outpoints (36 bytes each) are joined into one Data.
# Transactions and blocks are in consensus serialization with witnesses. Settings are JSON texts.

using Handlers = import "handler.capnp";
using Generator = import "/generator.capnp";
using Proxy = import "/mp/proxy.capnp";

interface Chain $Generator.trait("Chain") $Generator.state("ChainState") $Generator.extra("handleRpc") {
  getHeight @0 () -> (result :UInt32, hasResult :Bool);
  getBlockHash @1 (height :UInt32) -> (result :Data);
  haveBlockOnDisk @2 (height :UInt32) -> (result :Bool);
  findLocatorFork @3 (locator :Data) -> (result :UInt32, hasResult :Bool);
  hasBlockFilterIndex @4 () -> (result :Bool);
  blockFilterMatchesAny @5 (context :Proxy.Context, block :Data, scripts :List(Data)) -> (result :Bool, hasResult :Bool);

  # The context of the next five may be left out if no block data are wanted.
  findBlock @6 (context :Proxy.Context, hash :Data, want :FindBlock) -> (result :FoundBlock) $Generator.light("want");
  findFirstBlockWithTimeAndHeight @7 (context :Proxy.Context, minTime :Int64, minHeight :UInt32, want :FindBlock) -> (result :FoundBlock) $Generator.light("want");
  findAncestorByHeight @8 (context :Proxy.Context, block :Data, height :UInt32, want :FindBlock) -> (result :FoundBlock) $Generator.light("want");
  findAncestorByHash @9 (context :Proxy.Context, block :Data, ancestor :Data, want :FindBlock) -> (result :FoundBlock) $Generator.light("want");
  findCommonAncestor @10 (context :Proxy.Context, block1 :Data, block2 :Data, want :FindBlock) -> (ancestor :FoundBlock, block1 :FoundBlock, block2 :FoundBlock) $Generator.light("want");

  findCoins @11 (context :Proxy.Context, outpoints :Data) -> (result :List(FoundCoin));
  guessVerificationProgress @12 (block :Data) -> (result :Float64);
  hasBlocks @13 (block :Data, minHeight :UInt32, maxHeight :UInt32, hasMaxHeight :Bool) -> (result :Bool);
  scanBlocks @14 (context :Proxy.Context, needles :ScanNeedles, stopHeight :UInt32, hasStopHeight :Bool) -> (result :BlockScan);

  isRbfOptIn @15 (context :Proxy.Context, tx :Data $Generator.decodeLater) -> (result :RbfState);
  isInMempool @16 (context :Proxy.Context, txid :Data) -> (result :Bool);
  hasDescendantsInMempool @17 (context :Proxy.Context, txid :Data) -> (result :Bool);
  broadcastTransaction @18 (context :Proxy.Context, tx :Data $Generator.decodeLater, maxFee :Int64, method :TxBroadcast) -> (accepted :Bool, error :Text);
  getTransactionAncestry @19 (context :Proxy.Context, txids :List(Data)) -> (result :List(TransactionAncestry));
  calculateIndividualBumpFees @20 (context :Proxy.Context, outpoints :Data, feerate :Int64) -> (result :List(Int64));
  calculateCombinedBumpFee @21 (context :Proxy.Context, outpoints :Data, feerate :Int64) -> (result :Int64, hasResult :Bool);
  getPackageLimits @22 () -> (ancestors :UInt32, descendants :UInt32);
  checkChainLimits @23 (context :Proxy.Context, tx :Data $Generator.decodeLater) -> (error :Handlers.BilingualString);

  estimateSmartFee @24 (context :Proxy.Context, numBlocks :UInt32, conservative :Bool) -> (result :FeeEstimate);
  estimateMaxBlocks @25 () -> (result :UInt32);
  mempoolMinFee @26 (context :Proxy.Context) -> (result :Int64);
  relayMinFee @27 () -> (result :Int64);
  relayIncrementalFee @28 () -> (result :Int64);
  relayDustFee @29 () -> (result :Int64);

  havePruned @30 () -> (result :Bool);
  getPruneHeight @31 () -> (result :UInt32, hasResult :Bool);
  isReadyToBroadcast @32 () -> (result :Bool);
  isInitialBlockDownload @33 () -> (result :Bool);
  shutdownRequested @34 () -> (result :Bool);
  hasAssumedValidChain @35 () -> (result :Bool);

  initMessage @36 (context :Proxy.Context, message :Text) -> ();
  initWarning @37 (context :Proxy.Context, message :Handlers.BilingualString) -> ();
  initError @38 (context :Proxy.Context, message :Handlers.BilingualString) -> ();
  showProgress @39 (context :Proxy.Context, title :Text, progress :Int32, resumePossible :Bool) -> ();

  handleNotifications @40 (context :Proxy.Context, notifications :ChainNotifications, options :NotifyOptions) -> (result :Handlers.Handler) $Generator.byHand("both");
  waitForNotificationsIfTipChanged @41 (context :Proxy.Context, oldTip :Data) -> () $Generator.byHand("server");
  waitForNotifications @42 (context :Proxy.Context) -> () $Generator.byHand("server");
  requestMempoolTransactions @43 (context :Proxy.Context, notifications :ChainNotifications, options :NotifyOptions) -> () $Generator.byHand("both");

  handleRpcs @44 (context :Proxy.Context, commands :List(RpcCommand), actor :RpcActor) -> (result :Handlers.Handler) $Generator.byHand("server");
  rpcEnableDeprecated @45 (method :Text) -> (result :Bool);

  getSetting @46 (name :Text) -> (result :Text);
  getSettingsList @47 (name :Text) -> (result :List(Text));
  getRwSetting @48 (name :Text) -> (result :Text);
  updateRwSetting @49 (context :Proxy.Context, name :Text, update :SettingsUpdate) -> (result :Bool);
  overwriteRwSetting @50 (context :Proxy.Context, name :Text, value :Text, action :SettingsAction) -> (result :Bool);
  deleteRwSettings @51 (context :Proxy.Context, name :Text, action :SettingsAction) -> (result :Bool);
}

struct FindBlock {
  data @0 :Bool;
  locator @1 :Bool;
  next @2 :Bool;
  nextData @3 :Bool;
}

struct FoundBlock {
  hash @0 :Data;
  height @1 :UInt32;
  time @2 :Int64;
  maxTime @3 :Int64;
  mtpTime @4 :Int64;
  inActiveChain @5 :Bool;
  locator @6 :Data;
  # Null if not wanted or not there; the same for the next two.
  next @7 :FoundBlock;
  data @8 :Data;
}

struct FoundCoin {
  out @0 :Data;
  # Serialized output; null if the coin is spent or unknown.
  height @1 :UInt32;
  coinbase @2 :Bool;
}

enum RbfState { unknown @0; replaceableBip125 @1; final @2; }

enum TxBroadcast { mempoolAndBroadcastToAll @0; mempoolNoBroadcast @1; noMempoolPrivateBroadcast @2; }

enum FeeReason {
  none @0;
  halfEstimate @1;
  fullEstimate @2;
  doubleEstimate @3;
  conservative @4;
  mempoolMin @5;
  fallback @6;
  required @7;
}

struct FeeEstimate {
  feerate @0 :Int64;
  reason @1 :FeeReason;
  desiredTarget @2 :UInt32;
  returnedTarget @3 :UInt32;
  bestHeight @4 :UInt32;
}

interface BlockScan $Generator.trait("BlockScan") {
  nextChunk @0 (context :Proxy.Context, fromHeight :UInt32, expectedPrev :Data, added :ScanNeedles) -> (result :ScanChunk);
}

struct ScanNeedles {
  scripts @0 :List(Data);
  outpoints @1 :Data;
}

enum ScanStatus { more @0; done @1; reorganized @2; missingData @3; interrupted @4; }

struct ScanChunk {
  blocks @0 :List(ScannedBlock);
  lastHash @1 :Data;
  # Null if no block was looked at.
  lastHeight @2 :UInt32;
  nextHeight @3 :UInt32;
  tipHeight @4 :UInt32;
  progress @5 :Float64;
  status @6 :ScanStatus;
}

struct ScannedBlock {
  hash @0 :Data;
  height @1 :UInt32;
  maxTime @2 :Int64;
  data @3 :Data;
}

struct NotifyOptions {
  connectUndoData @0 :Bool;
  disconnectData @1 :Bool;
  disconnectUndoData @2 :Bool;
}

interface ChainNotifications {
  notify @0 (events :List(Event)) -> ();
  # Delivers a batch in order and returns when it has been processed. The sender has one batch under way at a time.
}

enum MempoolRemovalReason { expiry @0; sizeLimit @1; reorg @2; block @3; conflict @4; replaced @5; }

struct ChainstateRole {
  validated @0 :Bool;
  historical @1 :Bool;
}

struct BlockInfo {
  hash @0 :Data;
  prevHash @1 :Data;
  height @2 :UInt32;
  chainTimeMax @3 :Int64;
  data @4 :Data;
  undoData @5 :Data;
}

struct Event {
  union {
    transactionAdded @0 :Data;
    transactionRemoved :group {
      tx @1 :Data;
      reason @2 :MempoolRemovalReason;
    }
    blockConnected :group {
      role @3 :ChainstateRole;
      block @4 :BlockInfo;
    }
    blockDisconnected @5 :BlockInfo;
    updatedBlockTip @6 :Void;
    chainStateFlushed :group {
      flushedRole @7 :ChainstateRole;
      locator @8 :Data;
    }
    mockTime @9 :Int64;
  }
}

struct TransactionAncestry {
  ancestors @0 :UInt64;
  clusterCount @1 :UInt64;
  ancestorSize @2 :UInt64;
  ancestorFees @3 :Int64;
}

struct RpcArgName {
  name @0 :Text;
  namedOnly @1 :Bool;
}

struct RpcCommand {
  category @0 :Text;
  name @1 :Text;
  argNames @2 :List(RpcArgName);
  uniqueId @3 :Int64;
}

enum RpcMode { execute @0; getHelp @1; getArgs @2; }

enum RpcVersion { v1Legacy @0; v2 @1; }

struct RpcRequest {
  id @0 :Text;
  # JSON; null for a notification.
  method @1 :Text;
  params @2 :Text;
  mode @3 :RpcMode;
  uri @4 :Text;
  authUser @5 :Text;
  peerAddr @6 :Text;
  version @7 :RpcVersion;
}

struct RpcReply {
  union {
    notHandled @0 :Void;
    result @1 :Text;
    error :group {
      code @2 :Int32;
      message @3 :Text;
    }
  }
}

interface RpcActor $Generator.trait("RpcActor") {
  call @0 (context :Proxy.Context, request :RpcRequest, lastCallback :Bool) -> (reply :RpcReply $Generator.whole) $Generator.secret;
}

enum SettingsAction { write @0; skipWrite @1; }

interface SettingsUpdate $Generator.trait("SettingsUpdate") {
  update @0 (context :Proxy.Context, value :Text) -> (value :Text, action :SettingsAction);
  # A null value leaves the setting as it is.
}
