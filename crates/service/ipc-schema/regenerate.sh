#!/bin/sh
# Regenerates the Rust code of all schemas and the manifest of their hashes.
#
# Needs the `capnp` program and the plugin of the pinned version:
#     cargo install capnpc --version 0.27.0
# Set CAPNPC_RUST to the plugin if it is not on the PATH.
set -eu
cd "$(dirname "$0")"
plugin="${CAPNPC_RUST:-capnpc-rust}"
mp=../mp
proxy=../mp-schema
(cd "$proxy/schema" && capnp compile --src-prefix=mp -o"$plugin:../src" mp/proxy.capnp)
(cd "$mp/schema" && capnp compile -I "../$proxy/schema" --src-prefix=test -o"$plugin:../tests/contract" test/contract.capnp)
(cd "$mp/schema" && capnp compile -I "../$proxy/schema" --src-prefix=example -o"$plugin:../examples/calculator" \
    example/calculator.capnp)
(cd schema && capnp compile -I "../$proxy/schema" -o"$plugin:../src/generated" -- *.capnp)
{
    echo "# SHA-256 of each schema and of the code generated from it; a test compares."
    for name in "$proxy"/schema/*/*.capnp "$mp"/schema/*/*.capnp schema/*.capnp \
        "$proxy/src/proxy_capnp.rs" "$mp/tests/contract/contract_capnp.rs" \
        "$mp/examples/calculator/calculator_capnp.rs" src/generated/*.rs; do
        sha256sum "$name"
    done
} >generated.sha256
