//! Commands that cross a process border, by the interfaces of `grs-interfaces`: the node's side makes a registered
//! command callable, the wallet's side answers forwarded requests from its own table.

use std::sync::Arc;

use grs_interfaces::{
    CallResult, RpcActor, RpcArgName, RpcCommand, RpcMode, RpcReply, RpcRequest, RpcVersion,
};
use serde_json::Value;

use crate::error::{RpcError, code};
use crate::method::Output;
use crate::named::ArgName;
use crate::request::{CallInfo, Context, Mode, Params};
use crate::table::{CommandCall, Outcome, RemoteCommand, RpcTable};

/// The command as the node's table takes it.
pub fn remote_command(command: RpcCommand, actor: Arc<dyn RpcActor>) -> RemoteCommand {
    command_with(command, move |call| forward(actor.as_ref(), call, call.last_provider))
}

/// The command as the node's table takes it, with a function that finds the process for each call.
pub fn command_with<F>(command: RpcCommand, run: F) -> RemoteCommand
where
    F: Fn(&CommandCall<'_>) -> Result<Outcome, RpcError> + Send + Sync + 'static,
{
    let arg = |arg: RpcArgName| ArgName { names: arg.name, named_only: arg.named_only };
    let args = command.arg_names.into_iter().map(arg).collect();
    RemoteCommand::new(command.category, command.name, args, run)
}

/// Passes a call on to a process. `last`: nobody else can answer it, so that its "no such wallet" is the answer.
pub fn forward(actor: &dyn RpcActor, call: &CommandCall<'_>, last: bool) -> Result<Outcome, RpcError> {
    let request = RpcRequest {
        id: None,
        method: call.name.to_owned(),
        params: Value::Array(call.params.to_vec()).to_string(),
        mode: match call.info.mode {
            Mode::Execute => RpcMode::Execute,
            Mode::GetHelp => RpcMode::GetHelp,
            Mode::GetArgs => RpcMode::GetArgs,
        },
        uri: call.info.uri.clone(),
        auth_user: call.info.auth_user.clone(),
        peer_addr: call.info.peer_addr.clone(),
        version: RpcVersion::default(),
    };
    let reply = match actor.call(request, last) {
        Ok(Some(reply)) => reply,
        Ok(None) => return Ok(Outcome::NotHandled),
        // Another process may have taken over this command.
        Err(error) if error.is_disconnected() && !last => return Ok(Outcome::NotHandled),
        Err(error) => return Err(RpcError::internal(error.to_string())),
    };
    let text = reply.map_err(|e| RpcError::new(e.code, e.message))?;
    if call.info.mode == Mode::GetHelp {
        return match serde_json::from_str(&text) {
            Ok(Value::String(help)) => Ok(Outcome::Help(help)),
            _ => Err(RpcError::internal(format!("Help text of {} is no string", call.name))),
        };
    }
    // The text goes into the answer as it is, so a broken process must not break the answer too.
    match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        Ok(_) => Ok(Outcome::Done(Output::Raw(text))),
        Err(error) => Err(RpcError::internal(format!("Result of {} is no JSON: {error}", call.name))),
    }
}

/// Answers forwarded requests from a table.
pub struct TableActor {
    table: Arc<RpcTable>,
    context: Context,
}

impl TableActor {
    /// Actor for the commands of a table; handlers find `context` in their requests.
    pub fn new(table: Arc<RpcTable>, context: Context) -> Arc<Self> {
        Arc::new(Self { table, context })
    }

    /// What to register with the node.
    pub fn commands(&self) -> Vec<RpcCommand> {
        let command = |(id, command): (u64, Arc<dyn crate::Command>)| RpcCommand {
            category: command.category().to_owned(),
            name: command.name().to_owned(),
            arg_names: command
                .arg_names()
                .iter()
                .map(|arg| RpcArgName { name: arg.names.clone(), named_only: arg.named_only })
                .collect(),
            unique_id: i64::try_from(id).unwrap_or(i64::MAX),
        };
        self.table.first_commands().into_iter().map(command).collect()
    }

