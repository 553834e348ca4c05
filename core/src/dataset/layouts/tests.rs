use std::io::{Cursor, Write};

use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};

use super::*;
use crate::dataset::{Summary, decode};
use crate::export::palette_png;
use crate::files::MemoryBlob;
use crate::masks::LabelMap;

fn image(seed: u8, width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([seed, (x * 9) as u8, (y * 7) as u8]))
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn jpeg(seed: u8) -> Vec<u8> {
    encoded(image(seed, 40, 30), ImageFormat::Jpeg)
}

pub(super) fn png(seed: u8) -> Vec<u8> {
    encoded(image(seed, 40, 30), ImageFormat::Png)
}

fn mask(width: usize, height: usize) -> Vec<u8> {
    palette_png::encode(&LabelMap::background(width, height)).unwrap()
}

/// A JPEG of 40 × 30 pixels that says it stands on its side.
fn turned(seed: u8) -> Vec<u8> {
    let exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let mut bytes = jpeg(seed);
    let mut segment = vec![0xFF, 0xE1];
    segment.extend((exif.len() as u16 + 2).to_be_bytes());
    segment.extend(exif);
    bytes.splice(2..2, segment);
    bytes
}

/// A PNG whose header states a size, with the checksum that belongs to it.
fn huge(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(0);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    bytes
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |sum, &byte| {
        (0..8).fold(
            sum ^ u32::from(byte),
            |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 },
        )
    })
}

pub(super) type Files = Vec<(String, Vec<u8>)>;

pub(super) fn set(files: &[(&str, &[u8])]) -> Files {
    files.iter().map(|(path, bytes)| (path.to_string(), bytes.to_vec())).collect()
}

pub(super) fn read_all(files: Files) -> Result<Dataset> {
    read(&FileSet::memory(files), &mut |_, _| {})
}

pub(super) fn found(dataset: &Dataset) -> Vec<(&str, ProblemKind)> {
    dataset.problems.iter().map(|problem| (problem.path.as_str(), problem.kind)).collect()
}

pub(super) fn labels(dataset: &Dataset) -> Vec<(&str, &[u16])> {
    dataset.items.iter().map(|item| (item.path.as_str(), item.labels.as_slice())).collect()
}

/// Class folders with everything that can be wrong with a file.
fn class_folders() -> Files {
    let grey = image::ImageBuffer::<Luma<u16>, _>::from_fn(40, 30, |x, y| Luma([(x * 1600 + y) as u16]));
    let long = encoded(image(9, 200, 200), ImageFormat::Jpeg);
    set(&[
        ("set/cow/a.jpg", &jpeg(1)),
        ("set/cow/b b ü.png", &png(2)),
        ("set/cow/deep/er/c.bmp", &encoded(image(3, 40, 30), ImageFormat::Bmp)),
        ("set/cow/both.jpg", &jpeg(7)),
        ("set/cow/twice.jpg", &jpeg(1)),
        ("set/dog/both again.jpg", &jpeg(7)),
        ("set/dog/d.webp", &encoded(image(4, 40, 30), ImageFormat::WebP)),
        ("set/dog/grey.png", &encoded(DynamicImage::ImageLuma16(grey), ImageFormat::Png)),
        ("set/dog/turned.jpg", &turned(5)),
        ("set/none/empty field.jpg", &jpeg(6)),
        ("set/dog/cut.jpg", &long[..long.len() - 60]),
        ("set/dog/cut.png", &png(8)[..60]),
        ("set/dog/zero.png", b""),
        ("set/dog/text.png", b"this is no picture, whatever its name"),
        ("set/dog/huge.png", &huge(60_000, 60_000)),
        ("set/dog/scan.tif", b"II*\0"),
        ("set/stray.jpg", &jpeg(10)),
        ("set/notes.doc", b"x"),
        ("set/README.md", b"x"),
        ("set/dog/Thumbs.db", b"x"),
    ])
}

