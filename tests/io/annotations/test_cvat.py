"""CVAT for images 1.1 as CVAT writes it, and as it arrives damaged."""

import math
from xml.etree import ElementTree

import numpy as np
import pytest

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.kernels.areas import runs_of
from microtome.core.kernels.run_lengths import decode, encode
from microtome.core.objects import Object, Objects
from microtome.core.outlines import Polygon
from microtome.io.annotations import cvat

LABELS = "<meta><task><labels><label><name>cell</name></label><label><name>dirt</name></label></labels></task></meta>"
SQUARE = '<polygon label="cell" points="2.00,2.00;8.00,2.00;8.00,8.00;2.00,8.00" occluded="0" z_order="0"/>'


def saved(path, *shapes, meta=LABELS, more=""):
    path.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>{meta}'
                    f'<image id="0" name="a.png" width="14" height="12">{"".join(shapes)}</image>{more}</annotations>')  # fmt: skip
    return path


def pixels(item, image):
    return decode(runs_of(item, image.shape))


def by_the_maintainers_rule(rle, left, top, width, shape):
    """Pixel number k of the box lies in row k // width, column k % width; zeros come first."""
    mask, offset = np.zeros(shape, bool), 0
    for place, length in enumerate(rle):
        for k in range(offset, offset + length):
            mask[top + k // width, left + k % width] = place % 2 == 1
        offset += length
    return mask


def test_shapes_of_every_kind(tmp_path):
    path = saved(tmp_path / "a.xml", SQUARE, '<box label="dirt" xtl="1.5" ytl="2" xbr="4" ybr="6.25"/>',
                 '<ellipse label="cell" cx="6" cy="6" rx="5" ry="2"/>',
                 '<mask label="dirt" rle="1, 2, 4, 2" left="3" top="2" width="3" height="3"/>')  # fmt: skip
    with collect_warnings() as said:
        (image,) = cvat.read(path)
    assert (image.image, image.shape) == ("a.png", (12, 14))
    assert [item.form for item in image.items] == ["polygons", "box", "polygons", "runs"]
    assert pixels(image.items[0], image).sum() == 36
    assert image.items[1].box == (2, 1.5, 6.25, 4)
    np.testing.assert_allclose(image.items[2].box, (4, 1, 8, 11))
    np.testing.assert_array_equal(pixels(image.items[3], image), by_the_maintainers_rule([1, 2, 4, 2], 3, 2, 3, (12, 14)))
    assert said == [f"{path}: 1 ellipses were read as polygons of 128 corners"]


def test_masks_are_written_row_by_row_in_their_box(tmp_path):
    rng = np.random.default_rng(3)
    for k in range(20):
        mask = np.zeros((9, 7), bool)
        mask[2:8, 1:5] = rng.random((6, 4)) < 0.5
        cvat.write(tmp_path / "a.xml", [Objects((9, 7), (Object(1, runs=encode(mask), class_name="cell"),), "a.png")])
        element = ElementTree.parse(tmp_path / "a.xml").find("image/mask")
        rle = [int(length) for length in element.get("rle").split(",")]
        left, top, width, height = (int(element.get(name)) for name in ("left", "top", "width", "height"))
        np.testing.assert_array_equal(by_the_maintainers_rule(rle, left, top, width, (9, 7)), mask)
        assert sum(rle) == width * height
        assert 0 not in rle[1:], k


def test_layers_decide_which_lies_on_top(tmp_path):
    upper = SQUARE.replace('z_order="0"', 'z_order="2"').replace("cell", "dirt")
    (image,) = cvat.read(saved(tmp_path / "a.xml", upper, SQUARE, SQUARE.replace('z_order="0"', 'z_order="-1"')))
    assert [item.class_name for item in image.items] == ["cell", "cell", "dirt"]


def test_groups_above_0_are_objects_and_a_box_among_parts_is_their_box(tmp_path):
    def of(group, shape):
        return shape.replace("<polygon", f'<polygon group_id="{group}"').replace("<box", f'<box group_id="{group}"')

    far = SQUARE.replace("2.00", "0").replace("8.00", "1")
    box = '<box label="cell" xtl="0" ytl="0" xbr="9" ybr="9"/>'
    path = saved(tmp_path / "a.xml", of(4, SQUARE), of(4, far), of(4, box), of(0, SQUARE), of(0, far))
    (image,) = cvat.read(path)
    assert [len(item.polygons) for item in image.items] == [2, 1, 1]
    assert image.items[0].given_box == (0, 0, 9, 9)
    assert pixels(image.items[0], image).sum() == 37


def test_turned_boxes_are_polygons_and_told(tmp_path):
    path = saved(tmp_path / "a.xml", '<box label="cell" xtl="2" ytl="4" xbr="10" ybr="6" rotation="90"/>',
                 '<box label="cell" xtl="2" ytl="4" xbr="10" ybr="6" rotation="45"/>')  # fmt: skip
    with collect_warnings() as said:
        (image,) = cvat.read(path)
    np.testing.assert_allclose(image.items[0].box, (1, 5, 9, 7))
    # clockwise on the screen: the upper left corner (-4, -1) from the centre goes to (-3, -5) / sqrt 2
    np.testing.assert_allclose(image.items[1].polygons[0].outer[0], (5 - 5 / math.sqrt(2), 6 - 3 / math.sqrt(2)))
    assert said == [f"{path}: 2 boxes are turned; they were read as polygons of four corners"]


def test_what_is_no_area_and_what_is_not_read_is_told(tmp_path):
    attribute = '<attribute name="stage">3</attribute><attribute name="score">0.5</attribute>'
    others = ['<polyline label="cell" points="1,1;2,2"/>', *['<points label="cell" points="1,1"/>'] * 2, '<cuboid label="cell"/>', "<tag/>"]
    path = saved(tmp_path / "a.xml", SQUARE.replace("/>", f">{attribute}</polygon>"), *others)
    with collect_warnings() as said:
        (image,) = cvat.read(path)
    assert image.items[0].score == 0.5
    assert said[0].endswith("5 shapes are no areas (1 x polyline, 2 x points, 1 x cuboid, 1 x tag), and were left out")
    assert said[1].endswith("1 attributes of shapes were not read")


def test_labels_keep_their_order_and_those_without_objects(tmp_path):
    (image,) = cvat.read(saved(tmp_path / "a.xml", SQUARE.replace("cell", "dirt")))
    assert [(entry.value, entry.name) for entry in image.classes] == [(1, "cell"), (2, "dirt")]
    account = cvat.write(tmp_path / "b.xml", [image])
    assert account.lost == {}
    assert [(entry.value, entry.name) for entry in cvat.read(tmp_path / "b.xml")[0].classes] == [(1, "cell"), (2, "dirt")]


def test_holes_become_masks_and_plain_outlines_stay(tmp_path):
    square = np.array([[2.5, 2], [2.5, 8], [8, 8], [8, 2]])
    frame = Polygon(np.round(square), (np.array([[4.0, 4], [4, 5], [5, 5], [5, 4]]),))
    items = (Object(1, (Polygon(square),), class_name="cell"), Object(2, (frame,)), Object(3, given_box=(1, 2, 3, 4.5), score=0.125))
    account = cvat.write(tmp_path / "a.xml", [Objects((12, 14), items, "a.png")])
    assert (account.objects, account.lost) == (3, {"objects without a class": 2})
    (image,) = cvat.read(tmp_path / "a.xml")
    assert [(item.form, item.class_name) for item in image.items] == [("polygons", "cell"), ("runs", "object"), ("box", "object")]
    np.testing.assert_array_equal(image.items[0].polygons[0].outer, square)
    assert pixels(image.items[1], image).sum() == 35
    assert (image.items[2].box, image.items[2].score) == ((1, 2, 3, 4.5), 0.125)


def test_tracks_of_videos_are_refused_with_the_way_out(tmp_path):
    track = '<track id="0" label="cell"><box frame="0" xtl="1" ytl="1" xbr="2" ybr="2"/></track>'
    with pytest.raises(InputError, match=r"CVAT for video 1\.1.*export 'CVAT for images 1\.1'"):
        cvat.read(saved(tmp_path / "a.xml", more=track))


@pytest.mark.parametrize(
    "bomb",
    [
        '<!DOCTYPE annotations [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><annotations>&b;</annotations>',
        '<!DOCTYPE annotations [<!ENTITY f SYSTEM "file:///etc/hostname">]><annotations><image name="&f;"/></annotations>',
        '<!DOCTYPE annotations SYSTEM "http://127.0.0.1/x.dtd"><annotations/>',
    ],
)
def test_entities_and_document_types_are_refused(tmp_path, bomb):
    (tmp_path / "a.xml").write_text(bomb)
    with pytest.raises(InputError, match=r"a\.xml: declares a document type or entities"):
        cvat.read(tmp_path / "a.xml")


BAD = {
    "'cx' must be a finite number": '<ellipse label="cell" cx="nan" cy="1" rx="1" ry="1"/>',
    "coordinates must be finite": SQUARE.replace("8.00,8.00", "nan,8.00"),
    "corners must be pairs of numbers": SQUARE.replace("8.00,8.00", "8.00"),
    "2 corners enclose no area": '<polygon label="cell" points="1,1;2,2"/>',
    "label 'ghost' is not among the labels of the task (cell, dirt)": SQUARE.replace("cell", "ghost"),
    "'label' is missing": '<polygon points="1,1;2,2;3,1"/>',
    "run lengths cover 8 pixels, the mask's box has 3 x 3 = 9": '<mask label="cell" rle="4, 4" left="0" top="0" width="3" height="3"/>',
    "found '-4'": '<mask label="cell" rle="13, -4" left="0" top="0" width="3" height="3"/>',
    "found 'x'": '<mask label="cell" rle="13, x" left="0" top="0" width="3" height="3"/>',
    "a mask of 3 x 15 pixels in an image of 12 x 14": '<mask label="cell" rle="45" left="0" top="0" width="15" height="3"/>',
    "encloses no area": '<box label="cell" xtl="3" ytl="1" xbr="3" ybr="2"/>',
    "'group_id' must be a finite number": SQUARE.replace("<polygon", '<polygon group_id="b"'),
    "<hexagon> is not known": SQUARE.replace("polygon", "hexagon"),
}  # fmt: skip


@pytest.mark.parametrize("words", BAD)
def test_a_faulty_shape_is_named_and_the_rest_can_be_read(tmp_path, words):
    path = saved(tmp_path / "a.xml", SQUARE, BAD[words], SQUARE.replace("cell", "dirt"))
    with pytest.raises(InputError) as error:
        cvat.read(path)
    assert str(error.value).startswith(f"{path}: image a.png: ")
    assert "[1]: " in str(error.value)
    assert words in str(error.value)
    with collect_warnings() as said:
        (image,) = cvat.read(path, skip_bad=True)
    assert [item.class_name for item in image.items] == ["cell", "dirt"]
    assert said == [f"{error.value}; left out"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('<image id="1" name="a.png" width="3" height="3"/>', "image 'a.png': stands twice"),
        ('<image id="1" width="3" height="3"/>', "image '1': 'name' is missing"),
        ('<image id="1" name="b.png" width="3"/>', "image 'b.png': 'height' is missing"),
        ('<image id="1" name="b.png" width="3.5" height="2"/>', "two whole numbers"),
        ('<image id="1" name="b.png" width="99999999" height="99999999"/>', "the image's size is"),
    ],
)
def test_a_faulty_image_is_named_and_the_rest_can_be_read(tmp_path, more, words):
    path = saved(tmp_path / "a.xml", SQUARE, more=more)
    with pytest.raises(InputError) as error:
        cvat.read(path)
    assert words in str(error.value)
    with collect_warnings():
        assert [one.image for one in cvat.read(path, skip_bad=True)] == ["a.png"]


