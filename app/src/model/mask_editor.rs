//! Correcting one mask: what is painted, erased and filled becomes labels. Points and lengths are the mask's
//! pixels.

mod steps;

use std::sync::Arc;

use tag2mask_core::dataset::ImageSummary;
use tag2mask_core::masks::{LabelMap, Superpixels};

use self::steps::Steps;
use super::box_place::Point;

/// What a pointer does on the photo.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tool {
    /// Paints the chosen class.
    #[default]
    Brush,
    /// Paints background.
    Eraser,
    /// Gives the chosen class to the whole region under it.
    Fill,
    /// Nothing: the photo, made larger, can be pushed around.
    Move,
}

impl Tool {
    /// Every tool, as the page lists them.
    pub const ALL: [Self; 4] = [Self::Brush, Self::Eraser, Self::Fill, Self::Move];

    /// What the page calls it, and its key.
    pub fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Brush => ("Brush", "B"),
            Self::Eraser => ("Eraser", "E"),
            Self::Fill => ("Fill a region", "F"),
            Self::Move => ("Move", "M"),
        }
    }
}

/// Pixels from `x0`, `y0` up to but without `x1`, `y1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// First column.
    pub x0: usize,
    /// First row.
    pub y0: usize,
    /// Column after the last.
    pub x1: usize,
    /// Row after the last.
    pub y1: usize,
}

impl Area {
    /// The smallest that holds both.
    fn with(self, other: Self) -> Self {
        Self {
            x0: self.x0.min(other.x0),
            y0: self.y0.min(other.y0),
            x1: self.x1.max(other.x1),
            y1: self.y1.max(other.y1),
        }
    }

    /// Larger by `by` on each side, within `width × height`.
    pub fn grown(self, by: usize, (width, height): (usize, usize)) -> Self {
        Self {
            x0: self.x0.saturating_sub(by),
            y0: self.y0.saturating_sub(by),
            x1: (self.x1 + by).min(width),
            y1: (self.y1 + by).min(height),
        }
    }
}

/// A stroke that has begun.
#[derive(Debug, Clone, PartialEq)]
struct Stroke {
    last: Point,
    before: Vec<u8>,
}

/// One mask while it is corrected.
#[derive(Debug, Clone, PartialEq)]
pub struct Editor {
    /// Index of the photo.
    pub image: usize,
    /// Whose network had made the mask.
    pub round: Option<usize>,
    map: LabelMap,
    classes: Vec<u16>,
    class: u16,
    tool: Tool,
    size: f32,
    cursor: Point,
    stroke: Option<Stroke>,
    steps: Steps,
    regions: Option<Arc<Superpixels>>,
    dirty: Option<Area>,
}

impl Editor {
    /// Longest side of a mask that is corrected, pixels.
    pub const SIDE: usize = 1024;

    /// A mask of photo `image` of a data set with this many classes. `None` where labels and size do not fit.
    pub fn new(
        image: usize,
        round: Option<usize>,
        facts: &ImageSummary,
        classes: usize,
        map: LabelMap,
    ) -> Option<Self> {
        if map.labels.is_empty() || map.width * map.height != map.labels.len() {
            return None;
        }
        let all = 0..u16::try_from(classes).unwrap_or(u16::MAX);
        let others = all.filter(|class| !facts.labels.contains(class));
        let classes: Vec<u16> = facts.labels.iter().copied().chain(others).collect();
        let (width, height) = (map.width as f32, map.height as f32);
        let mut editor = Self {
            image,
            round,
            map,
            class: classes.first().copied().unwrap_or(0),
            classes,
            tool: Tool::Brush,
            size: (width.max(height) / 24.0).round().max(2.0),
            cursor: (0.5 * width, 0.5 * height),
            stroke: None,
            steps: Steps::default(),
            regions: None,
            dirty: None,
        };
        editor.all_is_dirty();
        Some(editor)
    }

    /// The mask as it is now.
    pub fn map(&self) -> &LabelMap {
        &self.map
    }

    /// Columns and rows.
    pub fn shape(&self) -> (f32, f32) {
        (self.map.width as f32, self.map.height as f32)
    }

    /// The classes, the photo's own first.
    pub fn classes(&self) -> &[u16] {
        &self.classes
    }

