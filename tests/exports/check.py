"""Exports, read by other people's programs and compared with the masks that they were made from.

    python3 -m venv venv && venv/bin/pip install -r tests/exports/requirements.txt
    tag2mask export MASKS DATA --photos --out OUT --format \
        index-png,color-png,voc,coco-rle,coco-polygons,yolo-seg,cvat-polygons,cvat-masks,labelme,label-studio,cut-outs
    venv/bin/python tests/exports/check.py MASKS OUT

MASKS is a folder of index PNGs. More are tried where they are installed: `label-studio-sdk` (`pip install --no-deps` is
enough) unpacks Label Studio's masks, `labelme` reads its own files, `datumaro` those of CVAT and VOC, `supervision` YOLO's.
Ends with 1 when anything is not as it should be.
"""

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import yaml
from PIL import Image, ImageDraw
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

LEAST = 0.99
failed = False


def say(name, least, wanted, count):
    global failed
    right = count > 0 and least >= wanted
    failed |= not right
    print(f"{'ok    ' if right else 'FAILED'} {name:<32} least IoU {least:.4f} (wanted {wanted}) of {count} masks")


def iou(a, b):
    either = np.logical_or(a, b).sum()
    return 1.0 if either == 0 else np.logical_and(a, b).sum() / either


def masks_of(folder):
    return {path.stem: np.array(Image.open(path)) for path in sorted(Path(folder).glob("*.png"))}


def compare(name, masks, found, wanted, same_pixels=True):
    """`found(stem, label)` is a boolean array; every class that a mask has, or that was found, counts."""
    overlaps = []
    for stem, mask in masks.items():
        for label in sorted(set(np.unique(mask)) - {0, 255}):
            overlaps.append(iou(mask == label, found(stem, int(label))))
    say(name, min(overlaps, default=0.0), wanted, len(overlaps))


def painted(size, points):
    """By pixel centres, even-odd: at eight times the size, as Pillow's polygons go through pixels."""
    scale = 8
    width, height = size
    image = Image.new("1", (width * scale, height * scale))
    flat = [(x * scale - 0.5, y * scale - 0.5) for x, y in points]
    ImageDraw.Draw(image).polygon(flat, fill=1)
    return np.array(image)[scale // 2 :: scale, scale // 2 :: scale]


def check_pngs(masks, out):
    for name, folder in [("index PNG, Pillow", "index-png"), ("VOC masks, Pillow", "voc/SegmentationClass")]:
        read = {path.stem: Image.open(path) for path in (out / folder).glob("*.png")}
        assert all(image.mode == "P" for image in read.values()), "palette images"
        same = [np.array_equal(np.array(read[stem]), mask) for stem, mask in masks.items()]
        say(name, float(all(same)), 1.0, len(same))
    colors = {tuple(image) for image in np.array(Image.open(next((out / "voc/SegmentationClass").glob("*.png"))).convert("RGB")).reshape(-1, 3)}
    print("       colours of the first VOC mask:", sorted(tuple(map(int, color)) for color in colors))
    same = []
    for stem, mask in masks.items():
        as_rgb = np.array(Image.open(out / "index-png" / f"{stem}.png").convert("RGB"))
        same.append(np.array_equal(np.array(Image.open(out / "color-png" / f"{stem}.png")), as_rgb))
    say("colour PNG, Pillow", float(all(same)), 1.0, len(same))
    listed = (out / "voc/ImageSets/Segmentation/train.txt").read_text().split("\n")[:-1]
    assert listed == sorted(masks), "VOC's list"


def check_cut_outs(masks, out, classes):
    same = []
    for number, name in enumerate(classes, 1):
        for path in (out / "cut-outs" / name).glob("*.png"):
            alpha = np.array(Image.open(path))[:, :, 3]
            same.append(np.array_equal(alpha == 255, masks[path.stem] == number))
    say("cut-outs, Pillow", float(all(same)), 1.0, len(same))


def check_coco(masks, out, folder, wanted):
    coco = COCO(str(out / folder / "annotations/instances_train.json"))
    stems = {Path(image["file_name"]).stem: image["id"] for image in coco.loadImgs(coco.getImgIds())}
    assert sorted(stems) == sorted(masks), "COCO's images"

    def found(stem, label):
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=[stems[stem]], catIds=[label]))
        return np.logical_or.reduce([coco.annToMask(annotation) for annotation in annotations]).astype(bool)

    compare(f"{folder}, pycocotools", masks, found, wanted)
    if folder == "coco-rle":
        for annotation in coco.loadAnns(coco.getAnnIds()):
            code = annotation["segmentation"]
            assert coco_mask.area(code) == annotation["area"], "area"
            assert list(coco_mask.toBbox(code)) == annotation["bbox"], "bbox"
            again = coco_mask.encode(np.asfortranarray(coco_mask.decode(code)))
            assert again["counts"].decode() == code["counts"], "the code that pycocotools writes"


def check_yolo(masks, out, classes):
    data = yaml.safe_load((out / "yolo-seg/data.yaml").read_text())
    assert [data["names"][number] for number in range(len(classes))] == classes, "YOLO's names"

    def found(stem, label):
        mask = masks[stem]
        size = (mask.shape[1], mask.shape[0])
        all_of_it = np.zeros(mask.shape, bool)
        for line in (out / "yolo-seg/labels/train" / f"{stem}.txt").read_text().splitlines():
            number, *points = line.split()
            if int(number) == label - 1:
                points = np.array(points, float).reshape(-1, 2) * size
                all_of_it |= painted(size, points)
        return all_of_it

    compare("yolo-seg, Pillow's polygons", masks, found, LEAST)


