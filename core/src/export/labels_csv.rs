//! `labels.csv`: which classes are in each image, as [`layouts`](crate::dataset::layouts) reads it beside a
//! `classes.txt`.

use crate::dataset::layouts::means_no_class;
use crate::error::{Error, Result};

/// What the file is called.
pub const NAME: &str = "labels.csv";

/// What separates labels in a cell, and what brackets a list of them.
const SPECIAL: [char; 9] = [',', ';', '|', '[', ']', '(', ')', '{', '}'];

/// Whether the file tells all of these classes' names without a `classes.txt` beside it.
pub fn stands_alone(classes: &[String]) -> bool {
    let is_plain = |name: &String| {
        !name.contains([',', ';', '|']) && name.trim_matches(['"', '\'']) == name && !means_no_class(name)
    };
    classes.iter().all(is_plain)
}

/// The file for the labels of these images, each by its path; `classes` are the names of the foreground
/// classes. An image has a line, or, where a class's name holds what separates labels, a line for each label. Where
/// names have spaces, labels stand in brackets, as lists do.
///
/// # Errors
/// [`Error::Format`] with what the writer said.
pub fn encode<'a>(
    images: impl IntoIterator<Item = (&'a str, &'a [u16])>,
    classes: &[String],
) -> Result<Vec<u8>> {
    let fault = |reason: String| Error::Format { path: NAME.into(), reason };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |record: [&str; 2]| writer.write_record(record).map_err(|error| fault(error.to_string()));
    let stands_alone = stands_alone(classes);
    let line_a_label = !stands_alone && classes.iter().any(|name| name.contains(SPECIAL));
    let in_brackets = stands_alone
        && classes.iter().any(|name| name.contains(char::is_whitespace) || name.contains(SPECIAL));
    write(["image", "labels"])?;
    for (path, labels) in images {
        let names = labels.iter().filter_map(|&class| classes.get(usize::from(class)));
        let names: Vec<&str> = names.map(String::as_str).collect();
        match line_a_label && !names.is_empty() {
            true => names.into_iter().try_for_each(|name| write([path, name]))?,
            false if in_brackets && !names.is_empty() => write([path, &format!("[{}]", names.join(", "))])?,
            false => write([path, &names.join(";")])?,
        }
    }
    writer.into_inner().map_err(|error| fault(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Layout, read};
    use crate::export::classes_txt;
    use crate::files::FileSet;

    #[test]
    fn what_is_written_is_read_back() {
        let photo = |seed: u8| {
            let mut bytes = std::io::Cursor::new(Vec::new());
            let image = image::RgbImage::from_pixel(40, 30, image::Rgb([seed, 0, 0]));
            image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
            bytes.into_inner()
        };
        let plain = ["zebra", "red fox", "none"].map(str::to_owned);
        let special = ["a, b", "cat (tame)", "x;y"].map(str::to_owned);
        let alone = ["cat (tame)", "red fox", "zebra"].map(str::to_owned);
        assert!(stands_alone(&alone) && !stands_alone(&plain) && !stands_alone(&special));
        for (classes, with_names) in [(&plain, true), (&special, true), (&alone, true), (&alone, false)] {
            let images: [(&str, &[u16]); 4] =
                [("a/1.png", &[0, 1]), ("a/2.png", &[]), ("b \"c\", d/1.png", &[1]), ("x.png", &[0, 1, 2])];
            let mut files = vec![(NAME.to_owned(), encode(images, classes).unwrap())];
            if with_names {
                files.push((classes_txt::NAME.to_owned(), classes_txt::encode(classes)));
            }
            files.extend((0u8..).zip(images).map(|(seed, (path, _))| (path.to_owned(), photo(seed))));
            let dataset = read(&FileSet::memory(files), &mut |_, _| {}).unwrap();
            assert_eq!((dataset.layout, &dataset.classes[..]), (Layout::LabelsTable, &classes[..]));
            let labels: Vec<_> = dataset.items.iter().map(|item| (&*item.path, &*item.labels)).collect();
            assert_eq!(labels, images);
        }
    }
}
