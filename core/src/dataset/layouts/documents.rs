//! Files of annotations that are known by their content, whatever they are called.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::annotated::Annotated;
use super::coco::{self, Coco};
use super::{Candidate, Problem, cvat, json, label_studio, voc_xml};
use crate::error::Result;
use crate::files::{FileEntry, FileSet, extension};

/// Files of each ending that are looked into, the shallowest first; what is not looked into is listed with
/// all files that play no part.
const LOOKED_AT: usize = 64;
/// Files that are looked into to tell whether XML files are VOC's, of which there is one an image.
const LOOKED_AT_OF_VOC: usize = 16;
/// The first bytes of an XML file, which its outermost element begins in.
const FIRST_BYTES: usize = 4096;

/// How a file of annotations is written, the more explicit first: who exports from a tool for annotating
/// means these very images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// Label Studio's JSON, or JSON-MIN.
    LabelStudio,
    /// CVAT's XML for images.
    Cvat,
    /// COCO's JSON of objects.
    Coco,
    /// PASCAL VOC's XML, one file an image.
    Voc,
}

impl Form {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::LabelStudio => "Label Studio JSON",
            Self::Cvat => "CVAT XML",
            Self::Coco => "COCO JSON",
            Self::Voc => "PASCAL VOC XML",
        }
    }
}

/// The files of one form, by path: at least one.
pub(super) struct Documents<'a> {
    pub(super) form: Form,
    pub(super) files: Vec<&'a FileEntry>,
}

impl Documents<'_> {
    /// What they say of the images. `None` if none of the images they name is there, which is a problem.
    ///
    /// # Errors
    /// Those of their readers: files that are damaged, too large or cannot be read.
    pub(super) fn read(
        &self,
        images: &[Candidate<'_>],
        listed: Option<&[String]>,
        problems: &mut Vec<Problem>,
    ) -> Result<Option<Annotated>> {
        match self.form {
            Form::LabelStudio => label_studio::read(&self.files, images, listed, problems),
            Form::Cvat => cvat::read(&self.files, images, listed, problems),
            Form::Voc => voc_xml::read(&self.files, images, listed, problems),
            Form::Coco => {
                let Coco { labelled, masks, classes } = coco::read_anywhere(&self.files, images, problems)?;
                let marks = ["categories"].into();
                Ok((!labelled.is_empty()).then_some(Annotated { labelled, masks, classes, marks }))
            }
        }
    }
}

/// Files of annotations but those that `is_read` elsewhere, the most explicit form first.
pub(super) fn find<'a>(files: &'a FileSet, is_read: impl Fn(&str) -> bool) -> Vec<Documents<'a>> {
    let of_ending = |ending: &str| {
        let is_candidate = |entry: &&FileEntry| extension(&entry.path) == ending && !is_read(&entry.path);
        let mut found: Vec<&FileEntry> = files.entries().iter().filter(is_candidate).collect();
        found.sort_by_key(|entry| (entry.path.matches('/').count(), entry.path.as_str()));
        found
    };
    let mut found: Vec<(Form, &FileEntry)> = Vec::new();
    found.extend(
        of_ending("json")
            .into_iter()
            .take(LOOKED_AT)
            .filter_map(|entry| form_of_json(entry).map(|form| (form, entry))),
    );
    let xml = of_ending("xml");
    let roots: Vec<Option<String>> = xml.iter().take(LOOKED_AT).map(|entry| root_of_xml(entry)).collect();
    let is_root = |at: usize, name: &str| roots.get(at).is_some_and(|root| root.as_deref() == Some(name));
    let is_voc = (0..xml.len().min(LOOKED_AT_OF_VOC)).any(|at| is_root(at, "annotation"));
    for (at, entry) in xml.into_iter().enumerate() {
        match () {
            () if is_root(at, "annotations") => found.push((Form::Cvat, entry)),
            () if is_voc => found.push((Form::Voc, entry)),
            () => {}
        }
    }
    found.sort_by(|(form_a, a), (form_b, b)| (form_a, &a.path).cmp(&(form_b, &b.path)));
    let mut groups: Vec<Documents<'a>> = Vec::new();
    for (form, entry) in found {
        match groups.last_mut().filter(|group| group.form == form) {
            Some(group) => group.files.push(entry),
            None => groups.push(Documents { form, files: vec![entry] }),
        }
    }
    groups
}

/// What a JSON file is, as far as can be told from the names of its members.
fn form_of_json(entry: &FileEntry) -> Option<Form> {
    let mut names = Names::default();
    // Reading ends at the first sign; what is damaged behind it is told by who reads the whole.
    let outcome = json::open(entry).map(|mut json| json.deserialize_any(Top(&mut names)));
    drop(outcome);
    let has = |all: &[&str]| all.iter().all(|name| names.seen.contains(name));
    let any = |some: &[&str]| some.iter().any(|name| names.seen.contains(name));
    match names.is_list {
        true if has(&["data"]) && any(&["annotations", "completions"]) => Some(Form::LabelStudio),
        true if has(&["id"]) && any(&OF_MIN) => Some(Form::LabelStudio),
        false if has(&OF_COCO) => Some(Form::Coco),
        _ => None,
    }
}

