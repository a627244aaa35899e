//! What the node tells the wallet.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use grs_interfaces::{
    BlockInfo, CallError, CallResult, ChainNotifications, ChainstateRole, MempoolRemovalReason,
};
use grs_log::error;
use grs_primitives::TxRef;
use grs_sync::clock;

use crate::error::{WalletError, WalletResult};
use crate::wallet::Wallet;

/// Blocks between two notes of how far the wallet has seen the chain.
const BEST_BLOCK_INTERVAL: u32 = 144;

/// Something that has happened.
enum Event {
    Added(TxRef),
    Removed(TxRef, MempoolRemovalReason),
    Connected(BlockInfo),
    Disconnected(BlockInfo),
    Tip,
}

#[derive(Default)]
struct Queue {
    holding: bool,
    waiting: VecDeque<Event>,
    owner: Option<Weak<Wallet>>,
}

/// Holds events back while the wallet catches up with the chain.
#[derive(Default)]
pub(crate) struct EventQueue(Mutex<Queue>);

impl EventQueue {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on events wait.
    pub(crate) fn hold(&self) {
        self.queue().holding = true;
    }

    /// Processes what has waited, and lets events through again.
    pub(crate) fn release(&self, wallet: &Wallet) -> WalletResult<()> {
        loop {
            let event = {
                let mut queue = self.queue();
                match queue.waiting.pop_front() {
                    Some(event) => event,
                    None => {
                        queue.holding = false;
                        return Ok(());
                    }
                }
            };
            process(wallet, event)?;
        }
    }

    /// The wallet that the events are for.
    pub(crate) fn owner(&self) -> Option<Weak<Wallet>> {
        self.queue().owner.clone()
    }
}

/// Receives events for a wallet.
pub(crate) struct WalletEvents(Weak<Wallet>);

impl WalletEvents {
    /// For a wallet, which is not kept loaded by this.
    pub(crate) fn new(wallet: Weak<Wallet>) -> WalletEvents {
        if let Some(wallet) = wallet.upgrade() {
            let weak = wallet.downgrade();
            wallet.events.queue().owner = Some(weak);
        }
        WalletEvents(wallet)
    }

    fn take(&self, event: Event) -> CallResult<()> {
        let Some(wallet) = self.0.upgrade() else { return Err(CallError::Cancelled) };
        {
            let mut queue = wallet.events.queue();
            if queue.holding {
                queue.waiting.push_back(event);
                return Ok(());
            }
        }
        process(&wallet, event).map_err(|e| {
            error!("[{}] {e}", wallet.display_name());
            CallError::remote(e.to_string())
        })
    }
}

fn process(wallet: &Wallet, event: Event) -> WalletResult<()> {
    let now = clock::now_secs();
    match event {
        Event::Added(tx) => wallet.lock().added_to_mempool(&tx, now)?,
        Event::Removed(tx, reason) => {
            let known = wallet.lock().txs.contains_key(&tx.txid());
            let still_there = known && wallet.chain.is_in_mempool(tx.txid())?;
            wallet.lock().removed_from_mempool(&tx, reason, still_there, now)?;
        }
        Event::Connected(info) => {
            let block = info.data.ok_or_else(|| WalletError::text("Connected block without data"))?;
            let height = info.height as i32;
            let updated =
                wallet.lock().block_connected(&block, info.hash, height, info.chain_time_max, now)?;
            if updated || info.height.is_multiple_of(BEST_BLOCK_INTERVAL) {
                wallet.write_best_block()?;
            }
        }
        Event::Disconnected(info) => {
            let block = info.data.ok_or_else(|| WalletError::text("Disconnected block without data"))?;
            let previous = info.prev_hash.ok_or_else(|| WalletError::text("Disconnected the first block"))?;
            wallet.lock().block_disconnected(&block, info.height as i32, previous, now)?;
            wallet.write_best_block()?;
        }
        Event::Tip => wallet.lock().best_block_time = now,
    }
    wallet.run_notices();
    Ok(())
}

impl ChainNotifications for WalletEvents {
    fn mock_time_changed(&self, time: i64) -> CallResult<()> {
        clock::set_mock_time(time);
        Ok(())
    }

    fn transaction_added_to_mempool(&self, tx: TxRef) -> CallResult<()> {
        self.take(Event::Added(tx))
    }

    fn transaction_removed_from_mempool(&self, tx: TxRef, reason: MempoolRemovalReason) -> CallResult<()> {
        self.take(Event::Removed(tx, reason))
    }

    fn block_connected(&self, role: ChainstateRole, block: &BlockInfo) -> CallResult<()> {
        if role.historical {
            return Ok(());
        }
        self.take(Event::Connected(block.clone()))
    }

    fn block_disconnected(&self, block: &BlockInfo) -> CallResult<()> {
        self.take(Event::Disconnected(block.clone()))
    }

    fn updated_block_tip(&self) -> CallResult<()> {
        self.take(Event::Tip)
    }
}