#[test]
fn class_folders_give_labels_and_every_problem() {
    let dataset = read_all(class_folders()).unwrap();
    assert_eq!(dataset.layout, Layout::ClassFolders);
    assert_eq!(dataset.classes, ["cow", "dog"]);
    assert_eq!(
        labels(&dataset),
        [
            ("cow/a.jpg", &[0][..]),
            ("cow/b b ü.png", &[0]),
            ("cow/both.jpg", &[0, 1]),
            ("cow/deep/er/c.bmp", &[0]),
            ("dog/d.webp", &[1]),
            ("dog/grey.png", &[1]),
            ("dog/turned.jpg", &[1]),
            ("none/empty field.jpg", &[]),
        ]
    );
    let turned = &dataset.items[6];
    assert_eq!((turned.width, turned.height), (30, 40));
    use ProblemKind::*;
    assert_eq!(
        found(&dataset),
        [
            ("dog/cut.jpg", UnreadableImage),
            ("dog/cut.png", UnreadableImage),
            ("dog/huge.png", UnreadableImage),
            ("dog/scan.tif", UnreadableImage),
            ("dog/text.png", UnreadableImage),
            ("dog/zero.png", UnreadableImage),
            ("stray.jpg", ImageWithoutLabel),
            ("cow/twice.jpg", Duplicate),
            ("notes.doc", OtherFile),
        ]
    );
    let reason = |path: &str| &*dataset.problems.iter().find(|problem| problem.path == path).unwrap().reason;
    assert_eq!(reason("dog/cut.jpg"), "The file is cut off. Left out.");
    assert_eq!(reason("dog/zero.png"), "The file is empty. Left out.");
    assert_eq!(reason("cow/twice.jpg"), "The same picture as cow/a.jpg. Left out.");
    assert_eq!(
        reason("dog/huge.png"),
        "The image is 60000 × 60000 pixels, more than the limit of 100 megapixels. Left out."
    );
    for item in &dataset.items {
        let image = decode::rgb(item.image.as_ref(), &item.path).unwrap();
        assert_eq!(image.dimensions(), (item.width, item.height), "{}", item.path);
    }
}

