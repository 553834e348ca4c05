//! A grid of thousands of tiles in a room that scrolls, of which only what is near the window is there.

use std::time::Duration;

use leptos::ev;
use leptos::html;
use leptos::prelude::*;

use crate::browser::pointer;
use crate::model::visible::{Place, columns};
use crate::state::State;

/// Between two tiles; `style/review.css` has the same.
const GAP: f64 = 16.0;
/// How long the list has to rest before pictures are asked for: those that fly by are not seen.
const REST: Duration = Duration::from_millis(100);

/// What such a grid needs to know of itself.
#[derive(Clone, Copy)]
pub struct Long {
    /// The room that it scrolls in.
    pub room: NodeRef<html::Div>,
    /// The list of tiles.
    pub list: NodeRef<html::Ul>,
    place: RwSignal<Place>,
    least: f64,
    total: Memo<usize>,
    shown: Memo<Vec<usize>>,
}

impl Long {
    /// A grid of these images, whose tiles are at least `least` CSS pixels wide. It asks for their pictures.
    pub fn new(state: State, images: Memo<Vec<usize>>, least: f64) -> Self {
        let place = RwSignal::new(Place { columns: 2, row: 240.0, top: 0.0, window: 800.0 });
        let total = Memo::new(move |_| images.with(Vec::len));
        let shown = Memo::new(move |_| {
            let stretch = place.get().stretch(total.get());
            images
                .with(|images| images.get(stretch.first..stretch.end).map(<[usize]>::to_vec))
                .unwrap_or_default()
        });
        let long = Self { room: NodeRef::new(), list: NodeRef::new(), place, least, total, shown };
        let resized = window_event_listener(ev::resize, move |_| long.measure());
        on_cleanup(move || resized.remove());
        let waiting = StoredValue::new(None::<TimeoutHandle>);
        Effect::new(move |_| {
            long.list.track();
            shown.track();
            // After a frame has laid out what has changed: how high a tile is, is known only then.
            request_animation_frame(move || long.measure());
            let ask = move || state.want_pictures(&shown.get_untracked());
            if let Some(earlier) = waiting.get_value() {
                earlier.clear();
            }
            waiting.set_value(set_timeout_with_handle(ask, REST).ok());
        });
        on_cleanup(move || {
            if let Some(Some(waiting)) = waiting.try_get_value() {
                waiting.clear();
            }
        });
        long
    }

    /// Finds out where it stands.
    pub fn measure(self) {
        let elements = (self.room.try_get_untracked().flatten(), self.list.try_get_untracked().flatten());
        let (Some(room), Some(element)) = elements else { return };
        let (room, frame) = (pointer::frame_of(&room), pointer::frame_of(&element));
        let before = self.place.get_untracked();
        let tile = element.first_element_child().map(|tile| pointer::frame_of(&tile).height);
        let now = Place {
            columns: columns(frame.width, self.least, GAP),
            row: tile.filter(|&height| height > 0.0).map_or(before.row, |height| height + GAP),
            top: frame.top - room.top,
            window: room.height,
        };
        if now != before {
            self.place.set(now);
        }
    }

    /// Scrolls until the tile at this place of the list is in sight.
    pub fn reveal(self, at: usize) {
        let Some(room) = self.room.get_untracked() else { return };
        let Place { columns, row, top, window } = self.place.get_untracked();
        let upper = top + (at / columns.max(1)) as f64 * row;
        let by = if upper < 0.0 { upper } else { (upper + row - window).clamp(0.0, upper.max(0.0)) };
        if by != 0.0 {
            room.set_scroll_top((f64::from(room.scroll_top()) + by).round() as i32);
            self.measure();
        }
    }

    /// Places and images of the tiles that are there.
    pub fn items(self) -> Vec<(usize, usize)> {
        let first = self.place.get().stretch(self.total.get()).first;
        self.shown.get().into_iter().enumerate().map(|(at, image)| (first + at, image)).collect()
    }

    /// Tiles side by side.
    pub fn columns(self) -> usize {
        self.place.get().columns
    }

    /// Rows in sight.
    pub fn rows(self) -> usize {
        let place = self.place.get_untracked();
        (place.window / place.row.max(1.0)) as usize
    }

    /// Height of what is above the tiles that are there, as CSS has it.
    pub fn above(self) -> String {
        self.height(self.place.get().stretch(self.total.get()).above)
    }

    /// Height of what is below them.
    pub fn below(self) -> String {
        self.height(self.place.get().stretch(self.total.get()).below)
    }

    fn height(self, rows: usize) -> String {
        format!("{:.2}px", rows as f64 * self.place.get().row)
    }
}
