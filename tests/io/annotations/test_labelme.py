"""LabelMe files as LabelMe and its relatives write them, and as they arrive damaged."""

import base64
import json

import numpy as np
import pytest

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.kernels.areas import runs_of
from microtome.core.kernels.run_lengths import decode, encode
from microtome.core.objects import Object, Objects
from microtome.core.outlines import Polygon
from microtome.io.annotations import labelme
from microtome.io.masks import png

SQUARE = [[2, 2], [8, 2], [8, 8], [2, 8]]


def shape(points=SQUARE, kind="polygon", label="cell", **more):
    return {"label": label, "points": points, "group_id": None, "shape_type": kind, "flags": {}, **more}


def packed(pixels):
    return base64.b64encode(png.encode(np.asarray(pixels, np.uint8), {})).decode()


def saved(path, *shapes, **more):
    document = {"version": "5.5.0", "flags": {}, "shapes": list(shapes), "imagePath": "a.png", "imageData": None,
                "imageHeight": 12, "imageWidth": 14, **more}  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def pixels(item, image):
    return decode(runs_of(item, image.shape))


def test_parts_of_one_label_and_group_are_one_object(tmp_path):
    far = [[10, 0], [12, 0], [12, 2]]
    path = saved(tmp_path / "a.json", shape(group_id=5), shape(far, group_id=5), shape(far, label="dirt", group_id=5), shape(far))
    (image,) = labelme.read(path)
    assert [(item.class_name, len(item.polygons)) for item in image.items] == [("cell", 2), ("dirt", 1), ("cell", 1)]
    assert [item.number for item in image.items] == [1, 2, 3]  # 5 stands for two objects and can be no number
    assert [(entry.value, entry.name) for entry in image.classes] == [(1, "cell"), (2, "dirt")]


def test_a_mask_and_a_polygon_of_one_group_are_one_area(tmp_path):
    hole = np.ones((4, 4))
    hole[1, 1] = 0
    path = saved(tmp_path / "a.json", shape([[0, 0], [3, 3]], "mask", mask=packed(hole), group_id=2), shape(group_id=2))
    (image,) = labelme.read(path)
    expected = np.zeros((12, 14), bool)
    expected[:4, :4] = hole
    expected[2:8, 2:8] = True
    np.testing.assert_array_equal(pixels(image.items[0], image), expected)
    assert image.items[0].number == 2


def test_rectangles_alone_are_boxes_and_among_parts_are_areas(tmp_path):
    alone = shape([[8, 9], [2, 2]], "rectangle")  # any two opposite corners
    part = shape([[0, 0], [2, 1]], "rectangle", group_id=1)
    (image,) = labelme.read(saved(tmp_path / "a.json", alone, part, shape(group_id=1)))
    assert [item.form for item in image.items] == ["box", "polygons"]
    assert image.items[0].box == (2, 2, 9, 8)
    assert pixels(image.items[1], image).sum() == 36 + 2


def test_circles_become_polygons_and_lines_are_told(tmp_path):
    path = saved(tmp_path / "a.json", shape([[6, 6], [6, 10]], "circle"), shape([[0, 0], [1, 1]], "line"), shape([[0, 0]], "point"))
    with collect_warnings() as said:
        (image,) = labelme.read(path)
    assert abs(pixels(image.items[0], image).sum() - np.pi * 16) < 3
    assert "2 shapes are no areas (1 of type line, 1 of type point)" in said[0]
    assert "1 circles were read as polygons of 128 corners" in said[1]


def test_a_mask_in_a_box_of_fractions_may_be_a_pixel_off_and_is_cut_at_the_edge(tmp_path):
    path = saved(tmp_path / "a.json", shape([[-1.4, 9.5], [1.5, 13.4]], "mask", mask=packed(np.ones((5, 4)))))
    (image,) = labelme.read(path)
    assert image.items[0].box == (10, 0, 12, 3)