    /// The class that is painted.
    pub fn class(&self) -> u16 {
        self.class
    }

    /// The tool.
    pub fn tool(&self) -> Tool {
        self.tool
    }

    /// Width of brush and eraser.
    pub fn size(&self) -> f32 {
        self.size
    }

    /// The widest brush.
    pub fn widest(&self) -> f32 {
        (self.map.width.max(self.map.height) as f32 / 4.0).ceil().max(2.0)
    }

    /// Where the brush is.
    pub fn cursor(&self) -> Point {
        self.cursor
    }

    /// Whether the brush is down.
    pub fn is_down(&self) -> bool {
        self.stroke.is_some()
    }

    /// Whether there is something to take back.
    pub fn can_undo(&self) -> bool {
        self.steps.can_undo()
    }

    /// Whether there is something to make again.
    pub fn can_redo(&self) -> bool {
        self.steps.can_redo()
    }

    /// Whether the mask is another one than at first.
    pub fn is_changed(&self) -> bool {
        self.steps.is_changed()
    }

    /// Regions to fill are known.
    pub fn has_regions(&self) -> bool {
        self.regions.is_some()
    }

    /// Takes the regions of the photo, of whatever size it was cut at.
    pub fn set_regions(&mut self, regions: Arc<Superpixels>) {
        self.regions = Some(regions).filter(|regions| regions.count > 0);
    }

    /// Chooses a tool; one that paints ends what the other has begun.
    pub fn choose_tool(&mut self, tool: Tool) {
        self.release();
        self.tool = tool;
    }

    /// Chooses the class that is painted; an eraser is put away.
    pub fn choose(&mut self, class: u16) {
        if self.classes.contains(&class) {
            self.release();
            self.class = class;
            if matches!(self.tool, Tool::Eraser | Tool::Move) {
                self.tool = Tool::Brush;
            }
        }
    }

    /// Sets the width of brush and eraser.
    pub fn resize(&mut self, size: f32) {
        if size.is_finite() {
            self.size = size.clamp(1.0, self.widest());
        }
    }

    /// Moves the brush without painting.
    pub fn hover(&mut self, at: Point) {
        if self.stroke.is_none() {
            self.cursor = self.inside(at);
        }
    }

    /// The brush goes down.
    pub fn press(&mut self, at: Point) {
        self.release();
        if self.tool == Tool::Move {
            return;
        }
        let at = self.inside(at);
        self.stroke = Some(Stroke { last: at, before: self.map.labels.clone() });
        self.paint(at);
    }

    /// It moves.
    pub fn drag(&mut self, at: Point) {
        let at = self.inside(at);
        if self.stroke.is_some() {
            self.paint(at);
        } else {
            self.cursor = at;
        }
    }

    /// It goes up. Whether that has changed anything.
    pub fn release(&mut self) -> bool {
        let Some(stroke) = self.stroke.take() else { return false };
        self.steps.add(&stroke.before, &self.map.labels)
    }

    /// The stroke was not meant.
    pub fn cancel(&mut self) {
        if let Some(stroke) = self.stroke.take() {
            self.map.labels = stroke.before;
            self.all_is_dirty();
        }
    }

    /// Moves the brush by columns and rows, painting if it is down.
    pub fn nudge(&mut self, (right, down): Point) {
        let (x, y) = self.cursor;
        self.drag((x + right, y + down));
    }

    /// Paints where the brush is. Whether that has changed anything.
    pub fn dab(&mut self) -> bool {
        self.press(self.cursor);
        self.release()
    }

    /// Puts the brush down, or takes it up. Whether that has changed anything.
    pub fn toggle(&mut self) -> bool {
        if self.is_down() {
            return self.release();
        }
        self.press(self.cursor);
        false
    }

    /// Takes the last change back. Whether there was one.
    pub fn undo(&mut self) -> bool {
        self.cancel();
        let done = self.steps.undo(&mut self.map.labels);
        self.all_is_dirty();
        done
    }

    /// Makes the change again that was taken back. Whether there was one.
    pub fn redo(&mut self) -> bool {
        self.cancel();
        let done = self.steps.redo(&mut self.map.labels);
        self.all_is_dirty();
        done
    }

