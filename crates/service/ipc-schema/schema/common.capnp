@0xcd2c6232cb484a28;
# Types shared by the interfaces. Wire contract of the reference.

struct BlockRef {
  hash @0 :Data;
  height @1 :Int32;
}