def test_a_mask_beyond_the_edge_is_cut(tmp_path):
    (image,) = cvat.read(saved(tmp_path / "a.xml", '<mask label="cell" rle="0, 9" left="-1" top="10" width="3" height="3"/>'))
    assert (image.items[0].box, image.items[0].runs.area) == ((10, 0, 12, 2), 4)


def test_files_cut_short_and_of_other_kinds_are_told(tmp_path):
    path = saved(tmp_path / "a.xml", SQUARE)
    path.write_text(path.read_text()[:200])
    with pytest.raises(InputError, match=r"a\.xml: not XML, or cut short"):
        cvat.read(path)
    path.write_text("<annotation/>")
    assert not cvat.recognise(path)
    with pytest.raises(InputError, match="expected the element <annotations>"):
        cvat.read(path)


def test_names_that_xml_cannot_hold_are_refused(tmp_path):
    with pytest.raises(InputError, match="which XML cannot hold"):
        cvat.write(tmp_path / "a.xml", [Objects((4, 4), (), "a\x00.png")])
    with pytest.raises(InputError, match=r"two images are called a\.png"):
        cvat.write(tmp_path / "a.xml", [Objects((4, 4), (), "a.png")] * 2)
    name = 'a "quoted" <name> & more ü.png'
    cvat.write(tmp_path / "a.xml", [Objects((4, 4), (), name)])
    assert cvat.read(tmp_path / "a.xml")[0].image == name
