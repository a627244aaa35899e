@0xc094d1e595e3fb2f;
# For tests of the runtime only.

using Proxy = import "/mp/proxy.capnp";

interface Root {
  construct @0 (threadMap :Proxy.ThreadMap) -> (threadMap :Proxy.ThreadMap);
  echo @1 (context :Proxy.Context, text :Text) -> (text :Text);
  # Short, with a context.
  work @2 (context :Proxy.Context, id :UInt32, milliseconds :UInt32) -> ();
  # Blocks, and notes its id when it begins.
  started @3 () -> (ids :List(UInt32));
  descend @4 (context :Proxy.Context, depth :UInt32, callback :Callback) -> (depth :UInt32, thread :Text);
  # Calls back, which calls `descend` again, until depth is 0.
  fail @5 (context :Proxy.Context, panic :Bool) -> ();
  secret @6 (context :Proxy.Context, passphrase :Text) -> ();
  makeObject @7 (context :Proxy.Context) -> (result :Object);
  subscribe @8 (context :Proxy.Context, callback :Callback) -> ();
  # Keeps the callback.
  notify @9 (depth :UInt32) -> (depth :UInt32, error :Text);
  # Calls the kept callback from a thread that executes no request, or says why that failed.
  bytes @10 (context :Proxy.Context, data :Data, size :UInt32) -> (data :Data);
  # Takes some bytes and gives as many as asked for.
}

interface Callback {
  call @0 (context :Proxy.Context, depth :UInt32) -> (depth :UInt32, thread :Text);
}

interface Object {
  destroy @0 (context :Proxy.Context) -> ();
  use @1 (context :Proxy.Context) -> (uses :UInt32);
}
