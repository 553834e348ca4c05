//! Pixels onto a canvas.

use wasm_bindgen::{Clamped, JsCast};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};

/// Gives the canvas this size and these RGBA pixels. Pixels that do not fit the size are left out.
pub fn paint(canvas: &HtmlCanvasElement, width: usize, height: usize, rgba: &[u8]) {
    let (Ok(columns), Ok(rows)) = (u32::try_from(width), u32::try_from(height)) else { return };
    if columns == 0 || rows == 0 || rgba.len() != width * height * 4 {
        return;
    }
    canvas.set_width(columns);
    canvas.set_height(rows);
    put(canvas, (columns, rows), rgba, (0, 0));
}

/// Gives a part of a canvas, from this column and row on, these RGBA pixels.
pub fn paint_part(canvas: &HtmlCanvasElement, (x, y): (usize, usize), width: usize, rgba: &[u8]) {
    if width == 0 || rgba.is_empty() || !rgba.len().is_multiple_of(width * 4) {
        return;
    }
    put(canvas, (width as u32, (rgba.len() / (width * 4)) as u32), rgba, (x, y));
}

fn put(canvas: &HtmlCanvasElement, (columns, rows): (u32, u32), rgba: &[u8], (x, y): (usize, usize)) {
    let context =
        canvas.get_context("2d").ok().flatten().and_then(|c| c.dyn_into::<CanvasRenderingContext2d>().ok());
    let pixels = ImageData::new_with_u8_clamped_array_and_sh(Clamped(rgba), columns, rows).ok();
    if let (Some(context), Some(pixels)) = (context, pixels) {
        // Fails only for pixels of another origin; these are ours.
        let _ = context.put_image_data(&pixels, x as f64, y as f64);
    }
}

/// Makes the canvas empty.
pub fn clear(canvas: &HtmlCanvasElement) {
    canvas.set_width(1);
    canvas.set_height(1);
}
