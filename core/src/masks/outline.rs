//! Where one object is: polygons, or runs of pixels.

use super::run_lengths::{self, Lengths};
use crate::files::limits;

/// The pixels of one object, as a data set gives them.
#[derive(Debug, Clone, PartialEq)]
pub enum Outline {
    /// A pixel belongs to it when its centre lies in one of the polygons, by the even-odd rule.
    Polygons {
        /// `x, y, x, y, …` of all polygons, pixels; edges of the image at 0 and at its size.
        points: Box<[f32]>,
        /// Where each polygon ends in `points`.
        ends: Box<[u32]>,
    },
    /// Lengths of runs that do not and do belong to it, in turn, down the columns from the left.
    Runs {
        /// Columns of the image, pixels.
        width: u32,
        /// Rows, pixels.
        height: u32,
        /// The lengths, whose sum is `width · height`.
        lengths: Box<[u32]>,
    },
}

impl Outline {
    /// Polygons with the coordinates `x, y, x, y, …`. One of fewer than three points covers nothing.
    ///
    /// # Errors
    /// An odd number of coordinates, or one that is no number.
    pub fn polygons(parts: &[Vec<f32>]) -> Result<Self, String> {
        let (mut points, mut ends) = (Vec::new(), Vec::new());
        for part in parts {
            let start = points.len();
            points.extend_from_slice(part);
            Self::end_polygon(&mut points, &mut ends, start)?;
        }
        Ok(Self::of_points(points, ends))
    }

    /// Ends the polygon whose coordinates are those from `start` on. One that covers nothing is dropped.
    ///
    /// # Errors
    /// As [`polygons`](Self::polygons).
    pub fn end_polygon(points: &mut Vec<f32>, ends: &mut Vec<u32>, start: usize) -> Result<(), String> {
        let part = points.get(start..).unwrap_or(&[]);
        if part.len() % 2 == 1 {
            return Err(format!("a polygon of it has {} coordinates, an odd number", part.len()));
        }
        if !part.iter().all(|coordinate| coordinate.is_finite()) {
            return Err("a polygon of it has a coordinate that is no number".into());
        }
        match part.len() < 6 {
            true => points.truncate(start),
            false => {
                ends.push(u32::try_from(points.len()).map_err(|_| "a polygon of it has too many points")?);
            }
        }
        Ok(())
    }

    /// Polygons of coordinates and ends as [`end_polygon`](Self::end_polygon) leaves them.
    pub fn of_points(points: Vec<f32>, ends: Vec<u32>) -> Self {
        Self::Polygons { points: points.into(), ends: ends.into() }
    }

    /// Runs of an image of `height` rows and `width` columns.
    ///
    /// # Errors
    /// Sides that cannot be, or lengths that do not add up to the image.
    pub fn runs(height: i64, width: i64, lengths: Lengths) -> Result<Self, String> {
        let (height, width) = sides(height, width)?;
        Self::checked(height, width, lengths.into_vec())
    }

    /// As [`runs`](Self::runs), from COCO's compressed text.
    ///
    /// # Errors
    /// As [`runs`](Self::runs), and those of [`run_lengths::decompress`].
    pub fn compressed_runs(height: i64, width: i64, text: &str) -> Result<Self, String> {
        let (height, width) = sides(height, width)?;
        let pixels = u64::from(height) * u64::from(width);
        Self::checked(height, width, run_lengths::decompress(text, pixels)?)
    }

    fn checked(height: u32, width: u32, lengths: Vec<u32>) -> Result<Self, String> {
        let found: u64 = lengths.iter().copied().map(u64::from).sum();
        if found != u64::from(width) * u64::from(height) {
            return Err(format!("its runs cover {found} pixels, and its size is {width} × {height}"));
        }
        Ok(Self::Runs { width, height, lengths: lengths.into() })
    }

    /// Whether it was drawn in an image of this size; polygons may be of any.
    pub fn is_of_size(&self, width: u32, height: u32) -> bool {
        match self {
            Self::Polygons { .. } => true,
            Self::Runs { width: columns, height: rows, .. } => (*columns, *rows) == (width, height),
        }
    }