    fn run(&self, request: RpcRequest, last: bool) -> Result<Option<String>, RpcError> {
        let params = match serde_json::from_str(&request.params) {
            Ok(Value::Array(values)) => Params::Array(values),
            Ok(Value::Object(map)) => map.into(),
            _ => return Err(RpcError::new(code::INVALID_REQUEST, "Params must be an array or object")),
        };
        let mode = match request.mode {
            RpcMode::Execute => Mode::Execute,
            RpcMode::GetHelp => Mode::GetHelp,
            RpcMode::GetArgs => Mode::GetArgs,
        };
        let info = CallInfo {
            mode,
            uri: request.uri,
            auth_user: request.auth_user,
            peer_addr: request.peer_addr,
            context: self.context.clone(),
        };
        match self.table.dispatch(&info, &request.method, params, last) {
            Ok(Outcome::Done(output)) => Ok(Some(output.into_text())),
            Ok(Outcome::Help(text)) => Ok(Some(Value::String(text).to_string())),
            Ok(Outcome::NotHandled) if last => Err(RpcError::new(code::METHOD_NOT_FOUND, "Method not found")),
            Ok(Outcome::NotHandled) => Ok(None),
            // The wallet that is meant may be another process's.
            Err(error) if error.code == code::WALLET_NOT_FOUND && !last => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl RpcActor for TableActor {
    fn call(&self, request: RpcRequest, last_callback: bool) -> CallResult<Option<RpcReply>> {
        Ok(match self.run(request, last_callback) {
            Ok(text) => text.map(Ok),
            Err(error) => Some(Err(grs_interfaces::RpcError { code: error.code, message: error.message })),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use grs_interfaces::CallError;

    use crate::method::{Arg, Method, Res};
    use serde_json::json;

    fn wallet_table() -> Arc<RpcTable> {
        let table = Arc::new(RpcTable::new());
        let handler = |request: &crate::Request<'_>| match request.param(0).as_str() {
            Some("none") => Err(RpcError::new(code::WALLET_NOT_FOUND, "no wallet")),
            Some("bad") => Err(RpcError::invalid_parameter("bad")),
            _ => Ok(json!([request.params(), request.uri, request.context::<u8>()?])),
        };
        let options = Arg::options("options", "", [Arg::bool("flag", "").optional()]);
        let method = Method::new("wallet", "doit", "Does it.", handler);
        table.register(method.arg(Arg::str("what|how", "")).arg(options).result(Res::any()));
        table
    }

    #[test]
    fn a_command_works_across_the_border() {
        let actor = TableActor::new(wallet_table(), Arc::new(7u8));
        let node = RpcTable::new();
        node.set_warmup_finished();
        for command in actor.commands() {
            node.register_command(Arc::new(remote_command(command, actor.clone())));
        }
        let mut info = CallInfo::new(Arc::new(()));
        info.uri = "/wallet/w".to_owned();
        let run = |params: Params| node.execute(&info, "doit", params).map(|o| o.into_value().unwrap());
        let named = Params::Object(vec![("how".to_owned(), json!("x")), ("flag".to_owned(), json!(true))]);
        assert_eq!(run(named), Ok(json!([["x", {"flag": true}], "/wallet/w", 7])));
        let text = |params: &[&str]| {
            let params: Vec<Value> = params.iter().map(|p| json!(p)).collect();
            run(params.into()).unwrap_err()
        };
        assert_eq!(text(&["bad"]), RpcError::invalid_parameter("bad"));
        assert_eq!(text(&["none"]), RpcError::new(code::WALLET_NOT_FOUND, "no wallet"));
        assert!(text(&[]).message.starts_with("doit \"what\" ("));
        assert_eq!(node.help("", &info), "== Wallet ==\ndoit \"what\" ( {\"flag\":bool,...} )");
        assert!(node.help("doit", &info).contains("\nDoes it.\n"));
        assert_eq!(node.dump_arg_map(&info).as_array().map(Vec::len), Some(4));
    }

    #[test]
    fn the_next_provider_answers_for_a_wallet_it_has() {
        let first = TableActor::new(wallet_table(), Arc::new(1u8));
        struct Second;
        impl RpcActor for Second {
            fn call(&self, _: RpcRequest, _: bool) -> CallResult<Option<RpcReply>> {
                Ok(Some(Ok("\"second\"".to_owned())))
            }
        }
        struct Gone;
        impl RpcActor for Gone {
            fn call(&self, _: RpcRequest, _: bool) -> CallResult<Option<RpcReply>> {
                Err(CallError::disconnected("wallet process ended"))
            }
        }
        struct Broken;
        impl RpcActor for Broken {
            fn call(&self, _: RpcRequest, _: bool) -> CallResult<Option<RpcReply>> {
                Ok(Some(Ok("{".to_owned())))
            }
        }
        let node = RpcTable::new();
        node.set_warmup_finished();
        let info = CallInfo::new(Arc::new(()));
        let run = || node.execute(&info, "doit", vec![json!("none")].into());
        let command = first.commands().remove(0);
        let gone = node.register_command(Arc::new(remote_command(command.clone(), Arc::new(Gone))));
        assert_eq!(run().unwrap_err().code, code::INTERNAL_ERROR);
        node.register_command(Arc::new(remote_command(command.clone(), first)));
        assert_eq!(run().unwrap_err().code, code::WALLET_NOT_FOUND);
        node.register_command(Arc::new(remote_command(command.clone(), Arc::new(Second))));
        assert_eq!(run(), Ok(Output::Raw("\"second\"".to_owned())));
        assert!(node.unregister(&gone));
        let broken = RpcTable::new();
        broken.set_warmup_finished();
        broken.register_command(Arc::new(remote_command(command, Arc::new(Broken))));
        assert_eq!(broken.execute(&info, "doit", Params::default()).unwrap_err().code, code::INTERNAL_ERROR);
    }
}
