//! Colours, spacing and fonts: light and dark, with an accent for each network.

use egui::style::{Selection, TextCursorStyle, WidgetVisuals, Widgets};
use egui::{
    Color32, CornerRadius, FontFamily, FontId, Margin, Shadow, Stroke, Style, TextStyle, Vec2, Visuals,
};
use grs_gui_core::Theme;
use grs_params::Network;

/// Space between parts that belong together, in points.
pub const SPACE: f32 = 8.0;
/// Space between groups.
pub const GROUP: f32 = 20.0;
/// Width of a column of text that is easy to read.
pub const COLUMN: f32 = 760.0;
/// Rounding of cards and fields.
pub const RADIUS: u8 = 8;

/// The colours of a theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Behind everything.
    pub background: Color32,
    /// Cards, dialogs.
    pub surface: Color32,
    /// Fields.
    pub field: Color32,
    /// Lines around cards and fields.
    pub border: Color32,
    /// Text.
    pub text: Color32,
    /// Less important text.
    pub weak: Color32,
    /// Main actions, the tab that is shown.
    pub accent: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    /// Behind what is selected.
    pub selected: Color32,
    /// Money that arrives; all is well.
    pub good: Color32,
    /// Something to know.
    pub warning: Color32,
    /// Something is wrong.
    pub error: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// Accent of a network: light, dark. Both keep a contrast of 4.5 to the text on them and to the background.
fn accent(network: Network) -> (u32, u32) {
    match network {
        Network::Main => (0x19_6c_86, 0x5c_bc_d6),
        Network::Test => (0x2f_7a_3d, 0x7c_cb_8a),
        Network::Testnet4 => (0x5a_6d_12, 0xb9_cd_5e),
        Network::Signet => (0x7a_3f_a8, 0xc5_9a_ec),
        Network::Regtest => (0xa0_52_0a, 0xf0_a8_5c),
    }
}

/// The colours for a network.
pub fn palette(dark: bool, network: Network) -> Palette {
    let (light_accent, dark_accent) = accent(network);
    if dark {
        Palette {
            background: rgb(0x14_18_1b),
            surface: rgb(0x1d_22_26),
            field: rgb(0x10_13_15),
            border: rgb(0x3a_43_49),
            text: rgb(0xe8_ec_ee),
            weak: rgb(0xa3_ae_b5),
            accent: rgb(dark_accent),
            on_accent: rgb(0x0c_12_15),
            selected: mix(rgb(0x1d_22_26), rgb(dark_accent), 0.26),
            good: rgb(0x79_cf_92),
            warning: rgb(0xee_bd_5b),
            error: rgb(0xff_92_8a),
        }
    } else {
        Palette {
            background: rgb(0xf3_f5_f6),
            surface: rgb(0xff_ff_ff),
            field: rgb(0xff_ff_ff),
            border: rgb(0xc9_d1_d6),
            text: rgb(0x1b_23_28),
            weak: rgb(0x56_63_6b),
            accent: rgb(light_accent),
            on_accent: rgb(0xff_ff_ff),
            selected: mix(rgb(0xff_ff_ff), rgb(light_accent), 0.16),
            good: rgb(0x1c_73_3a),
            warning: rgb(0x84_58_00),
            error: rgb(0xb3_26_1e),
        }
    }
}

/// A colour between two, `share` of the second.
pub fn mix(a: Color32, b: Color32, share: f32) -> Color32 {
    let part = |a: u8, b: u8| (f32::from(a) * (1.0 - share) + f32::from(b) * share).round() as u8;
    Color32::from_rgb(part(a.r(), b.r()), part(a.g(), b.g()), part(a.b(), b.b()))
}

/// The colours that are in use.
pub fn of(ui: &egui::Ui) -> Palette {
    let network = ui.ctx().data(|data| data.get_temp(network_id())).unwrap_or(Network::Main);
    palette(ui.visuals().dark_mode, network)
}

fn network_id() -> egui::Id {
    egui::Id::unique("network of the theme")
}

/// Puts the themes of a network in force; call it again when the network becomes known.
pub fn apply(ctx: &egui::Context, network: Network) {
    ctx.data_mut(|data| data.insert_temp(network_id(), network));
    for (theme, dark) in [(egui::Theme::Light, false), (egui::Theme::Dark, true)] {
        ctx.set_style_of(theme, style(dark, network));
    }
}

