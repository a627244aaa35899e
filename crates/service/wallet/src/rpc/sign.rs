pub(super) fn methods() -> Vec<grs_rpc::Method> { Vec::new() }
