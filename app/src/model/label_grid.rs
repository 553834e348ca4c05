//! Photos among which some are chosen, to label them: by pointer, by keys, by what they are labelled with.

use std::collections::BTreeSet;

use tag2mask_core::dataset::Summary;

use super::box_keys::Held;

/// Which photos are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Filter {
    /// All.
    #[default]
    All,
    /// Those without a label.
    Without,
    /// Those with this class.
    Class(u16),
}

impl Filter {
    /// Whether a photo with these labels is shown.
    pub fn shows(self, labels: &[u16]) -> bool {
        match self {
            Self::All => true,
            Self::Without => labels.is_empty(),
            Self::Class(class) => labels.contains(&class),
        }
    }
}

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To another photo; with `far`, all between are chosen.
    Move(Way, bool),
    /// The photo in focus is chosen, or is so no more.
    Choose,
    /// All that are shown are chosen.
    ChooseAll,
    /// The class at this place of the list, from 0.
    Class(usize),
    /// The last change goes.
    Undo,
    /// It comes again.
    Redo,
}

/// Where to in the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// So many photos on.
    Photos(isize),
    /// So many rows on.
    Rows(isize),
    /// So many windows on.
    Windows(isize),
    /// To the first.
    First,
    /// To the last.
    Last,
}

/// What a key asks for, by the name that browsers give it.
pub fn wish(key: &str, held: Held) -> Option<Wish> {
    let go = |way| Some(Wish::Move(way, held.shift));
    match (key, held.control) {
        ("z" | "Z", true) => Some(if held.shift { Wish::Redo } else { Wish::Undo }),
        ("y" | "Y", true) => Some(Wish::Redo),
        ("a" | "A", true) => Some(Wish::ChooseAll),
        (_, true) => None,
        ("ArrowLeft", _) => go(Way::Photos(-1)),
        ("ArrowRight", _) => go(Way::Photos(1)),
        ("ArrowUp", _) => go(Way::Rows(-1)),
        ("ArrowDown", _) => go(Way::Rows(1)),
        ("PageUp", _) => go(Way::Windows(-1)),
        ("PageDown", _) => go(Way::Windows(1)),
        ("Home", _) => go(Way::First),
        ("End", _) => go(Way::Last),
        (" ", _) => Some(Wish::Choose),
        _ => {
            let digit = key.parse::<usize>().ok().filter(|digit| (1..=9).contains(digit))?;
            Some(Wish::Class(digit - 1))
        }
    }
}

/// The photos that are shown, and those that are chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grid {
    filter: Filter,
    /// In the data set's order. They stay until another filter is chosen, so that none goes under one's hand.
    shown: Vec<usize>,
    chosen: BTreeSet<usize>,
    /// Place in `shown` of the photo in focus.
    focus: usize,
    /// Where a stretch begins.
    anchor: usize,
}

impl Grid {
    /// All photos, none chosen.
    pub fn new(summary: &Summary) -> Self {
        let mut grid = Self::default();
        grid.show(Filter::All, summary);
        grid
    }

    /// Shows those that a filter lets through. Of the others none stays chosen.
    pub fn show(&mut self, filter: Filter, summary: &Summary) {
        let before = self.shown.get(self.focus).copied();
        let images = summary.images.iter().enumerate();
        self.shown =
            images.filter(|(_, image)| filter.shows(&image.labels)).map(|(image, _)| image).collect();
        self.filter = filter;
        self.chosen.retain(|image| self.shown.binary_search(image).is_ok());
        self.focus = before.and_then(|image| self.shown.binary_search(&image).ok()).unwrap_or(0);
        self.anchor = self.focus;
    }

    /// The filter.
    pub fn filter(&self) -> Filter {
        self.filter
    }

    /// The photos that are shown.
    pub fn shown(&self) -> &[usize] {
        &self.shown
    }

    /// Whether a photo is chosen.
    pub fn is_chosen(&self, image: usize) -> bool {
        self.chosen.contains(&image)
    }

    /// Those that are chosen, ascending.
    pub fn chosen(&self) -> Vec<usize> {
        self.chosen.iter().copied().collect()
    }

    /// Those that a key is for: the chosen ones, else that in focus.
    pub fn targets(&self) -> Vec<usize> {
        if self.chosen.is_empty() { self.in_focus().into_iter().collect() } else { self.chosen() }
    }

    /// Place among the shown ones of that in focus.
    pub fn focus(&self) -> usize {
        self.focus
    }

    /// The photo in focus.
    pub fn in_focus(&self) -> Option<usize> {
        self.shown.get(self.focus).copied()
    }

    /// The photo at this place was pressed: alone it is chosen, or is so no more; with Shift, all from the last one
    /// on are chosen; with Control it is.
    pub fn press(&mut self, place: usize, held: Held) {
        let Some(&image) = self.shown.get(place) else { return };
        self.focus = place;
        match (held.shift, held.control) {
            (true, _) => self.choose_stretch(),
            (false, true) => {
                self.chosen.insert(image);
                self.anchor = place;
            }
            (false, false) => self.choose(),
        }
    }

    /// The photo in focus is chosen, or is so no more.
    pub fn choose(&mut self) {
        let Some(image) = self.in_focus() else { return };
        if !self.chosen.remove(&image) {
            self.chosen.insert(image);
        }
        self.anchor = self.focus;
    }

