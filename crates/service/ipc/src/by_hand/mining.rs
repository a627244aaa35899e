//! `Mining` and `BlockTemplate`: the number of templates, and a solution without a coinbase.

use std::rc::Rc;
use std::sync::Arc;

use grs_interfaces::{BlockCreateOptions, BlockTemplate, BlockWaitOptions};
use grs_ipc_schema::mining_capnp::{block_template, mining};
use grs_primitives::TxRef;

use crate::convert::{optional, read};
use crate::generated::{BlockTemplateServer, MiningServer, block_template_client};
use crate::support::*;

/// Templates that a connection may hold at a time. A template keeps its transactions alive, at most one block's worth
/// (4 MB) that nobody else has; a miner needs a few of them.
pub const MAX_TEMPLATES: usize = 128;

/// An error if the connection has no room for another template.
fn check_room(session: &Session) -> capnp::Result<()> {
    if session.hosted("BlockTemplate") < MAX_TEMPLATES {
        return Ok(());
    }
    let text = "too many block templates: this connection holds";
    Err(exception(format!("{text} {MAX_TEMPLATES}, destroy or release some")))
}

/// Looks again, as other calls may have made some meanwhile.
fn offer(session: &Rc<Session>, template: Arc<dyn BlockTemplate>) -> capnp::Result<block_template::Client> {
    check_room(session)?;
    Ok(block_template_client(session, template))
}

impl MiningServer {
    pub(crate) async fn create_new_block_by_hand(
        self: Rc<Self>,
        params: mining::CreateNewBlockParams,
        mut results: mining::CreateNewBlockResults,
    ) -> Result<(), capnp::Error> {
        let session = &self.hosted.session;
        let call = session.receive(&params);
        let p = params.get()?;
        let options: BlockCreateOptions = read(p.get_options())?;
        let cooldown = p.get_cooldown();
        check_room(session)?;
        let object = self.hosted.get().map_err(exception)?;
        let work = move || object.create_new_block(options, cooldown);
        if let Some(template) = call.run(RequestContext::read(p.get_context()), work).await? {
            results.get().set_result(offer(session, template)?);
        }
        call.done(&mut results)
    }
}

impl BlockTemplateServer {
    pub(crate) async fn submit_solution_by_hand(
        self: Rc<Self>,
        params: block_template::SubmitSolutionParams,
        mut results: block_template::SubmitSolutionResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let p = params.get()?;
        // Without a coinbase there is no solution; the reference crashes here. An empty one is too short.
        let coinbase: Option<TxRef> = optional(p.has_coinbase(), p.get_coinbase())?;
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

    pub(crate) async fn wait_next_by_hand(
        self: Rc<Self>,
        params: block_template::WaitNextParams,
        mut results: block_template::WaitNextResults,
    ) -> Result<(), capnp::Error> {
        let session = &self.hosted.session;
        let call = session.receive(&params);
        let p = params.get()?;
        let options: BlockWaitOptions = read(p.get_options())?;
        check_room(session)?;
        let object = self.hosted.get().map_err(exception)?;
        let work = move || object.wait_next(options);
        if let Some(next) = call.run(RequestContext::read(p.get_context()), work).await? {
            results.get().set_result(offer(session, next)?);
        }
        call.done(&mut results)
    }
}