    /// What has to be drawn again, told once.
    pub fn take_dirty(&mut self) -> Option<Area> {
        self.dirty.take()
    }

    /// All has to be drawn again.
    pub fn all_is_dirty(&mut self) {
        self.dirty = Some(Area { x0: 0, y0: 0, x1: self.map.width, y1: self.map.height });
    }

    /// The label under the brush; `None` for background.
    pub fn under(&self) -> Option<u16> {
        let (x, y) = self.pixel(self.cursor);
        self.map.labels.get(y * self.map.width + x).and_then(|label| u16::from(*label).checked_sub(1))
    }

    fn label(&self) -> u8 {
        match self.tool {
            Tool::Eraser | Tool::Move => 0,
            Tool::Brush | Tool::Fill => u8::try_from(self.class + 1).unwrap_or(0),
        }
    }

    /// Paints from where the stroke was to here.
    fn paint(&mut self, at: Point) {
        self.cursor = at;
        let label = self.label();
        let Some(stroke) = &mut self.stroke else { return };
        let from = std::mem::replace(&mut stroke.last, at);
        let area = match self.tool {
            Tool::Fill => self.fill(at, label),
            _ => self.draw(from, at, label),
        };
        self.dirty = match (self.dirty, area) {
            (Some(old), Some(new)) => Some(old.with(new)),
            (old, new) => old.or(new),
        };
    }

    /// A line as wide as the brush, with round ends.
    fn draw(&mut self, from: Point, to: Point, label: u8) -> Option<Area> {
        let radius = (0.5 * self.size).max(0.5);
        let (width, height) = (self.map.width, self.map.height);
        let low = |a: f32, b: f32| (a.min(b) - radius).floor().max(0.0) as usize;
        let high = |a: f32, b: f32, most: usize| ((a.max(b) + radius).ceil().max(0.0) as usize).min(most);
        let area = Area {
            x0: low(from.0, to.0),
            y0: low(from.1, to.1),
            x1: high(from.0, to.0, width),
            y1: high(from.1, to.1, height),
        };
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx * dx + dy * dy;
        for y in area.y0..area.y1 {
            for x in area.x0..area.x1 {
                let (px, py) = (x as f32 + 0.5 - from.0, y as f32 + 0.5 - from.1);
                let along = if length > 0.0 { ((px * dx + py * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
                let (ex, ey) = (px - along * dx, py - along * dy);
                // A brush of one pixel paints the pixel that it is on.
                if ex * ex + ey * ey <= radius * radius {
                    self.map.labels[y * width + x] = label;
                }
            }
        }
        let (x, y) = self.pixel(to);
        self.map.labels[y * width + x] = label;
        Some(area.with(Area { x0: x, y0: y, x1: x + 1, y1: y + 1 }))
    }

    /// The region at a place.
    fn fill(&mut self, at: Point, label: u8) -> Option<Area> {
        let regions = self.regions.clone()?;
        let (width, height) = (self.map.width, self.map.height);
        let (x, y) = self.pixel(at);
        let column = |x: usize| (2 * x + 1) * regions.width / (2 * width);
        let row = |y: usize| (2 * y + 1) * regions.height / (2 * height);
        let wanted = regions.at(column(x), row(y))?;
        let mut area = Area { x0: x, y0: y, x1: x + 1, y1: y + 1 };
        for y in 0..height {
            for x in 0..width {
                if regions.at(column(x), row(y)) == Some(wanted) {
                    self.map.labels[y * width + x] = label;
                    area = area.with(Area { x0: x, y0: y, x1: x + 1, y1: y + 1 });
                }
            }
        }
        Some(area)
    }

    fn pixel(&self, (x, y): Point) -> (usize, usize) {
        let on = |at: f32, length: usize| (at.max(0.0) as usize).min(length - 1);
        (on(x, self.map.width), on(y, self.map.height))
    }

    fn inside(&self, (x, y): Point) -> Point {
        let on = |at: f32, length: usize| if at.is_finite() { at.clamp(0.0, length as f32) } else { 0.0 };
        (on(x, self.map.width), on(y, self.map.height))
    }
}

#[cfg(test)]
mod tests;
