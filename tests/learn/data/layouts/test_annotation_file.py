"""Images beside annotation files, one for all or one an image."""

from __future__ import annotations

import json

import numpy as np
import pytest

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.learn.data.find import find_dataset
from microtome.learn.data.layouts import annotation_file
from microtome.learn.data.load import load

BOX = [[2.0, 3.0], [8.0, 3.0], [8.0, 9.0], [2.0, 9.0]]  # x, y: 36 pixels


def coco(*files):
    images = [{"id": k, "file_name": name, "height": 12, "width": 16} for k, name in enumerate(files, 1)]
    parts = [
        {"id": k, "image_id": k, "category_id": 5, "segmentation": [np.ravel(BOX).tolist()], "area": 36, "bbox": [2, 3, 6, 6], "iscrowd": 0}
        for k in range(1, len(files) + 1)
    ]
    return json.dumps({"images": images, "annotations": parts, "categories": [{"id": 5, "name": "cell"}]})


def voc(name):
    return (
        f"<annotation><filename>{name}</filename><size><width>16</width><height>12</height><depth>1</depth></size>"
        "<object><name>cell</name><bndbox><xmin>3</xmin><ymin>4</ymin><xmax>8</xmax><ymax>9</ymax></bndbox></object></annotation>"
    )


def labelme(name):
    shape = {"label": "cell", "points": BOX, "group_id": None, "shape_type": "polygon", "flags": {}}
    return json.dumps(
        {"version": "5", "flags": {}, "shapes": [shape], "imagePath": name, "imageData": None, "imageHeight": 12, "imageWidth": 16}
    )


def via(*names):
    shape = {"name": "polygon", "all_points_x": [x for x, _ in BOX], "all_points_y": [y for _, y in BOX]}
    region = {"shape_attributes": shape, "region_attributes": {"class": "cell"}}
    return json.dumps({f"{name}10": {"filename": name, "size": 10, "regions": [region], "file_attributes": {}} for name in names})


def cvat(*names):
    points = ";".join(f"{x},{y}" for x, y in BOX)
    images = "".join(
        f'<image id="{k}" name="{name}" width="16" height="12"><polygon label="cell" points="{points}" occluded="0" z_order="0"/></image>'
        for k, name in enumerate(names)
    )
    return f"<annotations><version>1.1</version>{images}</annotations>"


YOLO = "0 0.125 0.25 0.5 0.25 0.5 0.75 0.125 0.75\n"


def write(folder, form):
    folder.picture("images/a.png", "images/b.png")
    if form == "coco":
        folder.text("annotations.json", coco("a.png", "b.png"))
    elif form == "via":
        folder.text("via_export.json", via("a.png", "b.png"))
    elif form == "cvat":
        folder.text("annotations.xml", cvat("a.png", "b.png"))
    else:
        place, suffix, text = {
            "voc": ("Annotations", ".xml", voc),
            "labelme": ("images", ".json", labelme),
            "yolo": ("labels", ".txt", lambda name: YOLO),
        }[form]
        for stem in "ab":
            folder.text(f"{place}/{stem}{suffix}", text(f"{stem}.png"))
        if form == "yolo":
            folder.text("classes.txt", "cell\n")


@pytest.mark.parametrize("form", ["coco", "via", "cvat", "voc", "labelme", "yolo"])
def test_each_format_beside_its_images(folder, form):
    write(folder, form)
    with collect_warnings():
        dataset = find_dataset(folder.root)
    assert dataset.kind == "instance"
    assert [entry.name for entry in dataset] == ["images/a", "images/b"]
    assert [[item.class_name for item in entry.truth.objects.items] for entry in dataset] == [["cell"], ["cell"]]
    assert [entry.name for entry in dataset.classes] == ["cell"]
    assert not dataset.problems
    top, left, bottom, right = dataset.entries[0].truth.objects.items[0].box
    assert (left, right) == (2, 8)
    if form not in ("voc", "yolo"):
        assert (top, bottom) == (3, 9)
        assert np.count_nonzero(load(dataset, dataset.entries[0]).truth) == 36


def test_splits_come_from_the_names_of_files(folder):
    folder.picture("images/a.png", "images/b.png", "images/c.png")
    folder.text("annotations/instances_train2017.json", coco("a.png"))
    folder.text("annotations/instances_val2017.json", coco("images/b.png"))
    dataset = find_dataset(folder.root)
    assert [(entry.name, entry.split, entry.truth is not None) for entry in dataset] == [
        ("images/a", "train", True),
        ("images/b", "val", True),
        ("images/c", "", False),
    ]
    assert [(problem.kind, problem.file) for problem in dataset.problems] == [("image-without-annotation", "images/c.png")]


def test_a_file_given_speaks_only_of_its_own_images(folder):
    folder.picture("images/a.png", "images/b.png")
    path = folder.text("coco_val.json", coco("b.png"))
    folder.text("coco_train.json", coco("a.png"))
    dataset = find_dataset(path)
    assert [(entry.name, entry.split) for entry in dataset] == [("images/b", "val")]
    assert dataset.root == folder.root