    /// About how many pixels it covers; exact for runs.
    pub fn area(&self) -> f64 {
        match self {
            Self::Polygons { .. } => self.each_polygon().map(|points| shoelace(points).abs()).sum(),
            Self::Runs { lengths, .. } => {
                lengths.iter().skip(1).step_by(2).map(|&length| f64::from(length)).sum()
            }
        }
    }

    /// How many steps [`fill`](Self::fill) takes in an image of this size, about: pixels to paint, and for
    /// polygons the points that are looked at in every row.
    pub fn work(&self, width: usize, height: usize) -> u64 {
        match self {
            Self::Polygons { .. } => {
                let of_one = |points: &[f32]| {
                    let length = |axis, count| {
                        let (low, high) = extent(points, axis);
                        pixel(high, count).saturating_sub(pixel(low, count)) as u64
                    };
                    let coordinates = points.len() as u64;
                    coordinates + length(1, height) * (coordinates / 2 + length(0, width))
                };
                self.each_polygon().map(of_one).sum()
            }
            Self::Runs { lengths, .. } => lengths.len() as u64 + self.area() as u64,
        }
    }

    /// Tells the covered pixels of an image, row-major, as ranges `from..to` that do not leave it. Where
    /// polygons overlap, a pixel is told twice.
    pub fn fill(&self, width: usize, height: usize, mut paint: impl FnMut(std::ops::Range<usize>)) {
        match self {
            Self::Polygons { .. } => {
                self.each_polygon().for_each(|points| fill_polygon(points, width, height, &mut paint));
            }
            Self::Runs { lengths, .. } => {
                let pixels = width * height;
                let mut start = 0usize;
                for (index, &length) in lengths.iter().enumerate() {
                    let end = start.saturating_add(length as usize).min(pixels);
                    if index % 2 == 1 {
                        fill_run(start..end, width, height, &mut paint);
                    }
                    start = end;
                }
            }
        }
    }

    fn each_polygon(&self) -> impl Iterator<Item = &[f32]> {
        let (points, ends): (&[f32], &[u32]) = match self {
            Self::Polygons { points, ends } => (points, ends),
            Self::Runs { .. } => (&[], &[]),
        };
        let mut start = 0;
        ends.iter().map(move |&end| {
            let polygon = points.get(start..end as usize).unwrap_or(&[]);
            start = end as usize;
            polygon
        })
    }
}

fn sides(height: i64, width: i64) -> Result<(u32, u32), String> {
    let refuse = || format!("its size is {width} × {height} pixels");
    let side = |length: i64| u32::try_from(length).ok().filter(|&length| length > 0).ok_or_else(refuse);
    let (rows, columns) = (side(height)?, side(width)?);
    match u64::from(rows) * u64::from(columns) > limits::IMAGE_PIXELS {
        true => Err(refuse()),
        false => Ok((rows, columns)),
    }
}

/// Points of a polygon with those that follow them.
fn edges(points: &[f32]) -> impl Iterator<Item = [(f64, f64); 2]> {
    let count = points.len() / 2;
    let point = |at: usize| (f64::from(points[2 * at]), f64::from(points[2 * at + 1]));
    (0..count).map(move |at| [point(at), point((at + 1) % count)])
}

/// Signed area of a polygon.
fn shoelace(points: &[f32]) -> f64 {
    edges(points).map(|[(x0, y0), (x1, y1)]| x0 * y1 - x1 * y0).sum::<f64>() / 2.0
}

/// The least and the largest of the coordinates along an axis, 0 or 1; the wrong way round without any.
fn extent(points: &[f32], axis: usize) -> (f64, f64) {
    let along = points.iter().skip(axis).step_by(2).map(|&coordinate| f64::from(coordinate));
    along.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), at| (low.min(at), high.max(at)))
}

