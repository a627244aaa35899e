@0x9c3505dc45e146ac;
# All RPC methods of a node. Wire contract of the reference's development branch.

using Generator = import "/generator.capnp";
using Proxy = import "/mp/proxy.capnp";

interface Rpc $Generator.trait("Rpc") {
  executeRpc @0 (context :Proxy.Context, request :Text, uri :Text, user :Text) -> (result :Text) $Generator.secret;
}
