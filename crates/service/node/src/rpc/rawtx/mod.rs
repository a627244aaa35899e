//! Methods about transactions in hexadecimal. Reference: `src/rpc/rawtransaction.cpp`.

mod create;
mod decode;
mod get;
mod script;
mod sign;

use grs_rpc::Method;

use super::Maker;

pub(super) use sign::find_coins;

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let mut all = get::methods(maker);
    all.extend(create::methods(maker));
    all.extend(decode::methods(maker));
    all.extend(script::methods(maker));
    all.extend(sign::methods(maker));
    all
}