def test_the_picture_in_the_file_is_never_looked_at(tmp_path):
    (image,) = labelme.read(saved(tmp_path / "a.json", shape(), imageData="no base64 at all"))
    assert len(image) == 1


def test_images_of_a_folder_are_named_as_seen_from_it(tmp_path):
    saved(tmp_path / "labels" / "one" / "a.json", shape(), imagePath="..\\..\\images\\a.png")
    saved(tmp_path / "labels" / "b.json", shape(label="dirt"), imagePath="")
    (tmp_path / "labels" / "settings.json").write_text("{}")
    with collect_warnings() as said:
        images = labelme.read(tmp_path / "labels")
    assert [one.image for one in images] == ["b", "../images/a.png"]
    assert all([entry.name for entry in one.classes] == ["cell", "dirt"] for one in images)
    assert said == [f"{tmp_path / 'labels'}: 1 files are of another format and were passed over, the first is settings.json"]


def test_written_files_name_their_images_as_seen_from_themselves(tmp_path):
    images = [Objects((9, 9), (), name) for name in ("plate/a.tif", "plate/a.png", "../b.png", "")]
    labelme.write(tmp_path / "out", images)
    files = {file.relative_to(tmp_path / "out").as_posix(): json.loads(file.read_text()) for file in (tmp_path / "out").rglob("*.json")}
    assert {name: document["imagePath"] for name, document in files.items()} == {
        "plate/a.tif.json": "a.tif", "plate/a.png.json": "a.png", "b.json": "../b.png", "image 4.json": ""}  # fmt: skip
    assert {one.image for one in labelme.read(tmp_path / "out")} == {"plate/a.tif", "plate/a.png", "../b.png", "image 4"}


def test_holes_are_written_as_masks_and_corners_between_pixels_are_told(tmp_path):
    square = np.array(SQUARE, float)
    inner = (square - 5) / 2 + 5
    items = (Object(1, (Polygon(square, (inner,)),), class_name="cell"), Object(2, (Polygon(square + 0.25, (inner,)),)))
    account = labelme.write(tmp_path / "a.json", [Objects((12, 14), items, "a.png")])
    assert account.lost == {"outlines with holes, now whole pixels": 2}  # the inner corners lie at 3.5 and 6.5
    kinds = [one["shape_type"] for one in json.loads((tmp_path / "a.json").read_text())["shapes"]]
    assert kinds == ["mask", "mask"]
    (image,) = labelme.read(tmp_path / "a.json")
    for before, after in zip(items, image.items, strict=True):
        np.testing.assert_array_equal(pixels(before, image), pixels(after, image))


def test_a_size_that_is_not_in_the_file_comes_from_the_caller_or_is_told(tmp_path):
    path = saved(tmp_path / "a.json", shape(), imageHeight=None)
    assert labelme.read(path, shapes={"plate/a.png": (30, 40)})[0].shape == (30, 40)
    with collect_warnings() as said:
        assert labelme.read(path)[0].shape == (8, 8)
    assert "1 files do not say their image's size" in said[0]


def test_polygons_outside_of_the_image_are_told_with_their_count(tmp_path):
    beyond = [[10, 10], [20, 10], [20, 20]]
    with collect_warnings() as said:
        (image,) = labelme.read(saved(tmp_path / "a.json", shape(beyond), shape(), shape([[-0.4, 0], [5, 0], [5, 5]])))
    assert said == [f"{tmp_path / 'a.json'}: 1 of 3 objects reach beyond their image; what lies outside is in no mask"]
    assert len(image) == 3


