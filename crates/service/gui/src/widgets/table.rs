//! A table of data: any number of rows, of which only those in sight are drawn.
//!
//! The table is one stop of the keyboard: arrows, Page Up and Down, Home and End move the selection, Enter opens, Ctrl+C
//! copies, Shift+F10 opens the menu of the row. The headings are stops of their own. A screen reader sees a table with
//! column headings, rows and cells, and the selected row as the active one.

use egui::accesskit::{Role, SortDirection};
use egui::containers::menu::menu_style;
use egui::text::{LayoutJob, TextWrapping};
use egui::{
    Align2, Color32, EventFilter, FontId, Id, Key, Modifiers, Popup, PopupAnchor, PopupKind, Pos2, Rect,
    Response, ScrollArea, Sense, SetOpenCommand, Shape, Stroke, TextStyle, Ui, UiBuilder, Vec2, pos2, vec2,
};

use crate::icons::Icon;
use crate::theme::{self, Palette};

const ROW: f32 = 32.0;
const HEADER: f32 = 34.0;
/// Space at both sides of a cell.
const PAD: f32 = 10.0;
const ICON: f32 = 16.0;

/// How wide a column is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Width {
    /// So many points.
    Exact(f32),
    /// At least so many points, and a share of the room that is left.
    Fill(f32),
}

impl Width {
    fn least(self) -> f32 {
        match self {
            Width::Exact(width) | Width::Fill(width) => width,
        }
    }
}

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Heading.
    pub name: String,
    /// Width.
    pub width: Width,
    /// Numbers stand at the right.
    pub right: bool,
    /// Whether rows are sorted by it, and then whether the largest are first.
    pub sorted: Option<bool>,
    /// Whether the user can sort by it.
    pub sortable: bool,
}

impl Column {
    /// A column of texts that cannot be sorted.
    pub fn new(name: impl Into<String>, width: Width) -> Column {
        Column { name: name.into(), width, right: false, sorted: None, sortable: false }
    }

    /// The same for numbers.
    pub fn right(mut self) -> Column {
        self.right = true;
        self
    }

    /// The same with the order; `Some(true)` if the largest are first.
    pub fn sort(mut self, sorted: Option<bool>) -> Column {
        self.sortable = true;
        self.sorted = sorted;
        self
    }
}

/// What stands in a cell.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// Text.
    pub text: String,
    /// Colour of the text; that of the theme if there is none.
    pub colour: Option<Color32>,
    /// Icon before the text.
    pub icon: Option<(Icon, Color32)>,
    /// All characters equally wide.
    pub monospace: bool,
}

impl Cell {
    /// A text.
    pub fn new(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), ..Cell::default() }
    }

    /// The same in a colour.
    pub fn colour(mut self, colour: Color32) -> Cell {
        self.colour = Some(colour);
        self
    }

    /// The same with an icon.
    pub fn icon(mut self, icon: Icon, colour: Color32) -> Cell {
        self.icon = Some((icon, colour));
        self
    }

    /// The same with characters that are equally wide.
    pub fn monospace(mut self) -> Cell {
        self.monospace = true;
        self
    }
}

/// A table.
pub struct Table<'a> {
    /// Unique in the window.
    pub id: &'a str,
    /// Name for screen readers.
    pub name: &'a str,
    /// Columns.
    pub columns: &'a [Column],
    /// Number of rows.
    pub rows: usize,
    /// The row that is selected.
    pub selected: Option<usize>,
    /// Entries of the menu of a row.
    pub menu: &'a [&'a str],
    /// Shown if there are no rows.
    pub empty: &'a str,
    /// Brings the selected row into sight.
    pub reveal: bool,
}

/// What the user did.
#[derive(Debug, Clone, Default)]
pub struct TableOutput {
    /// Rows in sight: first, and one after the last.
    pub visible: (usize, usize),
    /// The user selected this row.
    pub select: Option<usize>,
    /// The user wants the details of the selected row.
    pub open: bool,
    /// The user wants to copy the selected row.
    pub copy: bool,
    /// The user wants to sort by this column.
    pub sort: Option<usize>,
    /// The user chose this entry of the menu of the selected row.
    pub menu: Option<usize>,
    /// The table itself, for the focus.
    pub focus: Option<Id>,
}

