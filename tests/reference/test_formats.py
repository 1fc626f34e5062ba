"""What annotation formats mean, in numbers: the square of rows and columns 2 to 7 of 12 x 12 (36 pixels), and the mask 011/010."""

import json

import nibabel
import numpy as np
import pytest
from pycocotools import mask as peer

from microtome.core.kernels.areas import instance_map, objects_of, runs_of
from microtome.core.kernels.run_lengths import decode, encode
from microtome.core.objects import Object, Objects
from microtome.core.outlines import Polygon
from microtome.core.raster import Image, InstanceMap
from microtome.io import read, read_mask, write
from microtome.io.annotations import coco, kaggle, voc, yolo
from microtome.io.annotations.coco_rle import compress, expand

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools with NumPy 2

SMALL = np.array([[0, 1, 1], [0, 1, 0]])
SQUARE = np.zeros((12, 12), int)
SQUARE[2:8, 2:8] = 1
CORNERS = Polygon(np.array([[2.0, 2.0], [2.0, 8.0], [8.0, 8.0], [8.0, 2.0]]))


def square(**about):
    return Objects((12, 12), (Object(1, (CORNERS,), class_name="cell", **about),), "a.png")


def test_coco_run_lengths_go_down_the_columns_from_zeros():
    assert encode(SMALL).counts.tolist() == [2, 3, 1]
    assert compress(encode(SMALL).counts) == "231"
    assert encode(1 - SMALL).counts.tolist() == [0, 2, 3, 1]
    runs = encode(SQUARE)
    assert compress(runs.counts) == "j066000000000^1"
    assert expand("j066000000000^1").tolist() == [26, *[6] * 11, 52]
    assert runs.area == 36
    assert runs.box == (2, 2, 8, 8)
    theirs = {"size": [12, 12], "counts": b"j066000000000^1"}
    assert peer.toBbox(theirs).tolist() == [2, 2, 6, 6]  # x, y, width, height
    assert peer.area(theirs) == 36


def test_coco_polygons_go_through_corners_of_pixels(tmp_path):
    coco.write(tmp_path / "c.json", [square()])
    (written,) = json.loads((tmp_path / "c.json").read_text())["annotations"]
    assert written["bbox"] == [2, 2, 6, 6]
    assert written["area"] == 36
    assert set(zip(written["segmentation"][0][::2], written["segmentation"][0][1::2], strict=True)) == {(2, 2), (8, 2), (8, 8), (2, 8)}
    np.testing.assert_array_equal(peer.decode(peer.merge(peer.frPyObjects(written["segmentation"], 12, 12))), SQUARE)
    np.testing.assert_array_equal(instance_map(coco.read(tmp_path / "c.json")[0]).pixels, SQUARE)


def test_coco_category_ids_are_as_many_as_91_for_80_classes(tmp_path):
    content = {"images": [{"id": 397133, "file_name": "000000397133.jpg", "width": 12, "height": 12}], "categories":
               [{"id": k, "name": f"thing {k}"} for k in (1, 44, 90)], "annotations":
               [{"id": 82445, "image_id": 397133, "category_id": 44, "bbox": [2, 2, 6, 6], "iscrowd": 1, "segmentation":
                 {"size": [12, 12], "counts": [26, *[6] * 11, 52]}}]}  # fmt: skip
    (tmp_path / "c.json").write_text(json.dumps(content))
    (found,) = coco.read(tmp_path / "c.json")
    assert [entry.value for entry in found.classes] == [1, 44, 90]
    assert (found.items[0].number, found.items[0].class_name, found.items[0].crowd) == (82445, "thing 44", True)