def test_names_lead_to_files_by_their_end(folder):
    folder.picture("x/a.png", "y/a.png", "x/b.png")
    folder.text("labels.json", coco("C:\\work\\x\\a.png", "../elsewhere/b.jpg", "a.png"))
    entries, problems = annotation_file.find(folder.root)
    assert [(entry.name, entry.truth is not None) for entry in entries] == [("x/a", True), ("x/b", True), ("y/a", False)]
    assert [problem.kind for problem in problems] == ["annotation-without-image", "image-without-annotation"]
    assert "2 images have this name" in problems[0].message


def test_an_image_annotated_twice_keeps_the_first(folder):
    folder.picture("images/a.png")
    folder.text("coco_train.json", coco("a.png"))
    folder.text("coco_val.json", coco("a.png"))
    dataset = find_dataset(folder.root)
    assert [(entry.name, entry.split) for entry in dataset] == [("images/a", "train")]
    assert [problem.kind for problem in dataset.problems] == ["annotated-twice"]


def test_of_two_formats_one_is_read_and_the_other_told(folder):
    write(folder, "voc")
    folder.text("coco.json", coco("a.png", "b.png"))
    with collect_warnings() as said:
        dataset = find_dataset(folder.root)
    assert dataset.entries[0].truth.path.name == "coco.json"
    assert "Annotations (voc)" in said[0]
    assert "layout='voc'" in said[0]
    with collect_warnings():
        assert find_dataset(folder.root, layout="voc").entries[0].truth.path.name == "Annotations"
    with pytest.raises(InputError, match="no cvat annotations there; found coco, voc"):
        find_dataset(folder.root, layout="cvat")


def test_files_that_number_a_class_differently_are_refused(folder):
    folder.picture("images/a.png", "images/b.png")
    folder.text("coco_train.json", coco("a.png"))
    folder.text(
        "coco_val.json", coco("b.png").replace('"id": 5, "name"', '"id": 6, "name"').replace('"category_id": 5', '"category_id": 6')
    )
    with pytest.raises(InputError, match=r"'cell' has the value 5 .* and 6"):
        find_dataset(folder.root)


def test_bccd_boxes_with_their_splits(labelled_sets):
    with collect_warnings() as said:
        dataset = find_dataset(labelled_sets / "bccd")
        boxes = find_dataset(labelled_sets / "bccd", layout="voc")
    assert {split: len(dataset.part(split)) for split in dataset.splits} == {"train": 205, "val": 87, "test": 72}
    assert {entry.name: entry.split for entry in boxes} == {entry.name: entry.split for entry in dataset}
    assert [entry.name for entry in dataset.classes] == ["RBC", "WBC", "Platelets"]
    assert any("annotations_voc (voc)" in message for message in said)


@pytest.mark.parametrize("form", ["coco", "coco beside", "voc", "labelme", "yolo"])
def test_images_of_one_name_in_two_splits(folder, form):
    for split in ("train", "val"):
        pictures = {"coco": split, "coco beside": split, "voc": f"{split}/images", "labelme": split, "yolo": f"images/{split}"}[form]
        folder.picture(f"{pictures}/0.png", shape=(12, 16) if split == "train" else (24, 32))
        name, text = {
            "coco": (f"annotations/{split}.json", coco("0.png")),
            "coco beside": (f"{split}/_annotations.coco.json", coco("0.png")),
            "voc": (f"{split}/annotations/0.xml", voc("0.png")),
            "labelme": (f"{split}/0.json", labelme("0.png")),
            "yolo": (f"labels/{split}/0.txt", YOLO),
        }[form]
        folder.text(name, text)
    folder.text("data.yaml", "names: [cell]\n")
    dataset = find_dataset(folder.root)
    assert [entry.split for entry in dataset] == ["train", "val"]
    assert not dataset.problems
    sources = [entry.truth.path.relative_to(folder.root).as_posix() for entry in dataset]
    assert all(split in source for split, source in zip(dataset.splits, sources, strict=True))
    if form == "yolo":  # fractions of the image's own size
        assert [load(dataset, entry).truth.pixels.any(axis=1).sum() for entry in dataset] == [6, 12]


def test_cocos_other_files_are_left_out(folder):
    folder.picture("train2017/a.png", "test2017/b.png")
    folder.text("annotations/captions_train2017.json", '{"images": [], "annotations": [{"id": 1, "image_id": 1, "caption": "a cell"}]}')
    folder.text("annotations/image_info_test2017.json", '{"images": [{"id": 1, "file_name": "b.png"}], "categories": [{"id": 5}]}')
    folder.text("annotations/instances_train2017.json", coco("a.png"))
    with collect_warnings() as said:
        dataset = find_dataset(folder.root)
    assert [(entry.name, entry.truth is not None) for entry in dataset] == [("test2017/b", False), ("train2017/a", True)]
    assert "captions_train2017.json" in said[0]


def test_a_list_of_images_without_objects_is_no_truth(folder):
    folder.picture("images/a.png", "images/b.png")
    folder.text("train.json", coco("a.png"))
    folder.text("test.json", json.dumps({**json.loads(coco("b.png")), "annotations": []}))
    with collect_warnings() as said:
        dataset = find_dataset(folder.root)
    assert [(entry.name, entry.truth is not None) for entry in dataset] == [("images/a", True), ("images/b", False)]
    assert "test.json: names 1 images and no object" in said[0]