impl Table<'_> {
    /// Draws the table into the room that is there. `row` gives the cells of a row, or nothing if they are not known
    /// yet.
    pub fn show(&self, ui: &mut Ui, mut row: impl FnMut(usize) -> Option<Vec<Cell>>) -> TableOutput {
        let id = Id::unique(("table", self.id));
        let least: f32 = self.columns.iter().map(|c| c.width.least()).sum();
        let size = ui.available_size_before_wrap();
        let builder = UiBuilder::new()
            .scope_id(id.with("frame"))
            .max_rect(Rect::from_min_size(ui.cursor().min, size))
            .accessibility_role(Role::Table)
            .accessibility_label(self.name);
        ui.scope_builder(builder, |ui| {
            ui.ctx().accesskit_node_builder(ui.unique_id(), |node| {
                set_bounds(node, ui.max_rect());
                node.set_row_count(self.rows + 1);
                node.set_column_count(self.columns.len());
            });
            ui.spacing_mut().item_spacing = Vec2::ZERO;
            let scroll = ScrollArea::horizontal().id_salt(("sideways", self.id)).auto_shrink(false);
            scroll
                .show(ui, |ui| {
                    let bar = ui.spacing().scroll.allocated_width();
                    let widths = self.widths((ui.available_width() - bar).max(least));
                    let mut out = TableOutput::default();
                    self.header(ui, id, &widths, &mut out);
                    self.body(ui, id, &widths, &mut row, &mut out);
                    out
                })
                .inner
        })
        .inner
    }

    fn widths(&self, room: f32) -> Vec<f32> {
        let least: f32 = self.columns.iter().map(|c| c.width.least()).sum();
        let fill: f32 =
            self.columns.iter().filter(|c| matches!(c.width, Width::Fill(_))).map(|c| c.width.least()).sum();
        let rest = (room - least).max(0.0);
        let width = |column: &Column| match column.width {
            Width::Exact(width) => width,
            Width::Fill(width) => width + (rest * width / fill.max(1.0)).floor(),
        };
        self.columns.iter().map(width).collect()
    }

    fn header(&self, ui: &mut Ui, id: Id, widths: &[f32], out: &mut TableOutput) {
        let p = theme::of(ui);
        let whole: f32 = widths.iter().sum();
        let (rect, _) = ui.allocate_exact_size(vec2(whole, HEADER), Sense::hover());
        let builder =
            UiBuilder::new().scope_id(id.with("header")).max_rect(rect).accessibility_role(Role::Row);
        no_room(ui, builder, |ui| {
            ui.ctx().accesskit_node_builder(ui.unique_id(), |node| {
                set_bounds(node, rect);
                node.set_row_index(0);
            });
            let mut left = rect.left();
            for (at, (column, width)) in self.columns.iter().zip(widths).enumerate() {
                let cell = Rect::from_min_size(pos2(left, rect.top()), vec2(*width, HEADER));
                left += width;
                let sense = if column.sortable { Sense::click() } else { Sense::hover() };
                let response = ui.interact(cell, id.with(("heading", at)), sense);
                ui.ctx().accesskit_node_builder(response.id, |node| {
                    describe(node, &response, Role::ColumnHeader, &column.name);
                    node.set_column_index(at);
                    if let Some(descending) = column.sorted {
                        node.set_sort_direction(match descending {
                            true => SortDirection::Descending,
                            false => SortDirection::Ascending,
                        });
                    }
                });
                if response.clicked() {
                    out.sort = Some(at);
                }
                heading(ui, &p, column, cell, &response);
            }
            ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, p.border));
        });
    }

    fn body(
        &self,
        ui: &mut Ui,
        id: Id,
        widths: &[f32],
        row: &mut dyn FnMut(usize) -> Option<Vec<Cell>>,
        out: &mut TableOutput,
    ) {
        let body = id.with("rows");
        out.focus = Some(body);
        let room = ui.available_rect_before_wrap();
        let focus = ui.interact(room, body, Sense::FOCUSABLE);
        let page = ((room.height() / ROW).floor() as usize).max(2) - 1;
        let moved = self.keys(ui, &focus, page, out);
        let shown = moved.or(self.selected).filter(|at| *at < self.rows);
        if let Some(at) = moved {
            out.select = Some(at);
        }
        let reveal = moved.or(shown.filter(|_| self.reveal));
        ui.ctx().accesskit_node_builder(body, |node| {
            describe(node, &focus, Role::RowGroup, self.name);
            if let Some(at) = shown {
                node.set_active_descendant(row_id(id, at).accesskit_id());
            }
        });
        if self.rows == 0 {
            let p = theme::of(ui);
            let font = TextStyle::Body.resolve(ui.style());
            ui.painter().text(room.center(), Align2::CENTER_CENTER, self.empty, font, p.weak);
            ui.ctx().accesskit_node_builder(body, |node| node.set_description(self.empty));
        }
        if focus.has_focus() {
            let stroke = Stroke::new(1.5, theme::of(ui).accent);
            ui.painter().rect_stroke(room.shrink(1.0), 4.0, stroke, egui::StrokeKind::Inside);
        }
        let whole: f32 = widths.iter().sum();
        let scroll = ScrollArea::vertical().id_salt(("rows", self.id)).auto_shrink(false);
        scroll.show_viewport(ui, |ui, view| {
            ui.set_width(whole);
            ui.set_height(ROW * self.rows as f32);
            let corner = ui.max_rect().left_top();
            let place =
                |at: usize| Rect::from_min_size(corner + vec2(0.0, at as f32 * ROW), vec2(whole, ROW));
            if let Some(at) = reveal {
                ui.scroll_to_rect_animation(place(at), None, egui::style::ScrollAnimation::none());
            }
            let first = ((view.min.y / ROW).floor().max(0.0) as usize).min(self.rows);
            let end = ((view.max.y / ROW).ceil().max(0.0) as usize).min(self.rows);
            out.visible = (first, end);
            for at in first..end {
                let line = Line { id, at, place: place(at), selected: shown == Some(at), body };
                self.row(ui, &line, widths, row(at), out);
            }
        });
        self.menu_of_row(ui, id, &focus, room, shown, out);
    }

    fn keys(&self, ui: &Ui, focus: &Response, page: usize, out: &mut TableOutput) -> Option<usize> {
        if !focus.has_focus() || self.rows == 0 {
            return None;
        }
        let filter = EventFilter { vertical_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(focus.id, filter));
        let last = self.rows - 1;
        let (now, pressed) = (self.selected.filter(|at| *at <= last), |key| {
            ui.input_mut(|input| input.consume_key(Modifiers::NONE, key))
        });
        let mut to = None;
        for (key, target) in [
            (Key::ArrowDown, now.map_or(0, |at| (at + 1).min(last))),
            (Key::ArrowUp, now.map_or(0, |at| at.saturating_sub(1))),
            (Key::PageDown, now.map_or(0, |at| (at + page).min(last))),
            (Key::PageUp, now.map_or(0, |at| at.saturating_sub(page))),
            (Key::Home, 0),
            (Key::End, last),
        ] {
            if pressed(key) {
                to = Some(target);
            }
        }
        let chosen = to.or(now).is_some();
        out.open = chosen && pressed(Key::Enter);
        // Window systems turn Ctrl+C into an event of its own.
        let copy = ui.input_mut(|input| {
            input.events.iter().any(|event| matches!(event, egui::Event::Copy))
                || input.consume_key(Modifiers::COMMAND, Key::C)
        });
        out.copy = chosen && copy;
        to
    }

    fn row(&self, ui: &mut Ui, line: &Line, widths: &[f32], cells: Option<Vec<Cell>>, out: &mut TableOutput) {
        let p = theme::of(ui);
        let builder = UiBuilder::new()
            .scope_id(row_id(line.id, line.at))
            .max_rect(line.place)
            .sense(Sense::CLICK)
            .accessibility_parent(line.body)
            .accessibility_role(Role::Row);
        no_room(ui, builder, |ui| {
            ui.expand_to_include_rect(line.place);
            let response = ui.response();
            ui.ctx().accesskit_node_builder(ui.unique_id(), |node| {
                set_bounds(node, line.place);
                node.set_row_index(line.at + 1);
                node.set_selected(line.selected);
                node.add_action(egui::accesskit::Action::Click);
                // What is read while the keyboard moves from row to row.
                let texts =
                    cells.iter().flatten().map(|cell| cell.text.as_str()).filter(|text| !text.is_empty());
                node.set_label(texts.collect::<Vec<_>>().join(", "));
            });
            if response.clicked() || response.secondary_clicked() {
                out.select = Some(line.at);
                ui.memory_mut(|memory| memory.request_focus(line.body));
            }
            out.open |= response.double_clicked();
            if line.selected {
                ui.painter().rect_filled(line.place.shrink2(vec2(2.0, 0.5)), 5.0, p.selected);
            } else if response.hovered() {
                let colour = theme::mix(p.surface, p.accent, 0.06);
                ui.painter().rect_filled(line.place.shrink2(vec2(2.0, 0.5)), 5.0, colour);
            }
            let mut left = line.place.left();
            let missing = cells.is_none();
            let mut cells = cells.unwrap_or_default().into_iter();
            for (at, (column, width)) in self.columns.iter().zip(widths).enumerate() {
                let rect = Rect::from_min_size(pos2(left, line.place.top()), vec2(*width, ROW));
                left += width;
                let cell = cells.next().unwrap_or_default();
                let text = if missing && at == 0 { "…" } else { cell.text.as_str() };
                draw_cell(ui, &p, line, at, rect, column.right, &cell, text);
            }
        });
    }

    fn menu_of_row(
        &self,
        ui: &Ui,
        id: Id,
        focus: &Response,
        room: Rect,
        shown: Option<usize>,
        out: &mut TableOutput,
    ) {
        if self.menu.is_empty() {
            return;
        }
        let (place, menu) = (id.with("place of the menu"), id.with("menu"));
        let selected = out.select.or(shown);
        let mut open = None;
        // The row has taken the click; where it was counts here.
        let clicked = ui.input(|input| {
            let at = input.pointer.interact_pos()?;
            input.pointer.secondary_clicked().then_some(at)
        });
        if let Some(at) = clicked.filter(|at| room.contains(*at) && out.select.is_some()) {
            open = Some(at);
        }
        let key = Modifiers::SHIFT;
        if focus.has_focus() && selected.is_some() && ui.input_mut(|i| i.consume_key(key, Key::F10)) {
            open = Some(room.left_top() + vec2(PAD, ROW));
        }
        if let Some(at) = open {
            ui.data_mut(|data| data.insert_temp(place, at));
        }
        let at: Pos2 = ui.data(|data| data.get_temp(place)).unwrap_or(room.left_top());
        let was_open = Popup::is_id_open(ui.ctx(), menu);
        Popup::new(menu, ui.ctx().clone(), PopupAnchor::Position(at), ui.layer_id())
            .kind(PopupKind::Menu)
            .layout(egui::Layout::top_down_justified(egui::Align::Min))
            .style(menu_style)
            .accessible_name(self.name)
            .open_memory(open.map(|_| SetOpenCommand::Bool(true)))
            .show(|ui| {
                ui.spacing_mut().button_padding = vec2(10.0, 4.0);
                for (at, name) in self.menu.iter().enumerate() {
                    let entry = ui.button(*name);
                    let role = Role::MenuItem;
                    ui.ctx().accesskit_node_builder(entry.id, |node| node.set_role(role));
                    if at == 0 && open.is_some() {
                        entry.request_focus();
                    }
                    if entry.clicked() {
                        out.menu = Some(at);
                        ui.close();
                    }
                }
            });
        if was_open && !Popup::is_id_open(ui.ctx(), menu) {
            focus.request_focus();
        }
    }
}

