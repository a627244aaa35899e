@0xd5c1d3a9a0f2b7e4;
# For the example of the runtime: two processes, one of which calculates and has the other one print.

using Proxy = import "/mp/proxy.capnp";

interface Init {
  # What the served process offers first.

  construct @0 (threadMap :Proxy.ThreadMap) -> (threadMap :Proxy.ThreadMap);
  # The first call: each side hands over its thread map.

  makeCalculator @1 (context :Proxy.Context, printer :Printer) -> (result :Calculator);
  # A calculator that prints its steps with `printer`, an object of the calling process.
}

interface Calculator {
  destroy @0 (context :Proxy.Context) -> ();
  # Ends the object at once. Dropping the capability ends it some time later.

  evaluate @1 (context :Proxy.Context, expression :Text) -> (result :Float64);
  # Value of a sum of numbers such as `1 + 2.5 - 4`.
}

interface Printer {
  print @0 (context :Proxy.Context, text :Text) -> ();
}
