//! How long a full redraw of each page takes: the layout with the tessellation, and the drawing in software. Prints the
//! medians in milliseconds: `cargo run --release -p grs-gui --example redraw [REPEATS]`.

#[path = "../tests/kit/mod.rs"]
mod kit;

use std::time::Instant;

use egui_kittest::Harness;
use grs_gui_core::Theme;
use kit::scenes::{self, Picture, SCENES};

const TRANSACTIONS: u32 = 100_000;

fn median(repeats: usize, mut work: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..repeats)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[repeats / 2]
}

fn layout(picture: &mut Picture) {
    picture.step();
    let shapes = picture.output().shapes.clone();
    std::hint::black_box(picture.ctx.tessellate(shapes, 1.0));
}

fn main() {
    let repeats = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(51_usize).max(1);
    println!("{:24} {:>16} {:>16}", "page", "layout ms", "with drawing ms");
    for scene in SCENES {
        let mut plain = scenes::at(scene, Theme::Light, TRANSACTIONS, Harness::builder());
        let without = median(repeats, || layout(&mut plain));
        let with = scenes::renderer().map(|builder| {
            let mut drawn = scenes::at(scene, Theme::Light, TRANSACTIONS, builder);
            median(repeats, || {
                drawn.step();
                std::hint::black_box(drawn.render().is_ok());
            })
        });
        let with = with.map_or_else(|why| why, |ms| format!("{ms:.2}"));
        println!("{:24} {without:>16.2} {with:>16}", scene.0);
    }
}