    /// All that are shown are chosen.
    pub fn choose_all(&mut self) {
        self.chosen.extend(self.shown.iter().copied());
    }

    /// None is chosen any more.
    pub fn choose_none(&mut self) {
        self.chosen.clear();
    }

    /// Moves the focus, in a grid of `columns` columns of which `rows` rows are in sight; with `far`, all on the way
    /// from where the last stretch began are chosen.
    pub fn go(&mut self, way: Way, far: bool, columns: usize, rows: usize) {
        let Some(last) = self.shown.len().checked_sub(1) else { return };
        let by = |places: isize| self.focus.saturating_add_signed(places).min(last);
        let columns = columns.max(1) as isize;
        self.focus = match way {
            Way::Photos(by_photos) => by(by_photos),
            // Where there is no photo below or above, it stays in its column.
            Way::Rows(by_rows) => self
                .focus
                .checked_add_signed(by_rows * columns)
                .filter(|&at| at <= last)
                .unwrap_or(self.focus),
            Way::Windows(windows) => by(windows * columns * rows.max(1) as isize),
            Way::First => 0,
            Way::Last => last,
        };
        if far {
            self.choose_stretch();
        } else {
            self.anchor = self.focus;
        }
    }

    fn choose_stretch(&mut self) {
        let (from, to) = (self.anchor.min(self.focus), self.anchor.max(self.focus));
        self.chosen.extend(self.shown.get(from..=to).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::summary;

    const SHIFT: Held = Held { shift: true, alt: false, control: false };
    const CONTROL: Held = Held { shift: false, alt: false, control: true };
    const NONE: Held = Held { shift: false, alt: false, control: false };

    #[test]
    fn keys_are_wishes() {
        assert_eq!(wish("ArrowDown", SHIFT), Some(Wish::Move(Way::Rows(1), true)));
        assert_eq!(
            (wish(" ", NONE), wish("a", CONTROL), wish("a", NONE)),
            (Some(Wish::Choose), Some(Wish::ChooseAll), None)
        );
        assert_eq!(
            (wish("9", NONE), wish("0", NONE), wish("1", CONTROL)),
            (Some(Wish::Class(8)), None, None)
        );
        let both = Held { control: true, ..SHIFT };
        assert_eq!(
            (wish("z", CONTROL), wish("Z", both), wish("y", CONTROL)),
            (Some(Wish::Undo), Some(Wish::Redo), Some(Wish::Redo))
        );
        assert_eq!((wish("Tab", NONE), wish("Escape", NONE), wish("Enter", NONE)), (None, None, None));
    }

    #[test]
    fn photos_are_chosen_one_by_one_and_in_stretches() {
        let mut grid = Grid::new(&summary(12));
        assert_eq!(grid.targets(), [0], "that in focus");
        grid.press(3, NONE);
        grid.press(6, SHIFT);
        assert_eq!(grid.chosen(), [3, 4, 5, 6]);
        grid.press(5, NONE);
        grid.press(9, CONTROL);
        grid.press(9, CONTROL);
        assert_eq!(grid.chosen(), [3, 4, 6, 9]);
        grid.press(8, SHIFT);
        assert_eq!(grid.targets(), [3, 4, 6, 8, 9]);
        grid.choose_none();
        grid.choose_all();
        assert_eq!(grid.chosen().len(), 12);
        grid.press(99, SHIFT);
        assert_eq!(grid.focus(), 8);
    }

    #[test]
    fn the_focus_goes_by_rows_and_stays_in_the_grid() {
        let mut grid = Grid::new(&summary(10));
        let mut go = |way, far| {
            grid.go(way, far, 4, 2);
            grid.focus()
        };
        assert_eq!((go(Way::Rows(-1), false), go(Way::Photos(-1), false)), (0, 0));
        assert_eq!((go(Way::Rows(1), false), go(Way::Rows(1), false), go(Way::Rows(1), false)), (4, 8, 8));
        assert_eq!((go(Way::Windows(-1), false), go(Way::Last, false), go(Way::Photos(1), false)), (0, 9, 9));
        assert_eq!((go(Way::Rows(-1), true), go(Way::First, false)), (5, 0));
        assert_eq!(grid.chosen(), [5, 6, 7, 8, 9]);
        let mut empty = Grid::default();
        empty.go(Way::Last, true, 0, 0);
        empty.choose();
        assert!(empty.targets().is_empty());
    }

    #[test]
    fn a_filter_shows_what_is_so_and_lets_go_of_the_rest() {
        let mut data = summary(9);
        data.images[4].labels.clear();
        let mut grid = Grid::new(&data);
        grid.press(4, NONE);
        grid.press(5, NONE);
        grid.show(Filter::Class(2), &data);
        assert_eq!((grid.shown(), grid.chosen(), grid.in_focus()), (&[2, 5, 8][..], vec![5], Some(5)));
        data.images[5].labels.clear();
        assert_eq!(grid.shown(), [2, 5, 8], "until it is asked for again");
        grid.show(Filter::Without, &data);
        assert_eq!((grid.shown(), grid.focus()), (&[4, 5][..], 1));
        grid.show(Filter::Class(77), &data);
        assert!(grid.shown().is_empty() && grid.targets().is_empty() && grid.filter() == Filter::Class(77));
    }
}