struct Line {
    id: Id,
    at: usize,
    place: Rect,
    selected: bool,
    body: Id,
}

fn row_id(table: Id, at: usize) -> Id {
    table.with(("row", at))
}

/// Draws into a part of the room that has been taken already.
fn no_room(ui: &mut Ui, builder: UiBuilder, content: impl FnOnce(&mut Ui)) {
    content(&mut ui.new_child(builder));
}

/// Where a node is. The toolkit says it only of its own widgets.
pub fn set_bounds(node: &mut egui::accesskit::Node, rect: Rect) {
    node.set_bounds(egui::accesskit::Rect {
        x0: rect.min.x.into(),
        y0: rect.min.y.into(),
        x1: rect.max.x.into(),
        y1: rect.max.y.into(),
    });
}

fn describe(node: &mut egui::accesskit::Node, response: &Response, role: Role, name: &str) {
    node.set_role(role);
    node.set_label(name);
    set_bounds(node, response.rect);
    if response.sense.is_focusable() {
        node.add_action(egui::accesskit::Action::Focus);
    }
    if response.sense.senses_click() {
        node.add_action(egui::accesskit::Action::Click);
    }
}

fn heading(ui: &Ui, p: &Palette, column: &Column, cell: Rect, response: &Response) {
    if response.hovered() && column.sortable {
        ui.painter().rect_filled(cell.shrink(3.0), 4.0, theme::mix(p.surface, p.accent, 0.10));
    }
    if response.has_focus() {
        let stroke = Stroke::new(1.5, p.accent);
        ui.painter().rect_stroke(cell.shrink(3.0), 4.0, stroke, egui::StrokeKind::Inside);
    }
    let colour = if column.sorted.is_some() { p.text } else { p.weak };
    let mark = if column.sorted.is_some() { 14.0 } else { 0.0 };
    let font = FontId::proportional(13.5);
    let room = cell.width() - 2.0 * PAD - mark;
    let galley = one_line(ui, &column.name, font, colour, room);
    let left = if column.right { cell.right() - PAD - mark - galley.size().x } else { cell.left() + PAD };
    let width = galley.size().x;
    ui.painter().galley(pos2(left, cell.center().y - galley.size().y / 2.0), galley, colour);
    if let Some(descending) = column.sorted {
        let middle = pos2(left + width + 9.0, cell.center().y);
        let tip = if descending { 3.0 } else { -3.0 };
        let points = vec![
            middle + vec2(-4.0, -tip * 0.8),
            middle + vec2(4.0, -tip * 0.8),
            middle + vec2(0.0, tip * 1.1),
        ];
        ui.painter().add(Shape::convex_polygon(points, p.accent, Stroke::NONE));
    }
}

