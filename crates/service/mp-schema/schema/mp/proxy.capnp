@0xcc316e3f71a040fb;
# Threads across processes: what libmultiprocess's proxy.capnp defines, in our words. Ids, names and ordinals are part of
# the wire contract.

interface ThreadMap {
  # Makes threads in the process that owns the map. Each side hands its map to the other when a connection begins.

  makeThread @0 (name :Text) -> (result :Thread);
  # A new thread. `name` tells in logs whose work it does.

  makePool @1 (count :UInt32) -> ();
  # Makes `count` threads for calls whose context names no thread. May be called once.
}

interface Thread {
  # Calls that name the same thread are executed one after the other.

  getName @0 () -> (result :Text);
}

struct Context {
  # First parameter of every method that may block or call back.

  thread @0 :Thread;
  # Thread of the called process that is to execute the call.

  callbackThread @1 :Thread;
  # Thread of the calling process for callbacks made by the call.
}

annotation include @0xb899f3c154fdb458 (file) :Text;
annotation includeTypes @0xbcec15648e8a0cf1 (file) :Text;
annotation wrap @0xe6f46079b7b1405e (interface, struct) :Text;
annotation count @0xd02682b319f69b38 (param, struct, interface) :Int32;
annotation exception @0x996a183200992f88 (param) :Text;
annotation name @0xb594888f63f4dbb9 (field, method) :Text;
annotation skip @0x824c08b82695d8dd (field) :Void;