const OF_COCO: [&str; 3] = ["images", "annotations", "categories"];
/// Members that JSON-MIN adds to each of its entries.
const OF_MIN: [&str; 4] = ["annotation_id", "annotator", "completion_id", "lead_time"];
const KNOWN: [&str; 10] = [
    "images",
    "annotations",
    "categories",
    "data",
    "completions",
    "id",
    "annotation_id",
    "annotator",
    "completion_id",
    "lead_time",
];

/// Names of members, of the file's object or of the first in its array.
#[derive(Default)]
struct Names {
    is_list: bool,
    /// Of those that are known.
    seen: Vec<&'static str>,
}

struct Top<'a>(&'a mut Names);

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object or an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        if self.0.is_list {
            return Err(A::Error::custom("an array in an array"));
        }
        self.0.is_list = true;
        array.next_element_seed(Top(self.0))?;
        // The others are not read.
        Err(A::Error::custom("the first is enough"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if let Some(known) = KNOWN.iter().find(|known| **known == key)
                && !self.0.seen.contains(known)
            {
                self.0.seen.push(known);
            }
            if !self.0.is_list && OF_COCO.iter().all(|name| self.0.seen.contains(name)) {
                return Err(A::Error::custom("all are seen"));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// The name of the outermost element.
fn root_of_xml(entry: &FileEntry) -> Option<String> {
    let start = entry.blob.read_at(0, FIRST_BYTES).ok()?;
    let start = String::from_utf8_lossy(&start);
    let mut rest = start.trim_start_matches('\u{feff}').trim_start();
    loop {
        let end = match rest {
            _ if rest.starts_with("<!--") => "-->",
            _ if rest.starts_with("<?") => "?>",
            // A document type may hold declarations of its own.
            _ if rest.starts_with("<!") && rest.split('>').next().is_some_and(|own| own.contains('[')) => {
                "]>"
            }
            _ if rest.starts_with("<!") => ">",
            _ => break,
        };
        rest = rest.split_once(end)?.1.trim_start();
    }
    let name = rest.strip_prefix('<')?.split(|c: char| c.is_whitespace() || c == '>' || c == '/').next()?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<(Form, Vec<String>)> {
        let files = files.iter().map(|(path, text)| (path.to_string(), text.as_bytes().to_vec()));
        let set = FileSet::memory(files.collect());
        let paths = |group: Documents<'_>| {
            (group.form, group.files.iter().map(|entry| entry.path.clone()).collect::<Vec<_>>())
        };
        find(&set, |path| path.starts_with("own/")).into_iter().map(paths).collect()
    }

    fn form(path: &str, text: &str) -> Option<Form> {
        found(&[(path, text), ("a.jpg", ""), ("b/c.jpg", "")]).first().map(|(form, _)| *form)
    }

    #[test]
    fn forms_are_told_by_content() {
        let cases = [
            ("x.json", "\u{feff}[{\"id\": 1, \"data\": {}, \"annotations\": []}]", Some(Form::LabelStudio)),
            ("x.json", "[{\"completions\": [], \"data\": {}}, 5]", Some(Form::LabelStudio)),
            ("x.json", "\r\n[{\"image\": \"a\", \"id\": 1, \"annotator\": 2}]", Some(Form::LabelStudio)),
            // Cut off: who reads the whole tells of it.
            ("x.json", "[{\"data\": {}, \"annotations\": [1, 2", Some(Form::LabelStudio)),
            ("x.json", "{\"categories\": [], \"images\": [], \"annotations\": [", Some(Form::Coco)),
            ("x.json", "{\"images\": [], \"annotations\": []}", None),
            ("x.json", "[{\"image_id\": 1, \"category_id\": 2, \"id\": 3}]", None),
            ("x.json", "[[{\"data\": {}, \"annotations\": []}]]", None),
            ("x.json", "[]", None),
            ("x.json", "7", None),
            ("x.json", "", None),
            ("x.xml", "<annotations/>", Some(Form::Cvat)),
            ("x.xml", "\u{feff}<?xml version=\"1.0\"?>\r\n<!-- > -->\r\n<annotations>\r\n", Some(Form::Cvat)),
            ("x.xml", "<annotation verified=\"yes\">", Some(Form::Voc)),
            ("x.xml", "<!DOCTYPE html><html/>", None),
            ("x.xml", "<!DOCTYPE a [<!ENTITY b \"c\">]><annotations>", Some(Form::Cvat)),
            ("x.xml", "<?xml", None),
            ("x.xml", "", None),
            ("x.txt", "<annotations/>", None),
        ];
        for (path, text, expected) in cases {
            assert_eq!(form(path, text), expected, "{text}");
        }
    }

    #[test]
    fn forms_are_in_their_order_and_files_by_path() {
        let voc = "<annotation/>";
        let groups = found(&[
            ("a/1.xml", voc),
            ("a/2.xml", "broken"),
            ("z.xml", "<annotations/>"),
            ("own/x.xml", "<annotations/>"),
            ("b.json", "[{\"data\": 1, \"annotations\": 2}]"),
            ("a.json", "[{\"id\": 1, \"lead_time\": 2}]"),
        ]);
        let expected = [
            (Form::LabelStudio, vec!["a.json", "b.json"]),
            (Form::Cvat, vec!["z.xml"]),
            (Form::Voc, vec!["a/1.xml", "a/2.xml"]),
        ];
        assert_eq!(
            groups,
            expected.map(|(form, paths)| (form, paths.into_iter().map(str::to_owned).collect()))
        );
    }
}
