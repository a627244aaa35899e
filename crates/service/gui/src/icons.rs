//! Icons: our own drawings as SVG, 24 by 24, in one colour that is replaced by that of the text.

use egui::{Color32, Image, ImageSource, Vec2};
use grs_params::Network;

macro_rules! icons {
    ($($name:ident $file:literal $path:literal)*) => {
        /// An icon.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "the names say what each shows")]
        pub enum Icon { $($name),* }

        impl Icon {
            /// All icons.
            pub const ALL: &'static [Icon] = &[$(Icon::$name),*];

            fn source(self) -> ImageSource<'static> {
                match self {
                    $(Icon::$name => ImageSource::Bytes {
                        uri: concat!("bytes://icon-", $file, ".svg").into(),
                        bytes: egui::load::Bytes::Static(concat!(
                            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"><path d=""##,
                            $path,
                            r##""/></svg>"##
                        ).as_bytes()),
                    }),*
                }
            }
        }
    };
}

icons! {
    Overview "overview" "M4 11 12 4l8 7M6 10v10h12V10M10 20v-6h4v6"
    Send "send" "M7 17 17 7M9 7h8v8"
    Receive "receive" "M17 7 7 17M15 17H7V9"
    Transactions "transactions" "M4 7h16M4 12h16M4 17h10"
    Node "node" "M5 4h14v6H5zM5 14h14v6H5zM8.5 7h.01M8.5 17h.01M12 7h4M12 17h4"
    Wallet "wallet" "M4 7a2 2 0 0 1 2-2h11v3M4 7v10a2 2 0 0 0 2 2h14V8H6a2 2 0 0 1-2-1zM16 13.5h.01"
    Add "add" "M12 5v14M5 12h14"
    Remove "remove" "M6 6l12 12M18 6 6 18"
    Copy "copy" "M9 9h10v11H9zM5 15V4h10"
    Paste "paste" "M7 5H5v16h14V5h-2M9 3h6v4H9z"
    Save "save" "M12 4v11M7.5 10.5 12 15l4.5-4.5M5 20h14"
    Search "search" "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M15.5 15.5 20 20"
    Warning "warning" "M12 4 2.5 20h19zM12 10v4M12 17h.01"
    Error "error" "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 8v4.5M12 16h.01"
    Info "info" "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 11v5M12 8h.01"
    Ok "ok" "M5 12.5 10 17.5 19.5 7"
    Clock "clock" "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7v5l3.5 2"
    Mined "mined" "M12 3l8 4.5v9L12 21l-8-4.5v-9zM12 12l8-4.5M12 12v9M12 12 4 7.5"
    Peers "peers" "M8 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M2 20c0-3.5 2.5-6 6-6s6 2.5 6 6M16 4.5a3.3 3.3 0 0 1 0 6.5M18 14.5c2.5.7 4 2.8 4 5.5"
    Theme "theme" "M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8"
    Hidden "hidden" "M3 12c2.5-4.5 5.5-6.5 9-6.5s6.500 2 9 6.500c-2.500 4.500-5.500 6.500-9 6.500s-6.500-2-9-6.500M4 20 20 4"
    Locked "locked" "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3"
    Unlocked "unlocked" "M6 11h12v9H6zM8.500 11V7.500a3.500 3.500 0 0 1 6.800-1"
    Offline "offline" "M4 4l16 16M8.500 15.500a5 5 0 0 1 7 0M5 12a10 10 0 0 1 4-2.400M19 12a10 10 0 0 0-5-2.700M12 19h.01"
}

impl Icon {
    /// The icon in a colour, `size` points wide and high.
    pub fn image(self, size: f32, colour: Color32) -> Image<'static> {
        Image::new(self.source()).tint(colour).fit_to_exact_size(Vec2::splat(size))
    }
}

/// Edge of the picture for the window system, in pixels.
const WINDOW_ICON: u32 = 64;

/// The program's own mark for the window system: an open ring with a bar, on the accent of the network.
pub fn window_icon(network: Network) -> egui::IconData {
    const SAMPLES: u32 = 4;
    let ground = crate::theme::palette(false, network).accent;
    let mut rgba = Vec::with_capacity((WINDOW_ICON * WINDOW_ICON * 4) as usize);
    for at in 0..WINDOW_ICON * WINDOW_ICON {
        let (mut inside, mut white) = (0_u32, 0_u32);
        for sample in 0..SAMPLES * SAMPLES {
            let place = |pixel: u32, part: u32| {
                (pixel as f32 + (part as f32 + 0.5) / SAMPLES as f32) / WINDOW_ICON as f32 * 2.0 - 1.0
            };
            let x = place(at % WINDOW_ICON, sample % SAMPLES);
            let y = place(at / WINDOW_ICON, sample / SAMPLES);
            let (ground, mark) = mark_at(x, y);
            inside += u32::from(ground);
            white += u32::from(mark);
        }
        let all = SAMPLES * SAMPLES;
        let colour = crate::theme::mix(ground, Color32::WHITE, white as f32 / inside.max(1) as f32);
        rgba.extend([colour.r(), colour.g(), colour.b(), (inside * 255 / all) as u8]);
    }
    egui::IconData { rgba, width: WINDOW_ICON, height: WINDOW_ICON }
}

/// Whether a point, from -1 to 1, lies on the ground and on the mark.
fn mark_at(x: f32, y: f32) -> (bool, bool) {
    let edge = 0.28;
    let corner = |v: f32| (v.abs() - (0.96 - edge)).max(0.0);
    let ground = corner(x).hypot(corner(y)) <= edge;
    let radius = x.hypot(y);
    let open = x > 0.0 && (-0.42..0.11).contains(&y);
    let ring = (0.42..=0.66).contains(&radius) && !open;
    let bar = (0.0..=0.66).contains(&x) && (-0.01..=0.22).contains(&y) && radius <= 0.66;
    (ground, ground && (ring || bar))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_has_a_ground_and_a_ring() {
        let icon = window_icon(Network::Main);
        let pixel = |x: u32, y: u32| &icon.rgba[((y * WINDOW_ICON + x) * 4) as usize..][..4];
        assert_eq!(icon.rgba.len() as u32, WINDOW_ICON * WINDOW_ICON * 4);
        assert_eq!(pixel(0, 0)[3], 0, "the corners are round");
        assert_eq!(pixel(32, 15), [255; 4], "the ring");
        assert_eq!(pixel(32, 4)[..3], [0x19, 0x6c, 0x86], "the ground");
    }

    #[test]
    fn each_icon_can_be_drawn() {
        let ctx = egui::Context::default();
        egui_extras::install_image_loaders(&ctx);
        for icon in Icon::ALL {
            let image = Image::new(icon.source());
            let mut outcome = None;
            let mut output = ctx.run_ui(egui::RawInput::default(), |ui| {
                outcome = Some(image.load_for_size(ui.ctx(), Vec2::splat(32.0)).map_err(|e| e.to_string()));
            });
            // Nobody draws here.
            output.textures_delta.clear();
            let poll = outcome.expect("the closure ran");
            let ready = match poll {
                Ok(poll) => matches!(poll, egui::load::TexturePoll::Ready { .. }),
                Err(problem) => panic!("{icon:?}: {problem}"),
            };
            assert!(ready, "{icon:?}");
        }
    }
}
