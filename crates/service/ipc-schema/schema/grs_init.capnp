@0xdfa1eca385cb7d2f;
# The project's own first interface. It is apart from Init, the ordinals of which belong to the reference; the bootstrap
# object implements both, and a client that knows only Init sees nothing else.

using Chains = import "chain.capnp";
using Init = import "init.capnp";
using Generator = import "/generator.capnp";
using Nodes = import "node.capnp";
using Proxy = import "/mp/proxy.capnp";
using Wallets = import "wallet.capnp";

interface GrsInit extends(Init.Init) $Generator.trait("Init") {
  hello @0 (hello :Hello) -> (hello :Hello);
  # Version and network hand-shake; first call after construct. Fails with a text for the user.

  makeChain @1 (context :Proxy.Context) -> (result :Chains.Chain);
  makeWalletLoader @2 (context :Proxy.Context, args :GlobalArgs, chain :Chains.Chain) -> (result :Wallets.WalletLoader) $Generator.secret $Generator.byHand("client");
  makeNode @3 (context :Proxy.Context) -> (result :Nodes.Node);
}

enum Role { node @0; wallet @1; gui @2; other @3; }

struct Hello {
  role @0 :Role;
  schemaMajor @1 :UInt32;
  schemaMinor @2 :UInt32;
  programVersion @3 :Text;
  network @4 :Text;
  dataDir @5 :Text;
}

struct GlobalArgs {
  settings @0 :Text;
  # JSON object: forced, commandLine, rw, ro.
  configPath @1 :Text;
  network @2 :Text;
  netDataDir @3 :Text;
}
