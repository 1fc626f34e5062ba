"""Files as other programs write them, with the liberties they take: read as meant, and whatever is left out is told."""

import json
import zipfile

import cv2
import numpy as np
import pytest
import roifile

import microtome.io.annotations as formats
from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.kernels.areas import runs_of
from microtome.io.annotations import coco, geojson, imagej, kaggle, labelme, via, voc, yolo
from microtome.io.annotations.rings import nested

FLAT = [2, 2, 8, 2, 8, 8, 2, 8]


def saved(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def picture(path, height=10, width=20):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.zeros((height, width), np.uint8))


def in_coco(tmp_path, *annotations, size=(12, 12)):
    one = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [FLAT], "bbox": [2, 2, 6, 6], "area": 36, "iscrowd": 0}
    return saved(tmp_path / "c.json", {
        "images": [{"id": 1, "file_name": "a.png", "height": size[0], "width": size[1]}], "categories": [{"id": 1, "name": "cell"}],
        "annotations": [one | {"id": n} | other for n, other in enumerate(annotations, 1)]})  # fmt: skip


# COCO


@pytest.mark.parametrize(("segmentation", "form"), [([[]], "box"), ({}, "box"), (None, "box"), (FLAT, "polygons")])
def test_coco_segmentations_that_are_empty_or_without_a_list_around(tmp_path, segmentation, form):
    (found,) = coco.read(in_coco(tmp_path, {"segmentation": segmentation}))
    assert (found.items[0].form, found.items[0].box) == (form, (2, 2, 8, 8))


def test_coco_with_annotations_by_id_sizes_with_a_point_and_no_crowd(tmp_path):
    path = in_coco(tmp_path, {"iscrowd": None}, {"iscrowd": None}, size=(12.0, "12"))
    document = json.loads(path.read_text())
    saved(path, document | {"annotations": {str(one["id"]): one for one in document["annotations"]}})
    (found,) = coco.read(path)
    assert (found.shape, [item.number for item in found.items]) == ((12, 12), [1, 2])


def test_coco_is_recognised_with_many_images_before_the_rest(tmp_path):
    images = [{"id": n, "file_name": f"image_{n:030}.png", "height": 9, "width": 9} for n in range(1500)]
    annotations = [{"id": n, "image_id": n, "category_id": 1, "bbox": [1, 1, 2, 2]} for n in range(1500)]
    path = saved(tmp_path / "c.json", {"images": images, "categories": [{"id": 1, "name": "a"}], "annotations": annotations})
    assert formats.recognise(path) == "coco"
    assert formats.recognise(saved(path, [{"bbox": [1, 1, 2, 2], "image_id": 1, "category_id": 1, "score": 0.5}])) == "coco"


def test_coco_attributes_are_told(tmp_path):
    with collect_warnings() as said:
        coco.read(in_coco(tmp_path, {"attributes": {"occluded": False}}))
    assert "1 annotations have attributes" in said[0]


def test_a_field_that_stands_twice_is_refused(tmp_path):
    path = saved(tmp_path / "c.json", '{"images": [], "categories": [], "annotations": [{"id": 1}], "annotations": []}')
    with pytest.raises(InputError, match=r"c\.json: the field 'annotations' stands more than once"):
        coco.read(path)


# LabelMe, VIA


def in_labelme(**other):
    shape = {"label": "cell", "points": [[2, 2], [8, 2], [8, 8]], "group_id": None, "shape_type": "polygon", "flags": {}}
    return {"version": "5.4.1", "flags": {}, "shapes": [shape], "imagePath": "a.png", "imageData": None, "imageHeight": 12,
            "imageWidth": 12} | other  # fmt: skip


def test_labelme_with_the_picture_first_is_recognised(tmp_path):
    path = saved(tmp_path / "a.json", json.dumps(in_labelme(imageData="A" * 200_000), sort_keys=True))
    assert formats.recognise(path) == "labelme"


def test_a_size_of_zero_is_none(tmp_path):
    with collect_warnings() as said:
        (found,) = labelme.read(saved(tmp_path / "a.json", in_labelme(imageHeight=0, imageWidth=0)))
    assert found.shape == (8, 8)
    assert "do not say their image's size" in said[0]


@pytest.mark.parametrize("format", ["coco", "labelme", "cvat", "via", "voc", "geojson", "imagej"])
def test_an_image_of_unknown_size_without_objects_survives(tmp_path, format):
    source = saved(tmp_path / "a.geojson", {"type": "FeatureCollection", "features": []})
    target = tmp_path / {"coco": "o.json", "via": "o.json", "cvat": "o.xml"}.get(format, "o")
    with collect_warnings():
        formats.write(target, geojson.read(source), format=format)
        assert [one.shape for one in formats.read(target, format=format)] == [(0, 0)]


