//! Masks with the photos that they are of: what every export is made from.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::dataset::{Dataset, Item, decode, stems};
use crate::error::{Error, Result};
use crate::files::{Blob, FileEntry, FileSet, extension, limits, stem};
use crate::masks::{IGNORE, LabelMap};

/// A photo and its mask, both as files that are read when they are needed.
#[derive(Clone)]
pub struct MaskedPhoto {
    /// What files of its own are called, without extension.
    pub stem: String,
    /// What the photo is called: the stem with the extension that it has.
    pub file_name: String,
    /// Whether the photo has another name where it lies, as two have that name, or as not every system allows
    /// it.
    pub is_renamed: bool,
    /// Columns, after EXIF orientation, pixels.
    pub width: u32,
    /// Rows, after EXIF orientation, pixels.
    pub height: u32,
    /// The photo's path in its data set.
    pub path: String,
    /// The compressed photo.
    pub image: Arc<dyn Blob>,
    /// The mask's path among the masks.
    pub mask_path: String,
    /// The mask, an index PNG.
    pub mask: Arc<dyn Blob>,
}

/// All photos that have a mask.
#[derive(Clone)]
pub struct MaskSet {
    /// Names of the foreground classes; class `c` is value `c + 1` in masks. None is empty or there twice,
    /// and none has control characters, which not every format can hold.
    pub classes: Vec<String>,
    /// By the photo's path.
    pub photos: Vec<MaskedPhoto>,
    /// Masks that are of no photo, by path.
    pub without_photo: Vec<String>,
    /// Photos that have no mask, by path.
    pub without_mask: Vec<String>,
}