def check_cvat(masks, out, classes):
    for folder, wanted in [("cvat-masks", 1.0), ("cvat-polygons", LEAST)]:
        root = ElementTree.parse(out / folder / "annotations.xml").getroot()
        assert [label.findtext("name") for label in root.iter("label")] == classes, "CVAT's labels"
        images = {Path(image.get("name")).stem: image for image in root.iter("image")}

        def found(stem, label):
            image = images[stem]
            size = (int(image.get("width")), int(image.get("height")))
            all_of_it = np.zeros((size[1], size[0]), bool)
            for shape in image:
                if shape.get("label") != classes[label - 1]:
                    continue
                if shape.tag == "polygon":
                    points = [tuple(map(float, point.split(","))) for point in shape.get("points").split(";")]
                    all_of_it |= painted(size, points)
                else:
                    left, top, width, height = (int(shape.get(key)) for key in ("left", "top", "width", "height"))
                    lengths = [int(length) for length in shape.get("rle").split(",")]
                    runs = np.repeat(np.arange(len(lengths)) % 2, lengths).reshape(height, width)
                    all_of_it[top : top + height, left : left + width] |= runs.astype(bool)
            return all_of_it

        compare(f"{folder}, ElementTree", masks, found, wanted)


def check_labelme(masks, out, classes):
    try:
        from labelme._label_file import read_label_file as reader
    except ImportError:
        reader = None

    def found(stem, label):
        path = out / "labelme" / f"{stem}.json"
        if reader:
            shapes = reader(str(path)).shapes
        else:
            shapes = json.loads(path.read_text())["shapes"]
        size = (masks[stem].shape[1], masks[stem].shape[0])
        mine = [painted(size, shape["points"]) for shape in shapes if shape["label"] == classes[label - 1]]
        return np.logical_or.reduce(mine)

    compare(f"labelme, {'its own reader' if reader else 'json'}", masks, found, LEAST)


def check_label_studio(masks, out, classes):
    try:
        from label_studio_sdk.converter.brush import decode_rle
    except ImportError:
        print("       label-studio: left out, as label-studio-sdk is not installed")
        return
    tasks = json.loads((out / "label-studio/tasks.json").read_text())
    by_stem = {Path(task["data"]["image"]).stem: task for task in tasks}

    def found(stem, label):
        for region in by_stem[stem]["predictions"][0]["result"]:
            if region["value"]["brushlabels"] == [classes[label - 1]]:
                shape = (region["original_height"], region["original_width"], 4)
                return decode_rle(region["value"]["rle"]).reshape(shape)[:, :, 3] == 255
        return np.zeros(masks[stem].shape, bool)

    compare("label-studio, its own SDK", masks, found, 1.0)


def check_with_datumaro(masks, out, classes):
    try:
        import datumaro
    except ImportError:
        print("       CVAT and VOC: left out, as datumaro is not installed")
        return
    for folder, layout, wanted in [
        ("cvat-polygons", "cvat", LEAST),
        ("cvat-masks", "cvat", 1.0),
        ("voc", "voc_segmentation", 1.0),
    ]:
        dataset = datumaro.Dataset.import_from(str(out / folder), layout)
        names = [label.name for label in dataset.categories()[datumaro.AnnotationType.label]]
        items = {Path(item.id).stem: item for item in dataset}

        def found(stem, label):
            mask = masks[stem]
            all_of_it = np.zeros(mask.shape, bool)
            for shape in items[stem].annotations:
                if names[shape.label] != classes[label - 1]:
                    continue
                if shape.type == datumaro.AnnotationType.polygon:
                    points = np.array(shape.points).reshape(-1, 2)
                    all_of_it |= painted((mask.shape[1], mask.shape[0]), points)
                elif shape.type == datumaro.AnnotationType.mask:
                    all_of_it |= np.asarray(shape.image).astype(bool)
            return all_of_it

        compare(f"{folder}, datumaro", masks, found, wanted)


def check_with_supervision(masks, out, classes):
    try:
        import supervision
    except ImportError:
        print("       YOLO: left out, as supervision is not installed")
        return
    root = out / "yolo-seg"
    dataset = supervision.DetectionDataset.from_yolo(
        str(root / "images/train"), str(root / "labels/train"), str(root / "data.yaml"), force_masks=True
    )
    assert dataset.classes == classes, "YOLO's names"
    by_stem = {Path(path).stem: found for path, _, found in dataset}

    def found(stem, label):
        mine = by_stem[stem]
        return np.logical_or.reduce([mask for mask, of in zip(mine.mask, mine.class_id) if of == label - 1])

    # It rounds corners to pixels, and paints the edge, too: half a pixel around.
    compare("yolo-seg, supervision", masks, found, 0.8)


def main():
    masks, out = masks_of(sys.argv[1]), Path(sys.argv[2])
    classes = (out / "index-png/classes.txt").read_text().split("\n")[1:-1]
    check_pngs(masks, out)
    check_cut_outs(masks, out, classes)
    check_coco(masks, out, "coco-rle", 1.0)
    check_coco(masks, out, "coco-polygons", LEAST)
    check_yolo(masks, out, classes)
    check_cvat(masks, out, classes)
    check_labelme(masks, out, classes)
    check_label_studio(masks, out, classes)
    check_with_datumaro(masks, out, classes)
    check_with_supervision(masks, out, classes)
    sys.exit(failed)


main()
