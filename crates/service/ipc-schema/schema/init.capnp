@0xf2c5cfa319406aa6;
# First interface of a connection. Wire contract of the reference; makeRpc is of its development branch.

using Generator = import "/generator.capnp";
using Proxy = import "/mp/proxy.capnp";
using Echo = import "echo.capnp";
using Mining = import "mining.capnp";
using Rpc = import "rpc.capnp";

interface Init {
  construct @0 (threadMap :Proxy.ThreadMap) -> (threadMap :Proxy.ThreadMap) $Generator.byHand("both");
  makeEcho @1 (context :Proxy.Context) -> (result :Echo.Echo) $Generator.short;
  makeMiningOld2 @2 () -> () $Generator.retired("Old mining interface (@2) not supported. Please update your client!");
  makeMining @3 (context :Proxy.Context) -> (result :Mining.Mining);
  makeRpc @4 (context :Proxy.Context) -> (result :Rpc.Rpc);
}
