//! The request that is shown: QR code, address, URI.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};

use egui::accesskit::Role;
use egui::{Image, Label, RichText, TextureHandle, TextureOptions, Ui, Vec2};
use grs_gui_core::Text;
use grs_gui_core::amount::{Unit, format_with_unit};
use grs_gui_core::field::Field;
use grs_gui_core::pages::receive::uri;
use grs_interfaces::gui::ReceiveRequest;

use super::QrImage;
use crate::icons::Icon;
use crate::theme::{self, SPACE};
use crate::widgets;

const QR: f32 = 216.0;

/// What the view remembers.
#[derive(Default)]
pub struct State {
    /// The request has just appeared.
    pub entered: bool,
    code: Option<Code>,
    /// Name of the file to save to, while the user is asked.
    file: Option<Field>,
    saving: Option<(PathBuf, Receiver<Result<(), String>>)>,
    saved: Option<PathBuf>,
}

struct Code {
    uri: String,
    /// `None` if the URI is too long.
    picture: Option<(QrImage, TextureHandle)>,
}

/// Draws it; true if the user wants it closed.
pub fn show(ui: &mut Ui, request: Option<&ReceiveRequest>, unit: Unit, state: &mut State) -> bool {
    let mut close = false;
    widgets::split_row(
        ui,
        "title of the request",
        |ui| {
            widgets::heading(ui, Text::ReceiveRequest.s());
        },
        |ui| {
            if request.is_some() {
                close = widgets::icon_button(ui, Icon::Remove, Text::ReceiveCloseRequest.s()).clicked();
            }
        },
    );
    let Some(request) = request else {
        *state = State::default();
        ui.label(RichText::new(Text::ReceiveEmpty.s()).color(theme::of(ui).weak));
        return false;
    };
    let uri = uri(request);
    if state.code.as_ref().is_none_or(|code| code.uri != uri) {
        let entered = state.entered;
        *state = State { entered, code: Some(Code::new(ui, &uri)), ..State::default() };
    }
    ui.horizontal_top(|ui| {
        picture(ui, state);
        ui.add_space(SPACE);
        ui.vertical(|ui| details(ui, request, unit, &uri, state));
    });
    save(ui, state);
    close
}

impl Code {
    fn new(ui: &Ui, uri: &str) -> Code {
        let picture = QrImage::new(uri).map(|qr| {
            let texture = ui.ctx().load_texture("QR code", qr.modules(), TextureOptions::NEAREST);
            (qr, texture)
        });
        Code { uri: uri.to_owned(), picture }
    }
}

fn picture(ui: &mut Ui, state: &State) {
    let Some((_, texture)) = state.code.as_ref().and_then(|code| code.picture.as_ref()) else {
        widgets::cell(ui, QR, |ui| {
            let text = RichText::new(Text::ReceiveQrTooLong.s()).color(theme::of(ui).warning);
            let label = ui.add(Label::new(text).wrap());
            widgets::spoken(&label, Role::Alert, Text::ReceiveQrTooLong.s());
        });
        return;
    };
    let image = Image::from_texture(texture)
        .fit_to_exact_size(Vec2::splat(QR))
        .corner_radius(theme::RADIUS)
        .alt_text(Text::ReceiveQr.s());
    ui.add(image);
}