#[test]
fn a_folder_a_zip_and_picked_files_are_one_data_set() {
    let files = class_folders();
    let folder = tempfile::tempdir().unwrap();
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in &files {
        let place = folder.path().join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, bytes).unwrap();
        writer.start_file(path.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    let packed = writer.finish().unwrap().into_inner();
    let place = folder.path().join("set.zip");
    std::fs::write(&place, &packed).unwrap();

    let summary = |files: FileSet| -> Summary { read(&files, &mut |_, _| {}).unwrap().summary() };
    let blob = |bytes: Vec<u8>| Arc::new(MemoryBlob::new(bytes)) as Arc<dyn Blob>;
    let expected = summary(FileSet::memory(files.clone()));
    assert_eq!(summary(FileSet::open(&folder.path().join("set")).unwrap()), expected);
    assert_eq!(summary(FileSet::open(&place).unwrap()), expected);
    assert_eq!(summary(FileSet::picked(vec![("any.zip".into(), blob(packed))]).unwrap()), expected);
    let picked = files.into_iter().map(|(path, bytes)| (path, blob(bytes))).collect();
    assert_eq!(summary(FileSet::picked(picked).unwrap()), expected);
}

#[test]
fn a_table_finds_its_images_and_names_what_is_wrong() {
    let table = "\u{feff}Image,Labels\n\
        a.jpg,cow dog\n\
        images/b.jpg,dog;sheep|cow\n\
        c,\n\
        \"d, e.jpg\",\"cow\"\n\
        deep.jpg,sheep\n\
        gone.jpg,cow\n\
        a.jpg,dog\n\
        same.jpg,cow\n\
        lonely\n\
        ,cow\n\
        \n\
        bad.png,cow\n";
    let dataset = read_all(set(&[
        ("labels.csv", table.as_bytes()),
        ("images/a.jpg", &jpeg(1)),
        ("images/b.jpg", &jpeg(2)),
        ("images/c.jpg", &jpeg(3)),
        ("images/d, e.jpg", &jpeg(4)),
        ("images/x/y/deep.jpg", &jpeg(5)),
        ("images/x/same.jpg", &jpeg(6)),
        ("images/y/same.jpg", &jpeg(7)),
        ("images/unnamed.jpg", &jpeg(8)),
        ("images/bad.png", b"bad"),
        ("boxes.csv", b"image,class,x0,y0,x1,y1"),
    ]))
    .unwrap();
    assert_eq!(dataset.layout, Layout::LabelsTable);
    assert_eq!(dataset.classes, ["cow", "dog", "sheep"]);
    assert_eq!(
        labels(&dataset),
        [
            ("images/a.jpg", &[0, 1][..]),
            ("images/b.jpg", &[0, 1, 2]),
            ("images/c.jpg", &[]),
            ("images/d, e.jpg", &[0]),
            ("images/x/y/deep.jpg", &[2]),
        ]
    );
    use ProblemKind::*;
    assert_eq!(
        found(&dataset),
        [
            ("images/bad.png", UnreadableImage),
            ("gone.jpg", LabelWithoutImage),
            ("images/unnamed.jpg", ImageWithoutLabel),
            ("images/x/same.jpg", ImageWithoutLabel),
            ("images/y/same.jpg", ImageWithoutLabel),
            ("images/a.jpg", Duplicate),
            ("labels.csv", BadLine),
            ("labels.csv", BadLine),
            ("labels.csv", BadLine),
        ]
    );
    let reasons: Vec<_> = dataset.problems.iter().map(|problem| problem.reason.as_str()).collect();
    assert_eq!(reasons[1], "Line 7 of labels.csv: names this image, but it is not there. Left out.");
    assert_eq!(reasons[5], "Line 8 of labels.csv: names this image again. Line 2 counts.");
}

#[test]
fn a_table_needs_no_header_and_listed_classes_keep_their_order() {
    let dataset = read_all(set(&[
        ("labels.csv", b"a.jpg,red fox;cow\nb.jpg,\xff\nc.jpg,wolf\nd.jpg,cow,dog\ne.jpg,none\n"),
        ("classes.txt", b"background\r\nred fox\r\ncow\r\nred fox\r\n"),
        ("a.jpg", &jpeg(1)),
        ("b.jpg", &jpeg(2)),
        ("c.jpg", &jpeg(3)),
        ("d.jpg", &jpeg(4)),
        ("e.jpg", &jpeg(5)),
    ]))
    .unwrap();
    assert_eq!(dataset.classes, ["red fox", "cow"]);
    assert_eq!(labels(&dataset), [("a.jpg", &[0, 1][..]), ("e.jpg", &[])]);
    let reasons: Vec<_> = dataset.problems.iter().map(|problem| problem.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "No line of labels.csv names it. Left out.",
            "Line 4: the class red fox is named twice. The first line counts.",
            "Line 2 of labels.csv: It is not UTF-8 text. Left out.",
            "Line 3 of labels.csv: c.jpg has the label wolf, which classes.txt does not name. Left out.",
            "Line 4 of labels.csv: 3 columns where 2 are expected; separate labels by a space, ; or |. Left out.",
        ]
    );
}