def test_remarks_on_shapes_are_told(tmp_path):
    document = in_labelme()
    document["shapes"][0] |= {"description": "a doubtful one", "flags": {"blurred": True}}
    with collect_warnings() as said:
        labelme.read(saved(tmp_path / "a.json", document))
    assert "1 shapes have flags or a description" in said[0]


def test_a_number_of_many_digits_is_no_object(tmp_path):
    region = {"shape_attributes": {"name": "rect", "x": 1, "y": 1, "width": 2, "height": 2}, "region_attributes": {"object": "9" * 5000}}
    about = {"height": "9", "width": "9"}
    path = saved(tmp_path / "v.json", {"a": {"filename": "a.png", "size": 1, "regions": [region] * 2, "file_attributes": about}})
    assert [item.number for item in via.read(path)[0].items] == [1, 2]


# YOLO


def test_a_data_set_of_roboflow(tmp_path):
    for part, height in (("train", 10), ("valid", 30)):
        picture(tmp_path / part / "images" / "a.png", height)
        saved(tmp_path / part / "labels" / "a.txt", "0 0.5 0.5 0.5 0.5\n")
    saved(tmp_path / "README.roboflow.txt", "\nexported on March 1\n")
    saved(tmp_path / "data.yaml", "train: ../train/images\nnames: ['cell']\n")
    assert formats.recognise(tmp_path) == "yolo"
    for shapes in (None, {"train/images/a.png": (10, 20), "valid/images/a.png": (30, 20)}):
        found = yolo.read(tmp_path, shapes=shapes)
        assert [(one.image, one.shape) for one in found] == [("train/images/a.png", (10, 20)), ("valid/images/a.png", (30, 20))]


def test_lists_of_images_beside_labels_are_no_labels(tmp_path):
    picture(tmp_path / "obj_train_data" / "a.png")
    saved(tmp_path / "obj_train_data" / "a.txt", "0 0.5 0.5 0.5 0.5\n")
    saved(tmp_path / "train.txt", "data/obj_train_data/a.png\n")
    saved(tmp_path / "obj.names", "cell\n")
    assert [one.image for one in yolo.read(tmp_path)] == ["obj_train_data/a.png"]


def test_a_picture_called_test_is_one(tmp_path):
    picture(tmp_path / "test.png")
    saved(tmp_path / "test.txt", "0 0.5 0.5 0.5 0.5\n")
    saved(tmp_path / "classes.txt", "cell\n")
    assert [one.image for one in yolo.read(tmp_path)] == ["test.png"]


def test_labels_after_many_empty_ones_are_recognised(tmp_path):
    for n in range(30):
        saved(tmp_path / f"a{n}.txt", "")
    (tmp_path / "z.txt").write_bytes(b"\xef\xbb\xbf0 0.5 0.5 0.5 0.5\r\n")
    assert formats.recognise(tmp_path) == "yolo"


def test_a_hair_outside_of_the_image_is_kept_and_a_hundredth_is_not(tmp_path):
    saved(tmp_path / "classes.txt", "cell")
    path = saved(tmp_path / "a.txt", "0 -0.0000001 0 1.0000001 0 1 1")
    (found,) = yolo.read(path, shapes={"a.png": (10, 10)})
    assert runs_of(found.items[0], (10, 10)).area == 55
    with pytest.raises(InputError, match=r"1\.02 is not from 0 to 1"):
        yolo.read(saved(path, "0 0 0 1.02 0 1 1"), shapes={"a.png": (10, 10)})


@pytest.mark.parametrize(("text", "words"), [
    ("names: [a]\nkpt_shape: [5, 2]\n", "labels of key points"),
    ("a: &a [x, x]\nnames: [*a, *a]\n", "called by a list"),
])  # fmt: skip
def test_lists_of_names_that_are_of_another_kind(tmp_path, text, words):
    saved(tmp_path / "data.yaml", text)
    with pytest.raises(InputError, match=words):
        yolo.read(saved(tmp_path / "a.txt", "0 0.5 0.5 0.5 0.5 0.1 0.1 0.2 0.2"), shapes={"a.png": (9, 9)})


def test_images_with_double_suffixes_are_found(tmp_path):
    saved(tmp_path / "classes.txt", "cell")
    path = saved(tmp_path / "a.txt", "0 0.5 0.5 0.5 0.5")
    assert yolo.read(path, shapes={"plate/a.ome.tif": (8, 8)})[0].image == "plate/a.ome.tif"


