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
    let context =
        canvas.get_context("2d").ok().flatten().and_then(|c| c.dyn_into::<CanvasRenderingContext2d>().ok());
    let pixels = ImageData::new_with_u8_clamped_array_and_sh(Clamped(rgba), columns, rows).ok();
    if let (Some(context), Some(pixels)) = (context, pixels) {
        // Fails only for pixels of another origin; these are ours.
        let _ = context.put_image_data(&pixels, 0.0, 0.0);
    }
}

/// Makes the canvas empty.
pub fn clear(canvas: &HtmlCanvasElement) {
    canvas.set_width(1);
    canvas.set_height(1);
}
