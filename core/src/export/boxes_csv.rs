//! `boxes.csv`: one line a box, as [`layouts`](crate::dataset::layouts) reads it.

use crate::dataset::ObjectBox;
use crate::error::{Error, Result};

/// What the file is called.
pub const NAME: &str = "boxes.csv";

/// The file for the boxes of these images, each by its path; `classes` are the names of the foreground
/// classes. Boxes of other classes are left out.
///
/// # Errors
/// [`Error::Format`] with what the writer said.
pub fn encode<'a>(
    images: impl IntoIterator<Item = (&'a str, &'a [ObjectBox])>,
    classes: &[String],
) -> Result<Vec<u8>> {
    let fault = |reason: String| Error::Format { path: NAME.into(), reason };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |record: [&str; 6]| writer.write_record(record).map_err(|error| fault(error.to_string()));
    write(["image", "class", "x0", "y0", "x1", "y1"])?;
    for (path, boxes) in images {
        for object in boxes {
            let Some(class) = classes.get(usize::from(object.class)) else { continue };
            let [x0, y0, x1, y1] = [object.x0, object.y0, object.x1, object.y1].map(|edge| edge.to_string());
            write([path, class, &x0, &y0, &x1, &y1])?;
        }
    }
    writer.into_inner().map_err(|error| fault(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Layout, read};
    use crate::files::FileSet;

    fn photo(seed: u8) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let image = image::RgbImage::from_pixel(40, 30, image::Rgb([seed, 0, 0]));
        image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let classes = ["cat, \"tame\"", "näve"].map(str::to_owned);
        let object = |class, x0| ObjectBox { class, x0, y0: 0.1, x1: 39.6, y1: 30.0 };
        let first = [object(0, 1.0 / 3.0), object(1, 0.0)];
        let second = [object(0, 17.25), object(7, 1.0)];
        let images =
            [("a, b/1.png", first.as_slice()), ("a, b/empty.png", &[]), ("c/1.png", second.as_slice())];
        let table = encode(images, &classes).unwrap();
        assert!(
            table.starts_with(b"image,class,x0,y0,x1,y1\n\"a, b/1.png\",\"cat, \"\"tame\"\"\",0.33333334,")
        );
        let files = [("a, b/1.png", 1), ("a, b/empty.png", 2), ("c/1.png", 3)]
            .map(|(path, seed)| (path.to_owned(), photo(seed)));
        let files = files.into_iter().chain([(NAME.to_owned(), table)]).collect();
        let dataset = read(&FileSet::memory(files), &mut |_, _| {}).unwrap();
        assert_eq!((dataset.layout, dataset.classes), (Layout::BoxesTable, classes.to_vec()));
        let boxes: Vec<_> = dataset.items.iter().map(|item| item.boxes.as_slice()).collect();
        assert_eq!(boxes, [&first[..], &[], &second[..1]]);
    }
}
