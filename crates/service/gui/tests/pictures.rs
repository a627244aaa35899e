//! The pages can be drawn, light and dark; where there is no Vulkan the test says that it was skipped.

mod kit;

use std::collections::HashSet;

use grs_gui_core::Theme;
use kit::scenes::{self, MARGIN, SCENES};

// The scenes that lead on from these are left to `xtask screenshots`: each takes most of a second.
#[test]
fn pages_are_drawn_light_and_dark() {
    if let Err(why) = scenes::renderer() {
        println!("skipped: {why}");
        return;
    }
    for scene in SCENES.iter().filter(|(name, _)| !name.contains('-')) {
        let draw = |theme| {
            let builder = scenes::renderer().expect("it worked just now");
            scenes::at(scene, theme, 50, builder).render().expect("it can be drawn")
        };
        let (light, dark) = (draw(Theme::Light), draw(Theme::Dark));
        for image in [&light, &dark] {
            let colours: HashSet<[u8; 4]> = image.pixels().map(|pixel| pixel.0).collect();
            assert!(colours.len() > 40, "{}: text has edges of many shades", scene.0);
        }
        // A place in the menu bar, beside the menus.
        let brightness = |image: &image::RgbaImage| {
            image.get_pixel(MARGIN + 600, MARGIN + 10).0[..3].iter().map(|part| u32::from(*part)).sum::<u32>()
        };
        assert!(brightness(&light) > brightness(&dark) + 60, "{}", scene.0);
    }
}