/// The first of `count` pixels whose centre is not before `at`; conversion holds at 0 and at the largest
/// number.
fn pixel(at: f64, count: usize) -> usize {
    ((at - 0.5).ceil() as usize).min(count)
}

/// The rest of a column, whole columns row by row, and the start of another.
fn fill_run(
    run: std::ops::Range<usize>,
    width: usize,
    height: usize,
    paint: &mut impl FnMut(std::ops::Range<usize>),
) {
    if run.is_empty() {
        return;
    }
    let (first, last) = (run.start.div_ceil(height), run.end / height);
    let mut one_by_one = |run: std::ops::Range<usize>| {
        for at in run {
            let pixel = at % height * width + at / height;
            paint(pixel..pixel + 1);
        }
    };
    if first >= last {
        return one_by_one(run);
    }
    one_by_one(run.start..first * height);
    one_by_one(last * height..run.end);
    for row in 0..height {
        paint(row * width + first..row * width + last);
    }
}

/// Row by row: between an odd crossing of the row's middle and the next, pixel centres lie inside.
fn fill_polygon(points: &[f32], width: usize, height: usize, paint: &mut impl FnMut(std::ops::Range<usize>)) {
    let (low, high) = extent(points, 1);
    let mut crossings: Vec<f64> = Vec::new();
    for row in pixel(low, height)..pixel(high, height) {
        let middle = row as f64 + 0.5;
        crossings.clear();
        crossings.extend(
            edges(points)
                .filter(|[(_, y0), (_, y1)]| (*y0 <= middle) != (*y1 <= middle))
                .map(|[(x0, y0), (x1, y1)]| x0 + (middle - y0) * (x1 - x0) / (y1 - y0)),
        );
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            let (start, end) = (pixel(pair[0], width), pixel(pair[1], width));
            if start < end {
                paint(row * width + start..row * width + end);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(outline: &Outline, width: usize, height: usize) -> Vec<bool> {
        let mut pixels = vec![false; width * height];
        outline.fill(width, height, |range| pixels[range].fill(true));
        pixels
    }

    fn runs(height: i64, width: i64, lengths: &[i64]) -> Result<Outline, String> {
        let mut all = Lengths::default();
        lengths.iter().try_for_each(|&length| all.push(length, limits::IMAGE_PIXELS))?;
        Outline::runs(height, width, all)
    }

    /// Polygons, the image's width and height, and `merge(frPyObjects(…))` of pycocotools 2.0 on them.
    fn of_pycocotools() -> [(Vec<Vec<f32>>, usize, usize, &'static str); 4] {
        [
            (vec![vec![-20.5, 30.25, 150.75, -10.0, 340.0, 120.5, 200.2, 260.9]], 320, 240, OVERHANG),
            (vec![BLOB.to_vec()], 213, 200, BLOB_CODE),
            (
                vec![
                    vec![10.5, 10.5, 80.25, 12.0, 75.0, 60.75, 12.25, 55.5],
                    vec![120.0, 40.0, 180.5, 35.5, 150.2, 110.8],
                ],
                200,
                130,
                TWO,
            ),
            (vec![vec![20.0, 20.0, 180.0, 140.0, 180.0, 20.0, 20.0, 140.0]], 200, 160, BOW_TIE),
        ]
    }

    const OVERHANG: &str = "i0k0e61O1O1N2O1O1O1N2O1O1O1N3N1O1O1O1N2O1O1O1N2O1O1O1N2O1O1O1O1N2O1O1O1N3N1O1O1N2O1O1O1N2O1O1O1O1N2O1O1O1N2O1O1O1N3N1O1O1O1N2O1O1O1N2O1O1O1N2O1O1O1N2O1O1O1O1N3N1O1O1N2O1O1O1N2O1O1O1N2O1O1O1O1N2O1O1O1N2O2N1O1N2O1O1O1O1N2O1O1O1O1O1O1O1O1O1O1O1O1O2N1O1O1O1O1O1O1O1O1O1O1O1O1O1O1O1O1O1O1O1O1O2N1O1O1O1O1O1O1O1O1O1O1O1O1O1O1O1O1O1O1O1O2N1O10000O10000O10000O1000000O10000O01O1O001O1O001O1O001O1O1O001O1O001O1O001O1O001O1O1O001O1O001O1O001O1O001O1O001O1O1N1O2M3N1O2N2N1O2N2N1O2N2N2N1O2N2N1O2N2N1O2N2N1O2N2N1O2N2N2N1O2N2N1O2N2N1O2N2N1O2N2N1O2N2N2N1O2N2N1O2N2N1O2N2N1O2N2N2N1O2N2N1O2N2N1O2N2N1O2N2N1O2N2N2N1O2N2N1O2N2N1O2N2N1O2N2N2N1O2N2N1O2N2N1O2N2N1OgL";
    const BLOB: [f32; 80] = [
        160.0, 90.0, 165.99, 100.45, 168.6, 112.29, 166.66, 123.97, 160.08, 133.65, 149.93, 139.93, 137.99,
        142.29, 126.17, 141.37, 115.82, 138.68, 107.3, 136.06, 100.0, 135.0, 92.7, 136.06, 84.18, 138.68,
        73.83, 141.37, 62.01, 142.29, 50.07, 139.93, 39.92, 133.65, 33.34, 123.97, 31.4, 112.29, 34.01,
        100.45, 40.0, 90.0, 47.46, 81.68, 54.48, 75.21, 59.74, 69.49, 63.0, 63.12, 65.07, 55.07, 67.46,
        45.21, 71.7, 34.45, 78.73, 24.55, 88.52, 17.54, 100.0, 15.0, 111.48, 17.54, 121.27, 24.55, 128.3,
        34.45, 132.54, 45.21, 134.93, 55.07, 137.0, 63.12, 140.26, 69.49, 145.52, 75.21, 152.54, 81.68,
    ];
    const BLOB_CODE: &str = "XU61R6;F9G5N3L3M4M2M4L3N1O2N2N1O2N2M201N2N1O1O1O2N1O1O1O1O2N1N2N2N2M3L4L4L4L4M3N2M3N2N101O1N2O1N101O1O10O01O1O010O1O10O01000O10O100000O10O10000001O0001O0001O0001O01O010O1O00100O1O010O1O1O2O0O1O2N1O2O1N3M2N3M4L4L4L4L3M2N2N2N1O1N2O1O1O1O1N2O1O1O1N1O3N1N2N2O1N2N2O2M2M4M3L4M2N5J6G:Ef_8";
    const TWO: &str = "Q]1i0Y3d0\\O000000000000000000001O00000000000000000000001O00000000000000000000001O00000000000001O00000001O00000000000000000000001O000000K5G9F:G9FfS5KilJ2N3M2N2N3M2M3N3M2N3M2N2N3M2N2N3M2N2N3M2M3N3M2N2N3M2N2N3M2N1OM3N2N1N3N2M3N2M3N2M3N2M3N2M3N2M3N1N3N2M3N2N2M3N2M3N2M3N2MW`2";
    const BOW_TIE: &str = "dT3h3Y1N2N2N101N2N2N101N2N2N101N2N2N101N2N2N101N2N2N101N2N2N101N2N2N101N2N2N101N2N2N101N2N2N101N2N2N101N2N2N101N2N2N101N2N2N101N2N2N101N2N2N101N2N2N101N2N2N101N2NQ:0oE2N2O0O2N2N2O0O2N2N2O0O2N2N2O0O2N2N2O0O2N2N2O0O2N2N2O0O2N2N2O0O2N2N2O0O2N2N2O0O2N2N2O0O2N2N2O0O2N2N2O0O2N2N2O0O2N2N2O0O2N2N2O0O2N2N2O0O2N2N2O0O2N2N2O0O2N2N2[S3";

    #[test]
    fn polygons_fill_as_in_pycocotools() {
        for (polygons, width, height, code) in of_pycocotools() {
            let expected = Outline::compressed_runs(height as i64, width as i64, code).unwrap();
            let expected = filled(&expected, width, height);
            let found = filled(&Outline::polygons(&polygons).unwrap(), width, height);
            let both = found.iter().zip(&expected).filter(|(a, b)| **a && **b).count() as f64;
            let either = found.iter().zip(&expected).filter(|(a, b)| **a || **b).count() as f64;
            assert!(both / either >= 0.99, "{} of {width} × {height}", both / either);
        }
    }

    #[test]
    fn runs_go_down_the_columns() {
        // A rectangle from 2, 1 to 5, 4 in 7 × 5 pixels, and the corner at 0, 0: by pycocotools.
        let outline = runs(5, 7, &[0, 1, 10, 3, 2, 3, 2, 3, 11]).unwrap();
        assert_eq!(outline, Outline::compressed_runs(5, 7, "01:2H0009").unwrap());
        assert_eq!(outline.area(), 10.0);
        let inside = |at: usize| at == 0 || ((2..5).contains(&(at % 7)) && (1..4).contains(&(at / 7)));
        assert_eq!(filled(&outline, 7, 5), (0..35).map(inside).collect::<Vec<_>>());
        assert!(outline.is_of_size(7, 5) && !outline.is_of_size(5, 7));
    }

    #[test]
    fn every_run_is_of_its_own_pixels() {
        for start in 0..35 {
            for end in start..=35 {
                let outline = runs(5, 7, &[start, end - start, 35 - end]).unwrap();
                let inside = |at: i64| (start..end).contains(&(at % 7 * 5 + at / 7));
                let expected: Vec<bool> = (0..35).map(inside).collect();
                assert_eq!(filled(&outline, 7, 5), expected, "{start}..{end}");
            }
        }
    }

    #[test]
    fn work_is_counted_within_the_image() {
        assert_eq!(runs(5, 7, &[0, 35]).unwrap().work(7, 5), 2 + 35);
        let square = Outline::polygons(&[vec![-9.0, -9.0, 99.0, -9.0, 99.0, 99.0, -9.0, 99.0]]).unwrap();
        assert_eq!(square.work(7, 5), 8 + 5 * (4 + 7));
        let outside = Outline::polygons(&[vec![-9.0, -9.0, -1.0, -9.0, -1.0, -1.0]]).unwrap();
        assert_eq!(outside.work(7, 5), 6);
        let nothing = Outline::polygons(&vec![Vec::new(); 1000]).unwrap();
        assert_eq!(nothing, Outline::of_points(Vec::new(), Vec::new()));
    }

    #[test]
    fn what_cannot_be_is_refused_and_nothing_leaves_the_image() {
        for (height, width, lengths) in [
            (5, 7, &[35, 1][..]),
            (5, 7, &[34]),
            (5, 7, &[36, -1]),
            (-5, -7, &[35]),
            (0, 0, &[]),
            (i64::MAX, i64::MAX, &[1]),
            (100_000, 100_000, &[1]),
            (5, 7, &[i64::MAX, 1]),
        ] {
            assert!(runs(height, width, lengths).is_err(), "{height} × {width} {lengths:?}");
        }
        assert!(Outline::compressed_runs(1 << 20, 1 << 20, "0").is_err());
        assert!(Outline::polygons(&[vec![1.0, 2.0, 3.0]]).is_err());
        assert!(Outline::polygons(&[vec![1.0, f32::INFINITY]]).is_err());
        let wild = [
            vec![],
            vec![1.0, 1.0],
            vec![-1e30, -1e30, 1e30, 1e30],
            vec![f32::MAX, f32::MIN, f32::MIN, f32::MAX, f32::MAX, f32::MAX],
            vec![-5.0, -5.0, 100.0, -5.0, 100.0, 100.0, -5.0, 100.0],
        ];
        let outline = Outline::polygons(&wild).unwrap();
        assert!(filled(&outline, 9, 4).iter().all(|&inside| inside));
        assert!(filled(&outline, 0, 0).is_empty());
    }
}