/// A run knows its photos by number, and is taken up with the folders that a project packs them in.
#[test]
fn photos_have_the_same_numbers_in_every_layout() {
    let numbered = |files: &[(&str, &[u8])]| -> Vec<String> {
        let dataset = read_all(set(files)).unwrap();
        dataset.items.iter().map(|item| item.path.rsplit('/').next().unwrap().to_owned()).collect()
    };
    let [a, b, c] = [png(1), png(2), png(3)];
    // By stems "a" would come before "a-1".
    let expected = ["a-1.png", "a.png", "b.png"];
    let list = b"b 1\na 1\na-1 1\n";
    let table = b"b.png,cow\na.png,cow\na-1.png,cow\n";
    let photos = |folder: &str| {
        [("b", &b), ("a", &a), ("a-1", &c)].map(|(name, png)| (format!("{folder}{name}.png"), png))
    };
    for (folder, beside) in [
        ("JPEGImages/", ("ImageSets/Main/cow_train.txt", &list[..])),
        ("", ("labels.csv", &table[..])),
        ("cow/", ("readme.txt", b"")),
    ] {
        let photos = photos(folder);
        let mut files = vec![beside];
        files.extend(photos.iter().map(|(path, png)| (path.as_str(), png.as_slice())));
        assert_eq!(numbered(&files), expected, "{}", beside.0);
    }
}

#[test]
fn the_same_picture_on_two_lines_is_named_and_kept() {
    let dataset = read_all(set(&[
        ("labels.csv", b"a.jpg,cow\nb.jpg,cow\nc.jpg,dog\n"),
        ("a.jpg", &jpeg(1)),
        ("b.jpg", &jpeg(1)),
        ("c.jpg", &jpeg(1)),
    ]))
    .unwrap();
    assert_eq!(labels(&dataset), [("a.jpg", &[0][..]), ("b.jpg", &[0]), ("c.jpg", &[1])]);
    let reasons: Vec<_> = dataset.problems.iter().map(|problem| problem.reason.as_str()).collect();
    let differ = "The same picture as a.jpg. Their labels differ: check both lines. Both are used.";
    assert_eq!(reasons, ["The same picture as a.jpg. Both are used.", differ]);
}

#[test]
fn masks_go_to_their_images_or_to_the_problems() {
    let colors = encoded(image(1, 40, 30), ImageFormat::Png);
    let dataset = read_all(set(&[
        ("images/cow/a.jpg", &jpeg(1)),
        ("images/cow/b.jpg", &jpeg(2)),
        ("images/dog/a.jpg", &jpeg(3)),
        ("images/dog/c.jpg", &jpeg(4)),
        ("images/dog/d.jpg", &turned(5)),
        ("masks/cow/a.png", &mask(40, 30)),
        ("masks/b.png", &encoded(GrayImage::new(40, 30), ImageFormat::Png)),
        ("masks/a.png", &mask(40, 30)),
        ("masks/c.png", &mask(30, 40)),
        ("masks/d.png", &mask(30, 40)),
        ("masks/dog/a.png", &colors),
        ("masks/e.png", &mask(40, 30)),
        ("masks/c.jpg", &jpeg(9)),
    ]))
    .unwrap();
    let masked: Vec<_> = dataset.items.iter().filter(|i| i.mask.is_some()).map(|i| i.path.as_str()).collect();
    assert_eq!(masked, ["images/cow/a.jpg", "images/cow/b.jpg", "images/dog/d.jpg"]);
    let reasons: Vec<_> = dataset.problems.iter().map(|p| format!("{} {}", p.path, p.reason)).collect();
    assert_eq!(
        reasons,
        [
            "masks/a.png 2 images have this name. Not used for scoring.",
            "masks/c.jpg A mask is a PNG file. Not used for scoring.",
            "masks/c.png It has 30 × 40 pixels, the image 40 × 30. Not used for scoring.",
            "masks/dog/a.png A mask is an index PNG (palette or grey); this one holds colours. Not used for scoring.",
            "masks/e.png No usable image has this name. Not used for scoring.",
        ]
    );
    assert_eq!(dataset.items.iter().map(|i| i.stem.as_str()).collect::<Vec<_>>()[..2], ["images_cow_a", "b"]);
}