# Kaggle, VOC, QuPath


def test_the_solutions_of_the_data_science_bowl_say_the_sizes(tmp_path):
    path = saved(tmp_path / "s.csv", "ImageId,EncodedPixels,Height,Width,Usage\nab,3 3,2,3,Public\n")
    (found,) = kaggle.read(path)
    assert (found.image, found.shape, found.items[0].runs.counts.tolist()) == ("ab", (2, 3), [2, 3, 1])


def test_voc_with_polygons_beside_the_boxes(tmp_path):
    path = saved(tmp_path / "a.xml", "<annotation><filename>a.png</filename><size><width>9</width><height>9</height></size><object>"
                 "<name>cell</name><polygon><x1>1</x1></polygon><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>"
                 "</object></annotation>")  # fmt: skip
    assert formats.recognise(path) == "voc"
    with collect_warnings() as said:
        assert voc.read(path)[0].items[0].box == (0, 0, 4, 3)
    assert "1 objects have polygons" in said[0]


def feature(ring, **properties):
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": properties}


def test_measurements_of_qupath_are_told(tmp_path):
    ring = [[0, 0], [4, 0], [4, 4], [0, 0]]
    new, old = feature(ring, measurements={"Area": 8.0, "score": 0.5}), feature(ring, measurements=[{"name": "Area", "value": 8.0}])
    with collect_warnings() as said:
        (found,) = geojson.read(saved(tmp_path / "a.geojson", [new, old, feature(ring)]), shapes={"a.tif": (9, 9)})
    assert said == [f"{tmp_path / 'a.geojson'}: 2 features have measurements, which were not read"]
    assert found.items[0].score == 0.5


def test_a_ring_that_goes_there_and_back_encloses_nothing(tmp_path):
    path = saved(tmp_path / "a.geojson", [feature([[0, 0], [4, 4], [0, 0]])])
    with pytest.raises(InputError, match="feature 0: a ring: 2 corners enclose no area"):
        geojson.read(path)


# ImageJ


def roi(kind=roifile.ROI_TYPE.RECT, **other):
    one = roifile.ImagejRoi()
    one.roitype, one.left, one.top, one.right, one.bottom = kind, 1, 2, 5, 4
    for name, value in other.items():
        setattr(one, name, value)
    return one.tobytes()


def zipped(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_what_macos_packs_beside_rois_is_no_roi(tmp_path):
    path = zipped(tmp_path / "a.zip", {"7.roi": roi(), "__MACOSX/._7.roi": b"\0\5\26\7" * 9})
    (found,) = imagej.read(path, shapes={"a.tif": (9, 9)})
    assert [(item.number, item.box) for item in found.items] == [(7, (2, 1, 4, 5))]  # an ROI without a name is called as its file


@pytest.mark.parametrize("subtype", [roifile.ROI_SUBTYPE.ELLIPSE, roifile.ROI_SUBTYPE.ROTATED_RECT])
def test_ellipses_and_turned_rectangles_are_areas(tmp_path, subtype):
    corners = np.array([[2, 2], [8, 3], [7, 9], [1, 8]])
    one = roifile.ImagejRoi.frompoints(corners)
    one.roitype, one.subtype = roifile.ROI_TYPE.FREEHAND, subtype
    (found,) = imagej.read(zipped(tmp_path / "a.zip", {"e.roi": one.tobytes()}), shapes={"a.tif": (12, 12)})
    np.testing.assert_array_equal(found.items[0].polygons[0].outer, corners[:, ::-1])


def test_rois_on_several_slices_are_told(tmp_path):
    path = zipped(tmp_path / "a.zip", {f"{k}.roi": roi(position=k) for k in (1, 2)})
    with collect_warnings() as said:
        imagej.read(path, shapes={"a.tif": (9, 9)})
    assert "several slices" in said[0]


def test_an_oval_without_extent_is_no_area(tmp_path):
    path = zipped(tmp_path / "a.zip", {"1.roi": roi(roifile.ROI_TYPE.OVAL, right=1)})
    with collect_warnings() as said:
        assert not imagej.read(path, shapes={"a.tif": (9, 9)})[0].items
    assert "1 of 1 ROIs" in said[0]


def test_a_composite_of_thousands_of_rings_is_sorted_by_where_they_lie(tmp_path):
    square = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    places = [np.array([y, x]) for y in range(0, 200, 4) for x in range(0, 200, 4)]
    rings = [ring for place in places for ring in (place + 3 * square, place + 1 + square)]
    found = nested(rings)
    assert (len(found), {len(polygon.holes) for polygon in found}) == (2500, {1})
