//! A file of annotations, read as a stream: the files of COCO have hundreds of megabytes, of which little is
//! kept.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::json::{self, Each};
use crate::error::{Error, Result};
use crate::files::{FileEntry, limits};
use crate::masks::Outline;
use crate::masks::run_lengths::Lengths;

/// What is kept of the file.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) images: Vec<Image>,
    pub(super) annotations: Vec<Annotation>,
    /// Identifier and name, in the order of the file.
    pub(super) categories: Vec<(i64, String)>,
}

/// An image.
pub(super) struct Image {
    pub(super) id: i64,
    pub(super) file_name: String,
    /// Columns and rows, where both are given.
    pub(super) size: Option<(i64, i64)>,
}

/// One object, or a crowd.
pub(super) struct Annotation {
    pub(super) image: i64,
    pub(super) category: i64,
    pub(super) crowd: bool,
    /// `bbox`: left and upper edge, width and height, pixels.
    pub(super) edges: Option<[f32; 4]>,
    /// Its pixels, or what is wrong with them.
    pub(super) outline: Option<Result<Outline, String>>,
}

impl Contents {
    /// Reads a file.
    ///
    /// # Errors
    /// Those of [`json::open`]; [`Error::Format`] for JSON that is damaged or of
    /// another structure.
    pub(super) fn read(entry: &FileEntry) -> Result<Self> {
        let mut json = json::open(entry)?;
        let contents = json.deserialize_map(FileVisitor).and_then(|contents| json.end().map(|()| contents));
        contents.map_err(|error| Error::Format {
            path: entry.path.clone(),
            reason: format!("these are no annotations as COCO has them ({error})"),
        })
    }
}

struct FileVisitor;

impl<'de> Visitor<'de> for FileVisitor {
    type Value = Contents;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object with images, annotations and categories")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Contents, A::Error> {
        let mut contents = Contents::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "images" => {
                    let images = &mut contents.images;
                    map.next_value_seed(Each::new(|image: ImageRecord| images.push(image.into())))?;
                }
                "annotations" => {
                    let all = &mut contents.annotations;
                    map.next_value_seed(Each::new(|one: AnnotationRecord| all.push(one.into())))?;
                }
                "categories" => {
                    let all = &mut contents.categories;
                    map.next_value_seed(Each::new(|one: Category| all.push((one.id, one.name))))?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(contents)
    }
}

#[derive(Deserialize)]
struct ImageRecord {
    id: i64,
    file_name: String,
    #[serde(default)]
    width: Option<i64>,
    #[serde(default)]
    height: Option<i64>,
}

impl From<ImageRecord> for Image {
    fn from(record: ImageRecord) -> Self {
        Self { id: record.id, file_name: record.file_name, size: record.width.zip(record.height) }
    }
}

#[derive(Deserialize)]
struct Category {
    id: i64,
    name: String,
}

#[derive(Deserialize)]
struct AnnotationRecord {
    image_id: i64,
    category_id: i64,
    #[serde(default)]
    iscrowd: i64,
    #[serde(default)]
    bbox: Vec<f32>,
    #[serde(default)]
    segmentation: Segmentation,
}

impl From<AnnotationRecord> for Annotation {
    fn from(record: AnnotationRecord) -> Self {
        Self {
            image: record.image_id,
            category: record.category_id,
            crowd: record.iscrowd != 0,
            edges: match record.bbox.len() {
                0 => None,
                // One that is no box is told of as a bad one.
                _ => Some(record.bbox.try_into().unwrap_or([f32::NAN; 4])),
            },
            outline: record.segmentation.0,
        }
    }
}

/// `segmentation`: an array of polygons, or runs.
#[derive(Default)]
struct Segmentation(Option<Result<Outline, String>>);

impl<'de> Deserialize<'de> for Segmentation {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(SegmentationVisitor).map(Self)
    }
}

struct SegmentationVisitor;

impl<'de> Visitor<'de> for SegmentationVisitor {
    type Value = Option<Result<Outline, String>>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("polygons or runs")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        // All in one, as a list for each of many empty polygons would be many times their text.
        let (mut points, mut ends): (Vec<f32>, Vec<u32>) = Default::default();
        let (mut any, mut wrong) = (false, None);
        loop {
            let start = points.len();
            let coordinates = Each::new(|coordinate: f32| points.push(coordinate));
            if array.next_element_seed(coordinates)?.is_none() {
                break;
            }
            any = true;
            if let Err(reason) = Outline::end_polygon(&mut points, &mut ends, start) {
                wrong.get_or_insert(reason);
                points.truncate(start);
            }
        }
        Ok(any.then(|| wrong.map_or_else(|| Ok(Outline::of_points(points, ends)), Err)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut size, mut counts) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "size" => size = Some(map.next_value::<[i64; 2]>()?),
                "counts" => counts = Some(map.next_value::<Counts>()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Some(match (size, counts) {
            (Some([height, width]), Some(Counts::Plain(lengths))) => {
                lengths.and_then(|lengths| Outline::runs(height, width, lengths))
            }
            (Some([height, width]), Some(Counts::Compressed(text))) => {
                Outline::compressed_runs(height, width, &text)
            }
            _ => Err("its runs have no size or no counts".into()),
        }))
    }
}

/// Lengths of runs as numbers, or what is wrong with them, or as COCO's compressed text.
enum Counts {
    Plain(Result<Lengths, String>),
    Compressed(String),
}

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(CountsVisitor)
    }
}

struct CountsVisitor;

impl<'de> Visitor<'de> for CountsVisitor {
    type Value = Counts;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("lengths of runs")
    }

    fn visit_str<E>(self, text: &str) -> Result<Counts, E> {
        Ok(Counts::Compressed(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Counts, A::Error> {
        let mut lengths = Ok(Lengths::default());
        while let Some(length) = array.next_element()? {
            if let Ok(all) = &mut lengths
                && let Err(reason) = all.push(length, limits::IMAGE_PIXELS)
            {
                lengths = Err(reason);
            }
        }
        Ok(Counts::Plain(lengths))
    }
}