BAD = {
    "corner 1 is (nan, 2.0)": shape([[2, 2], [float("nan"), 2], [8, 8]]),
    "2 corners enclose no area": shape([[2, 2], [8, 2]]),
    "corners must be pairs": shape([[2, 2, 3], [8, 2], [1, 1]]),
    "'label' is missing": {"points": SQUARE, "shape_type": "polygon"},
    "'label' must be str": shape(label=7),
    "shape_type 'cube' is not known": shape(kind="cube"),
    "the mask is 3 x 3 pixels, its box 6 x 6": shape([[2, 2], [7, 7]], "mask", mask=packed(np.ones((3, 3)))),
    "more than the image's 12 x 14": shape([[0, 0], [29, 29]], "mask", mask=packed(np.ones((30, 30)))),
    "'mask' is not base64": shape([[2, 2], [7, 7]], "mask", mask="%%%"),
    "'mask' is not a PNG": shape([[2, 2], [7, 7]], "mask", mask="AAAA"),
    "encloses no area": shape([[2, 2], [2, 7]], "rectangle"),
    "an ellipse of radii 0": shape([[2, 2], [2, 2]], "circle"),
    "expected 2 points": shape([[2, 2]], "circle"),
    "expected an object with named fields": ["label", "points"],
    "'group_id' must be int": shape(group_id="seven"),
}


@pytest.mark.parametrize("words", BAD)
def test_a_faulty_shape_is_named_and_the_rest_can_be_read(tmp_path, words):
    path = saved(tmp_path / "a.json", shape(), BAD[words], shape(label="dirt"))
    with pytest.raises(InputError) as error:
        labelme.read(path)
    assert str(error.value).startswith(f"{path}: shapes[1]")
    assert words in str(error.value)
    with collect_warnings() as said:
        (image,) = labelme.read(path, skip_bad=True)
    assert [item.class_name for item in image.items] == ["cell", "dirt"]
    assert len(said) == 1
    assert said[0] == f"{error.value}; left out"


def test_a_damaged_mask_is_an_error_of_its_shape(tmp_path):
    whole = base64.b64decode(packed(np.random.default_rng(0).integers(0, 2, (6, 6))))
    cut = base64.b64encode(whole[:45]).decode()
    with pytest.raises(InputError, match=r"shapes\[0\] \(cell\): mask: the PNG is damaged"):
        labelme.read(saved(tmp_path / "a.json", shape([[2, 2], [7, 7]], "mask", mask=cut)))


@pytest.mark.parametrize(("height", "words"), [(0, "0 x 14"), (-3, "-3 x 14"), (10**9, "pixels"), ("x", "whole numbers"), (2.5, "2.5")])
def test_a_size_no_image_has_is_refused(tmp_path, height, words):
    with pytest.raises(InputError, match=rf"a\.json: the image's size .*{words}"):
        labelme.read(saved(tmp_path / "a.json", shape(), imageHeight=height, imageWidth=14 if height != 10**9 else 10**9))


def test_a_file_cut_short_is_left_out_of_a_folder(tmp_path):
    saved(tmp_path / "a.json", shape())
    whole = saved(tmp_path / "b.json", shape()).read_text()
    (tmp_path / "b.json").write_text(whole[:60])
    (tmp_path / "b.json").write_text(whole[: whole.index('"imageHeight"')])
    with pytest.raises(InputError, match=r"b\.json: line 1, column \d+: the file ends too early"):
        labelme.read(tmp_path)
    with collect_warnings() as said:
        assert [one.image for one in labelme.read(tmp_path, skip_bad=True)] == ["a.png"]
    assert said[0].endswith("; left out")


def test_two_images_of_one_name_are_refused(tmp_path):
    with pytest.raises(InputError, match="1 image names stand more than once"):
        labelme.write(tmp_path / "out", [Objects((9, 9), (), "a.png"), Objects((9, 9), (), "A.PNG")])
    with pytest.raises(InputError, match="holds one image, found 2; name a folder"):
        labelme.write(tmp_path / "out.json", [Objects((9, 9), (), "a.png"), Objects((9, 9), (), "b.png")])


def test_an_object_without_a_pixel_is_counted(tmp_path):
    empty = Object(1, runs=encode(np.zeros((3, 3))))
    account = labelme.write(tmp_path / "a.json", [Objects((3, 3), (empty,), "a.png")])
    assert (account.objects, account.lost) == (0, {"objects without a pixel": 1})