#[test]
fn nothing_usable_says_what_was_looked_for() {
    let none = |files: &[(&str, &[u8])]| read_all(set(files)).err().unwrap().to_string();
    assert!(none(&[]).ends_with("but there are no files"));
    assert!(none(&[("a.txt", b"x")]).contains("the file is no image of these formats"));
    let text = none(&[("cow/a.jpg", b"x"), ("dog/b.jpg", b"")]);
    assert!(text.starts_with("no usable data: looked for a folder per class"), "{text}");
    assert!(text.contains("for one, cow/a.jpg: Its content is not an image"), "{text}");
    assert!(
        none(&[("labels.csv", b"image,labels\nb.jpg,cow\n"), ("a.jpg", &jpeg(1))])
            .contains("named in labels.csv")
    );
}

#[test]
fn too_many_classes_are_refused() {
    let table: String = (0..300).map(|class| format!(" c{class}")).collect();
    let error = read_all(set(&[("labels.csv", format!("a.jpg,{table}").as_bytes()), ("a.jpg", &jpeg(1))]));
    assert!(matches!(error, Err(Error::TooLarge { what: "the number of classes", .. })));
}

#[test]
fn damaged_images_never_panic() {
    let originals = [
        jpeg(1),
        png(2),
        turned(3),
        encoded(image(3, 40, 30), ImageFormat::Bmp),
        encoded(image(4, 40, 30), ImageFormat::WebP),
        mask(40, 30),
    ];
    for original in originals {
        for at in 0..original.len() {
            let mut bytes = original.clone();
            bytes[at] ^= 1 << (at % 8);
            let blob: Arc<dyn Blob> = Arc::new(MemoryBlob::new(bytes));
            let _ = header::size(&blob, "x");
            let _ = decode::rgb(blob.as_ref(), "x");
            let _ = decode::mask(blob.as_ref(), "x");
            let cut: Arc<dyn Blob> = Arc::new(MemoryBlob::new(original[..at].to_vec()));
            // The last four bytes of a PNG are the checksum of a chunk without content.
            assert!(
                header::size(&cut, "x").is_err() || at + 4 >= original.len(),
                "cut at {at} of {}",
                original.len()
            );
            let _ = decode::mask(cut.as_ref(), "x");
        }
    }
}

#[test]
fn masks_in_voc_s_folders_have_the_classes_that_are_listed_beside_them() {
    let mut map = LabelMap::background(40, 30);
    map.labels[..9].fill(2);
    let shown = palette_png::encode(&map).unwrap();
    let dataset = read_all(set(&[
        ("voc/classes.txt", b"background\napple\nplum\n"),
        ("voc/JPEGImages/a.png", &png(1)),
        ("voc/JPEGImages/b.png", &png(2)),
        ("voc/SegmentationClass/a.png", &shown),
        ("voc/SegmentationClass/b.png", &mask(40, 30)),
        ("voc/ImageSets/Segmentation/train.txt", b"a\nb\n"),
        ("voc/Annotations/gone.xml", b"<annotation/>"),
        ("voc/ImageSets/Main/plum_train.txt", b"lost 1\nlost too 1\n"),
    ]))
    .unwrap();
    assert_eq!(
        (dataset.layout, &dataset.classes[..]),
        (Layout::Voc, &["apple".to_owned(), "plum".to_owned()][..])
    );
    assert_eq!(labels(&dataset), [("JPEGImages/a.png", &[1][..]), ("JPEGImages/b.png", &[])]);
    // Nothing is passed over without a word.
    let told: Vec<_> = dataset.problems.iter().map(|problem| (problem.kind, problem.count)).collect();
    let expected = [
        (ProblemKind::LabelWithoutImage, 1),
        (ProblemKind::LabelWithoutImage, 2),
        (ProblemKind::LabelFromMask, 2),
    ];
    assert!(expected.iter().all(|expected| told.contains(expected)), "{told:?}");
}
