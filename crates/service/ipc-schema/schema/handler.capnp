@0xf5ceb55ebf1dd20f;
# Types shared by the project's own interfaces.

using Generator = import "/generator.capnp";
using Proxy = import "/mp/proxy.capnp";

interface Handler $Generator.trait("Handler") {
  # Keeps a subscription or registration alive. Releasing it ends it too.

  disconnect @0 (context :Proxy.Context) -> ();
}

struct BilingualString {
  original @0 :Text;
  translated @1 :Text;
}
