//! `BlockTemplate`: a solution without a coinbase.

use std::rc::Rc;

use grs_ipc_schema::mining_capnp::block_template;
use grs_primitives::TxRef;

use crate::convert::read;
use crate::generated::BlockTemplateServer;
use crate::support::*;

impl BlockTemplateServer {
    pub(crate) async fn submit_solution_by_hand(
        self: Rc<Self>,
        params: block_template::SubmitSolutionParams,
        mut results: block_template::SubmitSolutionResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let p = params.get()?;
        // Without a coinbase there is no solution; the reference crashes here.
        let coinbase: Option<TxRef> = read(p.get_coinbase())?;
        let (version, timestamp, nonce) = (p.get_version(), p.get_timestamp(), p.get_nonce());
        let object = self.hosted.get().map_err(exception)?;
        let work = move || match coinbase {
            Some(coinbase) => object.submit_solution(version, timestamp, nonce, coinbase),
            None => Ok(false),
        };
        let processed = call.run(RequestContext::read(p.get_context()), work).await?;
        results.get().set_result(processed);
        call.done(&mut results)
    }
}
