//! Draws every page, light and dark, over a pretended session, as PNG files into a directory:
//! `cargo run -p grs-gui --example screenshots -- docs/images [NAME...]`.
//!
//! It needs no display, but Vulkan: without a graphics card, that of Mesa (Debian: `mesa-vulkan-drivers`).

#[path = "../tests/kit/mod.rs"]
mod kit;

use std::collections::HashMap;
use std::path::Path;

use grs_gui_core::Theme;
use kit::scenes::{self, MARGIN, SCENES, SIZE, Scene};

/// The most frequent colours stand as they are, others as the nearest of them.
fn palette(pixels: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut count: HashMap<[u8; 3], u32> = HashMap::new();
    let colours = || pixels.chunks_exact(4).map(|p| [p[0], p[1], p[2]]);
    colours().for_each(|colour| *count.entry(colour).or_default() += 1);
    let mut table: Vec<([u8; 3], u32)> = count.into_iter().collect();
    table.sort_by_key(|(colour, n)| (std::cmp::Reverse(*n), *colour));
    let kept: Vec<[u8; 3]> = table.iter().take(256).map(|(colour, _)| *colour).collect();
    let distance = |a: &[u8; 3], b: &[u8; 3]| -> u32 {
        a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2)).sum()
    };
    let nearest = |colour: &[u8; 3]| kept.iter().enumerate().min_by_key(|(_, k)| distance(k, colour));
    let place: HashMap<[u8; 3], u8> =
        table.iter().map(|(c, _)| (*c, nearest(c).map_or(0, |(at, _)| at as u8))).collect();
    (kept.concat(), colours().map(|colour| place[&colour]).collect())
}

fn write(path: &Path, image: &image::RgbaImage) -> Result<(), Box<dyn std::error::Error>> {
    let (colours, pixels) = palette(image.as_raw());
    let file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let mut encoder = png::Encoder::new(file, image.width(), image.height());
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(colours);
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(())
}

fn draw(scene: &Scene, theme: Theme) -> Result<image::RgbaImage, String> {
    let image = scenes::at(scene, theme, 2000, scenes::renderer()?).render()?;
    Ok(image::imageops::crop_imm(&image, MARGIN, MARGIN, SIZE[0], SIZE[1]).to_image())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().ok_or("the directory is missing")?;
    let only: Vec<String> = arguments.collect();
    std::fs::create_dir_all(&directory)?;
    for scene in SCENES.iter().filter(|(name, _)| only.is_empty() || only.iter().any(|n| n == name)) {
        for (theme, suffix) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
            let image = draw(scene, theme)?;
            let path = Path::new(&directory).join(format!("{}-{suffix}.png", scene.0));
            write(&path, &image)?;
        }
    }
    Ok(())
}
