@0x888b4f7f51e691f7;
# Test interface. Wire contract of the reference.

using Generator = import "/generator.capnp";
using Proxy = import "/mp/proxy.capnp";

interface Echo $Generator.trait("Echo") {
  destroy @0 (context :Proxy.Context) -> ();
  echo @1 (context :Proxy.Context, echo :Text) -> (result :Text) $Generator.short;
}
