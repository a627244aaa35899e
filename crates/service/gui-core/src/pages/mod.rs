//! The pages as data: what the user typed, what is shown, and what happens on an action. A toolkit only draws them.

pub mod about;
pub mod console;
pub mod first_run;
pub mod node_window;
pub mod overview;
pub mod receive;
pub mod send;
pub mod splash;
pub mod status;
pub mod sync_overlay;
pub mod transactions;
pub mod wallet_menu;

#[cfg(test)]
mod tests;
