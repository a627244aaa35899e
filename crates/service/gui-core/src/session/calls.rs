//! What the pages ask for.

use std::sync::Arc;

use grs_interfaces::gui::{Node, Wallets};
use grs_interfaces::{CallResult, RpcReply, WalletOutcome};

use super::state::State;
use super::{call_text, now};
use crate::console::{self, ConsoleLine, LineKind};
use crate::pages::send::TARGETS;
use crate::texts::Text;
use crate::view::{ActionId, Command, Reply, WalletView};

/// Lines of the console that are kept.
const CONSOLE_LINES: usize = 2000;

fn outcome(result: CallResult<WalletOutcome>) -> Reply {
    match result {
        Err(error) => Reply::Failed(call_text(&error)),
        Ok(WalletOutcome { result: Err(error), warnings }) => {
            let texts = std::iter::once(error).chain(warnings).map(|t| t.translated);
            Reply::Failed(texts.collect::<Vec<_>>().join("\n"))
        }
        Ok(WalletOutcome { result: Ok(name), warnings }) => {
            Reply::Wallet { name, warnings: warnings.into_iter().map(|w| w.translated).collect() }
        }
    }
}

impl State {
    pub(super) fn command(&mut self, command: Command) {
        match command {
            Command::SelectWallet(name) => {
                self.wanted = Some(name);
                self.choose_wallet();
            }
            Command::CreateWallet(id, wallet) => {
                self.wallets_call(id, move |wallets| outcome(wallets.create(wallet)));
            }
            Command::OpenWallet(id, name) => {
                self.wallets_call(id, move |wallets| outcome(wallets.open(&name)));
            }
            Command::CloseWallet(id, name) => {
                self.wallets_call(id, move |wallets| match wallets.close(&name) {
                    Ok(Ok(())) => Reply::Done,
                    Ok(Err(text)) => Reply::Failed(text.translated),
                    Err(error) => Reply::Failed(call_text(&error)),
                })
            }
            Command::ListWallets => self.list_wallets(),
            Command::ShowTransactions(filter, sort) => self.show_transactions(filter, sort),
            Command::NeedRows(first, end) => self.need_rows(first, end),
            Command::ShowDetails(id, txid) => self.details(id, txid),
            Command::SetLabel(id, address, label) => self.wallet_call(id, move |wallet| {
                Ok(wallet.set_label(&address, &label)?.map_or_else(Reply::Failed, |()| Reply::Done))
            }),
            Command::AskLabel(id, address) => {
                self.wallet_call(id, move |wallet| Ok(Reply::Label(wallet.label(&address)?)));
            }
            Command::NewRequest(id, request) => self.wallet_call(id, move |wallet| {
                Ok(wallet.new_receive_request(request)?.map_or_else(Reply::Failed, Reply::Request))
            }),
            Command::RemoveRequest(id, address, number) => self.wallet_call(id, move |wallet| {
                Ok(State::found(wallet.remove_receive_request(&address, number)?, Text::RequestGone))
            }),
            Command::NeedFees => self.need_fees(),
            Command::Preview(id, request) => self.wallet_call(id, move |wallet| {
                Ok(match wallet.preview(&request)? {
                    Ok(preview) => Reply::Preview(Arc::new(preview)),
                    Err(problem) => Reply::Problem(problem),
                })
            }),
            Command::Send(id, order) => self.send_payment(id, order),
            Command::ForgetSend(token) => self.forget_payment(token),
            Command::ExportCsv(id, export) => self.export(id, export),
            Command::Console(line, wallet) => self.console(&line, wallet),
            Command::ClearConsole => {
                self.view.console = Arc::default();
                self.touch();
            }
            Command::WatchPeers(on) => self.watch_peers(on),
            Command::DisconnectPeer(id, peer) => {
                self.node_call(id, move |node| Ok(State::found(node.disconnect_peer(peer)?, Text::PeerGone)))
            }
            Command::BanPeer(id, peer, seconds) => self
                .node_call(id, move |node| Ok(State::found(node.ban_peer(peer, seconds)?, Text::PeerGone))),
            Command::Unban(id, subnet) => {
                self.node_call(id, move |node| Ok(State::found(node.unban(&subnet)?, Text::BanGone)));
            }
            Command::SetNetworkActive(active) => self.quiet_call(move |node| node.set_network_active(active)),
            Command::ResetTraffic => {
                Arc::make_mut(&mut self.view.traffic).reset();
                self.touch();
            }
            Command::RetryNow => self.retry(),
            Command::Quit => self.quit(),
        }
    }

