//! How much each mask is to be doubted, as a table.

use crate::error::{Error, Result};

/// The file: `image,doubt,iou`, the most doubtful first; of equal ones, as given. `iou` is in percent, and
/// empty where it is not known.
///
/// # Errors
/// [`Error::Format`] with what the writer said.
pub fn encode(mut rows: Vec<(&str, f32, Option<f64>)>) -> Result<Vec<u8>> {
    let fault = |reason: String| Error::Format { path: "doubt.csv".into(), reason };
    rows.sort_by(|(_, a, _), (_, b, _)| b.total_cmp(a));
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |record: [&str; 3]| writer.write_record(record).map_err(|error| fault(error.to_string()));
    write(["image", "doubt", "iou"])?;
    for (path, doubt, iou) in rows {
        let iou = iou.map_or(String::new(), |iou| format!("{iou:.2}"));
        write([path, &format!("{doubt:.4}"), &iou])?;
    }
    writer.into_inner().map_err(|error| fault(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_doubtful_comes_first() {
        let rows = vec![("a, b.png", 0.25, Some(71.456)), ("c.png", 0.5, None), ("d.png", 0.25, Some(3.0))];
        let table = String::from_utf8(encode(rows).unwrap()).unwrap();
        assert_eq!(table, "image,doubt,iou\nc.png,0.5000,\n\"a, b.png\",0.2500,71.46\nd.png,0.2500,3.00\n");
    }
}
