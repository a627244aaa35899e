//! Methods about mining. Reference: `src/rpc/mining.cpp`.

mod generate;
mod info;
mod prioritise;
mod submit;
mod template;

use grs_args::ArgsManager;
use grs_mining::AssemblerOptions;
use grs_policy::FeeRate;
use grs_rpc::{Method, value};

pub(crate) use submit::submit_block;
pub(crate) use template::TemplateCache;

use super::Maker;

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let mut all = info::methods(maker);
    all.extend(prioritise::methods(maker));
    all.extend(template::methods(maker));
    all.extend(submit::methods(maker));
    all.extend(generate::methods(maker));
    all
}

/// What the node's options say about blocks to be made. Reference: `ApplyArgsManOptions`.
pub(crate) fn assembler_options(args: &ArgsManager) -> AssemblerOptions {
    let mut options = AssemblerOptions::default();
    options.max_weight = args.get_int("-blockmaxweight", options.max_weight);
    options.reserved_weight = args.get_int("-blockreservedweight", options.reserved_weight);
    let rate = args.get_opt_str("-blockmintxfee").and_then(|text| value::parse_fixed_point(&text, 8));
    if let Some(rate) = rate {
        options.min_fee_rate = FeeRate::per_kvb(rate);
    }
    options.log_fee_rates = args.get_bool("-printpriority", false);
    options.version = args.get_opt_int("-blockversion");
    options
}