def test_kaggle_counts_from_one_down_the_columns(tmp_path):
    images = [objects_of(InstanceMap(SMALL), image="small"), objects_of(InstanceMap(SQUARE), image="square"), Objects((2, 2), image="none")]
    kaggle.write(tmp_path / "t.csv", images)
    assert (tmp_path / "t.csv").read_text().splitlines() == [
        "ImageId,EncodedPixels",
        "small,3 3",
        "square,27 6 39 6 51 6 63 6 75 6 87 6",
        "none,",
    ]
    back = kaggle.read(tmp_path / "t.csv", shapes={"small": (2, 3), "square": (12, 12), "none": (2, 2)})
    np.testing.assert_array_equal(decode(back[1].items[0].runs), SQUARE)


def test_carvana_counts_from_one_along_the_rows(tmp_path):
    (tmp_path / "t.csv").write_text("img,rle_mask\nsmall.jpg,2 2 5 1\n")
    (found,) = kaggle.read(tmp_path / "t.csv", shapes={"small.jpg": (2, 3)}, order="rows")
    np.testing.assert_array_equal(decode(found.items[0].runs), SMALL)


def test_voc_counts_from_one_and_includes_both_edges(tmp_path):
    voc.write(tmp_path / "a.xml", [square()])
    text = (tmp_path / "a.xml").read_text()
    assert [f"<{edge}>{value}</{edge}>" in text for edge, value in (("xmin", 3), ("ymin", 3), ("xmax", 8), ("ymax", 8))] == [True] * 4
    (found,) = voc.read(tmp_path / "a.xml")
    top, left, bottom, right = found.items[0].box
    assert (right - left, bottom - top) == (8 - 3 + 1, 8 - 3 + 1)


def test_yolo_divides_by_width_and_height_and_counts_classes_from_zero(tmp_path):
    yolo.write(tmp_path, [Objects((12, 24), square().items, "a.png"), Objects((12, 24), (Object(1, given_box=(2, 2, 8, 8)),), "b.png")])
    kind, *numbers = (tmp_path / "a.txt").read_text().split()
    assert kind == "0"
    assert {(24 * float(x), 12 * float(y)) for x, y in zip(numbers[::2], numbers[1::2], strict=True)} == {(2, 2), (8, 2), (8, 8), (2, 8)}
    kind, *numbers = (tmp_path / "b.txt").read_text().split()
    assert kind == "1"
    np.testing.assert_allclose([float(one) for one in numbers], [5 / 24, 5 / 12, 6 / 24, 6 / 12], rtol=1e-15)
    (found, _) = yolo.read(tmp_path, shapes={"a.png": (12, 24), "b.png": (12, 24)})
    assert runs_of(found.items[0], (12, 24)).area == 36


def test_nifti_is_x_y_z_in_the_file_and_right_anterior_superior_in_the_world(tmp_path):
    volume = np.zeros((2, 3, 4), np.uint8)  # z, y, x
    volume[1, 2, 3] = 7
    affine = np.array([[0.5, 0, 0, 10], [0, 0.75, 0, 20], [0, 0, 3, 30], [0, 0, 0, 1]])
    nibabel.save(nibabel.Nifti1Image(volume.T, affine), tmp_path / "v.nii.gz")
    for found in (read(tmp_path / "v.nii.gz"), read_mask(tmp_path / "v.nii.gz")):
        np.testing.assert_array_equal(found.pixels, volume)
        assert (found.spacing, found.unit, found.origin) == ((3, 0.75, 0.5), "mm", (10, 20, 30))
        matrix = np.reshape(found.direction, (3, 3))
        world = np.array(found.origin) + matrix @ (np.array(found.spacing) * [1, 2, 3])
        assert world.tolist() == [10 + 0.5 * 3, 20 + 0.75 * 2, 30 + 3 * 1]
        assert nibabel.aff2axcodes(affine) == ("R", "A", "S")
    write(Image(volume, "zyx", found.spacing, "mm", found.origin, found.direction), tmp_path / "w.nii")
    np.testing.assert_array_equal(nibabel.load(tmp_path / "w.nii").affine, affine)
    assert np.asarray(nibabel.load(tmp_path / "w.nii").dataobj)[3, 2, 1] == 7
