//! Draws the window: views over [`grs_gui_core`], which takes every decision.
//!
//! * [`run`](run::run) opens the window and comes back when it is closed.
//! * [`Window`] is all of it without a window system: tests and pictures drive it through an [`egui::Ui`].
//! * [`theme`], [`icons`] and [`widgets`] are what the views share; [`views`] has one file for each page.

pub mod icons;
pub mod run;
pub mod screen;
pub mod shortcuts;
pub mod theme;
pub mod views;
pub mod widgets;
pub mod window;

pub use run::{RunError, Start, run};
pub use screen::NativeScreen;
pub use window::Window;