    fn node_call(
        &mut self,
        id: ActionId,
        call: impl FnOnce(&dyn Node) -> CallResult<Reply> + Send + 'static,
    ) {
        let Some(node) = self.node.clone() else {
            return self.reply(id, Reply::Failed(Text::NotConnected.s().to_owned()));
        };
        self.lanes.calls.call(
            move || call(node.as_ref()),
            move |state, result| match result {
                Ok(reply) => state.reply(id, reply),
                Err(error) => {
                    state.reply(id, Reply::Failed(call_text(&error)));
                    state.call_failed(&error);
                }
            },
        );
    }

    fn quiet_call(&mut self, call: impl FnOnce(&dyn Node) -> CallResult<()> + Send + 'static) {
        let Some(node) = self.node.clone() else { return };
        self.lanes.calls.call(
            move || call(node.as_ref()),
            |state, result| {
                if let Err(error) = result {
                    state.call_failed(&error);
                }
            },
        );
    }

    fn wallets_call(&mut self, id: ActionId, call: impl FnOnce(&dyn Wallets) -> Reply + Send + 'static) {
        let Some(wallets) = self.wallets.clone().filter(|_| self.view.link.is_fresh()) else {
            return self.reply(id, Reply::Failed(Text::WalletNotConnected.s().to_owned()));
        };
        self.lanes.calls.call(
            move || call(wallets.as_ref()),
            move |state, reply| {
                if let Reply::Wallet { name, .. } = &reply {
                    state.wanted = Some(name.clone());
                    state.choose_wallet();
                }
                state.reply(id, reply);
                state.list_wallets();
            },
        );
    }

    /// Reads the wallet directory.
    pub(super) fn list_wallets(&mut self) {
        let Some(wallets) = self.wallets.clone() else { return };
        self.lanes.calls.call(
            move || wallets.list(),
            |state, result| {
                // The old list stays if this fails.
                if let Ok(entries) = result {
                    state.view.wallet_entries = Arc::new(entries);
                    state.touch();
                }
            },
        );
    }

    /// Reads the bans.
    pub(super) fn read_bans(&mut self) {
        let Some(node) = self.node.clone() else { return };
        self.lanes.calls.call(
            move || node.bans(),
            |state, result| match result {
                Ok(bans) => {
                    state.view.bans = Arc::new(bans);
                    state.touch();
                }
                Err(error) => state.call_failed(&error),
            },
        );
    }

    fn need_fees(&mut self) {
        let Some((wallet, name)) = self.attached.as_ref().map(|a| (a.wallet.clone(), a.name.clone())) else {
            return;
        };
        self.lanes.calls.call(
            move || wallet.fee_levels(&TARGETS),
            move |state, result| match result {
                Ok(fees) if state.view.wallet_name() == Some(&name) => {
                    state.change_wallet(|wallet: &mut WalletView| wallet.fees = Some(Arc::new(fees)));
                }
                Ok(_) => {}
                Err(error) => state.wallet_call_failed(&error),
            },
        );
    }

    fn console_line(&mut self, kind: LineKind, text: String) {
        let lines = Arc::make_mut(&mut self.view.console);
        lines.push(ConsoleLine { time: now(), kind, text });
        let extra = lines.len().saturating_sub(CONSOLE_LINES);
        lines.drain(..extra);
        self.touch();
    }

    fn console(&mut self, line: &str, wallet: Option<String>) {
        self.console_line(LineKind::Request, console::redact(line));
        if line.trim() == "help-console" {
            return self.console_line(LineKind::Note, Text::ConsoleHelp.s().to_owned());
        }
        let Some(node) = self.node.clone() else {
            return self.console_line(LineKind::Error, Text::ConsoleNoNode.s().to_owned());
        };
        // `stop` is let through while another command runs.
        let lane = if self.view.console_busy { &self.lanes.calls } else { &self.lanes.console };
        self.view.console_busy = true;
        let (line, generation) = (line.to_owned(), self.generation);
        lane.call(
            move || run_line(node.as_ref(), &line, wallet.as_ref()),
            move |state, result| {
                if state.generation == generation {
                    state.view.console_busy = false;
                }
                match result {
                    Ok(text) => state.console_line(LineKind::Answer, text),
                    Err(text) => state.console_line(LineKind::Error, text),
                }
            },
        );
    }
}

fn run_line(node: &dyn Node, line: &str, wallet: Option<&String>) -> Result<String, String> {
    let mut execute = |method: &str, params: &str| -> Result<String, String> {
        let reply: RpcReply =
            node.execute_rpc(method, params, wallet.cloned()).map_err(|error| {
                match error.is_disconnected() {
                    true => Text::ConsoleLostNode.with(&[("cause", &error)]),
                    false => error.to_string(),
                }
            })?;
        reply.map_err(|error| format!("{} (code {})", error.message, error.code))
    };
    console::run(line, &mut execute).map_err(|error| error.to_string())
}