fn details(ui: &mut Ui, request: &ReceiveRequest, unit: Unit, uri: &str, state: &mut State) {
    ui.spacing_mut().item_spacing.y = 4.0;
    let weak = theme::of(ui).weak;
    let value = |ui: &mut Ui, name: Text, value: &str, mono: bool| {
        let name = ui.label(RichText::new(name.s()).small().color(weak));
        let text = if mono { RichText::new(value).monospace().size(13.0) } else { RichText::new(value) };
        ui.add(Label::new(text).wrap().selectable(true)).labelled_by(name.id);
    };
    value(ui, Text::ReceiveAddress, &request.address, true);
    if request.amount > 0 {
        value(ui, Text::ReceiveAmount, &format_with_unit(unit, request.amount), false);
    }
    for (name, text) in [(Text::ReceiveLabel, &request.label), (Text::ReceiveMessage, &request.message)] {
        if !text.is_empty() {
            value(ui, name, text, false);
        }
    }
    value(ui, Text::ReceiveUri, uri, true);
    ui.add_space(SPACE / 2.0);
    ui.spacing_mut().item_spacing.y = SPACE;
    ui.horizontal_wrapped(|ui| {
        let copy = widgets::icon_text_button(ui, Icon::Copy, Text::ReceiveCopyAddress.s(), true);
        if std::mem::take(&mut state.entered) {
            copy.request_focus();
        }
        if copy.clicked() {
            ui.ctx().copy_text(request.address.clone());
        }
        if widgets::icon_text_button(ui, Icon::Copy, Text::ReceiveCopyUri.s(), true).clicked() {
            ui.ctx().copy_text(uri.to_owned());
        }
        let Some((qr, _)) = state.code.as_ref().and_then(|code| code.picture.as_ref()) else { return };
        if widgets::icon_text_button(ui, Icon::Copy, Text::ReceiveCopyImage.s(), true).clicked() {
            ui.ctx().copy_image(qr.large());
        }
        if widgets::icon_text_button(ui, Icon::Save, Text::ReceiveSaveImage.s(), true).clicked() {
            state.file = Some(Field::new(default_file(request).display().to_string()));
            state.saved = None;
        }
    });
}

/// In the home directory, named after the label or else the address.
fn default_file(request: &ReceiveRequest) -> PathBuf {
    let name = if request.label.is_empty() { &request.address } else { &request.label };
    let safe: String = name.chars().filter(|c| c.is_alphanumeric() || *c == '-').take(32).collect();
    let file = format!("{}-{safe}.png", Text::ReceiveFileName.s());
    std::env::home_dir().map_or_else(|| PathBuf::from(&file), |home| home.join(&file))
}

fn save(ui: &mut Ui, state: &mut State) {
    if let Some((path, answer)) = &state.saving
        && let Ok(answer) = answer.try_recv()
    {
        match answer {
            Ok(()) => (state.saved, state.file) = (Some(path.clone()), None),
            Err(problem) => {
                if let Some(field) = &mut state.file {
                    field.error = Some(problem);
                }
            }
        }
        state.saving = None;
    }
    if let Some(path) = &state.saved {
        let text = Text::ReceiveSaved.with(&[("file", &path.display())]);
        let shown = RichText::new(&text).color(theme::of(ui).good);
        let label = ui.add(Label::new(shown).wrap().selectable(true));
        widgets::spoken(&label, Role::Status, &text);
    }
    let Some(field) = &mut state.file else { return };
    ui.separator();
    widgets::text_field(ui, Text::ReceiveFile.s(), field, "");
    let (mut start, mut cancel) = (false, false);
    ui.horizontal(|ui| {
        start = widgets::primary_button(ui, Text::ActionSave.s(), state.saving.is_none()).clicked();
        cancel = ui.button(Text::ActionCancel.s()).clicked();
    });
    if start {
        let path = field.text.trim().to_owned();
        if path.is_empty() {
            field.error = Some(Text::ReceiveFileEmpty.s().to_owned());
        } else if let Some((qr, _)) = state.code.as_ref().and_then(|code| code.picture.as_ref()) {
            state.saving = Some((PathBuf::from(&path), write(ui, qr, Path::new(&path))));
        }
    }
    if cancel {
        state.file = None;
    }
}

/// Writes the file in a thread of its own: a slow disk does not stop the window.
fn write(ui: &Ui, qr: &QrImage, path: &Path) -> Receiver<Result<(), String>> {
    let (sender, receiver) = channel();
    let (qr, path, ctx) = (qr.clone(), path.to_owned(), ui.ctx().clone());
    std::thread::spawn(move || {
        // Nobody waits any more if the request was closed meanwhile.
        let _ = sender.send(qr.save(&path));
        ctx.request_repaint();
    });
    receiver
}
