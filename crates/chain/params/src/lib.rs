//! Networks: genesis blocks, deployments, subsidy, seeds, address prefixes.
