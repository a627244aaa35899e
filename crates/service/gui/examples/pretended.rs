//! Opens the window over a pretended session: `cargo run --release -p grs-gui --example pretended [TRANSACTIONS [FRAMES]]`.
//!
//! Says when the first frame was there. With a number of frames it draws so many of them without a pause and says how
//! long each took, from one to the next, with everything that the graphics interface does; then the window closes. Where
//! there is no graphics card that is drawing in software (`LIBGL_ALWAYS_SOFTWARE=1` asks for it).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use grs_gui::{Start, run};
use grs_gui_core::{ActionId, Backend, Command, FakeSession, Settings, View};
use grs_params::Network;

/// How often a frame asks for the view.
const ASKED_IN_A_FRAME: usize = 3;

struct Timed {
    session: Arc<FakeSession>,
    repaint: Arc<dyn Fn() + Send + Sync>,
    start: Instant,
    frames: usize,
    asked: Mutex<Vec<Instant>>,
}

impl Timed {
    fn asked(&self) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.push(Instant::now());
        // The pages ask once before the first frame.
        let (frame, rest) = ((asked.len() - 1) / ASKED_IN_A_FRAME, (asked.len() - 1) % ASKED_IN_A_FRAME);
        if rest != 0 {
            return;
        }
        let since_start = self.start.elapsed().as_millis();
        match frame {
            0 => eprintln!("graphics ready after {since_start} ms"),
            1 => eprintln!("first frame drawn after {since_start} ms"),
            _ => {}
        }
        if frame < self.frames {
            (self.repaint)();
        } else if frame == self.frames && frame > 2 {
            report(asked.iter().step_by(ASKED_IN_A_FRAME).skip(2).copied().collect());
            self.session.send(Command::Quit);
        }
    }
}

fn report(begun: Vec<Instant>) {
    let mut times: Vec<f64> =
        begun.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs_f64() * 1000.0).collect();
    times.sort_by(f64::total_cmp);
    if let (Some(least), Some(middle)) = (times.first(), times.get(times.len() / 2)) {
        eprintln!("a frame: median {middle:.2} ms, least {least:.2} ms");
    }
}

impl Backend for Timed {
    fn view(&self) -> Arc<View> {
        self.asked();
        self.session.view()
    }

    fn send(&self, command: Command) {
        self.session.send(command);
    }

    fn new_action(&self) -> ActionId {
        self.session.new_action()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let transactions = numbers.next().unwrap_or(2000);
    let frames = numbers.next().unwrap_or(0) as usize;
    run(Start {
        connect: Box::new(move |repaint| {
            let session = FakeSession::with_repaint(transactions, {
                let repaint = repaint.clone();
                move || repaint()
            });
            Ok(Arc::new(Timed { session, repaint, start, frames, asked: Mutex::default() }))
        }),
        settings: Settings::default(),
        store: None,
        minimized: false,
        network: Network::Regtest,
        splash: false,
        uris: Vec::new(),
        arrived: Arc::default(),
        errors: Vec::new(),
    })?;
    Ok(())
}