fn one_line(ui: &Ui, text: &str, font: FontId, colour: Color32, room: f32) -> std::sync::Arc<egui::Galley> {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), font, colour);
    job.wrap = TextWrapping::truncate_at_width(room.max(0.0));
    ui.painter().layout_job(job)
}

#[expect(clippy::too_many_arguments, reason = "all of them say what one cell looks like")]
fn draw_cell(ui: &Ui, p: &Palette, line: &Line, at: usize, rect: Rect, right: bool, cell: &Cell, text: &str) {
    let response = ui.interact(rect, row_id(line.id, line.at).with(at), Sense::hover());
    ui.ctx().accesskit_node_builder(response.id, |node| {
        describe(node, &response, Role::Cell, text);
        node.set_column_index(at);
    });
    let mut left = rect.left() + PAD;
    if let Some((icon, colour)) = cell.icon {
        let place = Rect::from_min_size(pos2(left, rect.center().y - ICON / 2.0), Vec2::splat(ICON));
        icon.image(ICON, colour).paint_at(ui, place);
        left += ICON + 8.0;
    }
    let style = if cell.monospace { TextStyle::Monospace } else { TextStyle::Body };
    let font = FontId { size: 14.0, ..style.resolve(ui.style()) };
    let colour = cell.colour.unwrap_or(p.text);
    // Grey is hard to read on the ground of the selected row.
    let colour = if line.selected { theme::mix(colour, p.text, 0.5) } else { colour };
    let galley = one_line(ui, text, font, colour, rect.right() - PAD - left);
    let elided = galley.elided;
    let x = if right { (rect.right() - PAD - galley.size().x).max(left) } else { left };
    ui.painter().galley(pos2(x, rect.center().y - galley.size().y / 2.0), galley, colour);
    if elided {
        response.on_hover_text(text);
    }
}