impl MaskSet {
    /// Finds the photo of each mask: the one whose masks have its name, as `masks` and `predict` name them.
    ///
    /// # Errors
    /// [`Error::NoData`] when no mask is of any photo, [`Error::Format`] for classes that cannot be told
    /// apart, [`Error::TooLarge`] for more than [`limits::CLASSES`].
    pub fn new(masks: &FileSet, photos: &Dataset, classes: &[String]) -> Result<Self> {
        let classes = checked(classes)?;
        let masks: Vec<(&str, &FileEntry)> = masks_in(masks).into_iter().collect();
        let names: Vec<String> = masks.iter().map(|(key, _)| format!("{key}.png")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        // The rule that gives a photo its stem gives it back from masks in folders.
        let mut by_stem: BTreeMap<String, &FileEntry> =
            stems::unique(&names).into_iter().zip(masks.iter().map(|(_, entry)| *entry)).collect();
        let mut set =
            Self { classes, photos: Vec::new(), without_photo: Vec::new(), without_mask: Vec::new() };
        for item in &photos.items {
            match by_stem.remove(&item.stem) {
                Some(mask) => set.photos.push(photo(item, mask)),
                None => set.without_mask.push(item.path.clone()),
            }
        }
        set.without_photo = by_stem.into_values().map(|entry| entry.path.clone()).collect();
        if set.photos.is_empty() {
            let reason = match set.without_photo.first() {
                None => "there are no masks, which are .png files".to_owned(),
                Some(first) => format!("no mask has the name of a photo; a mask is {first}"),
            };
            return Err(Error::NoData { reason });
        }
        Ok(set)
    }

    /// The mask of a photo.
    ///
    /// # Errors
    /// As [`decode::mask`]; [`Error::Format`] when it has another size than its photo, or values that are of
    /// no class.
    pub fn mask(&self, photo: &MaskedPhoto) -> Result<LabelMap> {
        let refuse = |reason| Err(Error::Format { path: photo.mask_path.clone(), reason });
        let mask = decode::mask(photo.mask.as_ref(), &photo.mask_path)?;
        if (mask.width, mask.height) != (photo.width as usize, photo.height as usize) {
            return refuse(format!(
                "the mask has {} × {} pixels, its photo {} has {} × {}",
                mask.width, mask.height, photo.path, photo.width, photo.height
            ));
        }
        let highest = mask.labels.iter().copied().filter(|&label| label != IGNORE).max().unwrap_or(0);
        if usize::from(highest) > self.classes.len() {
            return refuse(format!(
                "the mask has the value {highest}, and the number of classes is {}",
                self.classes.len()
            ));
        }
        Ok(mask)
    }

    /// The classes whose pixels a mask has, ascending.
    pub(super) fn classes_in(&self, mask: &LabelMap) -> Vec<usize> {
        let shares = mask.shares(self.classes.len());
        (0..self.classes.len()).filter(|&class| shares[class] > 0.0).collect()
    }
}

/// The PNGs of a set by path without extension: those in `masks/` where there is such a folder, as a
/// data set's photos may be PNGs too.
pub fn masks_in(set: &FileSet) -> BTreeMap<&str, &FileEntry> {
    let pngs = || set.entries().iter().filter(|entry| extension(&entry.path) == "png");
    let inside = |entry: &'_ FileEntry| entry.path.starts_with("masks/");
    let only_inside = pngs().any(inside);
    pngs()
        .filter(|&entry| !only_inside || inside(entry))
        .map(|entry| {
            let key = stem(&entry.path);
            (key.strip_prefix("masks/").unwrap_or(key), entry)
        })
        .collect()
}

fn photo(item: &Item, mask: &FileEntry) -> MaskedPhoto {
    let ending = &item.path[stem(&item.path).len()..];
    let file_name = format!("{}{ending}", item.stem);
    MaskedPhoto {
        is_renamed: crate::files::name(&item.path) != file_name,
        stem: item.stem.clone(),
        file_name,
        width: item.width,
        height: item.height,
        path: item.path.clone(),
        image: item.image.clone(),
        mask_path: mask.path.clone(),
        mask: mask.blob.clone(),
    }
}

/// Names that every format can hold and that tell classes apart.
fn checked(classes: &[String]) -> Result<Vec<String>> {
    let path = || "the names of the classes".to_owned();
    if classes.len() > limits::CLASSES {
        return Err(Error::TooLarge {
            what: "the number of classes",
            found: classes.len().to_string(),
            limit: limits::CLASSES.to_string(),
            path: path(),
        });
    }
    let is_text = |letter: char| !letter.is_control() && !matches!(letter, '\u{FFFE}' | '\u{FFFF}');
    let mut names: Vec<String> = Vec::with_capacity(classes.len());
    for class in classes {
        let name: String = class.chars().map(|letter| if is_text(letter) { letter } else { ' ' }).collect();
        let name = name.trim().to_owned();
        let value = names.len() + 1;
        if name.is_empty() {
            return Err(Error::Format { path: path(), reason: format!("value {value} has no name") });
        }
        if let Some(before) = names.iter().position(|known| *known == name) {
            let reason = format!("values {} and {value} are both called {name}", before + 1);
            return Err(Error::Format { path: path(), reason });
        }
        names.push(name);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::palette_png;
    use crate::export::test_set::{png, set};

    #[test]
    fn masks_find_their_photos_also_where_names_repeat() {
        let files = ["cow/a.JPG", "dog/a.png", "dog/b.c.png"]
            .map(|path| (path.to_owned(), png(4, 3, path.len() as u8)));
        let photos =
            crate::dataset::read_photos(&FileSet::memory(files.into()), &[], &mut |_, _| ()).unwrap();
        let mask = palette_png::encode(&LabelMap::background(4, 3)).unwrap();
        let found = |names: &[&str]| {
            let masks = names.iter().map(|name| ((*name).to_owned(), mask.clone())).collect();
            MaskSet::new(&FileSet::memory(masks), &photos, &["x".to_owned()])
        };
        for names in
            [["cow_a.png", "dog_a.png", "c.png"], ["masks/cow/a.png", "masks/dog/a.png", "masks/c.png"]]
        {
            let set = found(&names).unwrap();
            let names: Vec<(&str, bool)> =
                set.photos.iter().map(|photo| (photo.file_name.as_str(), photo.is_renamed)).collect();
            assert_eq!(names, [("cow_a.JPG", true), ("dog_a.png", true)]);
            assert_eq!(set.without_mask, ["dog/b.c.png"]);
            assert!(set.without_photo[0].ends_with("c.png"));
        }
        assert!(!found(&["b.c.png"]).unwrap().photos[0].is_renamed);
        let error = found(&["nothing.png"]).err().unwrap().to_string();
        assert!(error.contains("no mask has the name of a photo"), "{error}");
        assert!(matches!(found(&[]).err(), Some(Error::NoData { .. })));
    }

    #[test]
    fn names_that_no_format_can_hold_are_refused_or_cleaned() {
        let names =
            |names: &[&str]| checked(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&["a\nb", " c\u{0}"]).unwrap(), ["a b", "c"]);
        assert!(names(&["a", "\n"]).unwrap_err().to_string().starts_with("value 2 has no name"));
        assert!(
            names(&["a", "b", "a"]).unwrap_err().to_string().starts_with("values 1 and 3 are both called a")
        );
        assert!(matches!(checked(&vec!["a".to_owned(); 255]), Err(Error::TooLarge { .. })));
    }

    #[test]
    fn a_mask_that_does_not_fit_is_named() {
        let mut set = set();
        let mut other = set.photos[0].clone();
        other.width += 1;
        let error = set.mask(&other).unwrap_err().to_string();
        assert!(error.contains("its photo") && error.ends_with(": a.png"), "{error}");
        set.classes.truncate(1);
        let error = set.mask(&set.photos[0]).unwrap_err().to_string();
        assert!(error.starts_with("the mask has the value 2, and the number of classes is 1"), "{error}");
    }
}
