@0xb1a9e5c47d2f8036;
# What schema and trait together do not say about the code to write. Nothing here has an effect on the wire.
#
# Where a method is executed follows from its context: with one, on the thread that the context names; without, on the
# loop thread, where it must not block.

annotation trait @0xd8f70a4e5f260c51 (interface) :Text;
# The Rust trait. Without it no code is written for the interface.

annotation state @0x9b1c7c0b63f28aa7 (interface) :Text;
# Type, with a default, of what the server holds besides the object, for functions written by hand.

annotation extra @0xe0c144be7d1096f3 (interface) :Text;
# Methods of the trait that the schema does not have, separated by spaces; the proxy's are written by hand.

annotation short @0xa6a53d0f1c9b7e29 (method) :Void;
# Short and never blocking: on the loop thread if the context's thread is idle.

annotation secret @0xf4b86e2190d34c1b (method) :Void;
# Carries passphrases or keys: its contents are never logged.

annotation light @0xb7d20f95e8a13364 (method) :Text;
# Short and without a context if the named parameter says `is_light()`.

annotation byHand @0x8e93b5c724f0d1a8 (method) :Text;
# "client", "server" or "both" call functions written by hand, the trait method's or the schema method's name with
# `_by_hand` after it.

annotation retired @0xc51f82d60b7a49ed (method) :Text;
# No longer there; fails with this text.

annotation orDefault @0xddae19f356c87042 (param) :Void;
# Absent data are the default value.

annotation decodeLater @0x972be4d08f15a3c6 (param) :Void;
# Decoded on the thread that executes the call rather than on the loop thread.

annotation whole @0xc9e671584da30b9f (param) :Void;
# An Option that its own conversion puts on the wire, rather than a null.
