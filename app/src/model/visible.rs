//! Which rows of a long grid are near what is seen of it, so that only they are drawn.

/// A grid of equal tiles, and where it stands. Lengths are CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Tiles side by side.
    pub columns: usize,
    /// From one row to the next.
    pub row: f64,
    /// The grid's upper edge, below that of the room that it scrolls in.
    pub top: f64,
    /// Height of that room.
    pub window: f64,
}

/// The tiles to draw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stretch {
    /// The first.
    pub first: usize,
    /// One beyond the last.
    pub end: usize,
    /// Rows above them.
    pub above: usize,
    /// Rows below them.
    pub below: usize,
}

/// Most tiles that are drawn.
pub const MOST: usize = 160;

impl Place {
    /// The tiles of a list of `total` within half a window's height of the window; one row of them where the
    /// grid is further away, so that there is always one to measure.
    pub fn stretch(&self, total: usize) -> Stretch {
        let columns = self.columns.max(1);
        let rows = total.div_ceil(columns);
        let (row, margin) = (self.row.max(1.0), 0.5 * self.window);
        let at = |y: f64| (y / row).clamp(0.0, rows as f64);
        let most = (MOST / columns).max(1);
        let above = (at(-self.top - margin).floor() as usize).min(rows.saturating_sub(1));
        let last = (at(self.window - self.top + margin).ceil() as usize).clamp(above + 1, above + most);
        let end_row = last.min(rows);
        Stretch {
            first: (above * columns).min(total),
            end: (end_row * columns).min(total),
            above: above.min(rows),
            below: rows - end_row,
        }
    }
}

/// As many columns as fit, each at least `least` wide, with `gap` between; two on a narrow window.
pub fn columns(width: f64, least: f64, gap: f64) -> usize {
    (((width + gap) / (least + gap)) as usize).max(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { columns: 4, row: 200.0, top: 0.0, window: 800.0 };

    #[test]
    fn only_what_is_near_the_window_is_drawn() {
        assert_eq!(PLACE.stretch(5000), Stretch { first: 0, end: 24, above: 0, below: 1244 });
        let middle = Place { top: -100_000.0, ..PLACE };
        assert_eq!(middle.stretch(5000), Stretch { first: 1992, end: 2024, above: 498, below: 744 });
        let beyond = Place { top: -1e9, ..PLACE };
        assert_eq!(beyond.stretch(5000), Stretch { first: 4996, end: 5000, above: 1249, below: 0 });
        let below = Place { top: 1e9, ..PLACE };
        assert_eq!(below.stretch(5000), Stretch { first: 0, end: 4, above: 0, below: 1249 });
    }

    #[test]
    fn rows_add_up_and_tiles_are_bounded_whatever_the_place() {
        for columns in [0, 1, 3, 7, 400] {
            for total in [0, 1, 5, 4999] {
                for top in [f64::NAN, f64::NEG_INFINITY, -3333.0, 0.0, 77.0, f64::INFINITY] {
                    for row in [0.0, 0.5, 300.0] {
                        let place = Place { columns, row, top, window: 900.0 };
                        let found = place.stretch(total);
                        let drawn = found.end - found.first;
                        assert!(drawn <= MOST.max(columns), "{place:?} {found:?}");
                        let rows = drawn.div_ceil(columns.max(1));
                        assert_eq!(
                            found.above + rows + found.below,
                            total.div_ceil(columns.max(1)),
                            "{place:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn columns_fit() {
        assert_eq!((columns(1000.0, 240.0, 16.0), columns(1007.0, 240.0, 16.0)), (3, 3));
        assert_eq!((columns(1008.0, 240.0, 16.0), columns(10.0, 240.0, 16.0)), (4, 2));
    }
}