/// Light, dark, or as the system says.
pub fn choose(ctx: &egui::Context, theme: Theme) {
    ctx.set_theme(match theme {
        Theme::System => egui::ThemePreference::System,
        Theme::Light => egui::ThemePreference::Light,
        Theme::Dark => egui::ThemePreference::Dark,
    });
}

fn style(dark: bool, network: Network) -> Style {
    let mut style = Style { visuals: visuals(dark, &palette(dark, network)), ..Style::default() };
    let font = |size, family| FontId::new(size, family);
    style.text_styles = [
        (TextStyle::Heading, font(21.0, FontFamily::Proportional)),
        (TextStyle::Body, font(15.0, FontFamily::Proportional)),
        (TextStyle::Button, font(15.0, FontFamily::Proportional)),
        (TextStyle::Small, font(12.5, FontFamily::Proportional)),
        (TextStyle::Monospace, font(14.0, FontFamily::Monospace)),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = Vec2::splat(SPACE);
    spacing.button_padding = Vec2::new(12.0, 6.0);
    spacing.interact_size = Vec2::new(44.0, 30.0);
    spacing.window_margin = Margin::same(18);
    spacing.menu_margin = Margin::same(6);
    spacing.combo_width = 120.0;
    spacing.icon_width = 18.0;
    spacing.icon_width_inner = 10.0;
    style.interaction.selectable_labels = true;
    style
}

/// Entries of menus: without frames, with room around them.
pub fn menu_style(style: &mut Style) {
    egui::containers::menu::menu_style(style);
    style.spacing.button_padding = Vec2::new(10.0, 4.0);
}

fn visuals(dark: bool, p: &Palette) -> Visuals {
    let radius = CornerRadius::same(RADIUS - 2);
    let widget = |fill: Color32, border: Color32, text: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, border),
        corner_radius: radius,
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    let button = mix(p.surface, p.weak, 0.10);
    Visuals {
        widgets: Widgets {
            noninteractive: widget(p.surface, p.border, p.text),
            inactive: widget(button, p.border, p.text),
            hovered: widget(mix(button, p.accent, 0.14), p.accent, p.text),
            active: widget(mix(button, p.accent, 0.3), p.accent, p.text),
            open: widget(mix(button, p.accent, 0.14), p.border, p.text),
        },
        selection: Selection { bg_fill: p.selected, stroke: Stroke::new(1.5, p.accent) },
        weak_text_color: Some(p.weak),
        hyperlink_color: p.accent,
        faint_bg_color: mix(p.surface, p.weak, 0.06),
        extreme_bg_color: p.field,
        text_edit_bg_color: Some(p.field),
        code_bg_color: mix(p.surface, p.weak, 0.12),
        warn_fg_color: p.warning,
        error_fg_color: p.error,
        window_fill: p.surface,
        window_stroke: Stroke::new(1.0, p.border),
        window_corner_radius: CornerRadius::same(RADIUS + 4),
        menu_corner_radius: CornerRadius::same(RADIUS),
        panel_fill: p.background,
        window_shadow: Shadow { offset: [0, 6], blur: 24, spread: 0, color: Color32::from_black_alpha(70) },
        popup_shadow: Shadow { offset: [0, 3], blur: 12, spread: 0, color: Color32::from_black_alpha(50) },
        text_cursor: TextCursorStyle {
            stroke: Stroke::new(2.0, p.accent),
            blink: false,
            ..Default::default()
        },
        striped: true,
        ..if dark { Visuals::dark() } else { Visuals::light() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(c: Color32) -> f64 {
        let linear = |v: u8| {
            let v = f64::from(v) / 255.0;
            if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(c.r()) + 0.7152 * linear(c.g()) + 0.0722 * linear(c.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// WCAG 2.1, 1.4.3 (level AA): 4.5 for text.
    #[test]
    fn every_text_can_be_read() {
        let networks = [Network::Main, Network::Test, Network::Testnet4, Network::Signet, Network::Regtest];
        for (dark, network) in networks.into_iter().flat_map(|n| [(false, n), (true, n)]) {
            let p = palette(dark, network);
            for ground in [p.background, p.surface, p.field] {
                for text in [p.text, p.weak, p.accent, p.good, p.warning, p.error] {
                    let ratio = contrast(text, ground);
                    assert!(ratio >= 4.5, "{network:?} dark={dark}: {text:?} on {ground:?} has {ratio:.2}");
                }
            }
            assert!(contrast(p.on_accent, p.accent) >= 4.5, "{network:?} dark={dark}");
            assert!(contrast(p.text, p.selected) >= 4.5, "{network:?} dark={dark}");
        }
    }
}
