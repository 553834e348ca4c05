//! Masks from boxes: Rother, Kolmogorov and Blake, "GrabCut: Interactive Foreground Extraction using Iterated
//! Graph Cuts", SIGGRAPH 2004.
//!
//! What lies around a box is background; what is in it starts as the object. Each side is a mixture of
//! Gaussians over colours. In turn, each pixel takes the component that explains it best, the mixtures are
//! learned anew, and the cheapest cut tells object from background, until that has been done as often as the
//! settings say. With several boxes, each is cut alone and smaller ones lie on top (Kulharia et al.,
//! "Box2Seg", ECCV 2020).
//!
//! Ours: a box is cut in a window around it instead of in the whole photo, and what is left too small, or has
//! no background to learn from, is the box itself.

mod clusters;
mod energy;
mod gaussians;
mod max_flow;
mod window;

use image::RgbImage;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use self::clusters::Color;
use self::energy::Smoothness;
use self::gaussians::{Fit, Mixture};
use self::window::Window;
use super::{LabelMap, ScoreMaps, rescale};
use crate::dataset::ObjectBox;
use crate::files::limits;

/// Colours that the first mixture of a side is found from, at most: more tell hardly more.
const SAMPLE: usize = 1 << 13;

/// How masks are made from boxes. Published values are those of the paper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GrabCutSettings {
    /// Gaussians of each side; 1 to 32 (paper: 5).
    pub gaussians: usize,
    /// Times that mixtures are learned and pixels cut, 1 to 100 (Box2Seg: 5).
    pub iterations: usize,
    /// Weight of cutting between alike neighbours, 0 to 10,000 (paper: 50).
    pub gamma: f32,
    /// Background that a box is cut from, on each side of it, of the box's own side. Ours.
    pub margin: f32,
    /// A cut that leaves less than this share of its box is replaced by the box, 0 to 1. Ours.
    pub least_share: f32,
    /// Weight of what a network says of a pixel, where it is asked, beside what the pixel's colour does; 0 to
    /// 100. Ours.
    pub opinion_weight: f32,
    /// A box and its background are cut at most this large (longest side, pixels); 0 = no limit.
    pub longest_side: usize,
    /// Seed of the first mixtures.
    pub seed: u64,
}

impl Default for GrabCutSettings {
    fn default() -> Self {
        Self {
            gaussians: 5,
            iterations: 5,
            gamma: 50.0,
            margin: 1.0,
            least_share: 0.1,
            opinion_weight: 1.0,
            longest_side: 512,
            seed: 0,
        }
    }
}

/// What else is known of which pixels are objects: the logits of every label, background first, at the photo's
/// proportions and of whatever size. A box of a class weighs that class's logit against the background's.
pub type Opinion<'a> = Option<&'a ScoreMaps>;

/// Labels of `image` from boxes around its objects: the class of each box plus 1 where its object is, 0
/// elsewhere. Smaller boxes lie on top of larger ones, of equals the later. Settings are brought into their
/// ranges.
///
/// Each box is cut alone, from the same seed: its mask depends on no other. Boxes of classes that a mask cannot
/// hold are left out.
///
/// An `opinion` weighs in every cut beside colours, and is no constraint. Ours.
pub fn masks(
    image: &RgbImage,
    boxes: &[ObjectBox],
    settings: &GrabCutSettings,
    opinion: Opinion<'_>,
) -> LabelMap {
    let mut labels = LabelMap::background(image.width() as usize, image.height() as usize);
    if labels.labels.is_empty() {
        return labels;
    }
    let mut ordered: Vec<&ObjectBox> =
        boxes.iter().filter(|object| usize::from(object.class) < limits::CLASSES).collect();
    let area = |object: &ObjectBox| (object.x1 - object.x0) * (object.y1 - object.y0);
    ordered.sort_by(|a, b| area(b).total_cmp(&area(a)));
    for object in ordered {
        paint(image, object, settings, opinion, &mut labels);
    }
    labels
}

