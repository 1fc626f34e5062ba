"""VIA files of both versions, as annotations and as projects, and as they arrive damaged."""

import json

import numpy as np
import pytest

from microtome.core.errors import InputError, RecipeError
from microtome.core.events import collect_warnings
from microtome.core.kernels.areas import runs_of
from microtome.core.kernels.run_lengths import decode, encode
from microtome.core.objects import Object, Objects
from microtome.io.annotations import via

POLYGON = {"name": "polygon", "all_points_x": [2, 8, 8, 2], "all_points_y": [2, 2, 8, 8]}
SIZES = {"a.png": (12, 14), "b.png": (12, 14)}


def region(shape=POLYGON, **attributes):
    return {"shape_attributes": shape, "region_attributes": attributes}


def saved(path, *regions, name="a.png", project=False):
    document = {f"{name}1234": {"filename": name, "size": 1234, "regions": list(regions), "file_attributes": {}}}
    if project:
        document = {"_via_settings": {"project": {"name": "cells"}}, "_via_img_metadata": document, "_via_attributes": {"region": {}}}
    path.write_text(json.dumps(document))
    return path


def pixels(item, image):
    return decode(runs_of(item, image.shape))


@pytest.mark.parametrize("project", [False, True])
def test_regions_of_annotations_and_of_projects(tmp_path, project):
    path = saved(tmp_path / "via.json", region(label="cell"), region({"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}),
                 project=project)  # fmt: skip
    assert via.recognise(path)
    (image,) = via.read(path, shapes=SIZES)
    assert [(item.class_name, item.form) for item in image.items] == [("cell", "polygons"), ("", "box")]
    assert image.items[1].box == (2, 1, 6, 4)
    assert pixels(image.items[0], image).sum() == 36


def test_version_1_numbers_its_regions_and_closes_its_polygons(tmp_path):
    closed = {"name": "polygon", "all_points_x": [2, 8, 8, 2, 2], "all_points_y": [2, 2, 8, 8, 2]}
    entry = {"fileref": "", "size": 9, "filename": "a.png", "base64_img_data": "", "file_attributes": {},
             "regions": {"0": region(closed, name="coin"), "1": region(closed, name="hand")}}  # fmt: skip
    (tmp_path / "via.json").write_text(json.dumps({"a.png9": entry}))
    (image,) = via.read(tmp_path / "via.json", shapes=SIZES)
    assert [item.class_name for item in image.items] == ["coin", "hand"]
    assert len(image.items[0].polygons[0].outer) == 4


def test_both_versions_are_written(tmp_path):
    objects = Objects((12, 14), (Object(4, runs=encode(np.pad(np.ones((6, 6)), ((2, 4), (2, 6)))), class_name="cell"),), "a.png")
    for version in (1, 2):
        via.write(tmp_path / "via.json", [objects], version=version)
        regions = json.loads((tmp_path / "via.json").read_text())["a.png-1"]["regions"]
        one = regions["0"] if version == 1 else regions[0]
        assert len(one["shape_attributes"]["all_points_x"]) == (5 if version == 1 else 4)
        assert one["region_attributes"] == {"class": "cell", "object": "4"}
        (image,) = via.read(tmp_path / "via.json")  # the size is an attribute of the file
        assert (image.shape, image.items[0].number, pixels(image.items[0], image).sum()) == ((12, 14), 4, 36)
    with pytest.raises(RecipeError, match="version 3 of VIA"):
        via.write(tmp_path / "via.json", [objects], version=3)


def test_circles_and_ellipses_become_polygons_and_lines_are_told(tmp_path):
    shapes = [{"name": "circle", "cx": 6, "cy": 6, "r": 4}, {"name": "ellipse", "cx": 6, "cy": 6, "rx": 5, "ry": 2, "theta": np.pi / 2},
              {"name": "polyline", "all_points_x": [1, 2], "all_points_y": [1, 2]}, {"name": "point", "cx": 1, "cy": 1}]  # fmt: skip
    with collect_warnings() as said:
        (image,) = via.read(saved(tmp_path / "via.json", *map(region, shapes)), shapes=SIZES)
    assert abs(pixels(image.items[0], image).sum() - 16 * np.pi) < 4
    assert abs(pixels(image.items[1], image).sum() - 10 * np.pi) < 4
    np.testing.assert_allclose(image.items[1].box, (1, 4, 11, 8))  # turned by a quarter: high, not wide
    assert "2 regions are no areas (1 of type polyline, 1 of type point)" in said[0]
    assert "2 circles and ellipses" in said[1]


@pytest.mark.parametrize(
    ("attributes", "classes", "told"),
    [
        ([{"kind": "cell"}, {"kind": "dirt"}], ["cell", "dirt"], None),  # the only attribute
        ([{"Name": "cell", "quality": "good"}], ["cell"], "region attributes quality were not read; 'Name' is the class"),
        ([{"name": "x", "class": "cell"}], ["cell"], "region attributes name were not read"),
        ([{"quality": "good", "stain": "blue"}], [""], "none of them is called class"),
        ([{"type": {"cell": True, "dirt": False}}], ["cell"], None),  # tick boxes
        ([{"object": "cat"}], ["cat"], None),  # no number: a class like any other
        ([{"class": "cell", "score": "high"}], ["cell"], "region attributes score were not read"),
    ],
)
def test_which_attribute_is_the_class(tmp_path, attributes, classes, told):
    path = saved(tmp_path / "via.json", *(region(**one) for one in attributes))
    with collect_warnings() as said:
        (image,) = via.read(path, shapes=SIZES)
    assert [item.class_name for item in image.items] == classes
    assert (told in said[0]) if told else said == []


def test_regions_of_one_object_number_are_its_parts(tmp_path):
    far = {"name": "polygon", "all_points_x": [10, 12, 12], "all_points_y": [0, 0, 2]}
    (image,) = via.read(saved(tmp_path / "via.json", region(object="7"), region(far, object="7"), region(far, object="8")), shapes=SIZES)
    assert [(item.number, len(item.polygons)) for item in image.items] == [(7, 2), (8, 1)]


def test_holes_are_filled_and_counted(tmp_path):
    frame = np.ones((6, 7), bool)
    frame[1:3, 1:4] = frame[4, 5] = False
    account = via.write(tmp_path / "via.json", [Objects((6, 7), (Object(1, runs=encode(frame)),), "a.png")])
    assert account.lost == {"holes filled in": 2, "pixels gained by filled holes": 7}
    (image,) = via.read(tmp_path / "via.json")
    assert pixels(image.items[0], image).all()


def test_a_size_that_is_nowhere_is_told(tmp_path):
    with collect_warnings() as said:
        (image,) = via.read(saved(tmp_path / "via.json", region()))
    assert image.shape == (8, 8)
    assert "the size of 1 images is not in the file" in said[0]


BAD = {
    "3 values in all_points_x and 2 in all_points_y": region({"name": "polygon", "all_points_x": [1, 2, 3], "all_points_y": [1, 2]}),
    "coordinates must be finite": region({"name": "polygon", "all_points_x": [1, 2, 1e999], "all_points_y": [1, 2, 9]}),
    "2 corners enclose no area": region({"name": "polygon", "all_points_x": [1, 2], "all_points_y": [1, 2]}),
    "shape 'star' is not known": region({"name": "star"}),
    "'cx' must be a finite number": region({"name": "circle", "cx": "left", "cy": 1, "r": 2}),
    "an ellipse of radii -1": region({"name": "circle", "cx": 1, "cy": 1, "r": -1}),
    "'shape_attributes' is missing": {"region_attributes": {}},
    "encloses no area": region({"name": "rect", "x": 1, "y": 1, "width": 0, "height": 2}),
    "the region is of several classes (a, b)": region(label={"a": True, "b": True}),
    "'region_attributes' must be named values": {"shape_attributes": POLYGON, "region_attributes": ["cell"]},
    "expected an object with named fields": 7,
}


@pytest.mark.parametrize("words", BAD)
def test_a_faulty_region_is_named_and_the_rest_can_be_read(tmp_path, words):
    path = saved(tmp_path / "via.json", region(label="cell"), BAD[words], region(label="dirt"))
    with pytest.raises(InputError) as error:
        via.read(path, shapes=SIZES)
    assert str(error.value).startswith(f"{path}: a.png: region 1: ")
    assert words in str(error.value)
    with collect_warnings() as said:
        (image,) = via.read(path, shapes=SIZES, skip_bad=True)
    assert [item.class_name for item in image.items] == ["cell", "dirt"]
    assert said == [f"{error.value}; left out"]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"a": {"filename": "a.png", "regions": []}, "b": {"filename": "a.png", "regions": []}}, r"image 'b': a\.png stands twice"),
        ({"a": {"regions": []}}, "'filename' is missing"),
        ({"a": {"filename": "a.png", "regions": 7}}, "'regions' must be list or dict"),
        ({"a": 7}, "image 'a': expected an object"),
        ([1], "expected images by key, found list"),
        ({"project": {}, "metadata": {}}, "VIA 3"),
        ({"a": {"filename": "a.png", "regions": [], "file_attributes": {"height": "0", "width": "4"}}}, "the image's size is 0 x 4"),
    ],
)
def test_a_faulty_image_is_named(tmp_path, document, words):
    (tmp_path / "via.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match=rf"via\.json: .*{words}"):
        via.read(tmp_path / "via.json")


def test_a_file_cut_short_is_told_with_its_line(tmp_path):
    path = saved(tmp_path / "via.json", region())
    path.write_text(path.read_text()[:80])
    with pytest.raises(InputError, match=r"via\.json: line 1, column \d+: the file ends too early"):
        via.read(path)


def test_two_images_of_one_name_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"two images are called a\.png"):
        via.write(tmp_path / "via.json", [Objects((4, 4), (), "a.png")] * 2)
