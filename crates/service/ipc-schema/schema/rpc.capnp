@0x9c3505dc45e146ac;
# All RPC methods of a node. Wire contract of the reference's development branch.

using Proxy = import "/mp/proxy.capnp";

interface Rpc {
  executeRpc @0 (context :Proxy.Context, request :Text, uri :Text, user :Text) -> (result :Text);
}