/// Lays the object of one box over the labels.
fn paint(
    image: &RgbImage,
    object: &ObjectBox,
    settings: &GrabCutSettings,
    opinion: Opinion<'_>,
    labels: &mut LabelMap,
) {
    let window = Window::around(object, image, settings.margin, settings.longest_side);
    let size = (labels.width, labels.height);
    let (columns, rows) = object.cells(image.dimensions(), size);
    let (shown_columns, shown_rows) = window.shown.clone();
    let label = object.class as u8 + 1;
    // The window's mask at the photo's size; none where the object is its box.
    let odds = opinion.map(|logits| window.odds(logits, usize::from(label), image.dimensions()));
    let mask = cut(&window, settings, odds.as_deref()).map(|is_object| {
        let mut mask = LabelMap::background(window.width, window.height);
        let (inside_columns, inside_rows) = window.inside.clone();
        for (line, y) in is_object.chunks_exact(inside_columns.len()).zip(inside_rows) {
            let start = y * window.width + inside_columns.start;
            mask.labels[start..][..line.len()]
                .iter_mut()
                .zip(line)
                .for_each(|(label, &is)| *label = is.into());
        }
        rescale::resize_labels(&mask, (shown_columns.len(), shown_rows.len()))
    });
    for y in rows {
        for x in columns.clone() {
            let at = (y - shown_rows.start) * shown_columns.len() + x - shown_columns.start;
            if mask.as_ref().is_none_or(|mask| mask.labels[at] == 1) {
                labels.labels[y * size.0 + x] = label;
            }
        }
    }
}

/// Whether each pixel of the window's box is of its object, row by row. `None` where that cannot be told. `odds`
/// are logarithms of how much likelier that is than not, as somebody else sees it.
fn cut(window: &Window, settings: &GrabCutSettings, odds: Option<&[f32]>) -> Option<Vec<bool>> {
    let count = settings.gaussians.clamp(1, 32);
    let (inside, around) = window.split();
    if around.is_empty() {
        return None;
    }
    let mut random = ChaCha8Rng::seed_from_u64(settings.seed);
    let mut first = |colors: &[Color]| {
        let sample: Vec<Color> = colors.iter().copied().step_by(colors.len().div_ceil(SAMPLE)).collect();
        let groups = clusters::group(&sample, count, &mut random);
        Mixture::learn(sample.into_iter().zip(groups), count)
    };
    let (mut object, mut background) = (first(&inside), first(&around));
    let fits = |mixture: &Mixture| inside.iter().map(|&color| mixture.nearest(color)).collect::<Vec<_>>();
    let (mut as_object, mut as_background) = (fits(&object), fits(&background));

    let columns = window.inside.0.len();
    let mut graph = Smoothness::new(window, settings.gamma).graph();
    let mut preferences = vec![0; inside.len()];
    let mut is_object = vec![true; inside.len()];
    for _ in 0..settings.iterations.clamp(1, 100) {
        let of = |side: bool, fits: &[Fit]| -> Vec<(Color, u8)> {
            let all = inside.iter().zip(fits).zip(&is_object);
            all.filter(|&(_, &is)| is == side).map(|((&color, fit), _)| (color, fit.component)).collect()
        };
        let outside = around.iter().map(|&color| (color, background.nearest(color).component));
        object = Mixture::learn(of(true, &as_object).into_iter(), count);
        background = Mixture::learn(outside.chain(of(false, &as_background)), count);
        (as_object, as_background) = (fits(&object), fits(&background));
        for (at, preference) in preferences.iter_mut().enumerate() {
            let told = odds.map_or(0.0, |odds| settings.opinion_weight * odds[at]);
            let now = energy::preference(as_object[at].cost, as_background[at].cost + told);
            graph.add_terminal((at % columns, at / columns), now - *preference);
            *preference = now;
        }
        graph.cut();
        for (at, is) in is_object.iter_mut().enumerate() {
            *is = graph.is_source((at % columns, at / columns));
        }
        if !is_object.contains(&true) {
            return None;
        }
    }
    let share = is_object.iter().filter(|&&is| is).count() as f32 / is_object.len() as f32;
    (share >= settings.least_share).then_some(is_object)
}

#[cfg(test)]
mod tests;
