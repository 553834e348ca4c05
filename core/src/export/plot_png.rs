//! Pictures as PNG, with text in a bitmap font: Western letters; of others a question mark. Pages have the
//! same picture as [`super::svg`], with all letters.

use std::convert::Infallible;
use std::io::Cursor;

use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::mono_font::iso_8859_1::{FONT_6X13, FONT_9X15};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::prelude::{Drawable, Primitive};
use embedded_graphics::primitives::{Line, Polyline, PrimitiveStyle, Rectangle};
use embedded_graphics::text::{Alignment, Text};
use image::{ImageFormat, Rgb, RgbImage};

use super::plot::{Anchor, Color, Picture, Place, Shape, WIDTH};
use crate::error::{Error, Result};

/// Most rows of a picture: a data set can have hundreds of classes.
const HEIGHT: f64 = 16_384.0;

/// The whole file; what lies below [`HEIGHT`] rows is cut off.
///
/// # Errors
/// [`Error::Format`] when the encoder fails.
pub fn encode(picture: &Picture) -> Result<Vec<u8>> {
    let height = picture.height.clamp(1.0, HEIGHT).ceil() as u32;
    let mut canvas = Canvas(RgbImage::from_pixel(WIDTH as u32, height, Rgb([255; 3])));
    for shape in &picture.shapes {
        // A canvas in memory takes every pixel.
        let Ok(()) = canvas.put(shape);
    }
    let mut bytes = Cursor::new(Vec::new());
    canvas.0.write_to(&mut bytes, ImageFormat::Png).map_err(|error| Error::Format {
        path: "plot.png".into(),
        reason: format!("cannot encode the plot: {error}"),
    })?;
    Ok(bytes.into_inner())
}

struct Canvas(RgbImage);

impl Canvas {
    fn put(&mut self, shape: &Shape) -> Result<(), Infallible> {
        match shape {
            Shape::Box { at, sides: (width, height), color } => {
                let size = Size::new(width.round().max(0.0) as u32, height.round().max(0.0) as u32);
                Rectangle::new(point(*at), size)
                    .into_styled(PrimitiveStyle::with_fill(rgb(*color)))
                    .draw(self)
            }
            Shape::Rule { from, to, color } => Line::new(point(*from), point(*to))
                .into_styled(PrimitiveStyle::with_stroke(rgb(*color), 1))
                .draw(self),
            Shape::Path { points, color } => {
                let points: Vec<Point> = points.iter().map(|&place| point(place)).collect();
                Polyline::new(&points).into_styled(PrimitiveStyle::with_stroke(rgb(*color), 2)).draw(self)
            }
            Shape::Text { at, anchor, is_title, words } => {
                let font = if *is_title { &FONT_9X15 } else { &FONT_6X13 };
                let style = MonoTextStyle::new(font, Rgb888::BLACK);
                let alignment = match anchor {
                    Anchor::Start => Alignment::Left,
                    Anchor::Middle => Alignment::Center,
                    Anchor::End => Alignment::Right,
                };
                let words = cut(words, room(*anchor, at.0), font);
                Text::with_alignment(&words, point(*at), style, alignment).draw(self).map(|_| ())
            }
        }
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.0.width(), self.0.height())
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(Point { x, y }, color) in pixels {
            if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
                && let Some(pixel) = self.0.get_pixel_mut_checked(x, y)
            {
                *pixel = Rgb([color.r(), color.g(), color.b()]);
            }
        }
        Ok(())
    }
}

/// Pixels that a text has across.
fn room(anchor: Anchor, x: f64) -> f64 {
    match anchor {
        Anchor::Start => WIDTH - x,
        Anchor::Middle => 2.0 * x.min(WIDTH - x),
        Anchor::End => x,
    }
}

/// What fits, on one line.
fn cut(words: &str, room: f64, font: &MonoFont<'_>) -> String {
    let most = (room / f64::from(font.character_size.width)) as usize;
    let letters = words.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    if words.chars().count() <= most {
        return letters.collect();
    }
    letters.take(most.saturating_sub(2)).chain("..".chars()).collect()
}

fn point((x, y): Place) -> Point {
    Point::new(x.round() as i32, y.round() as i32)
}

fn rgb([red, green, blue]: Color) -> Rgb888 {
    Rgb888::new(red, green, blue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::plot::{Row, bars};

    #[test]
    fn bars_and_words_are_where_their_values_are() {
        let row = |name: &str| Row { name: name.into(), bars: vec![Some(50.0.into())] };
        let long = "a name that is much too long to stand beside its row";
        let picture = bars("t", "%", &["a".into()], &[row("cow"), row(long)], 100.0);
        let drawn = image::load_from_memory(&encode(&picture).unwrap()).unwrap().into_rgb8();
        assert_eq!(drawn.dimensions(), (960, picture.height.ceil() as u32));
        let blue = Rgb([0x00, 0x72, 0xb2]);
        let of_bars: Vec<u32> =
            drawn.enumerate_pixels().filter(|&(_, y, &p)| y > 60 && p == blue).map(|(x, ..)| x).collect();
        assert_eq!((of_bars.iter().min(), of_bars.iter().max()), (Some(&130), Some(&534)));
        let ink = |columns: std::ops::Range<u32>| {
            // Beside the rows, which end where the numbers of the axis begin.
            let black =
                |&(x, y, &p): &(u32, u32, &Rgb<u8>)| columns.contains(&x) && y < 104 && p == Rgb([0; 3]);
            drawn.enumerate_pixels().filter(black).count()
        };
        assert!(ink(100..122) > 20 && ink(122..129) == 0);
    }

    #[test]
    fn words_are_cut_where_room_ends() {
        assert_eq!(cut("leukocyte", 54.0, &FONT_6X13), "leukocyte");
        assert_eq!(cut("leukocytes\n", 54.0, &FONT_6X13), "leukocy..");
        assert_eq!(cut("a\nb", 54.0, &FONT_6X13), "a b");
    }
}
