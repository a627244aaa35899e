//! QR codes as pictures.

use std::io::Write;
use std::path::Path;

use egui::{Color32, ColorImage};
use grs_gui_core::Text;
use image::{ExtendedColorType, ImageEncoder};
use qrcodegen::{QrCode, QrCodeEcc};

/// Empty modules around the code, as readers need them (ISO/IEC 18004).
const QUIET: usize = 4;
/// Pixels of a module in a file and on the clipboard.
const SCALE: usize = 8;

/// A QR code, always dark on white: readers do not take it the other way round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrImage {
    /// Modules in a row, with those around the code.
    side: usize,
    dark: Vec<bool>,
}

impl QrImage {
    /// The code of a text; `None` if it is too long.
    pub fn new(text: &str) -> Option<QrImage> {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
        let side = code.size() as usize + 2 * QUIET;
        let module = |at: usize| {
            let place = |n: usize| n as i32 - QUIET as i32;
            code.get_module(place(at % side), place(at / side))
        };
        Some(QrImage { side, dark: (0..side * side).map(module).collect() })
    }

    fn grey(&self, scale: usize) -> Vec<u8> {
        let side = self.side * scale;
        let dark = |at: usize| self.dark[at / side / scale * self.side + at % side / scale];
        (0..side * side).map(|at| if dark(at) { 0 } else { 255 }).collect()
    }

    /// One pixel for each module, to be drawn larger.
    pub fn modules(&self) -> ColorImage {
        self.picture(1)
    }

    /// As it is copied.
    pub fn large(&self) -> ColorImage {
        self.picture(SCALE)
    }

    fn picture(&self, scale: usize) -> ColorImage {
        let side = self.side * scale;
        ColorImage::new([side, side], self.grey(scale).into_iter().map(Color32::from_gray).collect())
    }

    /// Writes a new PNG file; a file that is there already is left alone. The error is for the user.
    pub fn save(&self, path: &Path) -> Result<(), String> {
        let failed = |reason: &dyn std::fmt::Display| {
            Text::ExportFailed.with(&[("file", &path.display()), ("reason", reason)])
        };
        let side = (self.side * SCALE) as u32;
        let mut bytes = Vec::new();
        image::codecs::png::PngEncoder::new(&mut bytes)
            .write_image(&self.grey(SCALE), side, side, ExtendedColorType::L8)
            .map_err(|e| failed(&e))?;
        let mut file = std::fs::File::create_new(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => Text::ReceiveFileExists.s().to_owned(),
            _ => failed(&e),
        })?;
        file.write_all(&bytes).map_err(|e| failed(&e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_a_white_border_and_its_marks() {
        let qr = QrImage::new("groestlcoin:x").unwrap();
        assert!(qr.dark[..qr.side * QUIET].iter().all(|dark| !dark));
        assert!(qr.dark[(qr.side + 1) * QUIET], "the corner of the first mark");
        assert_eq!(qr.large().size, [qr.side * SCALE; 2]);
        assert!(QrImage::new(&"x".repeat(5000)).is_none());
    }

    #[test]
    fn a_file_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("code.png");
        let qr = QrImage::new("groestlcoin:x").unwrap();
        assert_eq!(qr.save(&file), Ok(()));
        let read = image::load_from_memory(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(read.to_luma8().as_raw(), &qr.grey(SCALE));
        assert_eq!(qr.save(&file), Err(Text::ReceiveFileExists.s().to_owned()));
        assert!(qr.save(&dir.path().join("no/such/dir.png")).is_err_and(|e| e.contains("no/such")));
    }
}
