@0xf31635eb147499fb;
# The wallet process as the node sees it.

using Gui = import "gui_wallet.capnp";
using Handlers = import "handler.capnp";
using Generator = import "/generator.capnp";
using Proxy = import "/mp/proxy.capnp";

interface ChainClient {
  registerRpcs @0 (context :Proxy.Context) -> ();
  verify @1 (context :Proxy.Context) -> (result :Bool);
  load @2 (context :Proxy.Context) -> (result :Bool);
  start @3 (context :Proxy.Context) -> ();
  stop @4 (context :Proxy.Context) -> ();
  setMockTime @5 (context :Proxy.Context, time :Int64) -> ();
  schedulerMockForward @6 (context :Proxy.Context, seconds :Int64) -> ();
}

interface WalletLoader extends(ChainClient) $Generator.trait("WalletLoader") {
  createWallet @0 (context :Proxy.Context, name :Text, passphrase :Data, flags :UInt64) -> (result :Outcome) $Generator.secret;
  loadWallet @1 (context :Proxy.Context, name :Text) -> (result :Outcome);
  restoreWallet @2 (context :Proxy.Context, backupFile :Text, name :Text, loadAfterRestore :Bool) -> (result :Outcome);
  migrateWallet @3 (context :Proxy.Context, name :Text, passphrase :Data) -> (result :Migration) $Generator.secret;
  isEncrypted @4 (context :Proxy.Context, name :Text) -> (result :Bool);
  getWalletDir @5 (context :Proxy.Context) -> (result :Text);
  listWalletDir @6 (context :Proxy.Context) -> (result :List(DirEntry));
  getWallets @7 (context :Proxy.Context) -> (result :List(Text));
  handleLoadWallet @8 (context :Proxy.Context, callback :LoadWalletCallback) -> (result :Handlers.Handler);
  guiWallets @9 (context :Proxy.Context) -> (result :Gui.Wallets);
}

struct Outcome {
  wallet @0 :Text;
  # Name of the loaded wallet; null if there was an error.
  error @1 :Handlers.BilingualString;
  warnings @2 :List(Handlers.BilingualString);
}

struct Migration {
  error @0 :Handlers.BilingualString;
  # Null if it succeeded.
  wallet @1 :Text;
  watchOnly @2 :Text;
  solvables @3 :Text;
  backupPath @4 :Text;
}

struct DirEntry {
  name @0 :Text;
  format @1 :Text;
}

interface LoadWalletCallback $Generator.trait("LoadWalletCallback") {
  loaded @0 (context :Proxy.Context, name :Text) -> ();
}
